//! Examples of a rule: rows with inputs and an output, each column of one kind.

use serde_json::{Map, Value as Json};

use super::kind::Kind;
use super::values::Value;
use crate::source::is_word_character;

/// Rows of which a rule is wanted.
#[derive(Clone, Debug)]
pub struct Examples {
    /// What is given.
    pub inputs: Vec<Column>,
    /// What follows from it.
    pub output: Column,
}

/// A field of all rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
    /// A value a row.
    pub values: Vec<Value>,
    /// True if its lists were texts of several words.
    pub has_words: bool,
}

/// Why rows are no examples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// A row lacks a column: its number from 1, the name, and the names that it has.
    Missing(usize, String, Vec<String>),
    /// A value that is of another kind than those before: its row, the name, what was expected and
    /// what was found.
    Kind(usize, String, String, String),
    /// Two rows with the same inputs and different outputs.
    Contradiction(usize, usize),
}

impl Unfit {
    /// The same of the row with this number.
    pub fn in_row(self, number: usize) -> Unfit {
        match self {
            Unfit::Missing(_, name, has) => Unfit::Missing(number, name, has),
            Unfit::Kind(_, name, expected, found) => Unfit::Kind(number, name, expected, found),
            Unfit::Contradiction(first, second) => Unfit::Contradiction(first, second),
        }
    }
}

impl Column {
    /// A further value of it.
    ///
    /// # Errors
    /// If it is of another kind.
    pub fn value(&self, value: &Json) -> Result<Value, Unfit> {
        let wrong = |found: String| Unfit::Kind(1, self.name.clone(), self.kind.to_string(), found);
        let value = value_as(value, self.kind).map_err(wrong)?;
        let known = Known::of(&value).and_then(|known| known.and(Known::Kind(self.kind)));
        known.map(|_| value).map_err(|(found, _)| wrong(found))
    }
}

impl Column {
    /// A value as its rows have it.
    pub fn json(&self, value: &Value) -> Json {
        match (self.has_words, value.json()) {
            (true, Json::Array(words)) => {
                let words: Vec<&str> = words.iter().filter_map(Json::as_str).collect();
                words.join(" ").into()
            }
            (_, json) => json,
        }
    }
}

