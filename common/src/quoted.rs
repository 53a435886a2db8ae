//! What others sent, in a line of text: quoted, without line breaks, and cut. The
//! precision of a format does none of that for a quoted text.

use std::fmt;

/// Bytes that are shown.
const SHOWN_BYTES: usize = 80;

/// Shows a text as a Rust literal, of a long one the beginning.
pub fn quoted(text: &str) -> impl fmt::Display + '_ {
    Quoted(text)
}

struct Quoted<'t>(&'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0[..self.0.floor_char_boundary(SHOWN_BYTES)];
        let more = if shown.len() < self.0.len() { "..." } else { "" };
        write!(f, "{shown:?}{more}")
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_long_text_is_cut_between_characters_and_a_short_one_is_whole() {
        assert_eq!(quoted("a \"b\"\n").to_string(), r#""a \"b\"\n""#);
        let long = "a".repeat(79) + "é, and more";
        assert_eq!(quoted(&long).to_string(), format!("\"{}\"...", "a".repeat(79)));
    }
}
