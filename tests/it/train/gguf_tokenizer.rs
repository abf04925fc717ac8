//! Tokenizers out into a GGUF file and in again, and those that GGUF cannot say.

use std::fs;
use std::path::Path;

use anyhow::Result;
use candle_core::Device;
use cookc::model::gguf::{self, Kind};
use cookc::model::{Config, Tokenizer, weights};
use serde_json::json;

use super::gguf::model;

/// Texts with everything that a tokenizer may stumble on.
const TEXTS: [&str; 7] = [
    "The cat, the hat.",
    "  two spaces\n\n and\ttabs \r\n",
    "2024 is 17 + 25",
    "größe 日本語 🙂 ½",
    "I'll don't",
    "<s>the<|user|>the cat</s>",
    "",
];

#[test]
fn a_byte_level_tokenizer_comes_back_with_the_same_ids() -> Result<()> {
    let folder = tempfile::tempdir()?;
    comes_back(&byte_level(folder.path())?, folder.path())
}

#[test]
fn a_sentence_piece_tokenizer_comes_back_with_the_same_ids() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let tokenizer = sentence_piece(folder.path())?;
    assert_eq!(tokenizer.decode(&tokenizer.encode("the cat 🙂")?)?, "the cat 🙂");
    comes_back(&tokenizer, folder.path())
}

#[test]
fn a_tokenizer_that_gguf_cannot_say_is_refused_and_nothing_is_written() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let model = model(true, None)?;
    let path = folder.path().join("out.gguf");
    let refused = |tokenizer: &Tokenizer, message: &str| {
        let saved = gguf::save(&model, tokenizer, &path, Kind::F32, &mut |_| Ok(()));
        let error = format!("{:#}", saved.expect_err(message));
        assert!(error.contains(message), "{error}");
        assert!(!path.exists());
    };
    refused(&Tokenizer::words(&["word".into()])?, "whole words, which GGUF cannot say");
    byte_level(folder.path())?;
    let file = folder.path().join("tokenizer.json");
    let before = fs::read_to_string(&file)?;
    for (from, to, message) in [
        ("\"individual_digits\":true", "\"individual_digits\":false", "`Digits`"),
        ("\"add_prefix_space\":false", "\"add_prefix_space\":true", "adds a space"),
        ("\"normalizer\":null", "\"normalizer\":{\"type\":\"Lowercase\"}", "normalizer"),
    ] {
        assert!(before.contains(from), "{from}");
        fs::write(&file, before.replace(from, to))?;
        refused(&Tokenizer::load(folder.path())?, message);
    }
    let model = weights::fresh(&Config::small(100, 8, 8, 1, 2), 1, 0.2, &Device::Cpu)?;
    let saved = gguf::save(&model, &byte_level(folder.path())?, &path, Kind::F32, &mut |_| Ok(()));
    let error = saved.expect_err("a small model").to_string();
    assert!(error.contains("is beyond the model's 100 ids"), "{error}");
    Ok(())
}

/// A tokenizer as SmolLM2's: digits alone, then GPT-2's pattern, bytes as letters, some merges.
pub fn byte_level(folder: &Path) -> Result<Tokenizer> {
    let mut vocab: Vec<String> = ["<s>", "</s>", "<|user|>"].map(String::from).into();
    let letters = (0..=255u8).map(|byte| match byte {
        b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff => char::from(byte),
        0..=32 => char::from_u32(256 + u32::from(byte)).expect("a letter"),
        127..=160 => char::from_u32(256 + 33 + u32::from(byte) - 127).expect("a letter"),
        _ => '\u{143}',
    });
    vocab.extend(letters.map(String::from));
    let merges = [["t", "h"], ["th", "e"], ["Ġ", "c"], ["a", "t"], ["Ġc", "at"], ["Ġ", "the"]];
    vocab.extend(merges.iter().map(|[left, right]| format!("{left}{right}")));
    let byte_level = json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    });
    let parts = json!({
        "version": "1.0", "normalizer": null,
        "pre_tokenizer": { "type": "Sequence", "pretokenizers": [
            { "type": "Digits", "individual_digits": true }, byte_level,
        ]},
        "post_processor": null, "decoder": byte_level,
    });
    write_tokenizer(folder, parts, &vocab, json!({ "merges": merges }))
}

