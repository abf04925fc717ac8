//! A real model out of a GGUF file, held against transformers and PEFT.
//!
//! `COOKC_SMOLLM2` is the path of the file that `scripts/get-smollm2.sh` fetches.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use candle_core::{DType, Device, Tensor};
use cookc::data::Split;
use cookc::data::layout::{Encoded, Escape, Part, TextWriter, TokenIds};
use cookc::data::vocab::Vocabulary;
use cookc::model::chat::{Message, System};
use cookc::model::gguf::{self, Kind};
use cookc::model::{Model, Recompute, Tokenizer, chat, greedy, io, lora};
use cookc::train::Example;
use serde_json::Value;

use super::reference::noise;
use super::{distance, loss_of, row};

#[test]
fn smollm2_gives_the_ids_of_its_own_tokenizer() -> Result<()> {
    let Some(path) = path("the ids") else { return Ok(()) };
    let tokenizer = Tokenizer::load(&path)?;
    let texts: Vec<Value> = serde_json::from_str(&fs::read_to_string(data("texts.json"))?)?;
    assert!(texts.len() > 10);
    for pair in &texts {
        let text = pair["text"].as_str().context("a text")?;
        let ids: Vec<u32> = serde_json::from_value(pair["ids"].clone())?;
        assert_eq!(tokenizer.encode(text)?, ids, "{text:?}");
    }
    assert_eq!(tokenizer.decode(&[504, 3575, 282, 4649])?, "The capital of France");
    assert_eq!((tokenizer.eos(), tokenizer.vocab_size()), (2, 49152));
    Ok(())
}

/// What is put together of pieces is what the tokenizer makes of the whole chat.
#[test]
fn smollm2_gives_a_chat_the_ids_of_its_text() -> Result<()> {
    let Some(path) = path("a chat's ids") else { return Ok(()) };
    let tokenizer = Tokenizer::load(&path)?;
    let template = chat::Template::load(&path, &tokenizer)?.context("it has a template")?;
    for name in ["retrieval", "chain_sum", "entailment", "key_value"] {
        let level = cookc::Template::builtin(name)?;
        let level = level.level("default").vocabulary(Vocabulary::embedded_part(512));
        let sampler = level.interpreted().compile()?.inner().clone();
        let words = sampler.vocabulary().clone();
        let chat::Frame { system, prompt, reply, end, .. } = template.frame(System::None)?;
        let ids = TokenIds::new(sampler.program(), words.clone(), Arc::new(tokenizer.clone()));
        let ids = ids.in_chat([&system, &prompt, &reply, &end]);
        let writer = TextWriter::new(sampler.program(), words, Escape::None);
        let (mut memory, mut encoded) = (sampler.memory(Split::Train, 1), Encoded::default());
        for index in 0..8 {
            sampler.sample(&mut memory, index).map_err(|error| anyhow!("{error:?}"))?;
            ids.encode(&memory, &mut encoded).map_err(|why| anyhow!(why))?;
            let [prompt, reply] = [Part::Prompt, Part::Reply].map(|it| writer.text(it, &memory));
            let said = |role, content| Message { role, content };
            let messages = [said("user", &*prompt), said("assistant", &*reply)];
            let before = template.render(&messages[..1], true)?;
            let read = &encoded.ids[..encoded.reply_start];
            assert_eq!(read, tokenizer.encode(&before)?, "{name}: {prompt}");
            let whole = template.render(&messages, false)?;
            assert_eq!(encoded.ids, tokenizer.encode(whole.trim_end())?, "{name}: {reply}");
        }
    }
    Ok(())
}

#[test]
fn smollm2_gives_the_logits_and_the_text_of_transformers() -> Result<()> {
    let Some(path) = path("the logits") else { return Ok(()) };
    let model = io::load(&path, DType::F32, &Device::Cpu)?;
    let reference = tensors("logits.safetensors")?;
    for name in ["a", "b", "c"] {
        let of = |part: &str| &reference[&format!("{name}.{part}")];
        let ids: Vec<u32> = of("input_ids").to_vec1()?;
        let ids: Vec<i64> = ids.into_iter().map(i64::from).collect();
        let logits = model.logits(&row(&ids))?;
        let top = logits.gather(&of("top8_ids").contiguous()?, 1)?;
        let off = distance(&top, of("top8_logits"))?;
        assert!(off < 1e-3, "{name}: the best logits are off by {off}");
        let off = distance(&logits.log_sum_exp(1)?, of("logsumexp"))?;
        assert!(off < 1e-3, "{name}: the sums are off by {off}");
    }
    let tokenizer = Tokenizer::load(&path)?;
    let text = fs::read_to_string(data("greedy.json"))?;
    let expected: Value = serde_json::from_str(&text)?;
    let prompt = tokenizer.encode(expected["prompt"].as_str().context("a text")?)?;
    let reply = greedy(&model, &[prompt], tokenizer.ends(), 24)?;
    assert_eq!(Some(tokenizer.decode(&reply[0])?.as_str()), expected["reply"].as_str());
    Ok(())
}

