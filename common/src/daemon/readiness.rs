//! How the daemon tells the process that started it that it serves, or why it
//! does not: a pipe that is the daemon's stderr until then. So what a library
//! or a panic prints before that reaches the person too.

use std::fs::OpenOptions;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::time::Instant;

use crate::descriptor::{close_inherited, readable_by, replace_standard};

/// Text of a daemon that is to be shown is cut after this many bytes.
const TEXT_LIMIT: usize = 16 * 1024;

/// Comes after the text; behind it stands the code of the outcome.
const END_OF_TEXT: u8 = 0;
const READY: u8 = b'R';
const FAILED: u8 = b'F';
const TAKEN: u8 = b'T';

/// What the starter learns.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It serves. The text is what it printed on the way.
    Ready(String),
    /// It does not; the text says why.
    Failed(String),
    /// Another one holds the lock.
    Taken,
    /// It ended without a word, but for this text.
    Ended(String),
    /// It did not say anything in time, but for this text.
    TimedOut(String),
}

/// The starter's end.
pub(super) struct Starter(PipeReader);

/// The daemon's end.
pub(super) struct Reporter(PipeWriter);

/// The daemon's end once it is its stderr.
pub(super) struct Attached(io::Stderr);

/// Makes both ends.
pub(super) fn channel() -> io::Result<(Starter, Reporter)> {
    let (reader, writer) = io::pipe()?;
    Ok((Starter(reader), Reporter(writer)))
}

impl Starter {
    /// Waits until the daemon has closed its end.
    pub(super) fn wait(mut self, deadline: Instant) -> Outcome {
        let mut heard = Vec::new();
        let mut chunk = [0; 1024];
        let in_time = loop {
            match readable_by(&self.0, deadline) {
                Ok(true) => {}
                Ok(false) | Err(_) => break false,
            }
            match self.0.read(&mut chunk) {
                Ok(0) => break true,
                Ok(length) => {
                    heard.extend_from_slice(&chunk[..length]);
                    // The end is what counts: the outcome stands there.
                    let surplus = heard.len().saturating_sub(TEXT_LIMIT);
                    heard.drain(..surplus);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break false,
            }
        };
        understand(&heard, in_time)
    }
}

fn understand(heard: &[u8], in_time: bool) -> Outcome {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    match heard {
        [said @ .., END_OF_TEXT, READY] => Outcome::Ready(text(said)),
        [said @ .., END_OF_TEXT, FAILED] => Outcome::Failed(text(said)),
        [.., END_OF_TEXT, TAKEN] => Outcome::Taken,
        said if in_time => Outcome::Ended(text(said)),
        said => Outcome::TimedOut(text(said)),
    }
}

impl Reporter {
    /// Lets go of all that was inherited: stderr becomes the pipe, stdin and
    /// stdout /dev/null, and everything else is closed. `None`: that failed,
    /// and the starter was told.
    pub(super) fn attach(self) -> Option<Attached> {
        if let Err(error) = replace_standard(libc::STDERR_FILENO, &self.0) {
            self.failed(&format!("cannot put the readiness pipe behind stderr: {error}"));
            return None;
        }
        let attached = Attached(io::stderr());
        // Closed here, by its owner; stderr is its other name.
        drop(self);
        close_inherited();
        let replaced = null().and_then(|null| {
            replace_standard(libc::STDIN_FILENO, &null)?;
            replace_standard(libc::STDOUT_FILENO, &null)
        });
        match replaced {
            Ok(()) => Some(attached),
            Err(error) => {
                attached.failed(&format!("cannot put /dev/null behind stdin and stdout: {error}"));
                None
            }
        }
    }

    /// Tells why there will be no daemon, before [`Reporter::attach`].
    pub(super) fn failed(mut self, reason: &str) {
        let _ = self.0.write_all(format!("{reason}\0{}", char::from(FAILED)).as_bytes());
    }
}

impl Attached {
    /// Tells that the daemon serves, with stderr already on /dev/null, so that
    /// the starter finds it so. An error: nobody listens any more.
    pub(super) fn ready(self) -> io::Result<()> {
        let mut pipe = PipeWriter::from(self.0.as_fd().try_clone_to_owned()?);
        replace_standard(libc::STDERR_FILENO, &null()?)?;
        pipe.write_all(&[END_OF_TEXT, READY])
    }

    /// Tells why there will be no daemon.
    pub(super) fn failed(mut self, reason: &str) {
        let _ = self.0.write_all(format!("{reason}\0{}", char::from(FAILED)).as_bytes());
    }

    /// Tells that another process holds the lock.
    pub(super) fn taken(mut self) {
        let _ = self.0.write_all(&[END_OF_TEXT, TAKEN]);
    }
}

fn null() -> io::Result<std::fs::File> {
    OpenOptions::new().read(true).write(true).open("/dev/null")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn heard(said: &[u8], close: bool) -> Outcome {
        let (starter, mut reporter) = channel().unwrap();
        reporter.0.write_all(said).unwrap();
        if close {
            drop(reporter);
            return starter.wait(Instant::now() + Duration::from_secs(30));
        }
        let outcome = starter.wait(Instant::now());
        drop(reporter);
        outcome
    }

    #[test]
    fn the_outcome_is_told_with_what_was_printed_before_it() {
        assert_eq!(heard(b"hint\n\0R", true), Outcome::Ready("hint".to_owned()));
        assert_eq!(heard(b"why\0F", true), Outcome::Failed("why".to_owned()));
        assert_eq!(heard(b"\0T", true), Outcome::Taken);
    }

    #[test]
    fn an_end_without_a_word_is_not_taken_for_readiness() {
        assert_eq!(heard(b"", true), Outcome::Ended(String::new()));
        assert_eq!(heard(b"thread panicked", true), Outcome::Ended("thread panicked".to_owned()));
        assert_eq!(heard(b"\0", true), Outcome::Ended("\0".to_owned()));
    }

    #[test]
    fn one_that_keeps_the_pipe_open_is_waited_for_until_the_deadline() {
        assert_eq!(heard(b"", false), Outcome::TimedOut(String::new()));
    }

    #[test]
    fn endless_text_is_cut_and_the_outcome_still_found() {
        let (starter, mut reporter) = channel().unwrap();
        let writer = std::thread::spawn(move || {
            reporter.0.write_all(&vec![b'x'; 10 * TEXT_LIMIT]).unwrap();
            reporter.failed("y");
        });
        let Outcome::Failed(text) = starter.wait(Instant::now() + Duration::from_secs(30)) else {
            panic!("not told that it failed");
        };
        assert!(text.len() <= TEXT_LIMIT && text.ends_with("xy"));
        writer.join().unwrap();
    }
}
