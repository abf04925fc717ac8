//! Which voters share a source of error: the groups that the votes bear out, found by search.

use rayon::prelude::*;

use super::Tick;
use super::channel::{self, Groups, Parameters, Shape};
use super::likelihood::{Logs, Scratch};
use super::model::{self, Fit};
use super::votes::{MISSING, Table};

/// How many pairs of voters are tried at a step of the search.
const PAIRS: usize = 4;
/// Passes of a fit that is only compared.
const PASSES_FEW: usize = 30;
/// The same from a start that is near.
const PASSES_NEAR: usize = 10;
/// Passes of a fit that is kept.
const PASSES_MANY: usize = 300;
/// The most steps of the search.
const STEPS_MAX: usize = 24;

/// All fits of the search by their criterion, the best first.
pub fn search(table: &Table, tick: Tick) -> Vec<Fit> {
    let mut known = vec![vec![None; table.voters]];
    let mut found = vec![alone(table)];
    let together = vec![Some(0); table.voters];
    let camps = camps(table).into_iter().chain([together]).map(|groups| (groups, None)).collect();
    try_all((table, tick), camps, &mut known, &mut found);
    for _ in 0..STEPS_MAX {
        let best = best(table, &found);
        let moves = moves(table, &found[best]);
        let before = found[best].criterion(table);
        try_all((table, tick), moves, &mut known, &mut found);
        let best = self::best(table, &found);
        if found[best].criterion(table) >= before {
            break;
        }
        let fit = &found[best];
        found[best] = model::fit(table, &fit.groups, fit.parameters.clone(), PASSES_MANY);
    }
    found.sort_by(|a, b| a.criterion(table).total_cmp(&b.criterion(table)));
    found
}

/// The fit without shared sources.
pub fn alone(table: &Table) -> Fit {
    of(table, &vec![None; table.voters])
}

/// The fit with these groups.
pub fn of(table: &Table, groups: &Groups) -> Fit {
    model::fit(table, groups, model::start(table, groups), PASSES_MANY)
}

/// The fit in which all others copy one voter, from the likelier of two starts.
pub fn copies_of(table: &Table, voter: usize) -> Fit {
    let together = vec![Some(0); table.voters];
    let plain = Parameters { shown: Some(voter), ..model::start(table, &together) };
    let starts = [plain, model::start_at(table, &together, Some(voter))];
    let [one, other] = starts.map(|start| model::fit(table, &together, start, PASSES_MANY));
    if one.log_likelihood >= other.log_likelihood { one } else { other }
}

fn best(table: &Table, found: &[Fit]) -> usize {
    let each = found.iter().enumerate().map(|(at, fit)| (fit.criterion(table), at));
    each.min_by(|a, b| a.0.total_cmp(&b.0)).expect("the first fit").1
}

/// Groups to try, with a start if one is near.
type Candidates = Vec<(Groups, Option<Parameters>)>;

/// Fits the groups that were not tried before.
fn try_all(
    (table, tick): (&Table, Tick),
    all: Candidates,
    known: &mut Vec<Groups>,
    found: &mut Vec<Fit>,
) {
    let mut fresh = Vec::new();
    for (groups, start) in all {
        let groups = in_order(&groups);
        let grown = channel::count_of(&groups);
        if !known.contains(&groups) {
            known.push(groups.clone());
            let start = start.filter(|start| start.source.len() == grown);
            fresh.push((groups, start));
        }
    }
    let fits = fresh.into_par_iter().map(|(groups, start)| {
        tick(0);
        let passes = if start.is_some() { PASSES_NEAR } else { PASSES_FEW };
        let start = start.unwrap_or_else(|| model::start(table, &groups));
        model::fit(table, &groups, start, passes)
    });
    found.extend(fits.collect::<Vec<Fit>>());
}

/// Groups of voters that agree most: each step of a clustering by mean agreement is a candidate.
fn camps(table: &Table) -> Vec<Groups> {
    let voters = table.voters;
    let mut agreed = vec![[0.0; 2]; voters * voters];
    for at in 0..table.counts.len() {
        let row = table.row(at);
        for a in 0..voters {
            for b in 0..voters {
                if row[a] != MISSING && row[b] != MISSING {
                    agreed[a * voters + b][0] += f64::from(row[a] == row[b]) * table.counts[at];
                    agreed[a * voters + b][1] += table.counts[at];
                }
            }
        }
    }
    let mean = |one: &[usize], other: &[usize]| {
        let pairs = one.iter().flat_map(|a| other.iter().map(move |b| (*a, *b)));
        let each = pairs.map(|(a, b)| {
            let [sum, count] = agreed[a * voters + b];
            sum / f64::max(count, 1.0)
        });
        each.sum::<f64>() / (one.len() * other.len()) as f64
    };
    let mut clusters: Vec<Vec<usize>> = (0..voters).map(|voter| vec![voter]).collect();
    let mut camps = Vec::new();
    while clusters.len() > 3 {
        let mut closest = (f64::NEG_INFINITY, 0, 0);
        for a in 0..clusters.len() {
            for b in a + 1..clusters.len() {
                let agreement = mean(&clusters[a], &clusters[b]);
                if agreement > closest.0 {
                    closest = (agreement, a, b);
                }
            }
        }
        let merged = clusters.remove(closest.2);
        clusters[closest.1].extend(merged);
        let members = &clusters[closest.1];
        camps.push((0..voters).map(|voter| members.contains(&voter).then_some(0)).collect());
    }
    camps
}

