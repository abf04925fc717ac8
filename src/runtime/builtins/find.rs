//! Looking for values and runs in lists: `==`, `in`, `within`, `position`, `around` and the like.

use std::collections::BTreeSet;

use crate::runtime::FaultKind;
use crate::runtime::arena::{List, Lists};
use crate::runtime::shape::{Scalar, Shape};

/// Are two lists with elements of this shape equal, in depth?
pub(super) fn same(lists: Lists, left: i64, right: i64, shape: Shape) -> bool {
    Comparison { lists, equal: BTreeSet::new() }.same(left, right, shape)
}

/// Are two values of this shape equal?
pub(super) fn equal(lists: Lists, left: i64, right: i64, shape: Shape) -> bool {
    Comparison { lists, equal: BTreeSet::new() }.equal(left, right, shape)
}

/// Two values being compared in depth.
struct Comparison<'a> {
    lists: Lists<'a>,
    /// The pairs of lists of lists that were found equal: where lists share what they hold, a pair
    /// would else be met twice as often with each list more around it.
    equal: BTreeSet<(i64, i64, u8)>,
}

impl Comparison<'_> {
    fn same(&mut self, left: i64, right: i64, shape: Shape) -> bool {
        if List::from(left).size != List::from(right).size {
            return false;
        }
        if shape.is_narrow() {
            return self.lists.narrow(left) == self.lists.narrow(right);
        }
        let (lefts, rights) = (self.lists.wide(left), self.lists.wide(right));
        if shape.depth == 0 {
            return match shape.scalar {
                Scalar::Real => {
                    let real = |cell: &i64| f64::from_bits(*cell as u64);
                    lefts.iter().map(real).eq(rights.iter().map(real))
                }
                Scalar::Symbol | Scalar::Int => lefts == rights,
            };
        }
        // What lies no deeper than lists of plain lists costs no more than its own elements.
        let (pair, is_deep) = ((left, right, shape.depth), shape.depth > 1);
        if is_deep && self.equal.contains(&pair) {
            return true;
        }
        let mut pairs = lefts.iter().zip(rights);
        let equal = pairs.all(|(&left, &right)| self.equal(left, right, shape));
        if is_deep && equal {
            self.equal.insert(pair);
        }
        equal
    }

    fn equal(&mut self, left: i64, right: i64, shape: Shape) -> bool {
        match shape {
            Shape { depth: 0, scalar: Scalar::Real } => {
                f64::from_bits(left as u64) == f64::from_bits(right as u64)
            }
            Shape { depth: 0, .. } => left == right,
            _ => self.same(left, right, shape.element()),
        }
    }
}

/// The index of the first element of `list` that equals `value`, whose shape it is.
pub(crate) fn first(lists: Lists, value: i64, list: i64, shape: Shape) -> Option<usize> {
    match shape {
        Shape { depth: 0, scalar: Scalar::Symbol } => first_of(lists.narrow(list), value as u32),
        Shape { depth: 0, scalar: Scalar::Int } => first_of(lists.wide(list), value),
        _ => lists.wide(list).iter().position(|&element| equal(lists, element, value, shape)),
    }
}

/// Where `needle` is first a slice of `list`.
pub(super) fn run(lists: Lists, needle: i64, list: i64, shape: Shape) -> Option<usize> {
    match shape {
        Shape { depth: 0, scalar: Scalar::Symbol } => {
            run_of(lists.narrow(needle), lists.narrow(list))
        }
        Shape { depth: 0, scalar: Scalar::Int } => run_of(lists.wide(needle), lists.wide(list)),
        _ => {
            let (size, within) = (List::from(needle).size, List::from(list));
            let last = within.size.checked_sub(size)?;
            let position = (0..=last).find(|&position| {
                same(lists, within.run(position, size, shape).cell(), needle, shape)
            })?;
            Some(position as usize)
        }
    }
}

pub(super) fn position(
    lists: Lists,
    value: i64,
    list: i64,
    shape: Shape,
) -> Result<i64, FaultKind> {
    Ok(first(lists, value, list, shape).ok_or(FaultKind::NotFound)? as i64)
}

