//! Neighbouring statements of one kind as a table: their signs stand below one another.

use super::breaking::lay_out;
use super::print::{Printer, width};
use super::{Columns, WIDTH};

/// One statement or comment with what goes before and behind it.
pub struct Row {
    /// A blank line stands before it.
    pub blank: bool,
    /// A comment stands behind it.
    pub comment: Option<String>,
    content: Content,
}

enum Content {
    /// Lines that stay as they are.
    Lines(String),
    /// Cells that begin at these atoms, the last ending before `end`.
    Cells { starts: Vec<usize>, end: usize, columns: Columns },
}

impl Row {
    /// A row that lines up with nothing.
    pub fn line(text: String) -> Row {
        Row { blank: false, comment: None, content: Content::Lines(text) }
    }

    /// A row of cells.
    pub fn cells(starts: Vec<usize>, end: usize, columns: Columns) -> Row {
        Row { blank: false, comment: None, content: Content::Cells { starts, end, columns } }
    }

    fn columns(&self) -> Columns {
        match self.content {
            Content::Cells { columns, .. } => columns,
            Content::Lines(_) => Columns::None,
        }
    }
}

/// Rows that may line up, and the lines made so far.
pub struct Group<'a> {
    printer: &'a Printer<'a>,
    indent: usize,
    rows: Vec<Row>,
    lines: String,
}

impl<'a> Group<'a> {
    /// No rows yet.
    pub fn new(printer: &'a Printer<'a>, indent: usize) -> Group<'a> {
        Group { printer, indent, rows: Vec::new(), lines: String::new() }
    }

    /// Takes the next row; one that does not fit the rows before ends their table.
    pub fn push(&mut self, row: Row) {
        let fits = self.rows.last().is_none_or(|last| {
            !row.blank && row.columns() != Columns::None && last.columns() == row.columns()
        });
        if !fits {
            self.flush();
        }
        self.rows.push(row);
    }

    /// All lines.
    pub fn finish(mut self) -> String {
        self.flush();
        self.lines
    }

    fn flush(&mut self) {
        let widths = self.widths();
        for row in std::mem::take(&mut self.rows) {
            if row.blank {
                self.lines.push('\n');
            }
            self.lines.push_str(&" ".repeat(self.indent));
            match row.content {
                Content::Lines(text) => self.lines.push_str(&text),
                Content::Cells { starts, end, .. } => self.cells(&starts, end, &widths),
            }
            if let Some(comment) = row.comment {
                self.lines.push(' ');
                self.lines.push_str(&comment);
            }
            self.lines.push('\n');
        }
    }

    /// The width of each column but the last of a row.
    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            let Content::Cells { starts, .. } = &row.content else { continue };
            for (column, cell) in starts.windows(2).enumerate() {
                let width = width(&self.printer.flat(cell[0], cell[1], self.indent + 2));
                if column == widths.len() {
                    widths.push(0);
                }
                widths[column] = widths[column].max(width);
            }
        }
        widths
    }

    fn cells(&mut self, starts: &[usize], end: usize, widths: &[usize]) {
        let mut column = self.indent;
        let mut line = String::new();
        for (cell, &width_of) in starts.windows(2).zip(widths) {
            let text = self.printer.flat(cell[0], cell[1], self.indent + 2);
            line.push_str(&text);
            let space = width_of + 1 - width(&text).min(width_of);
            line.push_str(&" ".repeat(space));
            column += width(&text) + space;
        }
        let last = *starts.last().expect("a row has a cell");
        let flat = self.printer.flat(last, end, self.indent + 2);
        let fits = column + width(&flat) <= WIDTH;
        match fits {
            true => line.push_str(&flat),
            false if starts.len() == 2 => {
                line.push_str(&lay_out(self.printer, last, end, column, self.indent + 2));
            }
            false => line = lay_out(self.printer, starts[0], end, self.indent, self.indent + 2),
        }
        self.lines.push_str(&line);
    }
}
