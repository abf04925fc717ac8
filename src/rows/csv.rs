//! Rows of a CSV file, as spreadsheets write it.

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use super::{Place, Row};
use crate::template::Error;

/// What may stand between two values.
const SEPARATORS: [u8; 3] = *b",;\t";
/// The bytes of the first line that are looked at to know which.
const LOOKED_AT: usize = 1 << 16;

/// A file, opened from its start each time.
pub type Start<'a> = &'a dyn Fn() -> Result<Box<dyn Read + Send>, Error>;

/// A CSV file that is being read.
pub struct Csv {
    reader: Reader<Box<dyn Read + Send>>,
    place: Place,
    columns: Vec<String>,
    forms: Vec<Form>,
    record: StringRecord,
}

/// What all values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Nothing is known yet.
    Empty,
    Integer,
    Number,
    Boolean,
    Text,
}

impl Csv {
    /// Reads the file once, to know what each column holds, then starts again.
    pub fn open(start: Start, name: Arc<str>) -> Result<Csv, Error> {
        let place = Place { file: name, unit: "line" };
        let separator = separator(start()?, &place)?;
        let reader =
            || Ok::<_, Error>(ReaderBuilder::new().delimiter(separator).from_reader(start()?));
        let mut csv = Csv {
            reader: reader()?,
            place,
            columns: Vec::new(),
            forms: Vec::new(),
            record: StringRecord::new(),
        };
        csv.columns = csv.header()?;
        csv.forms = vec![Form::Empty; csv.columns.len()];
        while csv.read()? {
            for (form, value) in csv.forms.iter_mut().zip(&csv.record) {
                *form = form.and(Form::of(value));
            }
        }
        csv.reader = reader()?;
        Ok(csv)
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The next row; none at the end.
    pub fn next(&mut self) -> Result<Option<Row>, Error> {
        if !self.read()? {
            return Ok(None);
        }
        let number = self.record.position().map_or(0, csv::Position::line);
        let cells = self.columns.iter().zip(&self.forms).zip(&self.record);
        let values = cells.map(|((name, form), cell)| (name.clone(), form.value(cell)));
        Ok(Some(Row { number, values: values.collect::<Map<_, _>>() }))
    }

    fn header(&mut self) -> Result<Vec<String>, Error> {
        let header = self.reader.headers().map_err(|error| failed(&self.place, &error))?;
        let names: Vec<String> = header.iter().map(|name| name.trim().to_string()).collect();
        for (at, name) in names.iter().enumerate() {
            if name.is_empty() {
                let why = format!("column {} has no name: the first line names all", at + 1);
                return Err(self.place.error(1, why));
            }
            if names[..at].contains(name) {
                return Err(self.place.error(1, format!("two columns are named `{name}`")));
            }
        }
        Ok(names)
    }

    fn read(&mut self) -> Result<bool, Error> {
        self.reader.read_record(&mut self.record).map_err(|error| failed(&self.place, &error))
    }
}

/// The separator that the first line has most of.
fn separator(file: Box<dyn Read + Send>, place: &Place) -> Result<u8, Error> {
    let mut line = Vec::new();
    let read = BufReader::new(file).take(LOOKED_AT as u64).read_until(b'\n', &mut line);
    read.map_err(|error| place.error(1, error))?;
    let count = |separator: u8| line.iter().filter(|&&byte| byte == separator).count();
    // Of two that it has equally often, the first.
    let most = SEPARATORS.into_iter().rev().max_by_key(|&separator| count(separator));
    Ok(most.unwrap_or(SEPARATORS[0]))
}

fn failed(place: &Place, error: &csv::Error) -> Error {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            let advice = "write a value that holds a separator in quotes";
            let why =
                format!("{len} values, and {expected_len} columns in the first line: {advice}");
            place.error(line, why)
        }
        ErrorKind::Utf8 { err, .. } => place
            .error(line, format!("value {} is not UTF-8: save the file as UTF-8", err.field() + 1)),
        _ => place.error(line, error),
    }
}

impl Form {
    fn of(cell: &str) -> Form {
        match cell.trim() {
            "" => Form::Empty,
            "true" | "false" | "True" | "False" | "TRUE" | "FALSE" => Form::Boolean,
            text if is_integer(text) => Form::Integer,
            text if is_number(text) => Form::Number,
            _ => Form::Text,
        }
    }

    /// What holds values of both forms.
    fn and(self, other: Form) -> Form {
        match (self, other) {
            (Form::Empty, form) | (form, Form::Empty) => form,
            (Form::Integer, Form::Number) | (Form::Number, Form::Integer) => Form::Number,
            (one, other) if one == other => one,
            _ => Form::Text,
        }
    }

    /// A cell of such a column: without anything in it null, or a text without letters.
    fn value(self, cell: &str) -> Value {
        let bare = cell.trim();
        match self {
            Form::Text | Form::Empty => cell.into(),
            _ if bare.is_empty() => Value::Null,
            Form::Boolean => bare.eq_ignore_ascii_case("true").into(),
            Form::Integer | Form::Number => {
                serde_json::from_str(bare).unwrap_or_else(|_| cell.into())
            }
        }
    }
}

/// An integer as JSON writes it: `007` and `+7` are texts, such as codes have them.
fn is_integer(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|number| number.to_string() == text)
}

fn is_number(text: &str) -> bool {
    matches!(serde_json::from_str::<Value>(text), Ok(Value::Number(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &'static str) -> Result<Vec<Value>, String> {
        let start = || Ok(Box::new(text.as_bytes()) as Box<dyn Read + Send>);
        let mut csv = Csv::open(&start, "table.csv".into()).map_err(|error| error.to_string())?;
        let mut rows = Vec::new();
        while let Some(row) = csv.next().map_err(|error| error.to_string())? {
            rows.push(Value::Object(row.values));
        }
        Ok(rows)
    }

    #[test]
    fn a_column_has_values_of_one_form() {
        let text = "\u{feff}word,n,code,share,is_it,note\n\
                    \"a, b\",1,007,0.5,TRUE,\n\
                    \"c \"\"d\"\"\",-2,12,3,false,x\n";
        let expected = serde_json::json!([
            {"word": "a, b", "n": 1, "code": "007", "share": 0.5, "is_it": true, "note": ""},
            {"word": "c \"d\"", "n": -2, "code": "12", "share": 3, "is_it": false, "note": "x"},
        ]);
        assert_eq!(rows(text).map(Value::Array), Ok(expected));
    }

    #[test]
    fn separators_of_other_spreadsheets_are_known() {
        let expected = Ok(vec![serde_json::json!({"a": "1,5", "b": 2})]);
        assert_eq!(rows("a;b\r\n1,5;2\r\n"), expected);
        assert_eq!(rows("a\tb\n1,5\t2\n"), expected);
    }

    #[test]
    fn what_is_no_table_is_told() {
        for (text, said) in [
            ("a,b\n1,2\n3\n", "table.csv line 3: 1 values, and 2 columns in the first line"),
            ("a,,c\n1,2,3\n", "line 1: column 2 has no name"),
            ("a,b,a\n1,2,3\n", "two columns are named `a`"),
        ] {
            let error = rows(text).expect_err("an error");
            assert!(error.contains(said), "{error}");
        }
    }
}
