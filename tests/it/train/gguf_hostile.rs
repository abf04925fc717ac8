//! GGUF files that were cut off, bent or made to do harm: an error each, soon and without a panic.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use candle_core::quantized::gguf_file::Value;
use candle_core::{DType, Device};
use cookc::model::gguf::{self, Kind};
use cookc::model::{Config, Tokenizer, io, weights};

use super::gguf::{content, text};
use super::gguf_tokenizer::byte_level;
use super::reference;

/// No file of a few kilobytes may take longer, on a busy machine without optimisation.
const PATIENCE: Duration = Duration::from_secs(2);

#[test]
fn every_beginning_of_a_file_is_an_error() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let whole = small(folder.path())?;
    let path = folder.path().join("cut.gguf");
    fs::write(&path, &whole)?;
    for length in (0..whole.len()).rev() {
        fs::OpenOptions::new().write(true).open(&path)?.set_len(length as u64)?;
        let error = io::load(&path, DType::F32, &Device::Cpu).map(|_| ());
        let error = format!("{:#}", error.expect_err("a part of a file"));
        assert!(error.contains("cut.gguf"), "{length}: {error}");
    }
    Ok(())
}

#[test]
fn bent_bytes_are_an_error_or_another_model_but_never_a_panic() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let whole = small(folder.path())?;
    let path = folder.path().join("bent.gguf");
    // 24 random bits of each.
    let random =
        reference::noise("bent", 8000).into_iter().map(|x| (x + 2.0) * (1u64 << 22) as f32);
    let random: Vec<usize> = random.map(|x| x as usize).collect();
    let mut refused = 0;
    for draws in random.chunks(4) {
        let mut bytes = whole.clone();
        // Most of the bytes that mean something stand in the head.
        let place = (draws[0] * 31 + draws[1]) % 4000;
        bytes[place] = (draws[2] % 256) as u8;
        bytes[place + 1 + draws[1] % 7] ^= 1 << (draws[3] % 8);
        fs::write(&path, &bytes)?;
        let start = Instant::now();
        let model = io::load(&path, DType::F32, &Device::Cpu);
        let tokenizer = Tokenizer::load(&path);
        refused += usize::from(model.is_err() || tokenizer.is_err());
        assert!(start.elapsed() < PATIENCE, "{place} took {:?}", start.elapsed());
    }
    assert!(refused > 200, "{refused} of 2000 were refused");
    Ok(())
}

#[test]
fn lengths_beyond_the_file_are_refused_at_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("long.gguf");
    let head = |tensors: u64, values: u64| {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(tensors.to_le_bytes());
        bytes.extend(values.to_le_bytes());
        bytes
    };
    let key = |name: &str, kind: u32| {
        let mut bytes = (name.len() as u64).to_le_bytes().to_vec();
        bytes.extend(name.as_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes
    };
    let list = |kind: u32, count: u64| {
        [head(0, 1), key("list", 9), kind.to_le_bytes().to_vec(), count.to_le_bytes().to_vec()]
            .concat()
    };
    let tensor = |sizes: &[u64], kind: u32, start: u64| {
        let mut bytes = [head(1, 0), key("t", sizes.len() as u32)].concat();
        sizes.iter().for_each(|size| bytes.extend(size.to_le_bytes()));
        bytes.extend(kind.to_le_bytes());
        bytes.extend(start.to_le_bytes());
        bytes
    };
    let alignment = |value: u32| {
        [head(0, 1), key("general.alignment", 4), value.to_le_bytes().to_vec()].concat()
    };
    for (bytes, message) in [
        (b"GGML\x03\0\0\0".to_vec(), "this is no GGUF file"),
        (b"GGUF\x01\0\0\0".to_vec(), "version 1 is not supported"),
        (head(u64::MAX, 0), "the file ends early"),
        (head(0, u64::MAX), "the file ends early"),
        ([head(0, 1), u64::MAX.to_le_bytes().to_vec()].concat(), "goes beyond the file"),
        (list(8, u64::MAX), "goes beyond the file"),
        (list(8, 1 << 40), "goes beyond the file"),
        (list(0, 1 << 40), "goes beyond the file"),
        (list(9, 1), "a list of lists"),
        (list(99, 1), "unknown type 99"),
        ([head(0, 1), key("k", 99)].concat(), "unknown type 99"),
        ([head(0, 2), key("k", 7), vec![1], key("k", 7), vec![1]].concat(), "`k` comes twice"),
        (tensor(&[1 << 40], 0, 0), "the file ends within tensor `t`"),
        (tensor(&[1 << 40, 1 << 40], 0, 0), "tensor `t`"),
        (tensor(&[u64::MAX], 0, 0), "tensor `t`"),
        (tensor(&[32], 0, u64::MAX), "tensor `t`"),
        (tensor(&[0], 0, 0), "a dimension of it is 0"),
        (tensor(&[31], 2, 0), "tensor `t` has no whole rows"),
        (tensor(&[256], 20, 0), "elements of type 20 are not supported; F32, F16,"),
        (tensor(&[1; 5], 0, 0), "it has 5 dimensions"),
        (alignment(0), "`general.alignment`"),
        (alignment(u32::MAX), "`general.alignment`"),
    ] {
        fs::write(&path, bytes)?;
        let start = Instant::now();
        let error = io::load_config(&path).map(|_| ()).expect_err(message);
        let error = format!("{error:#}");
        assert!(error.contains(message), "`{error}` does not say `{message}`");
        assert!(start.elapsed() < PATIENCE, "{message} took {:?}", start.elapsed());
    }
    Ok(())
}

