//! Lists taken as sets: `without`, `unique`, `union`, `intersect`.

use super::find;
use crate::runtime::arena::{Arena, List, Lists};
use crate::runtime::scratch::CellSet;
use crate::runtime::shape::Shape;
use crate::runtime::{FaultKind, Memory};

pub(super) fn without(
    memory: &mut Memory,
    gone: i64,
    list: i64,
    shape: Shape,
) -> Result<i64, FaultKind> {
    let (arena, set) = (&mut memory.arena, &mut memory.scratch.set);
    if !shape.is_exact() {
        return filter(arena, &[list], shape, |lists, _, cell| {
            find::first(lists, cell, gone, shape).is_none()
        });
    }
    if shape.is_narrow() && List::from(gone).size as usize <= FEW {
        return without_few(arena, gone, list);
    }
    set.fill(arena.lists().cells(gone, shape));
    filter(arena, &[list], shape, |_, _, cell| !set.contains(cell))
}

/// Up to this many symbols are looked for one by one: faster than a look into the set for each
/// element.
const FEW: usize = 6;

/// The stretches of `list` between the symbols that are gone.
fn without_few(arena: &mut Arena, gone: i64, list: i64) -> Result<i64, FaultKind> {
    let (lists, fresh) = arena.room_narrow(List::from(list).size as usize)?;
    let (gone, mut rest, mut kept) = (lists.narrow(gone), lists.narrow(list), 0);
    while !rest.is_empty() {
        let size = find::first_among(rest, gone).unwrap_or(rest.len());
        fresh[kept..kept + size].copy_from_slice(&rest[..size]);
        kept += size;
        rest = &rest[rest.len().min(size + 1)..];
    }
    Ok(arena.keep_narrow(kept))
}

/// The positions in `list` whose elements are not in `gone`.
pub(crate) fn remaining(
    lists: Lists,
    set: &mut CellSet,
    [gone, list]: [i64; 2],
    shape: Shape,
    into: &mut Vec<u32>,
) {
    into.clear();
    let elements = (0..).zip(lists.cells(list, shape));
    if shape.is_exact() {
        set.fill(lists.cells(gone, shape));
        into.extend(
            elements.filter(|&(_, cell)| !set.contains(cell)).map(|(position, _)| position),
        );
    } else {
        let is_gone = |cell| find::first(lists, cell, gone, shape).is_some();
        into.extend(elements.filter(|&(_, cell)| !is_gone(cell)).map(|(position, _)| position));
    }
}

/// Each element of the sources once, in order of first occurrence.
pub(super) fn unique(memory: &mut Memory, sources: &[i64], shape: Shape) -> Result<i64, FaultKind> {
    let (arena, set) = (&mut memory.arena, &mut memory.scratch.set);
    if shape.is_exact() {
        set.clear(sources.iter().map(|&source| List::from(source).size as usize).sum());
        return filter(arena, sources, shape, |_, _, cell| set.insert(cell));
    }
    filter(arena, sources, shape, |lists, (source, index), cell| {
        let earlier = List::from(sources[source]).run(0, index, shape).cell();
        let mut all_earlier = sources[..source].iter().chain([&earlier]);
        all_earlier.all(|&list| find::first(lists, cell, list, shape).is_none())
    })
}

pub(super) fn intersect(
    memory: &mut Memory,
    left: i64,
    right: i64,
    shape: Shape,
) -> Result<i64, FaultKind> {
    let (arena, set) = (&mut memory.arena, &mut memory.scratch.set);
    if shape.is_exact() {
        set.fill(arena.lists().cells(right, shape));
        return filter(arena, &[left], shape, |_, _, cell| set.take(cell));
    }
    filter(arena, &[left], shape, |lists, (_, index), cell| {
        let earlier = List::from(left).run(0, index, shape).cell();
        find::first(lists, cell, earlier, shape).is_none()
            && find::first(lists, cell, right, shape).is_some()
    })
}

/// A list of the elements to keep; `keep` gets the source and the index of an element.
fn filter(
    arena: &mut Arena,
    sources: &[i64],
    shape: Shape,
    mut keep: impl FnMut(Lists, (usize, u32), i64) -> bool,
) -> Result<i64, FaultKind> {
    let most = sources.iter().map(|&source| List::from(source).size as usize).sum();
    let mut kept = 0;
    if shape.is_narrow() {
        let (lists, fresh) = arena.room_narrow(most)?;
        for (source, &list) in sources.iter().enumerate() {
            for (index, &symbol) in lists.narrow(list).iter().enumerate() {
                fresh[kept] = symbol;
                kept += keep(lists, (source, index as u32), symbol as i64) as usize;
            }
        }
        Ok(arena.keep_narrow(kept))
    } else {
        let (lists, fresh) = arena.room_wide(most)?;
        for (source, &list) in sources.iter().enumerate() {
            for (index, &cell) in lists.wide(list).iter().enumerate() {
                fresh[kept] = cell;
                kept += keep(lists, (source, index as u32), cell) as usize;
            }
        }
        Ok(arena.keep_wide(kept))
    }
}
