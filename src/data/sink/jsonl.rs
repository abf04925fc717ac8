//! JSONL: each sample is a line, an object of its columns.

use anyhow::Result;

use super::schema::Schema;
use super::shape::{Bit, Columns, Value};
use super::template::Template;
use super::{Output, Sink};
use crate::data::Sampler;
use crate::data::generate::Row;
use crate::data::layout::{Escape, Fields, Part, TextWriter, Written, json_inside};

/// Writes the columns of a schema's shape, in their order.
pub struct Jsonl {
    /// Those of each template.
    lines: Vec<Line>,
}

/// A value of each of a template's rows, as JSON.
pub(super) struct Line {
    pieces: Pieces,
    text: TextWriter,
    fields: Fields,
}

/// A piece of a line.
enum Piece {
    Bytes(Vec<u8>),
    Index,
    Part(Part),
    /// With a space before it, unless it is empty.
    Spaced(Part),
    Fields,
}

impl Jsonl {
    /// For samples of a schema. Threads share it.
    pub fn new(schema: &Schema) -> Jsonl {
        let line = |template: &Template| {
            let columns = Value::Object(schema.columns(template));
            let mut line = Line::of(&columns, &template.sampler);
            line.pieces.bytes("\n");
            line
        };
        Jsonl { lines: schema.templates.iter().map(line).collect() }
    }

    /// Appends the line of a sample, and a line break.
    pub fn line(&self, row: Row, out: &mut Vec<u8>) {
        self.lines[row.sampler].write(row, out);
    }
}

impl Line {
    /// Of a value in the rows of this sampler.
    pub fn of(value: &Value, sampler: &Sampler) -> Line {
        let mut pieces = Pieces::default();
        pieces.value(value);
        let (program, words) = (sampler.program(), sampler.vocabulary());
        Line {
            pieces,
            text: TextWriter::new(program, words.clone(), Escape::Json),
            fields: Fields::in_json(program, words.clone()),
        }
    }

    /// Appends the JSON of a sample.
    pub fn write(&self, row: Row, out: &mut Vec<u8>) {
        let Line { pieces, text, fields } = self;
        let written = &mut Written::default();
        for piece in &pieces.0 {
            match piece {
                Piece::Bytes(bytes) => out.extend_from_slice(bytes),
                Piece::Index => {
                    out.extend_from_slice(itoa::Buffer::new().format(row.index).as_bytes())
                }
                Piece::Part(part) => text.write_again(*part, row.memory, out, written),
                Piece::Spaced(part) => {
                    spaced(out, |out| text.write_again(*part, row.memory, out, written));
                }
                Piece::Fields => fields.write_again(row.memory, out, written),
            }
        }
    }
}

/// What is written after a space; nothing if it is empty.
pub(super) fn spaced(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b' ');
    let start = out.len();
    write(out);
    if out.len() == start {
        out.pop();
    }
}

/// The pieces of a line, those that are the same in all rows put together.
#[derive(Default)]
struct Pieces(Vec<Piece>);

impl Pieces {
    fn bytes(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Piece::Bytes(bytes)) => bytes.extend_from_slice(text.as_bytes()),
            _ => self.0.push(Piece::Bytes(text.as_bytes().to_vec())),
        }
    }

    fn object(&mut self, columns: &Columns) {
        self.each("{", columns, "}", |pieces, (name, value)| {
            pieces.bytes(&format!("\"{name}\":"));
            pieces.value(value);
        });
    }

    fn each<T>(&mut self, open: &str, all: &[T], close: &str, one: impl Fn(&mut Pieces, &T)) {
        self.bytes(open);
        for (at, value) in all.iter().enumerate() {
            if at > 0 {
                self.bytes(",");
            }
            one(self, value);
        }
        self.bytes(close);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.bytes("null"),
            Value::Number(number) => self.bytes(&number.to_string()),
            Value::Index => self.0.push(Piece::Index),
            Value::List(values) => self.each("[", values, "]", |pieces, one| pieces.value(one)),
            Value::Object(columns) => self.object(columns),
            Value::Fields => self.quoted(|pieces| pieces.0.push(Piece::Fields)),
            Value::Texts(bits) => self.quoted(|pieces| {
                for bit in bits {
                    match bit {
                        Bit::Literal(text) => pieces.bytes(&json_inside(text)),
                        Bit::Index => pieces.0.push(Piece::Index),
                        Bit::Part(part) => pieces.0.push(Piece::Part(*part)),
                        Bit::Spaced(part) => pieces.0.push(Piece::Spaced(*part)),
                    }
                }
            }),
        }
    }

    fn quoted(&mut self, inside: impl FnOnce(&mut Pieces)) {
        self.bytes("\"");
        inside(self);
        self.bytes("\"");
    }
}

impl Sink for Jsonl {
    type Columns = Vec<u8>;
    type File = Output;

    fn open(schema: &Schema, output: Output) -> Result<(Jsonl, Output)> {
        Ok((Jsonl::new(schema), output))
    }

    fn lay_out(&self, row: Row, lines: &mut Vec<u8>) {
        self.line(row, lines);
    }

    fn write(&self, lines: &mut Vec<u8>, next: u64, output: &mut Output) -> Result<()> {
        output.put(lines)?;
        lines.clear();
        output.mark(next)
    }

    fn bytes(output: &Output) -> u64 {
        output.bytes()
    }

    fn finish(self, output: Output) -> Result<u64> {
        output.finish()
    }
}
