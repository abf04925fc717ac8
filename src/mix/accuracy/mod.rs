//! Accuracies without labels: what voters' agreements say about how often each is right.
//!
//! The estimate is that of a model with shared sources of error (`model.rs`); which voters share
//! one is searched for (`structure.rs`), and likely structures are averaged. Where the votes do not
//! determine the accuracies, a [`Refusal`] says why. The reasoning is in `docs/design.md`.

mod agreement;
mod channel;
mod intervals;
mod likelihood;
mod model;
mod refusal;
mod rows;
mod structure;
mod votes;
mod words;

pub use refusal::Refusal;
pub use rows::{Agreement, Rows};
pub use votes::{MISSING, Soft, Votes};

use agreement::Agreements;
use channel::Groups;
use model::Fit;
use refusal::{ITEMS_MIN, VOTERS_MIN};
use votes::{Numbering, Table};

/// A structure that is not the likeliest matters from this probability on: one in ten.
const DOUBT_MAX: f64 = 0.1;
/// And if its accuracies differ by more than this in the mean, twice the interval's usual half.
const APART_MAX: f64 = 0.06;
/// An agreement of two voters that is no chance where all together agree by chance, in deviations.
const SPLIT_MIN: f64 = 6.0;
/// The most options for which a confusion matrix a voter is tried: each has its square of numbers.
const CONFUSION_MAX: usize = 8;

/// How to estimate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The seed of the resampled items.
    pub seed: u64,
    /// No two voters share errors: nothing is searched, and three voters are enough.
    pub is_independent: bool,
    /// The voter from which all others copy, such as the base of adapters.
    pub source: Option<usize>,
}

/// What was estimated from votes.
#[derive(Clone, Debug)]
pub struct Estimates {
    /// A voter each, in the order of the votes.
    pub voters: Vec<Voter>,
    /// The voters that share errors, by number, with the probability that a vote is copied.
    pub groups: Vec<(Vec<usize>, f64)>,
    /// Why nothing is estimated.
    pub refusal: Option<Refusal>,
    /// The items with votes.
    pub items: usize,
    /// The options of an item; of free text, as many as fit best.
    pub options: usize,
    /// The structures that were averaged.
    pub structures: usize,
    /// Whether a voter's errors depend on the right label (a confusion matrix each).
    pub has_confusions: bool,
    /// Voters with the same vote on every item that they share: copies, or none of them ever errs.
    pub same: Vec<Vec<usize>>,
}

/// What was estimated of one voter.
#[derive(Clone, Debug, Default)]
pub struct Voter {
    /// What it is called.
    pub name: String,
    /// Items that it voted on.
    pub votes: usize,
    /// Its accuracy, with an interval of 95 %.
    pub accuracy: Option<Interval>,
    /// Its accuracy if no errors were shared.
    pub independent: Option<f64>,
    /// Its accuracy by the median of triplets of voters that share no source.
    pub triplets: Option<f64>,
    /// The same by least squares over all pairs.
    pub rank_one: Option<f64>,
    /// The share of its votes that are right, where that is known, and of how many.
    pub labelled: Option<(f64, usize)>,
    /// Why this voter was left out.
    pub refusal: Option<Refusal>,
}

/// A number with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Called now and then while an estimate is made, with how many of its [`STEPS`] were done since.
pub type Tick<'a> = &'a (dyn Fn(u64) + Sync);

/// The steps that an estimate has at most.
pub const STEPS: u64 = intervals::RESAMPLES;

/// Estimates how often each voter is right.
pub fn estimate(votes: &Votes, options: Options) -> Estimates {
    estimate_with(votes, options, &|_| ())
}

/// The same, and reports how far it is.
pub fn estimate_with(votes: &Votes, options: Options, tick: Tick) -> Estimates {
    let mut voters: Vec<Voter> = (0..votes.voters.len()).map(|at| voter(votes, at)).collect();
    let kept: Vec<usize> = (0..voters.len()).filter(|at| voters[*at].refusal.is_none()).collect();
    let mut estimates = Estimates {
        voters: Vec::new(),
        groups: Vec::new(),
        refusal: None,
        items: votes.items.len(),
        options: votes.options,
        structures: 0,
        has_confusions: false,
        same: same(votes, &kept),
    };
    let source = options.source.map(|source| kept.iter().position(|at| *at == source));
    match few(votes, &kept) {
        Some(refusal) => estimates.refusal = Some(refusal),
        None => {
            let votes = votes.of(&kept);
            let options = Options { source: source.flatten(), ..options };
            let mut inner: Vec<Voter> = kept.iter().map(|at| voters[*at].clone()).collect();
            fill(&votes, (options, tick), &mut inner, &mut estimates);
            for (group, _) in &mut estimates.groups {
                group.iter_mut().for_each(|member| *member = kept[*member]);
            }
            kept.iter().zip(inner).for_each(|(at, voter)| voters[*at] = voter);
        }
    }
    estimates.voters = voters;
    estimates
}

