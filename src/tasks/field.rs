//! A text with placeholders for the columns of a row, in Jinja, of a task or of a recipe's
//! `[[text]]`; what is not there is an error.

use serde_json::{Map, Value};

use crate::diagnostic::near_miss;
use crate::model::chat::{Program, strictly};

/// A text with placeholders, read.
#[derive(Clone, Debug)]
pub struct Field {
    /// The key that it is the value of.
    pub key: &'static str,
    /// As it is written.
    pub text: String,
    place: Place,
    program: Program,
    /// Whether it is one placeholder, of which the value is taken and not its text.
    is_value: bool,
}

/// Where a text begins in a file.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// Whether its line breaks are those of the file, and no escapes.
    pub is_long: bool,
}

impl Place {
    /// The line of the file that holds a line of the text.
    fn line(self, of_text: Option<usize>) -> usize {
        self.line + of_text.filter(|_| self.is_long).map_or(0, |line| line - 1)
    }
}

/// Why a field has no text, and the line of the file.
#[derive(Debug)]
pub struct Unreadable {
    /// The line.
    pub line: usize,
    /// A sentence.
    pub text: String,
}

impl Field {
    /// A text: `"Question: {{ question }}"`.
    pub fn text(key: &'static str, text: &str, place: Place) -> Result<Field, Unreadable> {
        Field::read(key, text, place, false)
    }

    /// A value, such as a list or a number, where it is one placeholder: `"{{ choices.text }}"`.
    pub fn value(key: &'static str, text: &str, place: Place) -> Result<Field, Unreadable> {
        Field::read(key, text, place, true)
    }

    fn read(
        key: &'static str,
        text: &str,
        place: Place,
        wants_value: bool,
    ) -> Result<Field, Unreadable> {
        let alone = text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        let alone = alone.filter(|inner| wants_value && !inner.contains("}}"));
        let program = match alone {
            // Python's `repr` is not JSON: the value leaves the template as JSON.
            Some(inner) => Program::parse(&format!("{{{{ ({inner}) | tojson }}}}")),
            None => Program::parse(text),
        };
        let program = program.map_err(|error| Unreadable {
            line: place.line(error.line),
            text: format!("`{key}`: {}", error.text),
        })?;
        Ok(Field { key, text: text.to_string(), place, program, is_value: alone.is_some() })
    }
}

impl Field {
    /// All names that it looks up.
    pub fn looked_up(&self) -> impl Iterator<Item = &str> {
        self.program.looked_up()
    }

    /// The column that is null and that its text shows, as Python writes it; with an empty text in
    /// its place, it is not shown.
    pub fn null_written(&self, text: &str, row: &Map<String, Value>) -> Option<&str> {
        let shown = |text: &str| text.matches("None").count();
        let is_null = |name: &&str| row.get(*name).is_some_and(Value::is_null);
        let name = self.looked_up().find(is_null).filter(|_| !self.is_value && shown(text) > 0)?;
        let mut without = row.clone();
        without.values_mut().filter(|it| it.is_null()).for_each(|it| *it = "".into());
        let other = values(&[self], &without).ok()?;
        (shown(other[0].as_str()?) < shown(text)).then_some(name)
    }

    /// What is wrong with its value.
    pub fn error(&self, text: String) -> Unreadable {
        Unreadable { line: self.place.line, text }
    }
}

/// The values of fields for a row: of all but single placeholders, texts.
pub fn values(fields: &[&Field], row: &Map<String, Value>) -> Result<Vec<Value>, Unreadable> {
    let programs: Vec<&Program> = fields.iter().map(|field| &field.program).collect();
    let texts = strictly(&programs, row).map_err(|(at, error)| {
        let field = fields[at];
        Unreadable {
            line: field.place.line(error.line),
            text: no_column(field, row, &error.text)
                .unwrap_or_else(|| format!("`{}`: {}", field.key, error.text)),
        }
    })?;
    let value = |(field, text): (&&Field, String)| match field.is_value {
        true => serde_json::from_str(&text).expect("`tojson` writes JSON"),
        // Jinja leaves out a line break that ends a template.
        false if field.text.ends_with('\n') => Value::String(text + "\n"),
        false => Value::String(text),
    };
    Ok(fields.iter().zip(texts).map(value).collect())
}

/// The message for a column that the rows do not have, if that is why a field failed.
fn no_column(field: &Field, row: &Map<String, Value>, why: &str) -> Option<String> {
    let mut absent = field.program.looked_up().filter(|name| !row.contains_key(*name));
    let name = absent.find(|name| why == format!("'{name}' is undefined"))?;
    let columns = || row.keys().map(String::as_str);
    let write = match near_miss(name, columns()) {
        Some(near) => format!("write `{near}`"),
        None => format!("the rows have {}", columns().collect::<Vec<_>>().join(", ")),
    };
    Some(format!("`{}` names `{name}`, which is no column of the rows: {write}", field.key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row() -> Map<String, Value> {
        let row = json!({"question": "Why?", "choices": {"text": ["a", "é"]}, "label": 1});
        row.as_object().expect("an object").clone()
    }

    const PLACE: Place = Place { line: 7, is_long: true };

    fn field(text: &str) -> Result<Value, Unreadable> {
        let field = Field::value("gold", text, PLACE)?;
        Ok(values(&[&field], &row())?.remove(0))
    }

    #[test]
    fn a_single_placeholder_keeps_its_type_and_other_text_is_text() {
        assert_eq!(field("{{ choices.text }}").expect("it is there"), json!(["a", "é"]));
        assert_eq!(field("{{ label }}").expect("it is there"), json!(1));
        assert_eq!(field("{{ label }}\n").expect("it is there"), json!(1));
        assert_eq!(field("{{ label }}.").expect("it is there"), json!("1."));
        assert_eq!(field("{{ label }}{{ label }}").expect("it is there"), json!("11"));
        let text = Field::text("context", "{{ label }}\n", PLACE).expect("it is read");
        assert_eq!(values(&[&text], &row()).expect("it is there"), [json!("1\n")]);
    }

    #[test]
    fn what_is_not_there_is_an_error_wherever_it_is_written() {
        let said = |text: &str| field(text).expect_err("it is not there").text;
        assert_eq!(
            said("{{ questoin }}"),
            "`gold` names `questoin`, which is no column of the rows: write `question`"
        );
        assert_eq!(
            said("{{ passage }} x"),
            "`gold` names `passage`, which is no column of the rows: the rows have question, \
             choices, label"
        );
        for text in ["{{ choices.txt }}", "{{ choices.txt ~ 'x' }} y", "{{ choices.txt|upper }}"] {
            assert_eq!(said(text), "`gold`: 'dict object' has no attribute 'txt'", "{text}");
        }
        assert!(said("{% for x in choices.txt %}{{ x }}{% endfor %}").contains("'txt'"));
        assert!(said("{{ choices.text.index('b') }}").contains("not in list"));
        assert_eq!(field("{{ passage | default('-') }}").expect("a default"), json!("-"));
    }

    #[test]
    fn an_error_of_the_syntax_has_its_line_of_the_file() {
        let line = |place| {
            let error = Field::text("context", "a\n{{ question }", place);
            error.expect_err("it is broken").line
        };
        assert_eq!(line(PLACE), 8);
        assert_eq!(line(Place { is_long: false, ..PLACE }), 7, "`\\n` is in one line");
    }
}
