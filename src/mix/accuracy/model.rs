//! The model of the votes: Dawid and Skene's, where groups of voters copy a source, fitted by EM.
//!
//! An item has a right label `y`. A voter outside all groups votes by its channel `P(v | y)`. A
//! group has a source, one more vote `s ~ P(s | y)` that is not seen; a member copies it with the
//! group's probability `c` and votes by its own channel otherwise. A channel is either one accuracy
//! with equally likely errors (one coin), or a confusion matrix (Dawid and Skene, 1979).

use super::channel::{Groups, Parameters, Shape, count_of};
use super::likelihood::{Logs, Scratch};
use super::votes::{MISSING, Table};

/// Votes that the prior is worth: they draw each accuracy to the mean of all.
const PRIOR: f64 = 4.0;
/// No probability is nearer to 0 or 1.
const EPSILON: f64 = 1e-4;
/// The passes end where no accuracy moved by more.
const TOLERANCE: f64 = 2e-5;

/// What a fit came to.
#[derive(Clone, Debug)]
pub struct Fit {
    pub groups: Groups,
    pub parameters: Parameters,
    /// The expected share of right votes of each voter.
    pub accuracy: Vec<f64>,
    pub log_likelihood: f64,
}

/// What the E-step adds up.
struct Sums {
    prior: Vec<f64>,
    own: Vec<Vec<f64>>,
    source: Vec<Vec<f64>>,
    /// Votes that are copies, and all votes, of each voter.
    copies: Vec<[f64; 2]>,
    right: Vec<f64>,
    voted: Vec<f64>,
    log_likelihood: f64,
}

impl Fit {
    /// The criterion of Schwarz (1978), lower is better: a group costs its source and its copying.
    pub fn criterion(&self, table: &Table) -> f64 {
        let shape = Shape::new(table);
        let groups = self.parameters.source.len() as f64;
        let labels = if shape.is_coin { 0.0 } else { (table.options - 1) as f64 };
        let free = shape.free() * (table.voters as f64 + groups) + groups + labels;
        free * table.items().ln() - 2.0 * self.log_likelihood
    }

    /// How many sources of error there are: groups, and voters outside all.
    pub fn sources(&self) -> usize {
        if self.parameters.shown.is_some() {
            return self.groups.len() - 1;
        }
        self.parameters.source.len() + self.groups.iter().filter(|group| group.is_none()).count()
    }

    /// `P(v | y)` of a voter, copied or not.
    pub fn channel(&self, shape: Shape, voter: usize) -> Vec<f64> {
        let own = &self.parameters.own[voter];
        let Some(group) = self.groups[voter] else { return own.clone() };
        let copied = self.parameters.copied[voter];
        let source = &self.parameters.source[group];
        debug_assert_eq!(own.len(), shape.cells());
        own.iter().zip(source).map(|(own, source)| (1.0 - copied) * own + copied * source).collect()
    }
}

/// A start that depends on the votes alone: the right label is likely where many voted for it, and
/// a group counts as one voter.
pub fn start(table: &Table, groups: &Groups) -> Parameters {
    start_at(table, groups, None)
}

