//! Attention, forwards and backwards, a tile of queries at a time.
//!
//! A tile's attention weights are computed, used, and recomputed in the backward pass from their
//! log-sum-exp (FlashAttention; Dao et al. 2022, arXiv:2205.14135). A tile reads only the columns
//! that one of its queries attends to, so causality and packing save work.

use std::ops::Range;

use anyhow::Result;
use candle_core::Tensor;
use rayon::prelude::*;

use super::kernels;
use super::math::{LANES, dot, dots, exp, exponentials};
use super::product::multiply;
use super::slice::{Slice, tensor};
use super::square::{Kernel, Parts};
use super::tiles::{self, Bands, Second, Term};
use super::view::{Before, View, ViewMut};
use crate::ops::{Attended, Attention};
use crate::wide::wide;

/// Queries of a tile: enough for a product at full speed, few enough to skip what is masked.
const TILE: usize = 64;

/// See [`super::super::attention`].
pub fn attention(inputs: &Attention) -> Result<Attended> {
    let shape = Shape::of(inputs)?;
    let (query, key, value) =
        (Slice::open(inputs.query)?, Slice::open(inputs.key)?, Slice::open(inputs.value)?);
    let (query, key, value) = (query.get()?, key.get()?, value.get()?);
    let (time, heads, width) = (shape.time, shape.heads, shape.width);
    if time == 1 {
        return last(&shape, inputs, [query, key, value]);
    }
    let kernel = inputs.rounds.then(kernels::of_bf16).flatten();
    // The kernel's packing turns keys around by itself.
    let turned = if kernel.is_some() { Vec::new() } else { shape.transposed(key) };
    let transposed = [&turned[..], &[]];
    let mut out = vec![0f32; shape.batch * time * heads * width];
    let mut lse = vec![0f32; shape.batch * heads * time];
    let planes = lse.par_chunks_mut(time * heads);
    let ends = tiles(time, &inputs.mask.branches.texts);
    out.par_chunks_mut(time * heads * width).zip(planes).enumerate().for_each(
        |(row, (out, lse))| {
            let (mut rest, mut start) = ((out, lse), 0);
            let tile = |end: &usize| {
                let (out, lse) = std::mem::take(&mut rest);
                let count = end - start;
                let (out, out_rest) = out.split_at_mut(count * heads * width);
                let (lse, lse_rest) = lse.split_at_mut(count * heads);
                rest = (out_rest, lse_rest);
                (std::mem::replace(&mut start, *end)..*end, out, lse)
            };
            let tiles: Vec<_> = ends.iter().map(tile).collect();
            tiles.into_par_iter().for_each_init(Vec::new, |scores, (times, out, lse)| {
                for head in 0..heads {
                    let shape = &shape;
                    let plane =
                        Plane { shape, inputs, row, head, query, key, value, transposed, kernel };
                    plane.forward(times.clone(), scores, &mut out[head * width..], lse);
                }
            });
        },
    );
    let out = tensor(out, (shape.batch * time, heads * width))?;
    Ok(Attended { out, lse: tensor(lse, (shape.batch * time, heads))? })
}

/// One query a row, as when a reply grows by a token: there is nothing to be gained by a product,
/// and keys and values are read once.
fn last(shape: &Shape, inputs: &Attention, [query, key, value]: [&[f32]; 3]) -> Result<Attended> {
    let (heads, width) = (shape.heads, shape.width);
    let mut out = vec![0f32; shape.batch * heads * width];
    let mut lse = vec![0f32; shape.batch * heads];
    let rows = out.par_chunks_mut(heads * width).zip(lse.par_chunks_mut(heads));
    rows.enumerate().for_each_init(Room::default, |room, (row, (out, lse))| {
        let own = inputs.mask.range(row, 0);
        room.weights.resize(own.len(), 0.0);
        let of_heads = out.chunks_exact_mut(width).zip(lse).enumerate();
        for (head, (out, lse)) in of_heads {
            let plane = row * shape.groups() + head / shape.group;
            let columns = (plane * shape.columns + own.start) * width
                ..(plane * shape.columns + own.end) * width;
            let query = &query[(row * heads + head) * width..][..width];
            let both = [&key[columns.clone()], &value[columns]];
            *lse = wide!(attend(query, both, inputs.scale, room, out));
        }
    });
    let out = tensor(out, (shape.batch, heads * width))?;
    Ok(Attended { out, lse: tensor(lse, (shape.batch, heads))? })
}

