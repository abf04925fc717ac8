//! GGUF files in and out: the weights and their order, the config, the command.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor};
use cookc::model::gguf::{self, Kind};
use cookc::model::{Config, Model, Tokenizer, io, lora, weights};
use serde_json::json;

use super::gguf_tokenizer::{byte_level, write_tokenizer};
use super::{distance, reference, row};

#[test]
fn an_exported_model_is_read_back_with_the_same_logits() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let tokenizer = byte_level(folder.path())?;
    let inputs = row(&[5, 17, 3, 80, 41]);
    for (tied, window) in [(true, None), (false, Some(16))] {
        let model = model(tied, window)?;
        let logits = model.logits(&inputs)?;
        for (kind, tolerance) in
            [(Kind::F32, 0.0), (Kind::F16, 0.05), (Kind::Bf16, 0.3), (Kind::Q8_0, 0.3)]
        {
            let path = folder.path().join("out.gguf");
            gguf::save(&model, &tokenizer, &path, kind, &mut |_| Ok(()))?;
            let again = io::load(&path, DType::F32, &Device::Cpu)?;
            let off = distance(&logits, &again.logits(&inputs)?)?;
            assert!(off <= tolerance, "{kind:?}: off by {off}");
            assert_eq!(again.config.tokens_max(), model.config.tokens_max());
            assert_eq!(again.config.model_type, model.config.model_type);
            assert_eq!(again.config.rms_norm_eps, 1e-5);
            assert_eq!(io::load_config(&path)?, again.config);
        }
    }
    Ok(())
}

#[test]
fn every_family_comes_back_with_the_same_logits() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let parts = json!({ "pre_tokenizer": {
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
    }});
    let vocab = ["<s>", "</s>", "<|user|>", "a"].map(String::from);
    let tokenizer = write_tokenizer(folder.path(), parts, &vocab, json!({ "merges": [] }))?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/families");
    for name in ["mistral", "qwen2", "qwen3", "llama3", "llama-linear"] {
        let mut model = io::load(&root.join(name), DType::F32, &Device::Cpu)?;
        let path = folder.path().join(format!("{name}.gguf"));
        let save = |model: &Model| gguf::save(model, &tokenizer, &path, Kind::F32, &mut |_| Ok(()));
        if name == "qwen2" {
            let error = save(&model).expect_err("a window").to_string();
            assert!(error.contains("`use_sliding_window` is set"), "{error}");
            // The same weights without a window.
            io::save(&model, folder.path())?;
            model.config.other.insert("use_sliding_window".into(), json!(false));
            model.config.other.shift_remove("layer_types");
            fs::write(folder.path().join("config.json"), model.config.to_json()?)?;
            model = io::load(folder.path(), DType::F32, &Device::Cpu)?;
        }
        save(&model)?;
        let again = io::load(&path, DType::F32, &Device::Cpu)?;
        assert_eq!(again.config.rope_scaling, model.config.rope_scaling, "{name}");
        let inputs = row(&[1, 40, 7, 19, 3, 63, 8, 8, 21, 5]);
        assert_eq!(distance(&model.logits(&inputs)?, &again.logits(&inputs)?)?, 0.0, "{name}");
    }
    Ok(())
}

#[test]
fn an_exported_adapter_is_folded_in() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let tokenizer = byte_level(folder.path())?;
    let (plain, mut model) = (model(true, None)?, model(true, None)?);
    lora::attach(&mut model, &lora::Lora::all_linear(2, 4.0), 1)?;
    for parameter in model.trainable_mut() {
        let values = reference::noise(&parameter.name[40..], parameter.value.elem_count());
        let values = Tensor::from_vec(values, parameter.value.shape(), &Device::Cpu)?;
        parameter.value = (values * 0.1)?;
    }
    let path = folder.path().join("out.gguf");
    gguf::save(&model, &tokenizer, &path, Kind::F32, &mut |_| Ok(()))?;
    let again = io::load(&path, DType::F32, &Device::Cpu)?;
    let inputs = row(&[5, 17, 3, 80, 41]);
    let logits = again.logits(&inputs)?;
    assert!(distance(&model.logits(&inputs)?, &logits)? < 1e-4);
    assert!(distance(&plain.logits(&inputs)?, &logits)? > 1e-2, "the adapter does something");
    Ok(())
}

