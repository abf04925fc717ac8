//! Each family of models, held against what transformers says of a tiny one of it.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use cookc::model::rope::Scaling;
use cookc::model::{Config, Inputs, greedy, io};
use serde_json::{Value, json};

use super::distance;

const FAMILIES: [&str; 5] = ["mistral", "qwen2", "qwen3", "llama3", "llama-linear"];

#[test]
fn logits_equal_those_of_transformers() -> Result<()> {
    for name in FAMILIES {
        let model = io::load(&folder(name), DType::F32, &Device::Cpu)?;
        let expected = said(name)?;
        let logits = model.logits(&inputs(&expected["input_ids"])?)?;
        let size = expected["logits"].abs()?.max_all()?.to_scalar::<f32>()?;
        let off = distance(&logits, &expected["logits"])? / size;
        assert!(off < 1e-4, "{name} is off by {off}");
    }
    Ok(())
}

#[test]
fn greedy_replies_equal_those_of_transformers() -> Result<()> {
    for name in FAMILIES {
        let model = io::load(&folder(name), DType::F32, &Device::Cpu)?;
        let expected = said(name)?;
        let prompt = ids(&expected["prompt"])?;
        let reply = ids(&expected["reply"])?;
        // Beside a longer prompt, so that this one's row is padded.
        let longer = [&[5, 6, 7], &prompt[..]].concat();
        let replies = greedy(&model, &[longer, prompt], &[], reply.len())?;
        assert_eq!(replies[1], reply, "{name}");
    }
    Ok(())
}

#[test]
fn a_config_is_written_as_it_was_read() -> Result<()> {
    for name in FAMILIES {
        let text = fs::read_to_string(folder(name).join("config.json"))?;
        let written: Value = serde_json::from_str(&Config::from_json(&text)?.to_json()?)?;
        let original: Value = serde_json::from_str(&text)?;
        for (key, value) in original.as_object().expect("an object").iter() {
            assert!(value.is_null() || written[key] == *value, "{name}: {key} is {}", written[key]);
        }
        let again = Config::from_json(&written.to_string())?;
        assert_eq!(again.rope_scaling, Config::from_json(&text)?.rope_scaling);
    }
    Ok(())
}

#[test]
fn the_rotary_scaling_of_older_files_is_understood() -> Result<()> {
    let text = fs::read_to_string(folder("llama-linear").join("config.json"))?;
    let mut config: Value = serde_json::from_str(&text)?;
    config["rope_parameters"] = Value::Null;
    config["rope_theta"] = json!(500.0);
    for key in ["type", "rope_type"] {
        config["rope_scaling"] = json!({ key: "linear", "factor": 3.0 });
        let read = Config::from_json(&config.to_string())?;
        assert_eq!(read.rope_scaling, Scaling::Linear { factor: 3.0 });
        assert_eq!(read.rope_theta, 500.0);
    }
    Ok(())
}

#[test]
fn what_a_file_leaves_out_is_what_transformers_takes_it_for() -> Result<()> {
    let read = |name: &str, without: &[&str]| -> Result<Config> {
        let mut config: Value =
            serde_json::from_str(&fs::read_to_string(folder(name).join("config.json"))?)?;
        let map = config.as_object_mut().expect("an object");
        without.iter().for_each(|key| drop(map.remove(*key)));
        Config::from_json(&config.to_string())
    };
    for (name, longest) in
        [("llama-linear", 2048), ("mistral", 131_072), ("qwen2", 32768), ("qwen3", 32768)]
    {
        let config = read(name, &["rms_norm_eps", "max_position_embeddings"])?;
        assert_eq!((config.rms_norm_eps, config.tokens_max()), (1e-6, longest), "{name}");
        let config = read(name, &["vocab_size", "num_hidden_layers", "layer_types"])?;
        assert_eq!(config.vocab_size, if name.starts_with("qwen") { 151_936 } else { 32000 });
        assert_eq!(config.num_hidden_layers, 32, "{name}");
    }
    let mistral = read("mistral", &["sliding_window", "head_dim"])?;
    assert_eq!((mistral.window(0), mistral.head_dim), (Some(4096), 8));
    assert_eq!(read("qwen3", &["head_dim"])?.head_dim, 128);
    // Without `layer_types`, the first `max_window_layers` see all.
    let qwen = read("qwen2", &["layer_types"])?;
    assert_eq!((qwen.window(0), qwen.window(1)), (None, Some(7)));
    assert_eq!(read("qwen2", &["use_sliding_window", "layer_types"])?.window(1), None);
    assert_eq!(read("qwen2", &["layer_types", "max_window_layers"])?.window(1), None);
    Ok(())
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/families").join(name)
}

fn said(name: &str) -> Result<std::collections::HashMap<String, Tensor>> {
    Ok(candle_core::safetensors::load(folder(name).join("logits.safetensors"), &Device::Cpu)?)
}

fn ids(tensor: &Tensor) -> Result<Vec<u32>> {
    Ok(tensor.to_vec1::<i64>()?.into_iter().map(|id| id as u32).collect())
}

fn inputs(tensor: &Tensor) -> Result<Inputs> {
    let ids = ids(tensor)?;
    Ok(Inputs {
        batch: 1,
        time: ids.len(),
        start: vec![0; ids.len()],
        branches: Default::default(),
        ids,
    })
}
