//! Natural text in place of a template's own: its words by a normalization, known or fresh.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::record::{self, Unfit, unfit};
use super::unreadable::Unreadable;
use super::{Fresh, Problem, Reader, first, push};
use crate::check::types::Type;
use crate::data::layout::is_narrow;
use crate::data::normalize::{Normalization, sentences};
use crate::data::vocab::Vocabulary;
use crate::ir::bounds::READ_BACK_MAX;
use crate::ir::{Bound, Program, Slot, SlotId};
use crate::runtime::Memory;

/// What is missing where a normalization leaves nothing.
const WORDS: &str = "at least one word that is not dropped";

/// Why a slot cannot be bound to a value.
pub enum Unbound {
    /// The value is not what the rules need.
    Unfit(Unfit),
    /// The memory is full: a larger one may hold it.
    Room,
}

/// How natural text becomes values of a program.
#[derive(Clone, Debug)]
pub struct Natural {
    normalization: Normalization,
    /// The symbols of the vocabulary's words in their normal form.
    words: Arc<HashMap<String, u32>>,
    /// The symbols of the program's texts in their normal form; none that two of them share.
    labels: HashMap<String, u32>,
}

impl Reader {
    /// For natural text: in place of words of a template, which are read as they are, come those
    /// that a normalization makes of any text. Replies may be of any length.
    pub(in crate::data) fn natural(
        program: Arc<Program>,
        vocabulary: Arc<Vocabulary>,
        normalization: Normalization,
    ) -> Reader {
        let mut words = HashMap::with_capacity(vocabulary.len());
        for (word, symbol) in vocabulary.words().zip(0..) {
            words.entry(normalization.label(word)).or_insert(symbol);
        }
        let mut labels: HashMap<String, Option<u32>> = HashMap::new();
        for (text, symbol) in program.texts.iter().zip(0..) {
            let twice = |one: &mut Option<u32>| *one = None;
            labels.entry(normalization.label(text)).and_modify(twice).or_insert(Some(symbol));
        }
        let labels = labels.into_iter().filter_map(|(label, symbol)| Some((label, symbol?)));
        let natural = Natural { normalization, words: Arc::new(words), labels: labels.collect() };
        let reader = Reader::new(program, vocabulary);
        Reader { natural: Some(natural), words_max: u64::MAX, words: None, ..reader }
    }

    /// Binds a slot to a JSON value of any data set.
    pub(in crate::data) fn bind_natural(
        &self,
        slot: SlotId,
        value: &Value,
        fresh: &mut Fresh,
        memory: &mut Memory,
    ) -> Result<(), Unbound> {
        let natural = self.natural.as_ref().expect("a reader for natural text");
        let known = &self.program.slots[slot as usize];
        let cell = self.of_natural(natural, (&known.kind, value), fresh, memory);
        let cell = cell.map_err(|problem| match problem {
            Problem::Room(_) => Unbound::Room,
            other => Unbound::Unfit(unfit(&known.name, other)),
        })?;
        if self.is_bare(slot, cell, memory) {
            let problem = Problem::Line(WORDS.to_string(), shown(value));
            return Err(Unbound::Unfit(unfit(&known.name, problem)));
        }
        memory.bind(slot, cell);
        self.learn(fresh, memory);
        Ok(())
    }

    /// Binds the outputs to what a reply says, whose words may be those of the row.
    pub(in crate::data) fn read_natural(
        &self,
        reply: &str,
        fresh: &mut Fresh,
        memory: &mut Memory,
    ) -> Result<(), Unreadable> {
        let normal = self.normal.of_reply(reply);
        first(&self.patterns, &normal, |found| self.read_parts(found, fresh, memory))?;
        match self.outputs().find(|&slot| self.is_bare(slot, memory.slot(slot), memory)) {
            Some(slot) => {
                let (wanted, found) = (WORDS.to_string(), reply.trim().to_string());
                Err(self.named(slot, Problem::Keyed(wanted, found)))
            }
            None => Ok(()),
        }
    }

    /// True for an empty list where the template's own values are never empty.
    fn is_bare(&self, slot: SlotId, cell: i64, memory: &Memory) -> bool {
        let Slot { kind, bound, .. } = &self.program.slots[slot as usize];
        match (kind.element(), bound) {
            (Some(element), Bound::List { low: 1.., .. }) if is_narrow(element) => {
                memory.narrow(cell).is_empty()
            }
            (Some(_), Bound::List { low: 1.., .. }) => memory.wide(cell).is_empty(),
            _ => false,
        }
    }

    /// The list of a text's words.
    pub(super) fn words(
        &self,
        natural: &Natural,
        text: &str,
        fresh: &mut Fresh,
        memory: &mut Memory,
    ) -> Result<i64, Problem> {
        fresh.cells.clear();
        self.add_words(natural, text, fresh);
        self.push_words(fresh, memory)
    }

    /// A label of the template, or another one.
    pub(super) fn label(
        &self,
        natural: &Natural,
        text: &str,
        memory: &mut Memory,
    ) -> Result<i64, Problem> {
        if let Some(known) = self.texts.get(text.trim().as_bytes()) {
            return Ok(known.into());
        }
        let label = natural.normalization.label(text);
        match natural.labels.get(&label) {
            Some(&known) => Ok(known.into()),
            None => Ok(memory.push_text(&label)?.into()),
        }
    }

