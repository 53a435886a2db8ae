//! The line of a key in a file. `serde_yaml` tells places only in errors, so the
//! file is parsed once more by a reader that fails on purpose at that key. This
//! is exact for every style of YAML, and costs only those whose file has a fault.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// One step from the top of a file to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Into the value behind a key.
    Key(String),
    /// Into an item of a list, from 0.
    Item(usize),
}

/// The steps as a person writes them: `ip_devices[3].ip_address`.
pub(super) fn dotted(path: &[Step]) -> String {
    let written = path.iter().map(|step| match step {
        Step::Key(key) => format!(".{key}"),
        Step::Item(index) => format!("[{index}]"),
    });
    written.collect::<String>().trim_start_matches('.').to_owned()
}

/// The line, from 1, where the last step of `path` stands in `text`.
pub(super) fn line_of(text: &str, path: &[Step]) -> Option<usize> {
    if path.is_empty() {
        return None;
    }
    let seeker = Seeker { path };
    let found = seeker.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
    found.location().map(|location| location.line())
}

/// Goes down `path` and fails at its end.
#[derive(Clone, Copy)]
struct Seeker<'a> {
    path: &'a [Step],
}

/// The message of the failure that is wanted; nobody reads it.
const HERE: &str = "here";

impl<'de> DeserializeSeed<'de> for Seeker<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seeker<'_> {
    type Value = ();

    // What is found instead of the way on is an error too, and its place is as
    // near as one can get.
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HERE)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let Some((Step::Item(wanted), rest)) = self.path.split_first() else {
            return Err(A::Error::custom(HERE));
        };
        for _ in 0..*wanted {
            access.next_element::<IgnoredAny>()?;
        }
        access.next_element_seed(Seeker { path: rest }).map(|_| ())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        // A list of one may be written without its dash.
        let ([Step::Key(wanted), rest @ ..] | [Step::Item(0), Step::Key(wanted), rest @ ..]) =
            self.path
        else {
            return Err(A::Error::custom(HERE));
        };
        while let Some(found) = access.next_key_seed(Key { wanted, last: rest.is_empty() })? {
            if found {
                return access.next_value_seed(Seeker { path: rest });
            }
            access.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// Tells whether a key is the wanted one; if that ends the path, it fails.
struct Key<'a> {
    wanted: &'a str,
    last: bool,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        match key == self.wanted {
            true if self.last => Err(E::custom(HERE)),
            found => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Step {
        Step::Key(name.to_owned())
    }

    #[test]
    fn block_style() {
        let text = "# comment\npattoo:\n\n  log_level: info\nlist:\n  - a: 1\n    b: 2\n  - a: 3\n\n    b: 4\n";
        assert_eq!(line_of(text, &[key("pattoo")]), Some(2));
        assert_eq!(line_of(text, &[key("pattoo"), key("log_level")]), Some(4));
        assert_eq!(line_of(text, &[key("list"), Step::Item(1)]), Some(8));
        assert_eq!(line_of(text, &[key("list"), Step::Item(1), key("b")]), Some(10));
    }

    #[test]
    fn flow_style_and_odd_layouts() {
        let text = "{list: [{a: 1}, {\n b: 2}], 'other': |\n  a: text\n  list: text\n }";
        assert_eq!(line_of(text, &[key("list"), Step::Item(1), key("b")]), Some(2));
        let text = "one: |\n  two: not a key\ntwo:\n  three\n";
        assert_eq!(line_of(text, &[key("two")]), Some(3));
    }

    #[test]
    fn a_lone_mapping_is_a_list_of_one() {
        let text = "list:\n  a: 1\n  b: 2\n";
        assert_eq!(line_of(text, &[key("list"), Step::Item(0), key("b")]), Some(3));
    }

    #[test]
    fn what_is_not_there_has_no_line() {
        assert_eq!(line_of("a: 1\n", &[key("b")]), None);
        assert_eq!(line_of("a: [1]\n", &[key("a"), Step::Item(7)]), None);
        assert_eq!(line_of("a: 1\n", &[]), None);
    }

    #[test]
    fn paths_read_as_a_person_writes_them() {
        assert_eq!(dotted(&[key("a"), Step::Item(3), key("b")]), "a[3].b");
        assert_eq!(dotted(&[]), "");
    }
}
