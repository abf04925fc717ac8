//! What was met before, by a hash of 64 bits: a look costs one line of memory.

use std::hint::black_box;

/// Places at the start; always a power of two.
const PLACES: usize = 1 << 6;

/// Entries with their hashes, of which no two are equal; each lies at the place that its hash says,
/// or right after. `HashTable` of hashbrown keeps the signs of its entries apart from these, which
/// is two lines a look where a table is larger than all caches, as it soon is here.
pub struct Table<T> {
    /// A hash of 0 where there is nothing.
    places: Vec<(u64, T)>,
    count: usize,
}

impl<T: Copy + Default> Table<T> {
    /// With nothing in it.
    pub fn new() -> Table<T> {
        Table { places: vec![(0, T::default()); PLACES], count: 0 }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        if self.count > 0 {
            self.places.fill((0, T::default()));
            self.count = 0;
        }
    }

    /// Reads the places of these hashes: they come from memory side by side, and are near when they
    /// are looked at one after the other.
    #[inline]
    pub fn touch(&self, hashes: impl Iterator<Item = u64>) {
        black_box(hashes.fold(0, |all, hash| all ^ self.places[self.place(hash)].0));
    }

    /// The first entry of this hash that is the one.
    #[inline]
    pub fn find(&self, hash: u64, is: impl Fn(T) -> bool) -> Option<T> {
        let hash = hash.max(1);
        let mut place = self.place(hash);
        loop {
            let (known, value) = self.places[place];
            if known == 0 {
                return None;
            }
            if known == hash && is(value) {
                return Some(value);
            }
            place = (place + 1) & (self.places.len() - 1);
        }
    }

    /// Puts in what was not found.
    #[inline]
    pub fn insert(&mut self, hash: u64, value: T) {
        // At most two thirds of the places are taken, so that looks end soon.
        if 3 * self.count >= 2 * self.places.len() {
            self.grow();
        }
        self.count += 1;
        self.put(hash.max(1), value);
    }

    #[inline]
    fn put(&mut self, hash: u64, value: T) {
        let mut place = self.place(hash);
        while self.places[place].0 != 0 {
            place = (place + 1) & (self.places.len() - 1);
        }
        self.places[place] = (hash, value);
    }

    #[inline]
    fn place(&self, hash: u64) -> usize {
        hash as usize & (self.places.len() - 1)
    }

    fn grow(&mut self) {
        let larger = vec![(0, T::default()); 2 * self.places.len()];
        for (hash, value) in std::mem::replace(&mut self.places, larger) {
            if hash != 0 {
                self.put(hash, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_hash_and_by_what_they_are() {
        let mut table = Table::new();
        // Few hashes, whose places are near each other on both sides of the table's end.
        let hash_of = |value: u32| (2 * u64::from(value % 700)).wrapping_sub(600);
        for value in 0..5_000_u32 {
            table.insert(hash_of(value), value);
        }
        for value in 0..5_000_u32 {
            let hash = hash_of(value);
            assert_eq!(table.find(hash, |one| one == value), Some(value));
            assert_eq!(table.find(hash, |one| one == value + 1), None);
        }
        assert_eq!(table.find(401, |_| true), None);
        assert_eq!(table.find(1, |value| value == 300), Some(300));
        table.clear();
        assert_eq!(table.find(0, |_| true), None);
    }
}
