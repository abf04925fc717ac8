//! The same mixture weights at every step.

use super::Policy;
use crate::recipe::Recipe;

#[derive(Debug)]
struct Fixed(Vec<f64>);

/// The weights of the recipe's templates.
pub fn make(recipe: &Recipe) -> Box<dyn Policy> {
    Box::new(Fixed(recipe.templates.iter().map(|entry| entry.weight).collect()))
}

impl Policy for Fixed {
    fn weights(&self, _: u64) -> Vec<f64> {
        self.0.clone()
    }
}