/// The same where all copy a voter: a vote that may be a copy counts a third.
pub fn start_at(table: &Table, groups: &Groups, shown: Option<usize>) -> Parameters {
    let shape = Shape::new(table);
    let mut right = vec![0.0; table.voters];
    let mut votes = vec![0.0; table.voters];
    let mut prior = vec![1.0; table.options];
    let mut shares = Vec::new();
    let weight: Vec<f64> = groups
        .iter()
        .map(|group| match group {
            None => 1.0,
            Some(_) => 1.0 / groups.iter().filter(|other| *other == group).count() as f64,
        })
        .collect();
    for at in 0..table.counts.len() {
        let (row, count) = (table.row(at), table.counts[at]);
        shares.clear();
        shares.resize(table.seen[at] as usize, 0.0);
        let copied = shown.map_or(MISSING, |voter| row[voter]);
        let voted = || row.iter().zip(&weight).filter(|(label, _)| **label != MISSING);
        let worth = |label: u16, weight: f64| if label == copied { weight / 3.0 } else { weight };
        let total: f64 = voted().map(|(label, weight)| worth(*label, *weight)).sum();
        voted().for_each(|(label, weight)| {
            shares[*label as usize] += worth(*label, *weight) / total;
        });
        for (voter, label) in row.iter().enumerate().filter(|(_, label)| **label != MISSING) {
            right[voter] += count * shares[*label as usize];
            votes[voter] += count;
        }
        if !shape.is_coin {
            (0..table.options).for_each(|label| prior[label] += count * shares[label]);
        }
    }
    let total: f64 = prior.iter().sum();
    let accuracy: Vec<f64> = right.iter().zip(&votes).map(|(a, b)| (a + 1.0) / (b + 2.0)).collect();
    let count = count_of(groups);
    let mean = |group: usize| {
        let members = (0..table.voters).filter(|voter| groups[*voter] == Some(group));
        let each: Vec<f64> = members.map(|voter| accuracy[voter]).collect();
        each.iter().sum::<f64>() / each.len().max(1) as f64
    };
    Parameters {
        prior: prior.iter().map(|one| one / total).collect(),
        own: accuracy.iter().map(|one| shape.coin(*one)).collect(),
        source: (0..count).map(|group| shape.coin(mean(group))).collect(),
        copied: vec![0.5; table.voters],
        shown,
    }
}

/// Fits the model by at most that number of passes of EM.
pub fn fit(table: &Table, groups: &Groups, start: Parameters, passes: usize) -> Fit {
    let shape = Shape::new(table);
    let mut parameters = start;
    let mut before = vec![0.0; table.voters];
    for _ in 0..passes {
        let sums = expect(table, groups, &parameters);
        let accuracy = sums.accuracy();
        parameters = maximise(shape, groups, &sums, parameters.shown);
        let moved = accuracy.iter().zip(&before).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        before = accuracy;
        if moved < TOLERANCE {
            break;
        }
    }
    let sums = expect(table, groups, &parameters);
    Fit {
        groups: groups.clone(),
        accuracy: sums.accuracy(),
        log_likelihood: sums.log_likelihood,
        parameters,
    }
}

impl Sums {
    fn new(table: &Table, groups: usize) -> Sums {
        let cells = Shape::new(table).cells();
        Sums {
            prior: vec![0.0; table.options],
            own: vec![vec![0.0; cells]; table.voters],
            source: vec![vec![0.0; cells]; groups],
            copies: vec![[0.0; 2]; table.voters],
            right: vec![0.0; table.voters],
            voted: vec![0.0; table.voters],
            log_likelihood: 0.0,
        }
    }

    fn accuracy(&self) -> Vec<f64> {
        self.right.iter().zip(&self.voted).map(|(right, voted)| right / voted.max(1e-9)).collect()
    }
}

/// The E-step: expected counts.
fn expect(table: &Table, groups: &Groups, parameters: &Parameters) -> Sums {
    let logs = Logs::new(table, groups, parameters);
    let mut sums = Sums::new(table, parameters.source.len());
    let mut scratch = Scratch::default();
    for at in 0..table.counts.len() {
        let count = table.counts[at];
        if count == 0.0 {
            continue;
        }
        let (row, seen) = (table.row(at), table.seen[at] as usize);
        sums.log_likelihood += count * logs.posterior(row, seen, &mut scratch);
        add(&mut sums, &logs, &scratch, (row, seen, count));
    }
    sums
}

