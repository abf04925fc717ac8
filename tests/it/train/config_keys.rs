//! What a `config.json` says is computed as transformers 5.24 does, or refused by name.

use anyhow::Result;
use cookc::model::Config;
use cookc::model::rope::Scaling;
use serde_json::{Map, Value, json};

/// Files as they are published, of sizes as they are published.
const PUBLISHED: [(&str, &str); 11] = [
    (
        "SmolLM2",
        r#"{"architectures": ["LlamaForCausalLM"], "attention_bias": false,
        "attention_dropout": 0.0,
        "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 576,
        "initializer_range": 0.041666666666666664, "intermediate_size": 1536,
        "is_llama_config": true,
        "max_position_embeddings": 8192, "mlp_bias": false, "model_type": "llama",
        "num_attention_heads": 9, "num_hidden_layers": 30, "num_key_value_heads": 3,
        "pad_token_id": 2, "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_interleaved": false,
        "rope_scaling": null, "rope_theta": 100000, "tie_word_embeddings": true,
        "torch_dtype": "bfloat16",
        "transformers.js_config": {"kv_cache_dtype": {"fp16": "float16"}},
        "transformers_version": "4.42.3", "use_cache": true, "vocab_size": 49152}"#,
    ),
    (
        "Vicuna, whose file is older than `rope_theta`",
        r#"{"_name_or_path": "vicuna", "architectures": ["LlamaForCausalLM"], "bos_token_id": 1,
        "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
        "intermediate_size": 11008, "max_position_embeddings": 4096, "max_sequence_length": 2048,
        "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 32,
        "num_key_value_heads": 32, "pad_token_id": 0, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
        "rope_scaling": null, "tie_word_embeddings": false, "torch_dtype": "float16",
        "transformers_version": "4.31.0", "use_cache": true, "vocab_size": 32000}"#,
    ),
    (
        "Llama 3.2",
        r#"{"architectures": ["LlamaForCausalLM"], "attention_bias": false,
        "attention_dropout": 0.0,
        "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "head_dim": 64,
        "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02,
        "intermediate_size": 8192, "max_position_embeddings": 131072, "mlp_bias": false,
        "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 16,
        "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
        "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
        "original_max_position_embeddings": 8192, "rope_type": "llama3"}, "rope_theta": 500000.0,
        "tie_word_embeddings": true, "torch_dtype": "bfloat16", "transformers_version": "4.45.0",
        "unsloth_fixed": true, "use_cache": true, "vocab_size": 128256}"#,
    ),
    (
        "Mistral 7B v0.1",
        r#"{"architectures": ["MistralForCausalLM"], "bos_token_id": 1, "eos_token_id": 2,
        "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
        "intermediate_size": 14336, "max_position_embeddings": 32768, "model_type": "mistral",
        "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
        "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "sliding_window": 4096,
        "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true,
        "transformers_version": "4.34.0.dev0", "vocab_size": 32000}"#,
    ),
    (
        "Mistral Nemo",
        r#"{"architectures": ["MistralForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 1,
        "eos_token_id": 2, "head_dim": 128, "hidden_act": "silu", "hidden_size": 5120,
        "initializer_range": 0.02, "intermediate_size": 14336, "max_position_embeddings": 1024000,
        "model_type": "mistral", "num_attention_heads": 32, "num_hidden_layers": 40,
        "num_key_value_heads": 8, "rms_norm_eps": 1e-05, "rope_theta": 1000000.0,
        "sliding_window": null, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
        "use_cache": true, "vocab_size": 131072}"#,
    ),
    (
        "Qwen2.5",
        r#"{"architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643,
        "eos_token_id": 151645, "hidden_act": "silu", "hidden_size": 896, "initializer_range": 0.02,
        "intermediate_size": 4864, "max_position_embeddings": 32768, "max_window_layers": 21,
        "model_type": "qwen2", "num_attention_heads": 14, "num_hidden_layers": 24,
        "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0,
        "sliding_window": 32768, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
        "use_cache": true, "use_mrope": false, "use_sliding_window": false, "vocab_size": 151936}"#,
    ),
    (
        "Qwen3",
        r#"{"architectures": ["Qwen3ForCausalLM"], "attention_bias": false,
        "attention_dropout": 0.0,
        "bos_token_id": 151643, "eos_token_id": 151645, "head_dim": 128, "hidden_act": "silu",
        "hidden_size": 1024, "initializer_range": 0.02, "intermediate_size": 3072,
        "max_position_embeddings": 40960, "max_window_layers": 28, "model_type": "qwen3",
        "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 8,
        "rms_norm_eps": 1e-06, "rope_scaling": null, "rope_theta": 1000000, "sliding_window": null,
        "tie_word_embeddings": true, "torch_dtype": "bfloat16", "use_cache": true,
        "use_sliding_window": false, "vocab_size": 151936}"#,
    ),
    (
        "DeepSeek Coder",
        r#"{"architectures": ["LlamaForCausalLM"], "bos_token_id": 32013, "eos_token_id": 32014,
        "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02,
        "intermediate_size": 5504, "max_position_embeddings": 16384, "model_type": "llama",
        "num_attention_heads": 16, "num_hidden_layers": 24, "num_key_value_heads": 16,
        "pretraining_tp": 1, "rms_norm_eps": 1e-06, "rope_scaling": {"factor": 4.0,
        "type": "linear"},
        "rope_theta": 100000, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
        "use_cache": true, "vocab_size": 32256}"#,
    ),
    (
        "Falcon 3, a Llama",
        r#"{"activation": "swiglu", "architectures": ["LlamaForCausalLM"], "attention_bias": false,
        "attention_dropout": 0.0, "eos_token_id": 11, "head_dim": 256, "hidden_act": "silu",
        "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 8192,
        "max_position_embeddings": 8192, "mlp_bias": false, "model_type": "llama",
        "num_attention_heads": 8, "num_hidden_layers": 18, "num_key_value_heads": 4,
        "pretraining_tp": 1, "rms_norm_eps": 1e-06, "rope_scaling": null, "rope_theta": 1000042,
        "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true,
        "vocab_size": 131072}"#,
    ),
    (
        "a Llama written by transformers 5",
        r#"{"architectures": ["LlamaForCausalLM"], "attention_bias": false,
        "attention_dropout": 0.0,
        "bos_token_id": 1, "chunk_size_feed_forward": 0, "dtype": "float32", "eos_token_id": 2,
        "head_dim": 64, "hidden_act": "silu", "hidden_size": 512, "id2label": {"0": "LABEL_0"},
        "initializer_range": 0.02, "intermediate_size": 1024, "is_encoder_decoder": false,
        "label2id": {"LABEL_0": 0}, "max_position_embeddings": 2048, "mlp_bias": false,
        "model_type": "llama", "num_attention_heads": 8, "num_hidden_layers": 2,
        "num_key_value_heads": 8, "output_attentions": false, "output_hidden_states": false,
        "pad_token_id": null, "pretraining_tp": 1, "problem_type": null, "return_dict": true,
        "rms_norm_eps": 1e-06, "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"},
        "tie_word_embeddings": false, "transformers_version": "5.24.0", "use_cache": true,
        "vocab_size": 32000}"#,
    ),
    (
        "a Qwen 2.5 with settings for texts of a million tokens",
        r#"{"architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643,
        "dual_chunk_attention_config": {"chunk_size": 262144, "local_size": 8192},
        "eos_token_id": 151645, "hidden_act": "silu", "hidden_size": 896, "initializer_range": 0.02,
        "intermediate_size": 4864, "max_position_embeddings": 1010000, "max_window_layers": 28,
        "model_type": "qwen2", "num_attention_heads": 14, "num_hidden_layers": 24,
        "num_key_value_heads": 2, "rms_norm_eps": 1e-05, "rope_theta": 10000000.0,
        "sliding_window": 1010000, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
        "use_cache": true, "use_sliding_window": false, "vocab_size": 152064}"#,
    ),
];

