//! The cells that lists lie in: set aside once, filled from the front, freed by moving back.

use crate::runtime::FaultKind;
use crate::runtime::shape::Shape;

/// Offsets of half cells have 32 bits, so an arena holds at most 16 GiB.
const CELLS_MAX: u64 = 1 << 31;

/// Cells after the last that a list may take: machine code copies and compares lists in steps of
/// some elements, the last of which may begin within a list and end outside.
pub(crate) const SLACK_CELLS: u64 = 32;

/// A list handle, unpacked: where its elements start, in half cells, and their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct List {
    pub(crate) start: u32,
    pub(crate) size: u32,
}

impl List {
    pub(crate) const EMPTY: List = List { start: 0, size: 0 };

    /// The slice of `size` elements after the first `skipped`.
    pub(crate) fn run(self, skipped: u32, size: u32, shape: Shape) -> List {
        List { start: self.start + skipped * shape.halves(), size }
    }

    pub(crate) fn cell(self) -> i64 {
        ((self.start as u64) << 32 | self.size as u64) as i64
    }
}

impl From<i64> for List {
    fn from(cell: i64) -> List {
        List { start: (cell as u64 >> 32) as u32, size: cell as u32 }
    }
}

/// The cells of all lists of one thread.
#[derive(Clone, Debug)]
pub(crate) struct Arena {
    pub(crate) cells: Vec<i64>,
    /// Where free memory starts and ends, in half cells; lists start at whole cells.
    pub(crate) cursor: u64,
    pub(crate) limit: u64,
    /// Where the constant front part ends.
    constant: u64,
}

impl Arena {
    pub(crate) fn new(cells: u64) -> Arena {
        let cells = cells.min(CELLS_MAX - 1);
        let all = (cells + SLACK_CELLS) as usize;
        Arena { cells: vec![0; all], cursor: 0, limit: 2 * cells, constant: 0 }
    }

    /// What was made so far stays for ever.
    pub(crate) fn make_constant(&mut self) {
        self.constant = self.cursor;
    }

    pub(crate) fn clear(&mut self) {
        self.cursor = self.constant;
    }

    pub(crate) fn mark(&self) -> i64 {
        self.cursor as i64
    }

    pub(crate) fn release(&mut self, mark: i64) {
        debug_assert!(mark as u64 <= self.cursor, "a mark is older than what it frees");
        self.cursor = (mark as u64).clamp(self.constant, self.cursor);
    }

