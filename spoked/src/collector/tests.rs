use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsRawFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use pattoo_common::datapoint::DataType;
use pattoo_tests::{PATIENCE, again_after_stalls};

use super::*;
use crate::source::SourceError;

const POLL: Poll = Poll { client: IpAddr::V4(Ipv4Addr::LOCALHOST), interval_s: 300 };

/// Two datapoints of its name, and an outcome.
struct Made(&'static str, Result<(), SourceError>);

impl Source for Made {
    fn name(&self) -> &'static str {
        self.0
    }

    fn reads(&self) -> &'static str {
        "nothing"
    }

    fn read(&mut self, _: &Poll, out: &mut Vec<DataPoint>) -> Result<(), SourceError> {
        out.push(DataPoint::new(self.0, DataType::Gauge, 1_u64));
        out.push(DataPoint::new(self.0, DataType::Gauge, 2_u64));
        self.1.clone()
    }
}

/// Tells when it is read, and returns when told to.
struct Blocks {
    name: &'static str,
    entered: Sender<()>,
    release: Receiver<()>,
}

fn blocks(name: &'static str) -> (Blocks, Receiver<()>, Sender<()>) {
    let (entered, entries) = channel();
    let (go, release) = channel();
    (Blocks { name, entered, release }, entries, go)
}

impl Source for Blocks {
    fn name(&self) -> &'static str {
        self.name
    }

    fn reads(&self) -> &'static str {
        "nothing"
    }

    fn read(&mut self, _: &Poll, out: &mut Vec<DataPoint>) -> Result<(), SourceError> {
        self.entered.send(()).ok();
        self.release.recv().ok();
        out.push(DataPoint::new(self.name, DataType::Gauge, 3_u64));
        Ok(())
    }
}

fn fine(name: &'static str) -> Box<dyn Source> {
    Box::new(Made(name, Ok(())))
}

fn keys(collected: &Collected) -> Vec<&'static str> {
    collected.points.iter().map(|(_, point)| point.key).collect()
}

fn states(collected: &Collected) -> Vec<SourceState> {
    collected.sources.iter().map(|source| source.state.clone()).collect()
}

fn hangs(collected: &Collected) -> Vec<&'static str> {
    let hanging = |source: &&SourceReport| matches!(source.state, SourceState::Hangs(_));
    collected.sources.iter().filter(hanging).map(|source| source.name).collect()
}

#[test]
fn one_that_fails_takes_nothing_from_the_others() {
    again_after_stalls(|| {
        let absent = SourceError::Absent("no such device".to_owned());
        let failed = SourceError::Failed("/proc/x, line 2".to_owned());
        let collector = Collector::new(vec![
            fine("a"),
            Box::new(Made("b", Err(failed))),
            Box::new(Made("c", Err(absent))),
            fine("d"),
        ]);
        for _ in 0..3 {
            let collected = collector.collect(POLL).unwrap();
            assert_eq!(keys(&collected), ["a", "a", "b", "b", "c", "c", "d", "d"]);
            let expected = [
                SourceState::Ok,
                SourceState::Failed("/proc/x, line 2".to_owned()),
                SourceState::Absent("no such device".to_owned()),
                SourceState::Ok,
            ];
            assert_eq!(states(&collected), expected);
            assert!(collected.sources.iter().all(|source| source.datapoints == 2));
            let times: Vec<u64> = collected.points.iter().map(|(time, _)| *time).collect();
            assert!(times.is_sorted() && times.iter().all(|time| *time > 1_700_000_000_000));
        }
    });
}

#[test]
fn no_sources_make_an_empty_answer() {
    let collected = Collector::new(Vec::new()).collect(POLL).unwrap();
    assert!(collected.points.is_empty() && collected.sources.is_empty());
}

