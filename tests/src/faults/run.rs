//! One run: a world, a schedule of faults from a seed, and a verdict.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs;
use std::time::{Duration, Instant};

use super::fault::Fault;
use super::ledger::Fate;
use super::spoke::{KEYS, LedgerSpoke};
use super::world::{Wishes, World, numbers_of};
use crate::{Dice, wait_until};

/// How long everything that was taken may take to arrive once nothing is wrong:
/// a post that hangs for its 30 s, and the pause of 30 s after it, twice.
const DRAIN: Duration = Duration::from_mins(3);
/// No two samples of a spoke are closer.
const CLOSEST_MS: u64 = 100;

/// What a run has shown.
#[derive(Debug, Clone)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// The faults that struck, in their order.
    pub struck: Vec<String>,
    /// Polls that were answered.
    pub answered: usize,
    /// Of them those that the hub has taken for certain.
    pub taken: usize,
    /// Of them those that lay in files which a fault destroyed, and are lost.
    pub destroyed: usize,
    /// Of those taken the ones in batches that were set aside.
    pub set_aside: usize,
    /// Of those taken the ones in batches that the full disk has cost.
    pub dropped: usize,
    /// Batches that the hub said it dropped.
    pub told_dropped: usize,
    /// Samples that are stored.
    pub stored: usize,
    /// The most memory of spoke, hub and server, in bytes.
    pub memory: Option<[u64; 3]>,
    /// What is lost, doubled or out of place.
    pub faults: Vec<String>,
    /// What this machine does not let us do.
    pub skipped: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, answered, taken, stored, set_aside, destroyed, dropped, .. } = self;
        let struck = self.struck.len();
        write!(
            f,
            "seed {seed}: {struck} faults; polls: {answered} answered, {taken} surely taken, {set_aside} set aside, {destroyed} destroyed, {dropped} dropped by a full disk ({} batches told); {stored} samples stored; ",
            self.told_dropped
        )?;
        if let Some([spoke, hub, server]) = self.memory.map(|most| most.map(|bytes| bytes >> 10)) {
            write!(f, "memory of spoke {spoke} KiB, hub {hub} KiB, server {server} KiB; ")?;
        }
        match self.faults.len() {
            0 => write!(f, "nothing lost, doubled or out of place"),
            count => {
                let (faults, struck) = (self.faults.join("; "), self.struck.join(", "));
                write!(f, "{count} WRONG: {faults}; struck: {struck}")
            }
        }
    }
}

/// Runs the schedule of this seed for some time, and then compares.
pub fn run(seed: u64, time: Duration) -> Report {
    let mut dice = Dice::new(seed);
    let mut world = World::start(&seed.to_string(), &Wishes::default());
    for skipped in &world.skipped {
        eprintln!("SKIPPED: {skipped}");
    }
    let end = Instant::now() + time;
    let mut struck = Vec::new();
    while Instant::now() < end {
        // Often two at once: a spool that grows on a disk that is full, say.
        let mut faults = vec![Fault::any(&mut dice, &world)];
        let other = Fault::any(&mut dice, &world);
        if dice.one_in(2) && faults.iter().all(|fault| fault.goes_with(other)) {
            faults.push(other);
        }
        for fault in &faults {
            struck.push(fault.name());
            fault.strike(&mut world, &mut dice);
            pause(dice.between_ms(50, 2_000));
        }
        let server_may_start = !faults.iter().any(|fault| fault.is_of_server_disk());
        for (second, one_in) in
            [(Fault::KillHub, 4), (Fault::DamagedSpool, 4), (Fault::KillServer, 4)]
        {
            let cannot = second == Fault::KillServer && !server_may_start;
            let empty = second == Fault::DamagedSpool && world.spool().is_empty();
            if dice.one_in(one_in) && !cannot && !empty {
                struck.push(second.name());
                second.strike(&mut world, &mut dice);
                if server_may_start {
                    world.keep_running();
                } else {
                    world.keep_agents_running();
                }
                pause(dice.between_ms(50, 1_500));
            }
        }
        faults.sort_by_key(|fault| fault.order_of_mending());
        for fault in faults {
            fault.mend(&mut world);
        }
        world.keep_running();
        pause(dice.between_ms(0, 1_500));
    }
    world.clear_ways();
    verdict(seed, &world, struck)
}

