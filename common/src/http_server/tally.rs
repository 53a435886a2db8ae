//! What the log says of clients that went wrong: the first of a kind at once, a flood
//! of them as counts, at most once a minute.

use std::fmt::Display;
use std::time::Instant;

use super::limits::TALLY_TIME;

/// What may happen a thousand times a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// A request was answered by the gate itself: malformed, too big, too late.
    Refused,
    /// A client did not take its answer in time.
    NotTaken,
    /// A client was closed to make room for others.
    Displaced,
    /// A client is not allowed in.
    NotAdmitted,
    /// accept(2) or poll(2) failed: no descriptor, no memory.
    NoDescriptor,
}

/// How each event is called, in the order of [`Event`].
const NAMES: [&str; 5] = [
    "refused",
    "did not take their answer",
    "closed to make room",
    "not in allow_from",
    "times out of descriptors",
];

#[derive(Debug)]
pub(super) struct Tally {
    server: String,
    untold: [u64; NAMES.len()],
    /// What was told in full since it was last quiet.
    known: [bool; NAMES.len()],
    told: Option<Instant>,
}

impl Tally {
    pub(super) fn new(server: String) -> Self {
        Self { server, untold: [0; NAMES.len()], known: [false; NAMES.len()], told: None }
    }

    /// The address in the lines.
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Counts an event. `detail` is told of the first of its kind after a while.
    pub(super) fn note(&mut self, event: Event, now: Instant, detail: impl Display) {
        let is_quiet = self.told.is_none_or(|told| now >= told + TALLY_TIME);
        if is_quiet && self.deadline().is_none() {
            self.known = [false; NAMES.len()];
            self.told = Some(now);
        }
        if self.known[event as usize] {
            self.untold[event as usize] += 1;
        } else {
            self.known[event as usize] = true;
            log::warn!("http server {}: {}: {detail}", self.server, NAMES[event as usize]);
        }
    }

    /// When there is something to tell; nothing, and no wake-up, without events.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let told = self.told?;
        self.untold.iter().any(|&count| count > 0).then(|| told + TALLY_TIME)
    }

    /// Tells what is due, and gives it back for the tests.
    pub(super) fn tell(&mut self, now: Instant) -> Option<String> {
        self.deadline().filter(|&due| now >= due)?;
        let counts: Vec<String> = NAMES
            .iter()
            .zip(self.untold)
            .filter(|&(_, count)| count > 0)
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        let line = format!("http server {}: since then: {}", self.server, counts.join(", "));
        log::warn!("{line}");
        self.untold = [0; NAMES.len()];
        self.told = Some(now);
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_a_minute_and_none_when_it_is_over() {
        let mut tally = Tally::new("[::1]:5000".into());
        let start = Instant::now();
        assert_eq!(tally.deadline(), None);
        tally.note(Event::Refused, start, "told at once");
        assert_eq!(tally.deadline(), None, "nothing is left to tell");
        tally.note(Event::Displaced, start, "another kind is told at once too");
        assert_eq!(tally.deadline(), None, "nothing is left to tell");
        for _ in 0..1000 {
            tally.note(Event::Displaced, start, "");
        }
        tally.note(Event::Refused, start + TALLY_TIME, "late, but after others");
        assert_eq!(tally.deadline(), Some(start + TALLY_TIME));
        assert_eq!(tally.tell(start + TALLY_TIME / 2), None);
        let line = tally.tell(start + TALLY_TIME).unwrap();
        assert!(line.ends_with("[::1]:5000: since then: 1 refused, 1000 closed to make room"));
        assert_eq!(tally.deadline(), None);
        assert_eq!(tally.tell(start + 9 * TALLY_TIME), None);
    }
}