impl Examples {
    /// The examples in rows.
    ///
    /// # Errors
    /// If a row lacks a column, a column has values of several kinds, or rows contradict others.
    pub fn of(
        rows: &[Map<String, Json>],
        inputs: &[String],
        output: &str,
    ) -> Result<Examples, Unfit> {
        let inputs = inputs.iter().map(|name| column(rows, name)).collect::<Result<Vec<_>, _>>()?;
        let examples = Examples { inputs, output: column(rows, output)? };
        match examples.contradiction() {
            Some((first, second)) => Err(Unfit::Contradiction(first + 1, second + 1)),
            None => Ok(examples),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.output.values.len()
    }

    /// True without an example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of the inputs.
    pub fn names(&self) -> Vec<String> {
        self.inputs.iter().map(|input| input.name.clone()).collect()
    }

    /// The inputs of a row.
    pub fn given(&self, row: usize) -> Vec<Value> {
        self.inputs.iter().map(|input| input.values[row].clone()).collect()
    }

    /// Only these rows.
    pub fn only(&self, rows: &[usize]) -> Examples {
        let column = |column: &Column| Column {
            values: rows.iter().map(|&row| column.values[row].clone()).collect(),
            ..column.clone()
        };
        Examples { inputs: self.inputs.iter().map(column).collect(), output: column(&self.output) }
    }

    fn contradiction(&self) -> Option<(usize, usize)> {
        let mut known = std::collections::HashMap::new();
        for row in 0..self.len() {
            let first = *known.entry(self.given(row)).or_insert(row);
            if self.output.values[first] != self.output.values[row] {
                return Some((first, row));
            }
        }
        None
    }
}

/// A column of rows.
fn column(rows: &[Map<String, Json>], name: &str) -> Result<Column, Unfit> {
    let mut values = Vec::new();
    for (at, row) in (1..).zip(rows) {
        let Some(value) = row.get(name) else {
            let has = row.keys().cloned().collect();
            return Err(Unfit::Missing(at, name.to_string(), has));
        };
        values.push(value);
    }
    // Texts of several words are lists of words.
    let has_words = |value: &&Json| value.as_str().is_some_and(|text| text.trim().contains(' '));
    let are_words = |value: &&Json| {
        value
            .as_str()
            .is_some_and(|text| text.chars().all(|one| one == ' ' || is_word_character(one)))
    };
    let splits = values.iter().all(are_words) && values.iter().any(has_words);
    let mut read = Vec::new();
    let mut kind = Known::Nothing;
    for (at, value) in (1..).zip(values) {
        let wrong =
            |expected: String, found: String| Unfit::Kind(at, name.to_string(), expected, found);
        let value = match (splits, value.as_str()) {
            (true, Some(text)) => words(text),
            _ => value_of(value).map_err(|found| wrong("a value of the language".into(), found))?,
        };
        let both = kind.and(Known::of(&value).map_err(|(one, other)| wrong(one, other))?);
        kind = both.map_err(|(one, other)| wrong(one, other))?;
        read.push(value);
    }
    Ok(Column { name: name.to_string(), kind: kind.kind(), values: read, has_words: splits })
}

/// A text's words.
fn words(text: &str) -> Value {
    Value::List(text.split_whitespace().map(|word| Value::Text(word.into())).collect())
}

/// A value where one of this kind is wanted: a list of words may be a text.
fn value_as(value: &Json, kind: Kind) -> Result<Value, String> {
    match (value, kind.element()) {
        (Json::String(text), Some(element)) if element == Kind::TEXT => Ok(words(text)),
        (Json::Array(elements), Some(element)) => {
            let elements = elements.iter().map(|one| value_as(one, element));
            Ok(Value::List(elements.collect::<Result<_, _>>()?))
        }
        _ => value_of(value),
    }
}

fn value_of(value: &Json) -> Result<Value, String> {
    Ok(match value {
        Json::Bool(is) => Value::Bool(*is),
        Json::Number(number) => {
            Value::Int(number.as_i64().ok_or_else(|| format!("{number}, which is no integer"))?)
        }
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(elements) => {
            Value::List(elements.iter().map(value_of).collect::<Result<_, _>>()?)
        }
        Json::Null => return Err("null".to_string()),
        Json::Object(_) => return Err("an object".to_string()),
    })
}

/// What is known of a column's kind; nothing of the elements of empty lists.
#[derive(Clone, Copy, Debug)]
enum Known {
    Nothing,
    /// A list under so many others, of what is not known.
    Lists(u8),
    Kind(Kind),
}

impl Known {
    fn of(value: &Value) -> Result<Known, (String, String)> {
        let Value::List(elements) = value else {
            return Ok(Known::Kind(match value {
                Value::Int(_) => Kind::INT,
                Value::Bool(_) => Kind::BOOL,
                _ => Kind::TEXT,
            }));
        };
        let inner = elements
            .iter()
            .try_fold(Known::Nothing, |known, element| known.and(Known::of(element)?));
        Ok(match inner? {
            Known::Nothing => Known::Lists(1),
            Known::Lists(depth) => Known::Lists(depth + 1),
            Known::Kind(kind) => Known::Kind(kind.list()),
        })
    }

    /// What both say, or how they are shown where they disagree.
    fn and(self, other: Known) -> Result<Known, (String, String)> {
        match (self, other) {
            (Known::Nothing, known) | (known, Known::Nothing) => Ok(known),
            (Known::Lists(a), Known::Lists(b)) => Ok(Known::Lists(a.max(b))),
            (Known::Kind(kind), Known::Lists(depth)) | (Known::Lists(depth), Known::Kind(kind))
                if kind.depth >= depth =>
            {
                Ok(Known::Kind(kind))
            }
            (Known::Kind(a), Known::Kind(b)) if a == b => Ok(self),
            (one, other) => Err((one.to_string(), other.to_string())),
        }
    }

    fn kind(self) -> Kind {
        match self {
            Known::Nothing => Kind::INT,
            Known::Lists(depth) => Kind { depth, ..Kind::INT },
            Known::Kind(kind) => kind,
        }
    }
}

impl std::fmt::Display for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Known::Nothing => f.write_str("nothing"),
            Known::Lists(depth) => {
                let (open, close) = ("[".repeat((*depth).into()), "]".repeat((*depth).into()));
                write!(f, "{open}{close}")
            }
            Known::Kind(kind) => kind.fmt(f),
        }
    }
}