pub(super) fn around(
    lists: Lists,
    [margin, needle, list]: [i64; 3],
    shape: Shape,
) -> Result<i64, FaultKind> {
    if margin < 0 {
        return Err(FaultKind::Negative);
    }
    let within = List::from(list);
    let position = run(lists, needle, list, shape).ok_or(FaultKind::NotFound)? as i64;
    let end = position + List::from(needle).size as i64;
    let low = (position - margin.min(position)) as u32;
    let high = end.saturating_add(margin).min(within.size as i64) as u32;
    Ok(within.run(low, high - low, shape).cell())
}

pub(super) fn after(lists: Lists, needle: i64, list: i64, shape: Shape) -> Result<i64, FaultKind> {
    let within = List::from(list);
    let position = run(lists, needle, list, shape).ok_or(FaultKind::NotFound)? as u32;
    let end = position + List::from(needle).size;
    Ok(within.run(end, within.size - end, shape).cell())
}

pub(super) fn before(lists: Lists, needle: i64, list: i64, shape: Shape) -> Result<i64, FaultKind> {
    let position = run(lists, needle, list, shape).ok_or(FaultKind::NotFound)? as u32;
    Ok(List::from(list).run(0, position, shape).cell())
}

/// How many elements are compared before the next branch: enough for the widest vectors.
const BLOCK: usize = 32;

/// The index of the first element equal to `value`.
fn first_of<T: Copy + PartialEq>(list: &[T], value: T) -> Option<usize> {
    let (blocks, _) = list.as_chunks::<BLOCK>();
    let hit = |block: &[T; BLOCK]| block.iter().fold(false, |any, &x| any | (x == value));
    let start = blocks.iter().position(hit).unwrap_or(blocks.len()) * BLOCK;
    list[start..].iter().position(|&x| x == value).map(|index| start + index)
}

/// The index of the first symbol that is one of a few.
pub(super) fn first_among(list: &[u32], few: &[u32]) -> Option<usize> {
    let (blocks, _) = list.as_chunks::<BLOCK>();
    let hit = |block: &[u32; BLOCK]| {
        few.iter().any(|&one| block.iter().fold(false, |any, &symbol| any | (symbol == one)))
    };
    let start = blocks.iter().position(hit).unwrap_or(blocks.len()) * BLOCK;
    list[start..].iter().position(|symbol| few.contains(symbol)).map(|index| start + index)
}

/// Where `needle` is first a slice of `list`: positions with its first element, then the rest.
fn run_of<T: Copy + PartialEq>(needle: &[T], list: &[T]) -> Option<usize> {
    let Some((&head, rest)) = needle.split_first() else { return Some(0) };
    let positions = list.len().checked_sub(rest.len())?;
    let mut start = 0;
    loop {
        let position = start + first_of(&list[start..positions], head)?;
        if &list[position + 1..][..rest.len()] == rest {
            return Some(position);
        }
        start = position + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_found_where_a_plain_search_finds_them() {
        let list: Vec<u32> = (0..200).map(|i| i * i % 7).collect();
        for start in 0..200 {
            for size in 0..(200 - start).min(9) {
                let needle = &list[start..start + size];
                let plain = (0..=200 - size).find(|&i| list[i..].starts_with(needle));
                assert_eq!(run_of(needle, &list), plain);
            }
        }
        assert_eq!(run_of(&[9], &list), None);
        assert_eq!(run_of(&[1; 201], &list), None);
    }
    #[test]
    fn the_first_of_a_few_symbols_is_found_where_a_plain_search_finds_it() {
        let list: Vec<u32> = (0..200).map(|i| i * i % 97).collect();
        for few in [&[][..], &[4], &[96, 81], &[1000], &[5, 61, 0]] {
            for start in 0..200 {
                let list = &list[start..];
                let plain = list.iter().position(|symbol| few.contains(symbol));
                assert_eq!(first_among(list, few), plain);
            }
        }
    }
}
