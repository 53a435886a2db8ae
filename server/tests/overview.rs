//! What the page asks for: the overview, sparklines, a host, points in columns,
//! and finding series.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use pattoo_common::datapoint::{DataPoint, DataType, Metadata, Value as Reading};
use pattoo_common::document::{DocumentWriter, Series, Target};
use pattoo_server::translations;
use serde_json::{Value, json};
use support::Server;

const INTERVAL_MS: u64 = 10_000;

/// A spoke that keeps its series from poll to poll.
struct Spoke {
    series: Series,
    /// What its network has sent and received so far.
    bytes: u64,
}

impl Spoke {
    fn new(name: &str, id: &str) -> Self {
        let metadata = [
            ("release", "6.1.0-9-amd64"),
            ("version", "#1 SMP"),
            ("processor", ""),
            ("type", "Linux"),
            ("cpus", "4"),
            ("hostname", name),
        ];
        let series = Series::new(Target {
            agent_id: format!("{id:0>64}"),
            program: "pattoo_agent_linux_spoked",
            agent_hostname: name.to_owned(),
            polled_target: name.to_owned(),
            metadata: metadata.map(|(key, value)| (key, value.to_owned())).to_vec(),
        });
        Self { series, bytes: 0 }
    }

    /// The poll of this time: idle for so many percent, and each physical
    /// interface has sent 1,000 bytes a second.
    fn poll(&mut self, at_ms: u64, idle: f64) -> Vec<u8> {
        self.bytes += INTERVAL_MS;
        let mut writer = DocumentWriter::new(&mut self.series, INTERVAL_MS);
        for (key, data_type, value) in [
            ("cpu_times_percent_idle", DataType::GaugeFloat, Reading::Float(idle)),
            ("cpu_times_percent_iowait", DataType::GaugeFloat, Reading::Float(5.0)),
            ("memory_percent", DataType::Gauge, Reading::Float(41.5)),
            ("load_average_01min", DataType::Gauge, Reading::Float(0.75)),
            ("uptime", DataType::Gauge, Reading::Float(3_600.75)),
        ] {
            writer.push(&DataPoint::new(key, data_type, value), at_ms);
        }
        for (mount, kind, percent) in
            [("/", "ext4", 20.0), ("/srv", "xfs", 83.5), ("/snap/x", "squashfs", 100.0)]
        {
            let disk = Metadata::before_host(vec![
                ("disk_partition_device", "/dev/x".into()),
                ("disk_partition_mountpoint", mount.into()),
                ("disk_partition_fstype", kind.into()),
                ("disk_partition_opts", "rw".into()),
            ]);
            let key = "disk_partition_disk_usage_percent";
            let point = DataPoint::of(&disk, key, DataType::Gauge, Reading::Float(percent));
            writer.push(&point, at_ms);
        }
        for interface in ["lo", "eth0", "eth1", "docker0"] {
            let of = Metadata::after_host(vec![("network_io_interface", interface.into())]);
            for key in ["network_io_bytes_sent", "network_io_bytes_recv"] {
                let bytes = if key.ends_with("sent") { self.bytes } else { self.bytes * 3 };
                let point = DataPoint::of(&of, key, DataType::Counter64, bytes);
                writer.push(&point, at_ms);
            }
        }
        writer.finish(at_ms)
    }
}

/// What a hub tells of devices: address, agent, and why it cannot be reached.
fn hub(at_ms: u64, skew_ms: i64, devices: &[(&str, &str, Option<&str>)]) -> Vec<u8> {
    let mut series = Series::new(Target {
        agent_id: "f".repeat(64),
        program: "pattoo_agent_linux_hubd",
        agent_hostname: "hub1".into(),
        polled_target: "hub1".into(),
        metadata: vec![("hostname", "hub1".into())],
    });
    let mut writer = DocumentWriter::new(&mut series, INTERVAL_MS);
    writer.push(&DataPoint::new("hub_spool_batches", DataType::Gauge, 3_u64), at_ms);
    for (address, agent, error) in devices {
        let device = Metadata::after_host(vec![
            ("hub_device_address", (*address).into()),
            ("hub_device_port", "5000".into()),
        ]);
        let mut tell = |key, data_type, value: Reading| {
            writer.push(&DataPoint::of(&device, key, data_type, value), at_ms);
        };
        let up = u64::from(error.is_none());
        tell("hub_poll_up", DataType::Gauge, up.into());
        if let Some(error) = error {
            tell("hub_poll_error", DataType::Text, Reading::Text((*error).to_owned().into()));
            continue;
        }
        let id = format!("{agent:0>64}");
        tell("hub_poll_agent_id", DataType::Text, Reading::Text(id.into()));
        tell("hub_poll_program", DataType::Text, Reading::Text("pattoo/0.1.0".into()));
        tell("hub_poll_clock_skew", DataType::Gauge, Reading::Signed(skew_ms));
    }
    writer.finish(at_ms)
}

fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

const OVERVIEW: &str = "{ overview { now
    hosts { target state lastSeen intervalSeconds cpuPercent memoryPercent diskPercent diskMount
            receivedBytesPerSecond sentBytesPerSecond loadAverage cpus reachable error
            labels { key value } }
    hubs { target idxAgent lastSeen devices reached spoolWaiting
           unreachable { address port error agentId } } } }";

fn overview(server: &Server) -> Value {
    server.data(OVERVIEW)["overview"].clone()
}

fn host<'o>(overview: &'o Value, name: &str) -> &'o Value {
    let hosts = overview["hosts"].as_array().unwrap();
    hosts.iter().find(|host| host["target"] == name).unwrap_or_else(|| panic!("{name}: {overview}"))
}

#[test]
fn the_overview_follows_what_comes_in() {
    let server = Server::new();
    assert_eq!(overview(&server)["hosts"], json!([]), "a fresh server has none");
    let now = now_ms();
    let mut spoke = Spoke::new("web1", "1");
    server.post(&spoke.poll(now - 20_000, 90.0));
    let first = overview(&server);
    let web1 = host(&first, "web1");
    assert_eq!((&web1["cpuPercent"], &web1["sentBytesPerSecond"]), (&json!(5.0), &Value::Null));
    server.post(&spoke.poll(now - 10_000, 70.0));
    server.post(&hub(now - 10_000, 0, &[("10.0.0.1", "1", None)]));
    let second = overview(&server);
    let web1 = host(&second, "web1");
    let expected = json!({
        "target": "web1", "state": "up", "lastSeen": (now - 10_000) as f64, "intervalSeconds": 10.0,
        "cpuPercent": 25.0, "memoryPercent": 41.5, "diskPercent": 83.5, "diskMount": "/srv",
        "receivedBytesPerSecond": 6000.0, "sentBytesPerSecond": 2000.0, "loadAverage": 0.75,
        "cpus": 4, "reachable": true, "error": null,
        "labels": [{"key": "system", "value": "Linux"}, {"key": "release", "value": "6.1.0-9-amd64"},
                   {"key": "hub", "value": "hub1"}],
    });
    assert_eq!(*web1, expected);
    assert!(second["now"].as_f64().unwrap() >= now as f64);

    // A host that comes later is there too, and the hub is no host.
    server.post(&Spoke::new("web2", "2").poll(now - 5_000, 10.0));
    let third = overview(&server);
    assert_eq!(third["hosts"].as_array().unwrap().len(), 2);
    assert_eq!(host(&third, "web2")["cpuPercent"], 85.0);
    assert_eq!(host(&third, "web2")["reachable"], Value::Null);
}

