//! Which template each sample of a step is of: by mixture weights, which a policy chooses.

pub mod accuracy;
pub mod cookbook;
mod curriculum;
pub mod draws;
mod fixed;
mod ladder;
mod linear;
pub mod log_linear;
mod online;
mod order;
pub mod statistics;

use std::fmt;

use serde_json::{Value, json};

use crate::data::Split;
use crate::diagnostic::Diagnostic;
use crate::eval::report::Scores;
use crate::recipe::{self, Recipe};
pub use curriculum::{Curriculum, Progress, WINDOW};
pub use order::Order;

/// Chooses the mixture weights of each step.
///
/// Every process of a run has its own, and all must choose the same weights: a policy depends on
/// the recipe, the step and the scores alone, not on time, threads or random numbers.
pub trait Policy: fmt::Debug + Send + Sync {
    /// The weights of a step, the first of which is 0: one for each template, in the recipe's
    /// order. They are from 0 to a million, and at least one is above 0.
    fn weights(&self, step: u64) -> Vec<f64>;

    /// Takes in the scores of an evaluation, before the first step or between two steps.
    fn update(&mut self, evaluated: &Evaluated);

    /// What a checkpoint must keep of it; none where the step says it all.
    fn state(&self) -> Vec<f64>;

    /// Puts back what [`state`](Policy::state) returned.
    ///
    /// # Errors
    /// If the numbers are not those of this policy.
    fn restore(&mut self, state: &[f64]) -> Result<(), String>;
}

/// Restores a policy that has no state.
fn restore_nothing(state: &[f64]) -> Result<(), String> {
    match state.is_empty() {
        true => Ok(()),
        false => Err("it has no state".to_string()),
    }
}

/// How a run did in a task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The share of items that are right, known or estimated.
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
}

/// What an evaluation came to.
#[derive(Clone, Copy, Debug)]
pub struct Evaluated<'a> {
    /// Steps that were done before it.
    pub step: u64,
    /// The scores of each template, in the recipe's order.
    pub scores: &'a [Scores],
}

impl Outcome {
    /// The mean over some tasks, each counted once.
    pub fn over(tasks: &[Outcome]) -> Outcome {
        let count = tasks.len() as f64;
        let mean = tasks.iter().map(|one| one.mean).sum::<f64>() / count;
        let error = tasks.iter().map(|one| one.error.powi(2)).sum::<f64>().sqrt() / count;
        Outcome { mean, error }
    }
}

/// Makes a policy for a recipe.
pub type Make = fn(&Recipe) -> Box<dyn Policy>;

/// The policies by the names that a recipe calls them by. Those that learn from runs before the
/// training have the weights of the recipe until then.
const POLICIES: &[(&str, Make)] = &[
    ("fixed", fixed::make),
    ("uniform", fixed::equal),
    ("linear", linear::make),
    (online::NAME, online::make),
    (COOKBOOK, fixed::make),
    (MERGE, fixed::make),
    (LOG_LINEAR, fixed::make),
];

/// The policy that weighs templates by what their own runs do on the target tasks.
pub const COOKBOOK: &str = "cookbook";
/// The policy that averages the models of the templates' own runs in candidate mixtures.
pub const MERGE: &str = "merge";
/// The policy that fits losses to runs on random mixtures.
pub const LOG_LINEAR: &str = "log-linear";

/// Whether a recipe's mixture weights are learned by runs of their own, before the training.
pub fn is_learned(recipe: &Recipe) -> bool {
    [COOKBOOK, MERGE, LOG_LINEAR].contains(&recipe.mix.policy.path.as_str())
}