    /// A text that must be one word.
    pub(super) fn one_word(
        &self,
        natural: &Natural,
        text: &str,
        fresh: &mut Fresh,
    ) -> Result<i64, Problem> {
        let word = natural.normalization.label(text);
        match word.is_empty() || word.contains(' ') {
            true => Err(Problem::Found("one word", text.trim().to_string())),
            false => Ok(self.symbol(natural, &word, fresh).into()),
        }
    }

    /// The cell of a JSON value of any data set, in the shape that the type has there.
    pub(super) fn of_natural(
        &self,
        natural: &Natural,
        (kind, value): (&Type, &Value),
        fresh: &mut Fresh,
        memory: &mut Memory,
    ) -> Result<i64, Problem> {
        let is_wrong = || Problem::Line(phrase(kind), shown(value));
        let is_words = |kind: &Type| kind.element() == Some(&Type::Token);
        match (kind, value) {
            (kind, value) if is_words(kind) => {
                fresh.cells.clear();
                self.add_value(natural, value, fresh).ok_or_else(is_wrong)?;
                self.push_words(fresh, memory)
            }
            (Type::List(inner), Value::String(text)) if is_words(inner) => {
                let lists = sentences(text);
                let lists = lists.into_iter().map(|one| self.words(natural, one, fresh, memory));
                let lists = lists.collect::<Result<Vec<_>, _>>()?;
                push(inner, &lists, memory)
            }
            (Type::List(inner), Value::Array(values)) => {
                let each = values.iter();
                let each = each.map(|one| self.of_natural(natural, (inner, one), fresh, memory));
                let each = each.collect::<Result<Vec<_>, _>>()?;
                push(inner, &each, memory)
            }
            (Type::Token, Value::String(text)) => self.one_word(natural, text, fresh),
            (Type::Text, Value::String(text)) => self.label(natural, text, memory),
            (Type::Text, Value::Bool(truth)) => {
                let [word, literal] = if *truth { ["yes", "true"] } else { ["no", "false"] };
                let is_word = natural.labels.contains_key(word);
                self.label(natural, if is_word { word } else { literal }, memory)
            }
            (Type::Text | Type::Token, Value::Number(number)) => {
                let text = Value::String(number.to_string());
                self.of_natural(natural, (kind, &text), fresh, memory)
            }
            (Type::Int | Type::Real | Type::Bool, Value::String(text)) => {
                self.scalar(kind, text, fresh, memory).map_err(|_| is_wrong())
            }
            (Type::Int, value) => {
                let rounded = value.as_f64().filter(|it| it.fract() == 0.0 && it.abs() < EXACT);
                let number = value.as_i64().or(rounded.map(|number| number as i64));
                number.ok_or_else(is_wrong)
            }
            (Type::Real, value) => {
                value.as_f64().map(|number| number.to_bits() as i64).ok_or_else(is_wrong)
            }
            (Type::Bool, Value::Bool(truth)) => Ok(i64::from(*truth)),
            _ => Err(is_wrong()),
        }
    }

    /// Adds the words of a text, of a number, or of all that an array or an object holds.
    fn add_value(&self, natural: &Natural, value: &Value, fresh: &mut Fresh) -> Option<()> {
        match value {
            Value::String(text) => self.add_words(natural, text, fresh),
            Value::Number(number) => self.add_words(natural, &number.to_string(), fresh),
            Value::Array(values) => {
                return values.iter().try_for_each(|value| self.add_part(natural, value, fresh));
            }
            Value::Object(values) => {
                return values.values().try_for_each(|value| self.add_part(natural, value, fresh));
            }
            Value::Null | Value::Bool(_) => return None,
        }
        Some(())
    }

    /// The same, where a missing part has no words.
    fn add_part(&self, natural: &Natural, value: &Value, fresh: &mut Fresh) -> Option<()> {
        if value.is_null() { Some(()) } else { self.add_value(natural, value, fresh) }
    }

    fn add_words(&self, natural: &Natural, text: &str, fresh: &mut Fresh) {
        let (mut word, mut cells) =
            (std::mem::take(&mut fresh.word), std::mem::take(&mut fresh.cells));
        natural.normalization.words(text, &mut word, |word| {
            cells.push(self.symbol(natural, word, fresh));
        });
        (fresh.word, fresh.cells) = (word, cells);
    }

    fn push_words(&self, fresh: &mut Fresh, memory: &mut Memory) -> Result<i64, Problem> {
        let words = fresh.cells.len();
        if words as i64 > READ_BACK_MAX {
            let wanted = format!("at most {READ_BACK_MAX} words");
            return Err(Problem::Keyed(wanted, format!("{words} words")));
        }
        memory.push_narrow(&fresh.cells).map_err(Problem::Room)
    }

    fn symbol(&self, natural: &Natural, word: &str, fresh: &mut Fresh) -> u32 {
        if let Some(known) = fresh.known(word) {
            return known;
        }
        match natural.words.get(word) {
            Some(&known) => known,
            None => fresh.token(word, self.vocabulary.len()),
        }
    }
}

/// A value for a message: a text without its quotes.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

/// Integers below it are exact as 64-bit floating-point numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What a value of this type is in natural data.
pub fn phrase(kind: &Type) -> String {
    match kind.element() {
        Some(Type::Token) => "a text, or texts in an array or object".to_string(),
        Some(inner) if inner.element() == Some(&Type::Token) => {
            "a text (its sentences) or an array of texts".to_string()
        }
        Some(inner) => format!("an array, each {}", phrase(inner)),
        None if *kind == Type::Text => "a text, `true` or `false`".to_string(),
        None => record::phrase(kind),
    }
}
