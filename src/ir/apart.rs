//! Whether the values of a reply can be told from what stands beside them, as far as it depends on
//! what is known of them at a level: the characters of texts that are made, the signs of numbers.
//!
//! What depends on types and literals alone is looked at where the template is checked.

use super::lower::Lower;
use super::{Cell, Form, Piece, Rows, SlotId, reply};
use crate::check::readable::tight;
use crate::check::typed;
use crate::check::types::Type;
use crate::diagnostic::Diagnostic;
use crate::runtime::bound::{Blanks, TextBound};
use crate::runtime::signs::Signs;
use crate::source::Span;

impl Lower<'_> {
    /// Refuses values whose end, or whose elements' ends, nothing tells.
    pub fn refuse_open_texts(&mut self) {
        let reply = self.program.layout.reply.clone();
        for (at, (piece, shown)) in reply.iter().zip(&self.template.layout.reply).enumerate() {
            let (error, span) = match (piece, shown) {
                (Piece::Value(slot, form), typed::Piece::Placeholder(placeholder)) => {
                    let span = placeholder.value.span;
                    let depth = self.program.slots[*slot as usize].kind.depth();
                    (self.elements_apart((*slot, form), depth, span), span)
                }
                (Piece::Rows(rows), typed::Piece::Rows(shown)) => {
                    (self.rows_apart(rows, shown.span), shown.span)
                }
                _ => continue,
            };
            let error = error.or_else(|| match reply.get(at + 1) {
                Some(Piece::Literal(literal)) if at + 2 < reply.len() => {
                    let signs = self.signs(piece);
                    let is_apart = tight(literal).chars().any(|sign| !signs.has(sign));
                    (!is_apart).then(|| open(literal, span))
                }
                _ => None,
            });
            self.errors.extend(error);
        }
    }

    /// What is known of the texts of a slot, where some are made.
    fn made_texts(&self, slot: SlotId) -> Option<TextBound> {
        self.program.slots[slot as usize].texts().filter(|_| self.template.makes_texts)
    }

    /// The error of a value of this depth where nothing tells its elements apart.
    fn elements_apart(
        &self,
        (slot, form): (SlotId, &Form),
        depth: usize,
        span: Span,
    ) -> Option<Diagnostic> {
        let texts = self.made_texts(slot);
        if texts.as_ref().is_some_and(|texts| texts.has_blank_ends()) {
            let title = "a text that may begin or end with white space is not read back";
            let error = Diagnostic::error("E412", title, span, "one of its texts may");
            return Some(error.help("put text around what is shown at its ends, or leave it out"));
        }
        let signs = self.element_signs(slot);
        let shown = &self.program.slots[slot as usize];
        let letters = shown.texts().map(|texts| (texts.low, texts.high));
        // Of the innermost lists.
        let mut innermost = shown.bound.clone();
        for _ in 1..shown.kind.depth() {
            innermost = innermost.element();
        }
        let fewest = innermost.sizes().0;
        let title = match (form, texts) {
            _ if depth == 0 => return None,
            (Form::Plain | Form::Digits(_), Some(texts))
                if texts.low == 0 || texts.blanks > Blanks::None =>
            {
                "an element may be empty, or have what is between two".to_string()
            }
            (Form::Joined(between), _)
                if between.is_empty() && letters.is_some_and(|length| length != (1, 1)) =>
            {
                "an element may have several characters, or none, and nothing is between two"
                    .to_string()
            }
            (Form::Joined(between), _)
                if !between.is_empty() && tight(between).chars().all(|sign| signs.has(sign)) =>
            {
                format!("`{between}` may be part of an element")
            }
            // `[""]` is shown as `[]` is.
            (Form::Joined(_), _) if letters.is_some_and(|(low, _)| low == 0) && fewest < 2 => {
                "an element may be empty, and stand alone".to_string()
            }
            _ => return None,
        };
        let error = Diagnostic::error("E406", title, span, "where does an element end?");
        Some(error.help("join with a character that no element has: `join(\"; \", xs)`"))
    }

    /// The error of rows where nothing tells one from the next, or the parts of one.
    fn rows_apart(&self, rows: &Rows, span: Span) -> Option<Diagnostic> {
        for (at, cell) in rows.cells.iter().enumerate() {
            let Some((slot, form)) = cell.column() else { continue };
            let depth = self.program.slots[slot as usize].kind.depth().saturating_sub(1);
            let error = self.elements_apart((slot, form), depth, span);
            if error.is_some() {
                return error;
            }
            let Some(Cell::Literal(literal)) = rows.cells.get(at + 1) else { continue };
            let signs = self.cell_signs(cell);
            let is_last = at + 2 == rows.cells.len();
            let is_told = tight(literal).chars().any(|sign| !signs.has(sign));
            if !is_last && !is_told && reply::is_read(&self.program, slot) {
                let title = format!("`{literal}` may be part of what is before it");
                let error = Diagnostic::error("E406", title, span, "where does that end?");
                return Some(
                    error.help(
                        "write a text between them with a character that the first never has",
                    ),
                );
            }
        }
        let signs = self.row_signs(rows);
        let is_letters = match &rows.cells[..] {
            [Cell::Column(slot, Form::Plain)] if rows.between.is_empty() => {
                let texts = self.program.slots[*slot as usize].texts();
                texts.is_some_and(|texts| (texts.low, texts.high) == (1, 1))
            }
            _ => false,
        };
        let is_own = |sign: char| !signs.has(sign);
        if !tight(&rows.between).chars().any(is_own) && !is_letters {
            let title = format!("`{}` may be part of a row", rows.between.escape_debug());
            let error = Diagnostic::error("E406", title, span, "where does a row end?");
            let help = "write a text between rows with a character that no row has";
            return Some(error.help(help));
        }
        let nothing = rows.nothing.as_deref()?;
        let sign = rows.between.trim();
        let is_one = nothing.trim().chars().any(is_own);
        let is_no_row = !sign.is_empty() && !nothing.contains(sign) && is_one;
        let signs = signs.and(Signs::of(&rows.between)).and(Signs::of(" \n"));
        let is_told = nothing.chars().any(|sign| !signs.has(sign));
        (!is_told && !is_no_row).then(|| {
            let title = format!("`{nothing}` may be an element of the list");
            let label = "what does it say where it stands alone?";
            Diagnostic::error("E406", title, span, label)
                .help("write a character in it that no element has")
        })
    }

    /// The characters of what is shown.
    fn signs(&self, piece: &Piece) -> Signs {
        match piece {
            Piece::Literal(text) => Signs::of(text),
            Piece::Value(slot, form) => {
                let depth = self.program.slots[*slot as usize].kind.depth();
                self.form_signs(*slot, form, depth)
            }
            Piece::Rows(rows) => {
                let nothing = Signs::of(rows.nothing.as_deref().unwrap_or_default());
                self.row_signs(rows).and(Signs::of(&rows.between)).and(nothing)
            }
        }
    }

    fn row_signs(&self, rows: &Rows) -> Signs {
        rows.cells.iter().fold(Signs::NONE, |signs, cell| signs.and(self.cell_signs(cell)))
    }

    fn cell_signs(&self, cell: &Cell) -> Signs {
        match cell {
            Cell::Literal(text) => Signs::of(text),
            Cell::Number => Signs::of("0123456789"),
            Cell::Column(slot, form) => {
                let depth = self.program.slots[*slot as usize].kind.depth().saturating_sub(1);
                self.form_signs(*slot, form, depth)
            }
        }
    }

    fn form_signs(&self, slot: SlotId, form: &Form, depth: usize) -> Signs {
        self.element_signs(slot).and(match form {
            Form::Digits(digits) if digits.point > 0 => Signs::of("."),
            Form::Plain | Form::Digits(_) if depth == 0 => Signs::NONE,
            Form::Plain | Form::Digits(_) => Signs::of(if depth == 1 { " " } else { " \n" }),
            Form::Joined(between) => Signs::of(between),
        })
    }

    /// The characters of a value, or of the innermost elements of a list.
    fn element_signs(&self, slot: SlotId) -> Signs {
        let slot = &self.program.slots[slot as usize];
        let (mut kind, mut bound) = (&slot.kind, slot.bound.clone());
        while let Some(element) = kind.element() {
            (kind, bound) = (element, bound.element());
        }
        match kind {
            Type::Text if self.template.makes_texts => bound.text().signs,
            Type::Text => {
                let texts = self.program.texts.iter();
                texts.fold(Signs::NONE, |signs, text| signs.and(Signs::of(text)))
            }
            Type::Token => Signs::of_words(false),
            Type::Int if bound.interval().0 >= 0 => Signs::of("0123456789"),
            Type::Int => Signs::of("-0123456789"),
            Type::Bool => Signs::of("truefals"),
            Type::Real => Signs::of("-.0123456789einfNa"),
            Type::List(_) | Type::Any(_) | Type::Shown | Type::Unknown => Signs::NONE,
        }
    }
}

fn open(literal: &str, span: Span) -> Diagnostic {
    let title = format!("`{literal}` may be part of the value before it");
    Diagnostic::error("E404", title, span, "where does this end?")
        .help("write a character after it that it never has, such as `;` or a line break")
}