/// What makes the policy that a recipe names.
///
/// # Errors
/// If it names none, or its weights do not fit the policy.
pub fn policy(recipe: &Recipe) -> Result<Make, Box<Diagnostic>> {
    let named = &recipe.mix.policy;
    let Some((_, make)) = POLICIES.iter().find(|(name, _)| *name == named.path) else {
        let names: Vec<&str> = POLICIES.iter().map(|(name, _)| *name).collect();
        return Err(Box::new(recipe::unknown_word("policy", &named.path, named.span, &names)));
    };
    let changed = recipe.templates.iter().find(|entry| entry.end_weight.is_some());
    if let Some(entry) = changed.filter(|_| named.path != linear::NAME) {
        let title = "`end_weight` is for mixture weights that change, and these do not";
        let label = "this template has one";
        let error = Diagnostic::error("E708", title, entry.file.span, label);
        let help = "leave it out, or write `policy = \"linear\"` below `[mix]`";
        return Err(Box::new(error.help(help)));
    }
    if named.path == online::NAME && recipe.eval.every == 0 {
        let title = "`online` follows evaluations during training, and there are none";
        let error = Diagnostic::error("E708", title, named.span, "it would never change");
        return Err(Box::new(error.help("write `every = 20` below `[eval]`")));
    }
    if is_learned(recipe) {
        expect_targets(recipe)?;
    }
    if named.path == MERGE && recipe.lora.as_ref().is_some_and(|lora| lora.dora) {
        let title = "`merge` averages low-rank terms, and `use_dora` trains magnitudes beside them";
        let error = Diagnostic::error("E708", title, named.span, "this policy");
        let help = "leave out `use_dora`, or write `policy = \"cookbook\"`";
        return Err(Box::new(error.help(help)));
    }
    if recipe.mix.mastered < recipe.mix.failed {
        let title = "a level is mastered at a lower alignment than it fails at";
        let error = Diagnostic::error("E708", title, named.span, "this policy");
        return Err(Box::new(error.help("write a `mastered` above `failed`")));
    }
    for (step, which) in [(0, "first"), (recipe.train.steps - 1, "last")] {
        let weights = [make(recipe).weights(step), of_texts(recipe)].concat();
        if let Err(why) = Order::new(&weights, Split::Train, 0) {
            let title = format!("the mixture weights of the {which} step: {why}");
            let error = Diagnostic::error("E708", title, named.span, "this policy");
            let key = if named.path == linear::NAME { "an `end_weight`" } else { "a `weight`" };
            let help = format!("write {key} above 0 for at least one template");
            return Err(Box::new(error.help(help)));
        }
    }
    Ok(*make)
}

/// The weights of the texts, which stay as the recipe says.
fn of_texts(recipe: &Recipe) -> Vec<f64> {
    recipe.texts.iter().map(|text| text.weight).collect()
}

/// A mixture is learned for something, and of something.
fn expect_targets(recipe: &Recipe) -> Result<(), Box<Diagnostic>> {
    let named = &recipe.mix.policy;
    let trained = recipe.templates.iter().filter(|entry| entry.weight > 0.0).count();
    let has_targets = trained < recipe.templates.len()
        || recipe.mix.tasks.is_some()
        || recipe.eval.tasks.is_some();
    let (title, help) = match (trained < 2, has_targets) {
        (true, _) => {
            let few = if trained == 1 { "one template" } else { "no template" };
            let title = format!("there is nothing to weigh: {few} is trained on");
            (title, "write at least two templates with a `weight` above 0")
        }
        (_, false) => {
            let title = format!("`{}` is for target tasks, and there are none", named.path);
            let help = "write `tasks = { names = \"gpt4all\", limit = 100 }` below `[mix]`, or \
                        `weight = 0.0` for a template that is a target";
            (title, help)
        }
        _ => return Ok(()),
    };
    Err(Box::new(Diagnostic::error("E708", title, named.span, "this policy").help(help)))
}

/// The templates of a run's samples, and the texts: these come after the templates.
///
/// A sample's template depends on the seed, its index and the weights of its step alone, so a run
/// that is resumed with the policy's state draws what it would have drawn.
#[derive(Debug)]
pub struct Mixture {
    policy: Box<dyn Policy>,
    /// The weights of the texts.
    texts: Vec<f64>,
    name: String,
    seed: u64,
    samples_of_a_step: u64,
}

impl Mixture {
    /// As it is before the first step.
    pub fn new(recipe: &Recipe, make: Make) -> Mixture {
        Mixture {
            policy: make(recipe),
            texts: of_texts(recipe),
            name: recipe.mix.policy.path.clone(),
            seed: recipe.data.seed,
            samples_of_a_step: (recipe.train.batch * recipe.train.accumulate) as u64,
        }
    }

    /// The step that a sample is of.
    pub fn step_of(&self, index: u64) -> u64 {
        index / self.samples_of_a_step
    }

    /// The order of a step, the first of which is 0: the template of each of its samples.
    ///
    /// # Errors
    /// If the policy's weights are not numbers from 0 to a million, or all 0.
    pub fn order(&self, split: Split, step: u64) -> Result<Order, String> {
        Order::new(&self.weights(step), split, self.seed)
            .map_err(|why| format!("mixture weights of step {}: {why}", step + 1))
    }

    /// The weights of a step, the first of which is 0.
    pub fn weights(&self, step: u64) -> Vec<f64> {
        [self.policy.weights(step), self.texts.clone()].concat()
    }

    /// Takes in the scores of an evaluation.
    pub fn update(&mut self, evaluated: &Evaluated) {
        self.policy.update(evaluated);
    }

