//! What a recipe's models are trained on: its arms, as recipes that differ from it.

use crate::data::dataset::Replies;
use crate::mixer::runs::alone;
use crate::recipe::{Arm, Eval, Recipe};

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
    let mut all: Vec<Planned> = Vec::new();
    for arm in &recipe.study.arms {
        for planned in of_arm(recipe, *arm) {
            let same = |other: &Planned| {
                let is_merged = [other.arm, planned.arm].map(|arm| arm == Arm::Merged);
                is_merged[0] == is_merged[1] && scaled(&other.recipe) == scaled(&planned.recipe)
            };
            if !all.iter().any(same) {
                all.push(planned);
            }
        }
    }
    all
}

/// The models of an arm; none where the recipe has nothing that it could be trained on.
fn of_arm(recipe: &Recipe, arm: Arm) -> Vec<Planned> {
    let weights: Vec<f64> = recipe.templates.iter().map(|entry| entry.weight).collect();
    let trained: Vec<usize> = (0..weights.len()).filter(|at| weights[*at] > 0.0).collect();
    let has_text = recipe.texts.iter().any(|text| text.weight > 0.0);
    let planned = |recipe: Recipe| vec![Planned { arm, template: None, recipe }];
    match arm {
        Arm::Singles => {
            let one =
                |at: &usize| Planned { arm, template: Some(*at), recipe: single(recipe, *at) };
            trained.iter().map(one).collect()
        }
        Arm::Mixture if !trained.is_empty() => planned(mixture(recipe)),
        Arm::Uniform if !trained.is_empty() => planned(equal(recipe)),
        Arm::Merged if trained.len() > 1 && can_merge(recipe) => planned(of(recipe, &weights)),
        Arm::Shuffled if !trained.is_empty() => {
            let mut shuffled = mixture(recipe);
            shuffled.templates.iter_mut().for_each(|entry| entry.replies = Replies::Shuffled);
            // Rows of natural text have replies of their own: from them the task could be learned.
            planned(without_text(shuffled))
        }
        Arm::Text if has_text => planned(of(recipe, &vec![0.0; weights.len()])),
        _ => Vec::new(),
    }
}

/// The recipe on one of its templates alone.
pub fn single(recipe: &Recipe, at: usize) -> Recipe {
    let mut mixture = vec![0.0; recipe.templates.len()];
    mixture[at] = 1.0;
    without_text(of(recipe, &mixture))
}

/// Whether the adapters of its runs can be averaged: low-rank terms can, magnitudes cannot.
fn can_merge(recipe: &Recipe) -> bool {
    recipe.lora.as_ref().is_some_and(|lora| !lora.dora)
}

/// The recipe on a mixture of its templates.
fn of(recipe: &Recipe, mixture: &[f64]) -> Recipe {
    alone(recipe, mixture, recipe.train.steps)
}

/// The recipe's own mixture, by its own policy: one that follows evaluations has these as well.
fn mixture(recipe: &Recipe) -> Recipe {
    let weights: Vec<f64> = recipe.templates.iter().map(|entry| entry.weight).collect();
    let plain = of(recipe, &weights);
    match recipe.mix.policy.path.as_str() {
        "fixed" => plain,
        "uniform" => equal(recipe),
        _ => {
            let eval = Eval { tasks: None, ..recipe.eval.clone() };
            Recipe { eval, study: plain.study, ..recipe.clone() }
        }
    }
}

/// Equal weights of the templates that have one.
fn equal(recipe: &Recipe) -> Recipe {
    let weights = || recipe.templates.iter().map(|entry| entry.weight);
    let trained = weights().filter(|weight| *weight > 0.0).count();
    let mean = weights().sum::<f64>() / trained as f64;
    let equal = weights().map(|weight| if weight > 0.0 { mean } else { 0.0 });
    of(recipe, &equal.collect::<Vec<f64>>())
}