#[test]
fn configs_as_they_are_published_are_read() -> Result<()> {
    for (name, text) in PUBLISHED {
        let config = Config::from_json(text);
        let config = config.map_err(|error| error.context(name))?;
        // What was read is what is written, and can be read again.
        assert_eq!(Config::from_json(&config.to_json()?)?.rope_theta, config.rope_theta, "{name}");
    }
    assert_eq!(Config::from_json(PUBLISHED[1].1)?.rope_theta, 10_000.0);
    assert_eq!(Config::from_json(PUBLISHED[7].1)?.rope_scaling, Scaling::Linear { factor: 4.0 });
    Ok(())
}

#[test]
fn a_family_that_cannot_be_read_is_named_before_anything_else() {
    let nested = json!({
        "full_attention": { "rope_type": "default", "rope_theta": 1e6 },
        "sliding_attention": { "rope_type": "default", "rope_theta": 1e4 },
    });
    for (family, more) in [
        ("gemma3_text", json!({ "rope_parameters": nested, "rope_theta": null })),
        ("phi", json!({ "partial_rotary_factor": 0.5 })),
        ("cohere", json!({ "rms_norm_eps": null, "logit_scale": 0.06 })),
        ("gpt_neox", json!({ "rope_theta": null, "rotary_emb_base": 10_000 })),
        ("mixtral", json!({ "num_local_experts": 8 })),
        (
            "deepseek_v3",
            json!({ "rope_scaling": { "type": "yarn" }, "quantization_config": {"a": 1} }),
        ),
    ] {
        let error = refused("llama", &with(more, family));
        assert!(error.contains(&format!("model_type `{family}` is not supported")), "{error}");
    }
    assert!(refused("llama", &json!({ "model_type": null })).contains("`model_type` is missing"));
}

