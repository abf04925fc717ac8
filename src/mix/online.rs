//! Mixture weights that follow what has been learned: a curriculum over levels, and more of what is
//! not aligned yet.

use std::collections::BTreeMap;

use super::ladder::{Ladder, REHEARSED};
use super::{Evaluated, Policy};
use crate::recipe::Recipe;

/// As a recipe calls it.
pub const NAME: &str = "online";

/// Entries of one template are its levels, the easiest first.
#[derive(Debug)]
struct Online {
    /// The weights in the recipe.
    weights: Vec<f64>,
    /// The entries of each template that are trained on, and which of them is now.
    ladders: Vec<(Vec<usize>, Ladder)>,
    /// The last alignment of each entry; 0 before the first evaluation.
    alignment: Vec<f64>,
}

/// From the first level of each template.
pub fn make(recipe: &Recipe) -> Box<dyn Policy> {
    let mut by_file: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, entry) in recipe.templates.iter().enumerate().filter(|(_, it)| it.weight > 0.0) {
        by_file.entry(&entry.file.path).or_default().push(at);
    }
    let ladder = |entries: Vec<usize>| {
        let ladder = Ladder::new(entries.len(), recipe.mix.mastered, recipe.mix.failed);
        (entries, ladder)
    };
    Box::new(Online {
        weights: recipe.templates.iter().map(|entry| entry.weight).collect(),
        ladders: by_file.into_values().map(ladder).collect(),
        alignment: vec![0.0; recipe.templates.len()],
    })
}

impl Policy for Online {
    /// A template's share is the weight of its level times what is left to align, and a little
    /// more; its other levels get a part of it.
    fn weights(&self, _: u64) -> Vec<f64> {
        let mut weights = vec![0.0; self.weights.len()];
        for (entries, ladder) in &self.ladders {
            let now = entries[ladder.rung()];
            let left = REHEARSED + (1.0 - REHEARSED) * (1.0 - self.alignment[now]).clamp(0.0, 1.0);
            let share = self.weights[now] * left;
            for (rung, at) in entries.iter().enumerate() {
                weights[*at] = ladder.part(share, rung);
            }
        }
        weights
    }

    fn update(&mut self, evaluated: &Evaluated) {
        self.alignment = evaluated.scores.iter().map(|scores| scores.alignment).collect();
        for (entries, ladder) in &mut self.ladders {
            ladder.step(self.alignment[entries[ladder.rung()]]);
        }
    }

    fn state(&self) -> Vec<f64> {
        let rungs = self.ladders.iter().map(|(_, ladder)| ladder.rung() as f64);
        rungs.chain(self.alignment.iter().copied()).collect()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), String> {
        let wanted = self.ladders.len() + self.alignment.len();
        if state.len() != wanted {
            return Err(format!("it has {} numbers, not {wanted}", state.len()));
        }
        let (rungs, alignment) = state.split_at(self.ladders.len());
        for ((_, ladder), rung) in self.ladders.iter_mut().zip(rungs) {
            ladder.restore(*rung)?;
        }
        self.alignment = alignment.to_vec();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::report::Scores;
    use crate::source::Source;

    const LEVELS: &str = "\
[[template]]
file = \"std:retrieval\"
level = \"easy\"
[[template]]
file = \"std:copying\"
[[template]]
file = \"std:retrieval\"
level = \"hard\"
[[template]]
file = \"std:counting\"
weight = 0.0
";

    fn policy() -> Box<dyn Policy> {
        let (recipe, errors) = crate::recipe::parse(&Source::new("recipe.toml", LEVELS));
        assert!(errors.is_empty(), "{errors:?}");
        make(&recipe.expect("TOML"))
    }

    fn evaluated(policy: &mut dyn Policy, alignment: [f64; 4]) {
        let scores = alignment.map(|alignment| Scores {
            alignment,
            exact: 0.0,
            rules: Vec::new(),
            unreadable: 0.0,
        });
        policy.update(&Evaluated { step: 1, scores: &scores });
    }

    #[test]
    fn a_level_that_is_mastered_gives_way_to_the_next_and_one_that_fails_to_the_one_before() {
        let mut policy = policy();
        let most = |policy: &dyn Policy| {
            let weights = policy.weights(0);
            assert_eq!(weights[3], 0.0, "it is only evaluated");
            if weights[0] > weights[2] { "easy" } else { "hard" }
        };
        assert_eq!(most(&*policy), "easy");
        evaluated(&mut *policy, [0.6, 0.0, 0.9, 0.0]);
        assert_eq!(most(&*policy), "easy");
        evaluated(&mut *policy, [0.75, 0.0, 0.0, 0.0]);
        assert_eq!(most(&*policy), "hard");
        evaluated(&mut *policy, [0.75, 0.0, 0.05, 0.0]);
        assert_eq!(most(&*policy), "easy");
    }

    #[test]
    fn what_is_aligned_less_comes_more_often() {
        let mut policy = policy();
        evaluated(&mut *policy, [0.5, 0.9, 0.0, 0.0]);
        let weights = policy.weights(0);
        assert!(weights[0] + weights[2] > 2.0 * weights[1] && weights[1] > 0.0, "{weights:?}");
    }

    #[test]
    fn its_state_is_restored_and_one_of_another_recipe_is_refused() {
        let (mut first, mut second) = (policy(), policy());
        evaluated(&mut *first, [0.8, 0.3, 0.2, 0.0]);
        second.restore(&first.state()).expect("it is its own");
        assert_eq!(first.weights(9), second.weights(9));
        assert!(second.restore(&[0.0]).is_err());
        assert!(second.restore(&[7.0, 0.0, 0.0, 0.0, 0.0, 0.0]).is_err());
    }
}
