//! What a GGUF file's metadata says is computed as llama.cpp does, or refused by name.

use anyhow::Result;
use candle_core::quantized::gguf_file::Value;
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor};
use cookc::model::gguf::{self, Kind};
use cookc::model::rope::Scaling;
use cookc::model::{Config, Model, Tokenizer, io};

use super::gguf::{Content, content, text};
use super::gguf_tokenizer::byte_level;

#[test]
fn keys_that_ask_for_what_is_not_computed_are_refused_by_name() -> Result<()> {
    for (key, value) in [
        ("llama.expert_count", Value::U32(8)),
        ("llama.expert_used_count", Value::U32(2)),
        ("llama.attention.scale", Value::F32(0.01)),
        ("llama.attention.clamp_kqv", Value::F32(8.0)),
        ("llama.attention.max_alibi_bias", Value::F32(8.0)),
        ("llama.attention.causal", Value::Bool(false)),
        ("llama.attn_logit_softcapping", Value::F32(50.0)),
        ("llama.logit_scale", Value::F32(0.0625)),
        ("llama.embedding_scale", Value::F32(12.0)),
        ("llama.residual_scale", Value::F32(0.22)),
        ("llama.residual_scale", Value::F32(f32::NAN)),
        ("llama.use_parallel_residual", Value::Bool(true)),
        ("llama.nextn_predict_layers", Value::U32(1)),
        ("llama.rope.scaling.type", text("yarn")),
        ("llama.rope.scaling.type", text("longrope")),
        ("llama.rope.scaling.type", Value::U32(1)),
        ("llama.rope.scaling.attn_factor", Value::F32(1.2)),
        ("llama.rope.scaling.yarn_ext_factor", Value::F32(1.0)),
        ("llama.attention.head_count_kv", Value::Array(vec![Value::I32(1), Value::I32(2)])),
        ("llama.swin_norm", Value::Bool(true)),
        ("llama.a_key_of_tomorrow", Value::F32(2.0)),
        ("split.count", Value::U16(3)),
        ("general.type", text("adapter")),
    ] {
        let error = refused(&|content| content.set(key, value.clone()))?;
        assert!(error.contains(key), "{key}: {error}");
    }
    Ok(())
}

#[test]
fn keys_that_are_off_or_change_nothing_pass() -> Result<()> {
    read(&|content| {
        for (key, value) in [
            ("general.type", text("model")),
            ("general.quantization_version", Value::U32(2)),
            ("quantize.imatrix.file", text("imatrix.dat")),
            ("split.count", Value::U16(0)),
            ("llama.vocab_size", Value::U32(32)),
            ("llama.tensor_data_layout", text("Meta AI original pth")),
            ("llama.expert_count", Value::U32(0)),
            ("llama.logit_scale", Value::F32(0.0)),
            ("llama.embedding_scale", Value::F32(0.0)),
            ("llama.residual_scale", Value::F32(1.0)),
            ("llama.attention.causal", Value::Bool(true)),
            ("llama.rope.scaling.finetuned", Value::Bool(true)),
            ("llama.rope.scaling.type", text("none")),
            ("llama.rope.scaling.factor", Value::F32(4.0)),
            ("llama.attention.head_count_kv", Value::Array(vec![Value::I32(2), Value::I32(2)])),
            ("gemma2.attn_logit_softcapping", Value::F32(50.0)),
        ] {
            content.set(key, value);
        }
        content.add("blk.0.attn_rot_embd.weight", &[8]);
    })?;
    Ok(())
}

#[test]
fn the_first_key_for_stretched_positions_is_read_too() -> Result<()> {
    let scaling = |keys: &[(&str, f32)]| -> Result<Scaling> {
        let model = read(&|content| {
            for (key, value) in keys {
                content.set(&format!("llama.rope.{key}"), Value::F32(*value));
            }
        })?;
        Ok(model.config.rope_scaling)
    };
    assert_eq!(scaling(&[("scale_linear", 2.0)])?, Scaling::Linear { factor: 2.0 });
    assert_eq!(scaling(&[("scale_linear", 1.0)])?, Scaling::Default);
    assert_eq!(scaling(&[("scaling.factor", 0.0)])?, Scaling::Default);
    // The newer key counts.
    let both = [("scale_linear", 2.0), ("scaling.factor", 4.0)];
    assert_eq!(scaling(&both)?, Scaling::Linear { factor: 4.0 });
    Ok(())
}

