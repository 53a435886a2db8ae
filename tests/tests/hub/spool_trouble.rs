//! A disk that is to be spared, and one that cannot be written.

use std::fs;

use pattoo_tests::{PATIENCE, Receiver, StandInSpoke, is_stopped, send_signal, wait_until};

use crate::hub::{Hub, OURS, every_second, expect_all, files, numbers, wait_for_number};

#[test]
fn on_failure_writes_only_while_the_server_is_away() {
    let spoke = StandInSpoke::start("web1");
    let mut server = Receiver::start(OURS);
    let mut options = every_second(&[&spoke], &server);
    options.more += "spool: on_failure\n";
    let hub = Hub::install("on-failure", options);
    hub.daemon.start();
    wait_for_number(&server, &spoke, 2);
    // Nothing ever was in it: a file that comes and goes changes its folder.
    let changed = || fs::metadata(hub.spool_folder()).unwrap().modified().unwrap();
    let before = changed();
    wait_for_number(&server, &spoke, 3);
    assert_eq!(changed(), before);

    server.stop_listening();
    wait_until("some are on disk", PATIENCE, || hub.spool().len() >= 3);
    hub.expect_whole_batches();
    server.listen_again();
    wait_for_number(&server, &spoke, spoke.answered().len() as u64 + 1);
    wait_until("the spool is empty", PATIENCE, || files(&hub.spool_folder()).is_empty());
    hub.daemon.stop();
    expect_all(&numbers(&server, &spoke));
}

#[test]
fn a_spool_that_cannot_be_written_stops_nothing() {
    let spoke = StandInSpoke::start("web1");
    let server = Receiver::start(OURS);
    let hub = Hub::install("broken", every_second(&[&spoke], &server));
    let in_the_way = hub.folder.write("cache", "a file where the folder should be");
    hub.daemon.start();
    wait_for_number(&server, &spoke, 3);
    assert_eq!(hub.log().matches("kept in memory").count(), 1, "{}", hub.log());
    fs::remove_file(in_the_way).unwrap();
    wait_until("it is well again", PATIENCE, || hub.log().contains("is well again"));
    wait_for_number(&server, &spoke, spoke.answered().len() as u64 + 1);
    hub.daemon.stop();
    expect_all(&numbers(&server, &spoke));
}

#[test]
fn a_spool_that_breaks_while_batches_come_is_told_once() {
    let spoke = StandInSpoke::start("web1");
    let server = Receiver::start(OURS);
    let hub = Hub::install("told-once", every_second(&[&spoke], &server));
    let process = hub.daemon.start();
    wait_for_number(&server, &spoke, 1);
    // In between it would make its folder anew.
    let at_once = |change: &dyn Fn()| {
        assert!(send_signal(process, libc::SIGSTOP));
        wait_until("it stands still", PATIENCE, || is_stopped(process));
        change();
        assert!(send_signal(process, libc::SIGCONT));
    };
    // Each batch now fails under a name of its own.
    let away = hub.folder.join("away");
    at_once(&|| {
        fs::rename(hub.spool_folder(), &away).unwrap();
        fs::write(hub.spool_folder(), "a file where the folder was").unwrap();
    });
    let next = spoke.answered().len() as u64 + 1;
    wait_for_number(&server, &spoke, next + 2);
    assert_eq!(hub.log().matches("kept in memory").count(), 1, "{}", hub.log());
    at_once(&|| {
        fs::remove_file(hub.spool_folder()).unwrap();
        fs::rename(&away, hub.spool_folder()).unwrap();
    });
    wait_until("it is well again", PATIENCE, || hub.log().contains("is well again"));
    wait_for_number(&server, &spoke, spoke.answered().len() as u64 + 1);
    hub.daemon.stop();
    expect_all(&numbers(&server, &spoke));
}
