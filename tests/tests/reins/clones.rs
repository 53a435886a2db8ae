//! Machines that share an agent id are found and named by the server.

use pattoo_common::datapoint::{DataPoint, DataType};
use pattoo_common::document::{Batch, Document, DocumentWriter, Series, Target};
use pattoo_tests::{
    Daemon, Folder, HubOptions, PATIENCE, Server, SpokeOptions, binary, free_port, wait_until,
    write_hub_config, write_spoke_config,
};
use serde_json::{Value, json};

const SPOKE: &str = "pattoo_agent_linux_spoked";
const HUB: &str = "pattoo_agent_linux_hubd";

fn duplicates(server: &Server) -> Value {
    let data = server.query("{ duplicateAgents { agentId program targets since } }");
    let mut found = data["duplicateAgents"].clone();
    for one in found.as_array_mut().unwrap() {
        let since = one.as_object_mut().unwrap().remove("since").unwrap();
        assert!(since.as_str().unwrap().parse::<u64>().unwrap() > 1_600_000_000_000);
    }
    found
}

fn counted(server: &Server) -> String {
    let metrics = server.get("/metrics").text();
    let line = metrics.lines().find(|line| line.starts_with("pattood_duplicate_agents "));
    line.unwrap().rsplit(' ').next().unwrap().to_owned()
}

/// The poll of a machine that was booted then.
fn poll(agent_id: &str, target: &str, program: &'static str, boot: u64, at_ms: u64) -> Vec<u8> {
    let mut series = Series::new(Target {
        agent_id: agent_id.to_owned(),
        program,
        agent_hostname: target.to_owned(),
        polled_target: target.to_owned(),
        metadata: vec![("hostname", target.to_owned())],
    });
    let mut writer = DocumentWriter::new(&mut series, 1_000);
    writer.push(&DataPoint::new("boot_time", DataType::Gauge, boot), at_ms);
    writer.push(&DataPoint::new("load", DataType::Gauge, 1_u64), at_ms);
    writer.finish(at_ms)
}

fn merged(polls: &[Vec<u8>]) -> Vec<u8> {
    let mut batch = Batch::new();
    for poll in polls {
        batch.add(&Document::parse(poll).unwrap()).unwrap();
    }
    batch.finish(&"b".repeat(64), pattoo_common::wall_clock::now_ms(), 1_000)
}

#[test]
fn cloned_spokes_are_named_once_and_mended_ones_forgotten() {
    let server = Server::start("cloned-spokes");
    let start_ms = pattoo_common::wall_clock::now_ms() - 3_600_000;
    let id = "c".repeat(64);
    let post = |round: u64, machines: &[(&str, &str, u64)]| {
        let at_ms = start_ms + round * 1_000;
        let polls: Vec<_> = (0..)
            .zip(machines)
            .map(|(place, (id, target, boot))| poll(id, target, SPOKE, *boot, at_ms + place))
            .collect();
        assert_eq!(server.post(&merged(&polls)).status, 200);
    };
    // Two clones that were renamed, and two that were not.
    let twins = "d".repeat(64);
    let four = [
        (&*id, "web1", 1_000_000),
        (&*id, "web2", 2_000_000),
        (&*twins, "image", 3_000_000),
        (&*twins, "image", 4_000_000),
    ];
    for round in 0..3 {
        post(round, &four);
    }
    let wanted = json!([
        { "agentId": id, "program": SPOKE, "targets": ["web1", "web2"] },
        { "agentId": twins, "program": SPOKE, "targets": ["image"] },
    ]);
    assert_eq!((duplicates(&server), &*counted(&server)), (wanted, "2"));
    for round in 3..10 {
        post(round, &four);
    }
    let log = server.log();
    assert_eq!(log.matches("of more than one machine").count(), 2, "{log}");
    assert!(log.contains("\"web1\", \"web2\"") && log.contains("several named \"image\""), "{log}");
    // All but one of each got an id of their own.
    for round in 10..20 {
        post(round, &[four[0], (&"e".repeat(64), "web2", 2_000_000), four[3]]);
    }
    assert_eq!((duplicates(&server), &*counted(&server)), (json!([]), "0"));
    assert_eq!(server.log().matches("of one machine again").count(), 2);
}

