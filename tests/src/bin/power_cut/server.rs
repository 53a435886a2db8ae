//! The server in the machine: what it acknowledged before the cut is there after
//! it, once and right.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use pattoo_common::datapoint::{DataPoint, DataType};
use pattoo_common::document::DocumentWriter;
use pattoo_tests::{Dice, Folder, Web, free_port, http_get, http_post, series_of_host, wait_until};

use super::Round;
use super::disk::Disk;
use super::machine::{Machine, Plan};

const HOSTS: [&str; 4] = ["cut1", "cut2", "cut3", "cut4"];
/// Each datapoint of a document; the number of a document is the value of the
/// first, and the values of the others follow from it.
const KEYS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
/// Between the samples of a host.
const INTERVAL_MS: u64 = 1_000;
/// The first samples are so much older than now.
const BEFORE_MS: u64 = 40_000_000;
const PATIENCE: Duration = Duration::from_mins(2);

/// What one host has posted.
struct Host {
    name: &'static str,
    acknowledged: AtomicU64,
    /// The number of the next document; none below it is posted for the first
    /// time again.
    next: AtomicU64,
}

pub(crate) fn rounds(assets: &Path, count: u64, dice: &mut Dice) -> Vec<Round> {
    let folder = Folder::new("power-cut-server");
    let tree = folder.join("tree");
    folder.write(
        "tree/etc/pattoo.yaml",
        "pattoo:\n  log_directory: /tmp\n  daemon_directory: /data/state\n  \
         system_daemon_directory: /tmp\n  cache_directory: /tmp\n",
    );
    folder.write(
        "tree/etc/pattoo_server.yaml",
        "pattoo_api_agentd:\n  ip_listen_address: 0.0.0.0\n\
         pattoo_apid:\n  ip_listen_address: 0.0.0.0\n",
    );
    let disk = Disk::new(folder.path(), &tree);
    let hosts =
        HOSTS.map(|name| Host { name, acknowledged: AtomicU64::new(0), next: AtomicU64::new(0) });
    let start_ms = now_ms() - BEFORE_MS;
    (0..count)
        .map(|number| {
            let round = round(assets, &disk, &hosts, start_ms, dice);
            let Round { load_ms, promised, faults, .. } = &round;
            println!(
                "server {}: cut after {load_ms} ms, {promised} datapoints promised, {} faults",
                number + 1,
                faults.len()
            );
            round
        })
        .collect()
}

fn round(assets: &Path, disk: &Disk, hosts: &[Host], start_ms: u64, dice: &mut Dice) -> Round {
    // Every third time somebody sets the clock meanwhile.
    let clock_steps: &[i64] = if dice.one_in(3) { &[7_200, -10_800, 3_600] } else { &[] };
    let (post, web) = (free_port(), free_port());
    let forwards = [(post, 20201), (web, 20202)];
    let plan =
        Plan { assets, program: "pattood", clock_steps, forwards: &forwards, reaches_host: false };

    let machine = Machine::start(&plan, disk);
    wait_until_ready(web);
    let load = dice.between_ms(200, 5_000);
    let stop = AtomicBool::new(false);
    let promised =
        || hosts.iter().map(|host| host.acknowledged.load(Ordering::Acquire)).sum::<u64>();
    let before = promised();
    let load_ms = std::thread::scope(|scope| {
        for host in hosts {
            let stop = &stop;
            scope.spawn(move || post_until_it_fails(host, post, start_ms, stop));
        }
        wait_until("something is acknowledged", PATIENCE, || promised() > before);
        let begun = Instant::now();
        std::thread::sleep(load);
        machine.cut();
        stop.store(true, Ordering::Release);
        begun.elapsed().as_millis()
    });
    let cut = disk.cut(dice);

    // The power is back.
    let plan = Plan { clock_steps: &[], ..plan };
    let machine = Machine::start(&plan, disk);
    wait_until_ready(web);
    let faults = hosts.iter().flat_map(|host| faults_of(host, Web(web), start_ms)).collect();
    machine.cut();
    // It was only looked at; what the look wrote is of no interest, and another
    // cut is what the next round begins with.
    disk.cut(dice);
    let clock_steps = clock_steps.len() as u64;
    let promised = promised() * KEYS.len() as u64;
    Round { part: "server", load_ms, clock_steps, promised, faults, disk: cut }
}

fn wait_until_ready(web: u16) {
    wait_until("the server is ready", PATIENCE, || {
        http_get(web, "/healthz").is_ok_and(|answer| answer.status == 200)
    });
}

fn post_until_it_fails(host: &Host, port: u16, start_ms: u64, stop: &AtomicBool) {
    while !stop.load(Ordering::Acquire) {
        // What was not acknowledged is posted again, as a hub does.
        let number = host.acknowledged.load(Ordering::Acquire);
        host.next.fetch_max(number + 1, Ordering::AcqRel);
        let path = "/pattoo/api/v1/agent/receive/hub";
        let headers = [("Content-Type", "application/json")];
        match http_post(port, path, &headers, &document(host.name, number, start_ms)) {
            Ok(answer) if answer.status == 200 && answer.text() == "OK" => {
                host.acknowledged.store(number + 1, Ordering::Release);
            }
            Ok(answer) => println!("{}: {} {}", host.name, answer.status, answer.text()),
            Err(_) => return,
        }
    }
}

fn document(host: &str, number: u64, start_ms: u64) -> Vec<u8> {
    let mut series = series_of_host(host);
    let at_ms = start_ms + number * INTERVAL_MS;
    let mut writer = DocumentWriter::new(&mut series, INTERVAL_MS);
    for (key, name) in (0..).zip(KEYS) {
        writer.push(&DataPoint::new(name, DataType::Gauge, value(number, key)), at_ms);
    }
    writer.finish(at_ms)
}

fn value(number: u64, key: u64) -> u64 {
    number * 10 + key
}

/// What of the promises to a host is not kept.
fn faults_of(host: &Host, web: Web, start_ms: u64) -> Vec<String> {
    let acknowledged = host.acknowledged.load(Ordering::Acquire);
    let posted = host.next.load(Ordering::Acquire);
    let mut faults = Vec::new();
    for (key, name) in (0..).zip(KEYS) {
        let end_ms = start_ms + (posted + 1) * INTERVAL_MS;
        let stored = web.all_samples(name, host.name, start_ms, end_ms, INTERVAL_MS);
        let wanted = |number| (start_ms + number * INTERVAL_MS, value(number, key) as f64);
        // What was under way may be there or not.
        let all: Vec<_> = (0..posted).map(wanted).collect();
        let sure = usize::try_from(acknowledged).expect("64 bits");
        if stored.len() < sure || stored != all[..stored.len().min(all.len())] {
            let at = stored.iter().zip(&all).position(|(found, wanted)| found != wanted);
            faults.push(format!(
                "{name} of {}: {} samples, {acknowledged} were acknowledged and {posted} posted; the first that is wrong: {at:?}",
                host.name,
                stored.len()
            ));
        }
    }
    faults
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    now.as_secs() * 1_000
}
