//! A tokenizer.json in the words of GGUF's metadata; what GGUF cannot say is refused.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value as Json};

use super::splits::Splits;
use super::tokenizer_in::{BYTE, CONTROL, ENDS, NORMAL, SPACE, UNKNOWN, UNUSED, USER_DEFINED};
use super::value::{Metadata, Value};
use crate::model::text::tokenizer::Tokenizer;

/// The metadata of a tokenizer for a model of `vocab_size` ids.
pub(super) fn write(tokenizer: &Tokenizer, vocab_size: usize) -> Result<Metadata> {
    let (whole, settings) = (&tokenizer.to_json()?, &tokenizer.settings());
    let model = whole.get("model").context("the tokenizer has no model")?;
    match model.get("type").and_then(Json::as_str).unwrap_or_default() {
        "BPE" => {}
        "WordLevel" => bail!(
            "the model's tokenizer has whole words, which GGUF cannot say; a model with a BPE \
             tokenizer, such as one from a hub, can be exported"
        ),
        other => bail!("GGUF cannot say a tokenizer of type `{other}`; `BPE` it can"),
    }
    for key in ["dropout", "continuing_subword_prefix", "end_of_word_suffix"] {
        let value = model.get(key).filter(|value| !value.is_null() && *value != "");
        ensure!(value.is_none(), "GGUF cannot say the tokenizer's `{key}`");
    }
    let mut tokens = Tokens::of(whole, model, vocab_size)?;
    let mut metadata = Metadata::new();
    let mut set = |key: &str, value: Value| metadata.insert(format!("tokenizer.{key}"), value);
    let merges = merges(model)?;
    if model.get("byte_fallback").and_then(Json::as_bool) == Some(true) {
        let scores = tokens.scores(model, &merges)?;
        set("ggml.model", Value::Text("llama".into()));
        set("ggml.scores", Value::Reals(scores));
        set("ggml.add_space_prefix", Value::Truth(adds_space(whole)?));
    } else {
        let splits = splits(whole, model)?;
        set("ggml.model", Value::Text("gpt2".into()));
        set("ggml.pre", Value::Text(splits.names[0].into()));
        let merges = merges.iter().map(|(left, right)| format!("{left} {right}"));
        set("ggml.merges", Value::Texts(merges.collect()));
    }
    for (key, name) in [
        ("bos_token", "bos"),
        ("eos_token", "eos"),
        ("unk_token", "unknown"),
        ("pad_token", "padding"),
    ] {
        let token = text_of(settings.get(key));
        if let Some(id) = token.and_then(|token| tokens.ids.get(token)) {
            set(&format!("ggml.{name}_token_id"), Value::Whole(*id as i128));
        }
    }
    set("ggml.add_bos_token", Value::Truth(adds_bos(whole, settings)));
    for (name, id) in turn_ends(tokenizer) {
        set(&format!("ggml.{name}_token_id"), Value::Whole(id.into()));
    }
    let mut more = Vec::new();
    for (name, template) in tokenizer.chat_templates() {
        if name == "default" {
            set("chat_template", Value::Text(template));
        } else {
            set(&format!("chat_template.{name}"), Value::Text(template));
            more.push(name);
        }
    }
    if !more.is_empty() {
        set("chat_templates", Value::Texts(more));
    }
    set("ggml.tokens", Value::Texts(tokens.texts));
    set("ggml.token_type", Value::Wholes(tokens.kinds));
    Ok(metadata)
}

/// What ends a turn and what a message, where that is not what ends a text: GGUF has room for one
/// of each.
fn turn_ends(tokenizer: &Tokenizer) -> Vec<(&'static str, u32)> {
    let others = tokenizer.ends().iter().filter(|id| **id != tokenizer.eos());
    let others = others.filter_map(|id| Some((*id, tokenizer.token(*id)?)));
    let (messages, turns): (Vec<_>, Vec<_>) =
        others.partition(|(_, text)| text == "<|eom_id|>" || text == "<|call|>");
    // Of several ends of a turn the one that its text names so.
    let named =
        |text: &str| text.contains("eot") || text.contains("im_end") || text.contains("turn");
    // llama.cpp finds the others by their texts.
    let unknown = |text: &str| !ENDS.contains(&text);
    let turn = turns.iter().find(|(_, text)| named(text));
    let turn = turn.or_else(|| turns.iter().find(|(_, text)| unknown(text)));
    let turn = turn.map(|(id, _)| ("eot", *id));
    turn.into_iter().chain(messages.first().map(|(id, _)| ("eom", *id))).collect()
}

/// The tokens by id, with what each is.
struct Tokens {
    texts: Vec<String>,
    kinds: Vec<i32>,
    ids: HashMap<String, usize>,
}

impl Tokens {
    fn of(whole: &Json, model: &Json, count: usize) -> Result<Tokens> {
        let mut tokens = Tokens {
            texts: (0..count).map(|id| format!("[PAD{id}]")).collect(),
            kinds: vec![UNUSED; count],
            ids: HashMap::new(),
        };
        let vocab = model.get("vocab").and_then(Json::as_object).context("it has no vocab")?;
        for (token, id) in vocab {
            tokens.put(token, id, NORMAL)?;
        }
        let added = whole.get("added_tokens").and_then(Json::as_array);
        for added in added.into_iter().flatten() {
            let special = added.get("special").and_then(Json::as_bool).unwrap_or(false);
            let kind = if special { CONTROL } else { USER_DEFINED };
            tokens.put(text_of(Some(added)).unwrap_or_default(), &added["id"], kind)?;
        }
        Ok(tokens)
    }

