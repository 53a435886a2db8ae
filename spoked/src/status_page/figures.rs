//! Figures of a poll as a person looks them up and reads them.

use std::sync::Arc;

use pattoo_common::datapoint::{DataPoint, Metadata, Value};

/// The datapoints of one poll.
#[derive(Clone, Copy)]
pub(super) struct Figures<'a>(pub(super) &'a [(u64, DataPoint)]);

/// Those of one disk, mount or interface.
pub(super) struct Group<'a> {
    metadata: &'a Arc<Metadata>,
    points: Figures<'a>,
}

impl<'a> Figures<'a> {
    /// The value of a key that the machine has once.
    pub(super) fn number(self, key: &str) -> Option<f64> {
        self.0
            .iter()
            .find(|(_, point)| point.key == key)
            .and_then(|(_, point)| number(&point.value))
    }

    /// The groups whose metadata has `key`, in their order.
    pub(super) fn groups(self, key: &str) -> Vec<Group<'a>> {
        let metadata = |index: usize| self.0[index].1.metadata.as_ref();
        let mut groups = Vec::new();
        let mut start = 0;
        while start < self.0.len() {
            let mut end = start + 1;
            while end < self.0.len() && metadata(end) == metadata(start) {
                end += 1;
            }
            if let Some(metadata) = metadata(start)
                && metadata.pairs.iter().any(|(name, _)| *name == key)
            {
                groups.push(Group { metadata, points: Figures(&self.0[start..end]) });
            }
            start = end;
        }
        groups
    }
}

impl Group<'_> {
    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.points.number(key)
    }

    pub(super) fn metadata(&self, key: &str) -> &str {
        let pair = self.metadata.pairs.iter().find(|(name, _)| *name == key);
        pair.map_or("", |(_, value)| value)
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(value) => Some(*value as f64),
        Value::Signed(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        Value::Text(_) => None,
    }
}

/// `13.4 GiB`
pub(super) fn bytes(value: f64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = value;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{value:.0} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// `12 345 678`, with narrow spaces.
pub(super) fn count(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// `3 days 4 h`, of seconds: the two largest units.
pub(super) fn duration(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates, and an uptime is not negative"
    )]
    let seconds = seconds as u64;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        (1, _, _) => format!("1 day {hours} h"),
        _ => format!("{days} days {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_for_people() {
        assert_eq!(bytes(1023.0), "1023 B");
        assert_eq!(bytes(1536.0), "1.5 KiB");
        assert_eq!(bytes(1024.0 * 1024.0 - 1.0), "1.0 MiB");
        assert_eq!(count(1_234_567.0), "1\u{202f}234\u{202f}567");
        assert_eq!(count(123.0), "123");
        assert_eq!(duration(59.9), "59 s");
        assert_eq!(duration(90_061.0), "1 day 1 h");
    }
}
