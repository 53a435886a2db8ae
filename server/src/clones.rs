//! Two machines that post under one agent id: a machine was cloned with its agent
//! id, or a hub's folder was copied. Their figures mix into the same series, so
//! they are found, named and counted; what they post is taken all the same.
//!
//! Looked at are agents that tell of the machine they run on, spokes and hubs: one
//! that polls others has many targets by right. Of each the last few polls are
//! remembered, in the order of their timestamps, so that a hub that posts its spool
//! late confuses nothing. Two signs tell of two machines:
//!
//! - **Targets that take turns.** A machine that is renamed changes its target once.
//! - **A start that goes back.** A machine tells when it was booted, a hub when it
//!   was started; that grows with each restart. A clock that is set back does it
//!   once.
//!
//! A machine that moved, or that two hubs poll, shows neither.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pattoo_common::document::{Sample, SampleValue};
use pattoo_common::quoted::quoted;

/// Programs of which each runs on the machine that it tells of.
const PROGRAMS: &str = "pattoo_agent_linux_";
/// Keys that tell when a machine, or a hub, was started, in seconds since 1970, and
/// what they may be off: the kernel reckons the boot from the clock, which is
/// corrected now and then.
const START_KEYS: [(&str, f64); 2] = [("boot_time", 2.0), ("hub_start_time", 0.0)];

/// Polls of an agent that are remembered.
const POLLS_KEPT: usize = 8;
/// Changes of the target among them that show two machines: there, back, and there
/// again.
const TURNS: usize = 3;
/// Likewise starts that are earlier than the one before.
const STEPS_BACK: usize = 2;
/// Agents that are remembered.
const MAX_AGENTS: usize = 100_000;
/// Sightings of one document that are looked at.
const MAX_SIGHTINGS: usize = 50_000;

/// What of a document tells machines apart.
#[derive(Debug, Default)]
pub struct Sightings<'d> {
    seen: Vec<Sighting<'d>>,
    /// The agent and target of the datapoint before.
    before: Option<(Cow<'d, str>, Cow<'d, str>)>,
}

#[derive(Debug)]
struct Sighting<'d> {
    agent_id: Cow<'d, str>,
    program: Cow<'d, str>,
    timestamp_ms: u64,
    mark: Mark<'d>,
}

#[derive(Debug)]
enum Mark<'d> {
    Target(Cow<'d, str>),
    Start(Start),
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Start {
    at_s: f64,
    tolerance_s: f64,
}

impl<'d> Sightings<'d> {
    /// Looks at a datapoint; those of one poll stand together.
    pub fn look(&mut self, sample: &Sample<'d>) {
        let [_, _, agent_id, target, program] = &sample.agent;
        if !program.starts_with(PROGRAMS) || self.seen.len() >= MAX_SIGHTINGS {
            return;
        }
        let is_new = self.before.as_ref().is_none_or(|(id, of)| id != agent_id || of != target);
        if is_new {
            self.before = Some((agent_id.clone(), target.clone()));
            self.note(sample, Mark::Target(target.clone()));
        }
        if let Some((_, tolerance_s)) = START_KEYS.iter().find(|(key, _)| *key == sample.key) {
            #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are small")]
            let at_s = match sample.value {
                SampleValue::Integer(seconds) => seconds as f64,
                SampleValue::Float(seconds) => seconds,
                SampleValue::Signed(_) | SampleValue::Text(_) => return,
            };
            self.note(sample, Mark::Start(Start { at_s, tolerance_s: *tolerance_s }));
        }
    }

    fn note(&mut self, sample: &Sample<'d>, mark: Mark<'d>) {
        let [_, _, agent_id, _, program] = &sample.agent;
        let (agent_id, program) = (agent_id.clone(), program.clone());
        self.seen.push(Sighting { agent_id, program, timestamp_ms: sample.timestamp_ms, mark });
    }
}

/// What is remembered of all agents.
#[derive(Debug, Default)]
pub struct Clones(Mutex<HashMap<Box<str>, Agent>>);

#[derive(Debug, Default)]
struct Agent {
    program: Box<str>,
    /// By timestamp, as are the starts.
    targets: Vec<(u64, Arc<str>)>,
    starts: Vec<(u64, Start)>,
    /// What the log knows, and since when, by the timestamps of its polls.
    duplicate_since_ms: Option<u64>,
}

/// An agent id that two machines have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The agent id.
    pub agent_id: String,
    /// The program that has it.
    pub program: String,
    /// The targets under which it posts: one, where the clones have one name.
    pub targets: Vec<String>,
    /// Timestamp of the poll that showed it, milliseconds since 1970.
    pub since_ms: u64,
}

