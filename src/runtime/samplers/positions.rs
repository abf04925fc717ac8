//! Random positions of a list: different ones, any ones, and elements in random order.

use crate::runtime::lanes::{Lanes, WORDS};
use crate::runtime::random::Stream;
use crate::wide::wide;

/// From this many elements on, a draw takes its words from eight lanes.
pub(crate) const BULK: usize = 32;
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
        wide!(sparse_bulk(&mut Lanes::new(stream), marks, into));
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
#[inline(always)]
fn sparse_bulk(lanes: &mut Lanes, marks: &mut [u8], into: &mut [u32]) {
    let mut room = [0; WORDS];
    let mut have = 0;
    while have < into.len() {
        for &position in below(lanes, marks.len() as u32, into.len() - have, &mut room) {
            debug_assert!((position as usize) < marks.len() && have < into.len());
            // SAFETY: `below` gives numbers below the size that it is asked for, and at most as
            // many as are missing, of which each adds at most one to `have`.
            unsafe {
                let mark = marks.get_unchecked_mut(position as usize);
                *into.get_unchecked_mut(have) = position;
                have += (*mark ^ 1) as usize;
                *mark = 1;
            }
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
    wide!(any_bulk(&mut Lanes::new(stream), size, into));
}

#[inline(always)]
fn any_bulk(lanes: &mut Lanes, size: u32, into: &mut [u32]) {
    let mut rest = into;
    while !rest.is_empty() {
        let most = rest.len();
        let have = below(lanes, size, most, rest).len();
        rest = &mut rest[have..];
    }
}

/// Numbers below `size`, all equally likely, of at most this many words, at the front of `room`:
/// like [`Stream::below`] of each word, without those that it draws again.
#[inline(always)]
fn below<'r>(lanes: &mut Lanes, size: u32, most: usize, room: &'r mut [u32]) -> &'r [u32] {
    let threshold = size.wrapping_neg() % size;
    let words = lanes.take(most.min(room.len()));
    let mut rare = 0;
    for (number, &word) in room.iter_mut().zip(words) {
        let product = word as u64 * size as u64;
        rare |= u32::from((product as u32) < threshold);
        *number = (product >> 32) as u32;
    }
    let mut have = words.len();
    if rare > 0 {
        have = 0;
        for &word in words {
            let product = word as u64 * size as u64;
            room[have] = (product >> 32) as u32;
            have += usize::from(product as u32 >= threshold);
        }
    }
    &room[..have]
}

/// Puts a random choice of `count` elements, in random order, to the front (Fisher and Yates).
pub(super) fn shuffle_front<T>(stream: &mut Stream, elements: &mut [T], count: usize) {
    // The last element has nothing to change places with.
    let swaps = count.min(elements.len().saturating_sub(1));
    if count < BULK {
        let size = elements.len();
        for at in 0..swaps {
            elements.swap(at, at + stream.below((size - at) as u32) as usize);
        }
    } else {
        wide!(shuffle_bulk(&mut Lanes::new(stream), elements, swaps));
    }
}

#[inline(always)]
fn shuffle_bulk<T>(lanes: &mut Lanes, elements: &mut [T], swaps: usize) {
    let size = elements.len();
    let mut room = [0; WORDS];
    let mut at = 0;
    while at < swaps {
        for &skipped in below_falling(lanes, (size - at) as u32, swaps - at, &mut room) {
            elements.swap(at, at + skipped as usize);
            at += 1;
        }
    }
}

/// The same as [`below`] for ranges that fall by one from number to number.
#[inline(always)]
fn below_falling<'r>(lanes: &mut Lanes, size: u32, most: usize, room: &'r mut [u32]) -> &'r [u32] {
    let words = lanes.take(most.min(room.len()));
    let mut rare = 0;
    for ((number, &word), fallen) in room.iter_mut().zip(words).zip(0..) {
        let range = size - fallen;
        let product = word as u64 * range as u64;
        rare |= u32::from((product as u32) < range);
        *number = (product >> 32) as u32;
    }
    let mut have = words.len();
    if rare > 0 {
        have = 0;
        for &word in words {
            let range = size - have as u32;
            let product = word as u64 * range as u64;
            room[have] = (product >> 32) as u32;
            have += usize::from(product as u32 >= range.wrapping_neg() % range);
        }
    }
    &room[..have]
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
    fn bulk_shuffles_skip_words_that_would_favour_some_places() {
        // Ranges of thousands of millions, where many words are drawn again.
        let (mut lanes, mut room) = (Lanes::with_zero_word(), [0; 64]);
        let size = (1 << 31) + 9;
        let mut found = Vec::new();
        while found.len() < 200 {
            let at = found.len();
            found.extend(below_falling(&mut lanes, size - at as u32, 200 - at, &mut room));
        }
        let mut lanes = Lanes::with_zero_word();
        let meant = (0..200).map(|at| plain(&mut lanes, (size - at).into()).next());
        assert!(meant.eq(found.into_iter().map(Some)));
    }

    #[test]
    fn a_bulk_shuffle_is_fisher_and_yates() {
        let mut elements: Vec<u32> = (0..300).collect();
        shuffle_bulk(&mut Lanes::with_zero_word(), &mut elements, 299);
        let (mut lanes, mut meant) = (Lanes::with_zero_word(), (0..300).collect::<Vec<u32>>());
        for at in 0..299 {
            let skipped = plain(&mut lanes, 300 - at as u64).next().expect("words never end");
            meant.swap(at, at + skipped as usize);
        }
        assert_eq!(elements, meant);
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