#[test]
fn keys_that_ask_for_what_is_not_computed_are_refused_by_name() {
    for (key, value) in [
        ("partial_rotary_factor", json!(0.5)),
        ("rope_interleaved", json!(true)),
        ("attention_dropout", json!(0.1)),
        ("attention_multiplier", json!(0.0078)),
        ("embedding_multiplier", json!(12.0)),
        ("residual_multiplier", json!(0.22)),
        ("logits_scaling", json!(8.0)),
        ("final_logit_softcapping", json!(30.0)),
        ("attn_logit_softcapping", json!(50.0)),
        ("query_pre_attn_scalar", json!(256)),
        ("clip_qkv", json!(8)),
        ("is_causal", json!(false)),
        ("is_encoder_decoder", json!(true)),
        ("add_cross_attention", json!(true)),
        ("pruned_heads", json!({ "0": [1] })),
        ("per_layer_config", json!({ "0": { "intermediate_size": 8 } })),
        ("transformers_weights", json!("other.safetensors")),
        ("quantization_config", json!({ "quant_method": "gptq", "bits": 4 })),
        ("quantization", json!({ "group_size": 64, "bits": 4 })),
        ("num_local_experts", json!(8)),
        ("no_rope_layers", json!([1, 0])),
        ("use_qk_norm", json!(true)),
        ("num_nextn_predict_layers", json!(1)),
        ("activation", json!("geglu")),
        ("hidden_act", json!("gelu")),
        ("attention_bias", json!("yes")),
        ("mlp_bias", json!(1)),
        ("sliding_window", json!(-1)),
        ("tie_word_embeddings", json!("true")),
        ("vocab_size", json!(40.5)),
        ("rms_norm_eps", json!(null)),
        ("rotary_emb_base", json!(1e6)),
        // Keys that nobody knows.
        ("attention_sinks", json!(4)),
        ("qk_norm_type", json!("l2")),
        ("scale_depth", json!(1.4)),
        ("layer_scale", json!([0.5])),
    ] {
        let error = refused("llama", &json!({ key: value }));
        assert!(error.contains(&format!("`{key}`")) || error.contains(key), "{key}: {error}");
    }
    for (family, key) in
        [("mistral", "attention_bias"), ("mistral", "mlp_bias"), ("qwen3", "mlp_bias")]
    {
        let error = refused(family, &json!({ key: true }));
        assert!(error.contains(&format!("`{key}`")), "{family}: {error}");
    }
}

#[test]
fn a_key_that_is_switched_off_or_changes_nothing_passes() -> Result<()> {
    let off = json!({
        "attention_sinks": 0, "quantization_config": null, "qk_norm_type": "", "pruned_heads": {},
        "layer_scale": [], "is_encoder_decoder": false, "logit_scale": 1.0, "is_causal": true,
        "partial_rotary_factor": 1.0, "residual_multiplier": 1, "_attn_implementation": "sdpa",
        "unsloth_version": "2026.1", "temperature": 0.6, "bad_words_ids": [[1]],
        "hidden_act": "swish", "auto_map": { "AutoModelForCausalLM": "modeling.Llama" },
    });
    read("llama", &off)?;
    Ok(())
}

