//! A section of a configuration file: typed reading of its keys. A method never
//! fails: what is wrong is collected, and the default stands in until the end.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::line::Step;
use super::report::{Findings, Origin, SourceFile};
use super::value;
use super::yaml::Node;
use crate::nearest::nearest;
use crate::signature::Secrets;

mod network;

/// The keys of one section, or the keys at the top of a file.
///
/// A key with nothing behind it, or with empty text, counts as not given, unless it
/// keeps somebody out. A key that no method was asked for is unknown, and becomes a
/// warning.
#[derive(Debug)]
pub struct Section<'a> {
    file: &'a SourceFile,
    path: Vec<Step>,
    pairs: &'a [(String, Node)],
    findings: &'a mut Findings,
    /// Keys that were asked for, and their other names.
    known: Vec<&'static str>,
    other_names: Vec<(&'static str, &'static str)>,
    /// Items of long lists are not listed one by one.
    in_report: bool,
}

impl<'a> Section<'a> {
    /// Reads a section with `read`, then warns of the keys that it did not ask for.
    pub(super) fn read<T>(
        file: &'a SourceFile,
        path: Vec<Step>,
        node: &'a Node,
        findings: &'a mut Findings,
        in_report: bool,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        let muted_before = findings.muted;
        let pairs: &[_] = match node {
            Node::Map(pairs) => pairs,
            Node::Nothing => &[],
            other => {
                let message = format!("{other} stands here; wanted keys with values");
                findings.problem(file, &path, message);
                findings.muted = true;
                &[]
            }
        };
        let mut section = Section {
            file,
            path,
            pairs,
            findings: &mut *findings,
            known: Vec::new(),
            other_names: Vec::new(),
            in_report,
        };
        let result = read(&mut section);
        section.warn_of_unknown_keys();
        findings.muted = muted_before;
        result
    }

    /// Makes `other` another name of `key`, from now on.
    pub fn also_called(&mut self, key: &'static str, other: &'static str) {
        self.other_names.push((key, other));
    }

