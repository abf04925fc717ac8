//! What each key of a `config.json` of these families means here.

use serde_json::{Map, Value};

use anyhow::Result;

use crate::model::files::keys::{self, Key, Table};

const GENERATION: &str = "it says how text is generated, which a command or a recipe decides";
const IDS: &str = "the tokenizer's part reads it, or nothing does";
const NOTE: &str = "it is a note of the program that wrote the file";
const PROGRAM: &str = "it says how a program computes, not what";
const TASK: &str = "it belongs to heads of other tasks, and such a head is refused by its weights";
const TRAINING: &str = "it shaped the first training, not the function that came of it";

const EXPERTS: &str = "models with experts cannot be read";
const NO_PART: &str = "these families have no such part in transformers";
const QUANTISED: &str =
    "weights that are quantised in this format cannot be read; use the model as it was before";
const SCALED: &str = "this transformer scales nothing there";

/// Keys that transformers writes for these families, and others that their published files have.
#[rustfmt::skip]
pub(crate) const KEYS: &Table = &[
    // What fixes the function.
    ("model_type", Key::Read),
    ("hidden_size", Key::Read),
    ("intermediate_size", Key::Read),
    ("num_hidden_layers", Key::Read),
    ("num_attention_heads", Key::Read),
    ("num_key_value_heads", Key::Read),
    ("head_dim", Key::Read),
    ("vocab_size", Key::Read),
    ("max_position_embeddings", Key::Read),
    ("original_max_position_embeddings", Key::Read),
    ("rms_norm_eps", Key::Read),
    ("rope_theta", Key::Read),
    ("rope_scaling", Key::Read),
    ("rope_parameters", Key::Read),
    ("rotary_emb_base", Key::Read),
    ("tie_word_embeddings", Key::Read),
    ("hidden_act", Key::Read),
    ("attention_bias", Key::Read),
    ("mlp_bias", Key::Read),
    ("sliding_window", Key::Read),
    ("use_sliding_window", Key::Read),
    ("max_window_layers", Key::Read),
    ("layer_types", Key::Read),
    // What would fix it, were it there.
    ("partial_rotary_factor", Key::Only("1", "heads are rotated in full")),
    ("rope_interleaved", Key::Off("heads are rotated by halves, as transformers does")),
    ("activation", Key::Only("\"swiglu\"", "the feed-forward network is gated by SiLU")),
    ("attention_dropout", Key::Off("attention weights are never dropped; write 0")),
    ("is_causal", Key::Only("true", "attention is causal")),
    ("is_encoder_decoder", Key::Off("only decoders can be read")),
    ("add_cross_attention", Key::Off("only decoders can be read")),
    ("cross_attention_hidden_size", Key::Off("only decoders can be read")),
    ("tie_encoder_decoder", Key::Off("only decoders can be read")),
    ("pruned_heads", Key::Off("heads that were pruned cannot be left out")),
    ("per_layer_config", Key::Off("all layers are of one shape")),
    ("transformers_weights", Key::Off("weights are read from model.safetensors or its index")),
    ("quantization_config", Key::Off(QUANTISED)),
    ("compression_config", Key::Off(QUANTISED)),
    ("quantization", Key::Off(QUANTISED)),
    ("attention_multiplier", Key::Off(SCALED)),
    ("embedding_multiplier", Key::Only("1", SCALED)),
    ("residual_multiplier", Key::Only("1", SCALED)),
    ("logits_scaling", Key::Only("1", SCALED)),
    ("logit_scale", Key::Only("1", SCALED)),
    ("attn_logit_softcapping", Key::Off(NO_PART)),
    ("final_logit_softcapping", Key::Off(NO_PART)),
    ("query_pre_attn_scalar", Key::Off(NO_PART)),
    ("clip_qkv", Key::Off(NO_PART)),
    ("use_qk_norm", Key::Off(NO_PART)),
    ("qk_layernorm", Key::Off(NO_PART)),
    ("no_rope_layers", Key::Off(NO_PART)),
    ("use_mrope", Key::Off(NO_PART)),
    ("num_nextn_predict_layers", Key::Off(NO_PART)),
    ("num_experts", Key::Off(EXPERTS)),
    ("num_local_experts", Key::Off(EXPERTS)),
    ("num_experts_per_tok", Key::Off(EXPERTS)),
    // What fixes nothing.
    ("architectures", Key::Harmless("transformers goes by `model_type`")),
    ("auto_map", Key::Harmless("code that comes with a model is never run")),
    ("dtype", Key::Harmless("each tensor of the weights has its type")),
    ("torch_dtype", Key::Harmless("each tensor of the weights has its type")),
    ("attn_implementation", Key::Harmless(PROGRAM)),
    ("use_flash_attn", Key::Harmless(PROGRAM)),
    ("use_flash_attention", Key::Harmless(PROGRAM)),
    ("use_flash_attention_2", Key::Harmless(PROGRAM)),
    ("bf16", Key::Harmless(PROGRAM)),
    ("fp16", Key::Harmless(PROGRAM)),
    ("fp32", Key::Harmless(PROGRAM)),
    ("experts_implementation", Key::Harmless(PROGRAM)),
    ("chunk_size_feed_forward", Key::Harmless(PROGRAM)),
    ("dual_chunk_attention_config", Key::Harmless("transformers ignores it")),
    ("gradient_checkpointing", Key::Harmless(PROGRAM)),
    ("initializer_range", Key::Harmless(TRAINING)),
    ("is_decoder", Key::Harmless("these families are decoders")),
    ("is_llama_config", Key::Harmless(NOTE)),
    ("layer_norm_eps", Key::Harmless("norms are RMS norms, which have their own")),
    ("max_seq_len", Key::Harmless("`max_position_embeddings` is what counts")),
    ("max_seq_length", Key::Harmless("`max_position_embeddings` is what counts")),
    ("seq_length", Key::Harmless("`max_position_embeddings` is what counts")),
    ("max_sequence_length", Key::Harmless("`max_position_embeddings` is what counts")),
    ("model_max_length", Key::Harmless("`max_position_embeddings` is what counts")),
    ("tokenizer_model_max_length", Key::Harmless("`max_position_embeddings` is what counts")),
    ("name_or_path", Key::Harmless(NOTE)),
    ("neftune_noise_alpha", Key::Harmless(TRAINING)),
    ("output_attentions", Key::Harmless(PROGRAM)),
    ("output_hidden_states", Key::Harmless(PROGRAM)),
    ("pretraining_tp", Key::Harmless("the same products, cut into parts")),
    ("return_dict", Key::Harmless(PROGRAM)),
    ("tf_legacy_loss", Key::Harmless(PROGRAM)),
    ("tie_last_hidden_states", Key::Harmless(PROGRAM)),
    ("torchscript", Key::Harmless(PROGRAM)),
    ("transformers.js_config", Key::Harmless(PROGRAM)),
    ("transformers_version", Key::Harmless(NOTE)),
    ("trust_remote_code", Key::Harmless("code that comes with a model is never run")),
    ("unsloth_fixed", Key::Harmless(NOTE)),
    ("unsloth_version", Key::Harmless(NOTE)),
    ("use_bfloat16", Key::Harmless(PROGRAM)),
    ("use_cache", Key::Harmless(PROGRAM)),
    ("finetuning_task", Key::Harmless(TASK)),
    ("id2label", Key::Harmless(TASK)),
    ("label2id", Key::Harmless(TASK)),
    ("num_labels", Key::Harmless(TASK)),
    ("problem_type", Key::Harmless(TASK)),
    ("task_specific_params", Key::Harmless(TASK)),
    ("bos_token", Key::Harmless(IDS)),
    ("eos_token", Key::Harmless(IDS)),
    ("pad_token", Key::Harmless(IDS)),
    ("unk_token", Key::Harmless(IDS)),
    ("additional_special_tokens", Key::Harmless(IDS)),
    ("padding_side", Key::Harmless(IDS)),
    ("bos_token_id", Key::Harmless(IDS)),
    ("cls_token_id", Key::Harmless(IDS)),
    ("eos_token_id", Key::Harmless(IDS)),
    ("mask_token_id", Key::Harmless(IDS)),
    ("pad_token_id", Key::Harmless(IDS)),
    ("prefix", Key::Harmless(IDS)),
    ("sep_token_id", Key::Harmless(IDS)),
    ("tokenizer_class", Key::Harmless(IDS)),
    ("unk_token_id", Key::Harmless(IDS)),
    ("assistant_confidence_threshold", Key::Harmless(GENERATION)),
    ("assistant_lookbehind", Key::Harmless(GENERATION)),
    ("bad_words_ids", Key::Harmless(GENERATION)),
    ("begin_suppress_tokens", Key::Harmless(GENERATION)),
    ("decoder_start_token_id", Key::Harmless(GENERATION)),
    ("diversity_penalty", Key::Harmless(GENERATION)),
    ("do_sample", Key::Harmless(GENERATION)),
    ("early_stopping", Key::Harmless(GENERATION)),
    ("encoder_no_repeat_ngram_size", Key::Harmless(GENERATION)),
    ("encoder_repetition_penalty", Key::Harmless(GENERATION)),
    ("epsilon_cutoff", Key::Harmless(GENERATION)),
    ("eta_cutoff", Key::Harmless(GENERATION)),
    ("exponential_decay_length_penalty", Key::Harmless(GENERATION)),
    ("forced_bos_token_id", Key::Harmless(GENERATION)),
    ("forced_eos_token_id", Key::Harmless(GENERATION)),
    ("length_penalty", Key::Harmless(GENERATION)),
    ("max_length", Key::Harmless(GENERATION)),
    ("max_new_tokens", Key::Harmless(GENERATION)),
    ("min_length", Key::Harmless(GENERATION)),
    ("no_repeat_ngram_size", Key::Harmless(GENERATION)),
    ("num_assistant_tokens", Key::Harmless(GENERATION)),
    ("num_assistant_tokens_schedule", Key::Harmless(GENERATION)),
    ("num_beam_groups", Key::Harmless(GENERATION)),
    ("num_beams", Key::Harmless(GENERATION)),
    ("num_return_sequences", Key::Harmless(GENERATION)),
    ("output_scores", Key::Harmless(GENERATION)),
    ("remove_invalid_values", Key::Harmless(GENERATION)),
    ("repetition_penalty", Key::Harmless(GENERATION)),
    ("return_dict_in_generate", Key::Harmless(GENERATION)),
    ("suppress_tokens", Key::Harmless(GENERATION)),
    ("target_lookbehind", Key::Harmless(GENERATION)),
    ("temperature", Key::Harmless(GENERATION)),
    ("top_k", Key::Harmless(GENERATION)),
    ("top_p", Key::Harmless(GENERATION)),
    ("typical_p", Key::Harmless(GENERATION)),
];

