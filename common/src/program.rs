//! What the three programs have in common around their work: command line,
//! configuration, log, daemon. A `main` is one call of [`run`].

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use log::LevelFilter;

use crate::cli::{self, Action, Job, Kind, exit};
use crate::confine::{self, Confined};
use crate::daemon::{Daemon, Running, Serving};
use crate::last_words;
use crate::logging::{self, LogOutput};
use crate::rights::{self, Rights};
use crate::version;

pub use crate::daemon::Health;

/// What a daemon needs to know besides its work.
#[derive(Debug, Clone)]
pub struct DaemonSettings {
    /// The PID file is in the folder `pid` below it.
    pub system_daemon_directory: PathBuf,
    /// The log file is here.
    pub log_directory: PathBuf,
    /// What is logged.
    pub log_level: LevelFilter,
    /// A log file that is larger gives way to a new one.
    pub log_max_bytes: u64,
    /// Whom it becomes once it has bound; `None`: nobody else.
    pub user: Option<String>,
    /// The group in place of the user's own.
    pub group: Option<String>,
    /// Where it may write is bounded by the kernel too, if the kernel can.
    pub landlock: bool,
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
    /// The files that were read, and are read again on SIGHUP.
    pub files: Vec<PathBuf>,
    /// Those of them that hold keys. One that is lost later must not make defaults of
    /// what it said.
    pub files_with_keys: Vec<PathBuf>,
}

/// What a program is while it serves; `C` is its configuration.
pub trait Service<C>: Send {
    /// Closes what it listens on and ends what should not end in the middle,
    /// within a few hundred milliseconds; it is not waited for longer. The
    /// process ends after it, and its lock is free a moment before the kernel
    /// closes its sockets: what is still open then may refuse its port to a
    /// start at that very moment.
    fn shutdown(&mut self);

    /// Takes over what it can of a configuration that was read again and found
    /// good, and says in the log what needs a restart. Must return soon: no signal
    /// is obeyed meanwhile.
    fn reload(&mut self, configuration: C);

    /// How to find out whether it does its work.
    fn health(&self) -> Health;
}

/// A program of ours.
pub trait Program: 'static {
    /// The name of its binary; PID file and log file are named after it.
    const NAME: &'static str;
    /// One sentence for the help.
    const ABOUT: &'static str;
    /// Which flags it has.
    const KIND: Kind;
    /// What it works with, resolved: paths are absolute, because a daemon's
    /// folder is `/`.
    type Configuration;
    /// What only root may have: sockets at privileged ports.
    type Bound;

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

    /// The folders that it writes to besides those of log and PID file; absolute.
    fn folders(configuration: &Self::Configuration) -> Vec<PathBuf> {
        let _ = configuration;
        Vec::new()
    }

    /// Takes what only root may have, before root's rights are given up. Starts no
    /// thread. The error says what could not be had, and what to do.
    fn bind(configuration: &Self::Configuration) -> Result<Self::Bound, String>;

    /// Starts the threads, and returns.
    fn serve(
        configuration: Self::Configuration,
        bound: Self::Bound,
    ) -> Result<Box<dyn Service<Self::Configuration>>, String>;

    /// Does one piece of work and returns what is to be printed. Only jobs
    /// whose flags the program has come here.
    fn job(configuration: Self::Configuration, job: Job) -> Result<String, String> {
        let _ = configuration;
        Err(format!("{} cannot do this: {job:?}", Self::NAME))
    }
}

