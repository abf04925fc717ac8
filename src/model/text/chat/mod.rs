//! A model's chat template: messages to the text that the model was trained on.
//!
//! Templates are written in Jinja, and rendered to the text that transformers renders. What
//! cannot be is refused by its name. There is no clock: `strftime_now` returns the date that the
//! caller sets, so that the same messages become the same text on any day.

mod frame;
mod jinja;
mod special;

pub use frame::{Frame, System};
pub use jinja::Date;
pub(crate) use jinja::{Program, strictly};

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use serde_json::{Map, Value as Json, json};

use crate::model::Tokenizer;

/// What one side says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// `system`, `user` or `assistant`.
    pub role: &'a str,
    /// The text.
    pub content: &'a str,
}

/// A chat template, ready to be rendered.
#[derive(Clone, Debug)]
pub struct Template {
    program: jinja::Program,
    special: BTreeMap<String, String>,
    /// What ends a reply where the template says nothing.
    end: Option<String>,
    date: Option<Date>,
}

impl Template {
    /// Reads a template's text. `special` has the texts of special tokens under the names that
    /// templates use: `bos_token`, `eos_token`.
    ///
    /// # Errors
    /// With the line of what cannot be read, or would be rendered another way than transformers
    /// does.
    pub fn new(text: &str, special: BTreeMap<String, String>) -> Result<Template> {
        let program = jinja::Program::parse(text).map_err(told)?;
        let end = special.get("eos_token").cloned();
        Ok(Template { program, special, end, date: None })
    }

    /// The template of a model: `chat_template.jinja` of its folder, or what its tokenizer came
    /// with, from `tokenizer_config.json` or GGUF. None where the model has no template.
    ///
    /// # Errors
    /// As [`Template::new`]; also where there are templates, and none is the default one.
    pub fn load(base: &Path, tokenizer: &Tokenizer) -> Result<Option<Template>> {
        let failed = || format!("in the chat template of {}", base.display());
        let Some(text) = tokenizer.chat_template().with_context(failed)? else { return Ok(None) };
        Template::of(&text, tokenizer).map(Some).with_context(failed)
    }

    /// A template for this tokenizer, whose special tokens it may write.
    ///
    /// # Errors
    /// As [`Template::new`].
    pub fn of(text: &str, tokenizer: &Tokenizer) -> Result<Template> {
        let template = Template::new(text, special::tokens(tokenizer.named()))?;
        Ok(Template { end: tokenizer.token(tokenizer.eos()), ..template })
    }

    /// The same on a day, which `strftime_now` returns.
    pub fn on(self, date: Date) -> Template {
        Template { date: Some(date), ..self }
    }

    /// Whether it asks for the date anywhere.
    pub fn is_dated(&self) -> bool {
        self.program.names("strftime_now")
    }

    /// The text of a conversation; with `add_generation_prompt`, up to where the model's reply
    /// begins.
    ///
    /// # Errors
    /// What the template raises, such as that it knows no system text.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String> {
        let message = |one: &Message| json!({ "role": one.role, "content": one.content });
        let messages: Vec<Json> = messages.iter().map(message).collect();
        let mut given = Map::new();
        // What transformers passes to every template, if there are no tools and no documents.
        given.insert("messages".into(), messages.into());
        given.insert("tools".into(), Json::Null);
        given.insert("documents".into(), Json::Null);
        given.insert("add_generation_prompt".into(), add_generation_prompt.into());
        for (name, text) in &self.special {
            given.insert(name.clone(), text.as_str().into());
        }
        self.program.render(&given, self.date).map_err(told)
    }
}

/// An error of the template, with its position in it.
fn told(error: jinja::Error) -> anyhow::Error {
    let place = error.line.map(|line| format!("line {line} of the ")).unwrap_or_default();
    anyhow!("{place}chat template: {}", error.text)
}
