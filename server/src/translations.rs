//! Names for people: what a key or a program is called in a language, and its
//! units, read from CSV files with the header `language,key,translation,units`.
//! The original's manual has `description` for `translation`, and files of
//! programs have no units; both are understood.

use pattoo_common::quoted::quoted;
use std::collections::HashMap;
use std::fmt;

use crate::store::{Cell, Known, Language, Name, Select, Store, StoreError};

/// The columns of a file, in their order.
pub const HEADER: [&str; 4] = ["language", "key", "translation", "units"];
/// Another name of the third.
const DESCRIPTION: &str = "description";
/// The group of all agents that nobody assigned to another.
const DEFAULT_GROUP: i64 = 1;
/// Bytes of a file.
pub const MAX_FILE_BYTES: usize = 8 << 20;
/// Bytes of a key, as in a document.
const MAX_KEY_BYTES: usize = 512;
/// Characters of a translation or of units.
const MAX_TEXT_CHARS: usize = 512;

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranslationError {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u64,
    /// What is wrong there, and what was wanted.
    pub reason: String,
}

impl fmt::Display for TranslationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: line {}: {}", self.file, self.line, self.reason)
    }
}

impl std::error::Error for TranslationError {}

/// What a new server starts with.
#[derive(Debug)]
pub struct Shipped {
    /// Keys of our spoke and hub.
    pub keys: Vec<Name>,
    /// Their programs.
    pub agents: Vec<Name>,
}

/// Code and name of the languages that we ship.
pub const SHIPPED_LANGUAGES: [(&str, &str); 2] = [("en", "English"), ("es", "Español")];

const SHIPPED_KEYS: [(&str, &str); 2] = [
    ("keys.en.csv", include_str!("../translations/keys.en.csv")),
    ("keys.es.csv", include_str!("../translations/keys.es.csv")),
];
const SHIPPED_AGENTS: (&str, &str) = ("agents.csv", include_str!("../translations/agents.csv"));

/// The names of everything that our spoke and hub send.
pub fn shipped() -> Result<Shipped, TranslationError> {
    let mut keys = Vec::new();
    for (file, text) in SHIPPED_KEYS {
        keys.extend(read(file, text.as_bytes())?);
    }
    Ok(Shipped { keys, agents: read(SHIPPED_AGENTS.0, SHIPPED_AGENTS.1.as_bytes())? })
}

/// The translations of a file; `file` is only there for the errors.
pub fn read(file: &str, text: &[u8]) -> Result<Vec<Name>, TranslationError> {
    let error =
        |line: u64, reason: String| TranslationError { file: file.to_owned(), line, reason };
    if text.len() > MAX_FILE_BYTES {
        return Err(error(1, format!("longer than {MAX_FILE_BYTES} bytes; import it in parts")));
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut records = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text)
        .into_records();
    let mut next = |line_before: u64| -> Result<Option<(u64, csv::StringRecord)>, _> {
        let Some(record) = records.next() else { return Ok(None) };
        let line = |place: Option<&csv::Position>| place.map_or(line_before, |p| line_of(text, p));
        match record {
            Ok(record) => Ok(Some((line(record.position()), record))),
            Err(fault) => Err(error(line(fault.position()), reason_of(&fault))),
        }
    };

    let wanted = HEADER.join(",");
    match next(1)? {
        Some((_, header)) if is_header(&header) => {}
        Some((line, header)) => {
            let found = header.iter().collect::<Vec<_>>().join(",");
            let reason = format!("the header {} was found, {wanted:?} is wanted", quoted(&found));
            return Err(error(line, reason));
        }
        None => return Err(error(1, format!("the file is empty; its first line is {wanted:?}"))),
    }
    let mut translations = Vec::new();
    let mut lines = HashMap::new();
    let mut last_line = 1;
    while let Some((line, record)) = next(last_line)? {
        last_line = line;
        let translation = understand(&record).map_err(|reason| error(line, reason))?;
        let known = (translation.language.clone(), translation.key.clone());
        if let Some(first) = lines.insert(known, line) {
            let Name { language, key, .. } = translation;
            return Err(error(
                line,
                format!("{language:?} {key:?} stands in line {first} already"),
            ));
        }
        translations.push(translation);
    }
    Ok(translations)
}

fn is_header(record: &csv::StringRecord) -> bool {
    let columns: Vec<&str> = record.iter().collect();
    let [language, key, translation, units] = HEADER;
    [translation, DESCRIPTION]
        .iter()
        .any(|third| columns == [language, key, third] || columns == [language, key, third, units])
}

fn understand(record: &csv::StringRecord) -> Result<Name, String> {
    let fields: Vec<&str> = record.iter().collect();
    let (language, key, translation, units) = match fields[..] {
        [language, key, translation] => (language, key, translation, ""),
        [language, key, translation, units] => (language, key, translation, units),
        _ => {
            let names = HEADER.join(", ");
            return Err(format!("{} fields were found, four are wanted: {names}", fields.len()));
        }
    };
    name(language, key, translation, units)
}

