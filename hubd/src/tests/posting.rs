//! Servers that misbehave: nothing is lost, doubled or out of order, and nothing
//! bad blocks what is good.

use std::sync::Arc;

use super::stand_in::{Act, Receiver, nobody};
use super::*;
use crate::outbox::Outbox;
use crate::post::Poster;
use crate::post_form::{Form, PostForm};
use crate::pulse::Pulse;
use crate::reach::Reach;
use crate::stop::Stop;
use crate::test_folder::TestFolder;
use pattoo_common::resolver::Resolver;
use pattoo_common::signature::LiveSecrets;
use pattoo_common::spool::{Spool, SpoolLimits};

const OURS: &str = "pattood/0.1.0";
const ORIGINAL: &str = "gunicorn/20.0.4";
/// The time of one request where every request is answered: more than enough.
const ANSWERED: Duration = Duration::from_secs(30);
/// Where one is left hanging, which the test waits for; enough for all others.
const HANGS: Duration = Duration::from_secs(5);
const NOW_MS: u64 = 1_795_394_957_648;

fn outbox(folder: &TestFolder, mode: SpoolMode) -> Outbox {
    let limits = SpoolLimits { min_free_bytes: Some(0), ..SpoolLimits::default() };
    Outbox::new(Spool::new(folder.path(), HUB_ID, limits), mode)
}

/// Runs a poster to `server`, whose requests may each take `timeout`, while `test` runs.
fn posting(
    server: &Address,
    mode: PostMode,
    timeout: Duration,
    outbox: &Outbox,
    test: impl FnOnce(&PostForm),
) {
    let (resolver, form, stop) =
        (Resolver::new(), PostForm::new(mode, Arc::default()), Stop::default());
    let (secrets, pulse) = (LiveSecrets::default(), Pulse::default());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            Poster::new(Reach { resolver: &resolver }, server, HUB_ID, &form, &secrets, &pulse)
                .hurried(timeout, Duration::from_millis(2))
                .run(outbox, &stop);
        });
        // Also where the test fails: the scope waits for the poster.
        let _end = End { stop: &stop, outbox };
        test(&form);
    });
}

/// Ends a poster.
struct End<'t> {
    stop: &'t Stop,
    outbox: &'t Outbox,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.stop.say();
        self.outbox.close(Duration::from_secs(1));
    }
}

/// Waits until nothing is left to be posted.
fn wait_empty(outbox: &Outbox) {
    let patience = std::time::Instant::now() + Duration::from_secs(30);
    while outbox.stats().batches > 0 {
        assert!(std::time::Instant::now() < patience, "{:?}", outbox.stats());
        std::thread::yield_now();
    }
}

fn numbers(bodies: &[Vec<u8>]) -> Vec<String> {
    bodies.iter().flat_map(|body| told(body)).collect()
}

fn wanted(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("a Integer({number})")).collect()
}

#[test]
fn every_kind_of_failure_is_tried_again_in_order() {
    for mode in [SpoolMode::Always, SpoolMode::OnFailure] {
        let folder = TestFolder::new();
        let outbox = outbox(&folder, mode);
        let receiver = Receiver::start(OURS, |post, _| match post {
            0 => Act::Status(500),
            1 => Act::Close,
            2 => Act::Status(401),
            3 => Act::Hang,
            5 => Act::Status(403),
            6 => Act::Status(404),
            7 => Act::Status(302),
            8 => Act::Status(204),
            9 => Act::Status(503),
            _ => Act::Status(200),
        });
        posting(&receiver.address, PostMode::Auto, HANGS, &outbox, |_| {
            for number in 0..6 {
                outbox.deliver(&[merged(&[document("a", number)])], NOW_MS + number / 2);
            }
            assert_eq!(numbers(&receiver.taken(6)), wanted(0..6), "{mode:?}");
            wait_empty(&outbox);
        });
        assert_eq!((receiver.posts(), outbox.stats().dropped_batches), (15, 0));
    }
}

#[test]
fn a_batch_that_is_refused_never_blocks_those_behind() {
    for status in [400, 413, 415, 422] {
        let folder = TestFolder::new();
        let outbox = outbox(&folder, SpoolMode::Always);
        let receiver = Receiver::start(OURS, move |_, body| {
            let bad = told(body) == ["a Integer(1)"];
            Act::Status(if bad { status } else { 200 })
        });
        for number in 0..3 {
            outbox.deliver(&[document("a", number)], NOW_MS + number);
        }
        posting(&receiver.address, PostMode::Batch, ANSWERED, &outbox, |_| {
            assert_eq!(numbers(&receiver.taken(2)), wanted([0, 2]));
            wait_empty(&outbox);
        });
        assert_eq!((receiver.posts(), outbox.stats().set_aside), (3, 1));
        let bad = folder.path().join(HUB_ID).join("bad");
        assert_eq!(std::fs::read_dir(bad).unwrap().count(), 1);
    }
}

