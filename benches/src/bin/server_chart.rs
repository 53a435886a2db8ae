//! What a chart of 30 days costs in a full store: the real server is filled over
//! HTTP as fast as it takes it, with 95 series that have 30 days at 10 s, and with
//! the polls of 105 spokes (9,975 series) of the last hours. Then charts of the
//! long series are asked for over GraphQL, as the fill left the store and after the
//! compaction of its days: first while nothing comes in, which gives the CPU time of
//! one, then while 200,000 datapoints/s come in. Behind each chart comes a question
//! that reads nothing, on a connection of its own as well: what that takes is the
//! machine's and the load's, and on a busy machine it tells how much of the rest is.
//!
//! `cargo build --release && target/release/server_chart [MILLIONS [SECONDS]]`: the
//! fill ends with so many datapoints, but not before so many seconds (100 and 300) nor
//! before the long series are complete, which takes 25 million.
//! The data, some hundreds of megabytes, is written to the folder for temporary files, which
//! should be on a disk: `TMPDIR` names another.
#![allow(clippy::expect_used, reason = "a bench that cannot go on ends")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pattoo_benches::load::{self, Load};
use pattoo_benches::process::{Server, megabytes, milliseconds, pause, wait_until};
use pattoo_benches::server::{Site, now_ms};

const SPOKES: usize = 105;
const HUBS: usize = 8;
const POLL_MS: u64 = 10_000;
const DAY_MS: u64 = 86_400_000;
/// What the charts show.
const CHART_MS: u64 = 30 * DAY_MS;
/// Polls of the long series in a post: a quarter of an hour.
const BACKLOG_POLLS: u64 = 90;
/// The polls of the spokes begin so long ago.
const RECENT_MS: u64 = 36 * 3_600_000;
/// Datapoints a second while charts are asked for.
const GOING_ON: u64 = 200_000;
const CHARTS: usize = 1_000;
/// Charts while nothing comes in.
const QUIET_CHARTS: usize = 300;
const POINTS: u64 = 1_000;
/// What reads nothing.
const NOTHING: &str = "{__typename}";
/// A server that takes less CPU time than this in a second has nothing left to do.
const AT_REST: Duration = Duration::from_millis(30);

fn main() {
    let argument = |index, default| {
        std::env::args().nth(index).map_or(default, |text| text.parse().expect("a number"))
    };
    let (millions, seconds) = (argument(1, 100), argument(2, 300));
    let site = Site::new("chart");
    let (server, _) = site.start();
    let mut fill = Fill::new(site.port);
    fill.run(millions * 1_000_000, Duration::from_secs(seconds));
    tell_memory("after the fill", &server);
    fill.charts(&site, &server, "as filled");
    drop(server);
    let (server, ready) = site.start();
    println!("{:<46} {}", "ready after kill -9", milliseconds(ready));
    drop(server);
    println!("{:<46} {:.1} s", "pattood --compact", site.compact().as_secs_f64());
    let stored = fill.stored.load(Ordering::Relaxed);
    let bytes = site.data_bytes();
    println!(
        "{:<46} {} ({:.2} a datapoint)",
        "data folder",
        megabytes(bytes),
        bytes as f64 / stored as f64
    );
    let (server, ready) = site.start();
    println!("{:<46} {}", "ready on the compacted database", milliseconds(ready));
    tell_memory("idle", &server);
    fill.charts(&site, &server, "compacted");
    println!("{:<46} {}", "datapoints in the end", fill.stored.load(Ordering::Relaxed));
}

/// What posts.
struct Fill {
    port: u16,
    /// When the fill began, Unix milliseconds.
    now_ms: u64,
    loads: Vec<(Load, Times)>,
    stored: AtomicU64,
    refused: AtomicU64,
}

/// Times of a hub's posts, Unix milliseconds.
struct Times {
    next_ms: u64,
    /// Polls in a post.
    polls: u64,
    /// None: it has no end.
    end_ms: Option<u64>,
}

