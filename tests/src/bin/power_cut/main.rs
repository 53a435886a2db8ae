//! Cuts the power of a virtual machine in which the server, or the hub, is at
//! work, and looks afterwards for what they had promised. `scripts/power-cut`
//! prepares what it needs and starts it.
//!
//! Arguments: the folder with `vmlinuz` and `initrd`, the rounds of the server,
//! the rounds of the hub, and a seed. It ends with 1 if anything was lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a check that cannot go on panics, starts programs and waits"
)]

mod disk;
mod hub;
mod machine;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;

use pattoo_tests::Dice;

/// What a round has shown.
struct Round {
    /// What was under load.
    part: &'static str,
    /// From the first acknowledgement of the round to the cut.
    load_ms: u128,
    /// How often the guest's clock was set meanwhile.
    clock_steps: u64,
    /// Promises that were to be found, those of earlier rounds included.
    promised: u64,
    /// What is missing, stands twice or is wrong, in words.
    faults: Vec<String>,
    /// What the cut has made of the disk.
    disk: disk::Cut,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |name: &str| arguments.next().unwrap_or_else(|| panic!("{name} is missing"));
    let assets = PathBuf::from(argument("the folder"));
    let server_rounds: u64 = argument("the server's rounds").parse().expect("a number");
    let hub_rounds: u64 = argument("the hub's rounds").parse().expect("a number");
    let seed = argument("a seed").parse().unwrap_or_else(|_| Dice::random_seed());
    println!("seed {seed}");
    let mut dice = Dice::new(seed);
    let mut rounds = server::rounds(&assets, server_rounds, &mut dice);
    rounds.extend(hub::rounds(&assets, hub_rounds, &mut dice));

    println!();
    println!(
        "| round | under load | load, ms | clock set | writes of the disk, durable | writes past the last flush, of them kept | promised | lost, doubled, wrong |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut lost = 0;
    for (number, round) in (1..).zip(&rounds) {
        let Round { part, load_ms, clock_steps, promised, faults, disk } = round;
        lost += faults.len();
        println!(
            "| {number} | {part} | {load_ms} | {clock_steps} | {} | {}, {} | {promised} | {} |",
            disk.durable,
            disk.in_flight,
            disk.kept,
            faults.len()
        );
    }
    for fault in rounds.iter().flat_map(|round| &round.faults) {
        eprintln!("{fault}");
    }
    if lost > 0 {
        eprintln!("seed {seed}: {lost} faults");
        return ExitCode::FAILURE;
    }
    println!("\nnothing that was promised is missing, doubled or wrong");
    ExitCode::SUCCESS
}