/// Adds a row's expected counts.
fn add(sums: &mut Sums, logs: &Logs, scratch: &Scratch, (row, seen, count): (&[u16], usize, f64)) {
    let (shape, states) = (logs.shape, logs.states(seen));
    let mut sources = scratch.source.chunks_exact(states);
    for (right, chance) in scratch.right.iter().enumerate() {
        let weight = count * chance;
        if !shape.is_coin {
            sums.prior[right] += weight;
        }
        for voter in logs.single.iter().filter(|voter| row[**voter] != MISSING) {
            sums.own[*voter][shape.cell(right, row[*voter] as usize)] += weight;
        }
        for (group, members) in logs.members.iter().enumerate() {
            let source = sources.next().expect("a part for each right label and group");
            for voter in members.iter().filter(|voter| row[**voter] != MISSING) {
                let label = row[*voter] as usize;
                let cell = shape.cell(right, label);
                let copy = weight * source[label] * logs.share[*voter][cell];
                sums.copies[*voter][0] += copy;
                sums.copies[*voter][1] += weight;
                sums.own[*voter][cell] += weight - copy;
            }
            for (label, chance) in source.iter().enumerate() {
                let weight = weight * chance;
                let (_, is_right) = logs.source(group, right, label, seen);
                if shape.is_coin {
                    sums.source[group][1] += weight * is_right;
                    sums.source[group][0] += weight * (1.0 - is_right);
                } else {
                    sums.source[group][shape.cell(right, label)] += weight;
                }
            }
        }
    }
    for (voter, label) in row.iter().enumerate().filter(|(_, label)| **label != MISSING) {
        sums.right[voter] += count * scratch.right[*label as usize];
        sums.voted[voter] += count;
    }
}

/// The M-step: probabilities from expected counts, drawn a little to the mean of all voters.
fn maximise(shape: Shape, groups: &Groups, sums: &Sums, shown: Option<usize>) -> Parameters {
    let right = |counts: &[f64]| match shape.is_coin {
        true => counts[1],
        false => (0..shape.options).map(|label| counts[shape.cell(label, label)]).sum(),
    };
    let all: f64 = sums.own.iter().flatten().sum();
    let mean = sums.own.iter().map(|one| right(one)).sum::<f64>() / all.max(1e-9);
    let accuracy = |counts: &[f64]| {
        let total: f64 = counts.iter().sum();
        let accuracy = (right(counts) + PRIOR * mean) / (total + PRIOR);
        accuracy.clamp(EPSILON, 1.0 - EPSILON)
    };
    let channel = |counts: &Vec<f64>| {
        let mut channel = shape.coin(accuracy(counts));
        if !shape.is_coin {
            for (prior, counts) in
                channel.chunks_exact_mut(shape.options).zip(counts.chunks_exact(shape.options))
            {
                let total: f64 = counts.iter().sum();
                for (prior, count) in prior.iter_mut().zip(counts) {
                    *prior = (PRIOR * *prior + count) / (PRIOR + total);
                }
            }
        }
        channel
    };
    let total: f64 = sums.prior.iter().sum();
    let labels = sums.prior.len() as f64;
    let prior = match shape.is_coin {
        true => vec![1.0 / labels; sums.prior.len()],
        false => sums.prior.iter().map(|one| (one + 1.0) / (total + labels)).collect(),
    };
    // Members are alike, but for a source that is shown: it tells how often each of them copies.
    let copied = |voter: usize| {
        let alike = (0..groups.len()).filter(|other| groups[*other] == groups[voter]);
        let pooled = alike.fold([0.0; 2], |[copies, votes], other| {
            [copies + sums.copies[other][0], votes + sums.copies[other][1]]
        });
        let [copies, votes] = if shown.is_some() { sums.copies[voter] } else { pooled };
        let mean = if shown.is_some() { pooled[0] / pooled[1].max(1.0) } else { 0.5 };
        ((copies + PRIOR * mean) / (votes + PRIOR)).clamp(EPSILON, 1.0 - EPSILON)
    };
    Parameters {
        prior,
        own: sums.own.iter().map(channel).collect(),
        source: sums.source.iter().map(channel).collect(),
        copied: (0..groups.len()).map(copied).collect(),
        shown,
    }
}