/// Does what the command line asks for.
pub fn run<P: Program>() -> ExitCode {
    if let Err(error) = last_words::prepare(P::NAME) {
        complain(&format!("{}: a fault would go without a word: {error}", P::NAME));
    }
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
            conclude(lean::<P>(&configured).and_then(|rights| {
                let begin = || begin::<P>(configured, &rights, logging::to_stderr(level));
                Err(daemon.foreground(begin))
            }))
        }),
        Action::Job(job) => with_configuration::<P>(|configured| {
            let level = configured.settings.log_level.min(LevelFilter::Warn);
            conclude(logging::to_stderr(level).and_then(|_| {
                // Whoever keeps a copy chooses a place where only he may write.
                if !matches!(job, Job::Backup(_)) {
                    lean::<P>(&configured)?.give_up()?;
                }
                P::job(configured.configuration, job)
            }))
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
    conclude(lean::<P>(&configured).and_then(|rights| {
        daemon.start(|| {
            let settings = &configured.settings;
            let log = logging::to_file(&log_file::<P>(settings), settings.log_level);
            begin::<P>(configured, &rights, log)
        })
    }))
}

/// Makes the folders of the daemon and leans towards its user, so that all that it
/// has on the disk, its lock included, is that user's.
fn lean<P: Program>(configured: &Configured<P::Configuration>) -> Result<Rights, String> {
    let rights = Rights::of(&configured.settings)?;
    rights.lean(&folders::<P>(configured))?;
    Ok(rights)
}

fn begin<P: Program>(
    configured: Configured<P::Configuration>,
    rights: &Rights,
    log: Result<LogOutput, String>,
) -> Result<Running, String> {
    let log = log?;
    log.set_max_bytes(configured.settings.log_max_bytes);
    for warning in &configured.warnings {
        log::warn!("{warning}");
    }
    for reason in rights.unreadable(&configured.files) {
        log::warn!("{reason}; so SIGHUP cannot read the configuration again");
    }
    let bound = rights.as_root(|| P::bind(&configured.configuration))?;
    rights.give_up()?;
    rights.tell();
    confine(&configured.settings, &folders::<P>(&configured));
    let service = P::serve(configured.configuration, bound)?;
    let files_with_keys = configured.files_with_keys;
    let served = Served::<P> { service, log: log.clone(), files_with_keys };
    Ok(Running { serving: Box::new(served), log })
}

/// A program that serves, as the daemon around it sees it.
struct Served<P: Program> {
    service: Box<dyn Service<P::Configuration>>,
    log: LogOutput,
    /// Those that the running configuration is from.
    files_with_keys: Vec<PathBuf>,
}

impl<P: Program> Served<P> {
    /// The configuration, read anew. One that lacks a file that the running one is
    /// from is a mistake: nobody takes out a secret, or a limit, by losing a file.
    fn configure_again(&self) -> Result<Configured<P::Configuration>, String> {
        let configured = P::configure()?;
        let lost = self.files_with_keys.iter().filter_map(|file| {
            let what = match file.try_exists() {
                _ if configured.files_with_keys.contains(file) => return None,
                Ok(false) => "is gone",
                _ => "holds no key any more",
            };
            Some(format!(
                "{}: {what}, and the running configuration is from it; write it again, or \
                 restart to run without it",
                file.display()
            ))
        });
        let lost: Vec<String> = lost.collect();
        if lost.is_empty() { Ok(configured) } else { Err(lost.join("\n")) }
    }
}

impl<P: Program> Serving for Served<P> {
    fn shutdown(&mut self) {
        self.service.shutdown();
    }

    /// A bad configuration changes nothing.
    fn reload(&mut self) {
        match self.configure_again() {
            Ok(configured) => {
                for warning in &configured.warnings {
                    log::warn!("SIGHUP: {warning}");
                }
                self.files_with_keys = configured.files_with_keys;
                logging::set_level(configured.settings.log_level);
                self.log.set_max_bytes(configured.settings.log_max_bytes);
                self.service.reload(configured.configuration);
            }
            Err(mistake) => {
                for line in mistake.lines() {
                    log::error!("SIGHUP: {line}");
                }
                log::error!("SIGHUP: the configuration is not taken over; the old one goes on");
            }
        }
    }

    fn health(&self) -> Health {
        self.service.health()
    }
}

/// All folders that the daemon writes to.
fn folders<P: Program>(configured: &Configured<P::Configuration>) -> Vec<PathBuf> {
    let settings = &configured.settings;
    let pid_file = daemon::<P>(settings).pid_file().to_owned();
    let mut folders = P::folders(&configured.configuration);
    folders.push(settings.log_directory.clone());
    folders.extend(pid_file.parent().map(Path::to_owned));
    folders
}

/// Lays the bonds that last. A kernel without them is no reason not to serve.
fn confine(settings: &DaemonSettings, folders: &[PathBuf]) {
    if let Err(error) = confine::no_new_privileges() {
        log::info!("this kernel cannot keep programs from gaining rights: {error}");
    }
    rights::make_own_folders(folders);
    if !settings.landlock {
        log::info!("landlock is off: the kernel does not bound where it may write");
        return;
    }
    match confine::landlock(folders) {
        Ok(Confined::Landlock(version)) => log::info!(
            "Landlock (version {version}) holds: no program is started, and nothing is written but \
             below {}",
            folders
                .iter()
                .map(|folder| folder.display().to_string())
                .collect::<Vec<_>>()
                .join(", ")
        ),
        Ok(Confined::NoLandlock(error)) => {
            log::info!("this kernel has no Landlock, or has it switched off: {error}");
        }
        Err(error) => log::warn!("{error}; the kernel does not bound where it may write"),
    }
}

fn check<P: Program>(configured: &Configured<P::Configuration>) -> u8 {
    let settings = &configured.settings;
    let mut lines = P::check(&configured.configuration);
    let rights = match Rights::of(settings) {
        Ok(rights) => rights,
        Err(mistake) => return wrong_configuration(&mistake),
    };
    lines.extend(rights.check());
    lines.push(format!("PID file: {}", daemon::<P>(settings).pid_file().display()));
    lines.push(format!(
        "log file: {} (level {})",
        log_file::<P>(settings).display(),
        settings.log_level.as_str().to_ascii_lowercase()
    ));
    let verified = P::verify(&configured.configuration);
    lines.extend(verified.as_ref().into_iter().flatten().cloned());
    let said = say(&lines.join("\n"));
    // As the user that the daemon becomes: from here on nothing is root's.
    if let Err(reason) = rights.lean_only(&folders::<P>(configured)) {
        return wrong_configuration(&reason);
    }
    let unreadable = rights.unreadable(&configured.files).join("\n");
    if !unreadable.is_empty() {
        return wrong_configuration(&format!(
            "{unreadable}\nSIGHUP reads it again: let that user or its group read it"
        ));
    }
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
        ..settings
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
