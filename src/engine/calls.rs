//! What machine code calls: the runtime after one C signature.
//!
//! A function that faults leaves the kind's code in the memory, and its result means nothing.

use strum::VariantArray;

use crate::ir::{Builtin, Sampler, StreamId};
use crate::runtime::builtins::first;
use crate::runtime::shape::Shape;
use crate::runtime::{FaultKind, Memory, samplers};

/// The memory, a code that says what to do, and up to three cells.
pub(super) type Call = extern "C" fn(&mut Memory, u64, i64, i64, i64) -> i64;

/// The code of a builtin on elements of this shape, for [`builtin`].
pub(super) fn builtin_code(builtin: Builtin, shape: Shape) -> u64 {
    builtin as u64 | shape.code() << 8
}

/// The code of a sampler on elements of this shape and of its stream, for [`sampler`].
pub(super) fn sampler_code(sampler: Sampler, stream: StreamId, shape: Shape) -> u64 {
    sampler as u64 | shape.code() << 8 | (stream as u64) << 32
}

/// Runs a builtin.
pub(super) extern "C" fn builtin(memory: &mut Memory, code: u64, a: i64, b: i64, c: i64) -> i64 {
    let (which, shape) =
        (Builtin::VARIANTS[code as usize & 0xff], Shape::from_code(code >> 8 & 0xffff));
    let done = which.run(memory, shape, [a, b, c]);
    cell(memory, done)
}

/// Runs a sampler.
pub(super) extern "C" fn sampler(memory: &mut Memory, code: u64, a: i64, b: i64, c: i64) -> i64 {
    let (which, shape) =
        (Sampler::VARIANTS[code as usize & 0xff], Shape::from_code(code >> 8 & 0xffff));
    let done = samplers::draw(memory, which, (code >> 32) as StreamId, shape, [a, b, c]);
    cell(memory, done)
}

/// The index of a cell in a list whose elements have the shape that the code names; below 0 if it
/// is not in it.
pub(super) extern "C" fn find(memory: &mut Memory, code: u64, cell: i64, list: i64, _: i64) -> i64 {
    let found = first(memory.lists(), cell, list, Shape::from_code(code));
    found.map_or(-1, |index| index as i64)
}

/// The rare rest of a draw below `range`, from the stream that the code names.
pub(super) extern "C" fn settle(
    memory: &mut Memory,
    code: u64,
    range: i64,
    product: i64,
    _: i64,
) -> i64 {
    memory.streams[code as usize].settle(range as u32, product as u64) as i64
}

fn cell(memory: &mut Memory, done: Result<i64, FaultKind>) -> i64 {
    done.unwrap_or_else(|kind| {
        memory.fault = kind.code();
        0
    })
}
