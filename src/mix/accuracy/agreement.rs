//! Accuracies from agreements of pairs alone: chance-corrected, by triplets and by a rank-1 fit.
//!
//! A voter that is right with the probability `a`, and otherwise errs evenly among `K` options, has
//! the skill `u = (K a - 1) / (K - 1)`. Two that err independently agree with the probability `A`
//! where `(K A - 1) / (K - 1) = u_i u_j`: a matrix of rank 1 beside its diagonal (Parisi et al.,
//! PNAS 2014, for two options). Three such numbers give one skill (the triplets of Fu et al.,
//! FlyingSquid, arXiv 2002.11955). Pairs that share a source of error are left out.

use super::channel::Groups;
use super::votes::{MISSING, Votes, pair, pairs};

/// Passes of the alternating least squares.
const PASSES: usize = 200;
/// A smaller agreement beyond chance divides nothing.
const AGREEMENT_MIN: f64 = 1e-3;

/// Corrected agreements of pairs of voters.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreements {
    voters: usize,
    /// `u_i u_j` of each pair; NaN where two voters have no item in common.
    pairs: Vec<f64>,
    /// The agreement of voters without skill.
    pub chance: f64,
}

impl Agreements {
    /// Those of the votes, where each item counts so often.
    pub fn new(votes: &Votes, counts: Option<&[f64]>) -> Agreements {
        let voters = votes.voters.len();
        let chance = votes.soft.as_ref().map_or(1.0 / votes.options as f64, |soft| soft.chance);
        let mut sums = vec![[0.0; 2]; voters * voters];
        for (at, item) in votes.items.iter().enumerate() {
            let count = counts.map_or(1.0, |counts| counts[at]);
            for (a, b) in pairs(voters).filter(|(a, b)| item[*a] != MISSING && item[*b] != MISSING)
            {
                let agreed = match &votes.soft {
                    None => f64::from(item[a] == item[b]),
                    Some(soft) => f64::from(soft.pairs[at][pair(a, b)]),
                };
                sums[a * voters + b][0] += count * agreed;
                sums[a * voters + b][1] += count;
            }
        }
        let corrected = |[sum, count]: [f64; 2]| (sum / count - chance) / (1.0 - chance);
        let mut all = vec![f64::NAN; voters * voters];
        for (a, b) in pairs(voters) {
            let one = corrected(sums[a * voters + b]);
            (all[a * voters + b], all[b * voters + a]) = (one, one);
        }
        Agreements { voters, pairs: all, chance }
    }

    /// That of two voters.
    pub fn of(&self, a: usize, b: usize) -> f64 {
        self.pairs[a * self.voters + b]
    }

    /// The mean of all pairs.
    pub fn mean(&self) -> f64 {
        let each: Vec<f64> =
            pairs(self.voters).map(|(a, b)| self.of(a, b)).filter(|one| one.is_finite()).collect();
        each.iter().sum::<f64>() / each.len().max(1) as f64
    }

    /// The largest of a pair.
    pub fn largest(&self) -> f64 {
        self.pairs.iter().copied().fold(0.0, f64::max)
    }

    /// The accuracy of each voter as the median over its triplets of independent voters.
    pub fn triplets(&self, groups: &Groups) -> Vec<Option<f64>> {
        let apart = |a: usize, b: usize| a != b && (groups[a].is_none() || groups[a] != groups[b]);
        let of = |voter: usize| {
            let mut found: Vec<f64> = pairs(self.voters)
                .filter(|(a, b)| apart(voter, *a) && apart(voter, *b) && apart(*a, *b))
                .filter(|(a, b)| self.of(*a, *b).abs() > AGREEMENT_MIN)
                .map(|(a, b)| self.of(voter, a) * self.of(voter, b) / self.of(a, b))
                .filter(|square| square.is_finite())
                .map(|square| square.max(0.0).sqrt().min(1.0))
                .collect();
            found.sort_by(f64::total_cmp);
            let middle = found.len() / 2;
            let median = match found.len() % 2 {
                _ if found.is_empty() => return None,
                1 => found[middle],
                _ => 0.5 * (found[middle - 1] + found[middle]),
            };
            Some(self.accuracy(median))
        };
        (0..self.voters).map(of).collect()
    }

