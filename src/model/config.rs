//! The shape of a model, read from and written as Hugging Face's `config.json`.

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The numbers that fix a Llama-family model, under Hugging Face's names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// `llama` or `mistral`; anything else has parts that this transformer lacks.
    pub model_type: String,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width inside the feed-forward network.
    pub intermediate_size: usize,
    /// Number of blocks.
    pub num_hidden_layers: usize,
    /// Number of query heads.
    pub num_attention_heads: usize,
    /// Number of key and value heads; it divides the number of query heads.
    pub num_key_value_heads: usize,
    /// Width of one head, in general `hidden_size / num_attention_heads`; even.
    pub head_dim: usize,
    /// Number of token ids.
    pub vocab_size: usize,
    /// Largest number of tokens that the model was made for.
    pub max_position_embeddings: usize,
    /// Added to the mean square before its root is taken.
    pub rms_norm_eps: f64,
    /// Base of the rotary angles.
    pub rope_theta: f64,
    /// Whether the head is the embedding table once more.
    pub tie_word_embeddings: bool,
    /// What else the file says, kept for writing it back.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Config {
    /// A Llama of `layers` blocks for `vocab_size` tokens, with tied embeddings and full heads.
    pub fn small(
        vocab_size: usize,
        hidden_size: usize,
        intermediate_size: usize,
        layers: usize,
        heads: usize,
    ) -> Config {
        Config {
            model_type: "llama".into(),
            hidden_size,
            intermediate_size,
            num_hidden_layers: layers,
            num_attention_heads: heads,
            num_key_value_heads: heads,
            head_dim: hidden_size / heads.max(1),
            vocab_size,
            max_position_embeddings: 2048,
            rms_norm_eps: 1e-5,
            rope_theta: 10_000.0,
            tie_word_embeddings: true,
            other: Map::new(),
        }
    }

    /// Reads the text of a `config.json`; whatever would be computed wrongly is refused.
    pub fn from_json(text: &str) -> Result<Config> {
        let mut map: Map<String, Value> =
            serde_json::from_str(text).context("not a JSON object")?;
        map.insert("rope_theta".into(), json!(rope_theta(&map)?));
        map.remove("rope_parameters");
        fill_defaults(&mut map)?;
        let config: Config = serde_json::from_value(Value::Object(map))?;
        config.refuse_unknown_parts()?;
        config.validate()?;
        Ok(config)
    }

    /// The text of a `config.json` that old and new versions of transformers read alike.
    pub fn to_json(&self) -> Result<String> {
        let mut value = serde_json::to_value(self)?;
        let map = value.as_object_mut().context("a config is an object")?;
        let rope = json!({ "rope_theta": self.rope_theta, "rope_type": "default" });
        map.insert("rope_parameters".into(), rope);
        for (key, default) in
            [("architectures", json!(["LlamaForCausalLM"])), ("hidden_act", json!("silu"))]
        {
            map.entry(key).or_insert(default);
        }
        Ok(serde_json::to_string_pretty(&value)? + "\n")
    }

    /// Whether the sizes fit each other.
    pub fn validate(&self) -> Result<()> {
        let (heads, groups) = (self.num_attention_heads, self.num_key_value_heads);
        let sizes = [self.hidden_size, self.intermediate_size, self.vocab_size, heads, groups];
        ensure!(sizes.iter().all(|&size| size > 0), "a size in the model's config is 0: {sizes:?}");
        ensure!(
            heads % groups == 0,
            "num_attention_heads = {heads} is no multiple of num_key_value_heads = {groups}"
        );
        ensure!(
            self.head_dim > 0 && self.head_dim.is_multiple_of(2),
            "head_dim = {} is odd, and rotary positions turn pairs",
            self.head_dim
        );
        Ok(())
    }

    /// The longest text, in tokens, for which full causal attention is what the model means.
    pub fn tokens_max(&self) -> usize {
        let window = self.other.get("sliding_window").and_then(Value::as_u64);
        window
            .map_or(self.max_position_embeddings, |w| self.max_position_embeddings.min(w as usize))
    }

    fn refuse_unknown_parts(&self) -> Result<()> {
        if !matches!(self.model_type.as_str(), "llama" | "mistral") {
            bail!("model_type `{}` is not supported; `llama` and `mistral` are", self.model_type);
        }
        for key in ["attention_bias", "mlp_bias"] {
            if self.other.get(key).and_then(Value::as_bool) == Some(true) {
                bail!("`{key}` is true; only models without biases are supported");
            }
        }
        match self.other.get("hidden_act").and_then(Value::as_str) {
            None | Some("silu") => Ok(()),
            Some(other) => bail!("hidden_act `{other}` is not supported; `silu` is"),
        }
    }
}

/// The rotary base wherever the file's version of transformers puts it; a missing one is refused,
/// since the usual default of 10000 is silently wrong for many models.
fn rope_theta(map: &Map<String, Value>) -> Result<f64> {
    let parameters = map.get("rope_parameters").filter(|value| !value.is_null());
    let scaling = map.get("rope_scaling").filter(|value| !value.is_null());
    for rope in [parameters, scaling].into_iter().flatten() {
        let kind = rope.get("rope_type").or_else(|| rope.get("type")).and_then(Value::as_str);
        if !matches!(kind, None | Some("default")) {
            bail!("rope_type `{}` is not supported; `default` is", kind.unwrap_or_default());
        }
    }
    let old = map.get("rope_theta").and_then(Value::as_f64);
    let new = parameters.and_then(|rope| rope.get("rope_theta")).and_then(Value::as_f64);
    match (old, new) {
        (Some(old), Some(new)) if old != new => {
            bail!("rope_theta is {old} but rope_parameters.rope_theta is {new}")
        }
        (Some(theta), _) | (None, Some(theta)) => Ok(theta),
        (None, None) => bail!("neither rope_theta nor rope_parameters.rope_theta is given"),
    }
}

/// What transformers itself fills in for a key that is left out or null.
fn fill_defaults(map: &mut Map<String, Value>) -> Result<()> {
    map.retain(|_, value| !value.is_null());
    let size = |map: &Map<String, Value>, key: &str| -> Result<u64> {
        map.get(key).and_then(Value::as_u64).with_context(|| format!("`{key}` is missing"))
    };
    let heads = size(map, "num_attention_heads")?;
    ensure!(heads > 0, "`num_attention_heads` is 0");
    let head_dim = size(map, "hidden_size")? / heads;
    map.entry("num_key_value_heads").or_insert(json!(heads));
    map.entry("head_dim").or_insert(json!(head_dim));
    map.entry("tie_word_embeddings").or_insert(json!(false));
    Ok(())
}
