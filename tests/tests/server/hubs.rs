//! The whole way: real spoke, real hub, real server.

use std::fs;

use pattoo_tests::{
    Daemon, Folder, HubOptions, PATIENCE, Server, SpokeOptions, StandInSpoke, binary, free_port,
    wait_until, write_hub_config, write_spoke_config,
};

use serde_json::{Value, json};

use crate::documents::now_ms;

const HUB: &str = "pattoo_agent_linux_hubd";
const SPOKE: &str = "pattoo_agent_linux_spoked";

struct Hub {
    daemon: Daemon,
    folder: Folder,
}

impl Hub {
    /// What it has logged so far.
    fn log(&self) -> String {
        fs::read_to_string(self.folder.join(format!("log/{HUB}.log"))).unwrap_or_default()
    }

    /// The batches that wait in its spool.
    fn spooled(&self) -> usize {
        let spools = fs::read_dir(self.folder.join("cache")).unwrap().flatten();
        let files = spools.flat_map(|spool| fs::read_dir(spool.path()).unwrap().flatten());
        files.filter(|file| file.path().extension().is_some_and(|end| end == "json")).count()
    }
}

fn hub(devices: Vec<(String, u16)>, server: &Server) -> Hub {
    let folder = Folder::new("hub");
    let options = HubOptions {
        devices,
        interval_seconds: 1,
        server_port: server.agent_port,
        more: String::new(),
    };
    let configuration = write_hub_config(&folder, &options);
    let pid_file = folder.join(format!("run/pid/{HUB}.pid"));
    Hub { daemon: Daemon::new(binary(HUB), &configuration, pid_file), folder }
}

fn posts(server: &Server) -> u64 {
    let metrics = server.get("/metrics").text();
    let line = metrics.lines().find(|line| line.starts_with("pattood_posts_total ")).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// The values of the counter `sequence` that the server has of a stand-in spoke.
fn sequence(server: &Server, spoke: &StandInSpoke, since_ms: u64) -> Vec<u64> {
    if server.series("sequence", spoke.name()).is_empty() {
        return Vec::new();
    }
    let samples = server.samples("sequence", spoke.name(), since_ms, now_ms() + 5_000);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]
    samples.iter().map(|(_, value)| *value as u64).collect()
}

/// The only host, as the overview has it.
fn glance(server: &Server) -> Value {
    let data = server.query(
        "{ overview { hosts { target state cpuPercent memoryPercent diskPercent loadAverage
             receivedBytesPerSecond reachable error } hubs { devices reached } } }",
    );
    let overview = &data["overview"];
    assert_eq!(overview["hosts"].as_array().unwrap().len(), 1, "the hub is none: {overview}");
    assert_eq!(overview["hubs"][0]["devices"], 1, "{overview}");
    overview["hosts"][0].clone()
}

/// How the only hub is, as the overview has it.
fn hub_state(server: &Server) -> String {
    let data = server.query("{ overview { hubs { state } } }");
    data["overview"]["hubs"][0]["state"].as_str().unwrap().to_owned()
}

