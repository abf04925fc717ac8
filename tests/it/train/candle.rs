//! Each family of models, held against candle-transformers' own on tiny random weights.

use std::collections::HashMap;

use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::{llama, mistral, qwen2, qwen3};
use cookc::model::{Config, Inputs, Model, weights};
use serde_json::{Value, json};

use super::distance;

/// candle's logits after the last of some ids, by a `config.json` and its weights.
type Theirs = fn(Value, VarBuilder, &Tensor) -> Result<Tensor>;

/// A family's settings beside the common ones, and candle's model of it.
fn families() -> Vec<(&'static str, Value, Theirs)> {
    let llama3 = json!({
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        // With this length there are fast pairs, slow ones, and some between.
        "original_max_position_embeddings": 64,
    });
    vec![
        ("llama", json!({}), of_llama),
        ("llama", json!({ "tie_word_embeddings": true, "rope_scaling": llama3 }), of_llama),
        ("mistral", json!({ "sliding_window": 6 }), of_mistral),
        ("qwen2", json!({ "tie_word_embeddings": true }), of_qwen2),
        ("qwen3", json!({ "head_dim": 16 }), of_qwen3),
        ("qwen3", json!({ "head_dim": 16, "attention_bias": true }), of_qwen3),
    ]
}

#[test]
fn logits_equal_those_of_candle_transformers() -> Result<()> {
    for (name, settings, theirs) in families() {
        let mut config = json!({
            "model_type": name, "hidden_size": 32, "intermediate_size": 36, "vocab_size": 64,
            "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
            "max_position_embeddings": 128, "rope_theta": 1000.0, "rms_norm_eps": 1e-5,
            "attention_bias": false, "tie_word_embeddings": false, "hidden_act": "silu",
        });
        let map = config.as_object_mut().expect("an object");
        map.extend(settings.as_object().expect("an object").clone());
        let model = random(&Config::from_json(&config.to_string())?)?;
        let all: HashMap<String, Tensor> =
            model.weights().into_iter().map(|p| (p.name.clone(), p.value.clone())).collect();
        for count in [1, 5, 24] {
            let ids: Vec<u32> = (0..count).map(|at| (at * 37 + 11) % 64).collect();
            let time = ids.len();
            let inputs = Inputs {
                batch: 1,
                time,
                ids: ids.clone(),
                start: vec![0; time],
                branches: Default::default(),
            };
            let found = model.logits(&inputs)?.narrow(0, time - 1, 1)?;
            let weights = VarBuilder::from_tensors(all.clone(), DType::F32, &Device::Cpu);
            let ids = Tensor::from_vec(ids, (1, time), &Device::Cpu)?;
            let expected = theirs(config.clone(), weights, &ids)?.reshape(found.shape())?;
            let size = expected.abs()?.max_all()?.to_scalar::<f32>()?;
            let off = distance(&found, &expected)? / size;
            assert!(off < 1e-5, "{name} {settings}: {count} ids are off by {off}");
        }
    }
    Ok(())
}

fn of_llama(config: Value, weights: VarBuilder, ids: &Tensor) -> Result<Tensor> {
    let config = serde_json::from_value::<llama::LlamaConfig>(config)?.into_config(false);
    let mut cache = llama::Cache::new(false, DType::F32, &config, &Device::Cpu)?;
    Ok(llama::Llama::load(weights, &config)?.forward(ids, 0, &mut cache)?)
}

fn of_mistral(config: Value, weights: VarBuilder, ids: &Tensor) -> Result<Tensor> {
    let mut config: mistral::Config = serde_json::from_value(config)?;
    // candle leaves the token itself out of the count, transformers does not.
    config.sliding_window = config.sliding_window.map(|window| window - 1);
    config.use_flash_attn = false;
    Ok(mistral::Model::new(&config, weights)?.forward(ids, 0)?)
}

fn of_qwen2(config: Value, weights: VarBuilder, ids: &Tensor) -> Result<Tensor> {
    let config: qwen2::Config = serde_json::from_value(without_window(config))?;
    Ok(qwen2::ModelForCausalLM::new(&config, weights)?.forward(ids, 0)?)
}

fn of_qwen3(config: Value, weights: VarBuilder, ids: &Tensor) -> Result<Tensor> {
    let config: qwen3::Config = serde_json::from_value(without_window(config))?;
    Ok(qwen3::ModelForCausalLM::new(&config, weights)?.forward(ids, 0)?)
}

/// The settings that candle's Qwens need to have no window.
fn without_window(mut config: Value) -> Value {
    let map = config.as_object_mut().expect("an object");
    for (key, value) in [
        ("sliding_window", json!(128)),
        ("max_window_layers", json!(3)),
        ("use_sliding_window", json!(false)),
    ] {
        map.insert(key.into(), value);
    }
    config
}

/// A random model whose norms are not 1 and whose biases are not 0: one that left them out would
/// not pass.
fn random(config: &Config) -> Result<Model> {
    let mut model = weights::fresh(config, 7, 0.3, &Device::Cpu)?;
    for (at, parameter) in model.trainable_mut().into_iter().enumerate() {
        if parameter.value.rank() == 1 {
            let width = parameter.value.elem_count();
            let noise = (0..width).map(|i| ((i * 7919 + at * 613) % 601) as f32 / 1000.0 - 0.3);
            let noise = Tensor::from_vec(noise.collect::<Vec<f32>>(), width, &Device::Cpu)?;
            parameter.value = (&parameter.value + noise)?;
        }
    }
    Ok(model)
}
