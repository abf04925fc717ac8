//! A model's chat template: messages to the text that the model was taught to see.
//!
//! Templates are written in Jinja. They are rendered with what transformers gives them: blocks
//! trimmed, the methods of Python's strings, `raise_exception`. There is no clock:
//! `strftime_now` is not defined, so that the same messages give the same text on any day.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, Value, context};
use serde_json::Value as Json;

use crate::model::{Tokenizer, files};

/// The name under which the template is kept; errors show it.
const NAME: &str = "chat template";

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
    environment: Environment<'static>,
    special: BTreeMap<String, String>,
}

impl Template {
    /// Reads a template's text. `special` has the texts of special tokens under the names that
    /// templates use: `bos_token`, `eos_token`.
    pub fn new(text: &str, special: BTreeMap<String, String>) -> Result<Template> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(told)?);
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |message: String| -> Result<Value, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        // Far more than a text needs; a template that loops on and on is stopped.
        environment.set_fuel(Some(1_000_000));
        environment.add_template_owned(NAME, without_generation_tags(text)).map_err(told)?;
        Ok(Template { environment, special })
    }

    /// The template of a model: `chat_template.jinja` of its folder, or what its tokenizer came
    /// with, from `tokenizer_config.json` or GGUF. None where the model has no template.
    pub fn load(base: &Path, tokenizer: &Tokenizer) -> Result<Option<Template>> {
        let settings = Json::Object(tokenizer.settings());
        let own = files::text_of(&base.join("chat_template.jinja"), files::SETTINGS_MAX).ok();
        let Some(text) = own.or_else(|| template_of(&settings)) else { return Ok(None) };
        let template = Template::new(&text, special_tokens(&settings));
        template.map(Some).with_context(|| format!("in the chat template of {}", base.display()))
    }

    /// The text of a conversation; with `add_generation_prompt`, up to where the model's reply
    /// begins.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String> {
        let template = self.environment.get_template(NAME).map_err(told)?;
        let message = |one: &Message| context! { role => one.role, content => one.content };
        let messages: Value = messages.iter().map(message).collect();
        let special = Value::from(self.special.clone());
        let given = context! { messages, add_generation_prompt, ..special };
        template.render(given).map_err(told)
    }

    /// The text before a reply, and the reply with what ends it: what a model is to learn.
    pub fn lesson(
        &self,
        system: Option<&str>,
        prompt: &str,
        reply: &str,
    ) -> Result<(String, String)> {
        let system = system.map(|content| Message { role: "system", content });
        let user = Message { role: "user", content: prompt };
        let mut messages: Vec<Message> = system.into_iter().chain([user]).collect();
        let before = self.render(&messages, true)?;
        messages.push(Message { role: "assistant", content: reply });
        let whole = self.render(&messages, false)?;
        let learnt = whole.strip_prefix(&before).ok_or_else(|| self.no_prefix(&before, &whole))?;
        let (_, end) = learnt.split_once(reply.trim()).with_context(|| {
            format!("the chat template changes the reply: `{reply}` is not in `{learnt}`")
        })?;
        // A newline behind the end belongs to the next message: the model never writes it.
        let mut text = learnt.trim_end().to_string();
        if end.trim_end().is_empty() {
            let eos = self.special.get("eos_token");
            text += eos.context("the chat template does not say where a reply ends")?;
        }
        Ok((before, text))
    }

    /// What the template puts around the texts of a sample: before the system text, if there is
    /// to be one, before the prompt, before the reply, and behind it.
    pub fn around(&self, has_system: bool) -> Result<[String; 4]> {
        let around = |system: &str, prompt: &str, reply: &str| -> Result<[String; 4]> {
            let (before, learnt) = self.lesson(has_system.then_some(system), prompt, reply)?;
            let (head, rest) = if has_system { split(&before, system)? } else { ("", &*before) };
            let (between, last) = split(rest, prompt)?;
            // What a template writes before a reply, like an empty thought, is read, not learnt.
            let (start, end) = split(&learnt, reply)?;
            Ok([head, between, &format!("{last}{start}"), end].map(String::from))
        };
        let one = around("A system text.", "The prompt?", "the reply")?;
        // It must be the same around any other texts.
        let other = around("be", "3 of 12\nand 4", "yes: 3 5 8")?;
        ensure!(
            one == other,
            "the chat template writes other words around other texts: `{}` and `{}`",
            one.concat(),
            other.concat()
        );
        Ok(one)
    }

    fn no_prefix(&self, before: &str, whole: &str) -> anyhow::Error {
        let same = before.bytes().zip(whole.bytes()).take_while(|(a, b)| a == b).count();
        let from = |text: &str| -> String {
            let start = (0..=same).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text[start..].chars().take(40).collect()
        };
        anyhow!(
            "the chat template does not begin a conversation with its prompt: a prompt goes on \
             with `{}`, and with a reply with `{}`",
            from(before),
            from(whole)
        )
    }
}

/// What stands before and behind what was said.
fn split<'a>(text: &'a str, said: &str) -> Result<(&'a str, &'a str)> {
    let parts = text.split_once(said);
    parts.with_context(|| format!("the chat template changes `{said}`: it writes `{text}`"))
}

/// The template among a tokenizer's settings; where there are several, the default one.
fn template_of(settings: &Json) -> Option<String> {
    match settings.get("chat_template")? {
        Json::String(text) => Some(text.clone()),
        Json::Array(named) => {
            let default = named.iter().find(|one| one["name"] == "default")?;
            default["template"].as_str().map(String::from)
        }
        _ => None,
    }
}

/// The texts of the special tokens among a tokenizer's settings.
fn special_tokens(settings: &Json) -> BTreeMap<String, String> {
    let entries = settings.as_object().into_iter().flatten();
    let named = entries.filter(|(key, _)| key.ends_with("_token"));
    let texts = named.filter_map(|(key, value)| {
        // A token is a text, or an object with settings beside the text.
        let text = value.as_str().or_else(|| value["content"].as_str())?;
        Some((key.clone(), text.to_string()))
    });
    texts.collect()
}

/// `{% generation %}` marks for transformers what an assistant said; its text is as it is without.
fn without_generation_tags(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("{%") {
        let Some(length) = rest[start..].find("%}") else { break };
        let (tag, after) = rest[start..].split_at(length);
        let word = tag[2..].trim_matches(['-', '+']).trim();
        let stands_for = match word {
            "generation" => "if true",
            "endgeneration" => "endif",
            other => other,
        };
        out += &rest[..start];
        out += &if word == stands_for { tag.to_string() } else { tag.replace(word, stands_for) };
        rest = after;
    }
    out + rest
}

/// An error of the template's, with its place in it.
fn told(error: Error) -> anyhow::Error {
    let place = error.line().map(|line| format!("line {line} of the ")).unwrap_or_default();
    let detail = error.detail().map_or_else(|| error.kind().to_string(), String::from);
    anyhow!("{place}chat template: {detail}")
}
