//! The samplers of the language: one row each drives lowering and both engines.

mod many;
mod positions;
mod single;

use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::runtime::bound::{Bound, between, list, truth};
use crate::runtime::shape::{Kinds, Shape};
use crate::runtime::types::Type;
use crate::runtime::{FaultKind, Memory, StreamId};
use many::Draw;
pub(crate) use positions::BULK;

/// The samplers. They take their randomness from one stream, and from nothing else.
///
/// A new sampler is a signature in `stdlib/builtin.cook`, a function in one of the files beside
/// this one, and a variant with its row here: without the row this does not compile.
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
pub enum Sampler {
    /// `(n, xs)`: `n` elements at different positions of `xs`, in random order; errors if
    /// `n < 0` or `n > size(xs)`.
    Distinct,
    /// `(n, gone, xs)`: the same from `without(gone, xs)`, which is not made.
    DistinctWithout,
    /// `(n, xs)`: `n` elements, each from any position; errors if `n < 0`, or `xs` is empty and
    /// `n > 0`.
    Draw,
    /// `(n, xs)`: a slice of `n` elements, all positions equally likely; errors like `Distinct`.
    Span,
    /// `(xs)`: one element; errors if there is none.
    Pick,
    /// `(xs)`: all elements in random order.
    Shuffle,
    /// `(p)`: true with probability `p`, a `Real`; errors outside 0..1.
    Coin,
    /// `(low, high)`: an `Int`, both ends in; errors if `low > high`.
    Uniform,
    /// `(xs, weights)`: one element, as likely as its weight, an `Int`; errors if a weight is
    /// negative, their sum is 0 or overflows, or the sizes differ.
    Weighted,
    /// `(n, xs)`: `xs` cut into `n` slices, none empty, all ways equally likely; errors if `n < 1`
    /// or `n > size(xs)`.
    Split,
}

/// What the compiler and both engines know of a sampler. Its name is the variant in snake case.
pub(crate) struct Row {
    sampler: Sampler,
    /// The type of the elements that it works on, of what its operands and its result are.
    pub(crate) elements: fn(&Kinds) -> Type,
    /// What is known of a drawn value from the operands, and whether the draw cannot fail.
    pub(crate) bound: fn(&[&Bound]) -> (Bound, bool),
    /// Its meaning; operands that it lacks are 0.
    run: fn(Draw, [i64; 3]) -> Result<i64, FaultKind>,
}

impl Sampler {
    /// Its row in the table.
    pub(crate) fn row(self) -> &'static Row {
        &ROWS[ROW_OF[self as usize]]
    }
}

/// Draws from a stream of the memory, from lists whose elements have this shape.
pub(crate) fn draw(
    memory: &mut Memory,
    sampler: Sampler,
    stream: StreamId,
    shape: Shape,
    operands: [i64; 3],
) -> Result<i64, FaultKind> {
    let stream = &mut memory.streams[stream as usize];
    let (arena, scratch) = (&mut memory.arena, &mut memory.scratch);
    (sampler.row().run)(Draw { arena, scratch, stream, shape }, operands)
}

row_of!(ROWS, sampler: Sampler);

const ROWS: &[Row] = &[
    Row {
        sampler: Sampler::Distinct,
        elements: |kinds| kinds.element(1),
        bound: |of| part(of[0], of[1]),
        run: |mut draw, [n, xs, _]| draw.distinct(n, xs),
    },
    Row {
        sampler: Sampler::DistinctWithout,
        elements: |kinds| kinds.element(2).or(kinds.element(1)),
        bound: |of| rest(of[0], of[1], of[2]),
        run: |mut draw, operands| draw.distinct_without(operands),
    },
    Row {
        sampler: Sampler::Draw,
        elements: |kinds| kinds.element(1),
        bound: |of| {
            let (low, high) = of[0].interval();
            (of[1].resized(low, high), low >= 0 && of[1].sizes().0 > 0)
        },
        run: |mut draw, [n, xs, _]| draw.draw(n, xs),
    },
    Row {
        sampler: Sampler::Span,
        elements: |kinds| kinds.element(1),
        bound: |of| part(of[0], of[1]),
        run: |draw, [n, xs, _]| single::span(draw.stream, n, xs, draw.shape),
    },
    Row {
        sampler: Sampler::Pick,
        elements: |kinds| kinds.element(0),
        bound: |of| (of[0].element(), of[0].sizes().0 > 0),
        run: |draw, [xs, ..]| single::pick(draw.arena.lists(), draw.stream, xs, draw.shape),
    },
    Row {
        sampler: Sampler::Shuffle,
        elements: |kinds| kinds.element(0),
        bound: |of| (of[0].clone(), true),
        run: |mut draw, [xs, ..]| draw.shuffle(xs),
    },
    Row {
        sampler: Sampler::Coin,
        elements: |_| Type::Unknown,
        bound: |_| (truth(), false),
        run: |draw, [p, ..]| single::coin(draw.stream, p),
    },
    Row {
        sampler: Sampler::Uniform,
        elements: |_| Type::Unknown,
        bound: |of| {
            let ((a, b), (c, d)) = (of[0].interval(), of[1].interval());
            (between(a, d.max(a)), b <= c)
        },
        run: |draw, [low, high, _]| single::uniform(draw.stream, low, high),
    },
    Row {
        sampler: Sampler::Weighted,
        elements: |kinds| kinds.element(0),
        bound: |of| (of[0].element(), false),
        run: |draw, [xs, weights, _]| {
            single::weighted(draw.arena.lists(), draw.stream, [xs, weights], draw.shape)
        },
    },
    Row {
        sampler: Sampler::Split,
        elements: |kinds| kinds.element(1),
        bound: |of| cuts(of[0], of[1]),
        run: |mut draw, [n, xs, _]| draw.split(n, xs),
    },
];

/// Of `count` elements of `xs`.
fn part(count: &Bound, xs: &Bound) -> (Bound, bool) {
    let ((low, high), (fewest, most)) = (count.interval(), xs.sizes());
    (xs.resized(low.clamp(0, most), high.clamp(0, most)), low >= 0 && high <= fewest)
}

/// Of `count` elements of what is left of `xs` without `gone`.
fn rest(count: &Bound, gone: &Bound, xs: &Bound) -> (Bound, bool) {
    let ((low, high), (fewest, most)) = (count.interval(), xs.sizes());
    // A pool has each token once, so that at most as many go as are named.
    let is_pool = matches!(xs.element(), Bound::Token(_));
    let left = fewest.saturating_sub(gone.sizes().1);
    let drawn = xs.resized(low.clamp(0, most), high.clamp(0, most));
    (drawn, is_pool && low >= 0 && high <= left)
}

/// Of `xs` cut into `count` slices.
fn cuts(count: &Bound, xs: &Bound) -> (Bound, bool) {
    let ((low, high), (fewest, most)) = (count.interval(), xs.sizes());
    let longest = most.saturating_sub(low).saturating_add(1).max(1);
    let slice = xs.resized(1.min(most), longest.min(most.max(1)));
    (list(low.max(0), high.clamp(0, most), slice), low >= 1 && high <= fewest)
}
