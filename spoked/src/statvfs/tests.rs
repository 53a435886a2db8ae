use std::collections::BTreeMap;
use std::ffi::CString;
use std::sync::mpsc::{Receiver, Sender, channel};

use pattoo_tests::{PATIENCE, again_after_stalls};

use super::*;

/// A test that waits for so long hangs, and is seen to.
const FOREVER: Duration = Duration::from_hours(24);

const SIZE: Size =
    Size { block_bytes: 4096, blocks: 100, free: 50, available: 40, read_only: false };

fn question(path: &str, remote: bool) -> Question {
    let path = Arc::from(CString::new(path).unwrap());
    Question { path, device: Arc::from("device"), remote, at_hand: false }
}

/// Threads whose calls return at once, but for paths that begin with `/hang`:
/// each of these returns when its name is sent.
fn threads_with_hangs() -> (StatvfsThreads, Receiver<String>, impl Fn(&str)) {
    let gates: Arc<Mutex<BTreeMap<String, Sender<()>>>> = Arc::default();
    let (entered, entries) = channel();
    let release = {
        let gates = Arc::clone(&gates);
        move |name: &str| drop(gates.lock().unwrap().remove(name))
    };
    let call = move |path: &CStr| {
        let name = path.to_string_lossy().into_owned();
        if name.starts_with("/hang") {
            let (gate, opened) = channel::<()>();
            gates.lock().unwrap().insert(name.clone(), gate);
            entered.send(name).ok();
            opened.recv().ok();
        }
        Outcome::Size(SIZE)
    };
    (StatvfsThreads::with_call(Box::new(call)), entries, release)
}

#[test]
fn asks_the_kernel() {
    again_after_stalls(|| {
        let threads = StatvfsThreads::new();
        let outcomes = threads.ask(&[question("/", false), question("/no/such/place", false)]);
        assert!(matches!(outcomes.first(), Some(Outcome::Size(size)) if size.blocks > 0));
        assert!(
            matches!(outcomes.get(1), Some(Outcome::Failed(reason)) if reason.contains("No such"))
        );
        assert!(threads.ask(&[]).is_empty());
    });
}

#[test]
fn what_is_at_hand_needs_no_thread_and_keeps_its_place() {
    again_after_stalls(|| {
        let (threads, _, release) = threads_with_hangs();
        let at_hand = |path: &str| Question { at_hand: true, ..question(path, false) };
        assert_eq!(threads.ask(&[at_hand("/"), at_hand("/home")]), vec![Outcome::Size(SIZE); 2]);
        assert_eq!(threads.shared.lock().threads, 0);
        let questions =
            [question("/hang", true), at_hand("/"), question("/x", false), at_hand("/y")];
        let size = Outcome::Size(SIZE);
        assert_eq!(threads.ask(&questions), [Outcome::Hangs, size.clone(), size.clone(), size]);
        release("/hang");
    });
}

#[test]
fn one_thread_serves_many_mounts() {
    again_after_stalls(|| {
        let (threads, _, _) = threads_with_hangs();
        let questions: Vec<_> = (0..500).map(|n| question(&format!("/{n}"), n % 2 == 0)).collect();
        for _ in 0..20 {
            assert_eq!(threads.ask(&questions), vec![Outcome::Size(SIZE); 500]);
        }
    });
}

#[test]
fn a_mount_that_hangs_is_not_asked_again() {
    again_after_stalls(|| {
        let (threads, entries, _release) = threads_with_hangs();
        let questions = [question("/hang", true), question("/", false)];
        let expected = [Outcome::Hangs, Outcome::Size(SIZE)];
        assert_eq!(threads.ask(&questions), expected);
        assert_eq!(threads.ask(&questions), expected);
        assert_eq!(entries.try_iter().count(), 1, "asked once only");
        // Another device in its place is another mount.
        let mut other = question("/hang", true);
        other.device = Arc::from("other");
        assert_eq!(threads.ask(&[other]), [Outcome::Hangs]);
        assert_eq!(entries.try_iter().count(), 1);
    });
}

#[test]
fn what_comes_late_is_thrown_away() {
    again_after_stalls(|| {
        let (threads, entries, release) = threads_with_hangs();
        assert_eq!(threads.ask(&[question("/hang", false)]), [Outcome::Hangs]);
        assert_eq!(entries.recv_timeout(PATIENCE).unwrap(), "/hang");
        release("/hang");
        while !threads.shared.lock().under_way.is_empty() {
            thread::yield_now();
        }
        assert!(threads.shared.lock().outcomes.is_empty());
        // And then it is asked anew.
        assert_eq!(threads.ask(&[question("/hang", false)]), [Outcome::Hangs]);
        assert_eq!(entries.recv_timeout(PATIENCE).unwrap(), "/hang");
    });
}

#[test]
fn remote_mounts_leave_a_thread_to_local_ones() {
    again_after_stalls(|| {
        let (threads, entries, release) = threads_with_hangs();
        let mut questions: Vec<_> = (0..5).map(|n| question(&format!("/hang/{n}"), true)).collect();
        let outcomes = threads.ask(&questions);
        let hang = outcomes.iter().filter(|outcome| **outcome == Outcome::Hangs).count();
        assert_eq!((hang, entries.try_iter().count()), (REMOTE_THREADS, REMOTE_THREADS));
        assert_eq!(outcomes.last(), Some(&Outcome::NotAsked));

        questions.push(question("/", false));
        // What nobody can ask is not waited for.
        let outcomes = threads.ask_within(FOREVER, &questions);
        assert_eq!(outcomes.last(), Some(&Outcome::Size(SIZE)));
        assert_eq!(outcomes.get(4), Some(&Outcome::NotAsked));

        release("/hang/0");
        while threads.shared.lock().under_way.len() == REMOTE_THREADS {
            thread::yield_now();
        }
        let outcomes = threads.ask(&questions);
        assert_eq!(outcomes.get(1), Some(&Outcome::Hangs));
        // The thread that came free asks the first that is not hanging already.
        assert_eq!(entries.recv_timeout(PATIENCE).unwrap(), "/hang/0");
    });
}

#[test]
fn four_that_hang_hold_no_answer_up() {
    again_after_stalls(|| {
        let (threads, entries, _release) = threads_with_hangs();
        let questions: Vec<_> = (0..4).map(|n| question(&format!("/hang/{n}"), false)).collect();
        assert_eq!(threads.ask(&questions), vec![Outcome::Hangs; THREADS]);
        assert_eq!(entries.try_iter().count(), THREADS);
        assert_eq!(threads.ask_within(FOREVER, &[question("/", false)]), [Outcome::NotAsked]);
    });
}
