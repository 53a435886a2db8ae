//! The command line of `pattoo_cli`, as the original's manual has it. One table
//! feeds parsing and the help.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;

use lexopt::Arg;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Help,
    Version,
    Show(Show),
    CreateLanguage { code: String, name: String },
    CreateGroup { name: String },
    SetLanguage { code: String, name: String },
    SetGroup { group: String, name: String },
    Import(Import),
    AssignAgent { agent: String, group: String },
    DeleteAgent { agent: String },
    DeleteHost { target: String },
    CreateUser { username: String, name: String },
    SetPassword { username: String },
    EnableUser { username: String, enabled: bool },
}

/// What is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    Agent,
    AgentTranslation,
    KeyTranslation,
    KeyTranslationGroup,
    Language,
    User,
}

/// A file of translations: of keys, for a group, or of programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) group: Option<String>,
    pub(super) file: PathBuf,
}

/// A verb with its object, and the options that it wants, all of them.
struct Entry {
    verb: &'static str,
    object: &'static str,
    options: &'static [&'static str],
    about: &'static str,
    /// From the values of the options, in their order.
    make: fn([String; 2]) -> Command,
}

impl Entry {
    /// The object and its options.
    fn usage(&self) -> String {
        let option = |name: &&str| format!(" --{name} {}", name.to_uppercase());
        self.object.to_owned() + &self.options.iter().map(option).collect::<String>()
    }
}

const CODE: &str = "code";
const NAME: &str = "name";
const GROUP: &str = "idx_pair_xlate_group";
const AGENT: &str = "idx_agent";
const FILE: &str = "filename";
const TARGET: &str = "target";
const USERNAME: &str = "username";

/// Options of which the value is the number of a row.
const NUMBERS: [&str; 2] = [GROUP, AGENT];

const fn entry(
    verb: &'static str,
    object: &'static str,
    options: &'static [&'static str],
    about: &'static str,
    make: fn([String; 2]) -> Command,
) -> Entry {
    Entry { verb, object, options, about, make }
}

const fn show(
    object: &'static str,
    about: &'static str,
    make: fn([String; 2]) -> Command,
) -> Entry {
    entry("show", object, &[], about, make)
}

static ENTRIES: [Entry; 19] = [
    show("agent", "Agents, and the translation group of each", |_| Command::Show(Show::Agent)),
    show("agent_translation", "What programs of agents are called", |_| {
        Command::Show(Show::AgentTranslation)
    }),
    show("key_translation", "What keys are called, in each group", |_| {
        Command::Show(Show::KeyTranslation)
    }),
    show("key_translation_group", "Groups of translations", |_| {
        Command::Show(Show::KeyTranslationGroup)
    }),
    show("language", "Languages", |_| Command::Show(Show::Language)),
    show("user", "Users of the page", |_| Command::Show(Show::User)),
    entry(
        "create",
        "language",
        &[CODE, NAME],
        "A language, such as --code fr --name Français",
        |[code, name]| Command::CreateLanguage { code, name },
    ),
    entry("create", "key_translation_group", &[NAME], "A group of translations", |[name, _]| {
        Command::CreateGroup { name }
    }),
    entry(
        "create",
        "user",
        &[USERNAME, NAME],
        "A user of the page, such as --name 'Ada Lovelace'; asks for a password",
        |[username, name]| Command::CreateUser { username, name },
    ),
    entry(
        "set",
        "password",
        &[USERNAME],
        "Another password for a user; asks for it, and ends the user's sessions",
        |[username, _]| Command::SetPassword { username },
    ),
    entry("set", "language", &[CODE, NAME], "Another name for a language", |[code, name]| {
        Command::SetLanguage { code, name }
    }),
    entry(
        "set",
        "key_translation_group",
        &[GROUP, NAME],
        "Another name for a group",
        |[group, name]| Command::SetGroup { group, name },
    ),
    entry(
        "import",
        "key_translation",
        &[GROUP, FILE],
        "Translations of keys, from a CSV file: language,key,translation,units",
        |[group, file]| Command::Import(Import { group: Some(group), file: file.into() }),
    ),
    entry(
        "import",
        "agent_translation",
        &[FILE],
        "Translations of programs, from a CSV file: language,key,translation",
        |[file, _]| Command::Import(Import { group: None, file: file.into() }),
    ),
    entry(
        "assign",
        "agent",
        &[AGENT, GROUP],
        "An agent to a translation group",
        |[agent, group]| Command::AssignAgent { agent, group },
    ),
    entry("enable", "user", &[USERNAME], "A user may sign in again", |[username, _]| {
        Command::EnableUser { username, enabled: true }
    }),
    entry(
        "disable",
        "user",
        &[USERNAME],
        "A user may not sign in any more; ends the user's sessions",
        |[username, _]| Command::EnableUser { username, enabled: false },
    ),
    entry(
        "delete",
        "agent",
        &[AGENT],
        "An agent, with its series and their samples",
        |[agent, _]| Command::DeleteAgent { agent },
    ),
    entry("delete", "host", &[TARGET], "A host: every agent of that target", |[target, _]| {
        Command::DeleteHost { target }
    }),
];

/// Every command with its options, and what it is about.
pub(super) fn commands() -> Vec<(String, &'static str)> {
    let usage = |entry: &Entry| format!("{} {}", entry.verb, entry.usage());
    ENTRIES.iter().map(|entry| (usage(entry), entry.about)).collect()
}