#[test]
fn a_server_that_is_away_gets_everything_when_it_is_back() {
    let folder = TestFolder::new();
    let away = nobody();
    let first = outbox(&folder, SpoolMode::Always);
    posting(&away, PostMode::Auto, ANSWERED, &first, |form| {
        form.wait_asked(Duration::from_secs(30));
        assert_eq!(form.for_cycle(), Form::Device, "it may be one of the original");
        for number in 0..3 {
            first.deliver(&[document("a", number)], NOW_MS);
        }
    });
    drop(first);
    // The hub is started anew, and so is the server.
    let receiver = Receiver::start(OURS, |_, _| Act::Status(200));
    let second = outbox(&folder, SpoolMode::Always);
    posting(&receiver.address, PostMode::Auto, ANSWERED, &second, |form| {
        second.deliver(&[document("a", 3)], NOW_MS);
        assert_eq!(numbers(&receiver.taken(4)), wanted(0..4));
        assert_eq!(form.for_cycle(), Form::Batch);
        wait_empty(&second);
    });
}

#[test]
fn an_original_server_gets_no_merged_batch_even_if_one_was_spooled() {
    let folder = TestFolder::new();
    let outbox = outbox(&folder, SpoolMode::Always);
    let documents = [document("a", 0), document("b", 1), document("a", 2), document("c", 3)];
    outbox.deliver(&[merged(&documents)], NOW_MS);
    outbox.deliver(&[document("d", 4)], NOW_MS + 1);
    let receiver =
        Receiver::start(ORIGINAL, |post, _| Act::Status(if post == 1 { 500 } else { 200 }));
    posting(&receiver.address, PostMode::Auto, ANSWERED, &outbox, |form| {
        let taken = receiver.taken(4);
        let each: Vec<_> = taken.iter().map(|body| told(body)).collect();
        assert_eq!(
            each,
            [
                vec!["a Integer(0)", "a Integer(2)"],
                vec!["b Integer(1)"],
                vec!["c Integer(3)"],
                vec!["d Integer(4)"]
            ]
        );
        assert_eq!(taken[3], document("d", 4), "a document of a device goes as it came");
        assert_eq!(form.for_cycle(), Form::Device);
        wait_empty(&outbox);
    });
    assert_eq!(receiver.posts(), 5, "what was taken of the batch is not sent again");
}

#[test]
fn a_merged_batch_is_not_sent_again_to_a_server_that_was_replaced() {
    let folder = TestFolder::new();
    let outbox = outbox(&folder, SpoolMode::Always);
    outbox.deliver(&[merged(&[document("a", 0), document("b", 1)])], NOW_MS);
    let receiver =
        Receiver::start(OURS, |post, _| if post == 0 { Act::Hang } else { Act::Status(200) });
    posting(&receiver.address, PostMode::Auto, HANGS, &outbox, |_| {
        // It has the batch and has not answered, so nobody knows whether it took it.
        receiver.wait_posts(1);
        receiver.replace(ORIGINAL);
        let taken = receiver.taken(2);
        let each: Vec<_> = taken.iter().map(|body| told(body)).collect();
        assert_eq!(each, [["a Integer(0)"], ["b Integer(1)"]]);
        wait_empty(&outbox);
    });
}

#[test]
fn a_part_that_is_refused_does_not_keep_the_others() {
    let folder = TestFolder::new();
    let outbox = outbox(&folder, SpoolMode::Always);
    outbox.deliver(&[merged(&[document("a", 0), document("b", 1), document("c", 2)])], NOW_MS);
    let receiver =
        Receiver::start(ORIGINAL, |post, _| Act::Status(if post == 1 { 400 } else { 200 }));
    posting(&receiver.address, PostMode::Device, ANSWERED, &outbox, |_| {
        assert_eq!(receiver.taken(2).len(), 2);
        wait_empty(&outbox);
    });
    assert_eq!((receiver.posts(), outbox.stats().set_aside), (3, 1));
}

#[test]
fn what_is_configured_is_not_asked_for() {
    let folder = TestFolder::new();
    let outbox = outbox(&folder, SpoolMode::Always);
    let batch = Arc::new(merged(&[document("a", 0), document("b", 1)]));
    let receiver = Receiver::start(ORIGINAL, |_, _| Act::Status(200));
    posting(&receiver.address, PostMode::Batch, ANSWERED, &outbox, |_| {
        outbox.deliver(&[&*batch], NOW_MS);
        assert_eq!(receiver.taken(1), [batch.to_vec()]);
    });
}