/// What a thread needs for the attention of a query.
#[derive(Default)]
struct Room {
    /// Of each key.
    weights: Vec<f32>,
    /// The products of each key in lanes.
    lanes: Vec<[f32; LANES]>,
}

/// The mean of the values by the weights of their keys into `out`; returns the log-sum-exp.
#[inline(always)]
fn attend(
    query: &[f32],
    [key, value]: [&[f32]; 2],
    scale: f32,
    Room { weights, lanes }: &mut Room,
    out: &mut [f32],
) -> f32 {
    let width = query.len();
    dots(query, key, lanes, weights);
    let (sum, top) = exponentials(weights, scale);
    let inverse = 1.0 / sum;
    weights.iter_mut().for_each(|weight| *weight *= inverse);
    let (lanes, rest) = out.as_chunks_mut::<LANES>();
    for (at, out) in lanes.iter_mut().enumerate() {
        // Kept apart, so that they stay in a register: `out` might lie beside what is read.
        let mut sums = [0f32; LANES];
        for (weight, value) in weights.iter().zip(value.chunks_exact(width)) {
            let value: &[f32; LANES] =
                value[at * LANES..].first_chunk().expect("a value has as many numbers as `out`");
            for lane in 0..LANES {
                sums[lane] += weight * value[lane];
            }
        }
        *out = sums;
    }
    let first = width - rest.len();
    for (weight, value) in weights.iter().zip(value.chunks_exact(width)) {
        rest.iter_mut().zip(&value[first..]).for_each(|(out, value)| *out += weight * value);
    }
    top + sum.ln()
}

/// Where tiles of queries end: a tile has queries of one text, where texts are told apart.
fn tiles(time: usize, texts: &[usize]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut start = 0;
    for end in texts.iter().copied().filter(|text| *text > 0).chain([time]) {
        ends.extend((start..end).step_by(TILE).map(|start| end.min(start + TILE)));
        start = end;
    }
    ends
}

/// See [`super::super::attention_backward`].
pub fn attention_backward(
    inputs: &Attention,
    attended: &Attended,
    dout: &Tensor,
) -> Result<[Tensor; 3]> {
    let shape = Shape::of(inputs)?;
    let (query, key, value) =
        (Slice::open(inputs.query)?, Slice::open(inputs.key)?, Slice::open(inputs.value)?);
    let (out, lse, dout) =
        (Slice::open(&attended.out)?, Slice::open(&attended.lse)?, Slice::open(dout)?);
    let (query, key, value) = (query.get()?, key.get()?, value.get()?);
    let (out, lse, dout) = (out.get()?, lse.get()?, dout.get()?);
    let (time, width) = (shape.time, shape.width);
    let of_queries = shape.group * time * width;
    let of_keys = shape.columns * width;
    let groups = shape.batch * shape.groups();
    let mut dquery = vec![0f32; groups * of_queries];
    let mut dkey = vec![0f32; groups * of_keys];
    let mut dvalue = vec![0f32; groups * of_keys];
    let transposed = [&shape.transposed(key)[..], &shape.transposed(value)[..]];
    let keys = dkey.par_chunks_mut(of_keys).zip(dvalue.par_chunks_mut(of_keys));
    let planes = dquery.par_chunks_mut(of_queries).zip(keys).enumerate();
    planes.for_each_init(Scratch::default, |scratch, (plane, (dquery, (dkey, dvalue)))| {
        let (row, group) = (plane / shape.groups(), plane % shape.groups());
        for (member, dquery) in dquery.chunks_exact_mut(time * width).enumerate() {
            let head = group * shape.group + member;
            let (shape, kernel) = (&shape, None);
            let plane = Plane { shape, inputs, row, head, query, key, value, transposed, kernel };
            let mut back = Back { out, lse, dout, scratch, dkey, dvalue };
            for start in (0..time).step_by(TILE) {
                let times = start..time.min(start + TILE);
                let dquery = &mut dquery[start * width..times.end * width];
                plane.backward(times, &mut back, dquery);
            }
        }
    });
    Ok([
        tensor(dquery, inputs.query.dims())?,
        tensor(dkey, inputs.key.dims())?,
        tensor(dvalue, inputs.value.dims())?,
    ])
}

/// The sizes of one call.
struct Shape {
    batch: usize,
    heads: usize,
    /// Query heads that share a key head.
    group: usize,
    time: usize,
    /// Columns that the keys have room for.
    columns: usize,
    width: usize,
}

impl Shape {
    fn of(inputs: &Attention) -> Result<Shape> {
        let (batch, heads, time, width) = inputs.query.dims4()?;
        let (_, groups, columns, _) = inputs.key.dims4()?;
        Ok(Shape { batch, heads, group: heads / groups, time, columns, width })
    }

