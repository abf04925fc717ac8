//! How a text is cut before BPE: the patterns behind the names that `tokenizer.ggml.pre` has.
//!
//! GGUF stores a name; what it stands for is a table in llama.cpp (src/llama-vocab.cpp). Patterns
//! are spelled as in the models' own tokenizer.json. An unknown name is refused: a guess would cut
//! texts in other places than the model has learnt.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

/// GPT-2's pattern, which tokenizers' `ByteLevel` has built in.
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const DIGIT: &str = r"\p{N}";
const LLAMA3: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);
const QWEN2: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);
const TEKKEN: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);

/// One way to cut.
pub(super) struct Splits {
    /// The names that it has; the first is written.
    pub(super) names: &'static [&'static str],
    /// Each cuts what the one before has left.
    patterns: &'static [&'static str],
    /// Whether a piece that is a token stays whole, whatever the merges say.
    pub(super) ignore_merges: bool,
    /// Whether a text begins with the token for it where the file does not say.
    pub(super) add_bos: bool,
    /// Whether composed and decomposed letters are made the same first.
    pub(super) compose: bool,
}

const ALL: [Splits; 7] = [
    Splits::new(&["smollm", "starcoder", "refact", "codeshell", "minerva-7b"], &[DIGIT, GPT2]),
    Splits {
        ignore_merges: true,
        add_bos: true,
        ..Splits::new(&["llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "lfm2"], &[LLAMA3])
    },
    Splits::new(&["smaug-bpe", "dbrx"], &[LLAMA3]),
    Splits {
        compose: true,
        ..Splits::new(&["qwen2", "deepseek-r1-qwen", "megrez", "stablelm2"], &[QWEN2])
    },
    Splits { ignore_merges: true, add_bos: true, ..Splits::new(&["tekken"], &[TEKKEN]) },
    Splits::new(&["gpt-2", "phi-2", "mpt", "olmo", "jais", "exaone4"], &[GPT2]),
    Splits::new(&["default"], &[r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"]),
];

impl Splits {
    const fn new(names: &'static [&'static str], patterns: &'static [&'static str]) -> Splits {
        Splits { names, patterns, ignore_merges: false, add_bos: false, compose: false }
    }

    /// Those of a name.
    pub(super) fn named(name: &str) -> Result<&'static Splits> {
        let found = ALL.iter().find(|splits| splits.names.contains(&name));
        found.with_context(|| {
            let names: Vec<&str> = ALL.iter().flat_map(|splits| splits.names).copied().collect();
            format!("tokenizer.ggml.pre `{name}` is not supported; these are: {}", names.join(", "))
        })
    }

    /// Those that the pre-tokenizer of a tokenizer.json makes; how it merges decides between two
    /// that cut alike.
    pub(super) fn of(pre_tokenizer: &Value, ignore_merges: bool) -> Result<&'static Splits> {
        let mut patterns = Vec::new();
        collect(pre_tokenizer, &mut patterns)?;
        let alike = || ALL.iter().filter(|splits| splits.patterns == patterns);
        let same = alike().find(|splits| splits.ignore_merges == ignore_merges);
        same.or_else(|| alike().next()).with_context(|| {
            format!("the tokenizer cuts texts in a way that has no name in GGUF: {patterns:?}")
        })
    }

    /// The pre-tokenizer of a tokenizer.json.
    pub(super) fn to_json(&self) -> Value {
        let cut = |pattern: &&str| {
            json!({
                "type": "Split", "pattern": { "Regex": pattern },
                "behavior": "Isolated", "invert": false,
            })
        };
        let mut all: Vec<Value> = self.patterns.iter().map(cut).collect();
        all.push(json!({
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
            "use_regex": false,
        }));
        json!({ "type": "Sequence", "pretokenizers": all })
    }
}

/// The patterns of a pre-tokenizer, in order.
fn collect(part: &Value, patterns: &mut Vec<String>) -> Result<()> {
    let is = |key: &str| part.get(key).and_then(Value::as_bool).unwrap_or(false);
    let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
    match kind {
        "Sequence" => {
            let all = part.get("pretokenizers").and_then(Value::as_array);
            all.into_iter().flatten().try_for_each(|part| collect(part, patterns))?;
        }
        "Digits" if is("individual_digits") => patterns.push(DIGIT.into()),
        "ByteLevel" => {
            ensure!(!is("add_prefix_space"), "the tokenizer adds a space, which GGUF cannot say");
            // A file that does not say whether it is used is older than the choice.
            if part.get("use_regex").and_then(Value::as_bool).unwrap_or(true) {
                patterns.push(GPT2.into());
            }
        }
        "Split" => {
            let pattern = part.get("pattern").and_then(|pattern| pattern.get("Regex"));
            let behavior = part.get("behavior").and_then(Value::as_str).unwrap_or_default();
            // Keeping the matches and dropping nothing: two ways to say the same.
            let keeps = (behavior == "Isolated" && !is("invert"))
                || (behavior == "Removed" && is("invert"));
            match pattern.and_then(Value::as_str) {
                Some(pattern) if keeps => patterns.push(pattern.into()),
                _ => bail!("the tokenizer cuts with {part}, which has no name in GGUF"),
            }
        }
        other => bail!("the tokenizer's part `{other}` has no name in GGUF"),
    }
    Ok(())
}