#[test]
fn factors_of_the_rotary_frequencies_count_as_in_llama_cpp() -> Result<()> {
    for (factor, low, high, length) in
        [(8.0, 1.0, 4.0, 8192), (32.0, 1.0, 4.0, 8192), (4.0, 0.5, 6.0, 512), (8.0, 1.0, 4.0, 64)]
    {
        let scaling = Scaling::Llama3 {
            factor,
            low_freq_factor: low,
            high_freq_factor: high,
            original_max_position_embeddings: length,
        };
        let found = read(&|content| content.stretch(&factors(&scaling)))?;
        for (found, expected) in
            frequencies(&found.config.rope_scaling).into_iter().zip(frequencies(&scaling))
        {
            assert!(
                (found / expected - 1.0).abs() < 1e-4,
                "{scaling:?}: {found} is not {expected}"
            );
        }
    }
    // Factors that no Llama 3 has, and their way into a config.json and into another file.
    let factors = [1.0, 3.0, 2.0, 5.0, 1.0, 1.0, 7.0, 0.5];
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("out.gguf");
    let mut content = content(32, 320);
    content.stretch(&factors);
    content.write(&path)?;
    let model = io::load(&path, DType::F32, &Device::Cpu)?;
    let plain = frequencies(&Scaling::Default);
    for ((found, plain), factor) in
        frequencies(&model.config.rope_scaling).into_iter().zip(plain).zip(factors)
    {
        assert!((found * f64::from(factor) / plain - 1.0).abs() < 1e-6, "{found}");
    }
    let again = Config::from_json(&model.config.to_json()?)?;
    assert_eq!(again.rope_scaling, model.config.rope_scaling);
    gguf::save(&model, &byte_level(folder.path())?, &path, Kind::F32, &mut |_| Ok(()))?;
    assert_eq!(io::load_config(&path)?.rope_scaling, model.config.rope_scaling);
    for strange in [&[1.0, 2.0, 4.0][..], &[1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 8.0]] {
        let strange = refused(&|content| content.stretch(strange))?;
        assert!(strange.contains("rope_freqs.weight"), "{strange}");
    }
    let twice = refused(&|content| {
        content.set("llama.rope.scaling.factor", Value::F32(2.0));
        content.stretch(&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 8.0]);
    })?;
    assert!(twice.contains("rope"), "{twice}");
    Ok(())
}

#[test]
fn a_window_that_is_as_wide_as_the_longest_text_is_none() -> Result<()> {
    let window = |window: u32| {
        read(&|content| content.set("llama.attention.sliding_window", Value::U32(window)))
    };
    assert_eq!(window(16)?.config.window(0), Some(16));
    assert_eq!(window(64)?.config.window(0), None);
    assert_eq!(window(0)?.config.window(0), None);
    Ok(())
}

#[test]
fn minus_one_says_that_there_is_no_such_token() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("in.gguf");
    for none in [Value::I32(-1), Value::U32(u32::MAX), Value::I64(-1), Value::U64(u64::MAX)] {
        let mut content = content(32, 32);
        let tokens = ["a", "b", "ab", "</s>"].map(text).to_vec();
        content.set("tokenizer.ggml.model", text("gpt2"));
        content.set("tokenizer.ggml.pre", text("gpt-2"));
        content.set("tokenizer.ggml.tokens", Value::Array(tokens));
        content.set("tokenizer.ggml.merges", Value::Array(vec![text("a b")]));
        content.set("tokenizer.ggml.eos_token_id", Value::U32(3));
        content.set("tokenizer.ggml.padding_token_id", none.clone());
        content.set("tokenizer.ggml.bos_token_id", none);
        content.write(&path)?;
        let tokenizer = Tokenizer::load(&path)?;
        assert_eq!((tokenizer.eos(), tokenizer.opening()), (3, &[][..]));
        // As in llama.cpp, one beyond the tokens is none, where no other would be taken instead.
        for name in ["padding", "unknown", "eot"] {
            content.set(&format!("tokenizer.ggml.{name}_token_id"), Value::U32(99));
            content.write(&path)?;
            assert_eq!(Tokenizer::load(&path)?.pad(), 3, "{name}");
        }
        for (name, right) in [("bos", 0), ("eos", 3)] {
            let key = format!("tokenizer.ggml.{name}_token_id");
            content.set(&key, Value::U32(99));
            content.write(&path)?;
            let error = format!("{:#}", Tokenizer::load(&path).map(|_| ()).expect_err("beyond"));
            assert!(error.contains(&format!("{name}_token_id` is 99")), "{error}");
            content.set(&key, Value::U32(right));
        }
        content.set("tokenizer.ggml.padding_token_id", Value::I32(-2));
        content.write(&path)?;
        let error = format!("{:#}", Tokenizer::load(&path).map(|_| ()).expect_err("below"));
        assert!(error.contains("padding_token_id"), "{error}");
    }
    Ok(())
}

impl Content {
    fn stretch(&mut self, factors: &[f32]) {
        let factors = Tensor::new(factors, &Device::Cpu).expect("a tensor");
        let factors = QTensor::quantize(&factors, GgmlDType::F32).expect("it is kept as it is");
        self.tensors.push(("rope_freqs.weight".into(), factors));
    }
}

fn frequencies(scaling: &Scaling) -> Vec<f64> {
    scaling.frequencies(16, 10_000.0)
}

fn factors(scaling: &Scaling) -> Vec<f32> {
    let plain = frequencies(&Scaling::Default).into_iter();
    plain.zip(frequencies(scaling)).map(|(plain, slowed)| (plain / slowed) as f32).collect()
}

fn read(change: &dyn Fn(&mut Content)) -> Result<Model> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("in.gguf");
    let mut content = content(32, 32);
    change(&mut content);
    content.write(&path)?;
    io::load(&path, DType::F32, &Device::Cpu)
}

fn refused(change: &dyn Fn(&mut Content)) -> Result<String> {
    let error = read(change).map(|_| ()).expect_err("a file that asks for something else");
    Ok(format!("{error:#}"))
}