    /// What a checkpoint keeps of it: every bit of the policy's numbers. Null where it has none.
    pub fn state(&self) -> Value {
        let state = self.policy.state();
        if state.is_empty() {
            return Value::Null;
        }
        // A decimal that is read again may have lost its last bit.
        let bits: Vec<String> = state.iter().map(|it| format!("{:016x}", it.to_bits())).collect();
        json!({ "policy": self.name, "bits": bits })
    }

    /// Goes on from what a checkpoint kept.
    ///
    /// # Errors
    /// If it is of another policy, or not what one keeps.
    pub fn restore(&mut self, kept: &Value) -> Result<(), String> {
        if kept.is_null() {
            return self.policy.restore(&[]);
        }
        let name = kept["policy"].as_str().unwrap_or_default();
        if name != self.name {
            return Err(format!("the checkpoint keeps the state of `{name}`, not `{}`", self.name));
        }
        let bits = |text: &Value| u64::from_str_radix(text.as_str()?, 16).ok();
        let all = kept["bits"].as_array().map(Vec::as_slice).unwrap_or_default();
        let numbers: Option<Vec<f64>> =
            all.iter().map(|text| bits(text).map(f64::from_bits)).collect();
        let numbers = numbers.ok_or_else(|| format!("the state of `{name}` is damaged"))?;
        self.policy.restore(&numbers).map_err(|why| format!("the state of `{name}`: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn recipe(text: &str) -> Recipe {
        let (recipe, errors) = recipe::parse(&Source::new("recipe.toml", text));
        assert!(errors.is_empty(), "{errors:?}");
        recipe.expect("TOML")
    }

    const TWO: &str = "\
[[template]]
file = \"std:retrieval\"
end_weight = 0.0
[[template]]
file = \"std:copying\"
weight = 0.5
end_weight = 2.5
[train]
steps = 5
[mix]
policy = \"linear\"
";

    #[test]
    fn weights_go_in_a_straight_line_from_the_first_step_to_the_last() {
        let recipe = recipe(TWO);
        let mixture = Mixture::new(&recipe, policy(&recipe).expect("a policy"));
        let weights: Vec<Vec<f64>> = (0..6).map(|step| mixture.weights(step)).collect();
        let wanted = [[1.0, 0.5], [0.75, 1.0], [0.5, 1.5], [0.25, 2.0], [0.0, 2.5], [0.0, 2.5]];
        assert_eq!(weights, wanted);
        let last = mixture.order(Split::Train, 4).expect("an order");
        assert!((64..80).all(|row| last.template(row) == 1));
    }

    #[test]
    fn policies_that_do_not_fit_their_weights_are_refused() {
        for (from, to, wanted) in [
            ("\"linear\"", "\"liner\"", "`policy` cannot be `liner`"),
            ("\"linear\"", "\"fixed\"", "`end_weight` is for mixture weights that change"),
            ("end_weight = 2.5", "end_weight = 0.0", "the mixture weights of the last step"),
        ] {
            let recipe = recipe(&TWO.replace(from, to));
            let error = policy(&recipe).expect_err("it is refused");
            assert!(error.title.starts_with(wanted), "{}", error.title);
        }
    }

    #[test]
    fn a_state_is_kept_to_the_last_bit_and_is_of_one_policy() {
        #[derive(Debug)]
        struct Learned(Vec<f64>);
        impl Policy for Learned {
            fn weights(&self, _: u64) -> Vec<f64> {
                self.0.clone()
            }
            fn update(&mut self, _: &Evaluated) {}
            fn state(&self) -> Vec<f64> {
                self.0.clone()
            }
            fn restore(&mut self, state: &[f64]) -> Result<(), String> {
                self.0 = state.to_vec();
                Ok(())
            }
        }
        let recipe = recipe(TWO);
        let numbers = vec![0.1 + 0.2, f64::from_bits(1), 1e300];
        let mut learned = Mixture::new(&recipe, |_| Box::new(Learned(vec![1.0])));
        learned.policy = Box::new(Learned(numbers.clone()));
        let kept: Value = serde_json::from_str(&learned.state().to_string()).expect("JSON");
        let mut again = Mixture::new(&recipe, |_| Box::new(Learned(vec![1.0])));
        again.restore(&kept).expect("it is its own");
        assert_eq!(again.weights(0), numbers);
        again.name = "other".to_string();
        assert!(again.restore(&kept).is_err());
        let mut fixed = Mixture::new(&recipe, fixed::make);
        assert!(fixed.restore(&kept).is_err() && fixed.restore(&Value::Null).is_ok());
    }

    #[test]
    fn the_table_of_keys_names_every_policy() {
        let rows = recipe::rows();
        let row = rows.iter().find(|row| row.name == "policy").expect("a key");
        for (name, _) in POLICIES {
            assert!(row.about.contains(&format!("`{name}`")), "{name}");
        }
    }
}