#[test]
fn a_window_counts_where_transformers_has_one_and_what_contradicts_it_is_refused() -> Result<()> {
    let (full, slides) = ("full_attention", "sliding_attention");
    let windows = |family: &str, more: Value| -> Result<[Option<usize>; 2]> {
        let config = read(family, &more)?;
        Ok([config.window(0), config.window(1)])
    };
    let set =
        |window: Value, kinds: [&str; 2]| json!({ "sliding_window": window, "layer_types": kinds });
    let qwen = |window: Value, kinds: [&str; 2]| {
        let mut settings = set(window, kinds);
        settings["use_sliding_window"] = json!(true);
        settings
    };
    assert_eq!(windows("mistral", set(json!(8), [slides, slides]))?, [Some(8), Some(8)]);
    assert_eq!(windows("mistral", set(json!(null), [full, full]))?, [None, None]);
    assert_eq!(windows("qwen3", qwen(json!(8), [slides, full]))?, [Some(8), None]);
    assert_eq!(windows("qwen2", qwen(json!(null), [full, full]))?, [None, None]);
    assert_eq!(windows("llama", set(json!(null), [full, full]))?, [None, None]);
    assert_eq!(windows("qwen2", set(json!(8), [full, full]))?, [None, None]);
    // A window as wide as the longest text is none, whoever has it.
    assert_eq!(windows("llama", json!({ "sliding_window": 64 }))?, [None, None]);
    windows("mistral", set(json!(64), [full, slides]))?;
    for (family, more) in [
        ("mistral", set(json!(8), [full, slides])),
        ("mistral", set(json!(null), [full, slides])),
        ("llama", set(json!(8), [full, slides])),
        ("qwen2", set(json!(8), [full, slides])),
        ("qwen3", qwen(json!(null), [full, slides])),
        ("qwen3", qwen(json!(8), [full, "chunked_attention"])),
        ("qwen2", json!({ "layer_types": [full] })),
        ("qwen2", json!({ "layer_types": full })),
    ] {
        let error = refused(family, &more);
        assert!(error.contains("layer_types"), "{family}: {error}");
    }
    let error = refused("llama", &json!({ "sliding_window": 8 }));
    assert!(error.contains("`sliding_window` is 8"), "{error}");
    Ok(())
}

#[test]
fn rotary_settings_are_read_wherever_they_are_and_refused_where_they_differ() -> Result<()> {
    let llama3 = json!({
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    });
    // transformers takes the length for granted that the model has now.
    let Scaling::Llama3 { original_max_position_embeddings: length, .. } =
        read("llama", &json!({ "rope_scaling": llama3 }))?.rope_scaling
    else {
        panic!("a Llama 3")
    };
    assert_eq!(length, 64);
    let mut outside = json!({ "rope_scaling": llama3, "original_max_position_embeddings": 32 });
    let scaling = read("llama", &outside)?.rope_scaling;
    outside["rope_scaling"]["original_max_position_embeddings"] = json!(32);
    assert_eq!(read("llama", &outside)?.rope_scaling, scaling);
    assert_eq!(read("llama", &json!({ "rope_theta": 5e5, "rope_scaling": {} }))?.rope_theta, 5e5);
    let both = json!({ "rope_type": "linear", "type": "linear", "factor": 2.0 });
    let linear = read("llama", &json!({ "rope_scaling": both }))?;
    assert_eq!(linear.rope_scaling, Scaling::Linear { factor: 2.0 });
    outside["rope_scaling"]["original_max_position_embeddings"] = json!(16);
    for (more, message) in [
        (outside, "original_max_position_embeddings"),
        (json!({ "rope_scaling": { "type": "dynamic", "factor": 2.0 } }), "`dynamic`"),
        (json!({ "rope_scaling": { "rope_type": "yarn", "factor": 4.0 } }), "`yarn`"),
        (json!({ "rope_scaling": { "rope_type": "longrope", "factor": 4.0 } }), "`longrope`"),
        (json!({ "rope_scaling": longrope([1, 2, 3, 4], [1, 2, 3, 5], 1.0) }), "`longrope`"),
        (json!({ "rope_scaling": longrope([1, 2, 3, 4], [1, 2, 3, 4], 1.2) }), "attention_factor"),
        (json!({ "rope_scaling": longrope([1, 2, 3, 0], [1, 2, 3, 0], 1.0) }), "a factor"),
        (
            json!({ "rope_scaling": { "rope_type": "linear", "type": "dynamic", "factor": 2.0 } }),
            "type",
        ),
        (json!({ "rope_scaling": { "factor": 2.0 } }), "factor"),
        (
            json!({ "rope_scaling": { "type": "linear", "factor": 2.0, "beta_fast": 32 } }),
            "beta_fast",
        ),
        (
            json!({ "rope_scaling": { "type": "default", "mrope_section": [2, 1, 1] } }),
            "mrope_section",
        ),
        (
            json!({ "rope_parameters": { "full_attention": { "rope_theta": 1e4 } } }),
            "full_attention",
        ),
        (json!({ "rope_theta": "10000" }), "rope_theta"),
        (json!({ "rope_theta": 1e4, "rope_parameters": { "rope_theta": 1e6 } }), "rope_theta"),
        (
            json!({
                "rope_scaling": { "type": "linear", "factor": 2.0 },
                "rope_parameters": { "rope_type": "default", "rope_theta": 1e4 },
            }),
            "rope_scaling",
        ),
        (
            // transformers takes the first, and a base of 10000 with it.
            json!({
                "rope_scaling": { "type": "linear", "factor": 2.0 },
                "rope_parameters": { "rope_type": "linear", "factor": 2.0, "rope_theta": 5e5 },
            }),
            "rope_scaling",
        ),
    ] {
        let error = refused("llama", &more);
        assert!(error.contains(message), "{more}: {error}");
    }
    Ok(())
}

