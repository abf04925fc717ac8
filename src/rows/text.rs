//! Rows of a JSON file: an object a line, or one array of objects.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Place, Row};
use crate::template::Error;

/// The most bytes of a row.
const BYTES_MAX: u64 = 16 << 20;
/// What some editors put at the start of a file.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// A JSON file that is being read.
pub struct Text {
    reader: BufReader<Box<dyn Read + Send>>,
    place: Place,
    /// The lines, or the elements of the array, so far.
    number: u64,
    is_array: bool,
    bytes: Vec<u8>,
}

impl Text {
    /// Looks at the start of a file: `[` begins an array.
    pub fn open(file: Box<dyn Read + Send>, name: Arc<str>) -> Result<Text, Error> {
        let reader = BufReader::with_capacity(1 << 16, file);
        let place = Place { file: name.clone(), unit: "line" };
        let io = |error| failed(&name, error);
        let mut text = Text { reader, place, number: 0, is_array: false, bytes: Vec::new() };
        let start = text.reader.fill_buf().map_err(io)?;
        if start.starts_with(&BYTE_ORDER_MARK) {
            text.reader.consume(BYTE_ORDER_MARK.len());
        }
        let start = text.reader.fill_buf().map_err(io)?;
        if start.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
            text.after_space()?;
            (text.is_array, text.place.unit) = (true, "row");
        }
        Ok(text)
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The next row; none at the end.
    pub fn next(&mut self) -> Result<Option<Row>, Error> {
        let is_there = if self.is_array { self.element()? } else { self.line()? };
        if !is_there {
            return Ok(None);
        }
        let Ok(text) = std::str::from_utf8(&self.bytes) else {
            return Err(self.error("it is not UTF-8: save the file as UTF-8"));
        };
        // With its line break a line that is cut off would end on the next one.
        let parsed = serde_json::from_str::<Value>(text.trim_end());
        let values = parsed.map_err(|error| self.no_json(&error))?;
        match values {
            Value::Object(values) => Ok(Some(self.row(values))),
            other => Err(self.no_object(&other)),
        }
    }

    fn row(&self, values: Map<String, Value>) -> Row {
        Row { number: self.number, values }
    }

    /// Reads the next line that is not blank into `bytes`.
    fn line(&mut self) -> Result<bool, Error> {
        loop {
            self.bytes.clear();
            self.number += 1;
            let mut line = self.reader.by_ref().take(BYTES_MAX + 1);
            let read = line.read_until(b'\n', &mut self.bytes);
            if read.map_err(|error| self.io(error))? == 0 {
                return Ok(false);
            }
            if self.bytes.len() as u64 > BYTES_MAX {
                return Err(self.too_long());
            }
            if !self.bytes.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    /// Reads the next element of the array into `bytes`.
    fn element(&mut self) -> Result<bool, Error> {
        self.bytes.clear();
        let mut next = self.after_space()?;
        if self.number > 0 && next == Some(b',') {
            next = self.after_space()?;
        } else if next == Some(b']') {
            return match self.after_space()? {
                None => Ok(false),
                Some(_) => Err(self.error("expected nothing after the array's `]`")),
            };
        } else if self.number > 0 {
            return Err(self.error("expected `,` or `]` after this row"));
        }
        self.number += 1;
        let (mut depth, mut in_text, mut is_escaped) = (0_u64, false, false);
        loop {
            let Some(byte) = next else {
                return Err(self.error("the file ends before the array's `]`: it is cut short"));
            };
            self.bytes.push(byte);
            if self.bytes.len() as u64 > BYTES_MAX {
                return Err(self.too_long());
            }
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = in_text,
                b'"' => in_text = !in_text,
                _ if in_text => {}
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && !in_text {
                match byte {
                    b'}' | b']' | b'"' => return Ok(true),
                    // A number or a word ends only before what comes after it.
                    _ if matches!(self.peek()?, None | Some(b',' | b']' | b'}')) => {
                        return Ok(true);
                    }
                    _ => {}
                }
            }
            next = self.byte()?;
        }
    }

    fn after_space(&mut self) -> Result<Option<u8>, Error> {
        loop {
            match self.byte()? {
                Some(byte) if byte.is_ascii_whitespace() => {}
                other => return Ok(other),
            }
        }
    }

    fn byte(&mut self) -> Result<Option<u8>, Error> {
        let byte = self.peek()?;
        self.reader.consume(usize::from(byte.is_some()));
        Ok(byte)
    }

    fn peek(&mut self) -> Result<Option<u8>, Error> {
        let name = &self.place.file;
        let read = self.reader.fill_buf().map(|bytes| bytes.first().copied());
        read.map_err(|error| failed(name, error))
    }

    fn io(&self, error: std::io::Error) -> Error {
        failed(&self.place.file, error)
    }

    fn error(&self, why: &str) -> Error {
        self.place.error(self.number, why)
    }

    fn too_long(&self) -> Error {
        self.error(&format!("it has more than {BYTES_MAX} bytes, the most of a row"))
    }

    fn no_json(&self, error: &serde_json::Error) -> Error {
        let column = error.column();
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        let write = if self.is_array { "" } else { ": write an object a line, each on one line" };
        self.error(&format!("expected a JSON object, at byte {column}: {what}{write}"))
    }

    fn no_object(&self, found: &Value) -> Error {
        let what = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) | Value::Object(_) => "an array",
        };
        self.error(&format!(
            "expected an object with a value for each column, found {what}: write {{\"column\": …}}"
        ))
    }
}

/// The error of a file that cannot be read, or whose compressed bytes are damaged: the system did
/// not say so then.
fn failed(name: &str, error: std::io::Error) -> Error {
    match error.raw_os_error() {
        Some(_) => Error::Io { path: PathBuf::from(name), error },
        None => Error::Input(format!("{name} cannot be read as rows: it is damaged ({error})")),
    }
}
