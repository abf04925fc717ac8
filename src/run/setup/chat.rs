//! `format = "chat"`: samples in the model's own chat template.

use super::super::reading;
use super::errors::Errors;
use crate::data::layout::{Escape, Part as Text, TextWriter, TokenIds};
use crate::data::{Sampler, Split};
use crate::ir::{Piece, Program};
use crate::model::chat::{Frame, System};
use crate::model::{self, Ends, Tokenizer, chat};
use crate::recipe::{Base, Format, Recipe};
use crate::source::Span;

/// Samples of each template, and rows of each text, that the chat template itself renders before a
/// run, to compare them with what is trained.
pub const RENDERED: u64 = 16;

/// What to write where a model's chat template does not do.
pub const HELP: &str =
    "write `format = \"plain\"` below `[data]`, or take a model with a chat template";

/// The chat format of a run.
pub struct Chat {
    template: chat::Template,
    /// What ends a reply; known with the first template.
    pub ends: Option<Ends>,
    /// Ids that the model has.
    vocab_size: usize,
    /// The run's seed.
    seed: u64,
    /// The model, as the recipe names it.
    span: Span,
}

impl Chat {
    /// None where samples are plain text, or where it is an error. A chat template that asks for
    /// the date gets the recipe's, or else that of today, which the recipe keeps.
    pub fn of(
        recipe: &mut Recipe,
        tokenizer: &Tokenizer,
        vocab_size: usize,
        errors: &mut Errors,
    ) -> Option<Chat> {
        let (Format::Chat, Base::Folder(base)) = (recipe.data.format, &recipe.model.base) else {
            return None;
        };
        let span = base.span;
        let path = model::locate(&base.path);
        let title = match path.and_then(|path| chat::Template::load(&path, tokenizer)) {
            Ok(Some(mut template)) => {
                if template.is_dated() {
                    let date = *recipe.data.date.get_or_insert_with(reading::today);
                    template = template.on(date);
                }
                let seed = recipe.data.seed;
                return Some(Chat { template, ends: None, vocab_size, seed, span });
            }
            Ok(None) => "the model has no chat template".to_string(),
            Err(error) => format!("{error:#}"),
        };
        Chat::error(title, span, errors);
        None
    }

    /// The same ids, in this format.
    pub fn frame(
        &mut self,
        ids: TokenIds,
        sampler: &Sampler,
        tokenizer: &Tokenizer,
        errors: &mut Errors,
    ) -> TokenIds {
        match self.framed(sampler, tokenizer) {
            Ok(frame) => {
                let ids = if frame.has_system { ids } else { ids.without_system() };
                ids.in_chat([&frame.system, &frame.prompt, &frame.reply, &frame.end])
            }
            Err(error) => {
                Chat::error(format!("{error:#}"), self.span, errors);
                ids
            }
        }
    }

    fn framed(&mut self, sampler: &Sampler, tokenizer: &Tokenizer) -> anyhow::Result<Frame> {
        let frame = self.frame_of(sampler.program())?;
        self.expect_known(&frame, tokenizer)?;
        self.expect(&frame, sampler)?;
        Ok(frame)
    }

    /// What is around prompts and replies without a system text.
    pub fn frame_of_rows(&mut self, tokenizer: &Tokenizer) -> anyhow::Result<Frame> {
        let frame = self.template.frame(System::None)?;
        self.expect_known(&frame, tokenizer)?;
        Ok(frame)
    }

    /// Fails if the chat template makes another text of a prompt and a reply without a system text.
    pub fn expect_row(&self, frame: &Frame, prompt: &str, reply: &str) -> anyhow::Result<()> {
        self.template.expect(frame, None, prompt, reply)
    }

    /// Fails if the model does not know what the frame writes, or if a reply ends otherwise than
    /// in another frame.
    fn expect_known(&mut self, frame: &Frame, tokenizer: &Tokenizer) -> anyhow::Result<()> {
        let texts = [&frame.system, &frame.prompt, &frame.reply, &frame.end];
        for token in tokenizer.absent() {
            anyhow::ensure!(
                !texts.iter().any(|text| text.contains(token)),
                "the chat template writes `{token}`, which its files name as a special token, and \
                 the tokenizer has no such token"
            );
        }
        for text in texts {
            let most = tokenizer.encode(text)?.into_iter().max().unwrap_or(0);
            anyhow::ensure!(
                (most as usize) < self.vocab_size,
                "the chat template writes `{}`, the token {most}, and the model has {} tokens",
                tokenizer.token(most).unwrap_or_default(),
                self.vocab_size
            );
        }
        let ends = Ends::closed_by(tokenizer, &frame.end)?;
        let known = self.ends.get_or_insert_with(|| ends.clone());
        anyhow::ensure!(
            *known == ends,
            "the chat template ends a reply after a system text otherwise than without one"
        );
        Ok(())
    }

    /// The frame for a program's system text. A template that looks at what is said there has one
    /// too, if all samples say the same.
    fn frame_of(&self, program: &Program) -> anyhow::Result<Frame> {
        let Some(system) = &program.layout.system else { return self.template.frame(System::None) };
        let literal = |piece: &Piece| match piece {
            Piece::Literal(text) => Some(text.clone()),
            Piece::Value(..) | Piece::Rows(_) => None,
        };
        let same: Option<String> = system.iter().map(literal).collect();
        let Some(same) = same else { return self.template.frame(System::Varies) };
        let same = same.trim();
        let frame = self.template.frame(System::Varies).and_then(|frame| {
            self.template.expect(&frame, Some(same), "a question", "an answer").map(|()| frame)
        });
        frame.or_else(|error| self.template.frame(System::Always(same)).map_err(|_| error))
    }

    /// Fails if the chat template makes other texts of some real samples.
    fn expect(&self, frame: &Frame, sampler: &Sampler) -> anyhow::Result<()> {
        let program: &Program = sampler.program();
        let writer = TextWriter::new(program, sampler.vocabulary().clone(), Escape::None);
        let mut memory = sampler.memory(Split::Train, self.seed);
        for index in 0..RENDERED {
            // A sample that cannot be drawn is another error, later.
            if sampler.sample(&mut memory, index).is_err() {
                break;
            }
            let text = |part: Text| writer.text(part, &memory).trim().to_string();
            let [system, prompt, reply] = [Text::System, Text::Prompt, Text::Reply].map(text);
            let system = program.layout.system.is_some().then_some(&*system);
            self.template.expect(frame, system, &prompt, &reply)?;
        }
        Ok(())
    }

    fn error(title: String, span: Span, errors: &mut Errors) {
        errors.add("E707", title, span, "its chat template", HELP.to_string());
    }
}
