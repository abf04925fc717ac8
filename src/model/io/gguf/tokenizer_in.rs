//! A GGUF file's tokenizer, as the tokenizer.json and tokenizer_config.json that it came from.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value as Json, json};

use super::splits::Splits;
use super::value::{Lookup, Metadata};
use crate::model::text::beside::Beside;

/// What a token is, by the numbers of `tokenizer.ggml.token_type` (llama.cpp's llama_token_type).
pub(super) const NORMAL: i32 = 1;
pub(super) const UNKNOWN: i32 = 2;
pub(super) const CONTROL: i32 = 3;
pub(super) const USER_DEFINED: i32 = 4;
pub(super) const UNUSED: i32 = 5;
pub(super) const BYTE: i32 = 6;

/// SentencePiece's sign for a space.
pub(super) const SPACE: &str = "\u{2581}";
/// No piece of a SentencePiece model is longer, in bytes; a hostile one would take hours.
const PIECE_MAX: usize = 256;

/// Tokens that end a reply wherever they are, as llama.cpp knows them by their texts.
pub(super) const ENDS: [&str; 17] = [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<\u{ff5c}end\u{2581}of\u{2581}sentence\u{ff5c}>",
];

/// The tokenizer.json, and what would be said beside it.
pub(super) fn read(metadata: &Metadata) -> Result<(Json, Beside)> {
    let lookup = Lookup(metadata);
    let kind = lookup.text("tokenizer.ggml.model").context("the file has no tokenizer")?;
    let tokens = lookup.texts("tokenizer.ggml.tokens").context("the tokenizer has no tokens")?;
    let types = lookup.wholes("tokenizer.ggml.token_type");
    let count = types.map_or(tokens.len(), <[i32]>::len);
    ensure!(count == tokens.len(), "{} tokens came with {count} types", tokens.len());
    let vocabulary = Vocabulary { lookup, tokens, types };
    let settings = vocabulary.settings()?;
    let (mut whole, add_bos) = match kind {
        "gpt2" => vocabulary.byte_level()?,
        "llama" => vocabulary.sentence_piece()?,
        other => bail!("tokenizer `{other}` is not supported; `gpt2` and `llama` are"),
    };
    let add_bos = vocabulary.lookup.truth("tokenizer.ggml.add_bos_token").unwrap_or(add_bos);
    let begin = settings.get("bos_token").and_then(Json::as_str).filter(|_| add_bos);
    if let Some(begin) = begin {
        let id = vocabulary.id("bos")?;
        whole["post_processor"] = begin_with(begin, id.unwrap_or_default());
    }
    whole["version"] = json!("1.0");
    whole["added_tokens"] = vocabulary.added();
    let ends = vocabulary.ends()?;
    Ok((whole, Beside { settings, ends, ..Beside::default() }))
}

struct Vocabulary<'a> {
    lookup: Lookup<'a>,
    tokens: &'a [String],
    types: Option<&'a [i32]>,
}

