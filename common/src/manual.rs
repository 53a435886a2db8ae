//! The manual pages and the completions of bash, from the tables that also feed the
//! parser and `--help`.

use std::fmt::Write as _;

use crate::cli::{self, Kind};

/// Where a person finds more.
const CONFIGURATION: &str = "The folder of the configuration is named by the environment's \
    PATTOO_CONFIGDIR; without it, it is /etc/pattoo. The sample files there name every key, its \
    default, and when to change it.";

/// A manual page.
#[derive(Debug)]
pub struct Page<'a> {
    /// The name of the command.
    pub name: &'a str,
    /// The section of the manual: 1 for commands, 8 for daemons.
    pub section: u8,
    /// One sentence, with its full stop.
    pub about: &'a str,
    /// What stands behind the name.
    pub synopsis: &'a str,
    /// What may be asked for, each with its line.
    pub entries: Vec<(String, &'a str)>,
    /// Exit codes, each with what it means.
    pub exit_codes: &'a [(&'a str, &'a str)],
}

impl Page<'_> {
    /// The text for `man`, with the macros of man(7).
    pub fn roff(&self) -> String {
        let Self { name, section, about, synopsis, .. } = self;
        let version = env!("CARGO_PKG_VERSION");
        let about = escaped(about);
        // A String takes every write.
        let mut text = format!(
            ".TH {} {section} \"\" \"Pattoo {version}\" \"Pattoo\"\n.SH NAME\n{} \\- {}\n\
             .SH SYNOPSIS\n.B {}\n{}\n.SH DESCRIPTION\n{about}\n.SH OPTIONS\n",
            name.to_uppercase(),
            escaped(name),
            about.trim_end_matches('.'),
            escaped(name),
            escaped(synopsis),
        );
        for (entry, help) in &self.entries {
            let _ = writeln!(text, ".TP\n.B {}\n{}.", escaped(entry), escaped(help));
        }
        let _ = writeln!(text, ".SH EXIT STATUS");
        for (code, meaning) in self.exit_codes {
            let _ = writeln!(text, ".TP\n.B {code}\n{}.", escaped(meaning));
        }
        let _ = writeln!(text, ".SH CONFIGURATION\n{}", escaped(CONFIGURATION));
        text
    }
}

/// The page of a daemon.
pub fn of_daemon(kind: Kind, name: &str) -> String {
    let entries = cli::flags(kind)
        .map(|flag| {
            let short = flag.short.map_or_else(String::new, |letter| format!("-{letter}, "));
            let value = flag.value.map_or_else(String::new, |value| format!(" {value}"));
            (format!("{short}--{}{value}", flag.long), flag.help)
        })
        .collect();
    Page {
        name,
        section: 8,
        about: kind.about(),
        synopsis: "FLAG",
        entries,
        exit_codes: cli::EXIT_CODES,
    }
    .roff()
}

/// The words that a daemon takes, for [`completion`].
pub fn words_of_daemon(kind: Kind) -> Vec<String> {
    let mut words = Vec::new();
    for flag in cli::flags(kind) {
        words.push(format!("--{}", flag.long));
        words.extend(flag.short.map(|letter| format!("-{letter}")));
    }
    words
}

/// What bash completes, for commands and their words. Behind a flag with a value it
/// completes file names.
pub fn completion(commands: &[(&str, Vec<String>)]) -> String {
    let mut text = String::from("# Completion of bash for the programs of Pattoo.\n\n");
    text.push_str("_pattoo() {\n    local words=\n    case ${1##*/} in\n");
    for (name, words) in commands {
        let _ = writeln!(text, "    {name}) words='{}' ;;", words.join(" "));
    }
    text.push_str("    esac\n    case $3 in\n    ");
    let mut files: Vec<String> = Vec::from(["--filename".to_owned()]);
    let valued = cli::FLAGS.iter().filter(|flag| flag.value.is_some());
    files.extend(valued.map(|flag| format!("--{}", flag.long)));
    let _ = write!(
        text,
        "{}) mapfile -t COMPREPLY < <(compgen -f -- \"$2\") ;;\n    \
         *) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$2\") ;;\n    esac\n}}\n",
        files.join(" | ")
    );
    let names: Vec<&str> = commands.iter().map(|(name, _)| *name).collect();
    let _ = writeln!(text, "complete -F _pattoo {}", names.join(" "));
    text
}

/// Text in which roff sees no request of its own: hyphens are those of commands, and
/// no line begins with a dot or an apostrophe.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_of_a_program_is_in_its_page_and_its_words_and_no_other_is() {
        for kind in [Kind::Spoke, Kind::Hub, Kind::Server] {
            let page = of_daemon(kind, "name");
            let words = words_of_daemon(kind);
            for flag in cli::FLAGS {
                let is_taken = cli::flags(kind).any(|other| other.long == flag.long);
                let heading = page.lines().find(|line| {
                    line.starts_with(".B ") && line.contains(&format!("\\-\\-{}", flag.long))
                });
                assert_eq!(heading.is_some(), is_taken, "{kind:?} {}\n{page}", flag.long);
                assert_eq!(words.contains(&format!("--{}", flag.long)), is_taken);
                let has = flag.kinds.contains(&kind);
                let is_told = page.contains(&format!("\n{}.\n", escaped(flag.help)));
                assert_eq!(is_told, has, "{kind:?} {}", flag.long);
            }
        }
    }

    #[test]
    fn no_text_becomes_a_request() {
        assert_eq!(escaped(".TH"), "\\&.TH");
        assert_eq!(escaped("'a"), "\\&'a");
        assert_eq!(escaped("a\\b --c"), "a\\eb \\-\\-c");
    }
}
