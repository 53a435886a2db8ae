//! Text of YAML to a tree, under limits. We do not use `serde_yaml::Value`: it
//! neither counts what aliases repeat nor says where a key comes twice.

use std::cell::Cell;
use std::fmt;

use rustc_hash::FxHashSet;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Lists and mappings inside each other. Ours are three deep; the parser's time
/// grows with the square of the depth of `[` and `{`.
const MAX_NESTING: usize = 64;
/// An alias may repeat a few lines. What all aliases add up to is bounded by this
/// many times the size of the file, so that no file grows to gigabytes.
const MAX_GROWTH: usize = 4;

/// A piece of a configuration file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Nothing behind the key, `null` or `~`.
    Nothing,
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Integer(i128),
    /// A number with a fraction.
    Float(f64),
    /// Text, in quotes or not.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values, in the order of the file. No key comes twice.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Whether nothing is said here: nothing, empty text, keys with nothing behind
    /// them. An empty list is a list.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Text(text) => text.is_empty(),
            Self::Map(pairs) => pairs.iter().all(|(_, node)| node.is_empty()),
            Self::Flag(_) | Self::Integer(_) | Self::Float(_) | Self::List(_) => false,
        }
    }
}

/// As an error message quotes it: short, on one line.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 60;
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Flag(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(text) if text.chars().count() > SHOWN => {
                write!(f, "{:?}...", text.chars().take(SHOWN).collect::<String>())
            }
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(items) => write!(f, "a list of {}", items.len()),
            Self::Map(_) => f.write_str("a section with keys of its own"),
        }
    }
}

/// Why a text is no YAML that we take, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxError {
    /// The line, from 1, where it is known.
    pub(super) line: Option<usize>,
    /// What is wrong.
    pub(super) message: String,
}

/// Reads one YAML document. An empty one is [`Node::Nothing`].
pub(super) fn parse(text: &str) -> Result<Node, SyntaxError> {
    check_nesting(text)?;
    let budget = Cell::new(text.len().saturating_mul(MAX_GROWTH) + 1024);
    NodeSeed { budget: &budget }.deserialize(serde_yaml::Deserializer::from_str(text)).map_err(
        |error| {
            let line = error.location().map(|location| location.line());
            SyntaxError { line, message: message(&error) }
        },
    )
}

/// What `serde_yaml` says, without the place: that stands before the message.
fn message(error: &serde_yaml::Error) -> String {
    let text = error.to_string();
    match text.split_once(" at line ") {
        // A second place in the message tells where the thing at fault began.
        Some((what, place)) if !place.contains(" at line ") => what.to_owned(),
        _ => text,
    }
}

/// Refuses deep nesting before the parser sees it. Brackets in quotes count too:
/// this is a guard against accidents (whoever can write the file can do worse),
/// not a second parser.
fn check_nesting(text: &str) -> Result<(), SyntaxError> {
    let mut depth = 0_usize;
    for (number, line) in text.lines().enumerate() {
        let mut before = ' ';
        let mut in_quotes = false;
        for character in line.chars() {
            match character {
                '#' if before.is_whitespace() && !in_quotes => break,
                '"' | '\'' => in_quotes = !in_quotes,
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            before = character;
        }
        if depth > MAX_NESTING {
            let message = format!("lists or mappings more than {MAX_NESTING} deep");
            return Err(SyntaxError { line: Some(number + 1), message });
        }
    }
    Ok(())
}

/// Builds a [`Node`] while what it costs stays within the budget.
#[derive(Clone, Copy)]
struct NodeSeed<'a> {
    budget: &'a Cell<usize>,
}

