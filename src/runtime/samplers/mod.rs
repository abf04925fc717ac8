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
    match sampler {
        Sampler::Distinct => many::distinct(arena, scratch, stream, [first, second], shape),
        Sampler::DistinctWithout => {
            many::distinct_without(arena, scratch, stream, [first, second, third], shape)
        }
        Sampler::Draw => many::draw(arena, scratch, stream, [first, second], shape),
        Sampler::Shuffle => many::shuffle(arena, stream, first, shape),
        Sampler::Split => many::split(arena, scratch, stream, [first, second], shape),
        Sampler::Span => single::span(stream, first, second, shape),
        Sampler::Pick => single::pick(arena.lists(), stream, first, shape),
        Sampler::Coin => single::coin(stream, first),
        Sampler::Uniform => single::uniform(stream, first, second),
        Sampler::Weighted => single::weighted(arena.lists(), stream, first, second, shape),
    }
}