#[test]
fn a_tokenizer_that_makes_no_sense_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("in.gguf");
    let texts = |texts: &[&str]| Value::Array(texts.iter().map(|it| text(it)).collect());
    let tokens = ["a", "b", "ab", "</s>"];
    let long = "a".repeat(100_000);
    for (values, message) in [
        (vec![], "the file has no tokenizer"),
        (vec![("model", text("bert"))], "the tokenizer has no tokens"),
        (vec![("model", text("bert")), ("tokens", texts(&tokens))], "`bert` is not supported"),
        (vec![("model", text("gpt2")), ("tokens", texts(&tokens))], "no merges"),
        (
            vec![("model", text("gpt2")), ("tokens", texts(&tokens)), ("merges", texts(&["ab"]))],
            "`ab` is no merge",
        ),
        (
            vec![("model", text("gpt2")), ("tokens", texts(&tokens)), ("merges", texts(&["a c"]))],
            "out of vocabulary",
        ),
        (
            vec![("model", text("gpt2")), ("tokens", texts(&tokens)), ("pre", text("gemma9"))],
            "tokenizer.ggml.pre `gemma9` is not supported; these are: smollm,",
        ),
        (
            vec![
                ("model", text("gpt2")),
                ("tokens", texts(&tokens[..3])),
                ("merges", texts(&["a b"])),
            ],
            "no token that ends a text",
        ),
        (
            vec![
                ("model", text("llama")),
                ("tokens", texts(&tokens)),
                ("eos_token_id", Value::U32(4)),
            ],
            "`tokenizer.ggml.eos_token_id`",
        ),
        (
            vec![
                ("model", text("llama")),
                ("tokens", texts(&[&long])),
                ("scores", Value::Array(vec![Value::F32(f32::NAN)])),
            ],
            "token 0 has 100000 bytes",
        ),
    ] {
        let mut content = content(8, 8);
        for (key, value) in values {
            content.set(&format!("tokenizer.ggml.{key}"), value);
        }
        content.write(&path)?;
        let error = format!("{:#}", Tokenizer::load(&path).expect_err(message));
        assert!(error.contains(message), "`{error}` does not say `{message}`");
        assert!(error.contains("in.gguf"), "{error}");
    }
    Ok(())
}

/// A small model's file with a tokenizer; it ends with its last tensor.
fn small(folder: &Path) -> Result<Vec<u8>> {
    let config = Config::small(320, 8, 8, 1, 2);
    let model = weights::fresh(&config, 1, 0.2, &Device::Cpu)?;
    let path = folder.join("whole.gguf");
    gguf::save(&model, &byte_level(folder)?, &path, Kind::F32, &mut |_| Ok(()))?;
    Ok(fs::read(&path)?)
}
