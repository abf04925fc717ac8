//! How often each value comes, as long as there are few different ones.

use std::collections::HashMap;

use serde_json::{Value, json};

/// The most different values that are counted.
const DIFFERENT_MAX: usize = 1 << 16;
/// The most characters of a value that are shown.
const SHOWN_MAX: usize = 60;

/// Values by their hashes, with how often each comes.
#[derive(Clone, Debug, Default)]
pub struct Values {
    counts: HashMap<u64, (u64, String)>,
    rows: u64,
    /// More different values came than are counted.
    is_over: bool,
}

/// A value that comes often.
#[derive(Clone, Debug, PartialEq)]
pub struct Top {
    /// Its beginning.
    pub value: String,
    /// The rows that have it.
    pub rows: u64,
    /// The same as a share of all.
    pub share: f64,
}

/// The beginning of a value on one line.
pub fn shown(value: &str) -> String {
    let line = value.replace('\n', " ⏎ ");
    match line.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

impl Values {
    /// Counts a value by its hash.
    pub fn add(&mut self, hash: u64, value: String) {
        self.rows += 1;
        if self.is_over {
            return;
        }
        self.counts.entry(hash).or_insert((0, value)).0 += 1;
        if self.counts.len() > DIFFERENT_MAX {
            (self.counts, self.is_over) = (HashMap::new(), true);
        }
    }

    /// The entropy of a row's value in bits: the base-2 logarithm of how many there are, if all are
    /// equally frequent; none if there are too many to count.
    pub fn entropy(&self) -> Option<f64> {
        let mut counts: Vec<u64> = self.counts.values().map(|(count, _)| *count).collect();
        // In one order, so that the sum has the same bits.
        counts.sort_unstable();
        let share = |count: u64| count as f64 / self.rows as f64;
        let sum: f64 = counts.into_iter().map(|count| -share(count) * share(count).log2()).sum();
        (!self.is_over).then_some(sum.max(0.0))
    }

    /// The most frequent values; none if there are too many to count.
    pub fn top(&self, most: usize) -> Option<Vec<Top>> {
        let mut all: Vec<(&u64, &(u64, String))> = self.counts.iter().collect();
        all.sort_by(|(a, (rows, one)), (b, (others, other))| {
            others.cmp(rows).then_with(|| one.cmp(other)).then_with(|| a.cmp(b))
        });
        let top = all.into_iter().take(most).map(|(_, (rows, value))| Top {
            value: value.clone(),
            rows: *rows,
            share: *rows as f64 / self.rows as f64,
        });
        (!self.is_over).then(|| top.collect())
    }
}

impl Top {
    /// The same for programs.
    pub fn json(&self) -> Value {
        json!({ "value": self.value, "rows": self.rows, "share": self.share })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_values_come_first_and_equal_shares_have_all_the_entropy() {
        let mut values = Values::default();
        for (hash, value) in
            [(1, "yes"), (2, "no"), (1, "yes"), (3, "never"), (1, "yes"), (2, "no")]
        {
            values.add(hash, value.to_string());
        }
        let top = values.top(2).expect("few");
        assert_eq!((top[0].value.as_str(), top[0].rows, top[1].rows), ("yes", 3, 2));
        assert!(values.entropy().expect("few") < 3_f64.log2());
        let mut equal = Values::default();
        (0..8).for_each(|hash| equal.add(hash, hash.to_string()));
        assert_eq!(equal.entropy(), Some(3.0));
        (0..=DIFFERENT_MAX as u64).for_each(|hash| equal.add(hash, String::new()));
        assert_eq!((equal.entropy(), equal.top(1)), (None, None));
        assert_eq!(shown(&"é".repeat(70)).chars().count(), SHOWN_MAX + 1);
    }
}
