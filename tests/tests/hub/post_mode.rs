//! `post_mode: auto`: what our own server gets, and what one of the original
//! survives.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;

use pattoo_tests::{
    Folder, HubOptions, Mood, PATIENCE, Receiver, StandInSpoke, Taken, send_signal, wait_until,
};

use crate::hub::{HOST, Hub, ID, OURS, expect_all, numbers, numbers_of, of_hub, wait_for_number};

/// The `Server` header of the original.
const ORIGINAL: &str = "gunicorn/20.0.4";

/// Polls these every second, and finds out itself what the server is.
fn every_second(devices: &[&StandInSpoke], server: &Receiver) -> HubOptions {
    HubOptions { more: String::new(), ..crate::hub::every_second(devices, server) }
}

/// Whether a merged batch holds a number of each of two spokes.
fn has_both(numbers: &[u64]) -> bool {
    numbers.len() == 2
}

#[test]
fn an_original_server_gets_each_document_unchanged_and_oldest_first() {
    let spokes = [StandInSpoke::start("web1"), StandInSpoke::start("web2")];
    let mut server = Receiver::start(ORIGINAL);
    let hub = Hub::install("gunicorn", every_second(&[&spokes[0], &spokes[1]], &server));
    hub.daemon.start();
    wait_for_number(&server, &spokes[1], 1);
    server.stop_listening();
    let held_up = spokes[0].answered().len() as u64 + 2;
    wait_until("some are on disk", PATIENCE, || hub.spooled_numbers().contains(&held_up));
    server.listen_again();
    for spoke in &spokes {
        wait_for_number(&server, spoke, held_up + 1);
    }
    hub.daemon.stop();

    for spoke in &spokes {
        expect_all(&numbers(&server, spoke));
    }
    for post in server.posts() {
        assert_eq!(post.path, format!("/pattoo/api/v1/agent/receive/{ID}"));
        let mut targets: Vec<&str> = post.samples.iter().map(|s| s.target.as_str()).collect();
        targets.dedup();
        assert_eq!(targets.len(), 1, "one document a post: {targets:?}");
        if let Some(spoke) = spokes.iter().find(|spoke| spoke.name() == targets[0]) {
            let number = usize::try_from(numbers_of(&post.body)[0]).unwrap();
            assert_eq!(post.body, spoke.documents()[number - 1]);
        } else {
            assert_eq!((targets[0], post.agent_id.as_str()), (HOST, ID));
        }
    }
}

#[test]
fn our_server_gets_one_merged_batch() {
    let spokes = [StandInSpoke::start("web1"), StandInSpoke::start("web2")];
    let server = Receiver::start(OURS);
    let hub = Hub::install("pattood", every_second(&[&spokes[0], &spokes[1]], &server));
    hub.daemon.start();
    wait_until("three merged batches are taken", PATIENCE, || {
        server.posts().iter().filter(|post| has_both(&numbers_of(&post.body))).count() >= 3
    });
    hub.daemon.stop();
    // What was polled before the server had said what it is may come in parts.
    let posts = server.posts();
    let first = posts.iter().position(|post| has_both(&numbers_of(&post.body))).unwrap();
    for post in &posts[first..] {
        assert_eq!(post.agent_id, ID);
        assert_eq!(of_hub(post, "hub_cycle_duration").len(), 1);
        for spoke in &spokes {
            let is_number = |s: &&Taken| s.target == spoke.name() && s.key == "sequence";
            let wanted = usize::from(!post.was_late(("127.0.0.1", spoke.port())));
            let numbers = post.samples.iter().filter(is_number).count();
            assert_eq!(numbers, wanted, "each once, unless it was late: {post:?}");
        }
    }
    for spoke in &spokes {
        expect_all(&numbers(&server, spoke));
    }
}

#[test]
fn an_original_server_in_the_place_of_ours_gets_no_merged_batch() {
    let spokes = [StandInSpoke::start("web1"), StandInSpoke::start("web2")];
    let mut server = Receiver::start(OURS);
    let hub = Hub::install("swapped", every_second(&[&spokes[0], &spokes[1]], &server));
    hub.daemon.start();
    wait_for_number(&server, &spokes[0], 1);
    server.stop_listening();
    wait_until("merged batches are on disk", PATIENCE, || {
        hub.spooled_batches().iter().filter(|numbers| has_both(numbers)).count() >= 2
    });
    let last = *hub.spooled_numbers().last().unwrap();

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, server.port())).unwrap();
    let original = Receiver::on(listener, ORIGINAL);
    for spoke in &spokes {
        wait_for_number(&original, spoke, last + 1);
    }
    hub.daemon.stop();
    for post in original.posts() {
        let target = &post.samples[0].target;
        assert!(post.samples.iter().all(|sample| sample.target == *target), "{post:?}");
    }
    for spoke in &spokes {
        let mut posted = numbers(&server, spoke);
        posted.extend(numbers(&original, spoke));
        expect_all(&posted);
    }
}

/// With a secret the server must be ours, and is not asked what it is. Without it any
/// longer, it may be another.
#[test]
fn once_its_secret_is_taken_out_a_hub_asks_what_the_server_is() {
    let spokes = [StandInSpoke::start("web1"), StandInSpoke::start("web2")];
    let server = Receiver::start(ORIGINAL);
    server.set_mood(Mood::Answers(503));
    let place = Folder::new("post-secret");
    let secret = place.write("secret", "one 00112233445566778899\n");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let mut options = every_second(&[&spokes[0], &spokes[1]], &server);
    options.more = format!("post_secret_file: {}\n", secret.display());
    let hub = Hub::install("secret-out", options);
    hub.daemon.start();
    wait_until("merged batches are on disk", PATIENCE, || {
        hub.spooled_batches().iter().filter(|numbers| has_both(numbers)).count() >= 2
    });

    let file = hub.folder.join("etc/pattoo_agent_linux_hubd.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("post_secret_file:", "# none:")).unwrap();
    assert!(send_signal(hub.daemon.pid(), libc::SIGHUP));
    wait_until("it is told", PATIENCE, || hub.log().contains("SIGHUP: post_secret_file: "));
    // One may be on its way as it was. The pauses between them grow.
    let before = server.requests();
    wait_until("the next are posted", 4 * PATIENCE, || server.requests() >= before + 3);
    let last = *hub.spooled_numbers().last().unwrap();
    server.set_mood(Mood::Well);
    for spoke in &spokes {
        wait_for_number(&server, spoke, last + 1);
    }
    hub.daemon.stop();
    for post in server.posts() {
        let target = &post.samples[0].target;
        assert!(post.samples.iter().all(|sample| sample.target == *target), "{target}");
    }
    for spoke in &spokes {
        expect_all(&numbers(&server, spoke));
    }
}
