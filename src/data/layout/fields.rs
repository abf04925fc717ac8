//! The shown values of a sample as the fields of a JSON object.

use std::sync::Arc;

use super::each;
use super::text::{Escape, TextWriter, Written};
use crate::check::types::Type;
use crate::data::vocab::Vocabulary;
use crate::ir::{Program, Slot, SlotId};
use crate::runtime::Memory;

/// The values of a program that have a name and are shown, in the order of the template.
pub fn shown(program: &Program) -> impl Iterator<Item = (SlotId, &Slot)> {
    let numbered = (0..).zip(&program.slots);
    numbered.filter(|(_, slot)| slot.shown && !slot.name.is_empty())
}

/// Writes `{"document":"…","question":"…"}`: every value that has a name and is shown. A list of
/// tokens is one text; every other list is an array; numbers and booleans are themselves.
#[derive(Clone, Debug)]
pub struct Fields {
    writer: TextWriter,
    /// What opens and closes a text: `"`, which inside a JSON string is `\"`.
    quote: &'static [u8],
    /// `"name":`, the slot and its type.
    fields: Vec<(Vec<u8>, SlotId, Type)>,
}

impl Fields {
    /// For a program's samples.
    pub fn new(program: &Program, vocabulary: Arc<Vocabulary>) -> Fields {
        Fields::with(program, vocabulary, Escape::Json, r#"""#)
    }

    /// The same as the inside of a JSON string.
    pub fn in_json(program: &Program, vocabulary: Arc<Vocabulary>) -> Fields {
        Fields::with(program, vocabulary, Escape::JsonInJson, r#"\""#)
    }

    fn with(
        program: &Program,
        vocabulary: Arc<Vocabulary>,
        escape: Escape,
        quote: &'static str,
    ) -> Fields {
        let writer = TextWriter::new(program, vocabulary, escape);
        let field = |(at, slot): (SlotId, &Slot)| {
            let key = format!("{quote}{}{quote}:", escape.written(&slot.name)).into_bytes();
            (key, at, slot.kind.clone())
        };
        Fields { writer, quote: quote.as_bytes(), fields: shown(program).map(field).collect() }
    }

    /// Appends the object.
    pub fn write(&self, memory: &Memory, out: &mut Vec<u8>) {
        self.write_again(memory, out, &mut Written::default());
    }

    /// The same, with lists that were written before copied.
    pub fn write_again(&self, memory: &Memory, out: &mut Vec<u8>, written: &mut Written) {
        out.push(b'{');
        for (at, (key, slot, kind)) in self.fields.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key);
            self.write_value((memory, memory.slot(*slot)), kind, out, written);
        }
        out.push(b'}');
    }

    fn write_value(
        &self,
        (memory, cell): (&Memory, i64),
        kind: &Type,
        out: &mut Vec<u8>,
        written: &mut Written,
    ) {
        match kind {
            Type::Text | Type::Token => self.quoted((memory, cell), kind, out, written),
            Type::List(element) if **element == Type::Token => {
                self.quoted((memory, cell), kind, out, written);
            }
            Type::List(element) => {
                out.push(b'[');
                each(memory, cell, element, |at, cell| {
                    if at > 0 {
                        out.push(b',');
                    }
                    self.write_value((memory, cell), element, out, written);
                });
                out.push(b']');
            }
            // JSON has no word for what is no number.
            Type::Real if !f64::from_bits(cell as u64).is_finite() => {
                out.extend_from_slice(b"null");
            }
            _ => self.writer.write_plain(memory, cell, kind, out, None),
        }
    }

    fn quoted(
        &self,
        (memory, cell): (&Memory, i64),
        kind: &Type,
        out: &mut Vec<u8>,
        written: &mut Written,
    ) {
        out.extend_from_slice(self.quote);
        self.writer.write_plain(memory, cell, kind, out, Some(written));
        out.extend_from_slice(self.quote);
    }
}
