//! What the three programs have in common around their work: command line,
//! configuration, log, daemon. A `main` is one call of [`run`].

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use log::LevelFilter;

use crate::cli::{self, Action, Job, Kind, exit};
use crate::daemon::{Daemon, Running};
use crate::logging;
use crate::version;

pub use crate::daemon::Serving;

/// What a daemon needs to know besides its work.
#[derive(Debug, Clone)]
pub struct DaemonSettings {
    /// The PID file is in the folder `pid` below it.
    pub system_daemon_directory: PathBuf,
    /// The log file is here.
    pub log_directory: PathBuf,
    /// What is logged.
    pub log_level: LevelFilter,
}

/// A configuration that was read.
#[derive(Debug)]
pub struct Configured<C> {
    /// What the program works with.
    pub configuration: C,
    /// What the daemon around it works with.
    pub settings: DaemonSettings,
    /// What a person should mend although it works: one line each.
    pub warnings: Vec<String>,
}

/// A program of ours.
pub trait Program {
    /// The name of its binary; PID file and log file are named after it.
    const NAME: &'static str;
    /// One sentence for the help.
    const ABOUT: &'static str;
    /// Which flags it has.
    const KIND: Kind;
    /// What it works with, resolved: paths are absolute, because a daemon's
    /// folder is `/`.
    type Configuration;

    /// Reads the configuration. Starts no thread and keeps no file open: the
    /// daemon forks after it. An error names file, line and key, and may have
    /// several lines.
    fn configure() -> Result<Configured<Self::Configuration>, String>;

    /// The part of the configuration that `--stop` and `--status` need, so that
    /// a mistake elsewhere does not keep anyone from stopping the daemon.
    fn settings() -> Result<DaemonSettings, String> {
        Self::configure().map(|configured| configured.settings)
    }

    /// What `--check` prints: a line for each setting, with where it is from.
    fn check(configuration: &Self::Configuration) -> Vec<String>;

    /// What `--check` looks at beyond the configuration, such as the data that
    /// it names: lines to print, or what is wrong with it.
    fn verify(configuration: &Self::Configuration) -> Result<Vec<String>, String> {
        let _ = configuration;
        Ok(Vec::new())
    }

    /// Binds, starts the threads, and returns. The error says what could not
    /// be had, and what to do.
    fn serve(configuration: Self::Configuration) -> Result<Box<dyn Serving>, String>;

    /// Does one piece of work and returns what is to be printed. Only jobs
    /// whose flags the program has come here.
    fn job(configuration: Self::Configuration, job: Job) -> Result<String, String> {
        let _ = configuration;
        Err(format!("{} cannot do this: {job:?}", Self::NAME))
    }
}

/// Does what the command line asks for.
pub fn run<P: Program>() -> ExitCode {
    let code = match cli::parse(P::KIND, std::env::args_os().skip(1)) {
        Ok(action) => perform::<P>(action),
        Err(mistake) => {
            complain(&format!(
                "{}: {mistake}\n\n{}",
                P::NAME,
                cli::help(P::KIND, P::NAME, P::ABOUT)
            ));
            exit::USAGE
        }
    };
    ExitCode::from(code)
}

fn perform<P: Program>(action: Action) -> u8 {
    match action {
        Action::Help => say(&cli::help(P::KIND, P::NAME, P::ABOUT)),
        Action::Version => say(&version::line(P::NAME)),
        Action::Status => with_settings::<P>(|settings| {
            let status = daemon::<P>(settings).status();
            if let Some(note) = status.note {
                complain(&note);
            }
            say(&status.line);
            status.code
        }),
        Action::Stop { force } => {
            with_settings::<P>(|settings| conclude(daemon::<P>(settings).stop(force)))
        }
        Action::Check => with_configuration::<P>(|configured| check::<P>(&configured)),
        Action::Start => with_configuration::<P>(start::<P>),
        // The configuration is read first: a mistake in it ends no daemon.
        Action::Restart { force } => with_configuration::<P>(|configured| {
            match daemon::<P>(&configured.settings).stop(force) {
                Ok(line) => {
                    say(&line);
                    start::<P>(configured)
                }
                failed => conclude(failed),
            }
        }),
        Action::Foreground => with_configuration::<P>(|mut configured| {
            // They are on stderr already, and there they would be logged.
            configured.warnings.clear();
            let daemon = daemon::<P>(&configured.settings);
            let level = configured.settings.log_level;
            conclude(Err(daemon.foreground(|| begin::<P>(configured, logging::to_stderr(level)))))
        }),
        Action::Job(job) => with_configuration::<P>(|configured| {
            let level = configured.settings.log_level.min(LevelFilter::Warn);
            conclude(logging::to_stderr(level).and_then(|_| P::job(configured.configuration, job)))
        }),
    }
}

