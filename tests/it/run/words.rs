//! Words that are the tokens of a model: how many there are, and how many a template needs.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::cookc;

/// A model that is not read, whose tokenizer knows bytes and these words, and a recipe with its
/// words.
fn place(words: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("a file");
    };
    let mut pieces = vec!["</s>".to_string()];
    pieces.extend((' '..='~').chain(['\n']).map(String::from));
    let mut merges = Vec::new();
    for word in words {
        for end in 2..=word.len() {
            merges.push(json!([word[..end - 1], word[end - 1..end]]));
            pieces.push(word[..end].to_string());
        }
    }
    let vocab: serde_json::Map<String, Value> =
        pieces.into_iter().enumerate().map(|(id, piece)| (piece, json!(id))).collect();
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null,
        "pre_tokenizer": null, "decoder": null, "post_processor": null,
        "added_tokens": [{"id": 0, "content": "</s>", "special": true, "single_word": false,
                          "lstrip": false, "rstrip": false, "normalized": false}],
        "model": {"type": "BPE", "vocab": vocab, "merges": merges, "dropout": null,
                  "unk_token": null, "continuing_subword_prefix": null,
                  "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false},
    });
    write("tokenizer.json", &tokenizer.to_string());
    write("tokenizer_config.json", r#"{"eos_token": "</s>"}"#);
    let config = json!({
        "model_type": "llama", "vocab_size": 256, "hidden_size": 16, "intermediate_size": 32,
        "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2,
        "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 1e4,
        "tie_word_embeddings": true, "eos_token_id": 0, "bos_token_id": 0,
        "architectures": ["LlamaForCausalLM"]
    });
    write("config.json", &config.to_string());
    write("model.safetensors", "");
    write(
        "say.cook",
        "said ~ distinct(5, vocab)\nrule same: said == said\nprompt \"Say {said} :\"\n\
         reply \"{said}\"\n",
    );
    write(
        "tiny.toml",
        "[model]\nbase = \".\"\n[[template]]\nfile = \"say.cook\"\n[data]\nvocab = \"tokenizer\"\n\
         [lora]\nrank = 2\n[train]\nsteps = 2\n",
    );
    folder
}

#[test]
fn a_tokenizer_with_too_few_words_is_told_with_both_numbers() {
    let errors = |words: &[&str]| {
        let folder = place(words);
        let mixed = cookc(folder.path(), &["generate", "tiny.toml", "-n", "2"]);
        let trained = cookc(folder.path(), &["run", "--train", "tiny.toml", "--dry-run"]);
        [mixed, trained].map(|done| {
            let err = done.err.split_whitespace().collect::<Vec<_>>().join(" ");
            (done.code, err.replace("│ ", ""))
        })
    };
    for (code, err) in errors(&["cat", "horse"]) {
        assert_eq!(code, 1, "{err}");
        // The beginnings of words are tokens too: `hor` and `hors`.
        assert!(err.contains("the draw wants 5 elements, `vocab` has 4"), "{err}");
        let help = "the tokenizer has 4 words of three lower-case letters or more that are one \
                    token: write `vocab = 512` below `[data]`";
        assert!(err.contains(help), "{err}");
    }
    for (code, err) in errors(&[]) {
        assert_eq!(code, 1, "{err}");
        assert!(
            err.contains("the tokenizer gives no words: none of its tokens is a word"),
            "{err}"
        );
    }
    assert_eq!(errors(&["cat", "horse", "bird"])[0].0, 0);
}
