//! How long texts are: all lengths with how many texts have each.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Lengths, with how many texts have each: texts have few different ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lengths {
    rows: BTreeMap<u64, u64>,
    count: u64,
}

/// Some lengths of a histogram, both ends in, and how many texts have one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bin {
    /// The least.
    pub from: u64,
    /// The greatest.
    pub to: u64,
    /// The texts.
    pub rows: u64,
}

impl Lengths {
    /// Counts a text.
    pub fn add(&mut self, length: u64) {
        *self.rows.entry(length).or_default() += 1;
        self.count += 1;
    }

    /// The length that this share of texts does not exceed; none without a text.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let wanted = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut before = 0;
        let reached = self.rows.iter().find(|(_, rows)| {
            before += **rows;
            before >= wanted
        });
        reached.map(|(length, _)| *length)
    }

    /// The mean; 0 without a text.
    pub fn mean(&self) -> f64 {
        let sum: f64 = self.rows.iter().map(|(length, rows)| *length as f64 * *rows as f64).sum();
        if self.count == 0 { 0.0 } else { sum / self.count as f64 }
    }

    /// At most this many bins, equally wide, from the least length to the greatest.
    pub fn bins(&self, most: u64) -> Vec<Bin> {
        let (Some((&least, _)), Some((&greatest, _))) =
            (self.rows.first_key_value(), self.rows.last_key_value())
        else {
            return Vec::new();
        };
        let width = (greatest - least + 1).div_ceil(most);
        let mut bins = Vec::new();
        let mut from = least;
        while from <= greatest {
            let to = (from + width - 1).min(greatest);
            let rows = self.rows.range(from..=to).map(|(_, rows)| rows).sum();
            bins.push(Bin { from, to, rows });
            from = to + 1;
        }
        bins
    }

    /// The same for programs; null without a text.
    pub fn json(&self, bins: u64) -> Value {
        if self.count == 0 {
            return Value::Null;
        }
        let bin = |bin: &Bin| json!({ "from": bin.from, "to": bin.to, "rows": bin.rows });
        json!({
            "least": self.quantile(0.0), "p5": self.quantile(0.05), "median": self.quantile(0.5),
            "mean": self.mean(), "p95": self.quantile(0.95), "greatest": self.quantile(1.0),
            "histogram": self.bins(bins).iter().map(bin).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_bins_hold_every_text_once() {
        let mut lengths = Lengths::default();
        assert_eq!((lengths.quantile(0.5), lengths.bins(4).len()), (None, 0));
        (1..=100).for_each(|length| lengths.add(length));
        lengths.add(100);
        let found = [0.0, 0.05, 0.5, 0.95, 1.0].map(|share| lengths.quantile(share));
        assert_eq!(found, [1, 6, 51, 96, 100].map(Some));
        let bins = lengths.bins(4);
        assert_eq!(bins.iter().map(|bin| bin.rows).collect::<Vec<_>>(), [25, 25, 25, 26]);
        assert_eq!(bins[3], Bin { from: 76, to: 100, rows: 26 });
    }
}