impl Fill {
    fn new(port: u16) -> Self {
        let now_ms = now_ms();
        let recent = |hub| {
            let load = Load::new((0..SPOKES).filter(|spoke| spoke % HUBS == hub));
            (load, Times { next_ms: now_ms - RECENT_MS, polls: 1, end_ms: None })
        };
        let times = Times {
            // The first post has the polls before its time.
            next_ms: now_ms - CHART_MS + BACKLOG_POLLS * POLL_MS,
            polls: BACKLOG_POLLS,
            end_ms: Some(now_ms),
        };
        let long = (Load::backlog(SPOKES, BACKLOG_POLLS, POLL_MS), times);
        let loads = std::iter::once(long).chain((0..HUBS).map(recent)).collect();
        Self { port, now_ms, loads, stored: AtomicU64::new(0), refused: AtomicU64::new(0) }
    }

    /// Posts as fast as the server takes it, until there is so much and the long
    /// series are complete.
    fn run(&mut self, datapoints: u64, least: Duration) {
        let start = Instant::now();
        let (stop, never) = (AtomicBool::new(false), AtomicBool::new(false));
        let Self { port, loads, stored, refused, .. } = self;
        let (port, stored, refused) = (*port, &*stored, &*refused);
        let (long, recent) = loads.split_at_mut(1);
        std::thread::scope(|scope| {
            let long = scope.spawn(|| post_all(long, port, stored, refused, &never, None));
            scope.spawn(|| post_all(recent, port, stored, refused, &stop, None));
            while stored.load(Ordering::Relaxed) < datapoints
                || start.elapsed() < least
                || !long.is_finished()
            {
                pause(Duration::from_millis(20));
            }
            stop.store(true, Ordering::Relaxed);
        });
        let (wall, stored) = (start.elapsed().as_secs_f64(), self.stored.load(Ordering::Relaxed));
        println!(
            "{:<46} {:.0}/s ({stored} in {wall:.1} s, {} posts refused)",
            "fill, durable and sealed",
            stored as f64 / wall,
            self.refused.load(Ordering::Relaxed)
        );
    }

    /// Asks for charts while nothing comes in, and while posts go on.
    fn charts(&mut self, site: &Site, server: &Server, state: &str) {
        let charts = Charts {
            series: long_series(site.web_port),
            from_ms: self.now_ms - CHART_MS,
            to_ms: self.now_ms,
            port: site.web_port,
        };
        wait_until("the server to rest", Duration::from_mins(5), || {
            let before = server.cpu();
            pause(Duration::from_secs(1));
            server.cpu().saturating_sub(before) < AT_REST
        });
        let before = server.cpu();
        let times = charts.ask(QUIET_CHARTS);
        let cpu = server.cpu().saturating_sub(before);
        tell_times(&format!("a chart, {state}, nothing comes in"), times.charts);
        tell_times("the same time, a question that reads nothing", times.nothings);
        let each = cpu / u32::try_from(QUIET_CHARTS).expect("small");
        println!("{:<46} {} CPU for both", "the server takes", milliseconds(each));
        println!("{:<46} {}", "the last of them", times.shown);

        let stop = AtomicBool::new(false);
        let before = self.stored.load(Ordering::Relaxed);
        let start = Instant::now();
        let times = std::thread::scope(|scope| {
            let Self { port, loads, stored, refused, .. } = self;
            let (port, stop) = (*port, &stop);
            scope.spawn(move || post_all(loads, port, stored, refused, stop, Some(GOING_ON)));
            pause(Duration::from_secs(2));
            let times = charts.ask(CHARTS);
            stop.store(true, Ordering::Relaxed);
            times
        });
        let came = self.stored.load(Ordering::Relaxed) - before;
        tell_times(&format!("a chart, {state}, while posts come in"), times.charts);
        tell_times("the same time, a question that reads nothing", times.nothings);
        let rate = came as f64 / start.elapsed().as_secs_f64();
        println!("{:<46} {rate:.0}/s", "came in meanwhile");
        tell_memory(state, server);
    }
}