/// What the votes alone say of a voter, and whether it can be used.
fn voter(votes: &Votes, at: usize) -> Voter {
    let given: Vec<u16> =
        votes.items.iter().map(|item| item[at]).filter(|label| *label != MISSING).collect();
    let enough = VOTERS_MIN.min(votes.voters.len());
    let joint = votes.items.iter().filter(|item| item[at] != MISSING && voted(item) >= enough);
    let labels = votes.labels.as_ref();
    let constant = labels.filter(|_| given.iter().all(|label| Some(label) == given.first()));
    let refusal = match (joint.count(), constant, given.first()) {
        (0, ..) => Some(Refusal::NoVotes),
        (_, Some(labels), Some(first)) => {
            Some(Refusal::Constant { label: labels[*first as usize].clone() })
        }
        _ => None,
    };
    Voter {
        name: votes.voters[at].clone(),
        votes: given.len(),
        labelled: votes.labelled(at),
        refusal,
        ..Voter::default()
    }
}

/// The voters of these that always vote alike, each with the first that it votes as.
fn same(votes: &Votes, kept: &[usize]) -> Vec<Vec<usize>> {
    let is_same = |a: usize, b: usize| {
        let both = votes.items.iter().map(|item| (item[a], item[b]));
        let both: Vec<_> = both.filter(|(a, b)| *a != MISSING && *b != MISSING).collect();
        both.len() >= ITEMS_MIN && both.iter().all(|(a, b)| a == b)
    };
    let mut found: Vec<Vec<usize>> = Vec::new();
    for &voter in kept.iter().filter(|_| votes.soft.is_none()) {
        match found.iter_mut().find(|alike| is_same(alike[0], voter)) {
            Some(alike) => alike.push(voter),
            None => found.push(vec![voter]),
        }
    }
    found.retain(|alike| alike.len() > 1);
    found
}

fn voted(item: &[u16]) -> usize {
    item.iter().filter(|label| **label != MISSING).count()
}

/// The refusal of too few voters or items.
fn few(votes: &Votes, kept: &[usize]) -> Option<Refusal> {
    if kept.len() < VOTERS_MIN {
        return Some(Refusal::FewVoters { found: kept.len() });
    }
    let of = |item: &&Vec<u16>| kept.iter().filter(|at| item[**at] != MISSING).count();
    let found = votes.items.iter().filter(|item| of(item) >= VOTERS_MIN).count();
    (found < ITEMS_MIN).then_some(Refusal::FewItems { found })
}

/// Estimates the accuracies of voters that can be used.
fn fill(
    votes: &Votes,
    (options, tick): (Options, Tick),
    voters: &mut [Voter],
    estimates: &mut Estimates,
) {
    let votes = &Votes { options: options_of(votes), ..votes.clone() };
    estimates.options = votes.options;
    let agreements = Agreements::new(votes, None);
    let (table, found) = fits(votes, options, tick);
    estimates.has_confusions = table.numbering == Numbering::All;
    let is_alone = |fit: &&Fit| fit.groups.iter().all(Option::is_none);
    let alone = found.iter().find(is_alone).or(found.first()).expect("each search has a fit");
    let likely = intervals::likely(&table, &found, VOTERS_MIN);
    let groups = likely.first().map_or_else(|| vec![None; voters.len()], |fit| fit.groups.clone());
    let (triplets, rank_one) = (agreements.triplets(&groups), agreements.rank_one(&groups));
    for (at, voter) in voters.iter_mut().enumerate() {
        voter.independent = Some(alone.accuracy[at]);
        voter.triplets = triplets[at];
        voter.rank_one = rank_one.as_ref().map(|all| all[at]);
    }
    estimates.refusal = refusal(votes, &agreements, options, (&table, &found));
    if estimates.refusal.is_some() {
        return;
    }
    estimates.structures = likely.len();
    estimates.groups = listed(likely[0]);
    let values = match (&votes.soft, rank_one) {
        (Some(_), Some(rank_one)) => rank_one,
        _ => intervals::mean(&intervals::weights(&table, &likely), &likely),
    };
    let resampled = match &votes.soft {
        Some(_) => intervals::resampled_pairs(votes, &groups, options.seed),
        None => intervals::resampled(&table, &likely, options.seed, tick),
    };
    for (at, voter) in voters.iter_mut().enumerate() {
        let each = resampled.iter().map(|accuracies| accuracies[at]).collect();
        voter.accuracy = Some(intervals::interval(values[at], each));
    }
}

/// Among how many options the voters choose: known, or what makes the votes of free text likeliest.
fn options_of(votes: &Votes) -> usize {
    if votes.options > 0 {
        return votes.options;
    }
    let seen = Table::new(votes, Numbering::Row).seen.into_iter().max().unwrap_or(0) as usize;
    let least = seen.max(2);
    let tried = [1, 2, 4, 8, 16, 64, 256].map(|factor| least * factor);
    let alone: Groups = vec![None; votes.voters.len()];
    let likelihood = |options: usize| {
        let table = Table::new(&Votes { options, ..votes.clone() }, Numbering::Row);
        let fit = model::fit(&table, &alone, model::start(&table, &alone), 60);
        // How many ways there are to choose the labels that a row has.
        let ways = |seen: &u16| (0..*seen).map(|at| ((options - at as usize) as f64).ln()).sum();
        let ways = table.seen.iter().map(ways).zip(&table.counts).map(|(a, b): (f64, _)| a * b);
        fit.log_likelihood + ways.sum::<f64>()
    };
    let each = tried.map(|options| (likelihood(options), options));
    each.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).map_or(least, |(_, options)| options)
}

