//! Lists made of lists: runs of one, or elements copied in another order.

use crate::runtime::FaultKind;
use crate::runtime::arena::{Arena, List};
use crate::runtime::builtins::find;
use crate::runtime::shape::{Scalar, Shape};

pub(super) fn append(
    arena: &mut Arena,
    left: i64,
    right: i64,
    shape: Shape,
) -> Result<i64, FaultKind> {
    let size = List::from(left).size as usize;
    let total = size + List::from(right).size as usize;
    if shape.is_narrow() {
        let (lists, fresh) = arena.room_narrow(total)?;
        fresh[..size].copy_from_slice(lists.narrow(left));
        fresh[size..].copy_from_slice(lists.narrow(right));
        Ok(arena.keep_narrow(total))
    } else {
        let (lists, fresh) = arena.room_wide(total)?;
        fresh[..size].copy_from_slice(lists.wide(left));
        fresh[size..].copy_from_slice(lists.wide(right));
        Ok(arena.keep_wide(total))
    }
}

pub(super) fn range(arena: &mut Arena, low: i64, high: i64) -> Result<i64, FaultKind> {
    let size = if low > high { 0 } else { high.abs_diff(low).saturating_add(1) };
    let size = usize::try_from(size).ok().filter(|&size| size <= u32::MAX as usize);
    let size = size.ok_or(FaultKind::Memory)?;
    for (element, value) in arena.room_wide(size)?.1.iter_mut().zip(low..=high) {
        *element = value;
    }
    Ok(arena.keep_wide(size))
}

pub(super) fn take(count: i64, list: i64, shape: Shape) -> Result<i64, FaultKind> {
    let list = List::from(list);
    Ok(list.run(0, part(count, list.size)?, shape).cell())
}

pub(super) fn drop(count: i64, list: i64, shape: Shape) -> Result<i64, FaultKind> {
    let list = List::from(list);
    let count = part(count, list.size)?;
    Ok(list.run(count, list.size - count, shape).cell())
}

/// A count that a list of this size has elements for.
pub(crate) fn part(count: i64, size: u32) -> Result<u32, FaultKind> {
    if count < 0 {
        Err(FaultKind::Negative)
    } else if count > size as i64 {
        Err(FaultKind::TooFew)
    } else {
        Ok(count as u32)
    }
}

pub(super) fn chunks(
    arena: &mut Arena,
    count: i64,
    list: i64,
    shape: Shape,
) -> Result<i64, FaultKind> {
    if count < 1 {
        return Err(FaultKind::NotPositive);
    }
    let list = List::from(list);
    let count = count.min(u32::MAX as i64) as u32;
    let total = list.size.div_ceil(count) as usize;
    let (_, fresh) = arena.room_wide(total)?;
    for (index, chunk) in fresh.iter_mut().enumerate() {
        let skipped = index as u32 * count;
        *chunk = list.run(skipped, count.min(list.size - skipped), shape).cell();
    }
    Ok(arena.keep_wide(total))
}

pub(super) fn reverse(arena: &mut Arena, list: i64, shape: Shape) -> Result<i64, FaultKind> {
    let copy = copied(arena, list, shape)?;
    if shape.is_narrow() {
        arena.narrow_mut(copy).reverse();
    } else {
        arena.wide_mut(copy).reverse();
    }
    Ok(copy)
}

pub(super) fn sort(arena: &mut Arena, list: i64, shape: Shape) -> Result<i64, FaultKind> {
    let copy = copied(arena, list, shape)?;
    match shape.scalar {
        Scalar::Symbol if shape.depth == 0 => arena.narrow_mut(copy).sort_unstable(),
        Scalar::Real => {
            let real = |cell: &i64| f64::from_bits(*cell as u64);
            arena.wide_mut(copy).sort_unstable_by(|left, right| real(left).total_cmp(&real(right)));
        }
        _ => arena.wide_mut(copy).sort_unstable(),
    }
    Ok(copy)
}

/// A list of its own with the same elements.
pub(crate) fn copied(arena: &mut Arena, list: i64, shape: Shape) -> Result<i64, FaultKind> {
    let size = List::from(list).size as usize;
    if shape.is_narrow() {
        let (lists, fresh) = arena.room_narrow(size)?;
        fresh.copy_from_slice(lists.narrow(list));
        Ok(arena.keep_narrow(size))
    } else {
        let (lists, fresh) = arena.room_wide(size)?;
        fresh.copy_from_slice(lists.wide(list));
        Ok(arena.keep_wide(size))
    }
}

pub(super) fn replace(
    arena: &mut Arena,
    [old, new, list]: [i64; 3],
    shape: Shape,
) -> Result<i64, FaultKind> {
    let size = List::from(list).size as usize;
    if shape.is_narrow() {
        let (lists, fresh) = arena.room_narrow(size)?;
        for (element, &was) in fresh.iter_mut().zip(lists.narrow(list)) {
            *element = if was == old as u32 { new as u32 } else { was };
        }
        Ok(arena.keep_narrow(size))
    } else {
        let (lists, fresh) = arena.room_wide(size)?;
        for (element, &was) in fresh.iter_mut().zip(lists.wide(list)) {
            *element = if find::equal(lists, was, old, shape) { new } else { was };
        }
        Ok(arena.keep_wide(size))
    }
}

/// `shape` is that of the inner lists' elements.
pub(super) fn concat(arena: &mut Arena, lists: i64, shape: Shape) -> Result<i64, FaultKind> {
    let inner = arena.lists().wide(lists);
    let total = inner.iter().map(|&list| List::from(list).size as u64).sum::<u64>();
    let total = u32::try_from(total).map_err(|_| FaultKind::Memory)? as usize;
    let mut at = 0;
    if shape.is_narrow() {
        let (made, fresh) = arena.room_narrow(total)?;
        for &list in made.wide(lists) {
            let part = made.narrow(list);
            fresh[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        Ok(arena.keep_narrow(total))
    } else {
        let (made, fresh) = arena.room_wide(total)?;
        for &list in made.wide(lists) {
            let part = made.wide(list);
            fresh[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        Ok(arena.keep_wide(total))
    }
}