impl fmt::Display for Duplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { agent_id, program, targets, .. } = self;
        let (agent_id, program) = (quoted(agent_id), quoted(program));
        write!(f, "agent id {agent_id} of {program} is that of more than one machine: ")?;
        match &targets[..] {
            [one] => write!(f, "several named {}, started at different times", quoted(one)),
            several => {
                let names: Vec<_> = several.iter().map(|one| quoted(one).to_string()).collect();
                write!(f, "{} take turns", names.join(", "))
            }
        }
    }
}

impl Clones {
    /// Takes what a document showed, and says in the log what is news.
    pub fn learn(&self, sightings: Sightings<'_>) {
        let mut agents = self.lock();
        for Sighting { agent_id, program, timestamp_ms, mark } in sightings.seen {
            if !agents.contains_key(&*agent_id) {
                if agents.len() >= MAX_AGENTS {
                    continue;
                }
                let program = program.into();
                agents.insert(agent_id.clone().into(), Agent { program, ..Agent::default() });
            }
            let Some(agent) = agents.get_mut(&*agent_id) else { continue };
            agent.see(timestamp_ms, mark);
            let was = agent.duplicate_since_ms.is_some();
            if agent.is_duplicate() == was {
                continue;
            }
            agent.duplicate_since_ms = (!was).then_some(timestamp_ms);
            match agent.duplicate(&agent_id) {
                Some(duplicate) => log::warn!(
                    "{duplicate}; on all but one of them remove the folder agent_id in \
                     daemon_directory, and start its programs again"
                ),
                None => {
                    log::info!("agent id {} is that of one machine again", quoted(&agent_id));
                }
            }
        }
    }

