//! `--explain`: what each source read, found, took and lacked, for a person at a
//! terminal.

use std::fmt::Write;

use crate::collector::{Collected, SourceReport};
use crate::journal::Found;
use crate::source::Roots;

/// Examples of a source's datapoints.
const EXAMPLES: usize = 4;

/// Files of a source that are named; those without permission first.
const FILES: usize = 8;

/// A paragraph a source: its state and cost, its files, and its first datapoints.
pub(crate) fn explain(roots: &Roots, collected: &Collected) -> String {
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
        tell_files(source, &mut text);
        if source.name == "process_count" && hides_processes(roots) {
            let _ = writeln!(text, "    {HIDDEN}");
        }
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

/// One line a file. What could not be read is what a person looks for.
fn tell_files(source: &SourceReport, text: &mut String) {
    let mut files: Vec<_> = source.files.iter().collect();
    files.sort_by_key(|note| match note.found {
        Found::Denied(_) => 0,
        Found::Failed(_) => 1,
        Found::Bytes(_) | Found::Read => 2,
        Found::Absent => 3,
    });
    for note in files.iter().take(FILES) {
        let _ = writeln!(text, "    {}: {}", note.path.display(), note.found);
    }
    if files.len() > FILES {
        let _ = writeln!(text, "    and {} files more", files.len() - FILES);
    }
}

/// What a count without the processes of others lacks.
const HIDDEN: &str = "no permission: process 1 is not to be seen, so the processes of other \
                      users are hidden (/proc is mounted with hidepid) and not counted; root \
                      sees them, and the group of the option gid of that mount";

/// Whether `/proc` shows this process and not the first one, which always runs.
fn hides_processes(roots: &Roots) -> bool {
    roots.proc("self").exists() && !roots.proc("1").exists()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::collector::Collector;
    use crate::source::Poll;
    use crate::sources::{self, fixture::Folder};

    fn explained(folder: &Folder) -> String {
        crate::journal::begin();
        let roots = folder.as_roots();
        let poll = Poll { client: Ipv4Addr::LOCALHOST.into(), interval_s: 300 };
        explain(&roots, &Collector::new(sources::all(&roots)).collect(poll).unwrap())
    }

    #[test]
    fn every_file_is_told_with_what_came_of_it() {
        let folder = Folder::new("explain_files");
        let loadavg = folder.file("loadavg", "0.1 0.2 0.3 1/2 3\n");
        let text = explained(&folder);
        let read = "load_average reads proc/loadavg\n    3 datapoints in ";
        assert!(text.contains(read), "{text}");
        assert!(text.contains(&format!("    {}: 18 bytes read\n", loadavg.display())), "{text}");
        let absent = folder.path.join("uptime");
        assert!(
            text.contains(&format!("    {}: there is no such file\n", absent.display())),
            "{text}"
        );
    }

    #[test]
    fn hidden_processes_are_told() {
        let folder = Folder::new("explain_hidden");
        folder.file("self/stat", "");
        assert!(explained(&folder).contains(HIDDEN));
        folder.file("1/stat", "");
        assert!(!explained(&folder).contains(HIDDEN));
    }
}
