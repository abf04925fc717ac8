//! A set of indices, as ranges: those of a data set that is in order are one.

use std::collections::BTreeMap;

/// The ranges by their starts, none of which touches another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    /// Adds an index; false if it is there.
    pub fn insert(&mut self, index: u64) -> bool {
        let before = self.0.range(..=index).next_back().map(|(&start, &end)| (start, end));
        let after = index.checked_add(1).and_then(|next| Some((next, *self.0.get(&next)?)));
        match (before, after) {
            // The ends are in: the last of all indices has none after it.
            (Some((_, end)), _) if end >= index => return false,
            (Some((start, end)), after) if end + 1 == index => {
                let end = after.map_or(index, |(next, end)| {
                    self.0.remove(&next);
                    end
                });
                self.0.insert(start, end);
            }
            (_, Some((next, end))) => {
                self.0.remove(&next);
                self.0.insert(index, end);
            }
            _ => _ = self.0.insert(index, index),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_new_once_whatever_the_order() {
        let mut ranges = Ranges::default();
        for index in [5, 3, 4, 9, u64::MAX, 8, 0, 1, u64::MAX - 1] {
            assert!(ranges.insert(index), "{index}");
            assert!(!ranges.insert(index), "{index}");
        }
        let found: Vec<(u64, u64)> = ranges.0.into_iter().collect();
        assert_eq!(found, [(0, 1), (3, 5), (8, 9), (u64::MAX - 1, u64::MAX)]);
    }
}
