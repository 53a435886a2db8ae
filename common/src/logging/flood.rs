//! A flood of lines becomes a count: past so many lines a minute from one place of
//! the program, those that follow are told as a number.
//!
//! No timer runs for it: what is withheld is told with the next line of any place,
//! once its minute is over.

use std::time::{Duration, Instant};

use log::{Level, Metadata};
use rustc_hash::FxHashMap;

/// Lines of one place that are written in one period.
pub(super) const LINES: u32 = 200;
/// See [`LINES`].
const PERIOD: Duration = Duration::from_mins(1);
/// Bytes of the first line that the count shows.
const SHOWN_BYTES: usize = 120;

/// A place of the program: file and line.
pub(super) type Place = (&'static str, u32);

/// A line that tells of withheld ones: its level, its target, and the text.
pub(super) type Told = (Level, String, String);

/// What each place has written of late.
#[derive(Debug, Default)]
pub(super) struct Flood {
    periods: FxHashMap<Place, Period>,
    /// Whether any place withholds lines: looked for only then.
    withholds: bool,
}

#[derive(Debug)]
struct Period {
    began: Instant,
    lines: u32,
    withheld: Option<Withheld>,
}

#[derive(Debug)]
struct Withheld {
    count: u64,
    level: Level,
    target: String,
    first: String,
}

impl Flood {
    /// Whether a line may be written, and what is to be written before it.
    pub(super) fn pass(
        &mut self,
        place: Place,
        metadata: &Metadata<'_>,
        line: &str,
        now: Instant,
    ) -> (bool, Vec<Told>) {
        let told = if self.withholds { self.tell(now) } else { Vec::new() };
        let fresh = || Period { began: now, lines: 0, withheld: None };
        let period = self.periods.entry(place).or_insert_with(fresh);
        if now >= period.began + PERIOD {
            *period = fresh();
        }
        if period.lines < LINES {
            period.lines += 1;
            return (true, told);
        }
        let withheld = period.withheld.get_or_insert_with(|| Withheld {
            count: 0,
            level: metadata.level(),
            target: metadata.target().to_owned(),
            first: line[..line.floor_char_boundary(SHOWN_BYTES)].to_owned(),
        });
        withheld.count += 1;
        self.withholds = true;
        (false, told)
    }

    /// What was withheld in periods that are over.
    fn tell(&mut self, now: Instant) -> Vec<Told> {
        let mut told = Vec::new();
        self.withholds = false;
        for period in self.periods.values_mut() {
            if now < period.began + PERIOD {
                self.withholds |= period.withheld.is_some();
            } else if let Some(Withheld { count, level, target, first }) = period.withheld.take() {
                let seconds = (now - period.began).as_secs();
                told.push((level, target, format!(
                    "and {count} more like it in the last {seconds} s, the first of them: {first}"
                )));
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(flood: &mut Flood, line: u32, now: Instant) -> (bool, Vec<Told>) {
        let metadata = Metadata::builder().level(Level::Warn).target("pattoo").build();
        flood.pass(("file.rs", line), &metadata, &format!("line of {line}"), now)
    }

    #[test]
    fn a_flood_is_a_count_and_hides_no_other_line() {
        let (mut flood, start) = (Flood::default(), Instant::now());
        for _ in 0..LINES {
            assert_eq!(pass(&mut flood, 1, start), (true, vec![]));
        }
        for _ in 0..412 {
            assert_eq!(pass(&mut flood, 1, start + PERIOD / 2), (false, vec![]));
        }
        assert_eq!(pass(&mut flood, 2, start + PERIOD / 2), (true, vec![]), "another place");
        // The flood is over; any line brings its count.
        let (may_pass, told) = pass(&mut flood, 2, start + PERIOD);
        let text = "and 412 more like it in the last 60 s, the first of them: line of 1";
        let wanted = (Level::Warn, "pattoo".to_owned(), text.to_owned());
        assert_eq!((may_pass, told), (true, vec![wanted]));
        assert_eq!(pass(&mut flood, 1, start + PERIOD), (true, vec![]));
    }
}