#[test]
fn states_tell_late_and_down_and_why() {
    let server = Server::new();
    let now = now_ms();
    for (name, id, age_s) in
        [("up", "1", 5), ("late", "2", 35), ("silent", "3", 120), ("cut", "4", 15)]
    {
        server.post(&Spoke::new(name, id).poll(now - age_s * 1_000, 50.0));
    }
    // It is an hour behind, and its hub knows.
    server.post(&Spoke::new("behind", "5").poll(now - 3_605_000, 50.0));
    let reached = [("10.0.0.1", "1", None), ("10.0.0.4", "4", None)];
    server.post(&hub(now - 15_000, 0, &reached));
    server.post(&hub(
        now - 5_000,
        -3_600_000,
        &[
            ("10.0.0.1", "1", None),
            ("10.0.0.4", "4", Some("refused")),
            ("10.0.0.5", "5", None),
            ("10.0.0.9", "", Some("no route")),
        ],
    ));
    let overview = overview(&server);
    let state = |name: &str| host(&overview, name)["state"].as_str().unwrap().to_owned();
    // The hub's clock skew is of every device that it reached.
    assert_eq!(["late", "silent", "cut", "behind"].map(state), ["late", "down", "down", "up"]);
    assert_eq!(host(&overview, "cut")["error"], "refused");
    let hub = &overview["hubs"][0];
    assert_eq!([&hub["target"], &hub["spoolWaiting"]], [&json!("hub1"), &json!(3.0)]);
    assert_eq!([&hub["devices"], &hub["reached"]], [4, 2]);
    assert_eq!(hub["unreachable"].as_array().unwrap().len(), 2);
    assert_eq!(hub["unreachable"][1]["error"], "no route");
    assert_eq!(hub["unreachable"][1]["agentId"], Value::Null);
}

#[test]
fn a_host_that_is_forgotten_is_gone_from_the_overview() {
    let server = Server::new();
    let now = now_ms();
    for (name, id) in [("web1", "1"), ("web2", "2")] {
        server.post(&Spoke::new(name, id).poll(now, 50.0));
    }
    assert_eq!(overview(&server)["hosts"].as_array().unwrap().len(), 2);
    server.data("mutation { deleteHost(target: \"web1\") }");
    let after = overview(&server);
    assert_eq!(after["hosts"].as_array().unwrap().len(), 1);
    assert_eq!(host(&after, "web2")["cpuPercent"], 45.0);
}

#[test]
fn a_restart_forgets_nothing_of_the_overview() {
    let server = Server::new();
    let now = now_ms();
    let mut spoke = Spoke::new("web1", "1");
    for age_s in [20, 10] {
        server.post(&spoke.poll(now - age_s * 1_000, 50.0));
    }
    let before = overview(&server);
    let server = server.reopened();
    let after = overview(&server);
    assert_eq!(after["hosts"], before["hosts"]);
    assert_eq!(host(&after, "web1")["sentBytesPerSecond"], 2000.0);
}

#[test]
fn sparklines_are_of_the_steps_that_were_asked_for() {
    let server = Server::new();
    // In the middle of a minute, so that no step begins meanwhile.
    let now = now_ms();
    let mut spoke = Spoke::new("web1", "1");
    for poll in (0..60).rev() {
        server.post(&spoke.poll(now - poll * INTERVAL_MS, 50.0));
    }
    let lines = server.data(
        "{ sparklines(targets: [\"web1\", \"none\"], figure: [CPU, SENT, DISK]) {
             target figure timestamps values } }",
    );
    let lines = lines["sparklines"].as_array().unwrap();
    assert_eq!(lines.len(), 6);
    let numbers = |line: &Value, name: &str| -> Vec<Option<f64>> {
        line[name].as_array().unwrap().iter().map(Value::as_f64).collect()
    };
    for (line, figure, wanted) in [(0, "CPU", 45.0), (2, "SENT", 2000.0), (4, "DISK", 83.5)] {
        let line = &lines[line];
        assert_eq!((&line["target"], &line["figure"]), (&json!("web1"), &json!(figure)));
        let (timestamps, values) = (numbers(line, "timestamps"), numbers(line, "values"));
        assert_eq!((timestamps.len(), values.len()), (60, 60));
        let step_ms = timestamps[1].unwrap() - timestamps[0].unwrap();
        assert!((step_ms - 60_000.0).abs() < 0.5);
        assert!(now as f64 - timestamps[59].unwrap() < 70_000.0);
        let told: Vec<f64> = values.iter().copied().flatten().collect();
        assert!((10..=12).contains(&told.len()), "{figure}: ten minutes were told: {told:?}");
        assert!(told.iter().all(|value| (value - wanted).abs() < 1e-6), "{figure}: {told:?}");
        assert_eq!(values[..45].iter().flatten().count(), 0);
    }
    assert_eq!(lines[1]["values"], json!([]), "there is no such host");
}