    pub(crate) fn lists(&self) -> Lists<'_> {
        Lists { cells: &self.cells }
    }

    /// The lists so far, and room for `count` narrow elements after them; fill it, then
    /// [`Arena::keep_narrow`].
    pub(crate) fn room_narrow(
        &mut self,
        count: usize,
    ) -> Result<(Lists<'_>, &mut [u32]), FaultKind> {
        self.check(count as u64)?;
        let (cells, free) = self.cells.split_at_mut(self.cursor as usize / 2);
        Ok((Lists { cells }, &mut bytemuck::cast_slice_mut(free)[..count]))
    }

    /// The lists so far, and room for `count` wide elements after them.
    pub(crate) fn room_wide(&mut self, count: usize) -> Result<(Lists<'_>, &mut [i64]), FaultKind> {
        self.check(2 * count as u64)?;
        let (cells, free) = self.cells.split_at_mut(self.cursor as usize / 2);
        Ok((Lists { cells }, &mut free[..count]))
    }

    /// The first `count` narrow elements of the room become a list.
    pub(crate) fn keep_narrow(&mut self, count: usize) -> i64 {
        self.keep(count, 1)
    }

    /// The first `count` wide elements of the room become a list.
    pub(crate) fn keep_wide(&mut self, count: usize) -> i64 {
        self.keep(count, 2)
    }

    pub(crate) fn push_narrow(&mut self, elements: &[u32]) -> Result<i64, FaultKind> {
        self.room_narrow(elements.len())?.1.copy_from_slice(elements);
        Ok(self.keep_narrow(elements.len()))
    }

    pub(crate) fn push_wide(&mut self, elements: &[i64]) -> Result<i64, FaultKind> {
        self.room_wide(elements.len())?.1.copy_from_slice(elements);
        Ok(self.keep_wide(elements.len()))
    }

    /// A list of this many elements, whose cells are as they were left.
    pub(crate) fn new_list(&mut self, count: u64, shape: Shape) -> Result<i64, FaultKind> {
        self.check(count.saturating_mul(shape.halves() as u64))?;
        Ok(self.keep(count as usize, shape.halves() as u64))
    }

    /// Puts a value into a new list.
    pub(crate) fn put(&mut self, handle: i64, index: usize, value: i64, shape: Shape) {
        let start = List::from(handle).start as usize;
        if shape.is_narrow() {
            bytemuck::cast_slice_mut::<i64, u32>(&mut self.cells)[start + index] = value as u32;
        } else {
            self.cells[start / 2 + index] = value;
        }
    }

    /// The elements of a list that nothing else has seen yet.
    pub(crate) fn narrow_mut(&mut self, handle: i64) -> &mut [u32] {
        let list = List::from(handle);
        let halves: &mut [u32] = bytemuck::cast_slice_mut(&mut self.cells);
        &mut halves[list.start as usize..][..list.size as usize]
    }

    /// The elements of a wide list that nothing else has seen yet.
    pub(crate) fn wide_mut(&mut self, handle: i64) -> &mut [i64] {
        let list = List::from(handle);
        &mut self.cells[list.start as usize / 2..][..list.size as usize]
    }

    /// Does a value of this shape, and all that it refers to, lie in what was made so far?
    pub(crate) fn holds(&self, cell: i64, shape: Shape) -> bool {
        if shape.depth == 0 {
            return true;
        }
        let (list, element) = (List::from(cell), shape.element());
        let end = list.start as u64 + list.size as u64 * element.halves() as u64;
        let inside = end <= self.cursor && (element.is_narrow() || list.start % 2 == 0);
        let deeper = element.depth > 0;
        list.size == 0
            || inside
                && (!deeper
                    || self.lists().wide(cell).iter().all(|&inner| self.holds(inner, element)))
    }

    /// Faults if there is no room for this many half cells.
    pub(crate) fn check(&self, halves: u64) -> Result<(), FaultKind> {
        if halves > self.limit - self.cursor { Err(FaultKind::Memory) } else { Ok(()) }
    }

    fn keep(&mut self, count: usize, halves: u64) -> i64 {
        let list = List { start: self.cursor as u32, size: count as u32 };
        self.cursor += (count as u64 * halves).next_multiple_of(2);
        debug_assert!(self.cursor <= self.limit, "room was taken before it is kept");
        list.cell()
    }
}

/// The lists that exist, to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lists<'a> {
    cells: &'a [i64],
}

impl<'a> Lists<'a> {
    pub(crate) fn narrow(self, handle: i64) -> &'a [u32] {
        let list = List::from(handle);
        let halves: &[u32] = bytemuck::cast_slice(self.cells);
        &halves[list.start as usize..][..list.size as usize]
    }

    pub(crate) fn wide(self, handle: i64) -> &'a [i64] {
        let list = List::from(handle);
        &self.cells[list.start as usize / 2..][..list.size as usize]
    }

    /// The cells of all elements, whatever their shape.
    pub(crate) fn cells(self, handle: i64, shape: Shape) -> impl ExactSizeIterator<Item = i64> {
        let size = List::from(handle).size as usize;
        (0..size).map(move |index| self.element(handle, index, shape))
    }

    /// The cell of one element, whatever its shape.
    pub(crate) fn element(self, handle: i64, index: usize, shape: Shape) -> i64 {
        if shape.is_narrow() { self.narrow(handle)[index] as i64 } else { self.wide(handle)[index] }
    }
}
