//! Weights, adapters, configs and tokenizers in and out, and what is said of broken ones.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use cookc::model::{Config, Model, Tokenizer, io, lora, weights};
use cookc::train::{Others, Saved, Trainer};
use serde_json::{Value, json};

use super::{data, distance, grouped, quick, row, tensors, tiny};

#[test]
fn a_saved_model_is_read_back_as_it_was() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for tied in [true, false] {
        let model = grouped(tied)?;
        io::save(&model, folder.path())?;
        let again = io::load(folder.path(), DType::F32, &Device::Cpu)?;
        assert_eq!(model.config.num_key_value_heads, again.config.num_key_value_heads);
        let inputs = row(&[1, 2, 3]);
        assert_eq!(distance(&model.logits(&inputs)?, &again.logits(&inputs)?)?, 0.0);
    }
    Ok(())
}

#[test]
fn a_saved_adapter_is_read_back_as_it_was() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut model = tiny()?;
    let lora = lora::load(&mut model, &data("adapter"))?;
    lora::save(&model, &lora, "model", folder.path())?;
    let mut again = tiny()?;
    let lora_again = lora::load(&mut again, folder.path())?;
    assert_eq!((lora.rank, lora.alpha), (lora_again.rank, lora_again.alpha));
    let inputs = row(&[1, 2, 3]);
    assert_eq!(distance(&model.logits(&inputs)?, &again.logits(&inputs)?)?, 0.0);
    Ok(())
}

#[test]
fn the_same_seed_gives_the_same_fresh_weights_and_another_gives_others() -> Result<()> {
    let config = Config::small(30, 16, 8, 1, 2);
    let weight = |seed| -> Result<Vec<f32>> {
        let model = weights::fresh(&config, seed, 0.1, &Device::Cpu)?;
        Ok(model.parameters()[0].value.flatten_all()?.to_vec1()?)
    };
    let (a, b, c) = (weight(1)?, weight(1)?, weight(2)?);
    assert_eq!(a, b);
    assert_ne!(a, c);
    let square: f32 = a.iter().map(|x| x * x).sum();
    assert!(((square / a.len() as f32).sqrt() - 0.1).abs() < 0.01);
    Ok(())
}

#[test]
fn broken_weights_are_refused_with_the_file_and_the_tensor() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::copy(data("model/config.json"), folder.path().join("config.json"))?;
    let path = folder.path().join("model.safetensors");
    let name = "model.layers.1.mlp.up_proj.weight";

    let bytes = fs::read(data("model/model.safetensors"))?;
    fs::write(&path, &bytes[..bytes.len() - 10])?;
    expect_error(folder.path(), &["model.safetensors", "not a complete safetensors file"]);

    let mut all = tensors("model/model.safetensors")?;
    all.insert(name.into(), Tensor::zeros((48, 96), DType::F32, &Device::Cpu)?);
    write(&all, &path)?;
    expect_error(folder.path(), &[name, "[48, 96]", "[96, 48]"]);

    all.remove(name);
    write(&all, &path)?;
    expect_error(folder.path(), &[name, "is missing"]);

    fs::remove_file(&path)?;
    expect_error(folder.path(), &["model.safetensors", "cannot read"]);
    let index = folder.path().join("model.safetensors.index.json");
    fs::write(&index, format!("{{\"weight_map\": {{\"{name}\": \"model-2.safetensors\"}}}}"))?;
    expect_error(folder.path(), &["cannot read", "model-2.safetensors"]);
    fs::write(&index, "{\"weight_map\": {\"x\": \"../model.safetensors\"}}")?;
    expect_error(folder.path(), &["index.json", "is no file name"]);
    fs::write(&index, "[]")?;
    expect_error(folder.path(), &["index.json", "is not an index"]);
    Ok(())
}

