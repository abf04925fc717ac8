//! Conversations as JSON lines, as trainers for chat models read them: `messages`.

use anyhow::Result;

use super::json::Parts;
use super::schema::{Schema, Template};
use super::{Output, Sink};
use crate::data::generate::Row;
use crate::data::layout::Part;

/// The keys of a line, in this order: those of [`Jsonl`](super::jsonl::Jsonl) up to `index`, then
/// `messages`, a list of `{"role", "content"}` for system text, prompt and reply, then `fields`.
pub struct Messages {
    /// Those of each template.
    lines: Vec<Line>,
}

struct Line {
    parts: Parts,
    /// What begins each message's content.
    messages: Vec<(Vec<u8>, Part)>,
}

impl Sink for Messages {
    type Columns = Vec<u8>;
    type File = Output;

    fn open(schema: &Schema, output: Output) -> Result<(Messages, Output)> {
        let message = |(_, part): (&str, Part)| {
            let role = part.role();
            (format!("{{\"role\":\"{role}\",\"content\":\"").into_bytes(), part)
        };
        let line = |template: &Template| Line {
            parts: Parts::new(template, schema.split, schema.seed),
            messages: template.texts().map(message).collect(),
        };
        Ok((Messages { lines: schema.templates.iter().map(line).collect() }, output))
    }

    fn lay_out(&self, row: Row, lines: &mut Vec<u8>) {
        let Line { parts, messages } = &self.lines[row.sampler];
        parts.begin(row, lines);
        lines.extend_from_slice(b",\"messages\":[");
        for (at, (begin, part)) in messages.iter().enumerate() {
            if at > 0 {
                lines.push(b',');
            }
            parts.text(begin, *part, row, lines);
            lines.push(b'}');
        }
        lines.push(b']');
        parts.end(row, lines);
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
