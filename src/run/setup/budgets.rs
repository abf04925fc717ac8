//! The longest sample of each template in tokens, and whether the model can take it.

use super::super::shots;
use super::errors::Errors;
use crate::data::budget::{Budget, budget};
use crate::data::dataset::Part;
use crate::model::{Config, Tokenizer};
use crate::recipe::{Base, Entry, Recipe};

/// The room that a model has for a sample, and what is in it beside prompt and reply.
pub struct Room<'a> {
    recipe: &'a Recipe,
    tokenizer: &'a Tokenizer,
    /// Tokens that the model takes, and those that the recipe lets it take.
    of_model: u64,
    of_recipe: u64,
    /// Tokens between a shot and what follows it, and after the reply.
    between: u64,
    closing: u64,
}

impl<'a> Room<'a> {
    /// Of a run whose samples end with `closing` tokens.
    pub fn of(
        recipe: &'a Recipe,
        config: &Config,
        tokenizer: &'a Tokenizer,
        closing: usize,
    ) -> Room<'a> {
        let of_model = config.tokens_max() as u64;
        let of_recipe = of_model.min(recipe.data.sequence as u64);
        let between = shots::between_max(tokenizer);
        Room { recipe, tokenizer, of_model, of_recipe, between, closing: closing as u64 }
    }

    /// The budget of each template; one that has no room is an error.
    pub fn budgets(&self, parts: &[Part], errors: &mut Errors) -> Vec<Option<Budget>> {
        let both = parts.iter().zip(&self.recipe.templates);
        both.map(|(part, entry)| self.budget(part, entry, errors)).collect()
    }

    fn budget(&self, part: &Part, entry: &Entry, errors: &mut Errors) -> Option<Budget> {
        let words = (&**part.sampler.vocabulary(), &**part.sampler.pools());
        let mut program = (**part.sampler.program()).clone();
        // One that is the same everywhere may be a part of what is around the texts.
        program.layout.system = program.layout.system.filter(|_| part.ids.has_system());
        let budget = budget(&program, words, self.tokenizer, !part.ids.has_tables())?;
        let around = part.ids.around_max() as u64;
        let budget = Budget { prompt: budget.prompt + around, ..budget };
        let shots = self.recipe.data.shots as u64;
        let tokens = tokens(&budget, shots, self.between, self.closing);
        if tokens > self.of_recipe {
            let with = if shots > 0 { format!(" with its {shots} shots") } else { String::new() };
            let most = self.of_recipe;
            let title = format!("a sample{with} may have {tokens} tokens, and {most} are read");
            errors.add("E710", title, entry.file.span, "this template", self.more(tokens));
        }
        Some(budget)
    }

    /// What makes room for a sample of that many tokens.
    fn more(&self, tokens: u64) -> String {
        match &self.recipe.model.base {
            Base::Folder(_) if self.of_model < tokens && self.recipe.data.shots > 0 => {
                "write fewer `shots`, or choose an easier level".to_string()
            }
            Base::Folder(_) if self.of_model < tokens => {
                "choose an easier level, or set smaller parameters".to_string()
            }
            // A model from scratch is made for as many as the recipe says.
            _ => format!("write `max_length = {tokens}` below `[data]`"),
        }
    }
}

/// The most tokens of a sample with its shots and its end.
pub fn tokens(budget: &Budget, shots: u64, between: u64, closing: u64) -> u64 {
    (shots + 1) * (budget.prompt + budget.reply) + shots * between + closing
}