    /// The accuracies whose products are nearest to the agreements of independent voters, by
    /// alternating least squares from the triplets.
    pub fn rank_one(&self, groups: &Groups) -> Option<Vec<f64>> {
        let start = self.triplets(groups).into_iter().collect::<Option<Vec<f64>>>()?;
        let skill = |accuracy: f64| (accuracy - self.chance) / (1.0 - self.chance);
        let mut skills: Vec<f64> = start.into_iter().map(skill).collect();
        for _ in 0..PASSES {
            for voter in 0..self.voters {
                let (mut above, mut below) = (0.0, 1e-9);
                for other in 0..self.voters {
                    let is_apart = groups[voter].is_none() || groups[voter] != groups[other];
                    let agreement = self.of(voter, other);
                    if other != voter && is_apart && agreement.is_finite() {
                        above += agreement * skills[other];
                        below += skills[other] * skills[other];
                    }
                }
                skills[voter] = (above / below).clamp(-1.0, 1.0);
            }
        }
        Some(skills.into_iter().map(|skill| self.accuracy(skill)).collect())
    }

    fn accuracy(&self, skill: f64) -> f64 {
        self.chance + (1.0 - self.chance) * skill
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Agreements of voters with these skills, to the last digit.
    fn exact(skills: &[f64], chance: f64) -> Agreements {
        let voters = skills.len();
        let all = (0..voters * voters).map(|at| skills[at / voters] * skills[at % voters]);
        Agreements { voters, pairs: all.collect(), chance }
    }

    fn near(found: &[f64], wanted: &[f64]) {
        let close = found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(close && found.len() == wanted.len(), "{found:?} for {wanted:?}");
    }

    #[test]
    fn triplets_and_the_fit_of_rank_one_solve_exact_agreements() {
        let agreements = exact(&[0.2, 0.4, 0.6, 0.8], 0.25);
        let wanted = [0.4, 0.55, 0.7, 0.85]; // a = (1 + (K - 1) u) / K, K = 4
        let alone = vec![None; 4];
        let triplets: Option<Vec<f64>> = agreements.triplets(&alone).into_iter().collect();
        near(&triplets.expect("each voter has three"), &wanted);
        near(&agreements.rank_one(&alone).expect("a start"), &wanted);
    }

    #[test]
    fn pairs_of_a_group_do_not_enter() {
        let mut agreements = exact(&[0.3, 0.3, 0.5, 0.7, 0.2], 0.5);
        (agreements.pairs[1], agreements.pairs[5]) = (0.8, 0.8);
        let groups = vec![Some(0), Some(0), None, None, None];
        near(&agreements.rank_one(&groups).expect("a start"), &[0.65, 0.65, 0.75, 0.85, 0.6]);
        let alone = agreements.rank_one(&vec![None; 5]).expect("a start");
        assert!(alone[0] > 0.75, "{alone:?}");
    }

    #[test]
    fn agreement_is_corrected_for_chance() {
        let items = vec![vec![0, 0, 1], vec![1, 1, MISSING], vec![2, 0, 2], vec![0, 0, 0]];
        let votes = Votes {
            voters: ["a", "b", "c"].map(String::from).to_vec(),
            items,
            options: 3,
            ..Votes::default()
        };
        let agreements = Agreements::new(&votes, None);
        // a and b agree on 3 of 4: (3 * 0.75 - 1) / 2; a and c on 2 of 3, b and c on 1 of 3.
        let found = [agreements.of(0, 1), agreements.of(0, 2), agreements.of(1, 2)];
        near(&found, &[0.625, 0.5, 0.0]);
    }
}
