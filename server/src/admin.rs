//! `pattoo_cli`: languages, translations, agents and users from the command line. It
//! speaks GraphQL, with the running server or, where none runs, with the store
//! itself.

mod arguments;
mod door;
mod password_prompt;
mod table;

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use pattoo_common::cli::exit;
use pattoo_common::config::{self, ServerConfig};
use pattoo_common::manual::Page;
use pattoo_common::version;
use serde_json::{Value, json};

use crate::graphql::MAX_IMPORT_ROWS;
use crate::store::Name;
use crate::translations;
use arguments::{Command, Import, Show};
use door::Door;
use table::Table;

/// Rows asked for at a time.
const ROWS_A_PAGE: usize = 500;
/// Bytes of the names in one import, so that its query stays below the limit.
const IMPORT_BYTES: usize = 64 << 10;

/// The manual page of `pattoo_cli`.
pub fn manual_page() -> String {
    Page {
        name: "pattoo_cli",
        section: 1,
        about: "Languages, translations and agents of Pattoo.",
        synopsis: "VERB OBJECT [--OPTION VALUE]...",
        entries: arguments::commands(),
        exit_codes: &[
            ("0", "Done"),
            ("1", "Failed, with the reason on stderr"),
            ("2", "Wrong usage or configuration"),
        ],
    }
    .roff()
}

/// The words that `pattoo_cli` takes, for completion.
pub fn words() -> Vec<String> {
    let mut words = vec!["--help".to_owned(), "--version".to_owned()];
    for (usage, _) in arguments::commands() {
        // What is in capitals is a person's own.
        words.extend(
            usage.split(' ').filter(|word| **word != word.to_uppercase()).map(str::to_owned),
        );
    }
    words.sort_unstable();
    words.dedup();
    words
}

/// Runs a command line, without the program's name; the exit code. What was
/// asked for goes to `out`, what went wrong to `err`.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let command = match arguments::parse(arguments) {
        Ok(command) => command,
        Err(reason) => {
            // Nobody is left to be told, if stderr is gone.
            let _ = writeln!(err, "pattoo_cli: {reason}\nTry 'pattoo_cli --help'.");
            return exit::USAGE;
        }
    };
    let done = match command {
        Command::Help => Ok(arguments::help()),
        Command::Version => Ok(version::line("pattoo_cli") + "\n"),
        command => match configuration() {
            Ok(config) => carry_out(&command, &config, err),
            Err(reason) => {
                let _ = writeln!(err, "pattoo_cli: {reason}");
                return exit::USAGE;
            }
        },
    };
    match done {
        Ok(text) => match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => exit::DONE,
            // A reader that has seen enough, such as head, is no failure.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => exit::DONE,
            Err(_) => exit::FAILED,
        },
        Err(reason) => {
            let _ = writeln!(err, "pattoo_cli: {reason}");
            exit::FAILED
        }
    }
}

fn configuration() -> Result<ServerConfig, String> {
    let folder = config::folder().map_err(|error| error.to_string())?;
    let loaded = ServerConfig::load_without_secrets(&folder);
    loaded.map(|(config, _)| config).map_err(|error| error.to_string())
}

