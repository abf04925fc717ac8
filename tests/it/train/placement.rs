//! Adapters of PEFT beside some modules, of other sizes, or with settings that mean something else.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use candle_core::{Device, Tensor};
use cookc::model::Model;
use cookc::model::lora;
use serde_json::{Map, Value, json};

use super::{distance, grouped, reference};

const PREFIX: &str = "base_model.model.";
const UNSLOTH: &str = concat!(
    r"(?:.*?(?:language|text).*?(?:self_attn|attention|attn|mlp|feed_forward|ffn|dense).*?",
    r"(?:q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj).*?)|",
    r"(?:\bmodel\.layers\.[\d]{1,}\.(?:self_attn|attention|attn|mlp|feed_forward|ffn|dense)\.",
    r"(?:(?:q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)))",
);
/// Rank and alpha where a setting names no other.
const RANK: usize = 4;
const ALPHA: f64 = 8.0;

#[test]
fn ranks_and_alphas_are_those_of_the_first_pattern_that_fits() -> Result<()> {
    for (settings, expected) in [
        (json!({}), (RANK, ALPHA)),
        (json!({ "rank_pattern": { "q_proj": 2 } }), (2, ALPHA)),
        (json!({ "alpha_pattern": { "q_proj": 32 } }), (RANK, 32.0)),
        (json!({ "rank_pattern": { "layers.1.self_attn.q_proj": 2 } }), (2, ALPHA)),
        (json!({ "rank_pattern": { "^model.layers.[12].self_attn.q_proj": 2 } }), (2, ALPHA)),
        (json!({ "rank_pattern": { r".*\.1\.self_attn\.(q|k)_proj": 2 } }), (2, ALPHA)),
        (json!({ "rank_pattern": { "_proj": 2, "self_attn": 2, "proj": 2 } }), (RANK, ALPHA)),
        (
            json!({
                "rank_pattern": { "q_proj": 2, "layers.1.self_attn.q_proj": 3 },
                "alpha_pattern": { ".*q_proj": 3, "q_proj": 5 },
            }),
            (2, 3.0),
        ),
        (json!({ "rank_pattern": {}, "alpha_pattern": {} }), (RANK, ALPHA)),
    ] {
        let module = "model.layers.1.self_attn.q_proj";
        merges_as(&settings, &[(module, expected.0, expected.1)])?;
        let mut stabilised = settings.clone();
        stabilised["use_rslora"] = json!(true);
        let alpha = expected.1 * (expected.0 as f64).sqrt();
        merges_as(&stabilised, &[(module, expected.0, alpha)])?;
    }
    Ok(())
}

#[test]
fn modules_are_chosen_by_pefts_rules() -> Result<()> {
    let q = ["model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.q_proj"];
    let (v, up) = ("model.layers.0.self_attn.v_proj", "model.layers.1.mlp.up_proj");
    for (settings, chosen) in [
        (json!({ "target_modules": ["q_proj", "q_proj"] }), &q[..]),
        (json!({ "target_modules": null }), &[q[0], v]),
        (json!({ "target_modules": "all-linear" }), &[q[0], up]),
        (json!({ "target_modules": "All-Linear", "exclude_modules": ["v_proj"] }), &[q[1], up]),
        (json!({ "target_modules": r".*\.(q|v)_proj" }), &[q[0], v]),
        (json!({ "target_modules": r"model\.layers\.\d+\.(?!mlp).*q_proj" }), &q),
        // What Unsloth writes.
        (json!({ "target_modules": UNSLOTH }), &[q[0], up]),
        (json!({ "target_modules": [q[1]] }), &q[1..]),
        (json!({ "layers_to_transform": [1] }), &q[1..]),
        (json!({ "layers_to_transform": 1 }), &q[1..]),
        (json!({ "layers_to_transform": [0, 1], "layers_pattern": "layers" }), &q),
        (json!({ "layers_to_transform": [1], "layers_pattern": ["h", "layers"] }), &q[1..]),
        (json!({ "layers_to_transform": [1], "layers_pattern": [] }), &q[1..]),
        (json!({ "layers_to_transform": [1], "target_modules": [q[0], "q_proj"] }), &q),
        (json!({ "exclude_modules": [q[0]] }), &q[1..]),
        (json!({ "exclude_modules": r".*\.0\..*" }), &q[1..]),
        (json!({ "exclude_modules": ["proj"] }), &q),
    ] {
        let chosen: Vec<_> = chosen.iter().map(|module| (*module, RANK, ALPHA)).collect();
        merges_as(&settings, &chosen)?;
    }
    Ok(())
}

#[test]
fn a_module_that_the_config_leaves_out_has_no_tensors() -> Result<()> {
    let q = "model.layers.0.self_attn.q_proj";
    for settings in [
        json!({ "target_modules": ["v_proj"] }),
        json!({ "target_modules": r".*\.1\..*" }),
        json!({ "target_modules": "proj" }),
        json!({ "layers_to_transform": [1] }),
        json!({ "layers_to_transform": [0], "layers_pattern": "h" }),
        json!({ "exclude_modules": ["q_proj"] }),
    ] {
        let error = refused(&settings, &[(q, RANK)], "")?;
        assert!(error.contains(q) && error.contains("without a part"), "{settings}: {error}");
    }
    Ok(())
}

