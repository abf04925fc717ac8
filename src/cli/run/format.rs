//! `format = "chat"`: samples in the model's own chat template.

use super::setup::Faults;
use crate::data::layout::TokenIds;
use crate::ir::Program;
use crate::model::{self, Tokenizer, chat};
use crate::recipe::{Base, Format, Recipe};
use crate::source::Span;

/// The chat format of a run.
pub struct Chat {
    template: chat::Template,
    /// The ids that end a reply; known with the first template.
    pub closing: Vec<u32>,
    /// The model, as the recipe names it.
    span: Span,
}

impl Chat {
    /// None where samples are plain text, or where it is a fault.
    pub fn of(recipe: &Recipe, tokenizer: &Tokenizer, faults: &mut Faults) -> Option<Chat> {
        let (Format::Chat, Base::Folder(base)) = (recipe.data.format, &recipe.model.base) else {
            return None;
        };
        let span = base.span;
        let path = model::locate(&base.path);
        let title = match path.and_then(|path| chat::Template::load(&path, tokenizer)) {
            Ok(Some(template)) => return Some(Chat { template, closing: Vec::new(), span }),
            Ok(None) => "the model has no chat template".to_string(),
            Err(error) => format!("{error:#}"),
        };
        Chat::fault(title, span, faults);
        None
    }

    /// The same ids, in this format.
    pub fn frame(
        &mut self,
        ids: TokenIds,
        program: &Program,
        tokenizer: &Tokenizer,
        faults: &mut Faults,
    ) -> TokenIds {
        let around = self.template.around(program.layout.system.is_some());
        match around.and_then(|around| Ok((tokenizer.encode(&around[3])?, around))) {
            Ok((closing, [system, prompt, reply, _])) => {
                self.closing = closing;
                ids.in_chat([&system, &prompt, &reply])
            }
            Err(error) => {
                Chat::fault(format!("{error:#}"), self.span, faults);
                ids
            }
        }
    }

    fn fault(title: String, span: Span, faults: &mut Faults) {
        let help =
            "write `format = \"plain\"` below `[data]`, or take a model with a chat template";
        faults.add("E707", title, span, "its chat template", help.to_string());
    }
}
