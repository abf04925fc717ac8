//! Values to text, as it is or as the inside of a JSON string.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use super::{Item, Literal, Part, Plan, Surface};
use crate::check::types::Type;
use crate::data::vocab::Vocabulary;
use crate::data::words::{WordText, append_first};
use crate::ir::{Form, Program, SlotId};
use crate::runtime::Memory;

/// What a text is written into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// Nothing: it is written as it is.
    None,
    /// The inside of a JSON string.
    Json,
    /// The inside of a JSON string whose text is JSON, of which this is the inside of a string.
    JsonInJson,
}

impl Escape {
    /// A text as it is written.
    pub(super) fn written(self, text: &str) -> String {
        match self {
            Escape::None => text.to_string(),
            Escape::Json => json_inside(text),
            Escape::JsonInJson => json_inside(&json_inside(text)),
        }
    }
}

/// Lists that are copied where they come again have at least as many words.
const LONG: usize = 16;

/// Long lists of words that were written to an output, which are copied where they come again: to
/// be used for one sample and one output, to which nothing but more is written.
#[derive(Debug, Default)]
pub struct Written {
    /// Where a list lies in the sample's memory, and where its text lies in the output.
    lists: [(Range<usize>, Range<usize>); 4],
    count: usize,
}

impl Written {
    fn find(&self, list: &Range<usize>) -> Option<Range<usize>> {
        let found = self.lists[..self.count].iter().find(|(known, _)| known == list);
        found.map(|(_, text)| text.clone())
    }

    fn keep(&mut self, list: Range<usize>, text: Range<usize>) {
        if let Some(free) = self.lists.get_mut(self.count) {
            *free = (list, text);
            self.count += 1;
        }
    }
}

/// Writes the texts of samples. Threads share it.
#[derive(Clone, Debug)]
pub struct TextWriter {
    plan: Plan,
    /// The literals as they are written.
    literals: WordText,
    escape: Escape,
    vocabulary: Arc<Vocabulary>,
    /// The types of the slots.
    kinds: Vec<Type>,
}

impl TextWriter {
    /// A writer for a program's texts.
    pub fn new(program: &Program, vocabulary: Arc<Vocabulary>, escape: Escape) -> TextWriter {
        let plan = Plan::new(program);
        let mut literals = WordText::default();
        plan.literals.iter().for_each(|text| literals.push(&escape.written(text)));
        let kinds = program.slots.iter().map(|slot| slot.kind.clone()).collect();
        TextWriter { plan, literals, escape, vocabulary, kinds }
    }

    /// Appends a text of the sample in the memory.
    pub fn write(&self, part: Part, memory: &Memory, out: &mut Vec<u8>) {
        self.plan.write(part, memory, &mut TextSurface { writer: self, out, written: None });
    }

    /// The same, with lists that were written before copied.
    pub fn write_again(
        &self,
        part: Part,
        memory: &Memory,
        out: &mut Vec<u8>,
        written: &mut Written,
    ) {
        let mut surface = TextSurface { writer: self, out, written: Some(written) };
        self.plan.write(part, memory, &mut surface);
    }

    /// Appends the first bytes of what the model reads; the rest is cut off.
    pub fn write_start(&self, memory: &Memory, bytes: usize, out: &mut Vec<u8>) {
        let (system, prompt) = (self.plan.items(Part::System), self.plan.items(Part::Prompt));
        for item in system.iter().chain(prompt) {
            let mut surface = TextSurface { writer: self, out, written: None };
            self.plan.write_item(item, memory, &mut surface);
            if out.len() >= bytes {
                out.truncate(bytes);
                return;
            }
        }
    }

    /// A text of the sample in the memory; best for a writer that does not escape.
    ///
    /// # Panics
    /// Never: literals and words are UTF-8, here as below.
    pub fn text(&self, part: Part, memory: &Memory) -> String {
        let mut out = Vec::new();
        self.write(part, memory, &mut out);
        String::from_utf8(out).expect("literals and words are UTF-8")
    }

    /// A text of the sample in pieces, each with the slot whose value it shows.
    ///
    /// # Panics
    /// Never: see [`TextWriter::text`].
    pub fn pieces(&self, part: Part, memory: &Memory) -> Vec<(Option<SlotId>, String)> {
        let piece = |item: &Item| {
            let mut out = Vec::new();
            let mut surface = TextSurface { writer: self, out: &mut out, written: None };
            self.plan.write_item(item, memory, &mut surface);
            let slot = match item {
                Item::Literal(_) => None,
                Item::Value(slot, _, _) => Some(*slot),
                Item::Rows(table) => table.columns().next(),
            };
            (slot, String::from_utf8(out).expect("literals and words are UTF-8"))
        };
        self.plan.items(part).iter().map(piece).collect()
    }

