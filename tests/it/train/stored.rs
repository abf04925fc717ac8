//! Which of a folder's weights count: heads of tied models, shards, and what nothing would read.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use cookc::model::{Model, io, lora, weights};
use serde_json::{Value, json};

use super::{distance, grouped, row};

const EMBEDDING: &str = "model.embed_tokens.weight";
const HEAD: &str = "lm_head.weight";

#[test]
fn a_head_in_the_files_of_a_tied_model_counts_where_it_differs_from_the_table() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (inputs, model) = (row(&[4, 8, 15, 16, 23]), grouped(false)?);
    let tensors = saved(&model, folder.path())?;
    set(folder.path(), "tie_word_embeddings", json!(true))?;
    let found = load(folder.path())?;
    assert!(!found.config.tie_word_embeddings, "what is written again says so");
    assert_eq!(distance(&found.logits(&inputs)?, &model.logits(&inputs)?)?, 0.0);
    // One that is the table, in another type, says nothing new.
    let mut alike = tensors.clone();
    let table = alike[EMBEDDING].to_dtype(DType::BF16)?;
    alike.insert(HEAD.into(), table.clone());
    alike.insert(EMBEDDING.into(), table.to_dtype(DType::F32)?);
    write(&alike, &folder.path().join("model.safetensors"))?;
    let tied = load(folder.path())?;
    assert!(tied.config.tie_word_embeddings);
    // The table may be there under the name of the head alone.
    alike.remove(EMBEDDING);
    write(&alike, &folder.path().join("model.safetensors"))?;
    let by_head = load(folder.path())?;
    assert_eq!(distance(&by_head.logits(&inputs)?, &tied.logits(&inputs)?)?, 0.0);
    Ok(())
}

#[test]
fn a_model_that_is_not_tied_needs_a_head() -> Result<()> {
    let folder = tempfile::tempdir()?;
    saved(&grouped(true)?, folder.path())?;
    set(folder.path(), "tie_word_embeddings", json!(false))?;
    refused(folder.path(), &["`lm_head.weight` is missing"])
}

#[test]
fn one_file_counts_before_an_index_and_a_tensor_is_in_one_shard() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (inputs, model) = (row(&[4, 8, 15, 16, 23]), grouped(true)?);
    let mut tensors = saved(&model, folder.path())?;
    let index = |names: &[&str]| {
        let map: HashMap<String, &str> = tensors
            .keys()
            .enumerate()
            .map(|(at, name)| (name.clone(), names[at % names.len()]))
            .collect();
        fs::write(
            folder.path().join("model.safetensors.index.json"),
            json!({ "weight_map": map }).to_string(),
        )
    };
    index(&["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"])?;
    // The shards that the index names are gone, or hold something else.
    assert_eq!(distance(&load(folder.path())?.logits(&inputs)?, &model.logits(&inputs)?)?, 0.0);
    fs::remove_file(folder.path().join("model.safetensors"))?;
    refused(folder.path(), &["cannot read", "model-00001-of-00002.safetensors"])?;
    index(&["a.safetensors", "b.safetensors"])?;
    write(&tensors, &folder.path().join("a.safetensors"))?;
    tensors.retain(|name, _| name == EMBEDDING);
    write(&tensors, &folder.path().join("b.safetensors"))?;
    refused(folder.path(), &[EMBEDDING, "is in two files", "a.safetensors", "b.safetensors"])
}

#[test]
fn weights_that_nothing_reads_are_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let tensors = saved(&grouped(true)?, folder.path())?;
    set(folder.path(), "num_hidden_layers", json!(1))?;
    refused(
        folder.path(),
        &["`model.layers.1.", "beyond the 1 of config.json", "num_hidden_layers"],
    )?;
    set(folder.path(), "num_hidden_layers", json!(2))?;
    for (name, is_read) in [
        ("model.layers.0.self_attn.q_proj.bias", false),
        ("model.layers.0.self_attn.q_norm.weight", false),
        ("model.layers.1.mlp.gate_proj.weight_scale", false),
        ("score.weight", false),
        ("lm_head.bias", false),
        // Tables that are computed from the config; transformers ignores them too.
        ("model.layers.0.self_attn.rotary_emb.inv_freq", true),
        ("model.rotary_emb.inv_freq", true),
    ] {
        let mut more = tensors.clone();
        more.insert(name.into(), Tensor::ones(24, DType::F32, &Device::Cpu)?);
        write(&more, &folder.path().join("model.safetensors"))?;
        match is_read {
            true => drop(load(folder.path())?),
            false => refused(folder.path(), &[name, "no place"])?,
        }
    }
    Ok(())
}

#[test]
fn weights_that_are_no_numbers_once_folded_in_or_in_another_type_are_refused() -> Result<()> {
    let mut model = grouped(true)?;
    let name = "model.layers.1.mlp.up_proj.weight";
    for parameter in model.learning_mut() {
        if parameter.name == name {
            parameter.value = (&parameter.value * 1e6)?;
        }
    }
    let error = weights::converted(model.clone(), DType::F16).map(|_| ()).expect_err("too large");
    assert!(error.to_string().contains(name) && error.to_string().contains("f16"), "{error}");
    weights::converted(model, DType::BF16)?;
    let mut model = grouped(true)?;
    lora::attach(&mut model, &lora::Lora::all_linear(2, 4.0), 3)?;
    for parameter in model.learning_mut() {
        let large = parameter.name.contains("layers.1.mlp.up_proj");
        parameter.value = (parameter.value.ones_like()? * if large { 1e25 } else { 1.0 })?;
    }
    let error = lora::merged(&model).map(|_| ()).expect_err("too large");
    assert!(error.to_string().contains(name), "{error}");
    Ok(())
}

fn saved(model: &Model, folder: &Path) -> Result<HashMap<String, Tensor>> {
    io::save(model, folder)?;
    Ok(candle_core::safetensors::load(folder.join("model.safetensors"), &Device::Cpu)?)
}

fn set(folder: &Path, key: &str, value: Value) -> Result<()> {
    let path = folder.join("config.json");
    let mut config: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
    config[key] = value;
    Ok(fs::write(&path, config.to_string())?)
}

fn load(folder: &Path) -> Result<Model> {
    io::load(folder, DType::F32, &Device::Cpu)
}

fn write(tensors: &HashMap<String, Tensor>, path: &Path) -> Result<()> {
    Ok(candle_core::safetensors::save(tensors, path)?)
}

fn refused(folder: &Path, parts: &[&str]) -> Result<()> {
    let error = format!("{:#}", load(folder).map(|_| ()).expect_err(parts[0]));
    for part in parts {
        assert!(error.contains(part), "`{error}` does not say `{part}`");
    }
    Ok(())
}