    /// Keys that others read, or that the original wrote and nobody reads.
    pub fn ignore(&mut self, keys: &[&'static str]) {
        self.known.extend(keys);
        for (key, _) in self.pairs.iter().filter(|(key, _)| keys.contains(&key.as_str())) {
            self.note(key, "not used by this program".to_owned(), Origin::Unused);
        }
    }

    /// Whether the key is there with something behind it.
    pub fn has(&mut self, key: &'static str) -> bool {
        self.find(key).is_some()
    }

    /// The first of some keys that is there, else the first of all.
    pub fn first_of(&mut self, keys: &[&'static str]) -> &'static str {
        let found = keys.iter().copied().find(|key| self.has(key));
        found.or(keys.first().copied()).unwrap_or_default()
    }

    /// Text.
    pub fn text(&mut self, key: &'static str, default: &str) -> String {
        let shown = Clone::clone;
        self.value(
            key,
            default.to_owned(),
            "text, in quotes if it could be a number",
            value::text,
            shown,
        )
    }

    /// Text that may be missing; `otherwise` tells the reader of the report what
    /// is done then.
    pub fn optional_text(&mut self, key: &'static str, otherwise: &str) -> Option<String> {
        self.optional(
            key,
            "text, in quotes if it could be a number",
            otherwise,
            value::text,
            Clone::clone,
        )
    }

    /// A user or a group of this machine, by name or number, that may be missing.
    pub fn optional_account(&mut self, key: &'static str, otherwise: &str) -> Option<String> {
        let read = |node: &Node| {
            value::text(node).or_else(|| Some(value::integer(node, &[])?.to_string()))
        };
        self.optional(key, "a name, or a number", otherwise, read, Clone::clone)
    }

    /// An absolute path; a leading `~/` is the user's home.
    pub fn path(&mut self, key: &'static str, default: impl Into<PathBuf>) -> PathBuf {
        let shown = |path: &PathBuf| path.display().to_string();
        self.value(
            key,
            default.into(),
            "an absolute path, or one that starts with ~/",
            value::path,
            shown,
        )
    }

    /// The secrets of a file that may be missing; `otherwise` tells the reader of the
    /// report what is done then. A file that cannot be used is a problem.
    pub fn optional_secrets(&mut self, key: &'static str, otherwise: &str) -> Option<Secrets> {
        let wanted = "the absolute path of a file with secrets, or one that starts with ~/";
        let Some((name, node)) = self.find(key) else {
            let wanted =
                format!("name the file with the secrets; without the key it is {otherwise}");
            self.refuse_if_empty(key, &wanted);
            self.note(key, otherwise.to_owned(), Origin::Default);
            return None;
        };
        let Some(path) = value::path(node) else {
            self.refuse(name, node, wanted);
            return None;
        };
        if self.findings.without_secrets {
            return None;
        }
        match Secrets::read(&path) {
            Ok(secrets) => {
                self.findings.read(&path);
                self.note(key, secrets.to_string(), Origin::File);
                Some(secrets)
            }
            Err(reason) => {
                self.wrong(key, &reason);
                None
            }
        }
    }

    /// A whole number.
    pub fn number(
        &mut self,
        key: &'static str,
        default: usize,
        range: RangeInclusive<usize>,
    ) -> usize {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let read = |node: &Node| usize::try_from(value::integer(node, &[])?).ok();
        let read = |node: &Node| read(node).filter(|number| range.contains(number));
        self.value(key, default, &wanted, read, ToString::to_string)
    }

    /// A time in seconds, or with a unit, such as `7 d`.
    pub fn seconds(
        &mut self,
        key: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> Duration {
        let (low, high) = (range.start(), range.end());
        let wanted =
            format!("seconds from {low} to {high}, or a time such as 90 s, 5 min, 12 h or 7 d");
        let read = |node: &Node| value::integer(node, value::TIME_UNITS);
        let read = |node: &Node| read(node).filter(|seconds| range.contains(seconds));
        let shown = |seconds: &u64| format!("{seconds} s");
        Duration::from_secs(self.value(key, default, &wanted, read, shown))
    }

    /// A number of bytes, plain or with a unit, such as `8 MiB`.
    pub fn bytes(&mut self, key: &'static str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let wanted = bytes_wanted(&range);
        let read = |node: &Node| value::integer(node, value::SIZE_UNITS);
        let read = |node: &Node| read(node).filter(|bytes| range.contains(bytes));
        self.value(key, default, &wanted, read, |bytes| value::size(*bytes))
    }

    /// Like [`Section::bytes`] where a missing key means a rule, told by `otherwise`.
    pub fn optional_bytes(
        &mut self,
        key: &'static str,
        otherwise: &str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let wanted = bytes_wanted(&range);
        let read = |node: &Node| value::integer(node, value::SIZE_UNITS);
        let read = |node: &Node| read(node).filter(|bytes| range.contains(bytes));
        self.optional(key, &wanted, otherwise, read, |bytes| value::size(*bytes))
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &'static str, default: bool) -> bool {
        self.value(key, default, "true or false", value::flag, ToString::to_string)
    }

    /// One of a few words; the first is the default, and case does not matter.
    pub fn choice<T: Clone, const N: usize>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T); N],
    ) -> T {
        const { assert!(N > 0, "a choice needs words") };
        let listed: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let wanted = format!("one of {}", listed.join(", "));
        let read = |node: &Node| {
            let text = value::text(node)?;
            words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text)).cloned()
        };
        let shown = |(word, _): &(&str, T)| (*word).to_owned();
        self.value(key, words[0].clone(), &wanted, read, shown).1
    }

    /// A section inside this one. Where it is missing, all its keys are.
    pub fn section<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Section<'_>) -> T) -> T {
        let (name, node) = self.find(key).unwrap_or((key, &Node::Nothing));
        let path = self.path_of(name);
        Section::read(self.file, path, node, self.findings, self.in_report, read)
    }

    /// A list of sections; a lone section counts as a list of one. The report says
    /// only how many there are.
    pub fn sections<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&mut Section<'_>) -> T,
    ) -> Vec<T> {
        let Some((name, node)) = self.find(key) else { return Vec::new() };
        let items = match node {
            Node::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        self.note(key, format!("{} in a list", items.len()), Origin::File);
        let mut results = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let mut path = self.path_of(name);
            path.push(Step::Item(index));
            results.push(Section::read(self.file, path, item, self.findings, false, &mut read));
        }
        results
    }

    /// Says that the value of a key, or its absence, makes the configuration unusable.
    pub fn wrong(&mut self, key: &'static str, message: &str) {
        let path = self.path_of(self.name_in_file(key));
        self.findings.problem(self.file, &path, message.to_owned());
    }

    /// Says that the value of a key is probably not what was meant.
    pub fn warn(&mut self, key: &'static str, message: &str) {
        let path = self.path_of(self.name_in_file(key));
        self.findings.warning(self.file, &path, message);
    }

    /// The value of a key or its default, noted in the report.
    fn value<T>(
        &mut self,
        key: &'static str,
        default: T,
        wanted: &str,
        read: impl Fn(&Node) -> Option<T>,
        shown: impl Fn(&T) -> String,
    ) -> T {
        let Some((name, node)) = self.find(key) else {
            self.note(key, shown(&default), Origin::Default);
            return default;
        };
        if let Some(value) = read(node) {
            self.note(key, shown(&value), Origin::File);
            return value;
        }
        self.refuse(name, node, wanted);
        default
    }

    /// Like `value` for a key whose absence means something of its own.
    fn optional<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        otherwise: &str,
        read: impl Fn(&Node) -> Option<T>,
        shown: impl Fn(&T) -> String,
    ) -> Option<T> {
        let shown = |value: &Option<T>| value.as_ref().map_or(otherwise.to_owned(), &shown);
        self.value(key, None, wanted, |node| read(node).map(Some), shown)
    }

    /// The value of a key under whichever of its names the file has, and that
    /// name. What is empty is as good as missing.
    fn find(&mut self, key: &'static str) -> Option<(&'static str, &'a Node)> {
        let others = self.other_names.iter().filter(|(name, _)| *name == key);
        let names: Vec<_> = std::iter::once(key).chain(others.map(|(_, other)| *other)).collect();
        self.known.extend(&names);
        let mut found = names.into_iter().filter_map(|name| {
            let node = &self.pairs.iter().find(|(key, _)| key == name)?.1;
            let empty = matches!(node, Node::Nothing)
                || matches!(node, Node::Text(text) if text.is_empty());
            (!empty).then_some((name, node))
        });
        let first = found.next()?;
        if let Some((second, _)) = found.next() {
            let path = self.path_of(second);
            let message = format!("not used, since `{}` is given too", first.0);
            self.findings.warning(self.file, &path, &message);
        }
        Some(first)
    }

    /// The name under which a key stands in this file.
    fn name_in_file(&self, key: &'static str) -> &'static str {
        let has = |name: &str| self.pairs.iter().any(|(key, _)| key == name);
        let mut others = self.other_names.iter().filter(|(name, other)| *name == key && has(other));
        if has(key) { key } else { others.next().map_or(key, |(_, other)| other) }
    }

    fn path_of(&self, name: &str) -> Vec<Step> {
        let mut path = self.path.clone();
        path.push(Step::Key(name.to_owned()));
        path
    }

    fn refuse(&mut self, name: &str, node: &Node, wanted: &str) {
        let path = self.path_of(name);
        self.findings.problem(self.file, &path, format!("{node} stands here; wanted {wanted}"));
    }

    /// Says that a key is unusable that is there with nothing behind it, for keys whose
    /// absence lets everybody in.
    fn refuse_if_empty(&mut self, key: &'static str, wanted: &str) {
        if self.pairs.iter().any(|(name, _)| name == key) {
            self.wrong(key, &format!("nothing stands here; {wanted}"));
        }
    }

    fn note(&mut self, key: &str, value: String, origin: Origin) {
        if self.in_report {
            let path = self.path_of(key);
            self.findings.entry(self.file, &path, value, origin);
        }
    }

    fn warn_of_unknown_keys(&mut self) {
        for (key, _) in self.pairs {
            if self.known.contains(&key.as_str()) {
                continue;
            }
            let message = match nearest(&key.to_ascii_lowercase(), self.known.iter().copied()) {
                Some(known) => format!("this key is not known; was `{known}` meant?"),
                None => "this key is not known here and is not used".to_owned(),
            };
            let path = self.path_of(key);
            self.findings.warning(self.file, &path, &message);
        }
    }
}

fn bytes_wanted(range: &RangeInclusive<u64>) -> String {
    let (low, high) = (value::size(*range.start()), value::size(*range.end()));
    format!("bytes from {low} to {high}, plain or with a unit, such as 8 MiB")
}