#[test]
fn a_file_has_the_names_the_order_and_the_types_that_llama_cpp_reads() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let tokenizer = byte_level(folder.path())?;
    let model = model(false, None)?;
    let path = folder.path().join("out.gguf");
    gguf::save(&model, &tokenizer, &path, Kind::Q8_0, &mut |_| Ok(()))?;
    // candle's reader is not ours.
    let mut file = fs::File::open(&path)?;
    let content = gguf_file::Content::read(&mut file)?;
    for (key, value) in [
        ("general.architecture", "llama"),
        ("tokenizer.ggml.model", "gpt2"),
        ("tokenizer.ggml.pre", "smollm"),
        ("tokenizer.chat_template", "{{ messages }}"),
    ] {
        assert_eq!(content.metadata[key].to_string()?, value, "{key}");
    }
    for (key, value) in [
        ("llama.context_length", 2048),
        ("llama.embedding_length", 64),
        ("llama.block_count", 2),
        ("llama.feed_forward_length", 96),
        ("llama.attention.head_count", 4),
        ("llama.attention.head_count_kv", 2),
        ("llama.rope.dimension_count", 16),
        ("llama.vocab_size", 320),
        ("general.file_type", 7),
        ("tokenizer.ggml.bos_token_id", 0),
        ("tokenizer.ggml.eos_token_id", 1),
    ] {
        assert_eq!(content.metadata[key].to_u32()?, value, "{key}");
    }
    assert_eq!(content.metadata["llama.rope.freq_base"].to_f32()?, 10_000.0);
    assert_eq!(content.metadata["tokenizer.ggml.tokens"].to_vec()?.len(), 320);
    let tensor = |file: &mut fs::File, name: &str| -> Result<(GgmlDType, Tensor)> {
        let tensor = content.tensor(file, name, &Device::Cpu)?;
        Ok((tensor.dtype(), tensor.dequantize(&Device::Cpu)?))
    };
    let ours = |name: &str| -> Tensor {
        let all = model.parameters();
        let found = all.iter().find(|p| p.name == name).expect("it is there");
        found.value.clone()
    };
    let (kind, norm) = tensor(&mut file, "blk.1.ffn_norm.weight")?;
    assert_eq!(kind, GgmlDType::F32);
    let expected = ours("model.layers.1.post_attention_layernorm.weight");
    assert_eq!(distance(&norm, &expected)?, 0.0);
    let (kind, value) = tensor(&mut file, "blk.0.attn_v.weight")?;
    assert_eq!(kind, GgmlDType::Q8_0);
    assert!(distance(&value, &ours("model.layers.0.self_attn.v_proj.weight"))? < 0.01);
    // Row 2i of a head is row i of its first half, row 2i + 1 is row i of its second.
    let (_, query) = tensor(&mut file, "blk.0.attn_q.weight")?;
    let halves = ours("model.layers.0.self_attn.q_proj.weight");
    for (there, here) in [(0, 0), (1, 8), (2, 1), (3, 9), (15, 15), (16, 16), (17, 24)] {
        assert!(distance(&query.get(there)?, &halves.get(here)?)? < 0.01, "row {there}");
    }
    assert!(content.tensor_infos.contains_key("output.weight"));
    Ok(())
}

#[test]
fn every_type_of_block_is_read() -> Result<()> {
    use GgmlDType::*;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("in.gguf");
    for kind in [F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2K, Q3K, Q4K, Q5K, Q6K] {
        let mut content = content(256, 256);
        let mut expected = HashMap::new();
        for (name, tensor) in &mut content.tensors {
            if tensor.rank() == 2 {
                *tensor = QTensor::quantize(&tensor.dequantize(&Device::Cpu)?, kind)?;
            }
            expected.insert(name.clone(), tensor.dequantize(&Device::Cpu)?);
        }
        content.write(&path)?;
        let model = io::load(&path, DType::F32, &Device::Cpu)?;
        for (ours, theirs) in [
            ("model.embed_tokens.weight", "token_embd.weight"),
            ("model.layers.0.mlp.down_proj.weight", "blk.0.ffn_down.weight"),
            ("model.layers.0.self_attn.v_proj.weight", "blk.0.attn_v.weight"),
            ("model.norm.weight", "output_norm.weight"),
        ] {
            let all = model.parameters();
            let found = all.iter().find(|p| p.name == ours).expect("it is there");
            assert_eq!(distance(&found.value, &expected[theirs])?, 0.0, "{kind:?} {ours}");
        }
    }
    Ok(())
}