/// Refuses a config that asks for what this transformer does not compute.
pub(crate) fn check(map: &Map<String, Value>) -> Result<()> {
    keys::check(map, KEYS, "", "config.json")
}

#[cfg(test)]
mod tests {
    use super::KEYS;

    /// What `to_json_string` of transformers 5.24's LlamaConfig, MistralConfig, Qwen2Config and
    /// Qwen3Config writes, with and without the defaults.
    const TRANSFORMERS: &str = "architectures attention_bias attention_dropout bos_token_id \
        chunk_size_feed_forward dtype eos_token_id head_dim hidden_act hidden_size id2label \
        initializer_range intermediate_size is_encoder_decoder label2id layer_types \
        max_position_embeddings max_window_layers mlp_bias model_type num_attention_heads \
        num_hidden_layers num_key_value_heads output_attentions output_hidden_states pad_token_id \
        pretraining_tp problem_type return_dict rms_norm_eps rope_parameters sliding_window \
        tie_word_embeddings transformers_version use_cache use_sliding_window vocab_size";
    /// What transformers 4 wrote besides.
    const OLDER: &str = "add_cross_attention bad_words_ids begin_suppress_tokens \
        cross_attention_hidden_size decoder_start_token_id diversity_penalty do_sample \
        early_stopping encoder_no_repeat_ngram_size exponential_decay_length_penalty \
        finetuning_task forced_bos_token_id forced_eos_token_id is_decoder length_penalty \
        max_length min_length no_repeat_ngram_size num_beam_groups num_beams \
        num_return_sequences output_scores prefix pruned_heads remove_invalid_values \
        repetition_penalty return_dict_in_generate rope_scaling rope_theta sep_token_id \
        suppress_tokens task_specific_params temperature tf_legacy_loss tie_encoder_decoder \
        tokenizer_class top_k top_p torch_dtype torchscript typical_p use_bfloat16";

    #[test]
    fn every_key_that_transformers_writes_is_in_the_table_once() {
        for key in TRANSFORMERS.split_whitespace().chain(OLDER.split_whitespace()) {
            assert!(KEYS.iter().any(|(known, _)| *known == key), "`{key}` is in no row");
        }
        for (at, (key, _)) in KEYS.iter().enumerate() {
            assert!(!KEYS[..at].iter().any(|(other, _)| other == key), "`{key}` has two rows");
        }
    }
}
