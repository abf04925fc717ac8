//! The builtin functions of the language: one row each drives checker, lowering and both engines.

mod bounds;
mod build;
mod find;
mod numbers;
mod set;
mod texts;

use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::runtime::bound::{Bound, between, list, truth};
use crate::runtime::shape::{Kinds, Shape, element_of};
use crate::runtime::types::Type;
use crate::runtime::{FaultKind, Memory};

pub(crate) use build::{copied, part};
pub(crate) use find::first;
pub(crate) use set::remaining;
pub(crate) use texts::{concat_of, of_signs};

/// The functions of the runtime. Indices start at 0. Where an order of results is not stated, it is
/// that of first occurrence. Lists compare deeply.
///
/// A new builtin is a signature with an example in `stdlib/builtin.cook`, a function in one of the
/// files beside this one, and a variant with its row here: without the row this does not compile.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Builtin {
    /// `(xs, ys)`: are two lists equal, in depth?
    Same,
    /// `(x, xs)`: is an element equal to `x`?
    Contains,
    /// `(xs, ys)`: is `xs` a contiguous sublist of `ys`? The empty list is one of every list.
    Within,
    /// `(xs, ys)`: `xs + ys`.
    Append,
    /// `(low, high)`: the list of `Int` from `low` to `high`, both in; empty if `low > high`.
    Range,
    /// `(n, xs)`: the first `n` elements; errors if `n < 0` or `n > size(xs)`.
    Take,
    /// `(n, xs)`: all but the first `n`; errors likewise.
    Drop,
    /// `(n, xs)`: slices of `n` elements, the last one shorter if need be; errors if `n < 1`.
    Chunks,
    /// `(xs, ys)`: the elements of `ys` that are not in `xs`.
    Without,
    /// `(xs)`: last first.
    Reverse,
    /// `(xs)`: in ascending order of the cells (`Real` by value); not for lists of lists.
    Sort,
    /// `(xs)`: each element once.
    Unique,
    /// `(xs, ys)`: `unique(xs + ys)`.
    Union,
    /// `(xs, ys)`: the elements of `unique(xs)` that are in `ys`.
    Intersect,
    /// `(old, new, xs)`: `xs` with `new` for each `old`.
    Replace,
    /// `(x, xs)`: the index of the first element equal to `x`; errors if there is none.
    Position,
    /// `(margin, xs, ys)`: the first slice of `ys` that equals `xs`, with up to `margin`
    /// elements before and after it; errors if there is none or `margin < 0`.
    Around,
    /// `(xs, ys)`: what follows that slice; errors if there is none.
    After,
    /// `(xs, ys)`: what precedes that slice; errors if there is none.
    Before,
    /// `(xss)`: the elements of the lists, one list after the other.
    Concat,
    /// `(xs)`: the sum of numbers, 0 for none; an `Int` sum errors on overflow.
    Sum,
    /// `(xs)`: the greatest number; errors for none.
    Max,
    /// `(xs)`: the least number; errors for none.
    Min,
    /// `(text)`: its characters, a text each.
    Letters,
    /// `(text)`: the integer that it is in decimal; errors if it is none.
    Number,
    /// `(between, xs)`: the texts with `between` between them, as one.
    Joined,
    /// `(x)`: an integer in decimal.
    ShownInt,
    /// `(x, whole, point)`: an integer with at least `whole` digits before the point, and `point`
    /// behind it.
    ShownDigits,
    /// `(x)`: a floating-point number in decimal.
    ShownReal,
    /// `(x)`: the text of a token.
    ShownToken,
    /// `(xs)`: texts in the order of their characters.
    SortTexts,
}

/// What the compiler and both engines know of a builtin. Its name is the variant in snake case.
pub(crate) struct Row {
    builtin: Builtin,
    /// What the checker asks of its first operand's elements beyond the signature.
    pub(crate) takes: Takes,
    /// The type of the elements that it works on, of what its operands and its result are.
    pub(crate) elements: fn(&Kinds) -> Type,
    /// What is known of its result from its operands, and whether it cannot fail.
    pub(crate) bound: fn(&[&Bound]) -> (Bound, bool),
    /// Its meaning.
    run: fn(&mut Memory, Shape, [i64; 3]) -> Result<i64, FaultKind>,
}

/// Which lists a builtin takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Those that its signature allows.
    Any,
    /// Lists of numbers.
    Numbers,
    /// Lists whose elements have an order: numbers, tokens, texts and booleans.
    Ordered,
}

impl Builtin {
    /// Its row in the table.
    pub(crate) fn row(self) -> &'static Row {
        &ROWS[ROW_OF[self as usize]]
    }

    /// Does it make texts?
    pub(crate) fn makes_texts(self) -> bool {
        use Builtin::{Joined, Letters, ShownDigits, ShownInt, ShownReal, ShownToken};
        matches!(self, Letters | Joined | ShownDigits | ShownInt | ShownReal | ShownToken)
    }

    /// Does it look into texts, or make some?
    pub(crate) fn needs_texts(self) -> bool {
        self.makes_texts() || matches!(self, Builtin::Number | Builtin::SortTexts)
    }

    /// Runs it on operands whose elements have this shape; those that it does not take are ignored.
    pub(crate) fn run(
        self,
        memory: &mut Memory,
        shape: Shape,
        operands: [i64; 3],
    ) -> Result<i64, FaultKind> {
        (self.row().run)(memory, shape, operands)
    }
}

