//! The log: simplelog's lines in a file that can be reopened, or on stderr.
//!
//! A line has a limit, and holds no control characters of what peers sent.
//! Logging never panics and never fails its caller: lines that cannot be
//! written are counted, and the next one that can be says so.

mod line;
mod output;

use std::panic::{self, PanicHookInfo};
use std::path::Path;

use log::{LevelFilter, Log, Metadata, Record};
use simplelog::{ConfigBuilder, WriteLogger};

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
        .set_time_format_rfc3339()
        .set_thread_level(LevelFilter::Off)
        .set_target_level(LevelFilter::Debug)
        .set_location_level(LevelFilter::Off)
        .build();
    log::set_boxed_logger(Box::new(Logger(WriteLogger::new(level, config, output))))
        .map_err(|error| format!("cannot log: {error}"))?;
    log::set_max_level(level);
    Ok(())
}

/// Makes one bounded line of each record before simplelog takes its lock, so
/// that nothing that others wrote runs under it.
struct Logger(Box<WriteLogger<LogOutput>>);

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = one_line(record.args());
            self.0.log(
                &Record::builder()
                    .metadata(record.metadata().clone())
                    .args(format_args!("{line}"))
                    .build(),
            );
        }
    }

    fn flush(&self) {
        self.0.flush();
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