fn carry_out(
    command: &Command,
    config: &ServerConfig,
    err: &mut dyn Write,
) -> Result<String, String> {
    // What is wrong with a file is told before anything is changed.
    let names = match command {
        Command::Import(Import { file, .. }) => names_of(file)?,
        _ => Vec::new(),
    };
    let door = Door::open(config)?;
    match command {
        Command::Help | Command::Version => Ok(String::new()),
        Command::Show(show) => self::show(&door, *show),
        Command::CreateLanguage { code, name } => {
            let input = json!({ "code": code, "name": name });
            let made = change(&door, "createLanguage", "language { idxLanguage }", &input)?;
            let number = made["idxLanguage"].as_str().unwrap_or_default();
            Ok(format!("Language {code} created, idx_language {number}.\n"))
        }
        Command::CreateGroup { name } => {
            let input = json!({ "name": name });
            let row = "pairXlateGroup { idxPairXlateGroup }";
            let made = change(&door, "createPairXlateGroup", row, &input)?;
            let number = made["idxPairXlateGroup"].as_str().unwrap_or_default();
            Ok(format!("Translation group {name:?} created, idx_pair_xlate_group {number}.\n"))
        }
        Command::SetLanguage { code, name } => {
            let number = language(&door, code)?;
            let input = json!({ "idxLanguage": number, "name": name });
            change(&door, "updateLanguage", "language { idxLanguage }", &input)?;
            Ok(format!("Language {code} is now called {name:?}.\n"))
        }
        Command::SetGroup { group, name } => {
            let input = json!({ "idxPairXlateGroup": group, "name": name });
            let row = "pairXlateGroup { idxPairXlateGroup }";
            change(&door, "updatePairXlateGroup", row, &input)?;
            Ok(format!("Translation group {group} is now called {name:?}.\n"))
        }
        Command::AssignAgent { agent, group } => {
            let input = json!({ "idxAgent": agent, "idxPairXlateGroup": group });
            change(&door, "updateAgent", "agent { idxAgent }", &input)?;
            Ok(format!("Agent {agent} now has translation group {group}.\n"))
        }
        Command::DeleteAgent { agent } => {
            let query = "mutation($idx: String!) { deleteAgent(idxAgent: $idx) }";
            match door.ask(query, &json!({ "idx": agent }))?["deleteAgent"].as_bool() {
                Some(true) => Ok(format!("Agent {agent} deleted, with its series.\n")),
                _ => Err(format!("there is no agent {agent}; see 'pattoo_cli show agent'")),
            }
        }
        Command::DeleteHost { target } => {
            let query = "mutation($target: String!) { deleteHost(target: $target) }";
            match door.ask(query, &json!({ "target": target }))?["deleteHost"].as_i64() {
                Some(agents @ 1..) => {
                    Ok(format!("Host {target} deleted: {agents} agents, with their series.\n"))
                }
                _ => Err(format!("there is no host {target}; see 'pattoo_cli show agent'")),
            }
        }
        Command::Import(import) => import_names(&door, import, names),
        Command::CreateUser { username, name } => {
            let (first, last) = name.split_once(' ').unwrap_or((name, ""));
            let input = json!({
                "username": username, "firstName": first, "lastName": last,
                "password": password_prompt::ask(err)?,
            });
            let query = "mutation($input: CreateUserInput!) {
                           createUser(Input: $input) { user { idxUser } } }";
            let made = door.ask(query, &json!({ "input": input }))?;
            match made["createUser"]["user"]["idxUser"].as_str() {
                Some(number) => Ok(format!("User {username} created, idx_user {number}.\n")),
                None => Err(format!("there is a user {username} already")),
            }
        }
        Command::SetPassword { username } => {
            let number = user(&door, username)?;
            let input = json!({ "idxUser": number, "password": password_prompt::ask(err)? });
            change(&door, "updateUser", "user { idxUser }", &input)?;
            Ok(format!("User {username} has another password.\n"))
        }
        Command::EnableUser { username, enabled } => {
            let enabled = if *enabled { "1" } else { "0" };
            let input = json!({ "idxUser": user(&door, username)?, "enabled": enabled });
            change(&door, "updateUser", "user { idxUser }", &input)?;
            let may = if enabled == "1" { "may" } else { "may not" };
            Ok(format!("User {username} {may} sign in.\n"))
        }
    }
}

/// Creates or updates a row; the row.
fn change(door: &Door, mutation: &str, row: &str, input: &Value) -> Result<Value, String> {
    let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let query = format!("mutation($input: {kind}!) {{ {mutation}(Input: $input) {{ {row} }} }}");
    let answer = door.ask(&query, &json!({ "input": input }))?;
    let field = row.split(' ').next().unwrap_or_default();
    match &answer[mutation][field] {
        Value::Null => Err("there is no such row; 'pattoo_cli show' lists what there is".into()),
        made => Ok(made.clone()),
    }
}

/// The number of a language.
fn language(door: &Door, code: &str) -> Result<String, String> {
    let query =
        "query($code: String) { allLanguage(code: $code) { edges { node { idxLanguage } } } }";
    let answer = door.ask(query, &json!({ "code": code }))?;
    match &answer["allLanguage"]["edges"][0]["node"]["idxLanguage"] {
        Value::String(number) => Ok(number.clone()),
        _ => Err(format!("there is no language {code:?}; see 'pattoo_cli show language'")),
    }
}

/// The number of a user.
fn user(door: &Door, username: &str) -> Result<String, String> {
    let query = "query($name: String) { allUser(username: $name) { edges { node { idxUser } } } }";
    let answer = door.ask(query, &json!({ "name": username }))?;
    match &answer["allUser"]["edges"][0]["node"]["idxUser"] {
        Value::String(number) => Ok(number.clone()),
        _ => Err(format!("there is no user {username:?}; see 'pattoo_cli show user'")),
    }
}

fn names_of(file: &Path) -> Result<Vec<Name>, String> {
    let path = file.display();
    let fault = |error: std::io::Error| format!("{path}: {error}");
    let mut text = Vec::new();
    let limit = translations::MAX_FILE_BYTES as u64 + 1;
    File::open(file).map_err(fault)?.take(limit).read_to_end(&mut text).map_err(fault)?;
    let names = translations::read(&path.to_string(), &text).map_err(|error| error.to_string())?;
    if names.is_empty() {
        return Err(format!("{path}: there is nothing behind the header"));
    }
    Ok(names)
}

