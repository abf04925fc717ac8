//! How likely a row of votes is, and what it says of its right label and of the groups' sources.

use super::channel::{Groups, Parameters, Shape};
use super::votes::{MISSING, Table};

/// Logarithms of a fit's probabilities, looked up for every vote.
pub struct Logs {
    pub shape: Shape,
    prior: Vec<f64>,
    own: Vec<Vec<f64>>,
    /// Of a member: not copied and voted so; and by what that grows if the source voted so too.
    copied: Vec<Vec<[f64; 2]>>,
    /// The share of copies among votes that equal the source's.
    pub share: Vec<Vec<f64>>,
    source: Vec<Vec<f64>>,
    /// The voters of each group, without one that shows its source.
    pub members: Vec<Vec<usize>>,
    shown: Option<usize>,
    /// The voters outside all groups.
    pub single: Vec<usize>,
    /// Of one coin: the odds of a source that is right against one certain other label.
    odds: Vec<f64>,
}

impl Logs {
    pub fn new(table: &Table, groups: &Groups, parameters: &Parameters) -> Logs {
        let shape = Shape::new(table);
        let logs = |all: &Vec<f64>| all.iter().map(|one| one.ln()).collect::<Vec<f64>>();
        let of_group = |voter: usize| groups[voter].map_or(0.0, |_| parameters.copied[voter]);
        let each = |voter: usize, of: &dyn Fn(f64, f64) -> [f64; 2]| -> Vec<[f64; 2]> {
            parameters.own[voter].iter().map(|own| of(*own, of_group(voter))).collect()
        };
        let grown = |own: f64, c: f64| {
            let alone = (1.0 - c) * own;
            [alone.ln(), (c / alone).ln_1p()]
        };
        let share = |own: f64, c: f64| c / (c + (1.0 - c) * own);
        let voters = 0..table.voters;
        let is_member =
            |at: usize, group| groups[at] == Some(group) && parameters.shown != Some(at);
        let members = (0..parameters.source.len())
            .map(|group| voters.clone().filter(|at| is_member(*at, group)).collect());
        Logs {
            shape,
            prior: logs(&parameters.prior),
            own: parameters.own.iter().map(logs).collect(),
            copied: voters.clone().map(|voter| each(voter, &grown)).collect(),
            share: voters
                .clone()
                .map(|voter| {
                    let own = parameters.own[voter].iter();
                    own.map(|own| share(*own, of_group(voter))).collect()
                })
                .collect(),
            source: parameters.source.iter().map(logs).collect(),
            members: members.collect(),
            single: voters.filter(|voter| groups[*voter].is_none()).collect(),
            shown: parameters.shown,
            odds: parameters.source.iter().map(|one| one[shape.cell(0, 0)] / one[0]).collect(),
        }
    }

    /// The logarithm of `P(y)`; of one coin, the last `y` stands for all labels without a vote.
    fn prior(&self, right: usize, seen: usize) -> f64 {
        match (self.shape.is_coin, right < seen) {
            (false, _) => self.prior[right],
            (true, true) => -(self.shape.options as f64).ln(),
            (true, false) => ((self.shape.options - seen) as f64 / self.shape.options as f64).ln(),
        }
    }

    /// The logarithm of `P(s | y)`, and which share of it is of sources that are right.
    pub fn source(&self, group: usize, right: usize, label: usize, seen: usize) -> (f64, f64) {
        let all = &self.source[group];
        if !self.shape.is_coin {
            return (all[right * self.shape.options + label], f64::from(right == label));
        }
        match (right == label, label < seen) {
            (true, true) => (all[1], 1.0),
            (false, true) => (all[0], 0.0),
            (same, false) => {
                let unseen = (self.shape.options - seen) as f64;
                let others = if same { unseen - 1.0 } else { unseen };
                let odds = if same { self.odds[group] } else { 0.0 };
                (all[0] + (others + odds).ln(), odds / (others + odds))
            }
        }
    }

    /// For each `y` its probability given a row; returns the row's logarithmic likelihood.
    pub fn posterior(&self, row: &[u16], seen: usize, out: &mut Scratch) -> f64 {
        let states = self.states(seen);
        out.right.clear();
        out.source.clear();
        for right in 0..states {
            let mut log = self.prior(right, seen);
            for voter in &self.single {
                if row[*voter] != MISSING {
                    log += self.own[*voter][self.shape.cell(right, row[*voter] as usize)];
                }
            }
            for (group, members) in self.members.iter().enumerate() {
                let from = out.source.len();
                let shown = self.shown.map_or(MISSING, |voter| row[voter]);
                for label in 0..states {
                    let is_it = shown == MISSING || shown as usize == label;
                    let log = self.source(group, right, label, seen).0;
                    out.source.push(if is_it { log } else { f64::NEG_INFINITY });
                }
                for voter in members.iter().filter(|voter| row[**voter] != MISSING) {
                    let label = row[*voter] as usize;
                    let [alone, grown] = self.copied[*voter][self.shape.cell(right, label)];
                    log += alone;
                    out.source[from + label] += grown;
                }
                log += normalise(&mut out.source[from..]);
            }
            out.right.push(log);
        }
        normalise(&mut out.right)
    }

    /// How many `y` a row has: the labels by number, and "none of these" if there are others.
    pub fn states(&self, seen: usize) -> usize {
        seen + usize::from(self.shape.is_coin && seen < self.shape.options)
    }
}

/// What a row's E-step needs.
#[derive(Debug, Default)]
pub struct Scratch {
    /// `P(y | row)`
    pub right: Vec<f64>,
    /// `P(s | y, row)` for each `y`, group and `s`.
    pub source: Vec<f64>,
}

/// Logarithms to probabilities; returns the logarithm of their sum.
fn normalise(logs: &mut [f64]) -> f64 {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for log in logs.iter_mut() {
        *log = (*log - most).exp();
        sum += *log;
    }
    logs.iter_mut().for_each(|one| *one /= sum);
    most + sum.ln()
}
