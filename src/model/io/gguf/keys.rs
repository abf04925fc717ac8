//! What each key of a GGUF file's metadata that begins with the architecture's name means here.

use anyhow::{Result, bail, ensure};
use serde_json::{Map, Value as Json, json};

use super::value::{Lookup, Metadata, Value};
use crate::model::families::FAMILIES;
use crate::model::files::keys::{self, Key, Table};

const EXPERTS: &str = "models with experts cannot be read";
const NO_PART: &str = "these architectures have no such part in llama.cpp";
const SCALED: &str = "this transformer scales nothing there";
const YARN: &str = "YaRN cannot be computed";

/// The architectures that are read, under GGUF's names. A Mistral is a `llama` there.
pub(super) fn architectures() -> Vec<&'static str> {
    let mut names = Vec::new();
    for gguf in FAMILIES.iter().filter_map(|family| family.gguf) {
        if !names.contains(&gguf.architecture) {
            names.push(gguf.architecture);
        }
    }
    names
}

/// Keys behind the architecture's name. Those of other architectures are read by nothing.
#[rustfmt::skip]
const KEYS: &Table = &[
    ("context_length", Key::Read),
    ("embedding_length", Key::Read),
    ("block_count", Key::Read),
    ("feed_forward_length", Key::Read),
    ("attention.head_count", Key::Read),
    ("attention.head_count_kv", Key::Read),
    ("attention.key_length", Key::Read),
    ("attention.value_length", Key::Read),
    ("attention.layer_norm_rms_epsilon", Key::Read),
    ("attention.sliding_window", Key::Read),
    ("rope.dimension_count", Key::Read),
    ("rope.freq_base", Key::Read),
    ("rope.scale_linear", Key::Read),
    ("rope.scaling.type", Key::Read),
    ("rope.scaling.factor", Key::Read),
    ("rope.scaling.original_context_length", Key::Read),
    ("attention.causal", Key::Only("true", "attention is causal")),
    ("attention.clamp_kqv", Key::Off(NO_PART)),
    ("attention.max_alibi_bias", Key::Off(NO_PART)),
    ("attention.scale", Key::Off(SCALED)),
    ("attention.sliding_window_pattern", Key::Off(NO_PART)),
    ("attn_logit_softcapping", Key::Off(NO_PART)),
    ("final_logit_softcapping", Key::Off(NO_PART)),
    ("embedding_scale", Key::OnlyOrOff("1", SCALED)),
    ("residual_scale", Key::OnlyOrOff("1", SCALED)),
    ("logit_scale", Key::OnlyOrOff("1", SCALED)),
    ("expert_count", Key::Off(EXPERTS)),
    ("expert_used_count", Key::Off(EXPERTS)),
    ("expert_feed_forward_length", Key::Off(EXPERTS)),
    ("expert_shared_count", Key::Off(EXPERTS)),
    ("leading_dense_block_count", Key::Off(EXPERTS)),
    ("nextn_predict_layers", Key::Off(NO_PART)),
    ("use_parallel_residual", Key::Off(NO_PART)),
    ("rope.dimension_sections", Key::Off(NO_PART)),
    ("rope.scaling.attn_factor", Key::Only("1", YARN)),
    ("rope.scaling.yarn_attn_factor", Key::Off(YARN)),
    ("rope.scaling.yarn_beta_fast", Key::Off(YARN)),
    ("rope.scaling.yarn_beta_slow", Key::Off(YARN)),
    ("rope.scaling.yarn_ext_factor", Key::Off(YARN)),
    ("rope.scaling.yarn_log_multiplier", Key::Off(YARN)),
    ("attention.layer_norm_epsilon", Key::Harmless("norms are RMS norms, which have their own")),
    ("decoder_start_token_id", Key::Harmless("it counts beside an encoder alone")),
    ("pooling_type", Key::Harmless("it says what a text's embedding is, not its logits")),
    ("rope.scaling.finetuned", Key::Harmless("it is a note on how the model came about")),
    ("tensor_data_layout", Key::Harmless("rows are expected as llama.cpp reads them")),
    ("vocab_size", Key::Harmless("the embedding table has as many rows")),
];

/// Refuses a file that is no model, of an architecture that cannot be read, or a part of a model.
pub(super) fn expect_model(metadata: &Metadata) -> Result<()> {
    let lookup = Lookup(metadata);
    if let Some(kind) = lookup.text("general.type").filter(|kind| *kind != "model") {
        bail!("the file's general.type is `{kind}`; only a `model` can be read");
    }
    if let Some(name) = lookup.text("general.architecture") {
        let known = architectures();
        ensure!(
            known.contains(&name),
            "architecture `{name}` is not supported; these are: {}",
            known.join(", ")
        );
    }
    let count = lookup.size("split.count")?.unwrap_or(1);
    ensure!(
        count <= 1,
        "the file is one of {count} parts of a model (`split.count`): put them together first, by \
         llama.cpp's `llama-gguf-split --merge FIRST-PART WHOLE.gguf`"
    );
    Ok(())
}

/// Refuses metadata of that architecture that asks for what this transformer does not compute.
pub(super) fn check(metadata: &Metadata, architecture: &str) -> Result<()> {
    let prefix = format!("{architecture}.");
    let own = metadata
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?.to_string(), json(value))));
    keys::check(&own.collect::<Map<String, Json>>(), KEYS, &prefix, "the file's metadata")
}

fn json(value: &Value) -> Json {
    match value {
        Value::Whole(number) => {
            i64::try_from(*number).map_or(json!(u64::MAX), |whole| json!(whole))
        }
        Value::Real(number) if number.is_finite() => json!(number),
        // JSON would have null for it.
        Value::Real(number) => json!(number.to_string()),
        Value::Truth(truth) => json!(truth),
        Value::Text(text) => json!(text),
        Value::Texts(list) => json!(list),
        Value::Wholes(list) => json!(list),
        Value::Reals(list) => json!(list),
        Value::Skipped => json!("a list"),
    }
}

#[cfg(test)]
mod tests {
    use super::KEYS;

    /// What llama.cpp's converter writes for a LlamaForCausalLM, a MistralForCausalLM, a
    /// Qwen2ForCausalLM and a Qwen3ForCausalLM, today and since GGUF began.
    const CONVERTER: &str = "attention.head_count attention.head_count_kv attention.key_length \
        attention.layer_norm_rms_epsilon attention.sliding_window attention.value_length \
        block_count context_length embedding_length expert_count expert_used_count \
        feed_forward_length rope.dimension_count rope.freq_base rope.scale_linear \
        rope.scaling.factor rope.scaling.finetuned rope.scaling.original_context_length \
        rope.scaling.type tensor_data_layout vocab_size";

    #[test]
    fn every_key_that_the_converter_writes_is_in_the_table_once() {
        for key in CONVERTER.split_whitespace() {
            assert!(KEYS.iter().any(|(known, _)| *known == key), "`{key}` is in no row");
        }
        for (at, (key, _)) in KEYS.iter().enumerate() {
            assert!(!KEYS[..at].iter().any(|(other, _)| other == key), "`{key}` has two rows");
        }
    }
}
