//! What is on disk outlives the hub.

use pattoo_tests::{is_alive, send_signal};

use super::*;

#[test]
fn what_was_spooled_survives_a_kill() {
    let spoke = StandInSpoke::start("web1");
    let mut server = Receiver::start("pattood/1");
    let hub = install("spool-kill", vec![spoke.device()], &server, "");
    server.stop_listening();
    let process = hub.daemon.start();
    polls(&spoke, 3);
    wait_until("they are spooled", PATIENCE, || Installation::batches(&hub.spool()) >= 3);
    assert!(send_signal(process, libc::SIGKILL));
    wait_until("it is dead", PATIENCE, || !is_alive(process));
    let spooled = spoke.answered().len().min(3);

    // What a stop in the middle of a write leaves, what the original hub leaves,
    // and what a broken disk leaves.
    let (spool, id) = {
        let spool = hub.spool();
        let id = spool.file_name().unwrap().to_str().unwrap().to_owned();
        (spool, id)
    };
    fs::write(spool.join(format!("1_{id}_99_00000000.json.tmp")), "{\"half").unwrap();
    fs::write(spool.join(format!("1795394957648_{id}.json")), "{\"torn").unwrap();
    fs::write(spool.join(format!("1795394957649_{id}_98_00000000.json")), "{}").unwrap();

    server.listen_again();
    hub.daemon.start();
    polls(&spoke, 2);
    let values = || server.values("web1", "sequence");
    let answered = spoke.answered().len().to_string();
    wait_until("the server has the last", PATIENCE, || values().contains(&answered));
    let values = values();
    let numbers: Vec<u64> = values.iter().map(|value| value.parse().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert_eq!(numbers[..spooled], (1..=spooled as u64).collect::<Vec<_>>());
    assert!(!spool.join(format!("1_{id}_99_00000000.json.tmp")).exists());
    assert_eq!(Installation::batches(&spool.join("bad")), 2, "{}", hub.log());
}

#[test]
fn on_failure_writes_only_while_the_server_is_away() {
    let spoke = StandInSpoke::start("web1");
    let mut server = Receiver::start("pattood/1");
    let hub = install("spool-on-failure", vec![spoke.device()], &server, "spool: on_failure\n");
    hub.daemon.start();
    polls(&spoke, 2);
    expect_everything(&server, &spoke);
    server.stop_listening();
    polls(&spoke, 3);
    wait_until("they are spooled", PATIENCE, || Installation::batches(&hub.spool()) >= 3);
    server.listen_again();
    expect_everything(&server, &spoke);
    wait_until("the spool is empty", PATIENCE, || Installation::batches(&hub.spool()) == 0);
}

#[test]
fn a_spool_that_cannot_be_written_stops_nothing() {
    let spoke = StandInSpoke::start("web1");
    let server = Receiver::start("pattood/1");
    let hub = install("spool-broken", vec![spoke.device()], &server, "");
    hub.folder.write("cache", "a file where the folder should be");
    hub.daemon.start();
    polls(&spoke, 3);
    expect_everything(&server, &spoke);
    assert_eq!(hub.log_lines(&["kept in memory"]), 1, "{}", hub.log());
    fs::remove_file(hub.folder.join("cache")).unwrap();
    wait_until("it is well again", PATIENCE, || hub.log_lines(&["is well again"]) == 1);
    expect_everything(&server, &spoke);
}
