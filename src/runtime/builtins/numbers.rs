//! One number from a list of numbers.

use crate::runtime::FaultKind;
use crate::runtime::arena::Lists;
use crate::runtime::shape::{Scalar, Shape, canonical};

pub(super) fn sum(lists: Lists, list: i64, shape: Shape) -> Result<i64, FaultKind> {
    let cells = lists.wide(list);
    if shape.scalar == Scalar::Real {
        let total = cells.iter().fold(0.0, |total, &cell| total + f64::from_bits(cell as u64));
        return Ok(canonical(total).to_bits() as i64);
    }
    let total = cells.iter().try_fold(0_i64, |total, &cell| total.checked_add(cell));
    total.ok_or(FaultKind::Overflow)
}

pub(super) fn max(lists: Lists, list: i64, shape: Shape) -> Result<i64, FaultKind> {
    most(lists, list, |new, old| is_less(old, new, shape))
}

pub(super) fn min(lists: Lists, list: i64, shape: Shape) -> Result<i64, FaultKind> {
    most(lists, list, |new, old| is_less(new, old, shape))
}

/// The first element that no later one beats.
fn most(lists: Lists, list: i64, beats: impl Fn(i64, i64) -> bool) -> Result<i64, FaultKind> {
    let (&first, rest) = lists.wide(list).split_first().ok_or(FaultKind::Empty)?;
    Ok(rest.iter().fold(first, |best, &cell| if beats(cell, best) { cell } else { best }))
}

fn is_less(left: i64, right: i64, shape: Shape) -> bool {
    match shape.scalar {
        Scalar::Real => f64::from_bits(left as u64) < f64::from_bits(right as u64),
        Scalar::Int | Scalar::Symbol => left < right,
    }
}
