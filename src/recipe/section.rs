//! One table of a recipe, read key by key: what is missing has a default, what is wrong is noted.

use std::fmt::Display;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, near_miss};
use crate::source::Span;

/// A table, and the keys that it was asked for.
pub(super) struct Section<'a, 'f> {
    /// As it is written: `[train]`.
    pub name: &'static str,
    table: Option<&'a DeTable<'a>>,
    known: Vec<&'static str>,
    errors: &'f mut Vec<Diagnostic>,
}

impl<'a, 'f> Section<'a, 'f> {
    /// Reads a table; without one, every key has its default.
    pub fn new(
        name: &'static str,
        table: Option<&'a DeTable<'a>>,
        errors: &'f mut Vec<Diagnostic>,
    ) -> Section<'a, 'f> {
        Section { name, table, known: Vec::new(), errors }
    }

    /// An integer.
    pub fn whole(&mut self, key: &'static str, range: RangeInclusive<u64>, default: u64) -> u64 {
        let Some((value, span)) = self.take(key) else { return default };
        let wide = match value {
            DeValue::Integer(it) => i128::from_str_radix(it.as_str(), it.radix()).ok(),
            _ => {
                self.wrong_type(key, span, "an integer", value, &default);
                return default;
            }
        };
        let inside = wide.and_then(|wide| u64::try_from(wide).ok());
        match inside.filter(|number| range.contains(number)) {
            Some(number) => number,
            None => {
                self.outside(key, span, range.start(), range.end());
                default
            }
        }
    }

    /// The same for sizes.
    pub fn size(&mut self, key: &'static str, range: RangeInclusive<u64>, default: usize) -> usize {
        self.whole(key, range, default as u64) as usize
    }

    /// A number.
    pub fn real(&mut self, key: &'static str, range: RangeInclusive<f64>, default: f64) -> f64 {
        let Some((value, span)) = self.take(key) else { return default };
        let Some(number) = number(value) else {
            self.wrong_type(key, span, "a number", value, &default);
            return default;
        };
        if range.contains(&number) {
            return number;
        }
        self.outside(key, span, range.start(), range.end());
        default
    }

    /// `true` or `false`.
    pub fn truth(&mut self, key: &'static str, default: bool) -> bool {
        match self.take(key) {
            None => default,
            Some((DeValue::Boolean(truth), _)) => *truth,
            Some((value, span)) => {
                self.wrong_type(key, span, "`true` or `false`", value, &default);
                default
            }
        }
    }

    /// A text, and where it stands; none if the key is left out or is no text.
    pub fn text(&mut self, key: &'static str, example: &str) -> Option<(&'a str, Span)> {
        match self.take(key)? {
            (DeValue::String(text), span) => Some((text.as_ref(), span)),
            (value, span) => {
                self.wrong_type(key, span, "a text in quotes", value, &format!("\"{example}\""));
                None
            }
        }
    }

    /// One of a few words; the first is the default.
    pub fn choice(&mut self, key: &'static str, words: &[&'static str]) -> &'static str {
        let Some((text, span)) = self.text(key, words[0]) else { return words[0] };
        match words.iter().find(|word| **word == text) {
            Some(word) => word,
            None => {
                self.error(unknown_word(key, text, span, words));
                words[0]
            }
        }
    }

    /// Notes that a key is asked for, and gives its value as it stands.
    pub fn take(&mut self, key: &'static str) -> Option<(&'a DeValue<'a>, Span)> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let (_, value) = self.table?.iter().find(|(name, _)| name.get_ref() == key)?;
        Some((value.get_ref(), span(value)))
    }

    /// Notes an error.
    pub fn error(&mut self, error: Diagnostic) {
        self.errors.push(error);
    }

    /// Notes that a value is of the wrong type. `example` is what could stand there.
    pub fn wrong_type(
        &mut self,
        key: &str,
        span: Span,
        wanted: &str,
        found: &DeValue,
        example: &dyn Display,
    ) {
        let title = format!("`{key}` is {wanted}");
        let label = format!("this is {}", kind(found));
        let help = format!("write `{key} = {example}`");
        self.error(Diagnostic::error("E703", title, span, label).help(help));
    }

    /// Notes every key that nobody asked for.
    pub fn finish(self) {
        for (key, _) in self.table.into_iter().flatten() {
            if !self.known.contains(&key.get_ref().as_ref()) {
                let place = if self.name.is_empty() { "a recipe" } else { self.name };
                self.errors.push(unknown_key(key, place, &self.known));
            }
        }
    }

    fn outside(&mut self, key: &str, span: Span, low: &dyn Display, high: &dyn Display) {
        let title = format!("`{key}` is from {low} to {high}");
        let help = format!("write a number from {low} to {high}");
        self.error(Diagnostic::error("E704", title, span, "this is outside").help(help));
    }
}

/// Where a value stands.
pub(super) fn span<T>(value: &Spanned<T>) -> Span {
    Span::new(value.span().start, value.span().end)
}

/// An integer or a decimal one; infinities and what is no number are none.
pub(super) fn number(value: &DeValue) -> Option<f64> {
    let number: f64 = match value {
        DeValue::Integer(it) => i64::from_str_radix(it.as_str(), it.radix()).ok()? as f64,
        DeValue::Float(it) => it.as_str().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// A text that is none of the words that a key takes.
pub(super) fn unknown_word(key: &str, text: &str, span: Span, words: &[&str]) -> Diagnostic {
    let title = format!("`{key}` cannot be `{text}`");
    let error = Diagnostic::error("E705", title, span, "no such word here");
    let all = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    match near_miss(text, words.iter().copied()) {
        Some(near) => error.help(format!("write \"{near}\"")).fix(span, format!("\"{near}\"")),
        None => error.help(format!("write one of {all}")),
    }
}

fn unknown_key(key: &Spanned<std::borrow::Cow<str>>, place: &str, known: &[&str]) -> Diagnostic {
    let (name, span) = (key.get_ref(), span(key));
    let title = format!("{place} has no `{name}`");
    let error = Diagnostic::error("E702", title, span, "unknown");
    match near_miss(name, known.iter().copied()) {
        Some(near) => error.help(format!("write `{near}`")).fix(span, near),
        None => error.help(format!("it has {}", known.join(", "))),
    }
}

fn kind(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
