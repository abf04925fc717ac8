//! Lists side by side, read from the rows that they are written in.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use smallvec::SmallVec;

use super::cut::{at_key, lines, without_start, without_start_in_any_case};
use super::separators::{is_apart, parts};
use super::spaces::trimmed;
use super::{Fresh, Lines, Problem, Reader, begins, push};
use crate::check::types::Type;
use crate::data::layout::cells;
use crate::ir::reply::is_read;
use crate::ir::{Cell, Form, Piece, Program, Rows, SlotId};
use crate::runtime::Memory;

use super::unreadable::{Unreadable, shortened};

/// Where a list of rows comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The prompt shows it, or it has no name: it must be written as the sample has it.
    Sample,
    /// From the rows.
    Rows,
    /// From the rows, where the reply has it elsewhere too: both must be the same.
    Again,
}

/// Where each list of a piece comes from, by its cell; for all pieces of a reply.
pub fn sources(program: &Program) -> Vec<Vec<Source>> {
    let reply = &program.layout.reply;
    let mut known: Vec<SlotId> = Vec::new();
    known.extend(reply.iter().filter_map(|piece| match piece {
        Piece::Value(slot, _) => Some(*slot),
        Piece::Literal(_) | Piece::Rows(_) => None,
    }));
    let mut all = Vec::new();
    for piece in reply {
        let Piece::Rows(rows) = piece else {
            all.push(Vec::new());
            continue;
        };
        let source = |cell: &Cell| match cell.column() {
            Some((slot, _)) if known.contains(&slot) => Source::Again,
            Some((slot, _)) if is_read(program, slot) => Source::Rows,
            _ => Source::Sample,
        };
        let mut sources: Vec<Source> = rows.cells.iter().map(source).collect();
        // Something is read.
        let last = rows.cells.iter().rposition(|cell| cell.column().is_some());
        if let (true, Some(last)) = (sources.iter().all(|it| *it == Source::Sample), last) {
            sources[last] = Source::Rows;
        }
        let read = rows.cells.iter().zip(&sources).filter(|(_, source)| **source == Source::Rows);
        known.extend(read.filter_map(|(cell, _)| Some(cell.column()?.0)));
        all.push(sources);
    }
    all
}

/// A list of rows, the form of its elements, and their texts.
type Column<'r, 't> = (SlotId, &'r Form, Source, Lines<'t>);

impl Reader {
    /// Binds the lists of rows to what the reply says.
    pub(super) fn read_rows(
        &self,
        (rows, sources): (&Rows, &[Source]),
        text: &str,
        fresh: &mut Fresh,
        memory: &mut Memory,
    ) -> Result<(), Unreadable> {
        let text = trimmed(text);
        let text = match rows.nothing.as_deref().map(trimmed) {
            Some(nothing) if text.is_empty() => {
                let wanted = format!("what is listed, or `{nothing}`");
                let slot = rows.last().unwrap_or_default();
                return Err(self.named(slot, Problem::Keyed(wanted, String::new())));
            }
            Some(nothing) if nothing == text => "",
            Some(nothing) if self.spelling.is_some() && same_in_any_case(nothing, text) => "",
            _ => text,
        };
        if let [Cell::Column(slot, Form::Plain)] = rows.cells[..] {
            let kind = &self.program.slots[slot as usize].kind;
            if kind.depth() == 1 {
                let form = match rows.between.as_str() {
                    " " => Form::Plain,
                    between => Form::Joined(between.to_string()),
                };
                let cell = self.value(kind, &form, text, fresh, memory);
                memory.bind(slot, cell.map_err(|problem| self.named(slot, problem))?);
                return Ok(());
            }
        }
        for (slot, form, source, texts) in self.columns(rows, sources, text, memory)? {
            let kind = &self.program.slots[slot as usize].kind;
            let element = kind.element().unwrap_or(&Type::Unknown);
            let first = texts.first().copied().unwrap_or_default().to_string();
            let mut all: SmallVec<[i64; 16]> = SmallVec::new();
            for text in texts {
                let cell = self.value(element, form, text, fresh, memory);
                all.push(cell.map_err(|problem| self.named(slot, problem))?);
            }
            let list = push(element, &all, memory);
            let list = list.map_err(|problem| self.named(slot, problem))?;
            if source == Source::Rows {
                memory.bind(slot, list);
            } else if !begins(element, memory, memory.slot(slot), list) {
                let wanted = "the same wherever the reply shows it".to_string();
                let name = self.program.slots[slot as usize].name.clone();
                return Err(Unreadable::Value { name, wanted, found: shortened(&first) });
            }
        }
        Ok(())
    }

