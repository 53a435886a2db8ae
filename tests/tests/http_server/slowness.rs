//! Clients that take their answers slowly or not at all, and handlers that hang.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::victim::{Reply, Victim, wait_until};

const BIG_BYTES: usize = 3 << 20;

fn ask(victim: &Victim, path: &str) -> TcpStream {
    let mut client = victim.connect();
    client.write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
    client
}

#[test]
fn an_answer_that_is_read_slowly_holds_no_worker() {
    let victim = Victim::start(&["spoke", "workers=1"]);
    let mut slow = ask(&victim, "/big");
    slow.read_exact(&mut [0; 1]).unwrap();
    victim.assert_serves();
    drop(slow);
    victim.assert_back_at_rest();
}

#[test]
fn big_answers_that_nobody_takes_are_bounded() {
    let victim = Victim::start(&["spoke"]);
    let greedy: Vec<TcpStream> = (0..40).map(|_| ask(&victim, "/big")).collect();
    victim.assert_serves();
    // Two are made at a time, each once by the handler and once for the wire, beside
    // the 4 MiB of the budget and the program itself; all at once were 120 MiB.
    assert!(victim.peak_memory_kib() < 32 << 10, "{} KiB", victim.peak_memory_kib());
    drop(greedy);
    victim.assert_back_at_rest();
}

#[test]
fn an_answer_that_is_not_taken_in_time_is_given_up() {
    let victim = Victim::start(&["spoke", "write_ms=300"]);
    let slow = ask(&victim, "/big");
    victim.assert_back_at_rest();
    drop(slow);
    victim.assert_serves();
}

#[test]
fn a_reader_that_takes_its_time_gets_the_whole_answer() {
    let victim = Victim::start(&["spoke"]);
    let mut slow = ask(&victim, "/big");
    let (mut part, mut total) = ([0; 4096], 0);
    loop {
        match slow.read(&mut part).unwrap() {
            0 => break,
            count => total += count,
        }
        std::thread::yield_now();
    }
    assert!(total > BIG_BYTES && total < BIG_BYTES + 1000, "{total}");
    victim.assert_back_at_rest();
}

#[test]
fn handlers_that_hang_are_answered_for_and_come_back() {
    let victim = Victim::start(&["spoke", "answer_ms=300", "workers=2"]);
    let stuck = [ask(&victim, "/wait?5000"), ask(&victim, "/wait?5000"), ask(&victim, "/")];
    for client in stuck {
        let reply = Reply::read(client);
        assert_eq!(reply.status, 503);
        assert_eq!(reply.error(), "the answer was not ready in time");
        assert!(reply.head.contains("Retry-After: 5"), "{}", reply.head);
    }
    wait_until("a worker to come back", || {
        let reply = Reply::read(ask(&victim, "/"));
        (reply.status != 200).then_some(reply.head)
    });
    victim.assert_back_at_rest();
}

#[test]
fn a_stop_does_not_wait_for_a_handler_that_hangs() {
    let mut victim = Victim::start(&["spoke", "workers=1"]);
    let client = ask(&victim, "/wait?3000");
    wait_until("the connection", || (victim.open_connections() == 0).then(String::new));
    victim.order_stop();
    assert_eq!(Reply::read(client).status, 0, "closed without an answer");
    victim.assert_stopped();
}