/// The groups that differ from a fit's by one change, the likeliest first.
fn moves(table: &Table, fit: &Fit) -> Candidates {
    let mut moves: Candidates = Vec::new();
    let groups = &fit.groups;
    let next = channel::count_of(groups);
    let near = Some(fit.parameters.clone());
    let copying = |voter: usize, like: usize| {
        let mut near = fit.parameters.clone();
        near.copied[voter] = near.copied[like];
        Some(near)
    };
    for (a, b) in excess(table, fit).into_iter().take(PAIRS) {
        match (groups[a], groups[b]) {
            (None, None) => {
                let mut near = fit.parameters.clone();
                near.source.push(near.own[a].clone());
                (near.copied[a], near.copied[b]) = (0.4, 0.4);
                moves.push((with(groups, &[(a, Some(next)), (b, Some(next))]), Some(near)));
            }
            (Some(group), None) => moves.push((with(groups, &[(b, Some(group))]), copying(b, a))),
            (None, Some(group)) => moves.push((with(groups, &[(a, Some(group))]), copying(a, b))),
            (Some(one), Some(other)) => {
                moves.push((with(groups, &[(a, Some(other))]), None));
                moves.push((with(groups, &[(b, Some(one))]), None));
                let all = groups.iter().map(|at| if *at == Some(other) { Some(one) } else { *at });
                moves.push((all.collect(), None));
            }
        }
    }
    for group in 0..next {
        let members: Vec<usize> =
            (0..table.voters).filter(|voter| groups[*voter] == Some(group)).collect();
        moves.push((groups.iter().map(|at| at.filter(|at| *at != group)).collect(), None));
        for voter in members.iter().filter(|_| members.len() > 2) {
            moves.push((with(groups, &[(*voter, None)]), near.clone()));
        }
        // What the others agree on may be their error, and what the group agrees on right.
        let others = groups.iter().map(|at| match at {
            None => Some(group),
            Some(at) => Some(*at).filter(|at| *at != group),
        });
        moves.push((others.collect(), None));
    }
    moves
}

fn with(groups: &Groups, changes: &[(usize, Option<usize>)]) -> Groups {
    let mut groups = groups.clone();
    for (voter, group) in changes {
        groups[*voter] = *group;
    }
    groups
}

/// The same groups, numbered by their first member; a group of one is none.
fn in_order(groups: &Groups) -> Groups {
    let size = |group: usize| groups.iter().filter(|at| **at == Some(group)).count();
    let mut order: Vec<usize> = Vec::new();
    let number = |group: &Option<usize>| {
        let group = group.filter(|group| size(*group) > 1)?;
        let at = order.iter().position(|known| *known == group);
        Some(at.unwrap_or_else(|| {
            order.push(group);
            order.len() - 1
        }))
    };
    groups.iter().map(number).collect()
}

/// Pairs of voters of different sources that agree more than a fit says, the clearest first.
///
/// The score of the model in which one of the two copies the other with a small probability: what
/// it is worth at 0, in its own standard deviations.
fn excess(table: &Table, fit: &Fit) -> Vec<(usize, usize)> {
    let shape = Shape::new(table);
    let logs = Logs::new(table, &fit.groups, &fit.parameters);
    let channels: Vec<Vec<f64>> =
        (0..table.voters).map(|voter| fit.channel(shape, voter)).collect();
    let voters = table.voters;
    let mut sums = vec![[0.0; 2]; voters * voters];
    let mut scratch = Scratch::default();
    for at in 0..table.counts.len() {
        let (row, count) = (table.row(at), table.counts[at]);
        logs.posterior(row, table.seen[at] as usize, &mut scratch);
        for a in 0..voters {
            for b in a + 1..voters {
                if row[a] == MISSING || row[b] == MISSING {
                    continue;
                }
                let mut score = -1.0;
                if row[a] == row[b] {
                    for (right, chance) in scratch.right.iter().enumerate() {
                        let cell = shape.cell(right, row[a] as usize);
                        score += 0.5 * chance * (1.0 / channels[a][cell] + 1.0 / channels[b][cell]);
                    }
                }
                sums[a * voters + b][0] += count * score;
                sums[a * voters + b][1] += count * score * score;
            }
        }
    }
    let mut pairs: Vec<(f64, (usize, usize))> = Vec::new();
    for a in 0..voters {
        for b in a + 1..voters {
            let is_one = fit.groups[a].is_some() && fit.groups[a] == fit.groups[b];
            let [sum, squares] = sums[a * voters + b];
            if !is_one && sum > 0.0 {
                pairs.push((sum / squares.sqrt().max(1e-9), (a, b)));
            }
        }
    }
    pairs.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
    pairs.into_iter().map(|(_, pair)| pair).collect()
}