fn import_names(door: &Door, import: &Import, names: Vec<Name>) -> Result<String, String> {
    let query = match import.group {
        Some(_) => {
            "mutation($group: String!, $rows: [XlateInput!]!) {
               done: importPairXlate(idxPairXlateGroup: $group, rows: $rows) { created changed } }"
        }
        None => {
            "mutation($rows: [XlateInput!]!) {
               done: importAgentXlate(rows: $rows) { created changed } }"
        }
    };
    let (count, mut created, mut changed) = (names.len(), 0, 0);
    let mut rows: Vec<Value> = Vec::new();
    let mut bytes = 0;
    let mut names = names.into_iter().peekable();
    while let Some(Name { language, key, translation, units }) = names.next() {
        bytes += key.len() + translation.len() + units.len();
        let row = json!({
            "language": language, "key": key, "translation": translation, "units": units,
        });
        rows.push(row);
        if rows.len() == MAX_IMPORT_ROWS || bytes > IMPORT_BYTES || names.peek().is_none() {
            let mut variables = json!({ "rows": std::mem::take(&mut rows) });
            if let Some(group) = &import.group {
                variables["group"] = json!(group);
            }
            let done = &door.ask(query, &variables)?["done"];
            created += done["created"].as_i64().unwrap_or(0);
            changed += done["changed"].as_i64().unwrap_or(0);
            bytes = 0;
        }
    }
    let file = import.file.display();
    Ok(format!("{file}: {count} translations read, {created} new, {changed} changed.\n"))
}

fn show(door: &Door, show: Show) -> Result<String, String> {
    let (all, fields, columns): (_, _, &[(&str, &str)]) = match show {
        Show::Language => (
            "allLanguage",
            "idxLanguage code name enabled",
            &[
                ("idx_language", "/idxLanguage"),
                ("code", "/code"),
                ("name", "/name"),
                ("enabled", "/enabled"),
            ],
        ),
        Show::User => (
            "allUser",
            "idxUser username firstName lastName enabled",
            &[
                ("idx_user", "/idxUser"),
                ("username", "/username"),
                ("first_name", "/firstName"),
                ("last_name", "/lastName"),
                ("enabled", "/enabled"),
            ],
        ),
        Show::Agent => (
            "allAgent",
            "idxAgent agentProgram agentPolledTarget pairXlateGroup { idxPairXlateGroup name } enabled",
            &[
                ("idx_agent", "/idxAgent"),
                ("agent_program", "/agentProgram"),
                ("agent_target", "/agentPolledTarget"),
                ("idx_pair_xlate_group", "/pairXlateGroup/idxPairXlateGroup"),
                ("translation_group", "/pairXlateGroup/name"),
                ("enabled", "/enabled"),
            ],
        ),
        Show::AgentTranslation => (
            "allAgentXlate",
            "agentProgram translation enabled language { code }",
            &[
                ("language", "/language/code"),
                ("agent_program", "/agentProgram"),
                ("translation", "/translation"),
                ("enabled", "/enabled"),
            ],
        ),
        Show::KeyTranslationGroup => (
            "allPairXlateGroup",
            "idxPairXlateGroup name enabled",
            &[
                ("idx_pair_xlate_group", "/idxPairXlateGroup"),
                ("name", "/name"),
                ("enabled", "/enabled"),
            ],
        ),
        Show::KeyTranslation => (
            "allPairXlate",
            "key translation units enabled language { code } pairXlateGroup { idxPairXlateGroup name }",
            &[
                ("idx_pair_xlate_group", "/pairXlateGroup/idxPairXlateGroup"),
                ("name", "/pairXlateGroup/name"),
                ("language", "/language/code"),
                ("key", "/key"),
                ("translation", "/translation"),
                ("units", "/units"),
                ("enabled", "/enabled"),
            ],
        ),
    };
    let mut table = Table::new(columns.iter().map(|(name, _)| *name));
    let query = format!(
        "query($after: String) {{ rows: {all}(first: {ROWS_A_PAGE}, after: $after) {{
           edges {{ node {{ {fields} }} }} pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    let mut after = Value::Null;
    loop {
        let answer = door.ask(&query, &json!({ "after": after }))?;
        let rows = &answer["rows"];
        for edge in rows["edges"].as_array().into_iter().flatten() {
            let cell = |(_, path): &(&str, &str)| match edge["node"].pointer(path) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.as_f64().unwrap_or(0.0).to_string(),
                _ => String::new(),
            };
            table.row(columns.iter().map(cell).collect());
        }
        if rows["pageInfo"]["hasNextPage"] != true {
            return Ok(table.into_text());
        }
        after = rows["pageInfo"]["endCursor"].clone();
    }
}