#[test]
fn a_host_is_told_in_full_and_in_words() {
    let server = Server::new();
    translations::install(&server.store).unwrap();
    let now = now_ms();
    let mut spoke = Spoke::new("web1", "1");
    server.post(&spoke.poll(now - 10_000, 50.0));
    server.post(&hub(now - 10_000, 1_500, &[("10.0.0.1", "1", None)]));
    let query = |language: &str| {
        let data = server.data(&format!(
            "{{ host(target: \"web1\", language: \"{language}\") {{ state facts {{ key value }}
                 devices {{ address reachable }}
                 series {{ idxDatapoint key program dataType isCounter name units latest latestText
                          latestTimestamp labels {{ key value }} }} }} }}"
        ));
        data["host"].clone()
    };
    let english = query("en");
    let facts: Vec<(&str, &str)> = english["facts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fact| (fact["key"].as_str().unwrap(), fact["value"].as_str().unwrap()))
        .collect();
    let agent_id = format!("{:0>64}", 1);
    for fact in [
        ("kernel", "6.1.0-9-amd64"),
        ("system", "Linux"),
        ("cpus", "4"),
        ("uptime_seconds", "3601"),
        ("address", "10.0.0.1:5000"),
        ("hub", "hub1"),
        ("clock_skew_seconds", "1.500"),
        ("version", "0.1.0"),
        ("agent_id", &agent_id),
        ("program", "pattoo_agent_linux_spoked"),
    ] {
        assert!(facts.contains(&fact), "{fact:?} in {facts:?}");
    }
    assert!(!facts.iter().any(|(name, _)| *name == "processor"), "it told none");
    let series = |host: &Value, key: &str, label: &str| -> Value {
        let all = host["series"].as_array().unwrap();
        let is_it = |series: &&Value| {
            series["key"] == key
                && (label.is_empty() || series["labels"].to_string().contains(label))
        };
        all.iter().find(is_it).unwrap_or_else(|| panic!("{key} {label}")).clone()
    };
    let sent = series(&english, "network_io_bytes_sent", "eth0");
    assert_eq!(sent["labels"], json!([{"key": "network_io_interface", "value": "eth0"}]));
    assert_eq!((&sent["isCounter"], &sent["units"]), (&json!(true), &json!("bytes / second")));
    assert_eq!((&sent["dataType"], &sent["latest"]), (&json!(64), &json!(10_000.0)));
    assert_eq!(sent["latestTimestamp"], (now - 10_000) as f64);
    let memory = series(&english, "memory_percent", "");
    assert_eq!((&memory["name"], &memory["units"]), (&json!("Memory in use"), &json!("%")));
    assert_eq!(memory["labels"], json!([]));
    let name = |language: &str| series(&query(language), "memory_percent", "")["name"].clone();
    assert_eq!(name("es"), "Memoria en uso");
    assert_eq!(name("es-MX"), "Memoria en uso");
    assert_eq!(name("tlh"), "Memory in use", "what has no name in a language has one in ours");
    assert_eq!(server.data("{ host(target: \"none\") { state } }")["host"], Value::Null);
}

