//! One bounded line of a message that may hold anything.

use std::fmt::{self, Write};

/// A message is cut after this many bytes. With time, level and target the
/// line stays below `PIPE_BUF` (4,096), so that it is never torn in a pipe.
const MESSAGE_LIMIT: usize = 2048;

/// The message on one line: control characters as escapes, and cut at the
/// limit, with the number of bytes that are missing.
pub(super) fn one_line(message: &fmt::Arguments<'_>) -> String {
    let mut line = Line { text: String::new(), missing: 0 };
    // Line itself never fails; a Display that does has written what it could.
    let _ = line.write_fmt(*message);
    if line.missing > 0 {
        let _ = write!(line.text, "... ({} bytes more)", line.missing);
    }
    line.text
}

struct Line {
    text: String,
    missing: usize,
}

impl Write for Line {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        for letter in part.chars() {
            self.write_char(letter)?;
        }
        Ok(())
    }

    fn write_char(&mut self, letter: char) -> fmt::Result {
        let start = self.text.len();
        if self.missing == 0 {
            if is_harmful(letter) {
                self.text.extend(letter.escape_default());
            } else {
                self.text.push(letter);
            }
        }
        if self.missing > 0 || self.text.len() > MESSAGE_LIMIT {
            self.text.truncate(start);
            self.missing += letter.len_utf8();
        }
        Ok(())
    }
}

/// What moves the cursor of a terminal, ends a line, or turns the direction of
/// the text around it.
fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_cannot_forge_a_line_or_move_the_cursor() {
        let said = "GET /\r\n2026-01-01 [INFO] forged\u{1b}[2J\u{9b}1m\0\u{202e}";
        assert_eq!(
            one_line(&format_args!("from {said}")),
            r"from GET /\r\n2026-01-01 [INFO] forged\u{1b}[2J\u{9b}1m\u{0}\u{202e}"
        );
        assert_eq!(one_line(&format_args!("Grüße, 日本")), "Grüße, 日本");
    }

    #[test]
    fn a_long_message_is_cut_between_letters() {
        let line = one_line(&format_args!("{}", "ü".repeat(MESSAGE_LIMIT)));
        assert_eq!(line, format!("{}... (2048 bytes more)", "ü".repeat(MESSAGE_LIMIT / 2)));
        let exact = "x".repeat(MESSAGE_LIMIT);
        assert_eq!(one_line(&format_args!("{exact}")), exact);
        let odd = one_line(&format_args!("{}\n{}", &exact[1..], "y".repeat(10)));
        assert_eq!(odd, format!("{}... (11 bytes more)", &exact[1..]));
    }
}