/// Which charts are asked for.
struct Charts {
    series: Vec<u64>,
    from_ms: u64,
    to_ms: u64,
    port: u16,
}

/// How long the answers took.
struct AnswerTimes {
    charts: Vec<Duration>,
    nothings: Vec<Duration>,
    /// The last chart, in words.
    shown: String,
}

impl Charts {
    /// Asks for so many, one after the other, with a pause behind each.
    fn ask(&self, count: usize) -> AnswerTimes {
        let Self { series, from_ms, to_ms, port } = self;
        let mut times =
            AnswerTimes { charts: Vec::new(), nothings: Vec::new(), shown: String::new() };
        for series in series.iter().cycle().take(count) {
            let question = format!(
                "{{points(idxDatapoint:[\"{series}\"],from:{from_ms},to:{to_ms},step:{}){{\
                 step resolution points{{timestamp value}}}}}}",
                CHART_MS / POINTS
            );
            let asked = Instant::now();
            let answer = load::ask(*port, &question).expect("an answer");
            times.charts.push(asked.elapsed());
            let points = answer.matches("timestamp").count();
            times.shown = format!("{points} points, {}", answer.get(..70).unwrap_or(&answer));
            assert!(points > 0, "{}", times.shown);
            pause(Duration::from_millis(10));
            let asked = Instant::now();
            load::ask(*port, NOTHING).expect("an answer");
            times.nothings.push(asked.elapsed());
            pause(Duration::from_millis(10));
        }
        times
    }
}

fn tell_times(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let count = times.len();
    println!(
        "{what:<46} {} (median), {} (99 %), {} (longest) of {count}",
        milliseconds(times[count / 2]),
        milliseconds(times[count * 99 / 100 - 1]),
        milliseconds(times[count - 1])
    );
}

/// Lets all hubs post until it is time to stop.
fn post_all(
    loads: &mut [(Load, Times)],
    port: u16,
    stored: &AtomicU64,
    refused: &AtomicU64,
    stop: &AtomicBool,
    rate: Option<u64>,
) {
    std::thread::scope(|scope| {
        for (load, times) in loads {
            scope.spawn(move || {
                let datapoints = load.datapoints() as u64;
                // Each hub has its share of the datapoints.
                let share = rate.map(|rate| {
                    Duration::from_secs_f64((datapoints * HUBS as u64) as f64 / rate as f64)
                });
                let mut due = Instant::now();
                while !stop.load(Ordering::Relaxed)
                    && times.end_ms.is_none_or(|end_ms| times.next_ms <= end_ms)
                {
                    pause(due.saturating_duration_since(Instant::now()));
                    due += share.unwrap_or_default();
                    let status = load::post(port, load.at(times.next_ms)).expect("an answer");
                    if status == 200 {
                        stored.fetch_add(datapoints, Ordering::Relaxed);
                        times.next_ms += times.polls * POLL_MS;
                    } else {
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
}

/// The numbers of the series that have 30 days.
fn long_series(web_port: u16) -> Vec<u64> {
    let question = format!(
        "{{findDatapoints(target:\"device{SPOKES}.example.net\",first:200){{\
         edges{{node{{idxDatapoint}}}}}}}}"
    );
    let answer = load::ask(web_port, &question).expect("an answer");
    let numbers = answer.split("idxDatapoint").skip(1).filter_map(|rest| {
        let number = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
        number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    });
    let numbers: Vec<u64> = numbers.collect();
    assert!(numbers.len() > 90, "{answer}");
    numbers
}

fn tell_memory(state: &str, server: &Server) {
    println!(
        "{:<46} {} (peak {})",
        format!("RSS, {state}"),
        megabytes(server.memory("VmRSS:")),
        megabytes(server.memory("VmHWM:"))
    );
}
