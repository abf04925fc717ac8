//! One value that is no list.

use super::spelling::integer;
use super::{Fresh, Problem, Reader, trimmed};
use crate::check::types::Type;
use crate::ir::Digits;
use crate::runtime::Memory;
use crate::source::is_word_character;

impl Reader {
    /// The cell of a value.
    pub(super) fn scalar(
        &self,
        kind: &Type,
        text: &str,
        fresh: &mut Fresh,
        memory: &mut Memory,
    ) -> Result<i64, Problem> {
        let text = trimmed(text);
        let wanted = |wanted: &'static str| Problem::Found(wanted, text.to_string());
        match kind {
            Type::Token => self.token(text, fresh),
            Type::Text => self.text(text, memory),
            Type::Int => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                let decimal = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                let number = text.parse().ok().filter(|_| decimal);
                let spelled = || self.spelling.as_ref().and_then(|_| integer(text));
                number.or_else(spelled).ok_or_else(|| wanted("an integer"))
            }
            Type::Real => {
                let number = text.parse().ok().filter(|number: &f64| number.is_finite());
                number.map(|number| number.to_bits() as i64).ok_or_else(|| wanted("a number"))
            }
            Type::Bool => match text {
                "true" => Ok(1),
                "false" => Ok(0),
                _ if self.spelling.is_some() && text.eq_ignore_ascii_case("true") => Ok(1),
                _ if self.spelling.is_some() && text.eq_ignore_ascii_case("false") => Ok(0),
                _ => Err(wanted("`true` or `false`")),
            },
            Type::List(_) | Type::Any(_) | Type::Shown | Type::Unknown => {
                Err(wanted("a value of a known type"))
            }
        }
    }

    /// An integer shown with these digits.
    pub(super) fn digits(&self, digits: Digits, text: &str) -> Result<i64, Problem> {
        let text = trimmed(text);
        let spelled = || self.spelling.as_ref().and_then(|it| it.digits(digits, text));
        digits.read(text).or_else(spelled).ok_or_else(|| {
            let wanted = if digits.point > 0 { "a decimal number" } else { "an integer" };
            Problem::Found(wanted, text.to_string())
        })
    }

    /// The symbol of a word, which no white space is around.
    pub(super) fn token(&self, text: &str, fresh: &mut Fresh) -> Result<i64, Problem> {
        if let Some(natural) = &self.natural {
            return self.one_word(natural, text, fresh);
        }
        // No word of the vocabulary is empty or has white space in it.
        if let Some(known) = self.vocabulary.symbol(text) {
            return Ok(known.into());
        }
        if text.is_empty() || text.contains(char::is_whitespace) {
            return Err(Problem::Found("one word", text.to_string()));
        }
        if let Some(known) = self.spelling.as_ref().and_then(|it| it.word(text)) {
            return Ok(known.into());
        }
        if !text.chars().all(is_word_character) {
            return Err(Problem::NotAWord(text.to_string()));
        }
        Ok(fresh.token(text, self.vocabulary.len()).into())
    }

    /// The symbol of a text.
    fn text(&self, text: &str, memory: &mut Memory) -> Result<i64, Problem> {
        if let Some(natural) = &self.natural {
            return self.label(natural, text, memory);
        }
        let known = self.texts.get(text.as_bytes());
        match known.or_else(|| self.spelling.as_ref()?.text(text)) {
            Some(known) => Ok(known.into()),
            None => Ok(memory.push_text(text)?.into()),
        }
    }
}