#[test]
fn columns_are_the_points_with_what_they_stand_for() {
    let server = Server::new();
    let now = now_ms() / 60_000 * 60_000;
    let mut spoke = Spoke::new("web1", "1");
    for poll in (1..=30).rev() {
        server.post(&spoke.poll(now - poll * INTERVAL_MS, poll as f64));
    }
    let found =
        server.data("{ explore(key: \"cpu_times_percent_idle\") { idxDatapoint } }")["explore"]
            .clone();
    let number = found[0]["idxDatapoint"].as_str().unwrap();
    let ask = |more: &str| {
        let arguments =
            format!("idxDatapoint: \"{number}\", from: {}, to: {now} {more}", now - 300_000);
        let data = server.data(&format!(
            "{{ points({arguments}) {{ step resolution points {{ timestamp value }} }}
                columns({arguments}) {{ idxDatapoint step resolution timestamps values lows highs damaged }} }}"
        ));
        (data["points"][0].clone(), data["columns"][0].clone())
    };
    for more in
        ["", ", step: 60000", ", step: 60000, aggregate: MAX", ", step: 60000, asRate: true"]
    {
        let (points, columns) = ask(more);
        assert_eq!(
            [&points["step"], &points["resolution"]],
            [&columns["step"], &columns["resolution"]]
        );
        let points = points["points"].as_array().unwrap();
        let list = |name: &str| columns[name].as_array().unwrap().clone();
        let paired: Vec<Value> = list("timestamps")
            .into_iter()
            .zip(list("values"))
            .map(|(timestamp, value)| json!({"timestamp": timestamp, "value": value}))
            .collect();
        assert_eq!(*points, paired, "{more}");
        assert!(!points.is_empty());
        let with_ranges = more == ", step: 60000";
        assert_eq!(columns["lows"].is_array(), with_ranges, "{more}");
        assert_eq!(columns["highs"].is_array(), with_ranges, "{more}");
    }
    // More series than points takes, each more points: a page of thirty charts.
    let all = |count: usize| vec![format!("{number:?}"); count].join(",");
    let of = |count| {
        format!("columns(idxDatapoint: [{}], from: {}, to: {now})", all(count), now - 300_000)
    };
    let many = server.data(&format!("{{ a: {} {{ step }} b: {} {{ step }} }}", of(200), of(200)));
    assert_eq!(many["b"].as_array().unwrap().len(), 200);
    assert!(many["b"][199]["step"].is_null(), "there is room for every sample: {}", many["b"][199]);
    let (_, message) = server.error(&format!("{{ {} {{ step }} }}", of(201)));
    assert!(message.contains("1 to 200 are wanted, 201 found"), "{message}");

    let (_, minutes) = ask(", step: 60000");
    // Six samples a minute, falling by one.
    assert_eq!(minutes["values"], json!([27.5, 21.5, 15.5, 9.5, 3.5]));
    assert_eq!(minutes["lows"], json!([25.0, 19.0, 13.0, 7.0, 1.0]));
    assert_eq!(minutes["highs"], json!([30.0, 24.0, 18.0, 12.0, 6.0]));
}

#[test]
fn series_are_found_by_words() {
    let server = Server::new();
    translations::install(&server.store).unwrap();
    let now = now_ms();
    for (name, id) in [("web1", "1"), ("db1", "2")] {
        server.post(&Spoke::new(name, id).poll(now, 50.0));
    }
    let found = |arguments: &str| {
        let data =
            server.data(&format!("{{ explore({arguments}) {{ target key labels {{ value }} }} }}"));
        data["explore"].as_array().unwrap().clone()
    };
    assert_eq!(found("search: \"eth0 web\"").len(), 2, "sent and received");
    assert_eq!(found("search: \"Memoria USO\"").len(), 2, "in any language");
    assert_eq!(found("search: \"memory\", target: \"db1\"").len(), 1);
    assert_eq!(found("key: \"network_io_bytes_sent\", target: \"db1\"").len(), 4);
    assert_eq!(found("limit: 3").len(), 3);
    assert_eq!(found("search: \"no such thing\"").len(), 0);
    assert_eq!(found("search: \"/srv\"")[0]["target"], "db1", "in order of hosts");

    // A link names series by their numbers.
    let number = server.data("{ explore(search: \"/srv\", target: \"web1\") { idxDatapoint } }");
    let number = &number["explore"][0]["idxDatapoint"];
    let these = found(&format!("idxDatapoint: [{number}, \"99999\", \"x\"]"));
    assert_eq!((these.len(), &these[0]["target"]), (1, &json!("web1")));

    let keys = server.data(
        "{ seriesKeys(search: \"eceiv\") { key program name series hosts }
           all: seriesKeys { key } few: seriesKeys(limit: 2) { key } }",
    );
    let received = &keys["seriesKeys"][0];
    assert_eq!(received["key"], "network_io_bytes_recv", "{keys}");
    assert_eq!((&received["series"], &received["hosts"]), (&json!(8), &json!(2)));
    assert_eq!(keys["all"].as_array().unwrap().len(), 8);
    assert_eq!(keys["few"].as_array().unwrap().len(), 2);
}
