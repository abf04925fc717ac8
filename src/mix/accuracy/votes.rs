//! Votes as the model reads them: a row a kind of item, equal rows counted once.

use std::collections::BTreeMap;

/// A voter that has no vote on an item.
pub const MISSING: u16 = u16::MAX;

/// What several voters said about items.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Votes {
    /// The names of the voters.
    pub voters: Vec<String>,
    /// For each item the label of each voter, as a number; [`MISSING`] where there is none.
    pub items: Vec<Vec<u16>>,
    /// The right label of each item, where it is known.
    pub gold: Vec<Option<u16>>,
    /// Among how many options a voter chooses.
    pub options: usize,
    /// What the labels of all items are called, such as `yes`; none where they are free text.
    pub labels: Option<Vec<String>>,
    /// How alike free texts are, where that is more than equal or not.
    pub soft: Option<Soft>,
}

/// How alike answers are, from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Soft {
    /// For each item all pairs of voters, by `pair`.
    pub pairs: Vec<Vec<f32>>,
    /// For each item how alike each answer is to the right one.
    pub gold: Vec<Option<Vec<f32>>>,
    /// How alike answers to different items are.
    pub chance: f64,
}

impl Votes {
    /// The share of a voter's votes that are the right label, and how many items that is about.
    pub fn labelled(&self, voter: usize) -> Option<(f64, usize)> {
        let items = self.items.iter().enumerate().filter(|(_, item)| item[voter] != MISSING);
        let judged: Vec<f64> = items
            .filter_map(|(at, item)| match &self.soft {
                Some(soft) => soft.gold[at].as_ref().map(|alike| f64::from(alike[voter])),
                None => self.gold[at].map(|gold| f64::from(gold == item[voter])),
            })
            .collect();
        let right: f64 = judged.iter().sum();
        (!judged.is_empty()).then(|| (right / judged.len() as f64, judged.len()))
    }

    /// The votes of some of the voters.
    pub fn of(&self, voters: &[usize]) -> Votes {
        let row = |item: &Vec<u16>| voters.iter().map(|voter| item[*voter]).collect();
        let alike = |all: &Vec<f32>| {
            let pairs = pairs(voters.len());
            let mut kept = vec![0.0; voters.len() * voters.len().saturating_sub(1) / 2];
            for (a, b) in pairs {
                let (one, other) = (voters[a].min(voters[b]), voters[a].max(voters[b]));
                kept[pair(a, b)] = all[pair(one, other)];
            }
            kept
        };
        Votes {
            voters: voters.iter().map(|voter| self.voters[*voter].clone()).collect(),
            items: self.items.iter().map(row).collect(),
            gold: Vec::new(),
            options: self.options,
            labels: self.labels.clone(),
            soft: self.soft.as_ref().map(|soft| Soft {
                pairs: soft.pairs.iter().map(alike).collect(),
                gold: Vec::new(),
                chance: soft.chance,
            }),
        }
    }
}

/// How the labels of a row are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// In the order of their first vote: the model knows equal from unequal labels.
    Row,
    /// As in all rows: the model may know that a voter prefers a label.
    All,
}

/// The rows of a model.
#[derive(Clone, Debug)]
pub struct Table {
    pub voters: usize,
    pub options: usize,
    pub numbering: Numbering,
    /// Row after row, a number for each voter.
    pub votes: Vec<u16>,
    /// How many labels may be the right one by number; beside them there is "none of these".
    pub seen: Vec<u16>,
    /// How many items have this row.
    pub counts: Vec<f64>,
    /// The row of each item.
    pub row_of: Vec<usize>,
}

impl Table {
    /// The rows of these votes.
    pub fn new(votes: &Votes, numbering: Numbering) -> Table {
        let mut table = Table {
            voters: votes.voters.len(),
            options: votes.options,
            numbering,
            votes: Vec::new(),
            seen: Vec::new(),
            counts: Vec::new(),
            row_of: Vec::with_capacity(votes.items.len()),
        };
        let mut known: BTreeMap<Vec<u16>, usize> = BTreeMap::new();
        for item in &votes.items {
            let (row, seen) = match numbering {
                Numbering::All => (item.clone(), votes.options as u16),
                Numbering::Row => renumbered(item),
            };
            let next = table.counts.len();
            let at = *known.entry(row.clone()).or_insert(next);
            if at == next {
                table.votes.extend(row);
                table.seen.push(seen);
                table.counts.push(0.0);
            }
            table.counts[at] += 1.0;
            table.row_of.push(at);
        }
        table
    }

    /// The votes of a row.
    pub fn row(&self, at: usize) -> &[u16] {
        &self.votes[at * self.voters..(at + 1) * self.voters]
    }

    /// How many items there are.
    pub fn items(&self) -> f64 {
        self.counts.iter().sum()
    }

    /// The same rows with other counts.
    pub fn recounted(&self, counts: Vec<f64>) -> Table {
        Table { counts, ..self.clone() }
    }
}

/// A row's labels by the order of their first vote, and how many there are.
fn renumbered(item: &[u16]) -> (Vec<u16>, u16) {
    let mut order: Vec<u16> = Vec::new();
    let row = item.iter().map(|label| {
        if *label == MISSING {
            return MISSING;
        }
        let at = order.iter().position(|known| known == label).unwrap_or_else(|| {
            order.push(*label);
            order.len() - 1
        });
        at as u16
    });
    let row = row.collect();
    (row, order.len() as u16)
}

/// All pairs of voters, the lesser number first.
pub fn pairs(voters: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..voters).flat_map(move |a| (a + 1..voters).map(move |b| (a, b)))
}

/// The place of a pair among those whose second voter comes in order.
pub fn pair(a: usize, b: usize) -> usize {
    b * (b - 1) / 2 + a
}
