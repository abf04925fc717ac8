//! Rows made again from their ids, and compared value by value.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::origins::Origins;
use crate::data::SampleId;
use crate::data::sink::{self, Jsonl, SHAPES, Schema, Shape};
use crate::runtime::Memory;
use crate::template::Error;

/// The column that says which sample a row is.
const ID: &str = "id";
/// The column that rows of token ids alone have.
const IDS: &str = "input_ids";
/// The columns that say what it was made with, where the shape has them.
const SET: &str = "set";
const SYSTEM: &str = "system";

/// Makes rows again.
pub struct Again {
    origins: Origins,
    /// By the id up to the index.
    kinds: HashMap<String, Arc<Kind>>,
}

/// Rows of one template, split and seed. Threads share it.
pub struct Kind {
    schema: Schema,
    lines: Jsonl,
}

/// Memories of a thread, by the ids up to the index.
#[derive(Default)]
pub struct Memories(HashMap<String, Memory>);

/// A row beside itself, made again.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Its values, made again.
    pub made: Map<String, Value>,
    /// Where the row has others; nothing if it is as it was written.
    pub differences: Vec<Difference>,
    /// Whether its prompt belongs to the split that it is of.
    pub keeps_split: bool,
}

/// A value that is not as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where it is, such as `messages.1.content`.
    pub path: String,
    /// What was written; none if there was nothing.
    pub wanted: Option<Value>,
    /// What is there; none if there is nothing.
    pub found: Option<Value>,
}

/// Why a row is not made again.
#[derive(Debug)]
pub enum Unknown {
    /// It has no id of cookc; the text says what it has.
    NoId(String),
    /// There is no template for it.
    NoTemplate(Error),
    /// It is of token ids.
    Ids,
}

impl Again {
    /// Of rows of these templates.
    pub fn new(origins: Origins) -> Again {
        Again { origins, kinds: HashMap::new() }
    }

    /// The templates that were found.
    pub fn origins(&self) -> &Origins {
        &self.origins
    }

    /// What a row is of.
    ///
    /// # Errors
    /// [`Unknown`].
    pub fn kind(&mut self, row: &Map<String, Value>) -> Result<(SampleId, Arc<Kind>), Unknown> {
        let id: SampleId = match row.get(ID) {
            Some(Value::String(id)) => {
                id.parse().map_err(|()| Unknown::NoId(format!("its id is `{id}`")))?
            }
            Some(other) => return Err(Unknown::NoId(format!("its id is {other}"))),
            None => return Err(Unknown::NoId("it has no id".to_string())),
        };
        if row.contains_key(IDS) {
            return Err(Unknown::Ids);
        }
        let key = id.key();
        if let Some(kind) = self.kinds.get(&key) {
            return Ok((id, kind.clone()));
        }
        let set = row.get(SET).and_then(Value::as_str).unwrap_or_default();
        let template = self.origins.find(&id, set).map_err(Unknown::NoTemplate)?;
        let kind = Arc::new(Kind::new(template, &id, row));
        self.kinds.insert(key, kind.clone());
        Ok((id, kind))
    }
}

impl Kind {
    fn new(template: sink::Template, id: &SampleId, row: &Map<String, Value>) -> Kind {
        let schema = |shape| {
            let templates = vec![template.clone()];
            Schema { templates, split: id.split, seed: id.seed, shape, ids: None }
        };
        let fit = |shape: &&'static Shape| {
            let schema = schema(*shape);
            let columns = schema.columns(&schema.templates[0]);
            let there = columns.iter().filter(|(name, _)| row.contains_key(*name)).count();
            // All columns of the shape are there; then the more of the row's, the better.
            (there == columns.len(), there)
        };
        // The first of those that fit equally.
        let shape = SHAPES.iter().rev().max_by_key(fit).expect("there are shapes");
        let schema = schema(shape);
        Kind { lines: Jsonl::new(&schema), schema }
    }

    /// The columns of the rows.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The name of the rows' shape.
    pub fn shape(&self) -> &'static str {
        self.schema.shape.name
    }

    /// The template of the rows.
    pub fn template(&self) -> &sink::Template {
        &self.schema.templates[0]
    }

    /// Makes the row again, and compares it.
    ///
    /// # Errors
    /// A text, if the sample cannot be drawn.
    ///
    /// # Panics
    /// Never: a line that is written is a JSON object.
    pub fn compare(
        &self,
        id: &SampleId,
        row: &Map<String, Value>,
        memories: &mut Memories,
    ) -> Result<Compared, String> {
        let Schema { split, seed, .. } = self.schema;
        let sampler = &self.template().sampler;
        let memory = memories.0.entry(id.key()).or_insert_with(|| sampler.memory(split, seed));
        sampler
            .sample(memory, id.index)
            .map_err(|error| format!("its sample cannot be drawn: {error}"))?;
        let keeps_split = sampler.keeps_split(memory);
        let mut line = Vec::new();
        self.lines.line(sink::Row { sampler: 0, index: id.index, memory }, &mut line);
        let mut made: Map<String, Value> =
            serde_json::from_slice(&line).expect("a line is a JSON object");
        if row.contains_key(SYSTEM) && !made.contains_key(SYSTEM) {
            // Another template of the same data set has a system text.
            made.insert(SYSTEM.to_string(), Value::Null);
        }
        let mut differences = Vec::new();
        differ_objects("", &made, row, &mut differences);
        Ok(Compared { made, differences, keeps_split })
    }
}

/// Null is the same as nothing: formats differ in how they write it.
fn differ(path: &str, wanted: Option<&Value>, found: Option<&Value>, out: &mut Vec<Difference>) {
    let there = |value: Option<&Value>| value.filter(|value| !value.is_null()).cloned();
    match (wanted, found) {
        (Some(Value::Object(wanted)), Some(Value::Object(found))) => {
            differ_objects(path, wanted, found, out);
        }
        (Some(Value::Array(wanted)), Some(Value::Array(found))) => {
            for at in 0..wanted.len().max(found.len()) {
                differ(&below(path, &at.to_string()), wanted.get(at), found.get(at), out);
            }
        }
        (wanted, found) if there(wanted) == there(found) => {}
        _ => out.push(Difference {
            path: path.to_string(),
            wanted: there(wanted),
            found: there(found),
        }),
    }
}

fn differ_objects(
    path: &str,
    wanted: &Map<String, Value>,
    found: &Map<String, Value>,
    out: &mut Vec<Difference>,
) {
    for (name, value) in wanted {
        differ(&below(path, name), Some(value), found.get(name), out);
    }
    for (name, value) in found.iter().filter(|(name, _)| !wanted.contains_key(*name)) {
        differ(&below(path, name), None, Some(value), out);
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}
