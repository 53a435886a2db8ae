//! `--explain`: what each source read, found, took and lacked, for a person at a
//! terminal.

use std::fmt::Write;

use crate::collector::Collected;

/// Examples of a source's datapoints.
const EXAMPLES: usize = 4;

/// A paragraph a source: its state and cost, and its first datapoints.
pub(crate) fn explain(collected: &Collected) -> String {
    let mut text = String::new();
    let mut points = collected.points.iter();
    // Writing to a String cannot fail.
    for source in &collected.sources {
        let _ = writeln!(
            text,
            "{} reads {}\n    {} datapoints in {} µs: {}",
            source.name,
            source.reads,
            source.datapoints,
            source.duration.as_micros(),
            source.state
        );
        let own: Vec<_> = points.by_ref().take(source.datapoints).collect();
        for (_, point) in own.iter().take(EXAMPLES) {
            let _ = write!(text, "        {} = {}", point.key, point.value);
            if let Some((_, value)) = point.metadata.as_ref().and_then(|m| m.pairs.first()) {
                let _ = write!(text, "  ({value})");
            }
            text.push('\n');
        }
        if own.len() > EXAMPLES {
            let _ = writeln!(text, "        and {} more", own.len() - EXAMPLES);
        }
        if source.left_out > 0 {
            let _ = writeln!(text, "        {} left out: no answer has room", source.left_out);
        }
    }
    text.pop();
    text
}