    fn put(&mut self, token: &str, id: &Json, kind: i32) -> Result<()> {
        let count = self.texts.len();
        let id = id.as_u64().and_then(|id| usize::try_from(id).ok());
        let id = id.filter(|id| *id < count).with_context(|| {
            format!("token `{token}` of the tokenizer is beyond the model's {count} ids")
        })?;
        self.texts[id] = token.into();
        self.kinds[id] = kind;
        self.ids.insert(token.into(), id);
        Ok(())
    }

    /// SentencePiece's scores: the sooner the merges make a piece, the higher. Notes which
    /// tokens are bytes, and which stands for the unknown.
    fn scores(&mut self, model: &Json, merges: &[(String, String)]) -> Result<Vec<f32>> {
        let mut scores: Vec<Option<f32>> = vec![None; self.texts.len()];
        for (rank, (left, right)) in merges.iter().enumerate() {
            if let Some(&id) = self.ids.get(&format!("{left}{right}")) {
                scores[id].get_or_insert(-(rank as f32));
            }
        }
        let unknown = model.get("unk_token").and_then(Json::as_str);
        for (id, score) in scores.iter().enumerate() {
            let text = &self.texts[id];
            let byte = text.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
            if byte.is_some_and(|byte| u8::from_str_radix(byte, 16).is_ok()) {
                self.kinds[id] = BYTE;
            } else if Some(text.as_str()) == unknown {
                self.kinds[id] = UNKNOWN;
            } else if self.kinds[id] == NORMAL && score.is_none() {
                let alone = text.chars().nth(1).is_none();
                ensure!(alone, "no merge makes the token `{text}`, which GGUF cannot say");
            }
        }
        Ok(scores.into_iter().map(|score| score.unwrap_or(0.0)).collect())
    }
}

/// The merges in order, in whichever of the two spellings a file has them.
fn merges(model: &Json) -> Result<Vec<(String, String)>> {
    let all = model.get("merges").and_then(Json::as_array).context("it has no merges")?;
    let pair = |merge: &Json| match merge {
        Json::String(text) => text.split_once(' ').map(|(a, b)| (a.to_string(), b.to_string())),
        Json::Array(pair) => match &pair[..] {
            [Json::String(left), Json::String(right)] => Some((left.clone(), right.clone())),
            _ => None,
        },
        _ => None,
    };
    all.iter().map(|merge| pair(merge).with_context(|| format!("{merge} is no merge"))).collect()
}

fn splits(whole: &Json, model: &Json) -> Result<&'static Splits> {
    let normalizer = whole.get("normalizer").filter(|normalizer| !normalizer.is_null());
    // llama.cpp has no such step: texts are taken to be composed, as nearly all are.
    let known = normalizer.is_none_or(|normalizer| normalizer["type"] == "NFC");
    ensure!(known, "GGUF cannot say the tokenizer's normalizer");
    let ignore_merges = model.get("ignore_merges").and_then(Json::as_bool).unwrap_or(false);
    Splits::of(whole.get("pre_tokenizer").unwrap_or(&Json::Null), ignore_merges)
}

/// Whether a text of SentencePiece gets a space before it. All else about its spaces is fixed.
fn adds_space(whole: &Json) -> Result<bool> {
    let normalizer = whole.get("normalizer").filter(|normalizer| !normalizer.is_null());
    let steps = match normalizer {
        None => Vec::new(),
        Some(one) => match one.get("normalizers").and_then(Json::as_array) {
            Some(all) => all.iter().collect(),
            None => vec![one],
        },
    };
    let (mut prefix, mut replaces) = (false, false);
    for step in steps {
        match step["type"].as_str().unwrap_or_default() {
            "Prepend" if step["prepend"] == SPACE => prefix = true,
            "Replace" if step["content"] == SPACE && step["pattern"]["String"] == " " => {
                replaces = true;
            }
            other => bail!("GGUF cannot say the tokenizer's normalizer `{other}`"),
        }
    }
    let cutter = whole.get("pre_tokenizer").filter(|cutter| !cutter.is_null());
    if let Some(cutter) = cutter {
        ensure!(
            cutter["type"] == "Metaspace" && cutter["split"] == false,
            "the tokenizer cuts with {cutter}, which has no name in GGUF"
        );
        prefix |= cutter["prepend_scheme"] != "never";
        replaces = true;
    }
    ensure!(replaces, "the tokenizer leaves spaces as they are, which GGUF cannot say");
    Ok(prefix)
}

/// Whether a text begins with the token for it: as the settings say, or else as is done.
fn adds_bos(whole: &Json, settings: &Map<String, Json>) -> bool {
    let post = &whole["post_processor"];
    let parts = post["processors"].as_array();
    let mut parts = parts.into_iter().flatten().chain([post]);
    let bos = text_of(settings.get("bos_token"));
    let begins =
        bos.is_some() && parts.any(|part| part["single"][0]["SpecialToken"]["id"].as_str() == bos);
    settings.get("add_bos_token").and_then(Json::as_bool).unwrap_or(begins)
}

/// A token's text: written alone, or as an object with its `content`.
fn text_of(token: Option<&Json>) -> Option<&str> {
    let token = token?;
    token.as_str().or_else(|| token.get("content")?.as_str())
}