    fn groups(&self) -> usize {
        self.heads / self.group
    }

    /// Keys or values `[…, columns, width]` as `[…, width, columns]`: a product would transpose
    /// those of each tile anew. Empty where there are few queries.
    fn transposed(&self, of: &[f32]) -> Vec<f32> {
        if self.time < TILE {
            return Vec::new();
        }
        let (columns, width) = (self.columns, self.width);
        let mut transposed = vec![0f32; of.len()];
        let planes = transposed.par_chunks_mut(columns * width).zip(of.par_chunks(columns * width));
        planes.for_each(|(transposed, of)| {
            // As many rows at once as fill a line of the cache in the result.
            for (block, of) in of.chunks(LANES * width).enumerate() {
                for (x, transposed) in transposed.chunks_exact_mut(columns).enumerate() {
                    let transposed = transposed[block * LANES..].iter_mut();
                    let of = of.iter().skip(x).step_by(width);
                    transposed.zip(of).for_each(|(transposed, x)| *transposed = *x);
                }
            }
        });
        transposed
    }
}

/// One head of one row.
struct Plane<'a> {
    shape: &'a Shape,
    inputs: &'a Attention<'a>,
    row: usize,
    head: usize,
    query: &'a [f32],
    key: &'a [f32],
    value: &'a [f32],
    /// Keys and values as [`Shape::transposed`] returns them.
    transposed: [&'a [f32]; 2],
    /// What makes products forwards, of numbers rounded to bf16.
    kernel: Option<Kernel>,
}

/// What the backward pass of a plane reads beside it, and what it adds to.
struct Back<'a> {
    out: &'a [f32],
    lse: &'a [f32],
    dout: &'a [f32],
    scratch: &'a mut Scratch,
    dkey: &'a mut [f32],
    dvalue: &'a mut [f32],
}

/// Memory for one tile.
#[derive(Default)]
struct Scratch {
    weights: Vec<f32>,
    dweights: Vec<f32>,
}

