//! How long a text can get, from what is known of its values: one walk over a layout, which counts
//! words or token ids.

use crate::check::types::Type;
use crate::ir::{Bound, Cell, Form, Piece, PoolId, Program, Rows};
use crate::runtime::bound::{Blanks, TextBound};

/// What is counted.
pub trait Measure {
    /// The most units of a text, wherever it is.
    fn text(&self, text: &str) -> u64;

    /// Those of a text that is made.
    fn made(&self, text: &TextBound) -> u64;

    /// Those of an integer in this range.
    fn int(&self, low: i64, high: i64) -> u64;

    /// Those of a number of this length.
    fn digits(&self, characters: u64) -> u64;

    /// Those of a word of this pool.
    fn token(&self, pool: PoolId) -> u64;

    /// Those of a list of `count` elements, each of which has at most `each` units by itself.
    fn list(&self, count: u64, each: u64, element: &Bound) -> u64;

    /// Those of a value of which nothing is known; none if that is unknown too.
    fn unknown(&self) -> Option<u64>;
}

/// The most units of some pieces of a layout; none if a value has no known bound.
pub fn longest(program: &Program, pieces: &[Piece], measure: &impl Measure) -> Option<u64> {
    let walk = Walk { program, measure };
    let mut units = pieces.iter().map(|piece| match piece {
        Piece::Literal(text) => Some(measure.text(text)),
        Piece::Value(slot, form) => {
            let slot = &program.slots[*slot as usize];
            walk.value(&slot.bound, &slot.kind, form)
        }
        Piece::Rows(rows) => walk.rows(rows),
    });
    units.try_fold(0, |sum: u64, units| Some(sum.saturating_add(units?)))
}

struct Walk<'a, M> {
    program: &'a Program,
    measure: &'a M,
}

impl<M: Measure> Walk<'_, M> {
    fn value(&self, bound: &Bound, kind: &Type, form: &Form) -> Option<u64> {
        match form {
            Form::Plain => self.bound(bound, kind),
            Form::Digits(digits) => {
                let (low, high) = bound.interval();
                Some(self.measure.digits(digits.longest(low, high) as u64))
            }
            Form::Joined(between) => {
                let beside = most(bound).saturating_mul(self.measure.text(between));
                Some(self.bound(bound, kind)?.saturating_add(beside))
            }
        }
    }

    fn rows(&self, rows: &Rows) -> Option<u64> {
        let slots = &self.program.slots;
        let count = most(&slots[rows.last()? as usize].bound);
        let mut row = self.measure.text(&rows.between);
        for cell in &rows.cells {
            row = row.saturating_add(match cell {
                Cell::Literal(text) => self.measure.text(text),
                Cell::Number => self.measure.int(1, i64::try_from(count).unwrap_or(i64::MAX)),
                Cell::Column(slot, form) => {
                    let slot = &slots[*slot as usize];
                    match (&slot.bound, slot.kind.element()) {
                        (Bound::List { element, .. }, Some(kind)) => {
                            self.value(element, kind, form)?
                        }
                        _ => self.measure.unknown()?,
                    }
                }
            });
        }
        let nothing = rows.nothing.as_deref().map_or(0, |text| self.measure.text(text));
        Some(count.saturating_mul(row).max(nothing))
    }

    fn bound(&self, bound: &Bound, kind: &Type) -> Option<u64> {
        Some(match bound {
            Bound::Int { .. } if *kind == Type::Bool => {
                self.measure.text("true").max(self.measure.text("false"))
            }
            Bound::Int { low, high } => self.measure.int(*low, *high),
            Bound::Token(pool) => self.measure.token(*pool),
            Bound::Text(made) => match &made.literals {
                Some(symbols) => {
                    let text =
                        |symbol: &u32| self.measure.text(&self.program.texts[*symbol as usize]);
                    symbols.iter().map(text).max().unwrap_or(1)
                }
                None => self.measure.made(made),
            },
            Bound::List { high, element, .. } => {
                let kind = kind.element().unwrap_or(&Type::Unknown);
                let count = u64::try_from(*high).unwrap_or(0);
                self.measure.list(count, self.bound(element, kind)?, element)
            }
            Bound::Any => return self.measure.unknown(),
        })
    }
}

/// The most elements of a list; one value otherwise.
fn most(bound: &Bound) -> u64 {
    match bound {
        Bound::List { high, .. } => u64::try_from(*high).unwrap_or(0),
        _ => 1,
    }
}

/// The most words, by white space, that a reply can have.
pub fn reply_words(program: &Program) -> u64 {
    let words = Words { all: program.bounds.words };
    longest(program, &program.layout.reply, &words).unwrap_or(words.all)
}

struct Words {
    /// Of all texts together: no value has more.
    all: u64,
}

impl Measure for Words {
    fn text(&self, text: &str) -> u64 {
        text.split_whitespace().count() as u64
    }

    fn made(&self, text: &TextBound) -> u64 {
        match text.blanks {
            Blanks::None => 1,
            Blanks::Inline | Blanks::Any => text.high.unsigned_abs().div_ceil(2),
        }
    }

    fn int(&self, _: i64, _: i64) -> u64 {
        1
    }

    fn digits(&self, _: u64) -> u64 {
        1
    }

    fn token(&self, _: PoolId) -> u64 {
        1
    }

    fn list(&self, count: u64, each: u64, _: &Bound) -> u64 {
        count.saturating_mul(each.max(1))
    }

    fn unknown(&self) -> Option<u64> {
        Some(self.all)
    }
}
