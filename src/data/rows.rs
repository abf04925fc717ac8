//! A sample as one line of JSON.

use std::io::Write;

use super::Maker;
use super::layout::{Escape, Fields, Part, TextWriter};
use crate::runtime::Memory;

/// Writes the rows of a data set. Threads share it.
///
/// The keys of a row, in this order: `template`, `level`, `seed`, `index`, `system` if the
/// template has one, `prompt`, `reply`, and `fields`: the shown values by their names.
pub struct Rows {
    /// From `{"template":` to the value of `index`.
    head: Vec<u8>,
    text: TextWriter,
    fields: Fields,
    has_system: bool,
}

impl Rows {
    /// For the samples of a seed.
    pub fn new(maker: &Maker, seed: u64) -> Rows {
        let program = maker.program();
        let name = serde_json::Value::from(program.name.as_str());
        let level = serde_json::Value::from(maker.level());
        Rows {
            head: format!("{{\"template\":{name},\"level\":{level},\"seed\":{seed},\"index\":")
                .into_bytes(),
            text: TextWriter::new(program, maker.vocabulary.clone(), Escape::Json),
            fields: Fields::new(program, maker.vocabulary.clone()),
            has_system: program.layout.system.is_some(),
        }
    }

    /// Appends the row of the sample in the memory, and a line break.
    pub fn write(&self, memory: &Memory, index: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        write!(out, "{index}").expect("writing to memory does not fail");
        if self.has_system {
            self.text(b",\"system\":\"", Part::System, memory, out);
        }
        self.text(b",\"prompt\":\"", Part::Prompt, memory, out);
        self.text(b",\"reply\":\"", Part::Reply, memory, out);
        out.extend_from_slice(b",\"fields\":");
        self.fields.write(memory, out);
        out.extend_from_slice(b"}\n");
    }

    fn text(&self, key: &[u8], part: Part, memory: &Memory, out: &mut Vec<u8>) {
        out.extend_from_slice(key);
        self.text.write(part, memory, out);
        out.push(b'"');
    }
}