#[test]
fn smollm2_gives_the_adapter_gradients_of_peft() -> Result<()> {
    let Some(path) = path("the gradients") else { return Ok(()) };
    let mut model = io::load(&path, DType::F32, &Device::Cpu)?;
    lora::attach(&mut model, &lora::Lora::all_linear(4, 8.0), 0)?;
    for parameter in model.learning_mut() {
        let values = noise(&parameter.name, parameter.value.elem_count());
        let values = Tensor::from_vec(values, parameter.value.shape(), &Device::Cpu)?;
        parameter.value = (values * 0.01)?;
    }
    let step = tensors("step.safetensors")?;
    let (all, mask) = (step["input_ids"].to_vec2::<u32>()?, step["loss_mask"].to_vec2::<u32>()?);
    let examples: Vec<Example> = all
        .iter()
        .zip(&mask)
        .map(|(ids, mask)| Example {
            ids: ids.clone(),
            loss: mask.iter().map(|&mark| mark == 1).collect(),
        })
        .collect();
    let (loss, gradients) = loss_of(&model, &examples, Recompute::None)?;
    let expected = f64::from(step["loss"].to_vec1::<f32>()?[0]);
    assert!((loss - expected).abs() < 1e-4, "the loss is {loss}, not {expected}");
    let norms = step["gradient_norms"].to_vec1::<f32>()?;
    let probes = step["gradient_probes"].to_vec1::<f32>()?;
    let names = names("step.safetensors")?;
    assert_eq!((names.len(), names.len()), (norms.len(), model.learning().len()));
    for ((name, norm), probe) in names.iter().zip(norms).zip(probes) {
        let found = gradients.get(name).context("it learns")?.flatten_all()?;
        let along = Tensor::new(noise(&format!("{name}.probe"), found.elem_count()), &Device::Cpu)?;
        let length = found.sqr()?.sum_all()?.to_scalar::<f32>()?.sqrt();
        let dot = (&found * &along)?.sum_all()?.to_scalar::<f32>()?;
        assert!((length / norm - 1.0).abs() < 1e-3, "{name}: the norm is {length}, not {norm}");
        assert!((dot - probe).abs() < 2e-3 * norm, "{name}: {dot} is not {probe}");
    }
    Ok(())
}

#[test]
fn smollm2_is_exported_and_read_back() -> Result<()> {
    let Some(path) = path("the export") else { return Ok(()) };
    let (model, tokenizer) = (io::load(&path, DType::F32, &Device::Cpu)?, Tokenizer::load(&path)?);
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("out.gguf");
    gguf::save(&model, &tokenizer, &out, Kind::F32, &mut |_| Ok(()))?;
    let inputs = row(&[504, 3575, 282, 4649, 314]);
    let logits = |model: &Model| model.logits(&inputs);
    let again = io::load(&out, DType::F32, &Device::Cpu)?;
    assert_eq!(distance(&logits(&model)?, &logits(&again)?)?, 0.0);
    let tokenizer_again = Tokenizer::load(&out)?;
    let texts: Vec<Value> = serde_json::from_str(&fs::read_to_string(data("texts.json"))?)?;
    for text in texts.iter().filter_map(|pair| pair["text"].as_str()) {
        assert_eq!(tokenizer_again.encode(text)?, tokenizer.encode(text)?, "{text:?}");
    }
    Ok(())
}

/// The model's file, where there is one.
fn path(what: &str) -> Option<PathBuf> {
    let path = std::env::var_os("COOKC_SMOLLM2");
    if path.is_none() {
        println!("not run, {what} of SmolLM2: COOKC_SMOLLM2 is not set (scripts/get-smollm2.sh)");
    }
    path.map(PathBuf::from)
}

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/parity-smollm2").join(name)
}

fn tensors(name: &str) -> Result<HashMap<String, Tensor>> {
    Ok(candle_core::safetensors::load(data(name), &Device::Cpu)?)
}

/// The list `names` in a safetensors file's metadata.
fn names(file: &str) -> Result<Vec<String>> {
    let bytes = fs::read(data(file))?;
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes)?;
    let metadata = header.metadata().as_ref().context("it has metadata")?;
    Ok(serde_json::from_str(&metadata["names"])?)
}
