//! The log: simplelog's lines in a file that can be reopened, or on stderr.
//!
//! A line has a limit, and holds no control characters of what peers sent.
//! Logging never panics and never fails its caller: lines that cannot be
//! written are counted, and the next one that can be says so.

mod flood;
mod line;
mod output;

use std::panic::{self, PanicHookInfo};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use log::{LevelFilter, Log, Metadata, Record};
use simplelog::{ConfigBuilder, WriteLogger};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::last_words;
use flood::Flood;
use line::one_line;
pub use output::LogOutput;

/// The level that a word of the configuration means: Python's words, as in the
/// original's configuration, and our own. Lower or upper case.
pub fn level(word: &str) -> Option<LevelFilter> {
    Some(match word.to_ascii_lowercase().as_str() {
        "off" => LevelFilter::Off,
        "critical" | "fatal" | "error" => LevelFilter::Error,
        "warning" | "warn" => LevelFilter::Warn,
        "info" => LevelFilter::Info,
        "debug" => LevelFilter::Debug,
        "trace" => LevelFilter::Trace,
        _ => return None,
    })
}

/// UTC, to the millisecond.
const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// Changes what is logged.
pub fn set_level(level: LevelFilter) {
    log::set_max_level(level);
}

/// Logs to this file from now on. Its folder is made if it is not there.
pub fn to_file(path: &Path, level: LevelFilter) -> Result<LogOutput, String> {
    let output = LogOutput::file(path)?;
    install(output.clone(), level)?;
    log_panics(Panics::AlsoOnStderr);
    Ok(output)
}

/// Logs to stderr from now on.
pub fn to_stderr(level: LevelFilter) -> Result<LogOutput, String> {
    let output = LogOutput::stderr().map_err(|error| format!("cannot log to stderr: {error}"))?;
    install(output.clone(), level)?;
    log_panics(Panics::LogOnly);
    Ok(output)
}

fn install(output: LogOutput, level: LevelFilter) -> Result<(), String> {
    let config = ConfigBuilder::new()
        .set_time_format_custom(TIME)
        .set_thread_level(LevelFilter::Off)
        .set_target_level(LevelFilter::Debug)
        .set_location_level(LevelFilter::Off)
        .build();
    // The level is that of the crate `log`, which can be changed.
    let writer = WriteLogger::new(LevelFilter::Trace, config, output);
    log::set_boxed_logger(Box::new(Logger { writer, flood: Mutex::default() }))
        .map_err(|error| format!("cannot log: {error}"))?;
    set_level(level);
    Ok(())
}

/// Makes one bounded line of each record before simplelog takes its lock, so
/// that nothing that others wrote runs under it; and counts a flood instead.
struct Logger {
    writer: Box<WriteLogger<LogOutput>>,
    flood: Mutex<Flood>,
}

impl Logger {
    fn write(&self, metadata: &Metadata<'_>, line: &str) {
        self.writer.log(
            &Record::builder().metadata(metadata.clone()).args(format_args!("{line}")).build(),
        );
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = one_line(record.args());
            let place = (record.file_static().unwrap_or_default(), record.line().unwrap_or(0));
            let (may_pass, told) = self.flood.lock().unwrap_or_else(PoisonError::into_inner).pass(
                place,
                record.metadata(),
                &line,
                Instant::now(),
            );
            for (level, target, told) in told {
                let metadata = Metadata::builder().level(level).target(&target).build();
                self.write(&metadata, &told);
            }
            if may_pass {
                self.write(record.metadata(), &line);
            }
        }
    }

    fn flush(&self) {
        self.writer.flush();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Panics {
    /// Stderr is the log.
    LogOnly,
    /// Stderr is another place, where a starter may still listen.
    AlsoOnStderr,
}

/// Has panics logged, also in builds where they abort.
fn log_panics(panics: Panics) {
    let default = panic::take_hook();
    panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        last_words::are_said();
        let message = info.payload_as_str().unwrap_or("no message");
        match info.location() {
            Some(place) => log::error!("panic at {place}: {message}"),
            None => log::error!("panic: {message}"),
        }
        if panics == Panics::AlsoOnStderr {
            default(info);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_levels_of_the_original_are_understood() {
        for (word, wanted) in [
            ("debug", LevelFilter::Debug),
            ("INFO", LevelFilter::Info),
            ("warning", LevelFilter::Warn),
            ("error", LevelFilter::Error),
            ("critical", LevelFilter::Error),
        ] {
            assert_eq!(level(word), Some(wanted));
        }
        assert_eq!(level("verbose"), None);
    }
}
