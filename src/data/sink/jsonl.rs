//! JSONL: each sample is a line, an object of its columns.

use anyhow::Result;

use super::json::Parts;
use super::schema::{Schema, Template};
use super::{Output, Sink};
use crate::data::generate::Row;
use crate::data::layout::Part;

/// The keys of a line, in this order: `template`, `level`, `set`, `split`, `seed`, `index`,
/// `system`, if the template has one, `prompt`, `reply`, and `fields`: the shown values by name.
pub struct Jsonl {
    /// Those of each template.
    lines: Vec<Line>,
}

struct Line {
    parts: Parts,
    has_system: bool,
}

impl Jsonl {
    /// For samples of a schema. Threads share it.
    pub fn new(schema: &Schema) -> Jsonl {
        let line = |template: &Template| Line {
            parts: Parts::new(template, schema.split, schema.seed),
            has_system: template.texts().any(|(_, part)| part == Part::System),
        };
        Jsonl { lines: schema.templates.iter().map(line).collect() }
    }

    /// Appends the line of a sample, and a line break.
    pub fn line(&self, row: Row, out: &mut Vec<u8>) {
        let Line { parts, has_system } = &self.lines[row.sampler];
        parts.begin(row, out);
        if *has_system {
            parts.text(b",\"system\":\"", Part::System, row, out);
        }
        parts.text(b",\"prompt\":\"", Part::Prompt, row, out);
        parts.text(b",\"reply\":\"", Part::Reply, row, out);
        parts.end(row, out);
    }
}

impl Sink for Jsonl {
    type Columns = Vec<u8>;
    type File = Output;

    fn open(schema: &Schema, output: Output) -> Result<(Jsonl, Output)> {
        Ok((Jsonl::new(schema), output))
    }

    fn lay_out(&self, row: Row, lines: &mut Vec<u8>) {
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
