//! `OPTIONS *` asks what a port as a whole is good for.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};

use pattoo_tests::{PATIENCE, Server};

use crate::door::Spoke;

fn allowed(port: u16) -> String {
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.write_all(b"OPTIONS * HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let allow = answer.lines().find_map(|line| line.strip_prefix("Allow: "));
    allow.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[test]
fn each_port_says_what_it_takes() {
    let spoke = Spoke::new("");
    spoke.daemon.start();
    assert_eq!(allowed(spoke.port), "GET, HEAD, OPTIONS");
    spoke.daemon.stop();
    let server = Server::start("front-door");
    assert_eq!(allowed(server.agent_port), "GET, HEAD, POST, OPTIONS");
    assert_eq!(allowed(server.web_port), "GET, HEAD, POST, OPTIONS");
    server.daemon.stop();
}
