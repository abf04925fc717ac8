//! A row of the table of keys, and how its value is read from TOML and written to it.

use super::section::{Found, Section, real};

/// What a difference in a key means for a run that is resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It decides bits of what is learned: it must be as it was.
    Decides,
    /// It decides how a run is evaluated or where it computes: it may change, and is reported.
    Noted,
    /// It decides nothing, or what it names is compared itself.
    Free,
}

/// One key of a table that is read into a `T`.
pub(super) struct Key<T: 'static> {
    /// As it is written and documented.
    pub name: &'static str,
    /// Other names that are read: those of other trainers, and those of older recipes.
    pub aliases: &'static [&'static str],
    /// What its value may be, and where it goes.
    pub kind: Kind<T>,
    /// What it means for a run that is resumed.
    pub role: Role,
    /// What it does, in a sentence of Markdown.
    pub about: &'static str,
    /// What the documentation shows in place of the default.
    pub default: Option<&'static str>,
}

/// What a value may be, and the place in a `T` that it goes to.
pub(super) enum Kind<T> {
    /// An integer in a range.
    Integer(u64, u64, fn(&mut T) -> &mut u64),
    /// A count in a range.
    Size(u64, u64, fn(&mut T) -> &mut usize),
    /// The same, or none where it is left out.
    MaybeSize(u64, u64, fn(&mut T) -> &mut Option<usize>),
    /// A number in a range.
    Real(f64, f64, fn(&mut T) -> &mut f64),
    /// The same, or none where it is left out.
    MaybeReal(f64, f64, fn(&mut T) -> &mut Option<f64>),
    /// `true` or `false`.
    Bool(fn(&mut T) -> &mut bool),
    /// A text that is not written if it is empty; the first is an example.
    Text(&'static str, fn(&mut T) -> &mut String),
    /// One of some words.
    Word(&'static [&'static str], fn(&T) -> &str, fn(&mut T, &'static str)),
    /// Anything else.
    Other(Other<T>),
}

/// A value with a form that no other key has.
pub(super) struct Other<T> {
    /// What it is, in a few words.
    pub form: &'static str,
    /// Reads it; what is wrong is noted.
    pub read: fn(&mut T, &Found, &mut Section),
    /// As TOML; none if it is not written.
    pub write: fn(&T) -> Option<String>,
}

impl<T> Key<T> {
    /// A row.
    pub const fn new(
        name: &'static str,
        aliases: &'static [&'static str],
        kind: Kind<T>,
        role: Role,
        about: &'static str,
    ) -> Key<T> {
        Key { name, aliases, kind, role, about, default: None }
    }

    /// The same with what the documentation shows in place of the default.
    pub const fn by_default(mut self, default: &'static str) -> Key<T> {
        self.default = Some(default);
        self
    }

    /// Whether a written key is this one.
    pub fn is(&self, written: &str) -> bool {
        self.name == written || self.aliases.contains(&written)
    }

    /// Reads it into its place, if it is written.
    pub fn read(&self, into: &mut T, section: &mut Section) {
        let Some(found) = section.find(self.name, self.aliases) else { return };
        match &self.kind {
            Kind::Integer(low, high, place) => {
                let place = place(into);
                *place = section.integer(&found, *low..=*high, *place).unwrap_or(*place);
            }
            Kind::Size(low, high, place) => {
                let place = place(into);
                let number = section.integer(&found, *low..=*high, *place as u64);
                *place = number.map_or(*place, |number| number as usize);
            }
            Kind::MaybeSize(low, high, place) => {
                let number = section.integer(&found, *low..=*high, 1024);
                *place(into) = number.map(|number| number as usize);
            }
            Kind::Real(low, high, place) => {
                let place = place(into);
                *place = section.real(&found, *low..=*high, *place).unwrap_or(*place);
            }
            Kind::MaybeReal(low, high, place) => {
                *place(into) = section.real(&found, *low..=*high, *high);
            }
            Kind::Bool(place) => {
                let place = place(into);
                *place = section.boolean(&found, *place);
            }
            Kind::Text(example, place) => {
                let text = section.text(&found, example);
                *place(into) = text.unwrap_or_default().to_string();
            }
            Kind::Word(words, _, set) => {
                if let Some(word) = section.word(&found, words) {
                    set(into, word);
                }
            }
            Kind::Other(other) => (other.read)(into, &found, section),
        }
    }

    /// Its value as TOML; none if it is not written.
    pub fn value(&self, of: &T) -> Option<String>
    where
        T: Clone,
    {
        // A place is found in what may be changed; a recipe is small.
        let copy = &mut of.clone();
        match &self.kind {
            Kind::Integer(_, _, place) => Some(place(copy).to_string()),
            Kind::Size(_, _, place) => Some(place(copy).to_string()),
            Kind::MaybeSize(_, _, place) => place(copy).map(|number| number.to_string()),
            Kind::Real(_, _, place) => Some(real(*place(copy))),
            Kind::MaybeReal(_, _, place) => place(copy).map(real),
            Kind::Bool(place) => Some(place(copy).to_string()),
            Kind::Text(_, place) => {
                Some(&*place(copy)).filter(|it| !it.is_empty()).map(|it| quoted(it))
            }
            Kind::Word(_, get, _) => Some(quoted(get(of))),
            Kind::Other(other) => (other.write)(of),
        }
    }
}

impl<T> Kind<T> {
    /// What a value may be, in a few words.
    pub fn form(&self) -> String {
        match self {
            Kind::Integer(low, high, _) | Kind::Size(low, high, _) => integers(*low, *high),
            Kind::MaybeSize(low, high, _) => integers(*low, *high),
            Kind::Real(low, high, _) | Kind::MaybeReal(low, high, _) => {
                format!("a number from {} to {}", short(*low), short(*high))
            }
            Kind::Bool(_) => "`true` or `false`".to_string(),
            Kind::Text(..) => "a text".to_string(),
            Kind::Word(words, ..) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                words.join(", ")
            }
            Kind::Other(other) => other.form.to_string(),
        }
    }
}

fn integers(low: u64, high: u64) -> String {
    match high > 1 << 40 {
        true => format!("an integer from {low}"),
        false => format!("an integer from {low} to {high}"),
    }
}

/// A number with an exponent if it is very small or very large.
fn short(number: f64) -> String {
    match number != 0.0 && number < 1e-4 || number > 1e6 {
        true => format!("{number:e}"),
        false => number.to_string(),
    }
}

/// A text as TOML.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_string()).to_string()
}