/// The fits of the search, with the rows that they are of: each voter has one accuracy, or a
/// confusion matrix if the criterion says so.
fn fits(votes: &Votes, options: Options, tick: Tick) -> (Table, Vec<Fit>) {
    let search = |table: &Table| match (options.source, options.is_independent) {
        (Some(source), _) => vec![structure::copies_of(table, source), structure::alone(table)],
        (None, true) => vec![structure::alone(table)],
        (None, false) => structure::search(table, tick),
    };
    let coins = Table::new(votes, Numbering::Row);
    let found = search(&coins);
    if votes.labels.is_none() || votes.options > CONFUSION_MAX {
        return (coins, found);
    }
    let confusions = Table::new(votes, Numbering::All);
    let mut first = structure::alone(&confusions).criterion(&confusions);
    if found[0].sources() < votes.voters.len() {
        let fit = structure::of(&confusions, &found[0].groups);
        first = first.min(fit.criterion(&confusions));
    }
    match options.source.is_none() && first < found[0].criterion(&coins) {
        true => {
            let found = search(&confusions);
            (confusions, found)
        }
        false => (coins, found),
    }
}

/// Why the fits do not determine the accuracies, if they do not.
fn refusal(
    votes: &Votes,
    agreements: &Agreements,
    options: Options,
    (table, found): (&Table, &[Fit]),
) -> Option<Refusal> {
    let voters = votes.voters.len() as f64;
    // The deviation of a mean of agreements, as if half of the voters were pairs of their own.
    let deviation =
        0.5 / (1.0 - agreements.chance) / (votes.items.len() as f64 * voters / 2.0).sqrt();
    if agreements.mean() < 2.0 * deviation {
        // Two that are worse than chance agree with each other, and against the others.
        let of_pair = deviation * (voters / 2.0).sqrt();
        let is_split = votes.options == 2 && agreements.largest() > SPLIT_MIN * of_pair;
        return Some(if is_split { Refusal::Mirrored } else { Refusal::Chance });
    }
    if options.source.is_none() && !options.is_independent {
        if votes.voters.len() == VOTERS_MIN {
            return Some(Refusal::Untestable);
        }
        if let Some(refusal) = doubt(table, found) {
            return Some(refusal);
        }
    }
    let worse = found[0].accuracy.iter().filter(|one| **one * (votes.options as f64) < 1.0).count();
    (votes.options == 2 && 2 * worse >= votes.voters.len()).then_some(Refusal::Mirrored)
}

/// The refusal of voters that share their errors, or perhaps do.
fn doubt(table: &Table, found: &[Fit]) -> Option<Refusal> {
    let all: Vec<&Fit> = found.iter().collect();
    let weights = intervals::weights(table, &all);
    let most = |fit: &Fit| listed(fit).iter().map(|(members, _)| members.len()).max().unwrap_or(0);
    let few = |fit: &&Fit| fit.sources() < VOTERS_MIN || 2 * most(fit) > table.voters;
    let share: f64 = all.iter().zip(&weights).filter(|(fit, _)| few(fit)).map(|both| both.1).sum();
    if let Some(fit) = all.iter().find(|fit| few(fit)).filter(|_| share > DOUBT_MAX) {
        return Some(match fit.sources() < VOTERS_MIN {
            true => Refusal::FewSources { found: fit.sources() },
            false => Refusal::Majority { shared: most(fit), voters: table.voters },
        });
    }
    let apart = |fit: &Fit| {
        let each = fit.accuracy.iter().zip(&found[0].accuracy).map(|(a, b)| (a - b).abs());
        each.sum::<f64>() / fit.accuracy.len() as f64
    };
    let others = all.iter().zip(&weights).map(|(fit, weight)| (apart(fit), *weight));
    let others: Vec<(f64, f64)> = others.filter(|(apart, _)| *apart > APART_MAX).collect();
    let probability: f64 = others.iter().map(|(_, weight)| weight).sum();
    let apart = others.iter().map(|(apart, weight)| apart * weight).sum::<f64>() / probability;
    (probability > DOUBT_MAX).then_some(Refusal::Ambiguous { probability, apart })
}

/// The groups of a fit, with how often their members copy.
fn listed(fit: &Fit) -> Vec<(Vec<usize>, f64)> {
    let of = |group: usize| {
        let members = fit.groups.iter().enumerate().filter(|(_, at)| **at == Some(group));
        let members: Vec<usize> = members.map(|(voter, _)| voter).collect();
        let copied: f64 = members.iter().map(|voter| fit.parameters.copied[*voter]).sum();
        let count = members.len() as f64;
        (members, copied / count)
    };
    (0..fit.parameters.source.len()).map(of).collect()
}