    /// The agent ids that more than one machine has, in order.
    pub fn duplicates(&self) -> Vec<Duplicate> {
        let agents = self.lock();
        let mut found: Vec<Duplicate> =
            agents.iter().filter_map(|(agent_id, agent)| agent.duplicate(agent_id)).collect();
        found.sort_by(|one, other| one.agent_id.cmp(&other.agent_id));
        found
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().values().filter(|agent| agent.duplicate_since_ms.is_some()).count()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Agent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Agent {
    fn see(&mut self, timestamp_ms: u64, mark: Mark<'_>) {
        match mark {
            Mark::Target(target) => {
                let known = self.targets.iter().find(|(_, known)| **known == *target);
                let target = known.map_or_else(|| target.into(), |(_, known)| Arc::clone(known));
                remember(&mut self.targets, timestamp_ms, target);
            }
            Mark::Start(start) => remember(&mut self.starts, timestamp_ms, start),
        }
    }

    fn is_duplicate(&self) -> bool {
        let turns = self.targets.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
        let is_back =
            |pair: &&[(u64, Start)]| pair[1].1.at_s < pair[0].1.at_s - pair[1].1.tolerance_s;
        let steps_back = self.starts.windows(2).filter(is_back).count();
        turns >= TURNS || steps_back >= STEPS_BACK
    }

    fn duplicate(&self, agent_id: &str) -> Option<Duplicate> {
        let since_ms = self.duplicate_since_ms?;
        let mut targets: Vec<String> =
            self.targets.iter().map(|(_, target)| target.to_string()).collect();
        targets.sort();
        targets.dedup();
        let (agent_id, program) = (agent_id.to_owned(), self.program.to_string());
        Some(Duplicate { agent_id, program, targets, since_ms })
    }
}

/// Keeps the youngest. What is there already came with a post that was repeated.
fn remember<T: PartialEq>(list: &mut Vec<(u64, T)>, timestamp_ms: u64, what: T) {
    let entry = (timestamp_ms, what);
    if list.contains(&entry) {
        return;
    }
    let place = list.partition_point(|(known, _)| *known <= timestamp_ms);
    list.insert(place, entry);
    if list.len() > POLLS_KEPT {
        list.remove(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(clones: &Clones, timestamp_ms: u64, mark: Mark<'_>) {
        let (agent_id, program) = ("id".into(), "pattoo_agent_linux_spoked".into());
        let seen = vec![Sighting { agent_id, program, timestamp_ms, mark }];
        clones.learn(Sightings { seen, before: None });
    }

    fn boot(at_s: f64) -> Start {
        Start { at_s, tolerance_s: 2.0 }
    }

    fn targets(seen: &[(u64, &str)]) -> Clones {
        let clones = Clones::default();
        for (ms, target) in seen {
            see(&clones, *ms, Mark::Target((*target).into()));
        }
        clones
    }

    fn starts(seen: &[(u64, f64)]) -> Clones {
        let clones = Clones::default();
        see(&clones, 0, Mark::Target("web1".into()));
        for (ms, start) in seen {
            see(&clones, *ms, Mark::Start(boot(*start)));
        }
        clones
    }

    #[test]
    fn targets_that_take_turns_are_two_machines() {
        let clones = targets(&[(1, "a"), (2, "b"), (301, "a")]);
        assert_eq!(clones.count(), 0, "renamed, and named back");
        see(&clones, 302, Mark::Target("b".into()));
        let [found] = &clones.duplicates()[..] else { panic!("one id") };
        assert_eq!((&found.agent_id[..], found.since_ms), ("id", 302));
        assert_eq!(found.targets, ["a", "b"]);
        // One of them has an id of its own now.
        for poll in 1..=8 {
            see(&clones, 302 + poll * 300, Mark::Target("a".into()));
        }
        assert_eq!((clones.count(), clones.duplicates()), (0, vec![]));
    }

    #[test]
    fn a_thousand_clones_need_not_come_again() {
        let names: Vec<String> = (0..1_000).map(|number| format!("m{number}")).collect();
        let seen: Vec<(u64, &str)> = (0..).zip(names.iter().map(String::as_str)).collect();
        assert_eq!(targets(&seen).count(), 1);
    }

    #[test]
    fn a_renamed_machine_whose_spool_comes_late_is_one() {
        // Two hubs; one of them was away, and posts what was before the new name.
        let clones = targets(&[(100, "a"), (500, "b"), (200, "a"), (600, "b"), (300, "a")]);
        see(&clones, 700, Mark::Target("b".into()));
        see(&clones, 400, Mark::Target("a".into()));
        assert_eq!(clones.count(), 0);
    }

    #[test]
    fn a_post_that_is_repeated_is_no_second_machine() {
        let clones = targets(&[(1, "a"), (2, "b"), (1, "a"), (2, "b"), (1, "a"), (2, "b")]);
        assert_eq!(clones.count(), 0);
    }

    #[test]
    fn clones_of_one_name_are_told_by_their_starts() {
        let clones = starts(&[(1, 1_000.0), (2, 2_000.0), (301, 1_000.0), (302, 2_000.0)]);
        assert_eq!(clones.count(), 0, "a clock that was set back");
        see(&clones, 601, Mark::Start(boot(1_000.0)));
        let [found] = &clones.duplicates()[..] else { panic!("one id") };
        assert_eq!(found.targets, ["web1"]);
        assert!(found.to_string().contains("several named \"web1\""), "{found}");
    }

    #[test]
    fn reboots_in_a_row_and_a_corrected_clock_are_one_machine() {
        let reboots: Vec<(u64, f64)> = (0..20).map(|n| (n, 1_000.0 + n as f64 * 60.0)).collect();
        assert_eq!(starts(&reboots).count(), 0);
        let corrected: Vec<(u64, f64)> = (0..20).map(|n| (n, 1_000.0 - (n % 3) as f64)).collect();
        assert_eq!(starts(&corrected).count(), 0);
    }
}