/// Python's `json` writes and reads these; JSON has no word for them.
#[test]
fn numbers_that_are_none_pass_where_nothing_reads_them_and_are_named_where_they_count() {
    let with = |key: &str, value: &str| {
        let text = text("llama", &json!({ key: "VALUE" })).replace("\"VALUE\"", value);
        Config::from_json(&text).map_err(|error| format!("{error:#}"))
    };
    for value in ["NaN", "Infinity", "-Infinity", "1e999"] {
        for key in ["initializer_range", "temperature", "name_or_path"] {
            with(key, value).unwrap_or_else(|error| panic!("{key} = {value}: {error}"));
        }
        for key in [
            "rms_norm_eps",
            "rope_theta",
            "max_position_embeddings",
            "sliding_window",
            "attention_dropout",
            "logits_scaling",
            "rope_scaling",
            "eps_of_tomorrow",
        ] {
            let error = with(key, value).expect_err(key);
            assert!(error.contains(key), "{key} = {value}: {error}");
        }
    }
    // Half of a letter, which Python keeps in a text.
    with("name_or_path", r#""a\ud83d""#).expect("nothing reads it");
    assert!(with("model_type", r#""llama\ud83d""#).expect_err("no such family").contains("llama"));
    let error = Config::from_json("\u{feff}{}").map(|_| ()).expect_err("a mark");
    assert!(format!("{error:#}").contains("byte order mark"), "{error:#}");
}

fn longrope(short: [u32; 4], long: [u32; 4], attention: f64) -> Value {
    json!({
        "rope_type": "longrope", "short_factor": short, "long_factor": long,
        "attention_factor": attention, "factor": 2.0,
    })
}

/// A small config of that family with other settings.
fn text(family: &str, more: &Value) -> String {
    let mut map: Map<String, Value> = serde_json::from_str(
        r#"{"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "head_dim": 8,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 40, "rms_norm_eps": 1e-5,
        "max_position_embeddings": 64, "tie_word_embeddings": true}"#,
    )
    .expect("an object");
    map.insert("model_type".into(), json!(family));
    map.extend(more.as_object().expect("an object").clone());
    Value::Object(map).to_string()
}

fn with(mut more: Value, family: &str) -> Value {
    more["model_type"] = json!(family);
    more
}

fn read(family: &str, more: &Value) -> Result<Config> {
    Config::from_json(&text(family, more))
}

fn refused(family: &str, more: &Value) -> String {
    let error = read(family, more).map(|_| ()).expect_err(&more.to_string());
    format!("{error:#}")
}
