//! A damaged database: what was stored comes back right, or its loss is told.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pattoo_common::datapoint::{DataPoint, DataType};
use pattoo_common::document::DocumentWriter;
use pattoo_common::wall_clock::now_ms;
use serde_json::Value;

use crate::{Dice, PATIENCE, Server, http_post, is_alive, send_signal, series_of_host, wait_until};

const RECEIVE_PATH: &str = "/pattoo/api/v1/agent/receive/hub";
const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];
const DATABASE: &str = "store.db";
const HOSTS: [&str; 3] = ["old1", "old2", "old3"];
const KEYS: [&str; 4] = ["a", "b", "c", "d"];
const POLLS: u64 = 80;
const INTERVAL_MS: u64 = 60_000;
/// Stored, but for the last hour and a half, in hours that are long over.
const BEFORE_MS: u64 = POLLS * INTERVAL_MS;

/// What became of a damaged database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Nothing is missing.
    Harmless,
    /// The server says why it does not start.
    Refused,
    /// Something is missing, and an answer or `--check` tells so.
    Told,
    /// The end of the log is gone, and nothing else.
    LogCutShort,
}

/// Fills a database, damages it at random, and looks what is left of it.
/// What the damage was, what became of it, and an error if anything is wrong or
/// missing without a word.
pub fn damage_database(seed: u64) -> (String, Result<Outcome, String>) {
    let mut dice = Dice::new(seed);
    let server = Server::start(&format!("damaged-{seed}"));
    let start_ms = now_ms() / INTERVAL_MS * INTERVAL_MS - BEFORE_MS;
    for number in 0..POLLS {
        for host in HOSTS {
            let body = document(host, start_ms, number);
            // Again, where this machine is too busy to send it in time: that changes
            // nothing.
            wait_until("it is stored", PATIENCE, || {
                http_post(server.agent_port, RECEIVE_PATH, &JSON, &body)
                    .is_ok_and(|answer| answer.status == 200)
            });
        }
    }
    // A clean stop leaves no log; a kill leaves all in it.
    if dice.one_in(3) {
        let process = server.daemon.pid();
        send_signal(process, libc::SIGKILL);
        wait_until("it is dead", PATIENCE, || !is_alive(process));
    } else {
        server.daemon.stop();
        // Sealed chunks and roll-ups are damaged too.
        if dice.one_in(2) {
            let compacted = server.daemon.run(&["--compact"]);
            assert_eq!(compacted.code, 0, "{compacted:?}");
        }
    }
    let (what, is_log) = damage(&server.data(), &mut dice);
    let started = server.daemon.run(&["--start"]);
    if started.code != 0 {
        let said = started.stderr.contains(DATABASE) || started.stderr.contains("database");
        let reason = started.stderr.trim().to_owned();
        let outcome = if said { Ok(Outcome::Refused) } else { Err(format!("refused: {reason:?}")) };
        return (what, outcome);
    }
    let outcome = look(&server, start_ms, is_log);
    (what, outcome)
}

fn value(number: u64, host: usize, key: usize) -> f64 {
    (number * 100 + host as u64 * 10 + key as u64) as f64
}

fn document(host: &str, start_ms: u64, number: u64) -> Vec<u8> {
    let mut series = series_of_host(host);
    let at_ms = start_ms + number * INTERVAL_MS;
    let mut writer = DocumentWriter::new(&mut series, INTERVAL_MS);
    let place = HOSTS.iter().position(|name| *name == host).unwrap_or(0);
    for (key, name) in KEYS.iter().enumerate() {
        let value = value(number, place, key);
        writer.push(&DataPoint::new(name, DataType::Gauge, value), at_ms);
    }
    writer.finish(at_ms)
}

