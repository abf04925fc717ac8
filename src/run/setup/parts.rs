//! Each template of a run with what turns its samples into ids, compared with complete texts.

use std::sync::Arc;

use super::super::{shots, wording};
use super::chat::Chat;
use super::errors::Errors;
use crate::data::dataset::Part;
use crate::data::layout::TokenIds;
use crate::data::{Sampler, Split};
use crate::model::Tokenizer;
use crate::recipe::{Base, Entry, Recipe};

/// What samples become ids with.
pub struct Format<'a> {
    /// The recipe.
    pub recipe: &'a Recipe,
    /// Texts to ids.
    pub tokenizer: &'a Tokenizer,
    /// Where samples are chats.
    pub chat: Option<Chat>,
}

impl Format<'_> {
    /// The parts of all templates, in the recipe's order.
    pub fn parts(&mut self, samplers: Vec<Sampler>, errors: &mut Errors) -> Vec<Part> {
        let recipe = self.recipe;
        let both = samplers.into_iter().zip(&recipe.templates);
        both.map(|(sampler, entry)| self.part(sampler, entry, errors)).collect()
    }

    fn part(&mut self, sampler: Sampler, entry: &Entry, errors: &mut Errors) -> Part {
        let Format { recipe, tokenizer, chat } = self;
        if let Some(error) = wording::unknown(tokenizer, &sampler, recipe.data.seed) {
            let of = match &recipe.model.base {
                Base::Folder(base) => format!(", which is that of {}", base.path),
                Base::Scratch(_) => String::new(),
            };
            let help = format!("take words and templates that the model's tokenizer knows{of}");
            errors.add("E708", format!("{error:#}"), entry.file.span, "shown here", help);
        }
        let tokenize = Arc::new((*tokenizer).clone());
        let ids = TokenIds::new(sampler.program(), sampler.vocabulary().clone(), tokenize);
        let ids = match chat {
            Some(chat) => chat.frame(ids, &sampler, tokenizer, errors),
            None => ids.behind(tokenizer.opening()),
        };
        let ids = if recipe.data.shots > 0 { ids.after_shots(shots::BETWEEN) } else { ids };
        let part = Part { sampler, ids, replies: entry.replies };
        // The word tokens of a model from scratch are the same at every position.
        if tokenizer.is_of_words() {
            return part;
        }
        let part = part.held(recipe.data.seed);
        warn_of_seam(&part, recipe.data.seed, errors);
        part
    }
}

/// Warns if a template's prompts alone have other ids than before a reply.
fn warn_of_seam(part: &Part, seed: u64, errors: &Errors) {
    let mut memory = part.sampler.memory(Split::Train, seed);
    let made = part.sampler.sample(&mut memory, 0).is_ok();
    if made && part.ids.reads_alone(&memory) == Ok(false) {
        errors.warn(&format!(
            "warning: the prompt of {} ends with white space that the tokenizer joins with what \
             comes after it: who reads the prompt alone reads other tokens than are learned; end \
             it with a word or a sign",
            part.sampler.program().name
        ));
    }
}