    /// The value of a slot as `{name}` shows it.
    ///
    /// # Panics
    /// If the program has no such slot.
    pub fn value(&self, slot: SlotId, memory: &Memory) -> String {
        let mut out = Vec::new();
        let kind = &self.kinds[slot as usize];
        self.write_plain(memory, memory.slot(slot), kind, &mut out, None);
        String::from_utf8(out).expect("literals and words are UTF-8")
    }

    /// A value in a form.
    pub(in crate::data) fn in_form(
        &self,
        memory: &Memory,
        cell: i64,
        kind: &Type,
        form: &Form,
    ) -> String {
        let plain = |cell: i64, kind: &Type| {
            let mut out = Vec::new();
            self.write_plain(memory, cell, kind, &mut out, None);
            String::from_utf8_lossy(&out).into_owned()
        };
        match (form, kind.element()) {
            (Form::Digits(digits), _) => {
                let mut number = String::new();
                digits.write(cell, &mut number);
                number
            }
            (Form::Joined(between), Some(inner)) => {
                let all = super::cells(memory, cell, inner).into_iter();
                all.map(|cell| plain(cell, inner)).collect::<Vec<_>>().join(between)
            }
            (Form::Plain | Form::Joined(_), _) => plain(cell, kind),
        }
    }

    /// Appends a value as `{name}` shows it; with what was written, as in
    /// [`TextWriter::write_again`].
    pub(in crate::data) fn write_plain(
        &self,
        memory: &Memory,
        cell: i64,
        kind: &Type,
        out: &mut Vec<u8>,
        written: Option<&mut Written>,
    ) {
        super::write_plain(memory, cell, kind, &mut TextSurface { writer: self, out, written });
    }
}

struct TextSurface<'a> {
    writer: &'a TextWriter,
    out: &'a mut Vec<u8>,
    written: Option<&'a mut Written>,
}

impl Surface for TextSurface<'_> {
    #[inline]
    fn literal(&mut self, literal: Literal) {
        self.writer.literals.append(literal as u32, self.out);
    }

    #[inline]
    fn token(&mut self, symbol: u32) {
        self.writer.vocabulary.text().append(symbol, self.out);
    }

    fn tokens(&mut self, symbols: &[u32]) {
        let words = self.writer.vocabulary.text();
        let written = match &mut self.written {
            Some(written) if symbols.len() >= LONG => written,
            _ => return words.append_list(symbols, self.out),
        };
        let Range { start, end } = symbols.as_ptr_range();
        let list = start.addr()..end.addr();
        if let Some(text) = written.find(&list) {
            return self.out.extend_from_within(text);
        }
        let start = self.out.len();
        words.append_list(symbols, self.out);
        written.keep(list, start..self.out.len());
    }

    #[inline]
    fn int(&mut self, value: i64) {
        match usize::try_from(value).ok().and_then(|at| SMALL.get(at)) {
            Some(digits) => append_first(digits, digits[3].into(), self.out),
            None => self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
        }
    }

    fn real(&mut self, value: f64) {
        write!(self.out, "{value:?}").expect("writing to memory does not fail");
    }

    fn number(&mut self, digits: &str) {
        self.out.extend_from_slice(digits.as_bytes());
    }

    fn made(&mut self, text: &str) {
        let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
        match self.writer.escape {
            Escape::Json | Escape::JsonInJson if !text.bytes().all(is_plain) => {
                self.out.extend_from_slice(self.writer.escape.written(text).as_bytes());
            }
            _ => self.out.extend_from_slice(text.as_bytes()),
        }
    }
}

/// The digits of the integers from 0 on, and their number: what most samples show.
static SMALL: [[u8; 4]; 1000] = {
    let mut all = [[0; 4]; 1000];
    let mut number = 0;
    while number < all.len() {
        let [hundreds, tens] = [b'0' + (number / 100) as u8, b'0' + (number / 10 % 10) as u8];
        let ones = b'0' + (number % 10) as u8;
        all[number] = match number {
            0..10 => [ones, 0, 0, 1],
            10..100 => [tens, ones, 0, 2],
            _ => [hundreds, tens, ones, 3],
        };
        number += 1;
    }
    all
};

/// A text as it is between the quotes of a JSON string.
pub(in crate::data) fn json_inside(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_integers_are_written_as_any() {
        for (number, digits) in SMALL.iter().enumerate() {
            let mut out = b"before ".to_vec();
            append_first(digits, digits[3].into(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), format!("before {number}"));
        }
    }
}