#[test]
fn weights_that_are_no_numbers_are_refused_before_they_are_used() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::copy(data("model/config.json"), folder.path().join("config.json"))?;
    let path = folder.path().join("model.safetensors");
    let name = "model.layers.1.mlp.up_proj.weight";
    let all = tensors("model/model.safetensors")?;
    let with = |tensor: Tensor| -> Result<()> {
        let mut all = all.clone();
        all.insert(name.into(), tensor);
        write(&all, &path)
    };
    for strange in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for dtype in [DType::F32, DType::F16, DType::BF16] {
            let mut values = vec![1f32; 96 * 48];
            values[77] = strange;
            with(Tensor::from_vec(values, (96, 48), &Device::Cpu)?.to_dtype(dtype)?)?;
            expect_error(folder.path(), &["model.safetensors", name, "NaN or infinite"]);
        }
    }
    with(Tensor::zeros((96, 48), DType::I64, &Device::Cpu)?)?;
    expect_error(folder.path(), &["model.safetensors", name, "I64", "BF16"]);
    with(Tensor::zeros((96, 48), DType::F8E4M3, &Device::Cpu)?)?;
    expect_error(folder.path(), &["model.safetensors", name, "F8_E4M3"]);
    // The largest and the smallest numbers are numbers.
    let extremes = [f32::MAX, f32::MIN, f32::MIN_POSITIVE, 0.0, -0.0, 1e-45];
    let values: Vec<f32> = extremes.iter().copied().cycle().take(96 * 48).collect();
    with(Tensor::from_vec(values, (96, 48), &Device::Cpu)?)?;
    io::load(folder.path(), DType::F32, &Device::Cpu)?;
    Ok(())
}

#[test]
fn a_header_that_lies_is_refused_without_a_large_allocation() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::copy(data("model/config.json"), folder.path().join("config.json"))?;
    let path = folder.path().join("model.safetensors");
    let header = |text: &str, data: usize| {
        let length = (text.len() as u64).to_le_bytes();
        [&length[..], text.as_bytes(), &vec![0; data]].concat()
    };
    let entry = |offsets: &str| {
        format!("{{\"a\":{{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":{offsets}}}}}")
    };
    for bytes in [
        Vec::new(),
        vec![0; 7],
        u64::MAX.to_le_bytes().to_vec(),
        [&(1u64 << 40).to_le_bytes()[..], b"{}"].concat(),
        header("{", 0),
        header("[]", 0),
        header(&entry("[0,9]"), 9),
        header(&entry("[8,0]"), 8),
        header(&entry("[4,12]"), 12),
        header(&entry("[0,8]"), 7),
        header(&entry("[0,8]"), 9),
        header(&entry("[0,8]").replace("[2]", "[4611686018427387904,4]"), 8),
    ] {
        fs::write(&path, &bytes)?;
        expect_error(folder.path(), &["model.safetensors", "not a complete safetensors file"]);
    }
    Ok(())
}

#[test]
fn a_text_begins_as_the_tokenizers_file_says_and_ends_at_any_end_of_the_model() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("tokenizer.json");
    Tokenizer::words(&["a b".into()])?.save(folder.path())?;
    assert_eq!(Tokenizer::load(folder.path())?.opening(), [0u32; 0]);
    let mut file: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
    let piece = |name: &str| json!({ "SpecialToken": { "id": name, "type_id": 0 } });
    let text = json!({ "Sequence": { "id": "A", "type_id": 0 } });
    let pair = json!([text, { "Sequence": { "id": "B", "type_id": 1 } }]);
    for (single, opening) in [
        (json!([piece("<pad>"), text]), &[0][..]),
        (json!([piece("<pad>"), text, piece("<eos>")]), &[0]),
        (json!([text, piece("<eos>")]), &[]),
    ] {
        let special = |name: &str, id: u32| json!({ "id": name, "ids": [id], "tokens": [name] });
        file["post_processor"] = json!({
            "type": "TemplateProcessing", "single": single, "pair": pair,
            "special_tokens": { "<pad>": special("<pad>", 0), "<eos>": special("<eos>", 1) },
        });
        fs::write(&path, file.to_string())?;
        let tokenizer = Tokenizer::load(folder.path())?;
        assert_eq!(tokenizer.opening(), opening);
        assert_eq!(tokenizer.encode("a")?.len(), 1, "a text itself has none of them");
        assert_eq!(tokenizer.ends(), [1]);
    }
    fs::write(folder.path().join("config.json"), "{\"eos_token_id\": 7}")?;
    fs::write(folder.path().join("generation_config.json"), "{\"eos_token_id\": [1, 5]}")?;
    let tokenizer = Tokenizer::load(folder.path())?;
    assert_eq!((tokenizer.eos(), tokenizer.ends()), (1, &[1, 5, 7][..]));
    tokenizer.expect_within(tokenizer.vocab_size())?;
    let error = tokenizer.expect_within(tokenizer.vocab_size() - 1).expect_err("one too few");
    assert!(error.to_string().contains("vocab_size"), "{error}");
    Ok(())
}

