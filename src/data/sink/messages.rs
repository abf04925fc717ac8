//! Conversations as JSON lines, as trainers for chat models read them: `messages` of role and content.

use anyhow::Result;

use super::json::Parts;
use super::schema::{Row, Schema};
use super::{Output, Sink};
use crate::data::layout::Part;

/// The keys of a line, in this order: those of [`Jsonl`](super::jsonl::Jsonl) up to `index`, then
/// `messages`, a list of `{"role", "content"}` for system text, prompt and reply, then `fields`.
pub struct Messages {
    parts: Parts,
    /// What begins each message's content.
    messages: Vec<(Vec<u8>, Part)>,
}

impl Sink for Messages {
    type Columns = Vec<u8>;
    type File = Output;

    fn open(schema: &Schema, output: Output) -> Result<(Messages, Output)> {
        let message = |(_, part): (&str, Part)| {
            let role = match part {
                Part::System => "system",
                Part::Prompt => "user",
                Part::Reply => "assistant",
            };
            (format!("{{\"role\":\"{role}\",\"content\":\"").into_bytes(), part)
        };
        let messages = schema.texts().map(message).collect();
        Ok((Messages { parts: Parts::new(schema), messages }, output))
    }

    fn lay_out(&self, row: &Row, lines: &mut Vec<u8>) {
        self.parts.begin(row, lines);
        lines.extend_from_slice(b",\"messages\":[");
        for (at, (begin, part)) in self.messages.iter().enumerate() {
            if at > 0 {
                lines.push(b',');
            }
            self.parts.text(begin, *part, row, lines);
            lines.push(b'}');
        }
        lines.push(b']');
        self.parts.end(row, lines);
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
