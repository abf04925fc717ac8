//! What the formats of JSON lines share: the columns that all samples share, texts, and fields.

use std::io::Write;

use super::schema::Template;
use crate::data::Split;
use crate::data::generate::Row;
use crate::data::layout::{Escape, Fields, Part, TextWriter};

/// Writes the parts of a line.
pub struct Parts {
    /// From `{"template":` to the value of `index`.
    head: Vec<u8>,
    text: TextWriter,
    fields: Fields,
}

impl Parts {
    pub fn new(template: &Template, split: Split, seed: u64) -> Parts {
        let (program, words) = (template.sampler.program(), template.sampler.vocabulary());
        let shared = template.shared().into_iter().chain([("split", split.name())]);
        let shared = shared.map(|(name, value)| {
            let value = serde_json::Value::from(value);
            format!("\"{name}\":{value},")
        });
        let shared: String = shared.collect();
        Parts {
            head: format!("{{{shared}\"seed\":{seed},\"index\":").into_bytes(),
            text: TextWriter::new(program, words.clone(), Escape::Json),
            fields: Fields::new(program, words.clone()),
        }
    }

    /// Appends what a line begins with: the shared columns, and the index.
    pub fn begin(&self, row: Row, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        write!(out, "{}", row.index).expect("writing to memory does not fail");
    }

    /// Appends a text after `key`, which ends with the quote that begins it.
    pub fn text(&self, key: &[u8], part: Part, row: Row, out: &mut Vec<u8>) {
        out.extend_from_slice(key);
        self.text.write(part, row.memory, out);
        out.push(b'"');
    }

    /// Appends the fields, and what a line ends with.
    pub fn end(&self, row: Row, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"fields\":");
        self.fields.write(row.memory, out);
        out.extend_from_slice(b"}\n");
    }
}