impl NodeSeed<'_> {
    /// Takes the cost of one node and its text from the budget.
    fn spend<E: Error>(self, bytes: usize) -> Result<(), E> {
        let left = self.budget.get().checked_sub(bytes + 1);
        self.budget.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or_else(|| E::custom("aliases (`*name`) that repeat too much"))
    }
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a number, true or false, a list, or keys with values")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        self.spend(0)?;
        Ok(Node::Flag(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        self.visit_i128(i128::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        self.visit_i128(i128::from(value))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Node, E> {
        self.spend(0)?;
        Ok(Node::Integer(value))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Node, E> {
        // No key takes a number of this size; the message needs no more digits.
        self.visit_i128(i128::try_from(value).unwrap_or(i128::MAX))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        self.spend(0)?;
        Ok(Node::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        self.spend(value.len())?;
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        self.spend(0)?;
        Ok(Node::Nothing)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        self.visit_unit()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        self.spend(0)?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        self.spend(0)?;
        let mut pairs: Vec<(String, Node)> = Vec::new();
        let mut seen = FxHashSet::default();
        while let Some(key) = access.next_key_seed(NewKey { seen: &seen })? {
            self.spend(key.len())?;
            seen.insert(key.clone());
            pairs.push((key, access.next_value_seed(self)?));
        }
        Ok(Node::Map(pairs))
    }
}

/// A key of a mapping. It fails on one that was there before, and the parser
/// puts the place of that very key into the error.
struct NewKey<'a> {
    seen: &'a FxHashSet<String>,
}

impl<'de> DeserializeSeed<'de> for NewKey<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NewKey<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key, which is text")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<String, E> {
        if self.seen.contains(key) {
            return Err(E::custom(format_args!(
                "the key `{key}` stands there for the second time"
            )));
        }
        Ok(key.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn fault(text: &str) -> SyntaxError {
        parse(text).expect_err("must be refused")
    }

    #[test]
    fn reads_every_kind() {
        let text =
            "a: 1\nb: -2\nc: 1.5\nd: yes\ne: true\nf:\ng: ~\nh: [1, x]\ni: {j: '1'}\nk: 010\n";
        let expected = Node::Map(
            [
                ("a", Node::Integer(1)),
                ("b", Node::Integer(-2)),
                ("c", Node::Float(1.5)),
                ("d", Node::Text("yes".into())),
                ("e", Node::Flag(true)),
                ("f", Node::Nothing),
                ("g", Node::Nothing),
                ("h", Node::List(vec![Node::Integer(1), Node::Text("x".into())])),
                ("i", Node::Map(vec![("j".into(), Node::Text("1".into()))])),
                ("k", Node::Text("010".into())),
            ]
            .map(|(key, node)| (key.to_owned(), node))
            .into(),
        );
        assert_eq!(parse(text), Ok(expected));
    }

    #[test]
    fn empty_files_hold_nothing() {
        for text in ["", "\n", "# only a comment\n", "---\n"] {
            assert_eq!(parse(text), Ok(Node::Nothing), "{text:?}");
        }
    }

    #[test]
    fn a_second_key_is_named_with_its_own_line() {
        let found = fault("pattoo:\n  a: 1\n  b: 2\n\n  a: 3\n  c: 4\n");
        assert_eq!(found.line, Some(5));
        assert_eq!(found.message, "pattoo: the key `a` stands there for the second time");
        assert_eq!(fault("{x: 1,\n y: 2,\n x: 3}").line, Some(3));
    }

    #[test]
    fn broken_syntax_has_a_line() {
        assert_eq!(fault("a: 1\n b: 2\n").line, Some(2));
        assert_eq!(fault("a: *nobody\n").line, Some(1));
        assert_eq!(fault("a: 1\nb: !tag 2\n").line, Some(2));
        assert_eq!(fault("? [a, b]\n: c\n").line, Some(1));
        assert!(fault("a: 1\n---\nb: 2\n").message.contains("more than one document"));
        assert!(fault("a: \u{1}\n").message.contains("control characters"));
    }

    #[test]
    fn deep_nesting_is_refused_before_parsing() {
        let deep = "[".repeat(65_000);
        assert_eq!(fault(&deep).message, "lists or mappings more than 64 deep");
        let behind_comments = "[ # ]\n".repeat(9_000);
        assert_eq!(fault(&behind_comments).line, Some(65));
        let block = format!("a:\n{}x\n", "- ".repeat(30_000));
        assert!(fault(&block).message.contains("recursion limit"));
    }

    #[test]
    fn many_brackets_side_by_side_are_taken() {
        let mut text = String::from("list:\n");
        for number in 0..1_000 {
            writeln!(text, "- {{name: \"[{number}] # \", port: 1}} # }} see [1").expect("text");
        }
        let Ok(Node::Map(pairs)) = parse(&text) else { panic!("refused") };
        assert!(matches!(&pairs[0].1, Node::List(items) if items.len() == 1_000));
    }

    #[test]
    fn aliases_work_in_small_and_are_refused_in_bulk() {
        let Ok(Node::Map(pairs)) = parse("a: &x {p: 1}\nb: *x\n") else { panic!("refused") };
        assert_eq!(pairs[0].1, pairs[1].1);
        let bomb = format!("a: &x {}\nb: [{}]\n", "y".repeat(10_000), "*x,".repeat(1_000));
        assert!(fault(&bomb).message.contains("repeat too much"));
        let mut laughs = String::from("a0: &a0 [x]\n");
        for level in 1..40 {
            let before = level - 1;
            writeln!(laughs, "a{level}: &a{level} [*a{before}, *a{before}]").expect("text");
        }
        assert!(fault(&laughs).message.contains("repeat too much"));
    }

    #[test]
    fn what_is_quoted_in_an_error_is_short() {
        assert_eq!(Node::Text("x\ny".into()).to_string(), r#""x\ny""#);
        assert!(Node::Text("x".repeat(1_000)).to_string().len() < 80);
    }
}
