//! The texts of columns as they are, written from a sample's memory.

use super::jsonl::spaced;
use super::shape::{Bit, Value};
use crate::data::Sampler;
use crate::data::generate::Row;
use crate::data::layout::{Escape, Fields, TextWriter};

/// Writes the texts of a template's samples.
pub struct Texts {
    text: TextWriter,
    fields: Fields,
}

impl Texts {
    /// For samples of this sampler. Threads share it.
    pub fn new(sampler: &Sampler) -> Texts {
        let (program, words) = (sampler.program(), sampler.vocabulary());
        Texts {
            text: TextWriter::new(program, words.clone(), Escape::None),
            fields: Fields::new(program, words.clone()),
        }
    }

    /// Appends a column's text; false if it is no text, or there is none.
    pub fn write(&self, value: &Value, row: Row, out: &mut Vec<u8>) -> bool {
        match value {
            Value::Fields => self.fields.write(row.memory, out),
            Value::Texts(bits) => {
                for bit in bits {
                    match bit {
                        Bit::Literal(text) => out.extend_from_slice(text.as_bytes()),
                        Bit::Index => {
                            out.extend_from_slice(itoa::Buffer::new().format(row.index).as_bytes());
                        }
                        Bit::Part(part) => self.text.write(*part, row.memory, out),
                        Bit::Spaced(part) => {
                            spaced(out, |out| self.text.write(*part, row.memory, out));
                        }
                    }
                }
            }
            _ => return false,
        }
        true
    }
}
