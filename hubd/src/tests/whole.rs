//! The whole hub: polls go on whatever the server does, and a stop is a stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::stand_in::{Act, IPV4, Receiver, device, hang, http, serve, spoke};
use super::*;
use crate::hub::Hub;
use crate::once;
use crate::test_folder::TestFolder;

/// A spoke that counts its polls.
fn counting_spoke() -> Address {
    let polls = AtomicU64::new(0);
    device(serve(IPV4, move |_, stream| {
        use std::io::Write;
        let number = polls.fetch_add(1, Ordering::SeqCst);
        let _ = stream.write_all(&http(200, "", &document("a", number)));
    }))
}

#[test]
fn cycles_go_on_while_the_server_fails_and_none_is_missing() {
    let folder = TestFolder::new();
    let receiver = Receiver::start("pattood/1", |post, _| match post {
        0 => Act::Status(500),
        1 => Act::Close,
        _ => Act::Status(200),
    });
    let hanging = device(serve(IPV4, |_, stream| hang(stream)));
    let config = HubConfig {
        polling_interval: Duration::from_secs(5),
        // What hangs costs so long, and what answers may take so long.
        poll_timeout: Duration::from_secs(3),
        ..config(folder.path(), vec![counting_spoke(), hanging], &receiver.address)
    };
    let running = Arc::new(Hub::new(config, target(HUB_ID))).start().unwrap();
    let taken = receiver.taken(4);
    running.stop();
    let numbers: Vec<String> = taken.iter().flat_map(|body| told(body)).collect();
    assert_eq!(numbers[..4], ["a Integer(0)", "a Integer(1)", "a Integer(2)", "a Integer(3)"]);
    for body in &taken {
        let document = Document::parse(body).unwrap();
        let of = |key: &str| {
            let samples = document.samples().map(Result::unwrap);
            samples.filter(|sample| sample.key == key).count()
        };
        assert_eq!((of("hub_poll_up"), of("hub_poll_error"), of("hub_devices_up")), (2, 1, 1));
    }
}

#[test]
fn a_stop_does_not_wait_for_what_hangs() {
    let folder = TestFolder::new();
    let receiver = Receiver::start("pattood/1", |_, _| Act::Hang);
    let hanging = device(serve(IPV4, |_, stream| hang(stream)));
    let timeout = Duration::from_secs(30);
    let config = HubConfig {
        poll_timeout: timeout,
        ..config(folder.path(), vec![hanging], &receiver.address)
    };
    let running = Arc::new(Hub::new(config, target(HUB_ID))).start().unwrap();
    let start = Instant::now();
    running.stop();
    assert!(start.elapsed() < timeout);
}

#[test]
fn once_tells_a_person_what_came_of_it_and_leaves_the_spool_alone() {
    let folder = TestFolder::new();
    let receiver = Receiver::start("pattood/1", |_, _| Act::Status(200));
    let devices = vec![spoke(document("a", 1)), spoke(b"nonsense".to_vec())];
    let config = HubConfig {
        post_mode: PostMode::Auto,
        ..config(folder.path(), devices, &receiver.address)
    };
    let once = once::run(&Hub::new(config, target(HUB_ID)));
    let text = once.to_string();
    assert_eq!(once.failure(), None);
    assert!(text.contains("1 of 2 devices are up") && text.contains("no poll document"), "{text}");
    assert!(text.contains("in 1 posts to 127.0.0.1:"), "{text}");
    assert_eq!(told(&receiver.taken(1)[0]), ["a Integer(1)"]);
    assert!(!folder.path().join("cache").exists());
}

#[test]
fn once_says_when_the_server_is_away() {
    let folder = TestFolder::new();
    let config = HubConfig {
        post_mode: PostMode::Auto,
        ..config(folder.path(), vec![spoke(document("a", 1))], &super::stand_in::nobody())
    };
    let once = once::run(&Hub::new(config, target(HUB_ID)));
    let failure = once.failure().unwrap();
    assert!(failure.contains("did not take everything: cannot connect"), "{failure}");
}

#[test]
fn parts_of_a_large_cycle_are_posted_each() {
    let folder = TestFolder::new();
    let receiver = Receiver::start("pattood/1", |_, _| Act::Status(200));
    let devices = (0..20).map(|number| spoke(document(&format!("agent{number:02}"), number)));
    let config = HubConfig {
        max_batch_bytes: 4_000,
        ..config(folder.path(), devices.collect(), &receiver.address)
    };
    let running = Arc::new(Hub::new(config, target(HUB_ID))).start().unwrap();
    // The last part tells of the cycle; wait for everything.
    let mut count = 2;
    let all = loop {
        let taken = receiver.taken(count);
        let all: Vec<String> = taken.iter().flat_map(|body| told(body)).collect();
        if all.len() >= 20 {
            break all;
        }
        count += 1;
    };
    running.stop();
    let mut sorted = all.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((all.len(), sorted.len()), (20, 20));
}