impl Vocabulary<'_> {
    fn kind(&self, id: usize) -> i32 {
        self.types.map_or(NORMAL, |types| types[id])
    }

    /// The id of a special token such as `bos`. As in llama.cpp, one beyond the tokens counts for
    /// nothing; but for the begin and the end of a text, where it takes another token instead.
    fn id(&self, name: &str) -> Result<Option<usize>> {
        let key = format!("tokenizer.ggml.{name}_token_id");
        let Some(id) = self.lookup.id(&key)? else { return Ok(None) };
        let count = self.tokens.len();
        let known = usize::try_from(id).ok().filter(|id| *id < count);
        let counts = id < 0 || ["bos", "eos"].contains(&name);
        ensure!(known.is_some() || !counts, "`{key}` is {id}, and there are {count} tokens");
        Ok(known)
    }

    fn settings(&self) -> Result<Map<String, Json>> {
        let mut settings = Map::new();
        for (name, key) in [
            ("bos", "bos_token"),
            ("eos", "eos_token"),
            ("unknown", "unk_token"),
            ("padding", "pad_token"),
        ] {
            if let Some(id) = self.id(name)? {
                settings.insert(key.into(), json!(self.tokens[id]));
            }
        }
        if let Some(template) = self.lookup.text("tokenizer.chat_template") {
            settings.insert("chat_template".into(), json!(template));
        }
        let more = self.lookup.texts("tokenizer.chat_templates").unwrap_or_default();
        let named = |name: &String| {
            let template = self.lookup.text(&format!("tokenizer.chat_template.{name}"))?;
            Some(json!({ "name": name, "template": template }))
        };
        let mut all: Vec<Json> = more.iter().filter_map(named).collect();
        if !all.is_empty() {
            if let Some(default) = settings.get("chat_template") {
                all.insert(0, json!({ "name": "default", "template": default }));
            }
            settings.insert("chat_template".into(), json!(all));
        }
        Ok(settings)
    }

    /// The ids that end a reply: the end of a text, of a turn and of a message, as the file says or
    /// by the texts of the tokens.
    fn ends(&self) -> Result<Vec<u32>> {
        let mut ends: Vec<usize> = Vec::new();
        for name in ["eos", "eot", "eom"] {
            ends.extend(self.id(name)?);
        }
        let has = |text: &str| self.tokens.iter().any(|token| token == text);
        // Of the channels of gpt-oss, `<|end|>` ends one, not the reply.
        let channels = has("<|return|>") && has("<|call|>");
        for (id, token) in self.tokens.iter().enumerate() {
            let ends_one = channels && token == "<|end|>";
            if ENDS.contains(&token.as_str()) && !ends_one {
                ends.push(id);
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        ends.retain(|id| seen.insert(*id));
        Ok(ends.into_iter().filter_map(|id| u32::try_from(id).ok()).collect())
    }

    /// Tokens that are found in a text before anything else is done to it.
    fn added(&self) -> Json {
        let ids = 0..self.tokens.len();
        let added = ids.filter(|&id| matches!(self.kind(id), UNKNOWN | CONTROL | USER_DEFINED));
        let added = added.map(|id| {
            json!({
                "id": id, "content": self.tokens[id], "special": self.kind(id) != USER_DEFINED,
                "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            })
        });
        added.collect()
    }

    /// Ids by token; of two alike the first.
    fn ids(&self) -> Map<String, Json> {
        let mut ids = Map::new();
        for (id, token) in self.tokens.iter().enumerate() {
            ids.entry(token).or_insert(json!(id));
        }
        ids
    }

    /// GPT-2's kind: bytes shown as letters, merged in the order of the merges. Also whether a
    /// text begins with the token for it.
    fn byte_level(&self) -> Result<(Json, bool)> {
        let splits = Splits::named(self.lookup.text("tokenizer.ggml.pre").unwrap_or("default"))?;
        let merges = self.lookup.texts("tokenizer.ggml.merges");
        let merges = merges.context("the tokenizer has no merges")?;
        let pair = |merge: &String| -> Result<Json> {
            let pair = merge.split_once(' ');
            let (left, right) = pair.with_context(|| format!("`{merge}` is no merge"))?;
            Ok(json!([left, right]))
        };
        let merges = merges.iter().map(pair).collect::<Result<Vec<Json>>>()?;
        let byte_level = |use_regex: bool| {
            json!({
                "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
                "use_regex": use_regex,
            })
        };
        let whole = json!({
            "normalizer": splits.compose.then(|| json!({ "type": "NFC" })),
            "pre_tokenizer": splits.to_json(),
            "post_processor": byte_level(false),
            "decoder": byte_level(true),
            "model": {
                "type": "BPE", "ignore_merges": splits.ignore_merges,
                "vocab": self.ids(), "merges": merges,
            },
        });
        Ok((whole, splits.add_bos))
    }

    /// SentencePiece's kind: letters, merged to the piece of the highest score; what is no piece
    /// falls back to its bytes.
    fn sentence_piece(&self) -> Result<(Json, bool)> {
        let scores = self.lookup.reals("tokenizer.ggml.scores");
        let scores = scores.filter(|scores| scores.len() == self.tokens.len());
        let scores = scores.context("the tokenizer has not a score for each token")?;
        let unknown = (0..self.tokens.len()).find(|&id| self.kind(id) == UNKNOWN);
        let unknown = self.id("unknown")?.or(unknown).map(|id| self.tokens[id].as_str());
        let prefix = self.lookup.truth("tokenizer.ggml.add_space_prefix").unwrap_or(true);
        let replace = |from: &str, to: &str| {
            let pattern = json!({ "String": from });
            json!({ "type": "Replace", "pattern": pattern, "content": to })
        };
        let mut normalizers = vec![replace(" ", SPACE)];
        let mut decoders =
            vec![replace(SPACE, " "), json!({ "type": "ByteFallback" }), json!({ "type": "Fuse" })];
        if prefix {
            normalizers.insert(0, json!({ "type": "Prepend", "prepend": SPACE }));
            decoders.push(json!({ "type": "Strip", "content": " ", "start": 1, "stop": 0 }));
        }
        let whole = json!({
            "normalizer": { "type": "Sequence", "normalizers": normalizers },
            "pre_tokenizer": null,
            "decoder": { "type": "Sequence", "decoders": decoders },
            "model": {
                "type": "BPE", "unk_token": unknown, "fuse_unk": true, "byte_fallback": true,
                "vocab": self.ids(), "merges": self.merges(scores)?,
            },
        });
        Ok((whole, true))
    }

    /// Every way to make a piece of two others, the pieces of the highest score first.
    fn merges(&self, scores: &[f32]) -> Result<Vec<Json>> {
        let ids: HashMap<&str, usize> =
            self.tokens.iter().enumerate().rev().map(|(id, token)| (token.as_str(), id)).collect();
        let mut pieces: Vec<usize> =
            (0..self.tokens.len()).filter(|&id| self.kind(id) == NORMAL).collect();
        pieces.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let mut merges = Vec::new();
        for id in pieces {
            let piece = &self.tokens[id];
            ensure!(piece.len() <= PIECE_MAX, "token {id} has {} bytes", piece.len());
            let cuts = piece.char_indices().skip(1).map(|(at, _)| piece.split_at(at));
            let mut pairs: Vec<(usize, usize)> = cuts
                .filter_map(|(left, right)| Some((*ids.get(left)?, *ids.get(right)?)))
                .collect();
            pairs.sort_unstable();
            merges.extend(pairs.into_iter().map(|(a, b)| json!([self.tokens[a], self.tokens[b]])));
        }
        Ok(merges)
    }
}

/// What puts the token for a text's begin before it, where it is asked for.
fn begin_with(token: &str, id: usize) -> Json {
    let special = json!({ "SpecialToken": { "id": token, "type_id": 0 } });
    let sequence =
        |name: &str, type_id: u8| json!({ "Sequence": { "id": name, "type_id": type_id } });
    json!({
        "type": "TemplateProcessing",
        "single": [special, sequence("A", 0)],
        "pair": [special, sequence("A", 0), sequence("B", 1)],
        "special_tokens": { token: { "id": token, "ids": [id], "tokens": [token] } },
    })
}
