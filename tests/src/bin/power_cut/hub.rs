//! The hub in the machine: what it had taken before the cut it posts after it.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use pattoo_tests::{Dice, Folder, Mood, Receiver, StandInSpoke, wait_until};

use super::Round;
use super::disk::Disk;
use super::machine::{Machine, Plan};

/// Bytes of text in each answer, so that writing a batch takes a while.
const BALLAST_BYTES: usize = 100_000;
/// What the hub logs of a device that did not answer in time.
const GAVE_UP: &str = ": down: ";
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) fn rounds(assets: &Path, count: u64, dice: &mut Dice) -> Vec<Round> {
    if count == 0 {
        return Vec::new();
    }
    let folder = Folder::new("power-cut-hub");
    let spokes = ["power1", "power2"].map(StandInSpoke::start);
    for spoke in &spokes {
        spoke.set_ballast_bytes(BALLAST_BYTES);
    }
    let server = Receiver::start("pattood/1");
    let tree = folder.join("tree");
    let port = server.port();
    folder.write(
        "tree/etc/pattoo.yaml",
        &format!(
            "pattoo:\n  log_directory: /tmp\n  log_level: info\n  \
             daemon_directory: /data/state\n  system_daemon_directory: /tmp\n  \
             cache_directory: /data/cache\n\
             pattoo_agent_api:\n  ip_address: 10.0.2.2\n  ip_bind_port: {port}\n"
        ),
    );
    let mut devices = String::new();
    for spoke in &spokes {
        let port = spoke.port();
        let _ = write!(devices, "  - ip_address: 10.0.2.2\n    ip_bind_port: {port}\n");
    }
    folder.write(
        "tree/etc/pattoo_agent_linux_hubd.yaml",
        &format!("polling_interval: 2\nip_devices:\n{devices}"),
    );
    let disk = Disk::new(folder.path(), &tree);
    // Numbers of answers that one of the cuts may have cost, of either spoke.
    let mut doubtful = HashSet::new();
    (0..count)
        .map(|number| {
            let round = round(assets, &disk, &spokes, &server, &mut doubtful, dice);
            let Round { load_ms, promised, faults, .. } = &round;
            println!(
                "hub {}: cut after {load_ms} ms, {promised} polls taken, {} faults",
                number + 1,
                faults.len()
            );
            round
        })
        .collect()
}

fn round(
    assets: &Path,
    disk: &Disk,
    spokes: &[StandInSpoke; 2],
    server: &Receiver,
    doubtful: &mut HashSet<usize>,
    dice: &mut Dice,
) -> Round {
    let clock_steps: &[i64] = if dice.one_in(2) { &[7_200, -10_800, 3_600] } else { &[] };
    let plan = Plan {
        assets,
        program: "pattoo_agent_linux_hubd",
        clock_steps,
        forwards: &[],
        reaches_host: true,
    };
    // While it is away, or takes batches now and then, spool files come and go.
    let away = !dice.one_in(3);
    server.set_mood(if away { Mood::Answers(503) } else { Mood::Well });
    let answered = || spokes.each_ref().map(|spoke| spoke.answered().len());
    let before = answered();
    let machine = Machine::start(&plan, disk);
    wait_until("the hub polls", PATIENCE, || {
        answered().iter().zip(before).all(|(now, before)| *now > before)
    });
    let begun = Instant::now();
    std::thread::sleep(dice.between_ms(1_500, 8_000));
    let console = machine.console();
    machine.cut();
    let load_ms = begun.elapsed().as_millis();
    let cut = disk.cut(dice);
    // A hub that asks again has taken what was answered before: its cycle ends
    // with the batch in the spool. So the last answer before a cut was promised to
    // nobody.
    let answered_before_cut = answered();
    doubtful.extend(answered_before_cut);
    // A slow guest may give up a poll that the network in between has taken in whole.
    if console.contains(GAVE_UP) {
        doubtful.extend(before.iter().zip(answered_before_cut).flat_map(|(b, a)| *b + 1..=a));
    }

    server.set_mood(Mood::Well);
    let machine = Machine::start(&Plan { clock_steps: &[], ..plan }, disk);
    // What it answers after the cut comes behind all that waits, but where the clock
    // was set back: batches leave in the order of their times.
    wait_until("the hub posts what it has taken since", PATIENCE, || {
        spokes.iter().zip(answered_before_cut).all(|(spoke, before)| {
            numbers(server, spoke).iter().any(|number| *number > before as u64)
        })
    });
    let promised = |number: &usize| !doubtful.contains(number);
    let missing = || -> Vec<String> {
        let of = |(spoke, answered): (&StandInSpoke, usize)| -> Vec<String> {
            // A batch that was posted when the power went is posted again; the
            // server makes one of the two.
            let posted = numbers(server, spoke);
            let lost = |number: &usize| promised(number) && !posted.contains(&(*number as u64));
            let tell = |number| format!("poll {number} of {} is lost", spoke.name());
            (1..=answered).filter(lost).map(tell).collect()
        };
        spokes.iter().zip(answered_before_cut).flat_map(of).collect()
    };
    let begun = Instant::now();
    while !missing().is_empty() && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(100));
    }
    let console = machine.console();
    machine.cut();
    disk.cut(dice);
    let faults = missing();
    let promised = answered_before_cut.iter().flat_map(|answered| 1..=*answered);
    let promised = promised.filter(|number| !doubtful.contains(number)).count() as u64;
    // The machine that posted them was cut too.
    doubtful.extend(answered());
    if console.contains(GAVE_UP) {
        let since = answered_before_cut.iter().zip(answered());
        doubtful.extend(since.flat_map(|(before, after)| *before + 1..=after));
    }
    let clock_steps = clock_steps.len() as u64;
    Round { part: "hub", load_ms, clock_steps, promised, faults, disk: cut }
}

fn numbers(server: &Receiver, spoke: &StandInSpoke) -> Vec<u64> {
    let values = server.values(spoke.name(), "sequence");
    values.iter().filter_map(|value| value.parse().ok()).collect()
}
