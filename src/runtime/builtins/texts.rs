//! Texts taken apart and put together.

use std::fmt::Write;

use super::build::copied;
use crate::runtime::bound::{Blanks, Bound, TextBound, list};
use crate::runtime::digits::Digits;
use crate::runtime::shape::{Scalar, Shape};
use crate::runtime::signs::Signs;
use crate::runtime::texts::Texts;
use crate::runtime::{FaultKind, Memory};

/// What texts lie in lists as.
const SYMBOL: Shape = Shape { scalar: Scalar::Symbol, depth: 0 };

/// Those of the longest decimal form of a number of 64 bits with a point.
const REAL_MAX: i64 = 330;

pub(super) fn letters(memory: &mut Memory, text: i64) -> Result<i64, FaultKind> {
    let count = memory.texts.get(text as u32).chars().count();
    let made = memory.arena.new_list(count as u64, SYMBOL)?;
    let mut at = 0;
    for index in 0..count {
        let letter = memory.texts.get(text as u32)[at..].chars().next().unwrap_or_default();
        at += letter.len_utf8();
        let symbol = memory.texts.symbol(letter.encode_utf8(&mut [0; 4]))?;
        memory.arena.narrow_mut(made)[index] = symbol;
    }
    Ok(made)
}

pub(super) fn number(memory: &Memory, text: i64) -> Result<i64, FaultKind> {
    let text = memory.texts.get(text as u32);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_decimal).ok_or(FaultKind::NoNumber)
}

pub(super) fn join(memory: &mut Memory, between: i64, xs: i64) -> Result<i64, FaultKind> {
    let Memory { arena, texts, .. } = memory;
    let lists = arena.lists();
    make(texts, |texts, out| {
        for (at, &part) in lists.narrow(xs).iter().enumerate() {
            if at > 0 {
                out.push_str(texts.get(between as u32));
            }
            out.push_str(texts.get(part));
        }
    })
}

pub(super) fn shown(memory: &mut Memory, number: i64) -> Result<i64, FaultKind> {
    make(&mut memory.texts, |_, out| _ = write!(out, "{number}"))
}

pub(super) fn shown_digits(
    memory: &mut Memory,
    number: i64,
    digits: Digits,
) -> Result<i64, FaultKind> {
    make(&mut memory.texts, |_, out| digits.write(number, out))
}

/// How many digits two operands ask for.
pub(super) fn digits(whole: i64, point: i64) -> Digits {
    let few = |count: i64| count.clamp(0, Digits::MAX) as u8;
    Digits { whole: few(whole), point: few(point) }
}

pub(super) fn shown_real(memory: &mut Memory, number: i64) -> Result<i64, FaultKind> {
    // As a layout shows it.
    make(&mut memory.texts, |_, out| _ = write!(out, "{:?}", f64::from_bits(number as u64)))
}

pub(super) fn shown_token(memory: &mut Memory, token: i64) -> Result<i64, FaultKind> {
    make(&mut memory.texts, |texts, out| out.push_str(texts.word(token as u32)))
}

pub(super) fn sort(memory: &mut Memory, xs: i64) -> Result<i64, FaultKind> {
    let Memory { arena, texts, .. } = memory;
    let sorted = copied(arena, xs, SYMBOL)?;
    // Texts that are equal are one.
    arena.narrow_mut(sorted).sort_unstable_by(|&a, &b| texts.get(a).cmp(texts.get(b)));
    Ok(sorted)
}

fn make(texts: &mut Texts, write: impl FnOnce(&Texts, &mut String)) -> Result<i64, FaultKind> {
    texts.make(write).map(i64::from)
}

/// A text of `low` to `bytes` bytes of these characters, none of which is white space.
pub(crate) fn of_signs(low: i64, bytes: i64, signs: Signs) -> Bound {
    let (blank_ends, blanks) = ([false; 2], Blanks::None);
    let high = bytes;
    Bound::Text(TextBound { literals: None, low, high, bytes, signs, blank_ends, blanks })
}

pub(super) fn shown_int_of(number: &Bound) -> Bound {
    let (low, high) = number.interval();
    let digits = |number: i64| number.to_string().len() as i64;
    // The nearest to zero is the shortest.
    let shortest = digits(0.clamp(low, high));
    let signs = Signs::of(if low < 0 { "-0123456789" } else { "0123456789" });
    of_signs(shortest, digits(low).max(digits(high)), signs)
}

pub(super) fn shown_digits_of(number: &Bound, whole: &Bound, point: &Bound) -> Bound {
    let known = |count: &Bound| count.known().unwrap_or(Digits::MAX);
    let (digits, (low, high)) = (digits(known(whole), known(point)), number.interval());
    let signs = Signs::of(if digits.point > 0 { "-.0123456789" } else { "-0123456789" });
    let (shortest, longest) = (digits.shortest(low, high), digits.longest(low, high));
    of_signs(shortest as i64, longest as i64, signs)
}

pub(super) fn letters_of(text: &Bound) -> Bound {
    let TextBound { low, high, signs, blanks, .. } = text.text();
    let blank_ends = [blanks > Blanks::None; 2];
    let (literals, bytes) = (None, signs.bytes());
    let letter = TextBound { literals, low: 1, high: 1, bytes, signs, blank_ends, blanks };
    list(low, high, Bound::Text(letter))
}

pub(super) fn join_of(between: &Bound, xs: &Bound) -> Bound {
    let (part, between, (fewest, most)) = (xs.element().text(), between.text(), xs.sizes());
    let all = |count: i64, part: i64, between: i64| {
        let between = (count - 1).max(0).saturating_mul(between);
        count.saturating_mul(part).saturating_add(between)
    };
    Bound::Text(TextBound {
        literals: None,
        low: all(fewest, part.low, between.low),
        high: all(most, part.high, between.high),
        bytes: all(most, part.bytes, between.bytes),
        signs: if most > 1 { part.signs.and(between.signs) } else { part.signs },
        // Between empty parts, what is between them may be at the ends.
        blank_ends: part
            .blank_ends
            .map(|is| is || part.low == 0 && most > 1 && between.blanks > Blanks::None),
        blanks: if most > 1 { part.blanks.max(between.blanks) } else { part.blanks },
    })
}

/// Of texts one after the other.
pub(crate) fn concat_of(parts: &[TextBound]) -> TextBound {
    // A part that may be empty leaves the one beside it at the end.
    fn is_blank<'a>(mut parts: impl Iterator<Item = &'a TextBound>, end: usize) -> bool {
        let mut is_open = true;
        parts.any(|part| {
            let is_blank = is_open && part.blank_ends[end];
            is_open &= part.low == 0;
            is_blank
        })
    }
    let sum = |of: fn(&TextBound) -> i64| parts.iter().map(of).fold(0, i64::saturating_add);
    TextBound {
        literals: None,
        low: sum(|part| part.low),
        high: sum(|part| part.high),
        bytes: sum(|part| part.bytes),
        signs: parts.iter().fold(Signs::NONE, |signs, part| signs.and(part.signs)),
        blank_ends: [is_blank(parts.iter(), 0), is_blank(parts.iter().rev(), 1)],
        blanks: parts.iter().map(|part| part.blanks).max().unwrap_or(Blanks::None),
    }
}

pub(super) fn shown_real_of() -> Bound {
    of_signs(1, REAL_MAX, Signs::of("-.0123456789einfNa"))
}
