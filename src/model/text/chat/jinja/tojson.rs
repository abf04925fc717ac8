//! JSON in and out: `tojson` as transformers defines it, which is Python's `json.dumps`.

use serde_json::Value as Json;

use super::error::{Budget, Outcome, error};
use super::given::{Given, flag, text};
use super::python;
use super::value::{Items, Value, whole};

impl Value {
    /// The value of JSON.
    pub fn from_json(json: &Json, budget: &Budget) -> Outcome<Value> {
        Ok(match json {
            Json::Null => Value::None,
            Json::Bool(truth) => Value::Bool(*truth),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Value::Int(whole),
                None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => {
                budget.spend(text.len() as u64)?;
                Value::text(text)
            }
            Json::Array(all) => {
                let all: Outcome<Vec<Value>> =
                    all.iter().map(|one| Value::from_json(one, budget)).collect();
                Value::list(all?, budget)?
            }
            Json::Object(all) => {
                let pair = |(key, one): (&String, &Json)| {
                    Ok((Value::text(key), Value::from_json(one, budget)?))
                };
                let pairs: Outcome<Vec<_>> = all.iter().map(pair).collect();
                Value::dict(pairs?, budget)?
            }
        })
    }
}

/// `value | tojson(…)`
pub fn filter(value: &Value, given: Given, budget: &Budget) -> Outcome<Value> {
    let names = ["ensure_ascii", "indent", "separators", "sort_keys"];
    let [ascii, indent, separators, sort] = given.bind("tojson", names)?;
    let indent = match indent {
        None | Some(Value::None) => None,
        Some(Value::Text(text)) => Some(text.to_string()),
        Some(indent) => match whole(&indent) {
            Some(width) => {
                let width = usize::try_from(width).unwrap_or(0);
                budget.spend(width as u64)?;
                Some(" ".repeat(width))
            }
            None => return error(format!("can't indent JSON by a {}", indent.kind())),
        },
    };
    let between = match separators {
        None | Some(Value::None) if indent.is_some() => [",".to_string(), ": ".to_string()],
        None | Some(Value::None) => [", ".to_string(), ": ".to_string()],
        Some(pair) => match &pair.elements(budget)?[..] {
            [comma, colon] => {
                let part = |one: &Value| text(Some(one.clone()), "tojson");
                [part(comma)?.to_string(), part(colon)?.to_string()]
            }
            _ => return error("the separators of JSON are two"),
        },
    };
    let mut writer = Writer {
        out: String::new(),
        ascii: flag(&ascii),
        sort: flag(&sort),
        indent,
        between,
        budget,
    };
    writer.value(value, 0)?;
    Ok(Value::text(writer.out))
}

struct Writer<'a> {
    out: String,
    ascii: bool,
    sort: bool,
    indent: Option<String>,
    /// Between two elements, and between a key and its value.
    between: [String; 2],
    budget: &'a Budget,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Outcome<()> {
        self.budget.spend(24)?;
        match value {
            Value::None => self.out += "null",
            Value::Bool(truth) => self.out += if *truth { "true" } else { "false" },
            Value::Int(value) => self.out += &value.to_string(),
            Value::Float(value) => self.out += &float(*value),
            Value::Text(text) => self.text(text)?,
            Value::List(all) | Value::Tuple(all) => self.list(all, depth)?,
            Value::Dict(dict) => {
                let mut entries: Vec<&(Value, Value)> = dict.entries.iter().collect();
                if self.sort {
                    let named = entries.iter().all(|(key, _)| matches!(key, Value::Text(_)));
                    if !named {
                        return error("sorting keys that are no texts is not supported");
                    }
                    let name = |value: &Value| match value {
                        Value::Text(text) => text.clone(),
                        _ => "".into(),
                    };
                    entries.sort_by_key(|(key, _)| name(key));
                }
                self.out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    self.element(at, depth)?;
                    self.key(key)?;
                    self.out += &self.between[1];
                    self.value(value, depth + 1)?;
                }
                self.close(entries.is_empty(), depth, '}')?;
            }
            Value::Undefined(text) if self.budget.is_strict => return error(&**text),
            other => {
                let kind = other.kind();
                return error(format!("Object of type {kind} is not JSON serializable"));
            }
        }
        Ok(())
    }

    fn list(&mut self, all: &Items, depth: usize) -> Outcome<()> {
        self.out.push('[');
        for (at, one) in all.all.iter().enumerate() {
            self.element(at, depth)?;
            self.value(one, depth + 1)?;
        }
        self.close(all.all.is_empty(), depth, ']')
    }

    /// What is before an element.
    fn element(&mut self, at: usize, depth: usize) -> Outcome<()> {
        if at > 0 {
            self.out += &self.between[0];
        }
        self.line(depth + 1)
    }

    fn close(&mut self, empty: bool, depth: usize, sign: char) -> Outcome<()> {
        if !empty {
            self.line(depth)?;
        }
        self.out.push(sign);
        Ok(())
    }

    fn line(&mut self, depth: usize) -> Outcome<()> {
        if let Some(indent) = &self.indent {
            self.budget.spend((indent.len() as u64).saturating_mul(depth as u64))?;
            self.out.push('\n');
            self.out += &indent.repeat(depth);
        }
        Ok(())
    }

    fn key(&mut self, key: &Value) -> Outcome<()> {
        match key {
            Value::Text(text) => self.text(text),
            Value::None => self.text("null"),
            Value::Bool(true) => self.text("true"),
            Value::Bool(false) => self.text("false"),
            Value::Int(value) => self.text(&value.to_string()),
            Value::Float(value) => self.text(&float(*value)),
            other => {
                error(format!("keys must be str, int, float, bool or None, not {}", other.kind()))
            }
        }
    }

    fn text(&mut self, text: &str) -> Outcome<()> {
        self.budget.spend(2 * text.len() as u64)?;
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out += "\\\"",
                '\\' => self.out += "\\\\",
                '\n' => self.out += "\\n",
                '\r' => self.out += "\\r",
                '\t' => self.out += "\\t",
                '\u{8}' => self.out += "\\b",
                '\u{c}' => self.out += "\\f",
                c if (c as u32) < 0x20 || (self.ascii && !c.is_ascii()) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        self.out += &format!("\\u{unit:04x}");
                    }
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
        Ok(())
    }
}

fn float(value: f64) -> String {
    match value {
        value if value.is_nan() => "NaN".into(),
        f64::INFINITY => "Infinity".into(),
        f64::NEG_INFINITY => "-Infinity".into(),
        value => python::repr_float(value),
    }
}
