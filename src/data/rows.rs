//! A sample as one line of JSON.

use std::io::Write;

use super::layout::{Escape, Fields, Part, TextWriter};
use super::{Sampler, Split};
use crate::check::typed::Template;
use crate::check::types::Type;
use crate::runtime::Memory;

/// What the samples of a program are made with, beside its level.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// What is set beside the level's parameters: see [`settings`].
    pub set: &'a str,
    /// Which split.
    pub split: Split,
    /// The seed.
    pub seed: u64,
}

/// The parameters that a user sets, as rows name them: `length=128 quote=4`, in the order of the
/// template.
pub fn settings(template: &Template, set: &[(String, String)]) -> String {
    let mut all = Vec::new();
    for param in &template.params {
        if let Some((name, value)) = set.iter().rev().find(|(name, _)| *name == param.name) {
            let number = match param.kind {
                Type::Real => value.parse::<f64>().map(|number| number.to_string()).ok(),
                _ => value.parse::<i64>().map(|number| number.to_string()).ok(),
            };
            all.push(format!("{name}={}", number.as_deref().unwrap_or(value)));
        }
    }
    all.join(" ")
}

/// Writes the rows of a data set. Threads share it.
///
/// The keys of a row, in this order: `template`, `level`, `set`, `split`, `seed`, `index`, `system`
/// if the template has one, `prompt`, `reply`, and `fields`: the shown values by their names.
pub struct Rows {
    /// From `{"template":` to the value of `index`.
    head: Vec<u8>,
    text: TextWriter,
    fields: Fields,
    has_system: bool,
}

impl Rows {
    /// For the samples of a key.
    pub fn new(sampler: &Sampler, key: &Key) -> Rows {
        let program = sampler.program();
        let [name, level, set, split] =
            [&*program.name, sampler.level(), key.set, key.split.name()]
                .map(serde_json::Value::from);
        let seed = key.seed;
        Rows {
            head: format!(
                "{{\"template\":{name},\"level\":{level},\"set\":{set},\"split\":{split},\
                 \"seed\":{seed},\"index\":"
            )
            .into_bytes(),
            text: TextWriter::new(program, sampler.vocabulary().clone(), Escape::Json),
            fields: Fields::new(program, sampler.vocabulary().clone()),
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