/// The help.
pub(super) fn help() -> String {
    let mut text = String::from(
        "Languages, translations, agents and users of Pattoo.\n\n\
         Usage: pattoo_cli VERB OBJECT [--OPTION VALUE]...\n",
    );
    let mut last = "";
    for entry in &ENTRIES {
        if entry.verb != last {
            // A String takes every write.
            let _ = writeln!(text, "\n{}", entry.verb);
            last = entry.verb;
        }
        let _ = writeln!(text, "  {}\n      {}", entry.usage(), entry.about);
    }
    text.push_str(
        "\n  -h, --help     This text\n      --version  Name, version, commit and target\n\n\
         The configuration is in the folder that PATTOO_CONFIGDIR names, else in /etc/pattoo.\n",
    );
    text
}

/// Understands a command line, without the program's name.
pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut words: Vec<String> = Vec::new();
    let mut given: Vec<(String, String)> = Vec::new();
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Long("version") => return Ok(Command::Version),
            Arg::Value(word) => words.push(utf8(word)?),
            Arg::Long(name) => {
                let name = name.to_owned();
                let value = parser.value().map_err(|error| error.to_string())?;
                if given.iter().any(|(known, _)| *known == name) {
                    return Err(format!("--{name} is given twice"));
                }
                given.push((name, utf8(value)?));
            }
            Arg::Short(letter) => return Err(format!("-{letter} is unknown")),
        }
    }
    if words.is_empty() && given.is_empty() {
        return Ok(Command::Help);
    }
    let entry = find(&words)?;
    let mut values = [String::new(), String::new()];
    for (place, name) in entry.options.iter().enumerate() {
        let found = given.iter().position(|(given, _)| given == name);
        let (verb, object) = (entry.verb, entry.object);
        let found = found.ok_or_else(|| format!("{verb} {object} wants --{name}"))?;
        let (_, value) = given.swap_remove(found);
        if value.trim().is_empty() {
            return Err(format!("--{name} is empty"));
        }
        if NUMBERS.contains(name) && value.parse::<u32>().is_err() {
            return Err(format!("--{name} is {value:?}, a number is wanted"));
        }
        if let Some(slot) = values.get_mut(place) {
            *slot = value;
        }
    }
    if let Some((name, _)) = given.first() {
        return Err(format!("{} {} has no --{name}", entry.verb, entry.object));
    }
    Ok((entry.make)(values))
}

fn utf8(text: OsString) -> Result<String, String> {
    text.into_string().map_err(|text| format!("{} is not UTF-8", text.display()))
}

fn find(words: &[String]) -> Result<&'static Entry, String> {
    let verbs = || ENTRIES.iter().map(|entry| entry.verb);
    let [verb, rest @ ..] = words else { return Err("a verb is wanted, such as show".into()) };
    if !verbs().any(|known| known == verb) {
        let mut known: Vec<&str> = verbs().collect();
        known.dedup();
        return Err(format!("{verb:?} is none of {}", known.join(", ")));
    }
    let of_verb = || ENTRIES.iter().filter(|entry| entry.verb == verb);
    let objects = || of_verb().map(|entry| entry.object).collect::<Vec<_>>().join(", ");
    match rest {
        [object] => {
            // The original's manual says `create key_translation` for its group.
            let object = match (verb.as_str(), object.as_str()) {
                ("create", "key_translation") => "key_translation_group",
                (_, object) => object,
            };
            of_verb()
                .find(|entry| entry.object == object)
                .ok_or_else(|| format!("{verb} {object}: one of {} is wanted", objects()))
        }
        [] => Err(format!("{verb} what? One of {}", objects())),
        [_, more, ..] => Err(format!("{more:?} is one word too many")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from))
    }

    #[test]
    fn lines_of_the_manual_are_understood() {
        let name = || "Anglais".to_owned();
        for (line, command) in [
            ("", Command::Help),
            ("show -h", Command::Help),
            ("--version", Command::Version),
            ("show language", Command::Show(Show::Language)),
            (
                "set language --code en --name Anglais",
                Command::SetLanguage { code: "en".into(), name: name() },
            ),
            ("create key_translation --name Anglais", Command::CreateGroup { name: name() }),
            (
                "assign agent --idx_pair_xlate_group=4 --idx_agent 2",
                Command::AssignAgent { agent: "2".into(), group: "4".into() },
            ),
            (
                "import agent_translation --filename a.csv",
                Command::Import(Import { group: None, file: "a.csv".into() }),
            ),
        ] {
            assert_eq!(parsed(line).as_ref(), Ok(&command), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, reason) in [
            ("show", "show what? One of agent, agent_translation"),
            ("show nothing", "show nothing: one of agent"),
            (
                "list agent",
                "\"list\" is none of show, create, set, import, assign, enable, disable, delete",
            ),
            ("show agent now", "\"now\" is one word too many"),
            ("create language --code en", "create language wants --name"),
            ("create language --code en --name", "missing argument"),
            ("create language --code en --code fr --name x", "--code is given twice"),
            ("show agent --code en", "show agent has no --code"),
            ("assign agent --idx_agent two --idx_pair_xlate_group 1", "a number is wanted"),
            ("show agent -x", "-x is unknown"),
            ("delete host --target=", "--target is empty"),
        ] {
            let found = parsed(line).unwrap_err();
            assert!(found.contains(reason), "{line}: {found}");
        }
    }

    #[test]
    fn the_help_tells_every_entry() {
        let help = help();
        for entry in &ENTRIES {
            assert!(help.contains(entry.object) && help.contains(entry.about));
        }
        assert!(help.lines().all(|line| line.chars().count() <= 90), "{help}");
    }
}