/// A tokenizer as Llama 2's: SentencePiece's pieces with bytes to fall back on.
fn sentence_piece(folder: &Path) -> Result<Tokenizer> {
    let mut vocab: Vec<String> = ["<s>", "</s>", "<|user|>", "<unk>"].map(String::from).into();
    vocab.extend((0..=255u8).map(|byte| format!("<0x{byte:02X}>")));
    vocab.extend("▁thecaIl.".chars().map(String::from));
    let merges = [["t", "h"], ["th", "e"], ["a", "t"], ["▁", "the"], ["c", "at"], ["▁", "cat"]];
    vocab.extend(merges.iter().map(|[left, right]| format!("{left}{right}")));
    let replace = |from: &str, to: &str| {
        let pattern = json!({ "String": from });
        json!({ "type": "Replace", "pattern": pattern, "content": to })
    };
    let parts = json!({
        "version": "1.0",
        "normalizer": { "type": "Sequence", "normalizers": [
            { "type": "Prepend", "prepend": "▁" }, replace(" ", "▁"),
        ]},
        "pre_tokenizer": null, "post_processor": null,
        "decoder": { "type": "Sequence", "decoders": [
            replace("▁", " "), { "type": "ByteFallback" }, { "type": "Fuse" },
            { "type": "Strip", "content": " ", "start": 1, "stop": 0 },
        ]},
    });
    let model =
        json!({ "merges": merges, "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true });
    write_tokenizer(folder, parts, &vocab, model)
}

/// Writes the files of a tokenizer whose first three tokens are special, and reads them.
pub fn write_tokenizer(
    folder: &Path,
    mut parts: serde_json::Value,
    vocab: &[String],
    mut model: serde_json::Value,
) -> Result<Tokenizer> {
    let ids = vocab.iter().enumerate().map(|(id, token)| (token.clone(), json!(id)));
    model["type"] = json!("BPE");
    model["vocab"] = ids.collect();
    let added = vocab.iter().take(3).enumerate().map(|(id, token)| {
        json!({
            "id": id, "content": token, "special": true, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false,
        })
    });
    parts["added_tokens"] = added.collect();
    parts["model"] = model;
    fs::write(folder.join("tokenizer.json"), parts.to_string())?;
    let settings = json!({
        "bos_token": "<s>", "eos_token": { "content": "</s>" }, "chat_template": "{{ messages }}",
    });
    fs::write(folder.join("tokenizer_config.json"), settings.to_string())?;
    Tokenizer::load(folder)
}

/// Out into a file and in again.
fn comes_back(tokenizer: &Tokenizer, folder: &Path) -> Result<()> {
    let path = folder.join("out.gguf");
    gguf::save(&model(true, None)?, tokenizer, &path, Kind::Q8_0, &mut |_| Ok(()))?;
    let again = Tokenizer::load(&path)?;
    assert_eq!((again.eos(), again.pad()), (tokenizer.eos(), tokenizer.pad()));
    for text in TEXTS {
        let ids = tokenizer.encode(text)?;
        assert_eq!(again.encode(text)?, ids, "{text:?}");
        assert_eq!(again.decode(&ids)?, tokenizer.decode(&ids)?, "{text:?}");
    }
    // Its settings go with it, into the files of a folder too.
    again.save(folder)?;
    let settings = fs::read_to_string(folder.join("tokenizer_config.json"))?;
    for part in ["\"bos_token\": \"<s>\"", "\"eos_token\": \"</s>\"", "{{ messages }}"] {
        assert!(settings.contains(part), "{settings}");
    }
    Ok(())
}
