//! The proof that a reply can be read back, as far as it depends on what is written, and not on a
//! level.

use std::collections::BTreeSet;

use super::layout::not_a_name;
use super::roles::shown_names;
use super::typed::{
    Cell, DigitsOf, Expr, ExprKind, Form, LocalId, Piece, Placeholder, Rows, Template,
};
use super::types::Type;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// The errors of a reply that cannot be read back. Between two values is a literal with a
/// character that the first value never has: so that value ends at the first occurrence of the
/// literal. The same is so of rows, and of the parts of a row.
pub fn unreadable(template: &Template, source: &Source) -> Vec<Diagnostic> {
    let reading = Reading { template, source };
    let mut errors = Vec::new();
    let reply = &template.layout.reply;
    for (at, piece) in reply.iter().enumerate() {
        match piece {
            Piece::Literal(_) => continue,
            Piece::Placeholder(placeholder) => {
                errors.extend(reading.inseparable(placeholder, placeholder.value.ty.depth()));
            }
            Piece::Rows(rows) => errors.extend(reading.rows(rows)),
        }
        errors.extend(reading.end(piece, reply.get(at + 1), reply.get(at + 2)));
    }
    errors
}

/// A literal without the spaces beside its line breaks: a reply is read without them.
pub fn tight(literal: &str) -> String {
    let last = literal.matches('\n').count();
    let lines = literal.split('\n').enumerate().map(|(at, line)| {
        let line = if at > 0 { line.trim_start_matches(' ') } else { line };
        if at < last { line.trim_end_matches(' ') } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

struct Reading<'a> {
    template: &'a Template,
    source: &'a Source,
}

impl Reading<'_> {
    /// The error of a value whose end nothing tells.
    fn end(&self, piece: &Piece, next: Option<&Piece>, last: Option<&Piece>) -> Option<Diagnostic> {
        let place = place(piece);
        let symbol = self.symbol_after(piece);
        let own = match piece {
            Piece::Placeholder(placeholder) if self.is_own(placeholder) => Some(placeholder),
            _ => None,
        };
        let ended = |error: Diagnostic, symbol: &str| match own {
            Some(_) => error.fix(closing_brace(self.source, place), format!("}}{symbol}")),
            None => error,
        };
        let literal = match (next, last) {
            (None, _) => return None,
            (Some(Piece::Literal(literal)), Some(_)) => literal,
            (Some(Piece::Literal(_)), None) => return None,
            (Some(next), _) => {
                let (title, other) = ("nothing stands between two values", self::place(next));
                let error = Diagnostic::error("E404", title, other, "begins where the other ends")
                    .and(place, "ends nowhere")
                    .help(format!(
                        "write a text between them: `{{{}}}{symbol}{{{}}}`",
                        self.source.slice(place),
                        self.source.slice(other)
                    ));
                return Some(ended(error, symbol));
            }
        };
        if tight(literal).chars().any(|character| self.never_in(piece, character)) {
            return None;
        }
        let title = format!("`{literal}` may be part of the value before it");
        let value = match own {
            Some(placeholder) if matches!(placeholder.form, Form::Plain) => {
                format!("{{{}}}", self.source.slice(place))
            }
            // A value among others, as in `{join(", ", xs)}`.
            _ => "…}".to_string(),
        };
        let written = format!("{value}{}{}", symbol.trim_end(), literal.replace('\n', "\\n"));
        let error = Diagnostic::error("E404", title, place, "where does this end?")
            .help(format!("write a character after it that it never has: `{written}`"));
        Some(ended(error, symbol.trim_end()))
    }

    /// The errors of rows that are not read back.
    fn rows(&self, rows: &Rows) -> Vec<Diagnostic> {
        let mut errors = Vec::new();
        let given = self.given();
        let is_read = |column: &Placeholder| self.is_read(column, &given);
        let reads_some = rows.cells.iter().filter_map(Cell::column).any(is_read);
        for (at, cell) in rows.cells.iter().enumerate() {
            let Cell::Column(column) = cell else { continue };
            let depth = column.value.ty.depth().saturating_sub(1);
            errors.extend(self.inseparable(column, depth));
            if !matches!(column.value.kind, ExprKind::Local(_)) {
                errors.extend(self.unknown_list(&column.value, &given));
            }
            let is_matched = reads_some && !is_read(column);
            let error = match rows.cells.get(at + 1) {
                Some(Cell::Literal(literal)) if at + 2 < rows.cells.len() => {
                    let mut own = tight(literal).chars().collect::<Vec<_>>().into_iter();
                    let is_told = own.any(|character| self.never_in_as(column, depth, character));
                    let title = format!("`{literal}` may be part of what is before it");
                    (!is_told && !is_matched).then_some((title, column.value.span))
                }
                Some(Cell::Column(next)) => {
                    Some(("nothing stands between two values".to_string(), next.value.span))
                }
                _ => None,
            };
            errors.extend(error.map(|(title, place)| {
                Diagnostic::error("E406", title, place, "where does the one before end?")
                    .help("write a text between them with a character that the first never has")
            }));
        }
        let is_between =
            |character: char| rows.cells.iter().all(|cell| self.never_in_cell(cell, character));
        // Where nothing is between the elements, each must be one character: seen at each level.
        let is_letters = rows.between.is_empty()
            && matches!(&rows.cells[..], [Cell::Column(column)]
                if matches!(column.form, Form::Plain) && scalar(&column.value.ty) == &Type::Text);
        let is_seen_later = self.template.makes_texts;
        if !tight(&rows.between).chars().any(is_between) && !is_letters {
            let title = format!("`{}` may be part of a row", rows.between.escape_debug());
            let error = Diagnostic::error("E406", title, rows.span, "where does a row end?");
            errors.push(error.help("write a text between rows with a character that no row has"));
        }
        if let Some(nothing) = rows.nothing.as_deref() {
            let is_never =
                |character: char| rows.cells.iter().all(|cell| self.never_in_cell(cell, character));
            let is_own = |character: char| {
                !character.is_whitespace()
                    && !rows.between.contains(character)
                    && is_never(character)
            };
            // Without what is between rows it would be one.
            let (sign, is_one) = (rows.between.trim(), nothing.trim().chars().any(is_never));
            let is_no_row = !sign.is_empty() && !nothing.contains(sign) && is_one;
            if !nothing.chars().any(is_own) && !is_no_row && !is_seen_later {
                let title = format!("`{nothing}` may be an element of the list");
                let label = "what does it say where it stands alone?";
                let error = Diagnostic::error("E406", title, rows.span, label);
                errors.push(error.help(format!(
                    "write a character in it that no element has: `or \"({nothing})\"`"
                )));
            }
        }
        errors
    }

    /// The names that the prompt shows.
    fn given(&self) -> BTreeSet<LocalId> {
        let layout = &self.template.layout;
        let mut given = shown_names(&layout.prompt);
        given.extend(shown_names(layout.system.as_deref().unwrap_or_default()));
        given
    }

    /// True for a list of rows that is read from the reply; the others are known.
    fn is_read(&self, column: &Placeholder, given: &BTreeSet<LocalId>) -> bool {
        let ExprKind::Local(local) = column.value.kind else { return false };
        let is_value = |piece: &Piece| match piece {
            Piece::Placeholder(Placeholder { value, .. }) => {
                matches!(value.kind, ExprKind::Local(id) if id == local)
            }
            Piece::Literal(_) | Piece::Rows(_) => false,
        };
        !given.contains(&local) || self.template.layout.reply.iter().any(is_value)
    }

    /// The error of an expression in rows that is made of what the reply is read for.
    fn unknown_list(&self, value: &Expr, given: &BTreeSet<LocalId>) -> Option<Diagnostic> {
        let outputs = shown_names(&self.template.layout.reply);
        let is_read = |name: &LocalId| outputs.contains(name) && !given.contains(name);
        made_from(self.template, value).iter().any(is_read).then(|| not_a_name(value))
    }

    /// True if the placeholder shows a name as it is there; not for what a part brings along.
    fn is_own(&self, placeholder: &Placeholder) -> bool {
        let ExprKind::Local(id) = placeholder.value.kind else { return false };
        self.template.locals[id].name == self.source.slice(placeholder.value.span)
    }

    /// Something to write after a value that the value never has.
    fn symbol_after(&self, piece: &Piece) -> &'static str {
        let symbols = ["; ", " | ", " / ", " # ", " = "];
        let apart = |symbol: &&str| symbol.chars().any(|it| it != ' ' && self.never_in(piece, it));
        symbols.into_iter().find(apart).unwrap_or(symbols[0])
    }

    /// The error of a value of this depth whose elements nothing tells apart.
    fn inseparable(&self, placeholder: &Placeholder, depth: usize) -> Option<Diagnostic> {
        let value = &placeholder.value;
        let texts = &self.template.texts;
        let is_seen_later = self.template.makes_texts;
        let is_text = scalar(&value.ty) == &Type::Text;
        if !is_seen_later && is_text && texts.iter().any(|text| text.trim() != text) {
            let title = "a text that begins or ends with white space is not read back";
            let error = Diagnostic::error("E412", title, value.span, "one of its texts does");
            return Some(error.help("leave the white space out of the text between the quotes"));
        }
        if depth == 0 {
            return None;
        }
        let can_be_apart =
            depth == 1 && self.never_in_value(value, ';') && self.is_own(placeholder);
        if let Form::Joined(between) = &placeholder.form {
            let mut signs = tight(between).chars().collect::<Vec<_>>().into_iter();
            let ok = signs.any(|character| self.never_in_value(value, character));
            // Where nothing is between elements, each must be one character: seen at each level.
            let is_letters = between.is_empty() && is_text;
            if ok || is_letters {
                return None;
            }
            let title = format!("`{between}` may be part of an element");
            let error = Diagnostic::error("E406", title, value.span, "where does an element end?")
                .help("join with a character that no element has: `join(\"; \", xs)`");
            let written = format!("\"{between}\"");
            let before = &self.source.text[..value.span.start];
            return Some(match before.rfind(&written).filter(|_| can_be_apart) {
                Some(at) => error.fix(Span::new(at, at + written.len()), "\"; \""),
                None => error,
            });
        }
        let loose = |text: &String| text.is_empty() || text.contains(char::is_whitespace);
        if is_seen_later || !is_text || !texts.iter().any(loose) {
            return None;
        }
        let title = "a text that is empty or has a space in it is not one element";
        let joined = format!("join(\"; \", {})", self.source.slice(value.span));
        let error = Diagnostic::error("E406", title, value.span, "where does an element end?")
            .help(format!("write `{{{joined}}}`"));
        Some(if can_be_apart { error.fix(value.span, joined) } else { error })
    }

    /// True if what is shown can never hold the character.
    fn never_in(&self, piece: &Piece, character: char) -> bool {
        match piece {
            Piece::Literal(text) => !text.contains(character),
            Piece::Placeholder(placeholder) => {
                self.never_in_as(placeholder, placeholder.value.ty.depth(), character)
            }
            Piece::Rows(rows) => {
                !rows.between.contains(character)
                    && !rows.nothing.as_ref().is_some_and(|text| text.contains(character))
                    && rows.cells.iter().all(|cell| self.never_in_cell(cell, character))
            }
        }
    }

    fn never_in_cell(&self, cell: &Cell, character: char) -> bool {
        match cell {
            Cell::Literal(text) => !text.contains(character),
            Cell::Number => !character.is_ascii_digit(),
            Cell::Column(column) => {
                let depth = column.value.ty.depth().saturating_sub(1);
                self.never_in_as(column, depth, character)
            }
        }
    }

    /// True if a value of this depth, in this form, can never hold the character.
    fn never_in_as(&self, placeholder: &Placeholder, depth: usize, character: char) -> bool {
        let structure = match (&placeholder.form, depth) {
            (Form::Plain, 0) => "",
            (Form::Plain, 1) => " ",
            (Form::Plain, _) => " \n",
            (Form::Digits(DigitsOf::Point, _), _) => ".",
            (Form::Digits(DigitsOf::Whole, _), _) => "",
            (Form::Joined(between), _) => between,
        };
        !structure.contains(character) && self.never_in_value(&placeholder.value, character)
    }

    /// True if no element of a value, or the value itself, can hold the character.
    fn never_in_value(&self, value: &Expr, character: char) -> bool {
        match scalar(&value.ty) {
            // Whether one may be negative is seen at each level.
            Type::Int => !character.is_ascii_digit(),
            Type::Real => !"0123456789-.einfNa".contains(character),
            Type::Bool => !character.is_ascii_lowercase(),
            Type::Text => {
                let texts = &self.template.texts;
                self.template.makes_texts || !texts.iter().any(|text| text.contains(character))
            }
            Type::Token => !crate::source::is_word_character(character),
            Type::List(_) | Type::Any(_) | Type::Shown | Type::Unknown => false,
        }
    }
}

/// Where a piece stands.
fn place(piece: &Piece) -> Span {
    match piece {
        Piece::Literal(_) => Span::default(),
        Piece::Placeholder(placeholder) => placeholder.value.span,
        Piece::Rows(rows) => rows.span,
    }
}

/// The names that a value is made from, and those that they are made from.
fn made_from(template: &Template, value: &Expr) -> BTreeSet<LocalId> {
    let mut found = BTreeSet::new();
    let mut open: Vec<LocalId> = value.clone().names().into_iter().collect();
    while let Some(local) = open.pop() {
        if found.insert(local)
            && let Some((_, binding)) = template.binding_of(local)
        {
            open.extend(&binding.uses);
        }
    }
    found
}

/// The `}` of the placeholder that shows a value.
fn closing_brace(source: &Source, value: Span) -> Span {
    let at = source.text[value.end..].find('}').map_or(value.end, |at| value.end + at);
    Span::new(at, (at + 1).min(source.text.len()))
}

fn scalar(ty: &Type) -> &Type {
    ty.element().map_or(ty, scalar)
}