#[test]
fn a_file_that_would_be_computed_wrongly_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("in.gguf");
    let refused = |change: &dyn Fn(&mut Content), message: &str| -> Result<()> {
        let mut content = content(32, 32);
        change(&mut content);
        content.write(&path)?;
        let error = io::load(&path, DType::F32, &Device::Cpu).map(|_| ()).expect_err(message);
        let error = format!("{error:#}");
        assert!(error.contains(message) && error.contains("in.gguf"), "`{error}`: no `{message}`");
        Ok(())
    };
    let whole = |key: &'static str, value: u32| {
        move |content: &mut Content| content.set(key, Value::U32(value))
    };
    let gone = |content: &mut Content| content.set("general.architecture", text("gemma"));
    refused(&gone, "architecture `gemma` is not supported; these are: llama, qwen2, qwen3")?;
    refused(&|c| c.drop("llama.block_count"), "`llama.block_count` is missing")?;
    refused(&whole("llama.expert_count", 8), "`llama.expert_count` is 8")?;
    refused(&whole("llama.rope.dimension_count", 4), "`llama.rope.dimension_count`")?;
    refused(&whole("llama.attention.head_count_kv", 3), "no multiple")?;
    refused(&whole("llama.feed_forward_length", 64), "expected [64, 32]")?;
    refused(&|c| c.set("llama.context_length", text("long")), "is no integer")?;
    let stretched = |content: &mut Content| {
        content.set("llama.rope.scaling.type", text("yarn"));
        content.set("llama.rope.scaling.factor", Value::F32(2.0));
    };
    refused(&stretched, "rope_type `yarn` is not supported")?;
    refused(&|c| c.remove("blk.0.ffn_up.weight"), "tensor `blk.0.ffn_up.weight` is missing")?;
    refused(&|c| c.add("blk.0.ffn_moe.weight", &[32, 32]), "no place for tensor")?;
    refused(&|c| c.add("rope_freqs.weight", &[8]), "stretches the rotary positions")?;
    let broken = |content: &mut Content| {
        let norm = Tensor::full(f32::NAN, 32, &Device::Cpu).expect("a tensor");
        let norm = QTensor::quantize(&norm, GgmlDType::F32).expect("it is kept as it is");
        content.remove("output_norm.weight");
        content.tensors.push(("output_norm.weight".into(), norm));
    };
    refused(&broken, "values that are no numbers")
}

#[test]
fn weights_that_f16_cannot_hold_are_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let tokenizer = byte_level(folder.path())?;
    let mut model = model(true, None)?;
    let embedding = &mut model.trainable_mut()[0].value;
    *embedding = (&*embedding * 1e6)?;
    let path = folder.path().join("out.gguf");
    let save = |kind| gguf::save(&model, &tokenizer, &path, kind, &mut |_| Ok(()));
    let error = format!("{:#}", save(Kind::F16).expect_err("large numbers"));
    assert!(error.contains("`token_embd.weight`: it has"), "{error}");
    assert!(error.contains("which f16 cannot hold; bf16 can"), "{error}");
    save(Kind::Bf16)?;
    save(Kind::Q8_0)?;
    let embedding = &mut model.trainable_mut()[0].value;
    *embedding = (&*embedding * 1e3)?;
    let save = |kind| gguf::save(&model, &tokenizer, &path, kind, &mut |_| Ok(()));
    let error = format!("{:#}", save(Kind::Q8_0).expect_err("larger numbers"));
    assert!(error.contains("which q8_0 cannot hold; bf16 can"), "{error}");
    save(Kind::Bf16)
}

