//! A table for people: columns as wide as their widest cell, two blanks between them.
//!
//! The first row is not out before the last one is in, so all cells are kept, in one text: a hundred thousand rows take
//! little more than their letters.

use std::io::{Result, Write};
use unicode_width::UnicodeWidthStr;

/// A table in the making.
pub struct Grid {
    widths: Vec<usize>,
    /// The cells, row by row, each closed by [`END`].
    cells: String,
}

/// Closes a cell. Cells hold no control characters but this one.
const END: char = '\n';

impl Grid {
    /// A table with headings and no rows.
    pub fn new(headings: &[&str]) -> Grid {
        let mut grid = Grid { widths: vec![0; headings.len()], cells: String::new() };
        grid.row(headings.iter().map(|&heading| heading.to_owned()));
        grid
    }

    /// Adds a row of as many cells as there are headings, without line ends.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        for (width, cell) in self.widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.width());
            self.cells.push_str(&cell);
            self.cells.push(END);
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.cells.matches(END).nth(self.widths.len()).is_none()
    }

    /// Writes the table.
    ///
    /// # Errors
    /// The pipe is closed, the disk is full.
    pub fn write(&self, out: &mut impl Write) -> Result<()> {
        let mut cells = self.cells.split_terminator(END);
        let mut line = String::new();
        loop {
            line.clear();
            for width in &self.widths {
                let Some(cell) = cells.next() else { return Ok(()) };
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
            }
            writeln!(out, "{}", line.trim())?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(grid: &Grid) -> String {
        let mut out = Vec::new();
        grid.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut grid = Grid::new(&["A", "NAME", "C"]);
        assert!(grid.is_empty());
        grid.row(["long".to_owned(), "日本".to_owned(), String::new()]);
        grid.row(["x".to_owned(), "jürgen".to_owned(), "end".to_owned()]);
        assert!(!grid.is_empty());
        assert_eq!(written(&grid), "A     NAME    C\nlong  日本\nx     jürgen  end\n");
    }
}