#[test]
fn empty_lists_and_notes_of_programs_change_nothing() -> Result<()> {
    let settings = json!({
        "modules_to_save": [], "layers_to_transform": [], "exclude_modules": [],
        "target_parameters": [], "trainable_token_indices": [], "layer_replication": [],
        "alora_invocation_tokens": [], "loftq_config": {}, "layers_pattern": [],
        "init_lora_weights": "gaussian", "eva_config": null, "megatron_core": "megatron.core",
        "peft_version": "0.21.2", "qalora_group_size": 16, "use_qalora": false, "revision": null,
        "auto_mapping": { "base_model_class": "LlamaForCausalLM", "unsloth_fixed": true },
        "task_type": "CAUSAL_LM", "inference_mode": true, "fan_in_fan_out": true,
        "lora_dtype": "float32", "corda_config": null, "lora_bias": false, "bias": "none",
    });
    merges_as(&settings, &[("model.layers.0.self_attn.q_proj", RANK, ALPHA)])
}

#[test]
fn settings_that_mean_something_else_are_refused_by_name() -> Result<()> {
    for (key, value) in [
        ("init_lora_weights", json!("pissa")),
        ("init_lora_weights", json!("pissa_niter_16")),
        ("init_lora_weights", json!("olora")),
        ("init_lora_weights", json!("OLoRA")),
        ("init_lora_weights", json!("corda")),
        ("init_lora_weights", json!("loftq")),
        ("init_lora_weights", json!("lora_ga")),
        ("init_lora_weights", json!("unheard of")),
        ("bias", json!("all")),
        ("bias", json!("lora_only")),
        ("lora_bias", json!(true)),
        ("modules_to_save", json!(["lm_head"])),
        ("trainable_token_indices", json!([1, 2])),
        ("target_parameters", json!(["mlp.experts.gate_up_proj"])),
        ("layer_replication", json!([[0, 2], [1, 2]])),
        ("alora_invocation_tokens", json!([5, 6])),
        ("use_qalora", json!(true)),
        ("use_bdlora", json!({ "nblocks": 2 })),
        ("kasa_config", json!({ "beta": 0.1 })),
        ("velora_config", json!({ "scale": 1.0 })),
        ("arrow_config", json!({ "top_k": 3 })),
        ("monteclora_config", json!({ "samples": 3 })),
        ("megatron_config", json!({ "tensor_model_parallel_size": 2 })),
        ("peft_type", json!("LOHA")),
        ("use_dora", json!("yes")),
        ("r", json!(0)),
        ("rank_pattern", json!({ "q_proj": "two" })),
        ("rank_pattern", json!({ "(": 2 })),
        ("layers_to_transform", json!(["one"])),
        ("target_modules", json!("(unclosed")),
        ("target_modules", json!([1])),
        // A key of a PEFT that is not there yet.
        ("use_nextlora", json!(true)),
        ("scaling_schedule", json!("cosine")),
    ] {
        let error =
            refused(&json!({ key: value }), &[("model.layers.0.self_attn.q_proj", RANK)], "")?;
        let named = error.contains(key) || error.contains("is no pattern");
        assert!(named && error.contains("adapter_config.json"), "{key} {value}: {error}");
    }
    Ok(())
}

#[test]
fn names_of_a_raw_state_are_understood() -> Result<()> {
    let (folder, module) = (tempfile::tempdir()?, "model.layers.1.self_attn.q_proj");
    let expected = merged_by_hand(&[(module, RANK, ALPHA)])?;
    for (prefix, adapter) in [(PREFIX, ".default"), ("", ""), ("", ".default")] {
        let tensors = halves(&[(module, RANK)], prefix, adapter)?;
        write(folder.path(), &json!({}), &tensors)?;
        equal(&merged(folder.path())?, &expected)?;
    }
    // Both at once, or of an adapter of another name, which PEFT would leave out.
    let mut twice = halves(&[(module, RANK)], PREFIX, "")?;
    twice.extend(halves(&[(module, RANK)], PREFIX, ".default")?);
    write(folder.path(), &json!({}), &twice)?;
    assert!(error_of(folder.path()).contains("twice"), "{}", error_of(folder.path()));
    write(folder.path(), &json!({}), &halves(&[(module, RANK)], PREFIX, ".other")?)?;
    assert!(error_of(folder.path()).contains(".other"), "{}", error_of(folder.path()));
    Ok(())
}

#[test]
fn weights_of_the_model_in_an_adapters_file_must_be_the_models_own() -> Result<()> {
    let (folder, module) = (tempfile::tempdir()?, "model.layers.1.self_attn.q_proj");
    let model = grouped(true)?;
    let weights = model.weights();
    let table = &weights[0].value;
    for name in
        ["model.embed_tokens.weight", "lm_head.weight", "model.embed_tokens.base_layer.weight"]
    {
        let mut tensors = halves(&[(module, RANK)], PREFIX, "")?;
        tensors.insert(format!("{PREFIX}{name}"), table.clone());
        write(folder.path(), &json!({}), &tensors)?;
        merged(folder.path())?;
        tensors.insert(format!("{PREFIX}{name}"), (table * 1.5)?);
        write(folder.path(), &json!({}), &tensors)?;
        let error = error_of(folder.path());
        assert!(error.contains("another one than the model's own"), "{name}: {error}");
    }
    Ok(())
}