#[test]
fn one_that_hangs_is_left_out_until_it_returns() {
    again_after_stalls(|| {
        let (source, entries, go) = blocks("b");
        let collector = Collector::new(vec![fine("a"), Box::new(source), fine("c")]);
        let first = collector.collect(POLL).unwrap();
        assert_eq!(keys(&first), ["a", "a", "c", "c"], "those behind it are in the same answer");
        assert_eq!(hangs(&first), ["b"]);
        for _ in 0..3 {
            let collected = collector.collect(POLL).unwrap();
            assert_eq!(keys(&collected), ["a", "a", "c", "c"]);
            assert_eq!(states(&collected).get(1), states(&first).get(1), "since the same time");
        }
        assert_eq!(entries.try_iter().count(), 1, "it was read once only");

        // It comes back. What it brings is too late; it is read anew.
        go.send(()).unwrap();
        go.send(()).unwrap();
        while collector.shared.lock().at_home() < 3 {
            thread::yield_now();
        }
        let collected = collector.collect(POLL).unwrap();
        assert_eq!(keys(&collected), ["a", "a", "b", "c", "c"]);
        assert_eq!(states(&collected), vec![SourceState::Ok; 3]);
        assert_eq!(entries.try_iter().count(), 1);
    });
}

#[test]
fn one_that_is_slow_keeps_its_place() {
    again_after_stalls(|| {
        let (slow, entries, go) = blocks("b");
        let (last, last_entries, last_go) = blocks("d");
        let collector = Collector::new(vec![fine("a"), Box::new(slow), fine("c"), Box::new(last)]);
        thread::scope(|scope| {
            let poll = scope.spawn(|| collector.collect(POLL).unwrap());
            entries.recv_timeout(PATIENCE).unwrap();
            // Only another reader can get here while the first is held.
            last_entries.recv_timeout(PATIENCE).unwrap();
            go.send(()).unwrap();
            last_go.send(()).unwrap();
            let collected = poll.join().unwrap();
            assert_eq!(keys(&collected), ["a", "a", "b", "c", "c", "d"]);
            assert_eq!(hangs(&collected), [""; 0]);
        });
    });
}

#[test]
fn several_may_hang_at_once() {
    again_after_stalls(|| {
        let (first, _entries, first_go) = blocks("first");
        let (second, _entries, second_go) = blocks("second");
        let (third, _entries, third_go) = blocks("third");
        let collector = Collector::new(vec![
            Box::new(first),
            fine("a"),
            Box::new(second),
            fine("b"),
            Box::new(third),
        ]);
        let collected = collector.collect(POLL).unwrap();
        assert_eq!(keys(&collected), ["a", "a", "b", "b"]);
        assert_eq!(hangs(&collected), ["first", "second", "third"]);
        for go in [first_go, second_go, third_go] {
            go.send(()).unwrap();
            go.send(()).unwrap();
        }
        while collector.shared.lock().at_home() < 5 {
            thread::yield_now();
        }
        let collected = collector.collect(POLL).unwrap();
        assert_eq!(keys(&collected), ["first", "a", "a", "second", "b", "b", "third"]);
    });
}

#[test]
fn polls_that_come_at_once_take_turns() {
    again_after_stalls(|| {
        let collector = Collector::new(vec![fine("a"), fine("b")]);
        thread::scope(|scope| {
            let polls: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| (0..50).map(|_| collector.collect(POLL)).collect::<Vec<_>>())
                })
                .collect();
            for poll in polls {
                for collected in poll.join().unwrap() {
                    assert_eq!(keys(&collected.unwrap()), ["a", "a", "b", "b"]);
                }
            }
        });
    });
}

#[test]
fn a_poll_does_not_wait_for_ever_for_its_turn() {
    let collector = Collector::new(vec![fine("a")]);
    collector.shared.lock().open = true;
    assert_eq!(collector.collect(POLL), Err(Busy));
    assert_eq!(Busy.to_string(), "other polls have held the sources for 3 s");
    collector.shared.lock().open = false;
    assert!(collector.collect(POLL).is_ok());
}

