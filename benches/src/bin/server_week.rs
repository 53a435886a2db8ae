//! What a week of 100 spokes at 10 s takes on disk: the real spoke on this machine
//! is polled every second for a minute, and its figures are played again with noise
//! as those of 100 spokes, for some hours of days that are over. The real
//! server takes them over HTTP and compacts their days. What a datapoint takes is
//! the sum of all files over what was posted. Days share nothing but the catalogue,
//! so from a full day on more of them change little; less than a day takes more.
//!
//! `cargo build --release && target/release/server_week [HOURS]` (24, at most the
//! 168 of a week, which are some 600 million datapoints). The data is written to the
//! folder for temporary files: `TMPDIR` names another.
#![allow(clippy::expect_used, reason = "a bench that cannot go on ends")]
#![allow(clippy::disallowed_methods, reason = "a bench starts the programs that it measures")]

use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pattoo_benches::process::{Folder, Server, megabytes, pause, program, wait_until};
use pattoo_benches::recording::Recording;
use pattoo_benches::server::{Site, free_port, now_ms};
use pattoo_benches::template::Template;
use pattoo_benches::{fleet, load};

const SPOKE: &str = "pattoo_agent_linux_spoked";
const SPOKES: usize = 100;
const HUBS: usize = 8;
/// Polls of the recording, one a second.
const RECORDED: usize = 61;
/// Seconds between polls that are played.
const POLL_S: usize = 10;
/// A poll is up to so many milliseconds early.
const JITTER_MS: u64 = 8;
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
const WEEK_HOURS: u64 = 7 * 24;

fn main() {
    let hours = std::env::args().nth(1).map_or(24, |text| text.parse().expect("a number"));
    assert!((1..=WEEK_HOURS).contains(&hours), "1 to {WEEK_HOURS} hours");
    let answers = record();
    let recording = Recording::new(&answers);
    let (series, changing) = recording.count();
    println!("{:<46} {series} series, of which {changing} changed", "recorded");

    let site = Site::new("week");
    let (server, _) = site.start();
    // Days that are over, which the command compacts however short they are: the
    // last is the one before yesterday.
    let last_ms = (now_ms() / DAY_MS - 1) * DAY_MS;
    let start_ms = last_ms - hours.div_ceil(24) * DAY_MS;
    let stored = AtomicU64::new(0);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for hub in 0..HUBS {
            let (recording, answer, stored) = (&recording, &answers[0], &stored);
            let port = site.port;
            scope.spawn(move || play(hub, recording, answer, start_ms, hours, port, stored));
        }
    });
    let stored = stored.into_inner();
    println!(
        "{:<46} {stored} datapoints of {SPOKES} spokes in {hours} h, posted in {:.1} s",
        "played",
        start.elapsed().as_secs_f64()
    );
    tell("data folder as it came in", site.data_bytes(), stored);
    drop(server);
    let wall = site.compact();
    println!("{:<46} {:.1} s", "pattood --compact", wall.as_secs_f64());
    tell("data folder, indexes and both roll-ups", site.data_bytes(), stored);
    let week = WEEK_HOURS * 3_600 / POLL_S as u64 * (series * SPOKES) as u64;
    println!("{:<46} {week} datapoints", "a week of them has");
}

/// Polls the spoke of this machine.
fn record() -> Vec<Vec<u8>> {
    let folder = Folder::new("recorded");
    let port = free_port();
    folder.write_pattoo_yaml(1);
    folder.write(
        &format!("{SPOKE}.yaml"),
        &format!("ip_listen_address: 127.0.0.1\nip_bind_port: {port}\n"),
    );
    let mut command = Command::new(program(SPOKE));
    let _spoke = Server::start(command.arg("--foreground").env("PATTOO_CONFIGDIR", &folder.0));
    let poll = || match load::get(port, "/pattoo-agent-linux/10") {
        Ok((200, body)) => Some(body.into_bytes()),
        _ => None,
    };
    wait_until("the spoke", Duration::from_secs(5), || poll().is_some());
    let polls = (0..RECORDED).map(|_| {
        pause(Duration::from_secs(1));
        poll().expect("an answer")
    });
    polls.collect()
}

/// Posts the polls of a hub.
fn play(
    hub: usize,
    recording: &Recording,
    answer: &[u8],
    start_ms: u64,
    hours: u64,
    port: u16,
    stored: &AtomicU64,
) {
    let spokes: Vec<usize> = (0..SPOKES).filter(|spoke| spoke % HUBS == hub).collect();
    let mut template = Template::new(spokes.iter().copied(), |spoke, change| {
        fleet::document_like(answer, spoke, 0, change)
    });
    let (series, _) = recording.count();
    let mut players: Vec<_> = spokes.iter().map(|spoke| recording.player(*spoke)).collect();
    // Each goes through the recording on its own, a little slower or faster.
    let mut places: Vec<_> = spokes.iter().map(|spoke| spoke * 7).collect();
    for poll in 1..=hours * 3_600 / POLL_S as u64 {
        for (place, player) in places.iter_mut().zip(&mut players) {
            *place += POLL_S + usize::try_from(player.any(3)).expect("small");
        }
        template.change_times(|| players[0].any(JITTER_MS));
        let body = template.fill(start_ms + poll * POLL_S as u64 * 1_000, |number, field| {
            let (spoke, number) = (number / series, number % series);
            let value = recording.value(number, places[spoke], POLL_S, &mut players[spoke]);
            let (empty, digits) = field.split_at_mut(field.len() - value.len());
            empty.fill(b' ');
            digits.copy_from_slice(value.as_bytes());
        });
        assert_eq!(load::post(port, body).expect("an answer"), 200, "a post was refused");
        stored.fetch_add(template.datapoints() as u64, Ordering::Relaxed);
    }
}

fn tell(what: &str, bytes: u64, stored: u64) {
    let each = bytes as f64 / stored as f64;
    println!("{what:<46} {} ({each:.2} bytes a datapoint)", megabytes(bytes));
}
