//! Usual spellings of values beside the template's own: what a person would take for the same.

use std::collections::HashMap;
use std::iter::zip;

use crate::check::types::Type;
use crate::data::vocab::Vocabulary;
use crate::ir::{Digits, Piece, Program};

/// What may stand between the elements of a list.
const SEPARATORS: [char; 2] = [',', ';'];

/// How the values of a program may be spelled.
#[derive(Clone, Debug)]
pub struct Spelling {
    /// Symbols of words and of texts in lower case; none where two of them differ in case alone.
    words: HashMap<String, u32>,
    texts: HashMap<String, u32>,
    /// The separators that no text between values has.
    separators: Vec<char>,
}

impl Spelling {
    /// For the replies of a program.
    pub fn new(program: &Program, vocabulary: &Vocabulary) -> Spelling {
        let reply = &program.layout.reply;
        let is_own = |separator: &char| {
            reply.iter().any(|piece| match piece {
                Piece::Literal(text) => text.contains(*separator),
                Piece::Rows(_) => piece.literals().any(|text| text.contains(*separator)),
                Piece::Value(..) => false,
            })
        };
        Spelling {
            words: in_lower_case(vocabulary.words()),
            texts: in_lower_case(program.texts.iter().map(String::as_str)),
            separators: SEPARATORS.into_iter().filter(|it| !is_own(it)).collect(),
        }
    }

    /// The symbol of a word in another case.
    pub fn word(&self, text: &str) -> Option<u32> {
        self.words.get(&text.to_lowercase()).copied()
    }

    /// The symbol of a text in another case.
    pub fn text(&self, text: &str) -> Option<u32> {
        self.texts.get(&text.to_lowercase()).copied()
    }

    /// An integer that stands alone: with commas between thousands too, where no comma is anything
    /// else.
    pub fn number(&self, text: &str) -> Option<i64> {
        let has_commas = text.contains(',') && self.separators.contains(&',');
        integer(text).or_else(|| has_commas.then(|| integer(&without_commas(text)?)).flatten())
    }

    /// A number with a point: with a plus, a long minus, or commas between thousands too.
    pub fn digits(&self, digits: Digits, text: &str) -> Option<i64> {
        let text = text.replace('−', "-");
        let plain = text.strip_prefix('+').unwrap_or(&text);
        let has_commas = plain.contains(',') && self.separators.contains(&',');
        let plain = if has_commas { without_commas(plain)? } else { plain.to_string() };
        digits.read(&plain)
    }

    /// The elements of a list that has one of the separators, where no element can have it.
    pub fn elements<'t>(&self, element: &Type, text: &'t str) -> Option<Vec<&'t str>> {
        let mut here = self.separators.iter().filter(|&&separator| text.contains(separator));
        match (element, here.next(), here.next()) {
            (Type::Int | Type::Token, Some(&separator), None) => {
                Some(text.split(separator).map(str::trim).collect())
            }
            _ => None,
        }
    }

    /// Whether what a list has between its elements is white space, or one of the separators.
    pub fn is_usual(between: &str) -> bool {
        let between = between.trim();
        between.is_empty() || SEPARATORS.iter().any(|it| between.chars().eq([*it]))
    }
}

/// `5`, `+5`, `−5` or `5.0`.
pub fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix(['-', '−']) {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_whole = !rest.is_empty() && rest.bytes().all(|byte| byte == b'0');
    let is_decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_whole && is_decimal).then(|| format!("{sign}{digits}").parse().ok()).flatten()
}

/// `1,234,567` as `1234567`.
fn without_commas(text: &str) -> Option<String> {
    let whole = text.split('.').next().unwrap_or_default();
    let mut groups = whole.trim_start_matches(['-', '−', '+']).split(',');
    let first = groups.next().unwrap_or_default();
    let is_grouped = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    is_grouped.then(|| text.replace(',', ""))
}

fn in_lower_case<'a>(all: impl Iterator<Item = &'a str>) -> HashMap<String, u32> {
    let mut symbols = HashMap::new();
    for (text, symbol) in zip(all, 0..) {
        if symbols.insert(text.to_lowercase(), symbol).is_some() {
            return HashMap::new();
        }
    }
    symbols
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_has_the_usual_spellings() {
        for (text, number) in [("5", 5), ("+5", 5), ("-5", -5), ("−5", -5), ("5.00", 5), ("007", 7)]
        {
            assert_eq!(integer(text), Some(number), "{text}");
        }
        for text in
            ["", "-", "5.", "5.5", ".0", "1e3", "--5", "+-5", "0x5", "5 ", "99999999999999999999"]
        {
            assert_eq!(integer(text), None, "{text}");
        }
        assert_eq!(without_commas("-1,234,567.0").as_deref(), Some("-1234567.0"));
        for text in ["1,23", ",123", "1234,567", "1,2345", "1,,234"] {
            assert_eq!(without_commas(text), None, "{text}");
        }
    }
}
