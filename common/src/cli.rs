//! The command line of every program of ours. [`FLAGS`] is the one table that
//! feeds parsing, `--help`, and whatever else describes the flags.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;

use crate::nearest::nearest;

/// Exit codes, as the Linux Standard Base has them for init scripts
/// (LSB Core 5.0, chapter 22.2).
pub mod exit {
    /// What was asked for is done.
    pub const DONE: u8 = 0;
    /// It could not be done; the reason is on stderr.
    pub const FAILED: u8 = 1;
    /// Wrong usage or configuration.
    pub const USAGE: u8 = 2;
    /// `--status`: dead, and its PID file is left.
    pub const STATUS_DEAD: u8 = 1;
    /// `--status`: stopped.
    pub const STATUS_STOPPED: u8 = 3;
    /// `--status`: it cannot be told.
    pub const STATUS_UNKNOWN: u8 = 4;
}

/// Which program reads the flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `pattoo_agent_linux_spoked`.
    Spoke,
    /// `pattoo_agent_linux_hubd`.
    Hub,
    /// `pattood`.
    Server,
}

impl Kind {
    /// One sentence of what it does, for help and manual.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Spoke => "Answers with the figures of the machine that it runs on.",
            Self::Hub => {
                "Polls the spoke of every device each interval and posts one batch to the server."
            }
            Self::Server => {
                "Takes what hubs and agents post, keeps it, and answers questions about it."
            }
        }
    }
}

/// What a program is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Fork into the background and serve.
    Start,
    /// End the running daemon; with force by SIGKILL if SIGTERM does not do.
    Stop {
        /// `--force` was given.
        force: bool,
    },
    /// Tell whether the daemon runs.
    Status,
    /// Stop, if it runs, and start.
    Restart {
        /// `--force` was given.
        force: bool,
    },
    /// Serve without a fork, logging to stderr.
    Foreground,
    /// Read the configuration and tell what will be used.
    Check,
    /// One piece of work without a daemon.
    Job(Job),
    /// Print the help.
    Help,
    /// Print name, version, commit and target.
    Version,
}

/// One piece of work that ends by itself and needs no daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// The spoke's answer, or one cycle of the hub.
    Once,
    /// What each source of the spoke read, found, took and lacked.
    Explain,
    /// A copy of the store in this file.
    Backup(PathBuf),
    /// Give unused space of the store back.
    Compact,
}

/// One flag of the command line.
#[derive(Debug)]
pub struct Flag {
    /// Its name, without the two hyphens.
    pub long: &'static str,
    /// Its letter, if it has one.
    pub short: Option<char>,
    /// What the help calls its value; `None` for a flag without one.
    pub value: Option<&'static str>,
    /// One line of help.
    pub help: &'static str,
    /// The programs that have it.
    pub kinds: &'static [Kind],
    /// What it asks for, given its value (empty without one); `None` for
    /// `--force`, which only changes another flag.
    action: Option<fn(PathBuf) -> Action>,
}

const ALL: &[Kind] = &[Kind::Spoke, Kind::Hub, Kind::Server];

const fn flag(long: &'static str, help: &'static str, action: fn(PathBuf) -> Action) -> Flag {
    Flag { long, short: None, value: None, help, kinds: ALL, action: Some(action) }
}

/// Every flag of every program, in the order of the help.
pub static FLAGS: &[Flag] = &[
    flag("start", "Start the daemon; returns when it serves", |_| Action::Start),
    flag("stop", "Stop the daemon; returns when it has ended", |_| Action::Stop { force: false }),
    flag("status", "Tell whether the daemon runs", |_| Action::Status),
    flag("restart", "Stop the daemon if it runs, and start it", |_| Action::Restart {
        force: false,
    }),
    Flag {
        action: None,
        ..flag(
            "force",
            "With --stop or --restart: kill what does not end; alone: as with --stop",
            |_| Action::Stop { force: true },
        )
    },
    flag("foreground", "Serve without going to the background; log to stderr", |_| {
        Action::Foreground
    }),
    Flag {
        kinds: &[Kind::Spoke, Kind::Hub],
        ..flag("check", "Read the configuration; tell what is wrong or what will be used", |_| {
            Action::Check
        })
    },
    Flag {
        kinds: &[Kind::Server],
        ..flag(
            "check",
            "Read configuration and the whole store (minutes, if large); tell what is wrong",
            |_| Action::Check,
        )
    },
    Flag {
        kinds: &[Kind::Spoke, Kind::Hub],
        ..flag("once", "Poll once in the foreground, print what came of it, and exit", |_| {
            Action::Job(Job::Once)
        })
    },
    Flag {
        kinds: &[Kind::Spoke],
        ..flag("explain", "Tell of each source what it read, found, took and lacked", |_| {
            Action::Job(Job::Explain)
        })
    },
    Flag {
        value: Some("FILE"),
        kinds: &[Kind::Server],
        ..flag("backup", "Copy the store to FILE, whether or not the daemon runs", |file| {
            Action::Job(Job::Backup(file))
        })
    },
    Flag {
        kinds: &[Kind::Server],
        ..flag("compact", "Give unused space of the store back to the disk", |_| {
            Action::Job(Job::Compact)
        })
    },
    Flag { short: Some('h'), ..flag("help", "Print this help", |_| Action::Help) },
    flag("version", "Print name, version, commit and target", |_| Action::Version),
];

