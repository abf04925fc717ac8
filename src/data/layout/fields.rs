//! The shown values of a sample as the fields of a JSON object.

use std::sync::Arc;

use super::each;
use super::text::{Escape, TextWriter, json_inside};
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
    /// `"name":`, the slot and its type.
    fields: Vec<(Vec<u8>, SlotId, Type)>,
}

impl Fields {
    /// For a program's samples.
    pub fn new(program: &Program, vocabulary: Arc<Vocabulary>) -> Fields {
        let writer = TextWriter::new(program, vocabulary, Escape::Json);
        let field = |(at, slot): (SlotId, &Slot)| {
            let key = format!("\"{}\":", json_inside(&slot.name)).into_bytes();
            (key, at, slot.kind.clone())
        };
        Fields { writer, fields: shown(program).map(field).collect() }
    }

    /// Appends the object.
    pub fn write(&self, memory: &Memory, out: &mut Vec<u8>) {
        out.push(b'{');
        for (at, (key, slot, kind)) in self.fields.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key);
            self.write_value(memory, memory.slot(*slot), kind, out);
        }
        out.push(b'}');
    }

    fn write_value(&self, memory: &Memory, cell: i64, kind: &Type, out: &mut Vec<u8>) {
        match kind {
            Type::Text | Type::Token => self.quoted(memory, cell, kind, out),
            Type::List(element) if **element == Type::Token => {
                self.quoted(memory, cell, kind, out);
            }
            Type::List(element) => {
                out.push(b'[');
                each(memory, cell, element, |at, cell| {
                    if at > 0 {
                        out.push(b',');
                    }
                    self.write_value(memory, cell, element, out);
                });
                out.push(b']');
            }
            // JSON has no word for what is no number.
            Type::Real if !f64::from_bits(cell as u64).is_finite() => {
                out.extend_from_slice(b"null");
            }
            _ => self.writer.write_plain(memory, cell, kind, out),
        }
    }

    fn quoted(&self, memory: &Memory, cell: i64, kind: &Type, out: &mut Vec<u8>) {
        out.push(b'"');
        self.writer.write_plain(memory, cell, kind, out);
        out.push(b'"');
    }
}
