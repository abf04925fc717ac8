//! Tokenizers of published shapes, trained small on the texts that they are to read.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use cookc::model::Tokenizer;
use serde_json::{Value, json};
use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::BpeTrainer;
use tokenizers::models::wordpiece::WordPieceTrainer;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

/// Tokens of each, beside those of single letters.
const SIZE: usize = 700;

const LLAMA3: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);
const QWEN2: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);
const O200K: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);
const DEEPSEEK: &str = concat!(
    r"[!-/:-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+",
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);

/// Markers of chats, and what else a tokenizer has of its own.
pub const SPECIAL: [&str; 6] = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "[INST]"];

/// A tokenizer as a user's folder has it, and as its own library reads it.
pub struct Shape {
    pub name: &'static str,
    pub ours: Tokenizer,
    pub real: tokenizers::Tokenizer,
}

/// All shapes, taught on these texts; their files go into the folder.
pub fn all(texts: &[String], folder: &Path) -> Result<Vec<Shape>> {
    let byte = |regex: bool| {
        json!({
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
            "use_regex": regex,
        })
    };
    let split = |pattern: &str| {
        json!({
            "type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false,
        })
    };
    let digits = |individual: bool| json!({"type": "Digits", "individual_digits": individual});
    let sequence = |all: Vec<Value>| json!({"type": "Sequence", "pretokenizers": all});
    let space =
        json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": true});
    let metaspace = |scheme: &str, split: bool| {
        json!({
            "type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split,
        })
    };
    let replace = json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"});
    let prepend = json!({"type": "Prepend", "prepend": "▁"});
    let legacy = json!({"type": "Sequence", "normalizers": [prepend, replace]});
    let gemma = json!({
        "type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious",
        "invert": false,
    });
    let mut made: Vec<(&str, Value)> = Vec::new();
    for (name, splitter) in [
        ("GPT-2", byte(true)),
        ("Llama 3", sequence(vec![split(LLAMA3), byte(false)])),
        ("Qwen2", sequence(vec![split(QWEN2), byte(false)])),
        ("o200k", sequence(vec![split(O200K), byte(false)])),
        ("SmolLM2, digits alone", sequence(vec![digits(true), byte(true)])),
        ("digits in groups", sequence(vec![digits(false), byte(true)])),
        ("DeepSeek", sequence(vec![split(r"\p{N}{1,3}"), split(DEEPSEEK), byte(false)])),
        ("looks back", sequence(vec![split(r"(?<=\w)(?=\W)|(?<=\W)(?=\w)"), byte(false)])),
    ] {
        made.push((name, taught(texts, splitter, Value::Null)?));
    }
    let mut stripped = made[0].1.clone();
    stripped["normalizer"] = json!({"type": "Strip", "strip_left": true, "strip_right": true});
    made.push(("GPT-2, stripped", stripped));
    let mut whole = made[2].1.clone();
    whole["model"]["ignore_merges"] = json!(true);
    whole["normalizer"] = json!({"type": "NFC"});
    made.push(("Qwen2, words as they are", whole));
    // SentencePiece reads its texts line by line.
    let lines: Vec<String> = texts.iter().flat_map(|text| text.lines()).map(String::from).collect();
    for (name, learns, normalizer, splitter) in [
        ("Llama 2, by its normalizer", space.clone(), legacy.clone(), Value::Null),
        ("Metaspace, first", space.clone(), Value::Null, metaspace("first", false)),
        ("Metaspace, always", space.clone(), Value::Null, metaspace("always", true)),
        ("Gemma", space.clone(), replace.clone(), gemma),
        ("merges over words and lines", metaspace("never", false), legacy, Value::Null),
    ] {
        let all = if name.starts_with("merges") { texts } else { &lines[..] };
        let learned = taught(all, learns, Value::Null)?;
        made.push((name, sentence_piece(learned, normalizer, splitter)));
    }
    let first = made.iter().find(|(name, _)| *name == "Metaspace, always").context("made")?;
    made.push(("Unigram", unigram(&first.1)));
    made.push(("WordPiece", word_piece(texts)?));
    made.into_iter().map(|(name, json)| shape(name, json, folder)).collect()
}

/// The shape of a `tokenizer.json`.
pub fn shape(name: &'static str, json: Value, folder: &Path) -> Result<Shape> {
    let folder = folder.join(name.replace(|c: char| !c.is_alphanumeric(), "-"));
    std::fs::create_dir_all(&folder)?;
    let text = serde_json::to_string(&json)?;
    std::fs::write(folder.join("tokenizer.json"), &text)?;
    std::fs::write(folder.join("tokenizer_config.json"), r#"{"eos_token": "</s>"}"#)?;
    let real = tokenizers::Tokenizer::from_bytes(text).map_err(|error| anyhow!("{error}"))?;
    let ours = Tokenizer::load(&folder).with_context(|| name.to_string())?;
    Ok(Shape { name, ours, real })
}

/// The file of a tokenizer that is a model and added tokens, and no more.
pub fn of_model(model: Value, added: &[(&str, u64)]) -> Value {
    json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": added.iter().map(|(text, id)| special_token(text, *id)).collect::<Vec<_>>(),
        "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
        "model": model,
    })
}