#[test]
fn nobody_waits_for_one_that_hung_before() {
    let mut state = State::new(vec![fine("a"), fine("b")]);
    state.begin(POLL);
    let hung = state.take().unwrap();
    assert!(!state.is_complete());
    state.finish();
    assert_eq!(state.reader, 1, "the reader that hangs is no longer in charge");
    state.begin(POLL);
    let mut reading = state.take().unwrap();
    assert!(!state.is_complete());
    reading.read();
    state.give_back(1, reading);
    assert!(state.is_complete(), "with the first still away");
    // It comes back while nobody asks, and is read again by the next poll.
    assert_eq!(keys(&state.finish()), ["b", "b"]);
    state.give_back(0, hung);
    state.begin(POLL);
    assert!(!state.is_complete());
    for _ in 0..2 {
        let mut reading = state.take().unwrap();
        reading.read();
        state.give_back(1, reading);
    }
    assert_eq!(keys(&state.finish()), ["a", "a", "b", "b"]);
}

#[test]
fn each_change_of_state_is_said_once() {
    let mut state = State::new(vec![fine("a")]);
    let levels = |state: &mut State| {
        state.changes().into_iter().map(|change| (change.level, change.text)).collect::<Vec<_>>()
    };
    let info = log::Level::Info;
    assert_eq!(levels(&mut state), [(info, "source a absent: not read yet".to_owned())]);
    assert!(levels(&mut state).is_empty());
    state.begin(POLL);
    let mut reading = state.take().unwrap();
    reading.read();
    state.give_back(0, reading);
    state.finish();
    assert_eq!(levels(&mut state), [(info, "source a ok".to_owned())]);
    state.begin(POLL);
    assert_eq!(state.finish().points, []);
    assert_eq!(levels(&mut state).first().map(|(level, _)| *level), Some(log::Level::Warn));
    assert!(levels(&mut state).is_empty());
}

#[test]
fn without_a_thread_the_answer_says_so_and_the_next_tries_again() {
    let mut state = State::new(vec![fine("a")]);
    state.begin(POLL);
    state.start_error = Some("no thread".to_owned());
    assert!(state.is_complete());
    assert_eq!(states(&state.finish()), [SourceState::Failed("no thread".to_owned())]);
    state.start_reader();
    state.begin(POLL);
    assert!(state.wants_reader() && !state.is_complete());
}

/// Keeps a file open from one reading to the next, as sources do.
struct KeepsOpen {
    file: Option<File>,
    seen: Sender<(bool, u64)>,
}

impl Source for KeepsOpen {
    fn name(&self) -> &'static str {
        "keeps open"
    }

    fn reads(&self) -> &'static str {
        "nothing"
    }

    fn read(&mut self, _: &Poll, _: &mut Vec<DataPoint>) -> Result<(), SourceError> {
        use std::os::unix::fs::MetadataExt;
        let opened = self.file.is_none();
        let file = self.file.get_or_insert_with(|| File::open("/proc/version").unwrap());
        self.seen.send((opened, file.metadata().map_or(0, |metadata| metadata.ino()))).ok();
        Ok(())
    }
}

impl Drop for KeepsOpen {
    fn drop(&mut self) {
        // Dropped where its file is open: the number is its own there.
        let valid = self.file.take().is_some_and(|file| file.metadata().is_ok());
        self.seen.send((valid, 0)).ok();
    }
}

#[test]
fn files_stay_open_when_another_reader_takes_over() {
    again_after_stalls(|| {
        let outside = File::open("/proc/self/stat").unwrap();
        let (hanging, entries, go) = blocks("hanging");
        let (seen, seen_by_test) = channel();
        let source = KeepsOpen { file: None, seen };
        let collector = Collector::new(vec![Box::new(source), Box::new(hanging)]);
        // The first reader opens the file and then hangs; the second one reads it.
        collector.collect(POLL).unwrap();
        collector.collect(POLL).unwrap();
        let (first, second) = (
            seen_by_test.recv_timeout(PATIENCE).unwrap(),
            seen_by_test.recv_timeout(PATIENCE).unwrap(),
        );
        assert!(first.0 && !second.0, "opened once");
        assert_ne!(first.1, 0);
        assert_eq!(first.1, second.1);
        assert_eq!(entries.try_iter().count(), 1);
        drop(collector);
        go.send(()).unwrap();
        assert_eq!(seen_by_test.recv_timeout(PATIENCE).unwrap(), (true, 0));
        assert!(outside.as_raw_fd() > 2 && outside.metadata().is_ok());
    });
}