#[test]
fn configs_that_would_be_computed_wrongly_are_refused() -> Result<()> {
    let text = fs::read_to_string(data("model/config.json"))?;
    let config = Config::from_json(&text)?;
    assert_eq!(config.rope_theta, 10_000.0);
    assert_eq!(Config::from_json(&config.to_json()?)?.to_json()?, config.to_json()?);
    for (from, to, message) in [
        ("\"rope_theta\"", "\"theta\"", "rope_theta"),
        ("\"rope_type\": \"default\"", "\"rope_type\": \"yarn\"", "yarn"),
        ("\"rope_type\": \"default\"", "\"rope_type\": \"llama3\"", "factor"),
        ("\"rope_type\"", "\"partial_rotary_factor\": 0.5, \"rope_type\"", "partial_rotary"),
        ("\"silu\"", "\"gelu\"", "gelu"),
        ("\"model_type\": \"llama\"", "\"model_type\": \"gemma\"", "`gemma` is not supported"),
        ("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 4", "no multiple"),
        ("\"num_attention_heads\": 6", "\"num_attention_heads\": 0", "num_attention_heads"),
        ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1000000000000", "num_hidden_layers"),
        ("\"hidden_size\": 48", "\"hidden_size\": 0", "`hidden_size` is 0"),
        ("\"vocab_size\": 256", "\"vocab_size\": 99999999999", "`vocab_size` is 99999999999"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = Config::from_json(&text.replace(from, to)).expect_err(message);
        assert!(format!("{error:#}").contains(message), "{error:#}");
    }
    Ok(())
}

#[test]
fn a_tokenizer_of_words_gives_every_text_back() -> Result<()> {
    let texts = [
        "Document: a b c\nQuestion: d\nAnswer:",
        " x y z",
        "x y z",
        "a  b\n\n c ",
        "\n",
        "",
        "(a, b) = c.",
        "größe ändern",
    ];
    let tokenizer = Tokenizer::words(&texts.map(String::from))?;
    let folder = tempfile::tempdir()?;
    tokenizer.save(folder.path())?;
    for tokenizer in [&tokenizer, &Tokenizer::load(folder.path())?] {
        assert_eq!((tokenizer.pad(), tokenizer.eos()), (0, 1));
        for text in texts {
            assert_eq!(tokenizer.decode(&tokenizer.encode(text)?)?, text);
        }
        // A word has one id, wherever it stands.
        assert_eq!(
            tokenizer.encode("x\nx x")?.iter().filter(|id| Some(**id) == tokenizer.id("x")).count(),
            3
        );
        assert_eq!(tokenizer.encode("a b c")?.len(), 3);
        let error = tokenizer.encode("a stranger b").expect_err("an unknown word");
        assert!(error.to_string().contains("`stranger`"), "{error}");
    }
    Ok(())
}

#[test]
fn a_broken_tokenizer_file_is_an_error() -> Result<()> {
    let folder = tempfile::tempdir()?;
    Tokenizer::words(&["a".into()])?.save(folder.path())?;
    let path = folder.path().join("tokenizer.json");
    let text = fs::read_to_string(&path)?;
    fs::write(&path, &text[..text.len() / 2])?;
    let error = Tokenizer::load(folder.path()).expect_err("half a file");
    assert!(format!("{error:#}").contains("tokenizer.json"), "{error:#}");
    Ok(())
}

fn write(tensors: &HashMap<String, Tensor>, path: &Path) -> Result<()> {
    Ok(candle_core::safetensors::save(tensors, path)?)
}

fn expect_error(folder: &Path, parts: &[&str]) {
    let loaded: Result<Model> = io::load(folder, DType::F32, &Device::Cpu);
    let error = format!("{:#}", loaded.expect_err("a broken model"));
    for part in parts {
        assert!(error.contains(part), "`{error}` does not say `{part}`");
    }
}

#[cfg(unix)]
#[test]
fn a_file_of_a_model_that_is_none_is_refused_by_its_name_and_never_waited_for() -> Result<()> {
    for name in [
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "generation_config.json",
        "chat_template.jinja",
        "model.safetensors",
        "model.safetensors.index.json",
    ] {
        let folder = tempfile::tempdir()?;
        for file in ["config.json", "model.safetensors"] {
            fs::copy(data("model").join(file), folder.path().join(file))?;
        }
        Tokenizer::words(&["a".to_string()])?.save(folder.path())?;
        let path = folder.path().join(name);
        if name.ends_with("index.json") {
            // A whole file of weights counts before an index.
            fs::remove_file(folder.path().join("model.safetensors"))?;
        }
        let _ = fs::remove_file(&path);
        let made = std::process::Command::new("mkfifo").arg(&path).status()?;
        assert!(made.success());
        let tokenizer = Tokenizer::load(folder.path()).map(drop);
        let model = io::load(folder.path(), DType::F32, &Device::Cpu).map(drop);
        let error = tokenizer.and(model).expect_err(name);
        let said = format!("{error:#}");
        assert!(said.contains(name) && said.contains("not a file"), "{name}: {said}");
        fs::remove_file(&path)?;
        fs::File::create(&path)?.set_len(1 << 40)?;
        let tokenizer = Tokenizer::load(folder.path()).map(drop);
        let model = io::load(folder.path(), DType::F32, &Device::Cpu).map(drop);
        let said = format!("{:#}", tokenizer.and(model).expect_err(name));
        assert!(said.contains(name), "{name}: {said}");
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn an_adapter_or_a_file_without_end_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let weights = "adapter_model.safetensors";
    fs::copy(data("adapter").join(weights), folder.path().join(weights))?;
    let config = folder.path().join("adapter_config.json");
    std::os::unix::fs::symlink("/dev/zero", &config)?;
    let error = lora::load(&mut tiny()?, folder.path()).map(drop).expect_err("it has no end");
    assert!(format!("{error:#}").contains("adapter_config.json: it is a pipe"), "{error:#}");
    fs::remove_file(&config)?;
    fs::File::create(&config)?.set_len(1 << 40)?;
    let error = lora::load(&mut tiny()?, folder.path()).map(drop).expect_err("it is too large");
    assert!(format!("{error:#}").contains("more than"), "{error:#}");
    Ok(())
}

#[test]
fn a_tokenizer_on_which_the_library_gives_up_is_told_in_our_words_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::copy(data("model/config.json"), folder.path().join("config.json"))?;
    Tokenizer::words(&["a".to_string()])?.save(folder.path())?;
    let path = folder.path().join("tokenizer.json");
    let mut tokenizer: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
    tokenizer["normalizer"] = json!({ "type": "Precompiled", "precompiled_charsmap": "AAAA" });
    fs::write(&path, tokenizer.to_string())?;
    let mut chat = std::process::Command::new(env!("CARGO_BIN_EXE_cookc"));
    let chat = chat.arg("chat").arg(folder.path()).stdin(std::process::Stdio::null()).output()?;
    let said = String::from_utf8(chat.stderr)?;
    assert_eq!(chat.status.code(), Some(1), "{said}");
    assert!(said.contains("the tokenizers library gave up"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    Ok(())
}

#[test]
fn what_a_model_s_files_say_steers_no_terminal() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config: Value = serde_json::from_str(&fs::read_to_string(data("model/config.json"))?)?;
    for key in ["model_type", "hidden_act"] {
        let mut config = config.clone();
        config[key] = json!("\u{1b}]0;STRANGER\u{7}\u{9b}2J\u{202e}\rX");
        fs::write(folder.path().join("config.json"), config.to_string())?;
        Tokenizer::words(&["a".to_string()])?.save(folder.path())?;
        let mut merge = std::process::Command::new(env!("CARGO_BIN_EXE_cookc"));
        let merge = merge.arg("chat").arg(folder.path()).stdin(std::process::Stdio::null());
        let said = String::from_utf8(merge.output()?.stderr)?;
        assert!(said.contains("STRANGER"), "{key}: {said}");
        assert!(!said.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\r']), "{said:?}");
    }
    Ok(())
}

#[test]
fn a_checkpoint_keeps_the_state_of_others_in_named_slots() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut model = grouped(false)?;
    let trainer = Trainer::new(&mut model, &quick(4))?;
    let path = folder.path().join("slots.safetensors");
    let mut others = Others::default();
    others.slots.insert("mix".into(), json!({ "policy": "learned", "bits": ["3ff0"] }));
    others.slots.insert("nothing".into(), serde_json::Value::Null);
    trainer.save_of(&others, &path)?;
    let saved = Saved::open(&path)?;
    assert_eq!(saved.slot("mix"), &others.slots["mix"]);
    assert!(saved.slot("nothing").is_null() && saved.slot("other").is_null());
    saved.expect_slots(&["mix"])?;
    let error = saved.expect_slots(&["search"]).expect_err("it is not known");
    assert!(error.to_string().contains("keeps the state of `mix`"), "{error}");
    // Without state, it is a file that builds without slots read.
    trainer.save(&path)?;
    let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
    assert!(text.contains("\\\"format\\\":2") && !text.contains("slots"), "{}", &text[..300]);
    Ok(())
}