fn special_token(text: &str, id: u64) -> Value {
    json!({
        "id": id, "content": text, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true,
    })
}

fn empty(model: Value, splitter: Value, normalizer: Value) -> Result<tokenizers::Tokenizer> {
    let mut json = of_model(model, &[]);
    json["normalizer"] = normalizer;
    json["pre_tokenizer"] = splitter;
    let text = serde_json::to_string(&json)?;
    tokenizers::Tokenizer::from_bytes(text).map_err(|error| anyhow!("{error}"))
}

/// A tokenizer with merges that these texts have, and tokens for all bytes or letters of ASCII.
fn taught(texts: &[String], splitter: Value, normalizer: Value) -> Result<Value> {
    let bytes = splitter.to_string().contains("ByteLevel");
    let letters: HashSet<char> = match bytes {
        true => ByteLevel::alphabet().into_iter().collect(),
        false => (' '..='~').chain(['▁']).collect(),
    };
    let model = json!({"type": "BPE", "vocab": {}, "merges": []});
    let mut made = empty(model, splitter, normalizer)?;
    let special = SPECIAL.map(|text| tokenizers::AddedToken::from(text, true));
    let trainer = BpeTrainer::builder()
        .show_progress(false)
        .vocab_size(SIZE)
        .initial_alphabet(letters)
        .special_tokens(special.into())
        .build();
    let mut trainer = TrainerWrapper::BpeTrainer(trainer);
    let taught = made.train(&mut trainer, texts.iter()).map_err(|error| anyhow!("{error}"))?;
    let text = taught.to_string(false).map_err(|error| anyhow!("{error}"))?;
    Ok(serde_json::from_str(&text)?)
}

/// The same with a token for each byte, as those made of SentencePiece models have.
fn sentence_piece(mut json: Value, normalizer: Value, splitter: Value) -> Value {
    json["normalizer"] = normalizer;
    json["pre_tokenizer"] = splitter;
    let model = json["model"].as_object_mut().expect("a model");
    let vocab = model["vocab"].as_object_mut().expect("a vocabulary");
    for byte in 0..=255_u8 {
        let id = vocab.len();
        vocab.insert(format!("<{byte:#04X}>"), json!(id));
    }
    model.insert("byte_fallback".into(), json!(true));
    model.insert("unk_token".into(), json!("<unk>"));
    model.insert("fuse_unk".into(), json!(true));
    let bos = json!({"SpecialToken": {"id": "<s>", "type_id": 0}});
    let text = |id: &str| json!({"Sequence": {"id": id, "type_id": 0}});
    json["post_processor"] = json!({
        "type": "TemplateProcessing", "single": [bos, text("A")],
        "pair": [bos, text("A"), text("B")],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
    });
    json
}

/// The same pieces, with a score each in place of merges.
fn unigram(json: &Value) -> Value {
    let mut json = json.clone();
    let model = &json["model"];
    let mut tokens: Vec<(u64, String)> = model["vocab"]
        .as_object()
        .expect("a vocabulary")
        .iter()
        .map(|(token, id)| (id.as_u64().expect("an id"), token.clone()))
        .collect();
    tokens.sort();
    let score = |token: &str| -8.0 + (token.chars().count() as f64).sqrt();
    let vocab: Vec<Value> = tokens.iter().map(|(_, it)| json!([it, score(it)])).collect();
    json["model"] = json!({
        "type": "Unigram", "unk_id": 0, "vocab": vocab, "byte_fallback": true,
    });
    json
}

fn word_piece(texts: &[String]) -> Result<Value> {
    let model = json!({
        "type": "WordPiece", "unk_token": "<unk>", "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100, "vocab": {"<unk>": 0},
    });
    let normalizer = json!({
        "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
        "strip_accents": null, "lowercase": true,
    });
    let mut made = empty(model, json!({"type": "BertPreTokenizer"}), normalizer)?;
    let special = SPECIAL.map(|text| tokenizers::AddedToken::from(text, true));
    let trainer = WordPieceTrainer::builder()
        .show_progress(false)
        .vocab_size(SIZE)
        .initial_alphabet(('!'..='~').collect())
        .special_tokens(special.into())
        .build();
    let mut trainer = TrainerWrapper::WordPieceTrainer(trainer);
    let taught = made.train(&mut trainer, texts.iter()).map_err(|error| anyhow!("{error}"))?;
    let text = taught.to_string(false).map_err(|error| anyhow!("{error}"))?;
    let mut json: Value = serde_json::from_str(&text)?;
    // Every letter may go on with a word too, whatever was seen.
    let vocab = json["model"]["vocab"].as_object_mut().context("a vocabulary")?;
    for letter in '!'..='~' {
        for token in [letter.to_string(), format!("##{letter}")] {
            let id = vocab.len();
            vocab.entry(token).or_insert(json!(id));
        }
    }
    let vocab = json["model"]["vocab"].clone();
    let id = |text: &str| vocab[text].as_u64().expect("it is there");
    json["added_tokens"] = SPECIAL.iter().map(|text| special_token(text, id(text))).collect();
    Ok(json)
}