/// The exit codes of the daemons, for the help and the manual pages.
pub static EXIT_CODES: &[(&str, &str)] = &[
    ("0", "Done; of --status: running"),
    ("1", "Failed, with the reason on stderr; of --status: dead, its PID file left"),
    ("2", "Wrong usage or configuration"),
    ("3", "Of --status: stopped"),
    ("4", "Of --status: it hangs, or it cannot be told"),
];

/// The flags that a program has.
pub fn flags(kind: Kind) -> impl Iterator<Item = &'static Flag> {
    FLAGS.iter().filter(move |flag| flag.kinds.contains(&kind))
}

/// Reads the arguments behind the program's name.
///
/// The error is a line for the person who typed them.
pub fn parse<I>(kind: Kind, arguments: I) -> Result<Action, String>
where
    I: IntoIterator,
    I::Item: Into<OsString>,
{
    let mut parser = lexopt::Parser::from_args(arguments.into_iter().map(Into::into));
    let mut chosen: Option<(&'static Flag, Action)> = None;
    let mut force = false;
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        let flag = recognise(kind, &argument)?;
        let value = match flag.value {
            None => PathBuf::new(),
            Some(name) => {
                parser.value().map_err(|_| format!("--{} needs a {name}", flag.long))?.into()
            }
        };
        let action = flag.action.map(|action| action(value));
        match (action, &chosen) {
            (None, _) => force = true,
            (Some(Action::Help), _) => return Ok(Action::Help),
            (Some(_), Some((other, _))) if !std::ptr::eq(*other, flag) => {
                return Err(format!("--{} and --{} do not go together", other.long, flag.long));
            }
            (Some(action), _) => chosen = Some((flag, action)),
        }
    }
    match (chosen, force) {
        (Some((_, Action::Stop { .. })) | None, true) => Ok(Action::Stop { force: true }),
        (Some((_, Action::Restart { .. })), true) => Ok(Action::Restart { force: true }),
        (Some((flag, _)), true) => Err(format!("--force does not go with --{}", flag.long)),
        (Some((_, action)), false) => Ok(action),
        (None, false) => Err("no action is given".to_owned()),
    }
}