impl Plane<'_> {
    /// `out` begins at this head's part of the tile's first token, `lse` at the tile's first.
    fn forward(
        &self,
        times: Range<usize>,
        scores: &mut Vec<f32>,
        out: &mut [f32],
        lse: &mut [f32],
    ) {
        let (heads, width) = (self.shape.heads, self.shape.width);
        let seen = self.seen(&times);
        let (rows, columns) = (times.len(), seen.len());
        self.scores(&times, &seen, scores);
        wide!({
            for (at, scores) in scores.chunks_exact_mut(columns).enumerate() {
                let own = self.own(times.start + at, &seen);
                let skipped = self.skipped(times.start + at, &seen);
                scores[skipped.clone()].fill(f32::NEG_INFINITY);
                let (sum, top) = exponentials(&mut scores[own.clone()], self.inputs.scale);
                let inverse = 1.0 / sum;
                scores[..own.start].fill(0.0);
                scores[own.end..].fill(0.0);
                scores[skipped].fill(0.0);
                scores[own].iter_mut().for_each(|weight| *weight *= inverse);
                lse[at * heads + self.head] = top + sum.ln();
            }
        });
        let weights = View::dense(scores, rows, columns);
        let out = ViewMut::new(out, rows, width, heads * width);
        self.product(out, weights, self.columns(self.value, &seen));
    }

    /// `out = a·b`.
    fn product(&self, out: ViewMut, a: View, b: View) {
        let Some(kernel) = self.kernel else {
            return multiply(out, Before::Replaced, 1.0, a, b);
        };
        let first = &Bands::pack(Parts::One, a);
        let term = Term { first, second: Second::Plain(b) };
        tiles::sum(out, Before::Replaced, 1.0, &[term], kernel);
    }

    fn backward(&self, times: Range<usize>, back: &mut Back, dquery: &mut [f32]) {
        let (heads, width) = (self.shape.heads, self.shape.width);
        let seen = self.seen(&times);
        let (rows, columns) = (times.len(), seen.len());
        let Back { scratch: Scratch { weights, dweights }, .. } = back;
        self.scores(&times, &seen, weights);
        // This head's part of the tile's tokens, in rows of all heads.
        let first = ((self.row * self.shape.time + times.start) * heads + self.head) * width;
        let dout = View::new(&back.dout[first..], rows, width, heads * width);
        dweights.resize(rows * columns, 0.0);
        let into = ViewMut::dense(&mut dweights[..], rows, columns);
        let values = self.across(self.value, self.transposed[1], &seen);
        multiply(into, Before::Replaced, 1.0, dout, values);
        let scale = self.inputs.scale;
        wide!({
            let pairs = weights.chunks_exact_mut(columns).zip(dweights.chunks_exact_mut(columns));
            for (at, (weights, dweights)) in pairs.enumerate() {
                let own = self.own(times.start + at, &seen);
                let token = self.row * self.shape.time + times.start + at;
                let log = back.lse[token * heads + self.head];
                let place = (token * heads + self.head) * width;
                let along = dot(&back.out[place..][..width], &back.dout[place..][..width]);
                // In complete registers, as far as there are columns; masked ones are not used.
                let some = own.start..columns.min(own.start + own.len().next_multiple_of(LANES));
                let (lanes, rest) = weights[some.clone()].as_chunks_mut::<LANES>();
                let (dlanes, drest) = dweights[some].as_chunks_mut::<LANES>();
                for (x, dx) in lanes.iter_mut().zip(dlanes) {
                    for lane in 0..LANES {
                        x[lane] = exp(scale * x[lane] - log);
                        dx[lane] = x[lane] * (dx[lane] - along);
                    }
                }
                for (x, dx) in rest.iter_mut().zip(drest) {
                    *x = exp(scale * *x - log);
                    *dx = *x * (*dx - along);
                }
                for numbers in [weights, dweights] {
                    numbers[..own.start].fill(0.0);
                    numbers[own.end..].fill(0.0);
                }
            }
        });
        let (weights, dscores) =
            (View::dense(weights, rows, columns), View::dense(dweights, rows, columns));
        let place = seen.start * width;
        let dvalue = ViewMut::dense(&mut back.dvalue[place..], columns, width);
        multiply(dvalue, Before::Kept, 1.0, weights.transposed(), dout);
        let dkey = ViewMut::dense(&mut back.dkey[place..], columns, width);
        multiply(dkey, Before::Kept, scale, dscores.transposed(), self.queries(&times));
        let dquery = ViewMut::dense(dquery, rows, width);
        multiply(dquery, Before::Replaced, scale, dscores, self.columns(self.key, &seen));
    }

    /// The columns that a query of the tile attends to, and those between.
    fn seen(&self, times: &Range<usize>) -> Range<usize> {
        let ranges = times.clone().map(|time| self.inputs.mask.range(self.row, time));
        ranges.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end)).unwrap_or(0..0)
    }

    /// Of the tile's columns, those that this query attends to.
    fn own(&self, time: usize, seen: &Range<usize>) -> Range<usize> {
        let own = self.inputs.mask.range(self.row, time);
        own.start - seen.start..own.end - seen.start
    }

    /// Of the tile's columns, those that this query skips.
    fn skipped(&self, time: usize, seen: &Range<usize>) -> Range<usize> {
        let skipped = self.inputs.mask.skipped(self.row, time);
        if skipped.is_empty() { 0..0 } else { skipped.start - seen.start..skipped.end - seen.start }
    }

    /// Queries times keys, not scaled.
    fn scores(&self, times: &Range<usize>, seen: &Range<usize>, scores: &mut Vec<f32>) {
        scores.resize(times.len() * seen.len(), 0.0);
        let out = ViewMut::dense(scores, times.len(), seen.len());
        let keys = self.across(self.key, self.transposed[0], seen);
        self.product(out, self.queries(times), keys);
    }

    fn queries(&self, times: &Range<usize>) -> View<'_> {
        let (time, width) = (self.shape.time, self.shape.width);
        let first = (self.row * self.shape.heads + self.head) * time + times.start;
        View::dense(&self.query[first * width..], times.len(), width)
    }

    /// Keys or values of those columns.
    fn columns<'a>(&self, of: &'a [f32], seen: &Range<usize>) -> View<'a> {
        let first = self.group() * self.shape.columns + seen.start;
        View::dense(&of[first * self.shape.width..], seen.len(), self.shape.width)
    }

    /// The same `[width, columns]`.
    fn across<'a>(&self, of: &'a [f32], transposed: &'a [f32], seen: &Range<usize>) -> View<'a> {
        if transposed.is_empty() {
            return self.columns(of, seen).transposed();
        }
        let Shape { columns, width, .. } = *self.shape;
        let first = self.group() * width * columns + seen.start;
        View::new(&transposed[first..], width, seen.len(), columns)
    }

    /// The key head of this head, among those of all rows.
    fn group(&self) -> usize {
        self.row * self.shape.groups() + self.head / self.shape.group
    }
}