/// A name, if its parts are sound; else what is wrong with them.
pub(crate) fn name(
    language: &str,
    key: &str,
    translation: &str,
    units: &str,
) -> Result<Name, String> {
    check_language(language)?;
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        return Err(format!("the key has {} bytes, 1 to {MAX_KEY_BYTES} are wanted", key.len()));
    }
    for (name, text) in [("translation", translation), ("units", units)] {
        if text.chars().count() > MAX_TEXT_CHARS {
            return Err(format!("the {name} of {key:?} has more than {MAX_TEXT_CHARS} characters"));
        }
    }
    if translation.is_empty() {
        return Err(format!("the translation of {key:?} is empty"));
    }
    let [language, key, translation, units] =
        [language, key, translation, units].map(str::to_owned);
    Ok(Name { language, key, translation, units })
}

/// Whether it may be the code of a language.
pub(crate) fn check_language(code: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if code.is_empty() || code.len() > 16 || !code.chars().all(allowed) {
        return Err(format!("the language {} is no code such as en or es-MX", quoted(code)));
    }
    Ok(())
}

/// Gives a store the names that we ship: to a new one the languages as well,
/// to any the names that it does not have yet. What somebody changed stays.
pub fn install(store: &Store) -> Result<(), InstallError> {
    let Shipped { keys, agents } = shipped().map_err(InstallError::Shipped)?;
    let install = || -> Result<(), StoreError> {
        if store.count::<Language>(&Select::all())? == 0 {
            for (code, name) in SHIPPED_LANGUAGES {
                let cells = vec![("code", Cell::from(code)), ("name", Cell::from(name))];
                store.create::<Language>(cells)?;
            }
        }
        store.name_keys(DEFAULT_GROUP, keys, Known::Kept)?;
        store.name_programs(agents, Known::Kept)?;
        Ok(())
    };
    install().map_err(InstallError::Store)
}

/// Why the names that we ship are not there.
#[derive(Debug)]
pub enum InstallError {
    /// They are wrong: a mistake of ours.
    Shipped(TranslationError),
    /// The store did not take them.
    Store(StoreError),
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shipped(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InstallError {}

/// The line on which a record begins. The reader's place is where the record
/// before it ended, and there may be empty lines between.
fn line_of(text: &[u8], place: &csv::Position) -> u64 {
    let start = usize::try_from(place.byte()).unwrap_or(usize::MAX);
    let blank = text.iter().skip(start).take_while(|byte| matches!(byte, b'\r' | b'\n'));
    place.line() + blank.filter(|byte| **byte == b'\n').count() as u64
}

fn reason_of(fault: &csv::Error) -> String {
    match fault.kind() {
        csv::ErrorKind::Utf8 { .. } => "not UTF-8; save the file as UTF-8".to_owned(),
        _ => fault.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &[u8]) -> String {
        read("names.csv", text).unwrap_err().to_string()
    }

    #[test]
    fn reads_quotes_spaces_and_the_mark_of_excel() {
        let text =
            "\u{feff}language,key,translation,units\r\nen, uptime ,\"Up, since\nboot\",s\r\n";
        let [only] = &read("names.csv", text.as_bytes()).unwrap()[..] else { panic!() };
        assert_eq!(
            (&*only.key, &*only.translation, &*only.units),
            ("uptime", "Up, since\nboot", "s")
        );
    }

    #[test]
    fn files_of_the_original_are_read() {
        let text = "language,key,description\nen,pattoo_agent_snmpd,SNMP Agent\n";
        let [only] = &read("names.csv", text.as_bytes()).unwrap()[..] else { panic!() };
        assert_eq!((&*only.translation, &*only.units), ("SNMP Agent", ""));
    }

    #[test]
    fn errors_name_file_line_and_what_was_wanted() {
        let body = |text: &str| format!("language,key,translation,units\n{text}");
        assert_eq!(
            error(b"key,language\n"),
            "names.csv: line 1: the header \"key,language\" was found, \
             \"language,key,translation,units\" is wanted"
        );
        assert!(error(b"").contains("line 1: the file is empty"));
        assert!(error(body("en,a\n").as_bytes()).contains("line 2: 2 fields were found, four"));
        assert!(error(body("en,a,A,\n\n,b,B,\n").as_bytes()).contains("line 4: the language"));
        let windows = "language,key,translation,units\r\nen,a,A,\r\n\r\nen,b\r\n";
        assert!(error(windows.as_bytes()).contains("line 4: 2 fields"));
        assert!(error(body("en,,A,\n").as_bytes()).contains("line 2: the key has 0 bytes"));
        assert!(error(body("en,a,,\n").as_bytes()).contains("line 2: the translation of \"a\""));
        assert!(
            error(body("en,a,A,\nes,a,A,\nen,a,B,\n").as_bytes())
                .contains("line 4: \"en\" \"a\" stands in line 2 already")
        );
        let long = body(&format!("en,a,{},\n", "x".repeat(MAX_TEXT_CHARS + 1)));
        assert!(error(long.as_bytes()).contains("more than 512 characters"));
        assert!(
            error(&[body("en,a,").as_bytes(), b"\xff,\n"].concat()).contains("line 2: not UTF-8")
        );
        assert!(error(&vec![b'x'; MAX_FILE_BYTES + 1]).contains("in parts"));
    }

    #[test]
    fn every_shipped_key_has_a_name_in_every_language() {
        let shipped = shipped().unwrap();
        for (name, all) in [("keys", &shipped.keys), ("agents", &shipped.agents)] {
            let of = |language: &str| -> Vec<&str> {
                all.iter().filter(|t| t.language == language).map(|t| &*t.key).collect()
            };
            assert!(!of("en").is_empty(), "{name}");
            assert_eq!(of("en"), of("es"), "{name}");
        }
    }
}
