//! A table for a person: columns two spaces apart, as wide as they need to be.

use std::fmt::Write;

/// Characters of a column; the last may be longer.
const MAX_WIDTH: usize = 60;

/// Rows under a head.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with nothing under its head.
    pub(super) fn new(head: impl IntoIterator<Item = &'static str>) -> Self {
        Self { rows: vec![head.into_iter().map(str::to_owned).collect()] }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The text, an empty line under its head.
    pub(super) fn into_text(self) -> String {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0).min(MAX_WIDTH)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                // Control characters would move what stands behind them.
                let cell: String =
                    cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
                // A String takes every write.
                let _ = write!(line, "{cell:<width$}  ");
            }
            text.push_str(line.trim_end());
            text.push_str(if number == 0 { "\n\n" } else { "\n" });
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["idx", "name", "enabled"]);
        table.row(["1", "Español", "1"].map(str::to_owned).to_vec());
        table.row(["12", "a\nb", ""].map(str::to_owned).to_vec());
        let wanted = "idx  name     enabled\n\n1    Español  1\n12   a b\n";
        assert_eq!(table.into_text(), wanted);
    }
}
