//! Who is not in `allow_from` is told so, and nothing else.

use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;

use pattoo_tests::loopback::connect_from;
use pattoo_tests::{PATIENCE, Server, http_get};

use crate::door::{Growth, Spoke, agents, assert_back_at_rest, at_rest, web};

const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// All that comes back when `source` asks for a path.
fn ask_from(source: Ipv4Addr, port: u16, path: &str) -> String {
    let mut client = connect_from(source, port, PATIENCE).unwrap();
    client.write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

fn assert_refused(port: u16, path: &str) {
    let answer = ask_from(STRANGER, port, path);
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
    assert!(answer.ends_with(r#"{"error":"this address is not in allow_from"}"#), "{answer}");
}

#[test]
fn a_spoke_lets_in_whom_it_is_told_to() {
    let spoke = Spoke::new("allow_from: [127.0.0.1, \"2001:db8::/32\"]\n");
    spoke.daemon.start();
    let path = spoke.target().get;
    assert_eq!(http_get(spoke.port, &path).unwrap().status, 200);
    assert_refused(spoke.port, &path);
    assert_eq!(http_get(spoke.port, &path).unwrap().status, 200);
    spoke.daemon.stop();
    let log = spoke.log();
    assert!(log.contains("not in allow_from: 127.0.0.2:"), "{log}");
}

/// A thousand strangers cost a line in the log and leave nothing behind.
#[test]
fn strangers_are_told_of_once() {
    let spoke = Spoke::new("allow_from: 127.0.0.1\n");
    let process = spoke.daemon.start();
    let before = at_rest(process, &[spoke.target()]);
    for _ in 0..1_000 {
        drop(connect_from(STRANGER, spoke.port, PATIENCE).unwrap());
    }
    assert_eq!(http_get(spoke.port, "/").unwrap().status, 200);
    assert_back_at_rest(process, before, Growth::SPOKE);
    let log = spoke.log();
    assert_eq!(log.matches("not in allow_from").count(), 1, "{log}");
}

#[test]
fn each_port_of_the_server_has_a_list_of_its_own() {
    let server = Server::new("front-door", "");
    let file = server.join("etc/pattoo_server.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replacen("pattoo_apid:", "  allow_from: 127.0.0.0/31\npattoo_apid:", 1);
    std::fs::write(&file, text).unwrap();
    server.daemon.start();
    let (agents, web) = (agents(&server), web(&server));
    assert_eq!(http_get(agents.port, &agents.get).unwrap().status, 200);
    assert_refused(agents.port, &agents.get);
    assert!(ask_from(STRANGER, web.port, &web.get).starts_with("HTTP/1.1 200 "));
    server.daemon.stop();
}

#[test]
fn what_is_no_network_is_told_with_file_and_line() {
    let spoke = Spoke::new("allow_from:\n  - 127.0.0.1\n  - 192.0.2.7/24\n");
    let checked = spoke.daemon.run(&["--check"]);
    assert_eq!(checked.code, 2, "{checked:?}");
    let told = checked.stderr;
    let place = "pattoo_agent_linux_spoked.yaml:5: allow_from[1]: ";
    assert!(told.contains(place) && told.contains("192.0.2.0/24 is the network"), "{told}");
}
