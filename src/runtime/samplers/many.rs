//! Samplers that make lists.

use crate::runtime::FaultKind;
use crate::runtime::arena::{Arena, List};
use crate::runtime::builtins::{copied, part, remaining};
use crate::runtime::random::Stream;
use crate::runtime::samplers::positions;
use crate::runtime::scratch::Scratch;
use crate::runtime::shape::Shape;

/// A draw that makes a list.
pub(super) struct Draw<'m> {
    pub arena: &'m mut Arena,
    pub scratch: &'m mut Scratch,
    pub stream: &'m mut Stream,
    /// Of the elements.
    pub shape: Shape,
}

impl Draw<'_> {
    pub fn distinct(&mut self, count: i64, list: i64) -> Result<i64, FaultKind> {
        let size = List::from(list).size;
        let count = part(count, size)?;
        self.at_positions(list, count, |stream, scratch, into| {
            distinct_below(stream, scratch, size, into);
        })
    }

    /// From a slice of `vocab`, the tokens that are gone are marked; from any other list, the
    /// positions that are left are listed.
    pub fn distinct_without(&mut self, operands: [i64; 3]) -> Result<i64, FaultKind> {
        match self.scratch.vocab_start(List::from(operands[2]), self.shape) {
            Some(start) => self.distinct_unmarked(operands, start),
            None => self.distinct_left(operands),
        }
    }

    fn distinct_unmarked(
        &mut self,
        [count, gone, list]: [i64; 3],
        start: u32,
    ) -> Result<i64, FaultKind> {
        let Draw { arena, scratch, stream, .. } = self;
        let size = List::from(list).size;
        let marks = scratch.marks.below(size as usize);
        let position = |&symbol: &u32| symbol.wrapping_sub(start);
        let mut left = size;
        for gone in arena.lists().narrow(gone).iter().map(position) {
            if let Some(mark) = marks.get_mut(gone as usize) {
                left -= (*mark == 0) as u32;
                *mark = 1;
            }
        }
        let made = part(count, left).and_then(|count| {
            let (_, into) = arena.room_narrow(count as usize)?;
            positions::distinct(stream, marks, left, &mut scratch.rest, into);
            positions::unmark(marks, into.iter().copied());
            into.iter_mut().for_each(|position| *position += start);
            Ok(arena.keep_narrow(count as usize))
        });
        positions::unmark(marks, arena.lists().narrow(gone).iter().map(position));
        made
    }

    fn distinct_left(&mut self, [count, gone, list]: [i64; 3]) -> Result<i64, FaultKind> {
        let mut left = std::mem::take(&mut self.scratch.left);
        let set = &mut self.scratch.set;
        remaining(self.arena.lists(), set, [gone, list], self.shape, &mut left);
        let made = part(count, left.len() as u32).and_then(|count| {
            self.at_positions(list, count, |stream, scratch, into| {
                distinct_below(stream, scratch, left.len() as u32, into);
                into.iter_mut().for_each(|position| *position = left[*position as usize]);
            })
        });
        self.scratch.left = left;
        made
    }

    pub fn draw(&mut self, count: i64, list: i64) -> Result<i64, FaultKind> {
        let size = List::from(list).size;
        if count < 0 {
            return Err(FaultKind::Negative);
        }
        if count > 0 && size == 0 {
            return Err(FaultKind::Empty);
        }
        let count = u32::try_from(count).map_err(|_| FaultKind::Memory)?;
        self.at_positions(list, count, |stream, _, into| positions::any(stream, size, into))
    }

    pub fn shuffle(&mut self, list: i64) -> Result<i64, FaultKind> {
        let copy = copied(self.arena, list, self.shape)?;
        let size = List::from(list).size as usize;
        if self.shape.is_narrow() {
            positions::shuffle_front(self.stream, self.arena.narrow_mut(copy), size);
        } else {
            positions::shuffle_front(self.stream, self.arena.wide_mut(copy), size);
        }
        Ok(copy)
    }

    /// The cuts are different positions between two elements.
    pub fn split(&mut self, count: i64, list: i64) -> Result<i64, FaultKind> {
        let list = List::from(list);
        if count < 1 {
            return Err(FaultKind::NotPositive);
        }
        let count = part(count, list.size)? as usize;
        let mut cuts = std::mem::take(&mut self.scratch.positions);
        cuts.resize(count - 1, 0);
        distinct_below(self.stream, self.scratch, list.size - 1, &mut cuts);
        cuts.sort_unstable();
        let made = self.arena.room_wide(count).map(|(_, fresh)| {
            let mut start = 0;
            let ends = cuts.iter().map(|cut| cut + 1).chain([list.size]);
            for (part, end) in fresh.iter_mut().zip(ends) {
                *part = list.run(start, end - start, self.shape).cell();
                start = end;
            }
        });
        self.scratch.positions = cuts;
        made.map(|()| self.arena.keep_wide(count))
    }

    /// A list of the elements at the positions that `choose` fills in. Of a slice of `vocab`, a
    /// position is as good as the token.
    fn at_positions(
        &mut self,
        list: i64,
        count: u32,
        choose: impl FnOnce(&mut Stream, &mut Scratch, &mut [u32]),
    ) -> Result<i64, FaultKind> {
        let Draw { arena, scratch, stream, shape } = self;
        let count = count as usize;
        if let Some(start) = scratch.vocab_start(List::from(list), *shape) {
            let (_, into) = arena.room_narrow(count)?;
            choose(stream, scratch, into);
            if start > 0 {
                into.iter_mut().for_each(|position| *position += start);
            }
            return Ok(arena.keep_narrow(count));
        }
        arena.check(count as u64 * shape.halves() as u64)?;
        let mut positions = std::mem::take(&mut scratch.positions);
        positions.resize(count, 0);
        choose(stream, scratch, &mut positions);
        let made = gather(arena, list, *shape, &positions);
        scratch.positions = positions;
        made
    }
}

/// Different positions below `size`.
fn distinct_below(stream: &mut Stream, scratch: &mut Scratch, size: u32, into: &mut [u32]) {
    let marks = scratch.marks.below(size as usize);
    positions::distinct(stream, marks, size, &mut scratch.rest, into);
    positions::unmark(marks, into.iter().copied());
}

fn gather(arena: &mut Arena, list: i64, shape: Shape, positions: &[u32]) -> Result<i64, FaultKind> {
    if shape.is_narrow() {
        let (lists, fresh) = arena.room_narrow(positions.len())?;
        let elements = lists.narrow(list);
        for (element, &position) in fresh.iter_mut().zip(positions) {
            *element = elements[position as usize];
        }
        Ok(arena.keep_narrow(positions.len()))
    } else {
        let (lists, fresh) = arena.room_wide(positions.len())?;
        let elements = lists.wide(list);
        for (element, &position) in fresh.iter_mut().zip(positions) {
            *element = elements[position as usize];
        }
        Ok(arena.keep_wide(positions.len()))
    }
}