#[test]
fn renamed_moved_rebooted_and_doubly_polled_machines_are_not_accused() {
    let server = Server::start("no-clones");
    let start_ms = pattoo_common::wall_clock::now_ms() - 3_600_000;
    let id = "a".repeat(64);
    for round in 0..40 {
        let at_ms = start_ms + round * 1_000;
        // It is renamed halfway, and is booted anew with every fifth poll.
        let target = if round < 20 { "old" } else { "new" };
        let boot = 1_000_000 + round / 5 * 500;
        let once = poll(&id, target, SPOKE, boot, at_ms);
        // Another hub polls it too; what that has comes late, and twice.
        let again = poll(&id, target, SPOKE, boot, at_ms + 400);
        // One agent asks many others: it has many targets by right.
        let asked = ["one", "two", "three"].map(|target| {
            poll(&"f".repeat(64), target, "pattoo_agent_snmpd", 5_000_000 - round, at_ms)
        });
        assert_eq!(server.post(&merged(&[&[once][..], &asked].concat())).status, 200);
        if round % 4 == 3 {
            assert_eq!(server.post(&again).status, 200);
            let target = if round < 23 { "old" } else { "new" };
            let boot = 1_000_000 + (round - 3) / 5 * 500;
            let late = poll(&id, target, SPOKE, boot, at_ms - 3_000 + 400);
            assert_eq!(server.post(&late).status, 200);
            assert_eq!(server.post(&late).status, 200);
        }
    }
    assert_eq!((duplicates(&server), &*counted(&server)), (json!([]), "0"));
    assert!(!server.log().contains("more than one machine"), "{}", server.log());
}

/// A real hub with a copied agent id.
fn hub(host: &str, id: &str, spoke_port: u16, server: &Server) -> (Daemon, Folder) {
    let folder = Folder::new("cloned-hub");
    let options = HubOptions {
        devices: vec![("127.0.0.1".to_owned(), spoke_port)],
        interval_seconds: 1,
        server_port: server.agent_port,
        more: format!("hostname: {host}\nspool_min_free_bytes: 0\n"),
    };
    let configuration = write_hub_config(&folder, &options);
    folder.write(format!("state/agent_id/{host}.{HUB}.agent_id"), id);
    let pid_file = folder.join(format!("run/pid/{HUB}.pid"));
    let daemon = Daemon::new(binary(HUB), &configuration, pid_file);
    daemon.start();
    (daemon, folder)
}

#[test]
fn two_real_hubs_with_one_id_and_one_name_are_named_and_their_spoke_is_not() {
    let server = Server::start("two-hubs");
    let folder = Folder::new("spoke-of-two");
    let port = free_port();
    let options = SpokeOptions { port, fixture: None, more: String::new() };
    let configuration = write_spoke_config(&folder, &options);
    let pid_file = folder.join(format!("run/pid/{SPOKE}.pid"));
    let spoke = Daemon::new(binary(SPOKE), &configuration, pid_file);
    spoke.start();
    let id = "1".repeat(64);
    let first = hub("hub.example.net", &id, port, &server);
    // Restarted again and again it is still one.
    for _ in 0..3 {
        assert_eq!(first.0.run(&["--restart"]).code, 0);
    }
    let _second = hub("hub.example.net", &id, port, &server);
    wait_until("both are named", PATIENCE, || duplicates(&server) != json!([]));
    let wanted = json!([{ "agentId": id, "program": HUB, "targets": ["hub.example.net"] }]);
    assert_eq!((duplicates(&server), &*counted(&server)), (wanted, "1"));
    let log = server.log();
    assert!(log.contains("several named \"hub.example.net\""), "{log}");
}
