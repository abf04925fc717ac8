//! The values of a record, by their names, in place of those of a sample.

use std::fmt;

use serde_json::{Map, Value};

use super::{Fresh, Problem, Reader, push};
use crate::check::types::Type;
use crate::ir::{Piece, SlotId};
use crate::runtime::Memory;

/// Why a record cannot replace a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The name of the value.
    pub field: String,
    /// What it must be.
    pub expected: String,
    /// What the record has there.
    pub found: String,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Unfit { field, expected, found } = self;
        write!(f, "the record's `{field}` must be {expected}, and is {found}")
    }
}

impl Reader {
    /// Binds what judging a reply needs beside the reply to the values of a record.
    pub(in crate::data) fn bind_record(
        &self,
        record: &Map<String, Value>,
        fresh: &mut Fresh,
        memory: &mut Memory,
    ) -> Result<(), Unfit> {
        for slot in self.beside_reply() {
            let known = &self.program.slots[slot as usize];
            let wanted = |expected: String, found: String| Unfit {
                field: known.name.clone(),
                expected,
                found,
            };
            if !known.shown || known.name.is_empty() {
                let expected = "a value that the prompt or the reply shows".to_string();
                return Err(wanted(expected, "drawn, and no text shows it".to_string()));
            }
            let value = record.get(&known.name);
            let value =
                value.ok_or_else(|| wanted(phrase(&known.kind), "not there".to_string()))?;
            let cell = self.of_json(&known.kind, value, fresh, memory);
            let cell = cell.map_err(|problem| unfit(&known.name, problem))?;
            memory.bind(slot, cell);
        }
        self.learn(fresh, memory);
        Ok(())
    }

    /// The slots that judging needs and a reply does not set: those that the rules load, the lists
    /// of its rows that are the sample's, and the outputs themselves where the only rule is that
    /// they are equal.
    pub(in crate::data) fn beside_reply(&self) -> Vec<SlotId> {
        let rules = &self.program.rules;
        let outputs: Vec<SlotId> = self.outputs().collect();
        let shown = self.program.layout.reply.iter().flat_map(Piece::shown);
        let keys = shown.map(|(slot, _)| slot);
        let loaded = rules.iter().flat_map(|rule| &rule.needs).copied().chain(keys);
        let mut needed: Vec<SlotId> = loaded.filter(|slot| !outputs.contains(slot)).collect();
        if rules.is_empty() {
            needed.extend(outputs);
        }
        needed.sort_unstable();
        needed.dedup();
        needed
    }

    /// The cell of a JSON value, as [`Fields`](crate::data::layout::Fields) writes it.
    fn of_json(
        &self,
        kind: &Type,
        value: &Value,
        fresh: &mut Fresh,
        memory: &mut Memory,
    ) -> Result<i64, Problem> {
        let is_wrong = || wrong(kind, value);
        match (kind, value) {
            (Type::List(element), Value::String(text)) if **element == Type::Token => {
                self.elements(element, text.split_whitespace(), fresh, memory)
            }
            (Type::List(element), Value::Array(values)) => {
                let mut cells = Vec::with_capacity(values.len());
                for value in values {
                    cells.push(self.of_json(element, value, fresh, memory)?);
                }
                push(element, &cells, memory)
            }
            (Type::Text | Type::Token, Value::String(text)) => {
                self.scalar(kind, text, fresh, memory)
            }
            (Type::Int, value) => value.as_i64().ok_or_else(is_wrong),
            (Type::Real, value) => {
                value.as_f64().map(|number| number.to_bits() as i64).ok_or_else(is_wrong)
            }
            (Type::Bool, Value::Bool(truth)) => Ok(i64::from(*truth)),
            _ => Err(is_wrong()),
        }
    }
}

/// Why a value does not fit.
pub(super) fn unfit(name: &str, problem: Problem) -> Unfit {
    let (expected, found) = match problem {
        Problem::Room(error) => ("shorter".to_string(), error.to_string()),
        Problem::Found(expected, found) => (expected.to_string(), quoted(&found)),
        Problem::Line(expected, found) => (expected, quoted(&found)),
        Problem::Keyed(expected, found) => (expected, quoted(&found)),
        Problem::NotAWord(found) => {
            ("words of letters, digits, `-`, `'` and `_`".to_string(), quoted(&found))
        }
    };
    Unfit { field: name.to_string(), expected, found }
}

/// The problem of a value that has another type.
pub(super) fn wrong(kind: &Type, value: &Value) -> Problem {
    Problem::Line(phrase(kind), value.to_string())
}

/// What a value of a type is in JSON.
pub(super) fn phrase(kind: &Type) -> String {
    match kind {
        Type::Token => "one word".to_string(),
        Type::Text => "a text".to_string(),
        Type::Int => "a 64-bit integer".to_string(),
        Type::Real => "a number".to_string(),
        Type::Bool => "`true` or `false`".to_string(),
        Type::List(element) if **element == Type::Token => "words, as one text".to_string(),
        Type::List(element) => format!("an array, each {}", phrase(element)),
        Type::Any(_) | Type::Shown | Type::Unknown => "an array".to_string(),
    }
}

fn quoted(found: &str) -> String {
    format!("`{}`", super::shortened(found).escape_debug())
}
