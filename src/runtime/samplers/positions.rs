//! Random positions of a list: different ones, any ones, and elements in random order.

use crate::runtime::lanes::Lanes;
use crate::runtime::random::Stream;

/// From this many elements on, a draw takes its words from eight lanes.
const BULK: usize = 32;
/// Where a list of marks is at most this many times as long as the positions marked, clearing all
/// of it is faster than clearing each.
const CLEAR_ALL: usize = 64;

/// Fills `into` with different positions below `marks.len()` that are not marked, in random order;
/// `left` is the number of those. How it is done depends on the three sizes alone.
///
/// *Sparse*, if at most half of the positions are taken or marked in the end: draw a position, and
/// again where it is marked, and mark it. *Dense*: list the positions that are left, and shuffle
/// the front. Marks are left on; see [`unmark`].
pub(super) fn distinct(
    stream: &mut Stream,
    marks: &mut [u8],
    left: u32,
    rest: &mut Vec<u32>,
    into: &mut [u32],
) {
    let marked = marks.len() - left as usize;
    let is_sparse = 2 * (into.len() + marked) <= marks.len();
    let is_bulk = into.len() >= BULK;
    if is_sparse && is_bulk {
        sparse_bulk(&mut Lanes::new(stream), marks, into);
    } else if is_sparse {
        sparse(stream, marks, into);
    } else {
        rest.clear();
        let positions = marks.iter().zip(0..).filter(|&(&mark, _)| mark == 0);
        rest.extend(positions.map(|(_, position)| position));
        shuffle_front(stream, rest, into.len());
        into.copy_from_slice(&rest[..into.len()]);
    }
}

fn sparse(stream: &mut Stream, marks: &mut [u8], into: &mut [u32]) {
    for position in into {
        *position = loop {
            let position = stream.below(marks.len() as u32);
            if marks[position as usize] == 0 {
                break position;
            }
        };
        marks[*position as usize] = 1;
    }
}

/// No branch depends on whether a position repeats: it is written, and kept if it was not marked.
fn sparse_bulk(lanes: &mut Lanes, marks: &mut [u8], into: &mut [u32]) {
    let size = marks.len() as u32;
    let threshold = size.wrapping_neg() % size;
    let mut have = 0;
    while have < into.len() {
        for &word in lanes.take(into.len() - have) {
            let product = word as u64 * size as u64;
            if (product as u32) < threshold {
                continue;
            }
            let position = (product >> 32) as u32;
            let mark = &mut marks[position as usize];
            into[have] = position;
            have += (*mark ^ 1) as usize;
            *mark = 1;
        }
    }
}

/// Takes the marks of these positions off, if not all of them. No other mark may be needed still.
pub(super) fn unmark(marks: &mut [u8], positions: impl ExactSizeIterator<Item = u32>) {
    if marks.len() <= CLEAR_ALL * positions.len() {
        marks.fill(0);
        return;
    }
    for position in positions {
        if let Some(mark) = marks.get_mut(position as usize) {
            *mark = 0;
        }
    }
}

/// Fills `into` with positions below `size`, each drawn from all.
pub(super) fn any(stream: &mut Stream, size: u32, into: &mut [u32]) {
    if into.len() < BULK {
        into.fill_with(|| stream.below(size));
        return;
    }
    any_bulk(&mut Lanes::new(stream), size, into);
}

fn any_bulk(lanes: &mut Lanes, size: u32, into: &mut [u32]) {
    let threshold = size.wrapping_neg() % size;
    let mut have = 0;
    while have < into.len() {
        let words = lanes.take(into.len() - have);
        let products = words.iter().map(|&word| word as u64 * size as u64);
        let is_rare = |product: u64| (product as u32) < threshold;
        if products.clone().fold(false, |any, product| any | is_rare(product)) {
            for product in products.filter(|&product| !is_rare(product)) {
                into[have] = (product >> 32) as u32;
                have += 1;
            }
        } else {
            for (position, product) in into[have..].iter_mut().zip(products) {
                *position = (product >> 32) as u32;
            }
            have += words.len();
        }
    }
}

/// Puts a random choice of `count` elements, in random order, to the front (Fisher and Yates).
pub(super) fn shuffle_front<T>(stream: &mut Stream, elements: &mut [T], count: usize) {
    if count < BULK {
        shuffle_front_by(|range| stream.below(range), elements, count);
    } else {
        let mut lanes = Lanes::new(stream);
        shuffle_front_by(|range| lanes.below(range), elements, count);
    }
}

#[inline(always)]
fn shuffle_front_by<T>(mut below: impl FnMut(u32) -> u32, elements: &mut [T], count: usize) {
    let size = elements.len();
    for index in 0..count.min(size.saturating_sub(1)) {
        let other = index + below((size - index) as u32) as usize;
        elements.swap(index, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What bulk draws below `size` mean: word by word, without those drawn again.
    fn plain(lanes: &mut Lanes, size: u64) -> impl Iterator<Item = u32> {
        let words = std::iter::repeat_with(|| lanes.take(1)[0] as u64);
        let products = words.map(move |word| word * size);
        let kept = products.filter(move |product| product % (1 << 32) >= (1 << 32) % size);
        kept.map(|product| (product >> 32) as u32)
    }

    #[test]
    fn bulk_draws_skip_words_that_would_favour_some_places() {
        let mut into = [0; 200];
        any_bulk(&mut Lanes::with_zero_word(), 100, &mut into);
        assert!(plain(&mut Lanes::with_zero_word(), 100).take(200).eq(into));
        // Here nearly every second word is drawn again.
        let size = (1 << 31) + 1;
        any_bulk(&mut Lanes::with_zero_word(), size, &mut into);
        assert!(plain(&mut Lanes::with_zero_word(), size as u64).take(200).eq(into));
    }

    #[test]
    fn bulk_draws_of_different_places_skip_repeats() {
        let (mut into, mut marks) = ([0; 200], [0; 1000]);
        sparse_bulk(&mut Lanes::with_zero_word(), &mut marks, &mut into);
        let mut seen = std::collections::HashSet::new();
        let mut lanes = Lanes::with_zero_word();
        let meant = plain(&mut lanes, 1000).filter(|&position| seen.insert(position));
        assert!(meant.take(200).eq(into));
    }

    #[test]
    fn all_marks_are_off_again() {
        for (size, count) in [(1000, 3), (1000, 400), (100_000, 40)] {
            let (mut marks, mut into) = (vec![0; size], vec![0; count]);
            let mut stream = Stream::from_state([1, 2, 3, 4]);
            distinct(&mut stream, &mut marks, size as u32, &mut Vec::new(), &mut into);
            unmark(&mut marks, into.into_iter());
            assert!(marks.iter().all(|&mark| mark == 0));
        }
    }
}