/// The same mixture with weights whose sum is 1.
fn scaled(recipe: &Recipe) -> Recipe {
    let mut scaled = recipe.clone();
    let templates = recipe.templates.iter().map(|entry| entry.weight);
    let sum: f64 = templates.chain(recipe.texts.iter().map(|text| text.weight)).sum();
    scaled.templates.iter_mut().for_each(|entry| entry.weight /= sum);
    scaled.texts.iter_mut().for_each(|text| text.weight /= sum);
    scaled
}

fn without_text(mut recipe: Recipe) -> Recipe {
    recipe.texts.iter_mut().for_each(|text| text.weight = 0.0);
    recipe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn planned(text: &str) -> Vec<Planned> {
        let (recipe, errors) = crate::recipe::parse(&Source::new("recipe.toml", text));
        assert!(errors.is_empty(), "{errors:?}");
        arms(&recipe.expect("TOML"))
    }

    fn kinds(planned: &[Planned]) -> Vec<(&'static str, Option<usize>)> {
        planned.iter().map(|one| (one.arm.name(), one.template)).collect()
    }

    const TWO: &str =
        "[[template]]\nfile = \"std:retrieval\"\n[[template]]\nfile = \"std:pairs\"\n";
    const TEXT: &str = "[[text]]\nfile = \"rows.jsonl\"\nreply = \"{{ text }}\"\n";
    const HELD_OUT: &str = "weight = 0.0\n";

    #[test]
    fn what_would_be_the_same_as_another_arm_is_left_out() {
        let single = [("singles", Some(0)), ("singles", Some(1))];
        let found = kinds(&planned(TWO));
        assert_eq!(found, [&single[..], &[("mixture", None), ("shuffled", None)]].concat());
        let heavy = format!("{TWO}weight = 3.0\n");
        let rest = [("mixture", None), ("uniform", None), ("shuffled", None)];
        assert_eq!(kinds(&planned(&heavy)), [&single[..], &rest].concat());
        let one = format!("{TWO}{HELD_OUT}");
        assert_eq!(kinds(&planned(&one)), [("singles", Some(0)), ("shuffled", None)]);
        let one = one.replace("\"std:retrieval\"\n", "\"std:retrieval\"\nweight = 3.0\n");
        assert_eq!(kinds(&planned(&one)), [("singles", Some(0)), ("shuffled", None)]);
    }

    #[test]
    fn adapters_of_several_templates_are_merged_and_magnitudes_are_not() {
        let lora = format!("[model]\nbase = \"model\"\n{TWO}[lora]\nrank = 2\n");
        let merged = |text: &str| planned(text).iter().any(|one| one.arm == Arm::Merged);
        assert!(merged(&lora) && !merged(TWO));
        assert!(!merged(&format!("{lora}use_dora = true\n")));
        assert!(!merged(&lora.replace("\"std:pairs\"\n", "\"std:pairs\"\nweight = 0.0\n")));
    }

    #[test]
    fn natural_text_is_an_arm_and_in_no_template_alone_and_no_control() {
        let found = planned(&format!("{TWO}{HELD_OUT}{TEXT}"));
        let wanted = [("singles", Some(0)), ("mixture", None), ("shuffled", None), ("text", None)];
        assert_eq!(kinds(&found), wanted);
        let texts: Vec<f64> = found.iter().map(|one| one.recipe.texts[0].weight).collect();
        assert_eq!(texts, [0.0, 1.0, 0.0, 1.0]);
        assert!(found[3].recipe.templates.iter().all(|entry| entry.weight == 0.0));
    }

    #[test]
    fn the_control_differs_from_the_mixture_in_its_replies_alone() {
        let found = planned(TWO);
        let (mixture, mut control) = (found[2].recipe.clone(), found[3].recipe.clone());
        assert_ne!(mixture, control);
        control.templates.iter_mut().for_each(|entry| entry.replies = Replies::Own);
        assert_eq!(mixture, control);
    }

    #[test]
    fn a_policy_that_follows_evaluations_is_that_of_the_mixture_alone() {
        let online = format!("{TWO}[mix]\npolicy = \"online\"\n[eval]\nevery = 5\n");
        let found = planned(&online);
        assert_eq!(found[2].recipe.mix.policy.path, "online");
        assert_eq!(found[0].recipe.mix.policy.path, "fixed");
    }
}
