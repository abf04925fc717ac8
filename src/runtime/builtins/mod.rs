//! The builtin functions of the language, as safe Rust that both engines call.

mod build;
mod find;
mod numbers;
mod set;

use crate::ir::Builtin;
use crate::runtime::shape::Shape;
use crate::runtime::{FaultKind, Memory};

pub(crate) use build::{copied, part};
pub(crate) use set::remaining;

/// Runs a builtin on lists whose elements have this shape. Operands that it does not take are
/// ignored.
pub(crate) fn call(
    memory: &mut Memory,
    builtin: Builtin,
    shape: Shape,
    [first, second, third]: [i64; 3],
) -> Result<i64, FaultKind> {
    let (arena, set) = (&mut memory.arena, &mut memory.scratch.set);
    match builtin {
        Builtin::Same => Ok(find::same(arena.lists(), first, second, shape) as i64),
        Builtin::Contains => Ok(find::first(arena.lists(), first, second, shape).is_some() as i64),
        Builtin::Within => Ok(find::run(arena.lists(), first, second, shape).is_some() as i64),
        Builtin::Position => find::position(arena.lists(), first, second, shape),
        Builtin::Around => find::around(arena.lists(), first, second, third, shape),
        Builtin::After => find::after(arena.lists(), first, second, shape),
        Builtin::Before => find::before(arena.lists(), first, second, shape),
        Builtin::Append => build::append(arena, first, second, shape),
        Builtin::Range => build::range(arena, first, second),
        Builtin::Take => build::take(first, second, shape),
        Builtin::Drop => build::drop(first, second, shape),
        Builtin::Chunks => build::chunks(arena, first, second, shape),
        Builtin::Reverse => build::reverse(arena, first, shape),
        Builtin::Sort => build::sort(arena, first, shape),
        Builtin::Replace => build::replace(arena, first, second, third, shape),
        Builtin::Concat => build::concat(arena, first, shape),
        Builtin::Without => set::without(arena, set, first, second, shape),
        Builtin::Unique => set::unique(arena, set, &[first], shape),
        Builtin::Union => set::unique(arena, set, &[first, second], shape),
        Builtin::Intersect => set::intersect(arena, set, first, second, shape),
        Builtin::Sum => numbers::sum(arena.lists(), first, shape),
        Builtin::Max => numbers::max(arena.lists(), first, shape),
        Builtin::Min => numbers::min(arena.lists(), first, shape),
    }
}