fn daemon<P: Program>(settings: &DaemonSettings) -> Daemon {
    Daemon::new(P::NAME, &settings.system_daemon_directory)
}

fn log_file<P: Program>(settings: &DaemonSettings) -> PathBuf {
    settings.log_directory.join(format!("{}.log", P::NAME))
}

fn start<P: Program>(configured: Configured<P::Configuration>) -> u8 {
    let daemon = daemon::<P>(&configured.settings);
    conclude(daemon.start(|| {
        let log =
            logging::to_file(&log_file::<P>(&configured.settings), configured.settings.log_level);
        begin::<P>(configured, log)
    }))
}

fn begin<P: Program>(
    configured: Configured<P::Configuration>,
    log: Result<logging::LogOutput, String>,
) -> Result<Running, String> {
    let log = log?;
    for warning in &configured.warnings {
        log::warn!("{warning}");
    }
    Ok(Running { serving: P::serve(configured.configuration)?, log })
}

fn check<P: Program>(configured: &Configured<P::Configuration>) -> u8 {
    let settings = &configured.settings;
    let mut lines = P::check(&configured.configuration);
    lines.push(format!("PID file: {}", daemon::<P>(settings).pid_file().display()));
    lines.push(format!(
        "log file: {} (level {})",
        log_file::<P>(settings).display(),
        settings.log_level.as_str().to_lowercase()
    ));
    let verified = P::verify(&configured.configuration);
    lines.extend(verified.as_ref().into_iter().flatten().cloned());
    let said = say(&lines.join("\n"));
    match verified {
        Ok(_) => said,
        failed => conclude(failed.map(|_| String::new())),
    }
}

fn with_settings<P: Program>(act: impl FnOnce(&DaemonSettings) -> u8) -> u8 {
    match P::settings() {
        Ok(settings) => act(&absolute(settings)),
        Err(mistake) => wrong_configuration(&mistake),
    }
}

fn with_configuration<P: Program>(act: impl FnOnce(Configured<P::Configuration>) -> u8) -> u8 {
    match P::configure() {
        Ok(mut configured) => {
            for warning in &configured.warnings {
                complain(&format!("warning: {warning}"));
            }
            configured.settings = absolute(configured.settings);
            act(configured)
        }
        Err(mistake) => wrong_configuration(&mistake),
    }
}

/// A daemon's folder is `/`, so paths are taken from where the person is.
fn absolute(settings: DaemonSettings) -> DaemonSettings {
    let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
    DaemonSettings {
        system_daemon_directory: absolute(settings.system_daemon_directory),
        log_directory: absolute(settings.log_directory),
        log_level: settings.log_level,
    }
}

fn wrong_configuration(mistake: &str) -> u8 {
    complain(mistake);
    exit::USAGE
}

fn conclude(outcome: Result<String, String>) -> u8 {
    match outcome {
        Ok(text) => say(&text),
        Err(reason) => {
            complain(&reason);
            exit::FAILED
        }
    }
}

/// Prints on stdout. That it could not be written is a failure; a reader that
/// went away (`| head`) got what it wanted.
fn say(text: &str) -> u8 {
    let mut stdout = io::stdout().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    match stdout.write_all(text.as_bytes()).and_then(|()| {
        stdout.write_all(newline.as_bytes())?;
        stdout.flush()
    }) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("cannot write to stdout: {error}"));
            exit::FAILED
        }
        _ => exit::DONE,
    }
}

/// Prints on stderr; there is nowhere to tell that this failed.
fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{}", text.trim_end());
}
