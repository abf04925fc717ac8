//! Chat templates from a program: reads a JSON object a line with `template`, `tokenizer` (a
//! folder), `messages`, `add_generation_prompt` and `date`, and writes the text and its ids, or
//! why there is none. `tests/chat/check.py` holds these against transformers.

use std::io::{BufRead, Write};
use std::path::Path;

use anyhow::{Context, Result};
use cookc::model::Tokenizer;
use cookc::model::chat::{Date, Message, Template};
use serde_json::{Value, json};

fn main() -> Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        let answer = match answered(&asked) {
            Ok((text, ids)) => json!({ "text": text, "ids": ids }),
            Err(error) => json!({ "error": format!("{error:#}") }),
        };
        writeln!(out, "{answer}")?;
    }
    Ok(())
}

fn answered(asked: &Value) -> Result<(String, Vec<u32>)> {
    let text = |key: &str| asked[key].as_str().with_context(|| format!("no `{key}`"));
    let tokenizer = Tokenizer::load(Path::new(text("tokenizer")?))?;
    let mut template = Template::of(text("template")?, &tokenizer)?;
    if let Some(date) = asked["date"].as_str().and_then(Date::parse) {
        template = template.on(date);
    }
    let messages = asked["messages"].as_array().context("no `messages`")?;
    let messages: Option<Vec<Message>> = messages.iter().map(message).collect();
    let messages = messages.context("a message has no role or no content")?;
    let prompt = asked["add_generation_prompt"].as_bool().unwrap_or(false);
    let text = template.render(&messages, prompt)?;
    let ids = tokenizer.encode(&text)?;
    Ok((text, ids))
}

fn message(message: &Value) -> Option<Message<'_>> {
    Some(Message { role: message["role"].as_str()?, content: message["content"].as_str()? })
}
