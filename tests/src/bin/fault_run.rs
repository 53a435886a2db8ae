//! Runs of random faults, one seed after another, for as long as one likes;
//! `scripts/fault-run` starts it.
//!
//! Arguments: the minutes in all, the seconds of faults of each seed, how many run
//! at once, and the first seed. It ends with 1 if a run found something wrong.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pattoo_tests::Dice;
use pattoo_tests::faults::{Outcome, Report, damage_database, run};

/// What a seed has shown.
struct Seed {
    report: Report,
    /// What became of a database that was damaged.
    after: Result<Outcome, String>,
}

impl Seed {
    fn is_well(&self) -> bool {
        self.report.faults.is_empty() && self.after.is_ok()
    }
}

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<u64>().ok());
    let mut number = |usual: u64| numbers.next().flatten().unwrap_or(usual);
    let (minutes, seconds, at_once) = (number(10), number(45), number(4));
    let first = number(Dice::random_seed());
    println!(
        "{minutes} minutes, {seconds} s of faults a seed, {at_once} at once, from seed {first}"
    );

    let end = Instant::now() + Duration::from_secs(minutes * 60);
    let next = AtomicU64::new(first);
    let reports: Mutex<Vec<Result<Seed, u64>>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while Instant::now() < end {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    // On a thread of its own, with which its namespaces go.
                    let time = Duration::from_secs(seconds);
                    let both = move || (run(seed, time), damage_database(seed));
                    let outcome = std::thread::spawn(both).join();
                    match &outcome {
                        Ok((report, (damage, after))) => {
                            println!("{report}\nseed {seed}: {damage}: {after:?}");
                        }
                        Err(_) => println!("seed {seed}: the run itself failed, see above"),
                    }
                    let failed = outcome.is_err();
                    let outcome = outcome
                        .map(|(report, (_, after))| Seed { report, after })
                        .map_err(|_| seed);
                    reports.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(outcome);
                    if failed {
                        return;
                    }
                }
            });
        }
    });
    let reports = reports.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    summarise(&reports)
}

fn summarise(reports: &[Result<Seed, u64>]) -> ExitCode {
    let whole: Vec<&Report> = reports.iter().flatten().map(|seed| &seed.report).collect();
    let sum = |of: fn(&Report) -> usize| whole.iter().map(|report| of(report)).sum::<usize>();
    let mut struck: BTreeMap<&str, usize> = BTreeMap::new();
    for name in whole.iter().flat_map(|report| &report.struck) {
        *struck.entry(name).or_default() += 1;
    }
    println!("\n| fault | times |\n|---|---|");
    for (name, times) in &struck {
        println!("| {name} | {times} |");
    }
    let wrong: Vec<u64> = reports
        .iter()
        .filter_map(|report| match report {
            Ok(seed) if seed.is_well() => None,
            Ok(seed) => Some(seed.report.seed),
            Err(seed) => Some(*seed),
        })
        .collect();
    println!(
        "\n{} seeds, {} faults; polls: {} answered, {} surely taken, {} set aside, {} destroyed, {} dropped by a full disk; {} samples stored",
        reports.len(),
        struck.values().sum::<usize>(),
        sum(|report| report.answered),
        sum(|report| report.taken),
        sum(|report| report.set_aside),
        sum(|report| report.destroyed),
        sum(|report| report.dropped),
        sum(|report| report.stored),
    );
    let mut after: BTreeMap<Outcome, usize> = BTreeMap::new();
    for outcome in reports.iter().flatten().filter_map(|seed| seed.after.as_ref().ok()) {
        *after.entry(*outcome).or_default() += 1;
    }
    println!("damaged databases: {after:?}");
    if wrong.is_empty() {
        println!("nothing lost, doubled or out of place");
        ExitCode::SUCCESS
    } else {
        println!("WRONG: seeds {wrong:?}");
        ExitCode::FAILURE
    }
}