/// The flag of an argument, or what the person may have meant.
fn recognise(kind: Kind, argument: &lexopt::Arg<'_>) -> Result<&'static Flag, String> {
    let (found, word, written) = match argument {
        lexopt::Arg::Long(name) => {
            (flags(kind).find(|flag| flag.long == *name), (*name).to_owned(), format!("--{name}"))
        }
        lexopt::Arg::Short(letter) => (
            flags(kind).find(|flag| flag.short == Some(*letter)),
            letter.to_string(),
            format!("-{letter}"),
        ),
        lexopt::Arg::Value(value) => {
            let word = value.to_string_lossy().into_owned();
            (None, word.clone(), format!("'{word}'"))
        }
    };
    found.ok_or_else(|| match nearest(&word, flags(kind).map(|flag| flag.long)) {
        Some(known) => format!("{written} is unknown; did you mean --{known}?"),
        None => format!("{written} is unknown; --help lists what there is"),
    })
}

/// What `--help` prints.
pub fn help(kind: Kind, name: &str, about: &str) -> String {
    let mut text = format!("{about}\n\nUsage: {name} FLAG\n\n");
    let mut names: Vec<(String, &str)> = Vec::new();
    for flag in flags(kind) {
        let short = flag.short.map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
        let value = flag.value.map_or_else(String::new, |value| format!(" {value}"));
        names.push((format!("  {short}--{}{value}", flag.long), flag.help));
    }
    let width = names.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, help) in names {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:width$}  {help}");
    }
    text.push_str(
        "\nThe folder of the configuration is PATTOO_CONFIGDIR, or /etc/pattoo without it.\n\
         \nExit codes:\n",
    );
    for (code, meaning) in EXIT_CODES {
        let _ = writeln!(text, "  {code}  {meaning}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoke(arguments: &[&str]) -> Result<Action, String> {
        parse(Kind::Spoke, arguments)
    }

    /// The table against the parser and the help, for each program.
    #[test]
    fn every_flag_of_the_table_is_parsed_and_helped_and_no_other_is() {
        for kind in [Kind::Spoke, Kind::Hub, Kind::Server] {
            let help = help(kind, "name", "about");
            for flag in FLAGS {
                let mut arguments = vec![format!("--{}", flag.long)];
                arguments.extend(flag.value.map(str::to_owned));
                let has = flag.kinds.contains(&kind);
                let is_taken = flags(kind).any(|other| other.long == flag.long);
                assert_eq!(parse(kind, &arguments).is_ok(), is_taken, "{kind:?} {arguments:?}");
                if let Some(letter) = flag.short {
                    assert_eq!(parse(kind, [format!("-{letter}")]), parse(kind, &arguments));
                }
                let words = arguments.join(" ");
                let line = help.lines().find(|line| {
                    line.contains(&format!("{words} "))
                        && line.ends_with(&format!("  {}", flag.help))
                });
                assert_eq!(line.is_some(), has, "{kind:?} {words}\n{help}");
            }
            let listed = help.lines().filter(|line| line.trim_start().starts_with('-')).count();
            assert_eq!(listed, flags(kind).count());
            assert!(help.lines().all(|line| line.len() <= 100), "{help}");
        }
    }

    #[test]
    fn names_and_letters_are_unique() {
        for kind in [Kind::Spoke, Kind::Hub, Kind::Server] {
            let flags: Vec<&Flag> = flags(kind).collect();
            for (index, flag) in flags.iter().enumerate() {
                for other in &flags[index + 1..] {
                    assert_ne!(flag.long, other.long);
                    assert!(flag.short.is_none() || flag.short != other.short);
                }
            }
        }
    }

    #[test]
    fn force_changes_stop_and_restart_and_alone_stops() {
        assert_eq!(spoke(&["--stop", "--force"]), Ok(Action::Stop { force: true }));
        assert_eq!(spoke(&["--force", "--restart"]), Ok(Action::Restart { force: true }));
        assert_eq!(spoke(&["--force"]), Ok(Action::Stop { force: true }));
        assert_eq!(spoke(&["--stop"]), Ok(Action::Stop { force: false }));
        let error = spoke(&["--start", "--force"]).unwrap_err();
        assert!(error.contains("--force") && error.contains("--start"), "{error}");
    }

    #[test]
    fn wrong_usage_is_told() {
        let fails = |arguments: &[&str], wanted: &str| {
            let error = spoke(arguments).unwrap_err();
            assert!(error.contains(wanted), "{arguments:?}: {error}");
        };
        fails(&[], "no action");
        fails(&["--stat"], "did you mean --start?");
        fails(&["--strat"], "did you mean --start?");
        fails(&["--statsu"], "did you mean --status?");
        fails(&["start"], "did you mean --start?");
        fails(&["--zzzzzzzz"], "--help");
        fails(&["-x"], "-x");
        fails(&["--start", "--stop"], "--start and --stop");
        fails(&["--start=now"], "start");
        fails(&["--backup", "file"], "--backup");
        let error = parse(Kind::Server, ["--backup"]).unwrap_err();
        assert!(error.contains("FILE"), "{error}");
    }

    #[test]
    fn help_wins_over_other_actions_and_values_are_paths() {
        assert_eq!(spoke(&["--start", "--help"]), Ok(Action::Help));
        assert_eq!(spoke(&["--start", "--start"]), Ok(Action::Start));
        let backup = parse(Kind::Server, ["--backup", "/x/y"]);
        assert_eq!(backup, Ok(Action::Job(Job::Backup("/x/y".into()))));
    }
}
