//! The fields of a request's JSON: each error names the place, what is expected and what is there.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::data::said;
use crate::diagnostic::near_miss;

/// No more of what is wrong is shown.
const SHOWN_MAX: usize = 60;

/// The JSON of a body.
///
/// # Errors
/// A body that is not UTF-8, or not JSON.
pub fn parse(body: &[u8]) -> Result<Value, Refusal> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let from = error.valid_up_to();
        Refusal::new(400, "not_utf8", format!("the body is not UTF-8 from its byte {from}"))
    })?;
    serde_json::from_str(text).map_err(|error| {
        let (line, column, why) = (error.line(), error.column(), error.to_string());
        let why = why.split(" at line ").next().unwrap_or_default();
        let message = format!(
            "the body is not JSON: line {line}, column {column}: {why}; write a JSON object"
        );
        Refusal::new(400, "not_json", message)
    })
}

/// The same, where an empty body is an empty object.
///
/// # Errors
/// Those of [`parse`].
pub fn parse_or_empty(body: &[u8]) -> Result<Value, Refusal> {
    match body.trim_ascii().is_empty() {
        true => Ok(Value::Object(Map::new())),
        false => parse(body),
    }
}

/// The fields of an object, and of the object around it where it lacks one. A field that is null
/// says nothing.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    outer: Option<&'a Map<String, Value>>,
    /// The list and the index at which the object is.
    item: Option<(&'static str, usize)>,
}

impl<'a> Fields<'a> {
    /// Those of the object that is the whole body.
    ///
    /// # Errors
    /// If it is no object.
    pub fn of(body: &'a Value) -> Result<Fields<'a>, Refusal> {
        match body {
            Value::Object(object) => Ok(Fields { object, outer: None, item: None }),
            found => {
                let message = format!("the body must be a JSON object, and is {}", shown(found));
                Err(Refusal::invalid(message))
            }
        }
    }

    /// Those of an object in it, by its name.
    ///
    /// # Errors
    /// If it is missing, or no object.
    pub fn inside(&self, name: &str) -> Result<Fields<'a>, Refusal> {
        match self.need(name)? {
            Value::Object(object) => Ok(Fields { object, outer: None, item: self.item }),
            found => Err(self.wrong(name, "an object", found)),
        }
    }

    /// Those of the objects of a list in it: what one lacks is said for all beside the list.
    ///
    /// # Errors
    /// If it is missing, no list, or has something else in it.
    pub fn each(&self, name: &'static str) -> Result<Vec<Fields<'a>>, Refusal> {
        let fields = |(at, value): (usize, &'a Value)| match value {
            Value::Object(object) => {
                let outer = Some(self.object);
                Ok(Fields { object, outer, item: Some((name, at)) })
            }
            found => Err(self.wrong(&format!("{name}[{at}]"), "an object", found)),
        };
        self.list(name)?.iter().enumerate().map(fields).collect()
    }

    /// The object itself.
    pub fn object(&self) -> &'a Map<String, Value> {
        self.object
    }

    /// A field, if it is there.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        let said = |object: &'a Map<String, Value>| object.get(name).filter(|it| !it.is_null());
        said(self.object).or_else(|| said(self.outer?))
    }

    /// A field that must be there.
    ///
    /// # Errors
    /// If it is missing.
    pub fn need(&self, name: &str) -> Result<&'a Value, Refusal> {
        self.get(name).ok_or_else(|| self.missing(name))
    }

    /// A text, if it is there.
    ///
    /// # Errors
    /// If it is no text.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(found) => Err(self.wrong(name, "a text", found)),
        }
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// If it is missing, or no text.
    pub fn need_text(&self, name: &str) -> Result<&'a str, Refusal> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// An integer from 0 on, if it is there.
    ///
    /// # Errors
    /// If it is none.
    pub fn integer(&self, name: &str) -> Result<Option<u64>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(found) => match said::integer(found) {
                Some(number) => Ok(Some(number)),
                None => Err(self.wrong(name, "an integer from 0 on", found)),
            },
        }
    }

    /// A list that must be there.
    ///
    /// # Errors
    /// If it is missing, or no list.
    pub fn list(&self, name: &str) -> Result<&'a [Value], Refusal> {
        match self.need(name)? {
            Value::Array(all) => Ok(all),
            found => Err(self.wrong(name, "a list", found)),
        }
    }

    /// The texts of a list.
    ///
    /// # Errors
    /// If it is missing, no list, or has something else in it.
    pub fn texts(&self, name: &str) -> Result<Vec<&'a str>, Refusal> {
        let text = |(at, value): (usize, &'a Value)| match value {
            Value::String(text) => Ok(text.as_str()),
            found => Err(self.wrong(&format!("{name}[{at}]"), "a text", found)),
        };
        self.list(name)?.iter().enumerate().map(text).collect()
    }

    /// A field that is missing: near misses and the fields that are there are shown.
    pub fn missing(&self, name: &str) -> Refusal {
        let keys = || self.object.keys().map(String::as_str);
        if self.object.contains_key(name) {
            let message = format!("{} is null: write a value", self.place(name));
            return Refusal::new(422, "missing_field", message);
        }
        let found = match near_miss(name, keys()) {
            Some(near) => format!("there is `{}`: write `{name}`", near.escape_debug()),
            None if self.object.is_empty() => "the object is empty".to_string(),
            None => {
                let shown: Vec<String> =
                    keys().take(12).map(|key| format!("`{}`", key.escape_debug())).collect();
                format!("there are {}", cut(&shown.join(", "), 4 * SHOWN_MAX))
            }
        };
        Refusal::new(422, "missing_field", format!("{} is missing; {found}", self.place(name)))
    }

    /// A field that is something else.
    pub fn wrong(&self, name: &str, expected: &str, found: &Value) -> Refusal {
        Refusal::invalid(format!(
            "{} must be {expected}, and is {}",
            self.place(name),
            shown(found)
        ))
    }

    /// Where a field is.
    pub fn place(&self, name: &str) -> String {
        match self.item {
            Some((list, at)) => format!("`{list}[{at}].{name}`"),
            None => format!("`{name}`"),
        }
    }
}

/// A value as messages show it.
pub fn shown(found: &Value) -> String {
    match found {
        Value::Object(_) => "an object".to_string(),
        Value::Array(_) => "a list".to_string(),
        found => cut(&found.to_string(), SHOWN_MAX),
    }
}

/// A text as messages show it.
pub fn quoted(text: &str) -> String {
    format!("`{}`", cut(text, SHOWN_MAX).escape_debug())
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}
