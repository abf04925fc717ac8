//! The samplers of the language, as safe Rust that both engines call.

mod many;
mod places;
mod single;

use crate::ir::{Sampler, StreamId};
use crate::runtime::shape::Shape;
use crate::runtime::{FaultKind, Memory};

/// Draws from a stream. Operands that the sampler does not take are ignored.
pub(crate) fn draw(
    memory: &mut Memory,
    sampler: Sampler,
    stream: StreamId,
    shape: Shape,
    [first, second, third]: [i64; 3],
) -> Result<i64, FaultKind> {
    let stream = &mut memory.streams[stream as usize];
    let (arena, scratch) = (&mut memory.arena, &mut memory.scratch);
    let mut draw = many::Draw { arena, scratch, stream, shape };
    match sampler {
        Sampler::Distinct => draw.distinct(first, second),
        Sampler::DistinctWithout => draw.distinct_without([first, second, third]),
        Sampler::Draw => draw.draw(first, second),
        Sampler::Shuffle => draw.shuffle(first),
        Sampler::Split => draw.split(first, second),
        Sampler::Span => single::span(draw.stream, first, second, shape),
        Sampler::Pick => single::pick(draw.arena.lists(), draw.stream, first, shape),
        Sampler::Coin => single::coin(draw.stream, first),
        Sampler::Uniform => single::uniform(draw.stream, first, second),
        Sampler::Weighted => {
            single::weighted(draw.arena.lists(), draw.stream, first, second, shape)
        }
    }
}
