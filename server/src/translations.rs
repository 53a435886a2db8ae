//! Names for people: what a key or a program is called in a language, and its
//! units, read from CSV files with the header `language,key,translation,units`.

use std::collections::HashMap;
use std::fmt;

/// The columns of a file, in their order.
pub const HEADER: [&str; 4] = ["language", "key", "translation", "units"];
/// Bytes of a file.
pub const MAX_FILE_BYTES: usize = 8 << 20;
/// Bytes of a key, as in a document.
const MAX_KEY_BYTES: usize = 512;
/// Characters of a translation or of units.
const MAX_TEXT_CHARS: usize = 512;

/// One line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    /// Code of the language, such as `en`.
    pub language: String,
    /// The key after the name of its program, or the name of a program.
    pub key: String,
    /// What a person calls it.
    pub translation: String,
    /// Units of the values as a chart shows them; empty where there are none.
    pub units: String,
}

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
    pub keys: Vec<Translation>,
    /// Their programs.
    pub agents: Vec<Translation>,
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
pub fn read(file: &str, text: &[u8]) -> Result<Vec<Translation>, TranslationError> {
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
        Some((_, header)) if header == HEADER[..] => {}
        Some((line, header)) => {
            let found = header.iter().collect::<Vec<_>>().join(",");
            let reason = format!("the header {found:.200?} was found, {wanted:?} is wanted");
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
            let Translation { language, key, .. } = translation;
            return Err(error(
                line,
                format!("{language:?} {key:?} stands in line {first} already"),
            ));
        }
        translations.push(translation);
    }
    Ok(translations)
}

fn understand(record: &csv::StringRecord) -> Result<Translation, String> {
    let fields: Vec<&str> = record.iter().collect();
    let [language, key, translation, units] = fields[..] else {
        let names = HEADER.join(", ");
        return Err(format!("{} fields were found, four are wanted: {names}", fields.len()));
    };
    let code = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if language.is_empty() || language.len() > 16 || !language.chars().all(code) {
        return Err(format!("the language {language:.80?} is no code such as en or es-MX"));
    }
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
    Ok(Translation { language, key, translation, units })
}

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
    fn errors_name_file_line_and_what_was_wanted() {
        let body = |text: &str| format!("language,key,translation,units\n{text}");
        assert_eq!(
            error(b"key,language\n"),
            "names.csv: line 1: the header \"key,language\" was found, \
             \"language,key,translation,units\" is wanted"
        );
        assert!(error(b"").contains("line 1: the file is empty"));
        assert!(error(body("en,a,A\n").as_bytes()).contains("line 2: 3 fields were found, four"));
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
