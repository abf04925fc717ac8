//! Special tokens: those that files name, those that they add, and the one that ends a text.

use std::collections::HashSet;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};
use tokenizers::{AddedToken, Tokenizer};

use crate::model::text::beside::Beside;
use crate::model::text::guard::guard;

/// What ends a text of a tokenizer of words.
pub(crate) const EOS: &str = "<eos>";

/// Tokens that end a text in published models, where no file names one.
const ENDS: [&str; 6] = [
    EOS,
    "</s>",
    "<|endoftext|>",
    "<|im_end|>",
    "<|end_of_text|>",
    // DeepSeek's, with wide bars and SentencePiece's sign for a space.
    "<\u{ff5c}end\u{2581}of\u{2581}sentence\u{ff5c}>",
];

/// The text of a special token among the settings, by its name.
pub(crate) fn named<'a>(settings: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    text_of(settings.get(key)?)
}

/// A token's text: written alone, or as an object with its `content`.
fn text_of(token: &Value) -> Option<&str> {
    token.as_str().or_else(|| token.get("content")?.as_str())
}

/// Adds tokens that the files beside a `tokenizer.json` have, and it has not: as transformers does,
/// so that a chat template's marks are one token each. None gets another id than a file says.
pub(crate) fn add(inner: &mut Tokenizer, beside: &Beside) -> Result<()> {
    let added = inner.get_added_vocabulary().get_added_tokens_decoder();
    let known: HashSet<String> = added.values().map(|token| token.content.clone()).collect();
    let named = special(&beside.settings);
    let mut new: Vec<(u64, AddedToken)> = Vec::new();
    for (id, token) in &beside.added {
        let text = text_of(token).unwrap_or_default();
        if text.is_empty() || known.contains(text) {
            continue;
        }
        let flag = |key: &str| token.get(key).and_then(Value::as_bool);
        let special = flag("special").unwrap_or(named.contains(&text));
        let token = AddedToken::from(text, special)
            .lstrip(flag("lstrip").unwrap_or(false))
            .rstrip(flag("rstrip").unwrap_or(false))
            .single_word(flag("single_word").unwrap_or(false))
            .normalized(flag("normalized").unwrap_or(!special));
        new.push((*id, token));
    }
    if !new.is_empty() {
        guard(|| inner.add_tokens(new.iter().map(|(_, token)| token.clone())))?;
    }
    for (id, token) in &new {
        let found = inner.token_to_id(&token.content).map(u64::from);
        ensure!(
            found == Some(*id),
            "the files beside it say that `{}` is the token {id}, and it becomes {}",
            token.content,
            found.unwrap_or_default()
        );
    }
    let is_new =
        |text: &&str| !known.contains(*text) && !new.iter().any(|(_, it)| it.content == *text);
    let texts = named.into_iter().filter(is_new).filter(|text| inner.token_to_id(text).is_some());
    let tokens: Vec<AddedToken> = texts.map(|text| AddedToken::from(text, true)).collect();
    if !tokens.is_empty() {
        guard(|| inner.add_special_tokens(tokens))?;
    }
    Ok(())
}

/// The texts of all special tokens that the settings name.
pub(crate) fn special(settings: &Map<String, Value>) -> Vec<&str> {
    let mut all: Vec<&Value> = Vec::new();
    for (key, value) in settings {
        match value {
            Value::Array(list) if key.ends_with("_special_tokens") => all.extend(list),
            Value::Object(named) if key == "extra_special_tokens" => all.extend(named.values()),
            value if key.ends_with("_token") => all.push(value),
            _ => {}
        }
    }
    all.into_iter().filter_map(text_of).collect()
}

/// The id that ends a text: what the tokenizer's files name, or else the model's, or else a file
/// that transformers passes over, or else a token that has this name in published models.
pub(crate) fn eos(inner: &Tokenizer, beside: &Beside) -> Result<u32> {
    if let Some(name) = named(&beside.settings, "eos_token") {
        let id = inner.token_to_id(name);
        return id.with_context(|| {
            format!("`{name}` is named as the token that ends a text, and there is no such token")
        });
    }
    if let Some(end) = beside.ends.iter().find(|end| inner.id_to_token(**end).is_some()) {
        return Ok(*end);
    }
    let names = named(&beside.older, "eos_token").into_iter().chain(ENDS);
    let id = names.filter_map(|name| inner.token_to_id(name)).next();
    id.with_context(|| format!("no token that ends a text: {ENDS:?}"))
}
