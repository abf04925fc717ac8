//! Whether texts that a template makes can be told from what stands beside them in a reply.
//!
//! Texts of literals alone are looked at where the template is checked; of those that are made,
//! what characters they can have is known at a level.

use super::lower::Lower;
use super::{Form, Piece, SlotId};
use crate::check::layout::tight;
use crate::check::typed;
use crate::check::types::Type;
use crate::diagnostic::Diagnostic;
use crate::runtime::bound::{Blanks, TextBound};
use crate::runtime::signs::Signs;
use crate::source::Span;

impl Lower<'_> {
    /// Refuses values of texts whose end, or whose elements' ends, nothing tells.
    pub fn refuse_open_texts(&mut self) {
        let is_text = |piece: &Piece| match piece {
            Piece::Value(slot, form) => {
                let keys = match form {
                    Form::Lines(keys, _) | Form::Labelled(keys) => Some(keys),
                    Form::Plain | Form::Joined(_) | Form::Numbered | Form::Digits(_) => None,
                };
                [Some(slot), keys].into_iter().flatten().any(|slot| self.texts(*slot).is_some())
            }
            Piece::Literal(_) => false,
        };
        let template = self.template;
        if !self.program.layout.reply.iter().any(is_text) || !template.makes_texts {
            return;
        }
        let reply = self.program.layout.reply.clone();
        for (at, (piece, shown)) in reply.iter().zip(&template.layout.reply).enumerate() {
            let (Piece::Value(slot, form), typed::Piece::Placeholder(placeholder)) = (piece, shown)
            else {
                continue;
            };
            let span = placeholder.value.span;
            let error =
                self.elements_apart(*slot, form, span).or_else(|| match reply.get(at + 1) {
                    Some(Piece::Literal(literal)) if at + 2 < reply.len() => {
                        self.ends_at(*slot, form, literal, span)
                    }
                    _ => None,
                });
            self.errors.extend(error);
        }
    }

    fn texts(&self, slot: SlotId) -> Option<TextBound> {
        self.program.slots[slot as usize].texts()
    }

    /// The error of a value where nothing tells its elements apart.
    fn elements_apart(&self, slot: SlotId, form: &Form, span: Span) -> Option<Diagnostic> {
        let texts = self.texts(slot)?;
        let depth = self.program.slots[slot as usize].kind.depth();
        if texts.has_blank_ends {
            let title = "a text that may begin or end with white space is not read back";
            let error = Diagnostic::error("E412", title, span, "one of its texts may");
            return Some(error.help("put text around what is shown at its ends, or leave it out"));
        }
        let is_open = match form {
            _ if depth == 0 => false,
            Form::Plain | Form::Digits(_) => texts.low == 0 || texts.blanks > Blanks::None,
            Form::Joined(between) if between.is_empty() => !is_letter(&texts),
            Form::Joined(between) => !between.chars().any(|sign| !texts.signs.has(sign)),
            Form::Numbered | Form::Lines(..) | Form::Labelled(_) => {
                texts.low == 0 || texts.blanks == Blanks::Any
            }
        };
        let title = match form {
            _ if !is_open => return None,
            Form::Joined(between) if between.is_empty() => {
                "an element may have several characters, or none, and nothing is between two"
                    .to_string()
            }
            Form::Joined(between) => format!("`{between}` may be part of an element"),
            _ => "an element may be empty, or have what is between two".to_string(),
        };
        let error = Diagnostic::error("E406", title, span, "where does an element end?");
        Some(error.help("join with a character that no element has: `join(\"; \", xs)`"))
    }

    /// The error of a value that may hold what stands after it.
    fn ends_at(&self, slot: SlotId, form: &Form, literal: &str, span: Span) -> Option<Diagnostic> {
        let mut signs = self.texts(slot)?.signs;
        let depth = self.program.slots[slot as usize].kind.depth();
        signs = signs.and(match form {
            Form::Plain | Form::Digits(_) if depth == 0 => Signs::NONE,
            Form::Plain | Form::Digits(_) => Signs::of(if depth == 1 { " " } else { " \n" }),
            Form::Joined(between) => Signs::of(between),
            Form::Numbered => Signs::of(" \n.0123456789"),
            Form::Lines(keys, between) => self.key_signs(*keys).and(Signs::of(between)),
            Form::Labelled(keys) => self.key_signs(*keys).and(Signs::of(". ")),
        });
        let is_apart = tight(literal).chars().any(|sign| !signs.has(sign));
        (!is_apart).then(|| {
            let title = format!("`{literal}` may be part of the value before it");
            Diagnostic::error("E404", title, span, "where does this end?")
                .help("write a character after it that it never has, such as `;` or a line break")
        })
    }

    /// The characters of the lines' keys, and of line breaks.
    fn key_signs(&self, keys: SlotId) -> Signs {
        let lines = Signs::of(" \n");
        match (self.texts(keys), &self.program.slots[keys as usize].kind.element()) {
            (Some(texts), _) => lines.and(texts.signs),
            (None, Some(Type::Token)) => lines.and(Signs::of_words(false)),
            (None, Some(Type::Int)) => lines.and(Signs::of("-0123456789")),
            _ => Signs::ALL,
        }
    }
}

fn is_letter(texts: &TextBound) -> bool {
    (texts.low, texts.high) == (1, 1)
}