#[test]
fn what_was_read_is_written_so_that_it_is_read_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let chosen =
        [("model.layers.0.self_attn.q_proj", 2, 32.0), ("model.layers.1.mlp.up_proj", RANK, ALPHA)];
    let settings = json!({
        "target_modules": "all-linear",
        "rank_pattern": { "q_proj": 2 }, "alpha_pattern": { "q_proj": 32 },
    });
    let ranks: Vec<_> = chosen.iter().map(|(module, rank, _)| (*module, *rank)).collect();
    write(folder.path(), &settings, &halves(&ranks, PREFIX, "")?)?;
    let mut model = grouped(true)?;
    let lora = lora::load(&mut model, folder.path())?;
    let again = tempfile::tempdir()?;
    lora::save(&model, &lora, "model", again.path())?;
    equal(&merged(again.path())?, &merged_by_hand(&chosen)?)
}

/// Holds the merged weights against W + alpha / rank · B·A of those modules.
fn merges_as(settings: &Value, chosen: &[(&str, usize, f64)]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let ranks: Vec<_> = chosen.iter().map(|(module, rank, _)| (*module, *rank)).collect();
    write(folder.path(), settings, &halves(&ranks, PREFIX, "")?)?;
    let merged = merged(folder.path()).map_err(|error| error.context(settings.to_string()))?;
    equal(&merged, &merged_by_hand(chosen)?).map_err(|error| error.context(settings.to_string()))
}

fn refused(settings: &Value, ranks: &[(&str, usize)], adapter: &str) -> Result<String> {
    let folder = tempfile::tempdir()?;
    write(folder.path(), settings, &halves(ranks, PREFIX, adapter)?)?;
    Ok(error_of(folder.path()))
}

fn error_of(folder: &Path) -> String {
    format!("{:#}", merged(folder).map(|_| ()).expect_err("an adapter that means something else"))
}

fn merged(folder: &Path) -> Result<Model> {
    let mut model = grouped(true)?;
    lora::load(&mut model, folder)?;
    lora::merged(&model)
}

fn equal(found: &Model, expected: &HashMap<String, Tensor>) -> Result<()> {
    for parameter in found.weights() {
        let off = distance(&parameter.value, &expected[&parameter.name])?;
        anyhow::ensure!(off < 1e-5, "{} is off by {off}", parameter.name);
    }
    Ok(())
}

fn merged_by_hand(chosen: &[(&str, usize, f64)]) -> Result<HashMap<String, Tensor>> {
    let mut all = HashMap::new();
    for parameter in grouped(true)?.weights() {
        let module = parameter.name.trim_end_matches(".weight");
        let value = match chosen.iter().find(|(chosen, ..)| *chosen == module) {
            Some((_, rank, alpha)) => {
                let [a, b] = pair(module, *rank)?;
                (&parameter.value + (b.matmul(&a)? * (alpha / *rank as f64))?)?
            }
            None => parameter.value.clone(),
        };
        all.insert(parameter.name.clone(), value);
    }
    Ok(all)
}

/// A and B of those modules, under the names that a file has them by.
fn halves(ranks: &[(&str, usize)], prefix: &str, adapter: &str) -> Result<HashMap<String, Tensor>> {
    let mut tensors = HashMap::new();
    for (module, rank) in ranks {
        for (half, value) in ["A", "B"].into_iter().zip(pair(module, *rank)?) {
            tensors.insert(format!("{prefix}{module}.lora_{half}{adapter}.weight"), value);
        }
    }
    Ok(tensors)
}

fn pair(module: &str, rank: usize) -> Result<[Tensor; 2]> {
    let model = grouped(true)?;
    let weights = model.weights();
    let weight = weights.iter().find(|weight| weight.name == format!("{module}.weight"));
    let (output, input) = weight.expect("a module of the model").value.dims2()?;
    let noise = |name: &str, shape: (usize, usize)| {
        Tensor::from_vec(reference::noise(name, shape.0 * shape.1), shape, &Device::Cpu)
    };
    Ok([noise("a", (rank, input))?, noise("b", (output, rank))?])
}

fn write(folder: &Path, settings: &Value, tensors: &HashMap<String, Tensor>) -> Result<()> {
    let mut config: Map<String, Value> = Map::new();
    config.insert("peft_type".into(), json!("LORA"));
    config.insert("r".into(), json!(RANK));
    config.insert("lora_alpha".into(), json!(ALPHA));
    config.insert("target_modules".into(), json!(["q_proj"]));
    config.extend(settings.as_object().expect("an object").clone());
    fs::write(folder.join("adapter_config.json"), Value::Object(config).to_string())?;
    Ok(candle_core::safetensors::save(tensors, folder.join("adapter_model.safetensors"))?)
}