#[test]
fn a_recipe_trains_a_gguf_file_and_the_command_folds_the_adapter_in() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cookc = |arguments: &[&str]| -> Result<(Option<i32>, String)> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
        let done = command.current_dir(folder.path()).args(arguments).output()?;
        Ok((done.status.code(), String::from_utf8(done.stderr)?))
    };
    let base = folder.path().join("base.gguf");
    let tokenizer = byte_level(folder.path())?;
    gguf::save(&model(true, None)?, &tokenizer, &base, Kind::F16, &mut |_| Ok(()))?;
    let template = "words_ ~ distinct(2, vocab)\nsaid = words_\nprompt \"Say {words_} :\"\n\
                    rule same: said == words_\nreply \"{said}\"\n";
    fs::write(folder.path().join("say.cook"), template)?;
    let recipe = "[model]\nbase = \"base.gguf\"\n[[template]]\nfile = \"say.cook\"\n\
                  [data]\nvocab = 16\n[lora]\nrank = 2\n[train]\nsteps = 3\nbatch = 2\n\
                  [eval]\nsamples = 2\n";
    fs::write(folder.path().join("first.toml"), recipe)?;
    let (code, said) = cookc(&["run", "--train", "first.toml", "--out", "run"])?;
    assert_eq!(code, Some(0), "{said}");
    let export = ["export", "base.gguf", "--adapter", "run/adapter", "--gguf"];
    let (code, said) = cookc(&[&export[..], &["out.gguf", "--kind", "f32"]].concat())?;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("MB") && said.contains("out.gguf"), "{said}");
    let mut adapted = io::load(&base, DType::F32, &Device::Cpu)?;
    lora::load(&mut adapted, &folder.path().join("run/adapter"))?;
    let out = io::load(&folder.path().join("out.gguf"), DType::F32, &Device::Cpu)?;
    let inputs = row(&[5, 17, 3, 80, 41]);
    assert!(distance(&adapted.logits(&inputs)?, &out.logits(&inputs)?)? < 1e-4);

    let merge = ["merge", "base.gguf", "--adapter", "run/adapter", "--out", "merged"];
    let (code, said) = cookc(&merge)?;
    assert_eq!(code, Some(0), "{said}");
    let merged = folder.path().join("merged");
    let found = io::load(&merged, DType::F32, &Device::Cpu)?.logits(&inputs)?;
    assert!(distance(&adapted.logits(&inputs)?, &found)? < 1e-4);
    assert_eq!(Tokenizer::load(&merged)?.vocab_size(), Tokenizer::load(&base)?.vocab_size());
    let (code, said) = cookc(&merge)?;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("merged has files in it: choose another folder"), "{said}");
    let (code, said) = cookc(&[&merge[..5], &["half", "--dtype", "bf16"]].concat())?;
    assert_eq!(code, Some(0), "{said}");
    let half = io::load(&folder.path().join("half"), DType::BF16, &Device::Cpu)?;
    assert_eq!(half.config.other["dtype"], "bfloat16");

    for (arguments, code, message) in [
        (["export", "base.gguf", "--gguf", "out"], 2, "must end in .gguf: out.gguf"),
        (["export", "none.gguf", "--gguf", "new.gguf"], 1, "cannot read none.gguf"),
        (
            ["export", "say.cook", "--gguf", "new.gguf"],
            1,
            "say.cook is no model: expected a folder with",
        ),
        (["export", "base.gguf", "--gguf", "/proc/no/new.gguf"], 3, "cannot write"),
    ] {
        let (found, said) = cookc(&arguments)?;
        assert_eq!(found, Some(code), "{said}");
        assert!(said.contains(message), "{said}");
        assert!(!folder.path().join("new.gguf").exists());
    }
    Ok(())
}

/// A model whose query heads share key heads, of 320 ids.
pub fn model(tied: bool, window: Option<u64>) -> Result<Model> {
    let mut config = Config::small(320, 64, 96, 2, 4);
    config.num_key_value_heads = 2;
    config.tie_word_embeddings = tied;
    if let Some(window) = window {
        config.model_type = "mistral".into();
        config.other.insert("sliding_window".into(), json!(window));
    }
    weights::fresh(&config, 1, 0.2, &Device::Cpu)
}

/// A file's contents, to be written by candle.
pub struct Content {
    pub metadata: Vec<(String, Value)>,
    pub tensors: Vec<(String, QTensor)>,
}

impl Content {
    pub fn set(&mut self, key: &str, value: Value) {
        self.drop(key);
        self.metadata.push((key.into(), value));
    }

    pub fn drop(&mut self, key: &str) {
        self.metadata.retain(|(other, _)| other != key);
    }

    pub fn remove(&mut self, name: &str) {
        self.tensors.retain(|(other, _)| other != name);
    }

    pub fn add(&mut self, name: &str, shape: &[usize]) {
        let values = reference::noise(name, shape.iter().product());
        let values = Tensor::from_vec(values, shape, &Device::Cpu).expect("a tensor");
        let values = QTensor::quantize(&values, GgmlDType::F32).expect("it is kept as it is");
        self.tensors.push((name.into(), values));
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let metadata: Vec<_> = self.metadata.iter().map(|(key, it)| (key.as_str(), it)).collect();
        let tensors: Vec<_> = self.tensors.iter().map(|(name, it)| (name.as_str(), it)).collect();
        Ok(gguf_file::write(&mut fs::File::create(path)?, &metadata, &tensors)?)
    }
}

/// One block of a Llama, without a tokenizer.
pub fn content(width: usize, vocab: usize) -> Content {
    let whole = |key: &str, value: usize| (format!("llama.{key}"), Value::U32(value as u32));
    let metadata = vec![
        ("general.architecture".into(), text("llama")),
        whole("context_length", 64),
        whole("embedding_length", width),
        whole("block_count", 1),
        whole("feed_forward_length", width),
        whole("attention.head_count", 2),
        ("llama.attention.layer_norm_rms_epsilon".into(), Value::F32(1e-5)),
    ];
    let mut content = Content { metadata, tensors: Vec::new() };
    for name in ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"] {
        content.add(&format!("blk.0.{name}.weight"), &[width, width]);
    }
    for name in ["blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"] {
        content.add(&format!("{name}.weight"), &[width]);
    }
    content.add("token_embd.weight", &[vocab, width]);
    content
}

pub fn text(text: &str) -> Value {
    Value::String(text.into())
}
