//! JSONL: each sample is a line, an object of its columns.

use anyhow::Result;

use super::json::Parts;
use super::schema::{Row, Schema};
use super::{Output, Sink};
use crate::data::layout::Part;

/// The keys of a line, in this order: `template`, `level`, `set`, `split`, `seed`, `index`, `system`
/// if the template has one, `prompt`, `reply`, and `fields`: the shown values by their names.
pub struct Jsonl {
    parts: Parts,
    has_system: bool,
}

impl Jsonl {
    /// For samples of a schema. Threads share it.
    pub fn new(schema: &Schema) -> Jsonl {
        let has_system = schema.texts().any(|(_, part)| part == Part::System);
        Jsonl { parts: Parts::new(schema), has_system }
    }

    /// Appends the line of a sample, and a line break.
    pub fn line(&self, row: &Row, out: &mut Vec<u8>) {
        self.parts.begin(row, out);
        if self.has_system {
            self.parts.text(b",\"system\":\"", Part::System, row, out);
        }
        self.parts.text(b",\"prompt\":\"", Part::Prompt, row, out);
        self.parts.text(b",\"reply\":\"", Part::Reply, row, out);
        self.parts.end(row, out);
    }
}

impl Sink for Jsonl {
    type Columns = Vec<u8>;
    type File = Output;

    fn open(schema: &Schema, output: Output) -> Result<(Jsonl, Output)> {
        Ok((Jsonl::new(schema), output))
    }

    fn lay_out(&self, row: &Row, lines: &mut Vec<u8>) {
        self.line(row, lines);
    }

    fn write(&self, lines: &mut Vec<u8>, output: &mut Output) -> Result<()> {
        output.put(lines)?;
        lines.clear();
        Ok(())
    }

    fn finish(self, output: Output) -> Result<u64> {
        output.finish()
    }
}