/// Damages the database or its log. What was done, and whether to the log.
fn damage(data: &Path, dice: &mut Dice) -> (String, bool) {
    let log = data.join(format!("{DATABASE}-wal"));
    let has_log = fs::metadata(&log).is_ok_and(|log| log.len() > 0);
    let is_log = has_log && dice.one_in(2);
    let path = if is_log { log } else { data.join(DATABASE) };
    let mut bytes = fs::read(&path).expect("a file of the database");
    let mut place = || usize::try_from(dice.below(bytes.len() as u64)).unwrap_or(0);
    let (at, more) = (place(), [place(), place()]);
    let what = match dice.below(4) {
        0 => {
            bytes.truncate(at);
            format!("cut at byte {at}")
        }
        1 => {
            let end = bytes.len().min(at + 512);
            bytes[at..end].fill(0);
            format!("zeros at byte {at}")
        }
        2 => {
            bytes[at] ^= 1 << dice.below(8);
            format!("a bit flipped at byte {at}")
        }
        _ => {
            for place in more {
                bytes[place] ^= 1 << dice.below(8);
            }
            format!("bits flipped at bytes {more:?}")
        }
    };
    fs::write(&path, bytes).expect("a file of the database");
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    (format!("{name}: {what}"), is_log)
}

fn look(server: &Server, start_ms: u64, is_log: bool) -> Result<Outcome, String> {
    let mut told = false;
    let mut missing = BTreeMap::new();
    for (host_place, host) in HOSTS.iter().enumerate() {
        for (key_place, key) in KEYS.iter().enumerate() {
            // An answer that is an error tells of it too.
            let answer = answered(server, host, key, start_ms);
            let (damaged, found) = answer.unwrap_or((true, Vec::new()));
            told |= damaged;
            let all: Vec<(u64, f64)> = (0..POLLS)
                .map(|number| {
                    (start_ms + number * INTERVAL_MS, value(number, host_place, key_place))
                })
                .collect();
            if let Some(wrong) = found.iter().find(|point| !all.contains(point)) {
                return Err(format!("{key} of {host}: {wrong:?} was never posted"));
            }
            if found.len() < all.len() {
                let is_end = all.starts_with(&found);
                missing.insert(format!("{key} of {host}"), (found.len(), is_end));
            }
        }
    }
    if missing.is_empty() {
        return Ok(Outcome::Harmless);
    }
    if is_log && missing.values().all(|(_, is_end)| *is_end) {
        return Ok(Outcome::LogCutShort);
    }
    let checked = server.daemon.run(&["--check"]);
    told |= checked.code != 0;
    if told {
        Ok(Outcome::Told)
    } else {
        Err(format!("missing without a word: {missing:?}; {checked:?}"))
    }
}

/// Whether damage was named, and the samples; an error if the answer is one.
fn answered(
    server: &Server,
    host: &str,
    key: &str,
    start_ms: u64,
) -> Result<(bool, Vec<(u64, f64)>), ()> {
    let data = query(
        server,
        &format!(
            "{{ findDatapoints(key: \"{key}\", target: \"{host}\") {{ edges {{ node {{ idxDatapoint }} }} }} }}"
        ),
    )?;
    let edges = data["findDatapoints"]["edges"].as_array().ok_or(())?;
    let [edge] = &edges[..] else { return Ok((false, Vec::new())) };
    let series = edge["node"]["idxDatapoint"].as_str().ok_or(())?;
    let end_ms = start_ms + (POLLS + 1) * INTERVAL_MS;
    let data = query(
        server,
        &format!(
            "{{ points(idxDatapoint: [\"{series}\"], from: {start_ms}.0, to: {end_ms}.0) \
         {{ step damaged points {{ timestamp value }} }} }}"
        ),
    )?;
    let drawn = &data["points"][0];
    let damaged = drawn["damaged"].as_array().is_some_and(|damaged| !damaged.is_empty());
    Ok((damaged, crate::points(drawn)))
}

fn query(server: &Server, query: &str) -> Result<Value, ()> {
    let body = serde_json::json!({ "query": query }).to_string();
    let path = "/pattoo/api/v1/web/graphql";
    let answer = http_post(server.web_port, path, &JSON, body.as_bytes());
    // An answer there must be, whatever it says.
    let answer = answer.expect("the server answers");
    let whole: Value = serde_json::from_slice(&answer.body).map_err(|_| ())?;
    if whole.get("errors").is_some() || whole["data"].is_null() {
        return Err(());
    }
    Ok(whole["data"].clone())
}