fn verdict(seed: u64, world: &World, struck: Vec<String>) -> Report {
    let marks: Vec<u64> = world.spokes.iter().map(|spoke| spoke.ledger().last()).collect();
    // Batches leave in their order: one that is younger comes behind all these.
    let behind = |spoke: &LedgerSpoke, mark: u64| {
        let ledger = spoke.ledger();
        stored(world, spoke, KEYS[0].0)
            .iter()
            .any(|(at_ms, _)| ledger.poll(mark).is_none_or(|poll| *at_ms > poll.timestamp_ms))
    };
    let all_behind = || world.spokes.iter().zip(&marks).all(|(spoke, mark)| behind(spoke, *mark));
    let drained = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        wait_until("all is posted", DRAIN, all_behind);
    }));
    let mut report = Report {
        seed,
        struck,
        answered: 0,
        taken: 0,
        destroyed: 0,
        set_aside: 0,
        dropped: 0,
        told_dropped: told_dropped(&world.hub_log()),
        stored: 0,
        memory: world.memory().map(|(most, _)| most),
        faults: Vec::new(),
        skipped: world.skipped.clone(),
    };
    if drained.is_err() {
        report.faults.push(format!("{} batches still wait", world.spool().len()));
    }
    if world.memory().is_some_and(|(_, kills)| kills > 0) {
        report.faults.push("a part was killed for want of memory".to_owned());
    }
    let bad = world.bad();
    let may_be_bad = world.link.refused() + world.damaged_files;
    if bad.len() > may_be_bad {
        report
            .faults
            .push(format!("{} batches set aside, {may_be_bad} at most expected", bad.len()));
    }
    let bad: Vec<Vec<u8>> = bad.iter().filter_map(|path| fs::read(path).ok()).collect();
    for (spoke, mark) in world.spokes.iter().zip(marks) {
        compare(world, spoke, mark, &bad, &mut report);
    }
    if !report.faults.is_empty() {
        let path = std::env::temp_dir().join(format!("pattoo-fault-run-{seed}.log"));
        let files = world.spool();
        let text = format!("{}\nin the spool: {files:?}\n", world.hub_log());
        let kept = fs::write(&path, text);
        report.faults.push(format!("the hub's log is in {}: {kept:?}", path.display()));
    }
    report
}

/// Batches that the log names as lost: dropped from a full disk, or refused by the
/// server while they were on no disk.
fn told_dropped(log: &str) -> usize {
    log.matches("spool: dropped ").count() + log.matches("batch dropped: ").count()
}

/// What of this spoke is stored under this key: times and values.
fn stored(world: &World, spoke: &LedgerSpoke, key: &str) -> Vec<(u64, f64)> {
    let ledger = spoke.ledger();
    let Some(first) = ledger.polls().first() else { return Vec::new() };
    let last_ms = ledger.polls().iter().map(|poll| poll.timestamp_ms).max().unwrap_or(0);
    world.server.web().all_samples(
        key,
        spoke.name(),
        first.timestamp_ms - 1_000,
        last_ms + 60_000,
        CLOSEST_MS,
    )
}

/// Compares the ledger of a spoke, up to the poll `mark`, with what is stored.
fn compare(world: &World, spoke: &LedgerSpoke, mark: u64, bad: &[Vec<u8>], report: &mut Report) {
    let name = spoke.name();
    let set_aside: HashSet<u64> = bad.iter().flat_map(|body| numbers_of(body, name)).collect();
    let found: Vec<Vec<(u64, f64)>> =
        KEYS.iter().map(|(key, _)| stored(world, spoke, key)).collect();
    // Read after what is stored, so that nothing stored can be missing in it.
    let ledger = spoke.ledger();
    let by_time: HashMap<u64, u64> =
        (1..).zip(ledger.polls()).map(|(number, poll)| (poll.timestamp_ms, number)).collect();
    report.answered += ledger.polls().len();
    report.taken += ledger.polls().iter().filter(|poll| poll.fate == Fate::Taken).count();

    let mut lost = Vec::new();
    for ((key, value), found) in KEYS.iter().zip(&found) {
        report.stored += found.len();
        let mut seen = HashSet::new();
        for (at_ms, stored) in found {
            match by_time.get(at_ms) {
                None => report.faults.push(format!("{key} of {name} at {at_ms}: nobody sent it")),
                #[expect(clippy::float_cmp, reason = "what was sent comes back exactly")]
                Some(number) if value(*number) != *stored => {
                    report
                        .faults
                        .push(format!("{key} of {name}, poll {number}: {stored} is stored"));
                }
                Some(number) if !seen.insert(*number) => {
                    report.faults.push(format!("{key} of {name}, poll {number}: stored twice"));
                }
                Some(_) => {}
            }
        }
        for (number, poll) in (1..=mark).zip(ledger.polls()) {
            if seen.contains(&number) {
                continue;
            }
            match poll.fate {
                Fate::Taken if *key == KEYS[0].0 && set_aside.contains(&number) => {
                    report.set_aside += 1;
                }
                Fate::Taken if set_aside.contains(&number) => {}
                Fate::Taken => lost.push((number, *key)),
                Fate::Destroyed if *key == KEYS[0].0 => report.destroyed += 1,
                Fate::Destroyed | Fate::Unsure | Fate::Read => {}
            }
        }
    }
    let polls: HashSet<u64> = lost.iter().map(|(number, _)| *number).collect();
    let whole = lost.len() == polls.len() * KEYS.len();
    if whole && polls.len() <= report.told_dropped {
        report.dropped += polls.len();
    } else {
        let told = report.told_dropped;
        report.faults.push(format!("{name}: lost {lost:?}, told dropped batches {told}"));
    }
}

#[expect(clippy::disallowed_methods, reason = "a fault lasts a while, whatever happens meanwhile")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}