/// What the overview and the host's page say of a real spoke.
fn told_at_a_glance(server: &Server, port: u16) {
    let mut host = Value::Null;
    // It is down for as long as the last poll was late.
    wait_until("it is up", PATIENCE, || {
        host = glance(server);
        host["state"] == "up"
    });
    assert_eq!((&host["target"], &host["reachable"]), (&json!("web1"), &json!(true)), "{host}");
    for figure in ["cpuPercent", "memoryPercent"] {
        let percent = host[figure].as_f64().unwrap_or_else(|| panic!("{figure}: {host}"));
        assert!((0.0..=100.0).contains(&percent), "{figure}: {percent}");
    }
    assert!(host["loadAverage"].as_f64().is_some_and(|load| load >= 0.0), "{host}");
    let detail = server.query("{ host(target: \"web1\") { facts { key value } } }");
    let facts = detail["host"]["facts"].as_array().unwrap();
    let fact = |name: &str| {
        let fact = facts.iter().find(|fact| fact["key"] == name);
        fact.unwrap_or_else(|| panic!("{name}: {facts:?}"))["value"].as_str().unwrap()
    };
    assert_eq!(fact("address"), format!("127.0.0.1:{port}"));
    assert_eq!(fact("version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(fact("program"), SPOKE);
    assert!(fact("clock_skew_seconds").parse::<f64>().unwrap().abs() < 60.0);
    assert!(fact("uptime_seconds").parse::<u64>().is_ok() && !fact("kernel").is_empty());
}

#[test]
fn a_real_spoke_is_polled_and_can_be_asked_about() {
    let server = Server::start("whole");
    let spoke_folder = Folder::new("spoke");
    let port = free_port();
    let options = SpokeOptions { port, fixture: None, more: "hostname: web1\n".into() };
    let configuration = write_spoke_config(&spoke_folder, &options);
    let pid_file = spoke_folder.join(format!("run/pid/{SPOKE}.pid"));
    let spoke = Daemon::new(binary(SPOKE), &configuration, pid_file);
    spoke.start();
    let hub = hub(vec![("127.0.0.1".into(), port)], &server);
    let since_ms = now_ms();
    hub.daemon.start();
    wait_until("three polls are stored", PATIENCE, || {
        !server.series("uptime", "web1").is_empty()
            && server.samples("uptime", "web1", since_ms, now_ms() + 5_000).len() >= 3
    });
    for key in ["memory_total", "load_average_01min", "process_count", "cpu_times_user"] {
        assert!(!server.series(key, "web1").is_empty(), "{key}");
    }
    told_at_a_glance(&server, port);
    wait_until("the hub is up", PATIENCE, || hub_state(&server) == "up");
    spoke.stop();
    wait_until("the host is down, and why is told", PATIENCE, || {
        let host = glance(&server);
        host["state"] == "down"
            && host["error"].as_str().is_some_and(|error| error.contains("refused"))
    });
    wait_until("it reaches fewer than its devices", PATIENCE, || hub_state(&server) == "late");
    spoke.start();
    wait_until("it is up again", PATIENCE, || glance(&server)["state"] == "up");
    wait_until("and so is the hub", PATIENCE, || hub_state(&server) == "up");
    hub.daemon.stop();
    wait_until("a hub that is silent is down", PATIENCE, || hub_state(&server) == "down");
    assert!(!server.log().contains("not taken"), "{}", server.log());
    drop(spoke);
}

#[test]
fn a_hub_in_auto_mode_posts_batches_and_nothing_is_missing_after_an_outage() {
    let server = Server::start("batches");
    let spokes = ["alpha", "beta", "gamma", "delta"].map(StandInSpoke::start);
    let since_ms = now_ms();
    let hub = hub(spokes.iter().map(StandInSpoke::device).collect(), &server);
    hub.daemon.start();
    let stored =
        |count: usize| spokes.iter().all(|spoke| sequence(&server, spoke, since_ms).len() >= count);
    wait_until("two cycles are stored", PATIENCE, || stored(2));
    // One merged post an interval, not one for each device: once the server has said what
    // it is. The first that is posted then may have been polled before.
    wait_until("no more than one waits", PATIENCE, || hub.spooled() <= 1);
    let cycles = || hub.log().matches(" of 4 devices in ").count() as u64;
    let (posts_before, cycles_before) = (posts(&server), cycles());
    wait_until("three more cycles", PATIENCE, || cycles() >= cycles_before + 3);
    let posts = posts(&server) - posts_before;
    let cycles = cycles() - cycles_before;
    assert!(posts <= cycles + 2, "{posts} posts in {cycles} cycles");

    // The server is away for two polls; what it missed comes out of the spool.
    server.daemon.stop();
    let before = spokes[0].answered().len();
    wait_until("polls go on", PATIENCE, || spokes[0].answered().len() >= before + 2);
    server.daemon.start();
    // The pause before the next post may have become long.
    wait_until("it has caught up", 3 * PATIENCE, || stored(before + 3));
    wait_until("all is posted", PATIENCE, || hub.spooled() <= 1);
    hub.daemon.stop();
    // What the hub had in hand at its stop is in the spool, so all but the last.
    for spoke in &spokes {
        let stored = sequence(&server, spoke, since_ms);
        let answered = spoke.answered();
        assert!(answered.starts_with(&stored), "{stored:?} of {answered:?}");
        assert!(answered.len() - stored.len() <= 2, "{stored:?} of {answered:?}");
    }
    assert!(!server.log().contains("not taken"), "{}", server.log());
    drop(hub.folder);
}