    /// The lists that are read, and the texts of their elements.
    fn columns<'r, 't>(
        &self,
        rows: &'r Rows,
        sources: &[Source],
        text: &'t str,
        memory: &Memory,
    ) -> Result<SmallVec<[Column<'r, 't>; 4]>, Unreadable> {
        let mut columns: SmallVec<[Column<'r, 't>; 4]> = SmallVec::new();
        for (cell, &source) in rows.cells.iter().zip(sources) {
            if let (Cell::Column(slot, form), Source::Rows | Source::Again) = (cell, source) {
                columns.push((*slot, form, source, Lines::new()));
            }
        }
        let segments: Lines<'t> = match rows.between.as_str() {
            _ if text.is_empty() => Lines::new(),
            between if between.contains('\n') && between.trim().is_empty() => lines(text).collect(),
            between if between.trim().is_empty() => text.split(between).collect(),
            between => parts(text, between, |sign| {
                rows.cells.iter().all(|cell| match cell {
                    Cell::Literal(text) => !text.contains(sign),
                    Cell::Number => !sign.is_ascii_digit(),
                    Cell::Column(slot, form) => {
                        is_apart(&self.program.slots[*slot as usize].kind, sign)
                            && !matches!(form, Form::Joined(inner) if inner.contains(sign))
                    }
                })
            }),
        };
        for (at, row) in segments.into_iter().enumerate() {
            let found = self.cut_row((rows, sources), at, row, memory);
            let found = found.map_err(|problem| {
                let named = columns.last().map_or(0, |(slot, ..)| *slot);
                self.named(named, problem)
            })?;
            for ((_, _, _, texts), text) in columns.iter_mut().zip(found) {
                texts.push(text);
            }
        }
        Ok(columns)
    }

    /// The texts of one row's read values.
    fn cut_row<'t>(
        &self,
        (rows, sources): (&Rows, &[Source]),
        at: usize,
        row: &'t str,
        memory: &Memory,
    ) -> Result<SmallVec<[&'t str; 4]>, Problem> {
        let (mut found, mut rest, mut is_open) = (SmallVec::new(), row, false);
        // What has to be next.
        let mut start = String::new();
        let last = rows.cells.len() - 1;
        let wanted = || Problem::Keyed(form(rows), row.to_string());
        for (place, (cell, &source)) in rows.cells.iter().zip(sources).enumerate() {
            match cell {
                Cell::Literal(text) if is_open => {
                    // An empty value at the start of a row has lost the white space after it: no
                    // other begins as the text does.
                    let sign = text.trim_start();
                    let empty = rest.strip_prefix(sign).filter(|_| !sign.is_empty());
                    let empty = empty.or_else(|| (rest == text.trim()).then_some(""));
                    let cut = match (place == last, empty) {
                        (true, _) => rest.strip_suffix(trimmed(text)).map(|value| (value, "")),
                        (false, Some(after)) => Some(("", after)),
                        (false, None) => at_key(rest, text),
                    };
                    let (value, after) = cut.ok_or_else(wanted)?;
                    found.push(trimmed(value));
                    (rest, is_open) = (after, false);
                }
                Cell::Literal(text) => start.push_str(text),
                Cell::Number => {
                    // Nothing fails that is written to a text.
                    let _ = write!(start, "{}", at + 1);
                }
                Cell::Column(slot, form) if source == Source::Sample => {
                    self.write_element(*slot, form, at, memory, &mut start);
                }
                Cell::Column(..) => {
                    start = self.normal.of_literal(&start);
                    let value = self.after((rows, sources), rest, &start, memory);
                    rest = value.ok_or_else(|| Problem::line(&start, row))?;
                    start.clear();
                    is_open = true;
                }
            }
        }
        if is_open {
            found.push(trimmed(rest));
            return Ok(found);
        }
        let rest = self.after((rows, sources), rest, &self.normal.of_literal(&start), memory);
        match rest.is_some_and(|rest| rest.trim().is_empty()) {
            true => Ok(found),
            false => Err(wanted()),
        }
    }

    /// What comes after a start that the sample has, in any case where that is allowed.
    fn after<'t>(
        &self,
        (rows, sources): (&Rows, &[Source]),
        rest: &'t str,
        start: &str,
        memory: &Memory,
    ) -> Option<&'t str> {
        without_start(rest, start).or_else(|| {
            let value = without_start_in_any_case(rest, start.trim_end())?;
            self.has_any_case((rows, sources), memory).then_some(value)
        })
    }

    /// Whether what the sample has in rows may be written in any case: no two elements of a list
    /// differ in it alone.
    fn has_any_case(&self, (rows, sources): (&Rows, &[Source]), memory: &Memory) -> bool {
        let mut known = rows
            .cells
            .iter()
            .zip(sources)
            .filter_map(|(cell, source)| cell.column().filter(|_| *source == Source::Sample));
        self.spelling.is_some()
            && known.all(|(slot, form)| {
                let kind = &self.program.slots[slot as usize].kind;
                let element = kind.element().unwrap_or(&Type::Unknown);
                let all = cells(memory, memory.slot(slot), element);
                let low =
                    |&cell: &i64| self.keys.in_form(memory, cell, element, form).to_lowercase();
                all.iter().map(low).collect::<BTreeSet<_>>().len() == all.len()
            })
    }

    /// Appends an element of a list as the sample's row shows it; nothing of a list that is over.
    fn write_element(
        &self,
        slot: SlotId,
        form: &Form,
        at: usize,
        memory: &Memory,
        out: &mut String,
    ) {
        let kind = &self.program.slots[slot as usize].kind;
        let element = kind.element().unwrap_or(&Type::Unknown);
        let Some(&cell) = cells(memory, memory.slot(slot), element).get(at) else { return };
        *out += &self.keys.in_form(memory, cell, element, form);
    }
}

fn same_in_any_case(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// What a row looks like.
fn form(rows: &Rows) -> String {
    let part = |cell: &Cell| match cell {
        Cell::Literal(text) => text.clone(),
        Cell::Number => "1".to_string(),
        Cell::Column(..) => "…".to_string(),
    };
    format!("rows of the form `{}`", rows.cells.iter().map(part).collect::<String>())
}