row_of!(ROWS, builtin: Builtin);

const ROWS: &[Row] = &[
    Row {
        builtin: Builtin::Same,
        takes: Takes::Any,
        elements: |kinds| kinds.element(0).or(kinds.element(1)),
        bound: |_| (truth(), true),
        run: |memory, shape, [xs, ys, _]| Ok(find::same(memory.lists(), xs, ys, shape) as i64),
    },
    Row {
        builtin: Builtin::Contains,
        takes: Takes::Any,
        elements: |kinds| kinds.element(1).or(kinds.operand(0)),
        bound: |_| (truth(), true),
        run: |memory, shape, [x, xs, _]| {
            Ok(find::first(memory.lists(), x, xs, shape).is_some() as i64)
        },
    },
    Row {
        builtin: Builtin::Within,
        takes: Takes::Any,
        elements: |kinds| kinds.element(0).or(kinds.element(1)),
        bound: |_| (truth(), true),
        run: |memory, shape, [xs, ys, _]| {
            Ok(find::run(memory.lists(), xs, ys, shape).is_some() as i64)
        },
    },
    Row {
        builtin: Builtin::Append,
        takes: Takes::Any,
        elements: |kinds| kinds.result_element().or(kinds.element(0).or(kinds.element(1))),
        bound: |of| (bounds::both(of[0], of[1]), true),
        run: |memory, shape, [xs, ys, _]| build::append(&mut memory.arena, xs, ys, shape),
    },
    Row {
        builtin: Builtin::Range,
        takes: Takes::Any,
        elements: |kinds| kinds.result_element().or(kinds.element(0)),
        bound: |_| (Bound::Any, false),
        run: |memory, _, [low, high, _]| build::range(&mut memory.arena, low, high),
    },
    Row {
        builtin: Builtin::Take,
        takes: Takes::Any,
        elements: |kinds| kinds.element(1),
        bound: |of| bounds::take(of[0], of[1]),
        run: |_, shape, [n, xs, _]| build::take(n, xs, shape),
    },
    Row {
        builtin: Builtin::Drop,
        takes: Takes::Any,
        elements: |kinds| kinds.element(1),
        bound: |of| bounds::drop(of[0], of[1]),
        run: |_, shape, [n, xs, _]| build::drop(n, xs, shape),
    },
    Row {
        builtin: Builtin::Chunks,
        takes: Takes::Any,
        elements: |kinds| kinds.element(1),
        bound: |of| bounds::chunks(of[0], of[1]),
        run: |memory, shape, [n, xs, _]| build::chunks(&mut memory.arena, n, xs, shape),
    },
    Row {
        builtin: Builtin::Without,
        takes: Takes::Any,
        elements: |kinds| kinds.result_element().or(kinds.element(0).or(kinds.element(1))),
        bound: |of| (of[1].resized(0, of[1].sizes().1), true),
        run: |memory, shape, [gone, xs, _]| set::without(memory, gone, xs, shape),
    },
    Row {
        builtin: Builtin::Reverse,
        takes: Takes::Any,
        elements: |kinds| kinds.result_element().or(kinds.element(0)),
        bound: |of| (of[0].clone(), true),
        run: |memory, shape, [xs, ..]| build::reverse(&mut memory.arena, xs, shape),
    },
    Row {
        builtin: Builtin::Sort,
        takes: Takes::Ordered,
        elements: |kinds| kinds.result_element().or(kinds.element(0)),
        bound: |of| (of[0].clone(), true),
        run: |memory, shape, [xs, ..]| build::sort(&mut memory.arena, xs, shape),
    },
    Row {
        builtin: Builtin::Unique,
        takes: Takes::Any,
        elements: |kinds| kinds.result_element().or(kinds.element(0)),
        bound: |of| (of[0].resized(of[0].sizes().0.min(1), of[0].sizes().1), true),
        run: |memory, shape, [xs, ..]| set::unique(memory, &[xs], shape),
    },
    Row {
        builtin: Builtin::Union,
        takes: Takes::Any,
        elements: |kinds| kinds.result_element().or(kinds.element(0).or(kinds.element(1))),
        bound: |of| (bounds::union(of[0], of[1]), true),
        run: |memory, shape, [xs, ys, _]| set::unique(memory, &[xs, ys], shape),
    },
    Row {
        builtin: Builtin::Intersect,
        takes: Takes::Any,
        elements: |kinds| kinds.result_element().or(kinds.element(0).or(kinds.element(1))),
        bound: |of| (of[0].resized(0, of[0].sizes().1), true),
        run: |memory, shape, [xs, ys, _]| set::intersect(memory, xs, ys, shape),
    },
    Row {
        builtin: Builtin::Replace,
        takes: Takes::Any,
        elements: |kinds| kinds.element(2).or(kinds.result_element()),
        bound: |of| {
            let (low, high) = of[2].sizes();
            (list(low, high, of[2].element().hull(of[1])), true)
        },
        run: |memory, shape, operands| build::replace(&mut memory.arena, operands, shape),
    },
    Row {
        builtin: Builtin::Position,
        takes: Takes::Any,
        elements: |kinds| kinds.element(1).or(kinds.operand(0)),
        bound: |of| (between(0, of[1].sizes().1.saturating_sub(1).max(0)), false),
        run: |memory, shape, [x, xs, _]| find::position(memory.lists(), x, xs, shape),
    },
    Row {
        builtin: Builtin::Around,
        takes: Takes::Any,
        elements: |kinds| kinds.element(1).or(kinds.element(2)),
        bound: |of| (bounds::around(of[0], of[1], of[2]), false),
        run: |memory, shape, operands| find::around(memory.lists(), operands, shape),
    },
    Row {
        builtin: Builtin::After,
        takes: Takes::Any,
        elements: |kinds| kinds.element(0).or(kinds.element(1)),
        bound: |of| (of[1].resized(0, of[1].sizes().1), false),
        run: |memory, shape, [xs, ys, _]| find::after(memory.lists(), xs, ys, shape),
    },
    Row {
        builtin: Builtin::Before,
        takes: Takes::Any,
        elements: |kinds| kinds.element(0).or(kinds.element(1)),
        bound: |of| (of[1].resized(0, of[1].sizes().1), false),
        run: |memory, shape, [xs, ys, _]| find::before(memory.lists(), xs, ys, shape),
    },
    Row {
        builtin: Builtin::Concat,
        takes: Takes::Any,
        elements: |kinds| kinds.result_element().or(element_of(&kinds.element(0))),
        bound: |of| (bounds::concat(of[0]), true),
        run: |memory, shape, [xss, ..]| build::concat(&mut memory.arena, xss, shape),
    },
    Row {
        builtin: Builtin::Sum,
        takes: Takes::Numbers,
        elements: |kinds| kinds.element(0).or(kinds.result.clone()),
        bound: |of| bounds::total(of[0]),
        run: |memory, shape, [xs, ..]| numbers::sum(memory.lists(), xs, shape),
    },
    Row {
        builtin: Builtin::Max,
        takes: Takes::Numbers,
        elements: |kinds| kinds.element(0).or(kinds.result.clone()),
        bound: |of| (of[0].element(), of[0].sizes().0 > 0),
        run: |memory, shape, [xs, ..]| numbers::max(memory.lists(), xs, shape),
    },
    Row {
        builtin: Builtin::Min,
        takes: Takes::Numbers,
        elements: |kinds| kinds.element(0).or(kinds.result.clone()),
        bound: |of| (of[0].element(), of[0].sizes().0 > 0),
        run: |memory, shape, [xs, ..]| numbers::min(memory.lists(), xs, shape),
    },
    Row {
        builtin: Builtin::Letters,
        takes: Takes::Any,
        elements: |_| Type::Text,
        bound: |of| (texts::letters_of(of[0]), true),
        run: |memory, _, [text, ..]| texts::letters(memory, text),
    },
    Row {
        builtin: Builtin::Number,
        takes: Takes::Any,
        elements: |_| Type::Text,
        bound: |_| (between(i64::MIN, i64::MAX), false),
        run: |memory, _, [text, ..]| texts::number(memory, text),
    },
    Row {
        builtin: Builtin::Joined,
        takes: Takes::Any,
        elements: |_| Type::Text,
        bound: |of| (texts::join_of(of[0], of[1]), true),
        run: |memory, _, [between, xs, _]| texts::join(memory, between, xs),
    },
    Row {
        builtin: Builtin::ShownInt,
        takes: Takes::Any,
        elements: |_| Type::Text,
        bound: |of| (texts::shown_int_of(of[0]), true),
        run: |memory, _, [number, ..]| texts::shown(memory, number),
    },
    Row {
        builtin: Builtin::ShownDigits,
        takes: Takes::Any,
        elements: |_| Type::Text,
        bound: |of| (texts::shown_digits_of(of[0], of[1], of[2]), true),
        run: |memory, _, [number, whole, point]| {
            texts::shown_digits(memory, number, texts::digits(whole, point))
        },
    },
    Row {
        builtin: Builtin::ShownReal,
        takes: Takes::Any,
        elements: |_| Type::Text,
        bound: |_| (texts::shown_real_of(), true),
        run: |memory, _, [number, ..]| texts::shown_real(memory, number),
    },
    Row {
        builtin: Builtin::ShownToken,
        takes: Takes::Any,
        elements: |_| Type::Text,
        // What words a run has is known where it is lowered.
        bound: |_| (Bound::Any, true),
        run: |memory, _, [token, ..]| texts::shown_token(memory, token),
    },
    Row {
        builtin: Builtin::SortTexts,
        takes: Takes::Any,
        elements: |_| Type::Text,
        bound: |of| (of[0].clone(), true),
        run: |memory, _, [xs, ..]| texts::sort(memory, xs),
    },
];
