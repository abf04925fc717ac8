//! What a recipe's models are trained on: its arms, as recipes that differ from it.

use crate::mixer::runs::alone;
use crate::recipe::{Arm, Recipe};

/// A model of a study but for its seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Of which kind it is.
    pub arm: Arm,
    /// The only template that it is trained on, by number.
    pub template: Option<usize>,
    /// What is trained.
    pub recipe: Recipe,
}

/// What is trained for a recipe, in order; what would be the same as another one is left out.
pub fn arms(recipe: &Recipe) -> Vec<Planned> {
    let steps = recipe.train.steps;
    let weights: Vec<f64> = recipe.templates.iter().map(|entry| entry.weight).collect();
    let trained: Vec<usize> = (0..weights.len()).filter(|at| weights[*at] > 0.0).collect();
    let single = |at: usize| {
        let mut single = vec![0.0; weights.len()];
        single[at] = 1.0;
        single
    };
    let total: f64 = weights.iter().sum();
    let equal: Vec<f64> = weights
        .iter()
        .map(|weight| if *weight > 0.0 { total / trained.len() as f64 } else { 0.0 })
        .collect();
    let planned = |arm, template, mixture: &[f64]| Planned {
        arm,
        template,
        recipe: alone(recipe, mixture, steps),
    };
    let mut all = Vec::new();
    for arm in &recipe.study.arms {
        match arm {
            Arm::Singles => {
                all.extend(trained.iter().map(|at| planned(*arm, Some(*at), &single(*at))));
            }
            Arm::Mixture if trained.len() > 1 || !recipe.study.arms.contains(&Arm::Singles) => {
                all.push(planned(*arm, None, &weights));
            }
            Arm::Uniform if trained.len() > 1 && equal != weights => {
                all.push(planned(*arm, None, &equal));
            }
            _ => {}
        }
    }
    all
}
