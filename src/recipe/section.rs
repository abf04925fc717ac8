//! One table of a recipe, read key by key: what is missing has a default, what is wrong is noted.

use std::fmt::Display;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, near_miss};
use crate::source::Span;

/// A table, and the keys that were looked for in it.
pub(crate) struct Section<'a, 'f> {
    /// As it is written: `[train]`.
    name: &'static str,
    table: Option<&'a DeTable<'a>>,
    known: Vec<(&'static str, &'static [&'static str])>,
    found: Vec<(&'static str, Span)>,
    errors: &'f mut Vec<Diagnostic>,
}

/// A key that is written.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    /// As it is written, which may be another name of it.
    pub key: &'static str,
    /// Its value.
    pub value: &'a DeValue<'a>,
    /// Where the value is.
    pub span: Span,
}

impl<'a, 'f> Section<'a, 'f> {
    /// Reads a table; without one, every key has its default.
    pub fn new(
        name: &'static str,
        table: Option<&'a DeTable<'a>>,
        errors: &'f mut Vec<Diagnostic>,
    ) -> Section<'a, 'f> {
        Section { name, table, known: Vec::new(), found: Vec::new(), errors }
    }

    /// A key under its name or another one. Written twice, the first counts.
    pub fn find(
        &mut self,
        name: &'static str,
        aliases: &'static [&'static str],
    ) -> Option<Found<'a>> {
        self.known.push((name, aliases));
        let table = self.table?;
        let mut written = None;
        for key in std::iter::once(name).chain(aliases.iter().copied()) {
            let Some((at, value)) = table.iter().find(|(at, _)| at.get_ref() == key) else {
                continue;
            };
            let (value, place) = (value.get_ref(), span(value));
            match written {
                None => written = Some(Found { key, value, span: place }),
                Some(Found { key: other, .. }) => {
                    let title = format!("`{key}` is another name of `{other}`");
                    let error = Diagnostic::error("E708", title, span(at), "written twice");
                    self.error(error.help("leave one of them out"));
                }
            }
        }
        self.found.extend(written.map(|found| (name, found.span)));
        written
    }

    /// Where the value of a key is, if it is written.
    pub fn place(&self, name: &str) -> Option<Span> {
        self.found.iter().find(|(found, _)| *found == name).map(|(_, span)| *span)
    }

    /// An integer; none if it is none of the range.
    pub fn integer(
        &mut self,
        found: &Found,
        range: RangeInclusive<u64>,
        example: u64,
    ) -> Option<u64> {
        let wide = match found.value {
            DeValue::Integer(it) => i128::from_str_radix(it.as_str(), it.radix()).ok(),
            _ => {
                self.wrong_type(found, "an integer", &example);
                return None;
            }
        };
        let inside = wide.and_then(|wide| u64::try_from(wide).ok());
        let inside = inside.filter(|number| range.contains(number));
        if inside.is_none() {
            self.outside(found, range.start(), range.end());
        }
        inside
    }

    /// A number; none if it is none of the range.
    pub fn real(&mut self, found: &Found, range: RangeInclusive<f64>, example: f64) -> Option<f64> {
        let Some(number) = number(found.value) else {
            self.wrong_type(found, "a number", &example);
            return None;
        };
        let inside = range.contains(&number);
        if !inside {
            self.outside(found, range.start(), range.end());
        }
        inside.then_some(number)
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, found: &Found, default: bool) -> bool {
        match found.value {
            DeValue::Boolean(is) => *is,
            _ => {
                self.wrong_type(found, "`true` or `false`", &default);
                default
            }
        }
    }

    /// A text.
    pub fn text<'v>(&mut self, found: &Found<'v>, example: &str) -> Option<&'v str> {
        match found.value {
            DeValue::String(text) => Some(text.as_ref()),
            _ => {
                self.wrong_type(found, "a text in quotes", &format!("\"{example}\""));
                None
            }
        }
    }

    /// One of a few words.
    pub fn word(&mut self, found: &Found, words: &[&'static str]) -> Option<&'static str> {
        let text = self.text(found, words[0])?;
        let word = words.iter().find(|word| **word == text);
        if word.is_none() {
            self.error(unknown_word(found.key, text, found.span, words));
        }
        word.copied()
    }

    /// Notes an error.
    pub fn error(&mut self, error: Diagnostic) {
        self.errors.push(error);
    }

    /// Notes that a value is of the wrong type. `example` is what could be written there.
    pub fn wrong_type(&mut self, found: &Found, wanted: &str, example: &dyn Display) {
        self.wrong_type_of(found.key, found.span, wanted, (found.value, example));
    }

    /// The same of a value inside another.
    pub fn wrong_type_of(
        &mut self,
        key: &str,
        span: Span,
        wanted: &str,
        (value, example): (&DeValue, &dyn Display),
    ) {
        let title = format!("`{key}` is {wanted}");
        let label = format!("this is {}", kind(value));
        let help = format!("write `{key} = {example}`");
        self.error(Diagnostic::error("E703", title, span, label).help(help));
    }

    /// Notes every key that was not looked for.
    pub fn finish(self) {
        let known = || self.known.iter().flat_map(|(name, more)| more.iter().chain([name]));
        for (key, _) in self.table.into_iter().flatten() {
            if !known().any(|known| *known == key.get_ref().as_ref()) {
                let place = if self.name.is_empty() { "a recipe" } else { self.name };
                self.errors.push(unknown_key(key, place, &self.known));
            }
        }
    }

    fn outside(&mut self, found: &Found, low: &dyn Display, high: &dyn Display) {
        let title = format!("`{}` is from {low} to {high}", found.key);
        let help = format!("write a number from {low} to {high}");
        self.error(Diagnostic::error("E704", title, found.span, "this is outside").help(help));
    }
}

/// Where a value is.
pub(crate) fn span<T>(value: &Spanned<T>) -> Span {
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

/// The shortest decimal that is the same number, with a point or an exponent, as TOML wants it.
pub(super) fn real(number: f64) -> String {
    format!("{number:?}")
}

/// A text that is none of the words that a key takes.
pub fn unknown_word(key: &str, text: &str, span: Span, words: &[&str]) -> Diagnostic {
    let title = format!("`{key}` cannot be `{text}`");
    let error = Diagnostic::error("E705", title, span, "no such word here");
    let all = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    match near_miss(text, words.iter().copied()) {
        Some(near) => error.help(format!("write \"{near}\"")).fix(span, format!("\"{near}\"")),
        None => error.help(format!("write one of {all}")),
    }
}

fn unknown_key(
    key: &Spanned<std::borrow::Cow<str>>,
    place: &str,
    known: &[(&'static str, &'static [&'static str])],
) -> Diagnostic {
    let (written, span) = (key.get_ref(), span(key));
    let title = format!("{place} has no `{written}`");
    let error = Diagnostic::error("E702", title, span, "unknown");
    let names = || known.iter().map(|(name, _)| *name);
    // A slip in another name of a key is one of the key.
    let other = |near: &str| known.iter().find(|(_, more)| more.contains(&near)).map(|one| one.0);
    let near = near_miss(written, names()).or_else(|| {
        let aliases = known.iter().flat_map(|(_, more)| more.iter().copied());
        near_miss(written, aliases).and_then(other)
    });
    match near {
        Some(near) => error.help(format!("write `{near}`")).fix(span, near),
        None => error.help(format!("it has {}", names().collect::<Vec<_>>().join(", "))),
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
