//! HTML text, and the bar, the one shape that the page draws.

use std::fmt::Write;

/// HTML that is written from its beginning to its end.
pub(super) struct Html(String);

impl Html {
    pub(super) fn new() -> Self {
        Self(String::with_capacity(16 * 1024))
    }

    /// Appends markup of our own.
    pub(super) fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Appends text that comes from elsewhere.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            match character {
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '&' => self.0.push_str("&amp;"),
                '"' => self.0.push_str("&quot;"),
                other => self.0.push(other),
            }
        }
        self
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// A horizontal bar of parts in percent, from left to right, with what it means
/// for those who cannot see it. `label` is our own text.
pub(super) fn bar(parts: &[(&str, f64)], label: &str) -> String {
    let mut svg = format!("<svg class=\"bar\" role=\"img\" aria-label=\"{label}\">");
    let mut x = 0.0;
    for (class, percent) in parts {
        let width = percent.clamp(0.0, 100.0 - x);
        // Writing to a String cannot fail.
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{x:.1}%\" width=\"{width:.1}%\" height=\"100%\"/>"
        );
        x += width;
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_never_leaves_its_frame() {
        let svg = bar(&[("a", 70.0), ("b", 60.0), ("c", 5.0)], "x");
        assert!(svg.contains("x=\"70.0%\" width=\"30.0%\"") && svg.contains("width=\"0.0%\""));
        assert!(bar(&[("a", -1.0)], "x").contains("width=\"0.0%\""));
    }
}
