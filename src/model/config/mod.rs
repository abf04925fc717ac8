//! The shape of a model, read from and written as Hugging Face's `config.json`.

mod keys;
mod projection;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::model::families::{Bias, FAMILIES, Family, Window, family};
use crate::model::files::keys::shown;
use crate::model::rope::{self, Scaling};
pub use projection::Projection;

/// The first layers of a Qwen with a window see all; so many where the file is silent on it.
const QWEN_FULL_LAYERS: u64 = 28;
/// What transformers takes for the epsilon of the norms in a file that leaves it out.
const EPSILON: f64 = 1e-6;

/// The numbers that fix a Llama-family model, under Hugging Face's names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// `llama`, `mistral`, `qwen2` or `qwen3`; anything else has parts that this transformer lacks.
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
    /// How those angles were slowed down for longer texts.
    #[serde(skip)]
    pub rope_scaling: Scaling,
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
            rope_scaling: Scaling::Default,
            tie_word_embeddings: true,
            other: Map::new(),
        }
    }

    /// Reads the text of a `config.json`; whatever would be computed wrongly is refused.
    pub fn from_json(text: &str) -> Result<Config> {
        let mut map = crate::model::files::json::object(text)?;
        // Of a family that cannot be read, nothing else is worth a word.
        expect_family(&map)?;
        keys::check(&map)?;
        fill_defaults(&mut map)?;
        let (theta, scaling) = rope::take(&mut map)?;
        map.insert("rope_theta".into(), json!(theta));
        expect_kinds(&map)?;
        let mut config: Config = serde_json::from_value(Value::Object(map))?;
        config.rope_scaling = scaling;
        config.validate()?;
        config.refuse_unknown_parts()?;
        Ok(config)
    }

    /// The text of a `config.json` that old and new versions of transformers read alike.
    pub fn to_json(&self) -> Result<String> {
        let mut value = serde_json::to_value(self)?;
        let map = value.as_object_mut().context("a config is an object")?;
        let rope = rope::parameters(self.rope_theta, &self.rope_scaling)?;
        if self.rope_scaling != Scaling::Default {
            map.insert("rope_scaling".into(), rope.clone());
        }
        map.insert("rope_parameters".into(), rope);
        let class = self.family().class;
        for (key, default) in [("architectures", json!([class])), ("hidden_act", json!("silu"))] {
            map.entry(key).or_insert(default);
        }
        Ok(serde_json::to_string_pretty(&value)? + "\n")
    }

    /// Whether the sizes fit each other, and a computer.
    pub fn validate(&self) -> Result<()> {
        /// Ten times what the largest models have, and small enough that no product overflows.
        const SIZE_MAX: usize = 1 << 22;
        const LAYERS_MAX: usize = 4096;
        let (heads, groups) = (self.num_attention_heads, self.num_key_value_heads);
        for (name, size, most) in [
            ("hidden_size", self.hidden_size, SIZE_MAX),
            ("intermediate_size", self.intermediate_size, SIZE_MAX),
            ("vocab_size", self.vocab_size, SIZE_MAX),
            ("num_hidden_layers", self.num_hidden_layers, LAYERS_MAX),
            ("num_attention_heads", heads, SIZE_MAX),
            ("num_key_value_heads", groups, SIZE_MAX),
            ("head_dim", self.head_dim, SIZE_MAX),
            ("max_position_embeddings", self.max_position_embeddings, usize::MAX),
        ] {
            ensure!(size > 0, "`{name}` is 0 in the model's config");
            ensure!(size <= most, "`{name}` is {size} in the model's config; {most} is the most");
        }
        ensure!(
            heads % groups == 0,
            "num_attention_heads = {heads} is no multiple of num_key_value_heads = {groups}"
        );
        ensure!(
            self.head_dim.is_multiple_of(2),
            "head_dim = {} is odd, and rotary positions turn pairs",
            self.head_dim
        );
        self.rope_scaling.validate(self.head_dim)?;
        let eps = self.rms_norm_eps;
        ensure!(eps.is_finite() && eps >= 0.0, "rms_norm_eps is {eps}");
        let blind = (0..self.num_hidden_layers).any(|layer| self.window(layer) == Some(0));
        ensure!(!blind, "`sliding_window` is 0 in the model's config");
        Ok(())
    }

    /// The longest text, in tokens, that the model was made for.
    pub fn tokens_max(&self) -> usize {
        self.max_position_embeddings
    }

    /// How many tokens a token of that layer sees, itself included; None where it sees all.
    pub fn window(&self, layer: usize) -> Option<usize> {
        let whole = |key: &str| self.other.get(key).and_then(Value::as_u64);
        let window = whole("sliding_window").map(|tokens| tokens as usize);
        let slides = match self.family().window {
            Window::Always => true,
            Window::ByLayer if self.says("use_sliding_window") => {
                let kinds = self.other.get("layer_types").and_then(Value::as_array);
                let kind = kinds.and_then(|kinds| kinds.get(layer)?.as_str());
                let full = whole("max_window_layers").unwrap_or(QWEN_FULL_LAYERS);
                kind.map_or(layer as u64 >= full, |kind| kind == "sliding_attention")
            }
            Window::Never | Window::ByLayer => false,
        };
        window.filter(|_| slides)
    }

    /// Whether a linear of the blocks adds a bias.
    pub fn has_bias(&self, projection: Projection) -> bool {
        use Projection::{Down, Gate, Key, Output, Query, Up, Value};
        let family = self.family();
        let bias = match projection {
            Query | Key | Value => family.inner_bias,
            Output => family.output_bias,
            Gate | Up | Down => family.feed_bias,
        };
        match bias {
            Bias::Never => false,
            Bias::Always => true,
            Bias::If(key) => self.says(key),
        }
    }

    /// Whether the queries and keys of each head are normed before they are turned.
    pub fn norms_heads(&self) -> bool {
        self.family().norms_heads
    }

    /// The row of its family; a config made by hand of another one is taken for a Llama.
    pub(crate) fn family(&self) -> &'static Family {
        family(&self.model_type).unwrap_or(&FAMILIES[0])
    }

    fn says(&self, key: &str) -> bool {
        self.other.get(key).and_then(Value::as_bool) == Some(true)
    }

    /// What the table of keys leaves to this: values that depend on the family, or on each other.
    fn refuse_unknown_parts(&self) -> Result<()> {
        for key in ["attention_bias", "mlp_bias", "use_sliding_window"] {
            let value = self.other.get(key).unwrap_or(&Value::Null);
            let known = matches!(value, Value::Null | Value::Bool(_));
            ensure!(known, "`{key}` is {}; write true or false", shown(value));
        }
        for key in ["sliding_window", "max_window_layers"] {
            let value = self.other.get(key).unwrap_or(&Value::Null);
            let known = value.is_null() || value.is_u64();
            ensure!(known, "`{key}` is {}; write a number of at least 0, or null", shown(value));
        }
        for key in ["attention_bias", "mlp_bias"] {
            let odd = self.says(key) && !self.family().takes(key);
            ensure!(!odd, "`{key}` is true, and a `{}` has no such biases", self.model_type);
        }
        match self.other.get("hidden_act") {
            None => {}
            Some(act) if act == "silu" || act == "swish" => {}
            Some(act) => bail!("hidden_act {} is not supported; `silu` is", shown(act)),
        }
        self.refuse_odd_windows()
    }

    /// Where a file says of a layer's window two things of which transformers takes one, and other
    /// programs the other, neither is taken.
    fn refuse_odd_windows(&self) -> Result<()> {
        let (family, layers) = (self.model_type.as_str(), self.num_hidden_layers);
        let named = self.other.get("sliding_window").and_then(Value::as_u64);
        let narrow = named.is_some_and(|window| window < self.max_position_embeddings as u64);
        let Some(kinds) = self.other.get("layer_types") else {
            ensure!(
                !(self.family().window == Window::Never && narrow),
                "`sliding_window` is {}, and a `{family}` has no window in transformers' forward \
                 pass, but one in its cache: write null, or model_type `mistral`",
                named.unwrap_or_default()
            );
            return Ok(());
        };
        let Some(kinds) = kinds.as_array() else { bail!("`layer_types` is {}", shown(kinds)) };
        let count = kinds.len();
        ensure!(count == layers, "`layer_types` has {count} entries for {layers} layers");
        for (layer, kind) in kinds.iter().enumerate() {
            let slides = match kind.as_str() {
                Some("full_attention") => false,
                Some("sliding_attention") => true,
                _ => bail!(
                    "layer_types has {}; `full_attention` and `sliding_attention` are supported",
                    shown(kind)
                ),
            };
            let has_window = self.window(layer).is_some();
            // A window that is as wide as the longest text is none.
            let same = slides == has_window || (has_window && !narrow);
            ensure!(
                same,
                "`layer_types` says `{}` of layer {layer}, and the other settings of a `{family}` \
                 say that it {}: make sliding_window, use_sliding_window and layer_types agree",
                kind.as_str().unwrap_or_default(),
                if has_window { "has a window" } else { "has none" }
            );
        }
        Ok(())
    }
}

/// Fails with the key's name where a value is not of its kind; serde's message has none.
fn expect_kinds(map: &Map<String, Value>) -> Result<()> {
    for key in [
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "head_dim",
        "vocab_size",
        "max_position_embeddings",
    ] {
        let value = map.get(key).with_context(|| format!("`{key}` is missing"))?;
        ensure!(value.is_u64(), "`{key}` is {}; write an integer", shown(value));
    }
    let eps = map.get("rms_norm_eps").context("`rms_norm_eps` is missing")?;
    ensure!(eps.is_number(), "`rms_norm_eps` is {}; write a number", shown(eps));
    let tied = map.get("tie_word_embeddings").unwrap_or(&Value::Null);
    ensure!(tied.is_boolean(), "`tie_word_embeddings` is {}; write true or false", shown(tied));
    Ok(())
}

fn expect_family(map: &Map<String, Value>) -> Result<()> {
    let kind = map.get("model_type").unwrap_or(&Value::Null);
    ensure!(!kind.is_null(), "`model_type` is missing");
    if !FAMILIES.iter().any(|family| kind == family.model_type) {
        let known: Vec<&str> = FAMILIES.iter().map(|family| family.model_type).collect();
        let (kind, known) = (kind.as_str().unwrap_or("no text"), known.join(", "));
        bail!("model_type `{kind}` is not supported; these are: {known}");
    }
    Ok(())
}

/// What transformers itself fills in for a key that is left out or null.
fn fill_defaults(map: &mut Map<String, Value>) -> Result<()> {
    let name = map.get("model_type").and_then(Value::as_str).unwrap_or_default();
    let family = family(name).with_context(|| format!("no family `{name}`"))?;
    if let Some(window) = family.defaults.sliding_window {
        map.entry("sliding_window").or_insert(json!(window));
    }
    for (key, size) in family.sizes() {
        map.entry(key).or_insert(json!(size));
    }
    map.entry("rms_norm_eps").or_insert(json!(EPSILON));
    let null = map.iter().find(|(key, value)| {
        value.is_null()
            && (*key == "rms_norm_eps" || family.sizes().iter().any(|(known, _)| known == key))
    });
    if let Some((key, _)) = null {
        bail!("`{key}` is null; write a number, or leave the key out");
    }
    let silent_on_keys = !map.contains_key("num_key_value_heads");
    map.retain(|_, value| !value.is_null());
    let size = |map: &Map<String, Value>, key: &str| -> Result<u64> {
        map.get(key).and_then(Value::as_u64).with_context(|| format!("`{key}` is missing"))
    };
    let heads = size(map, "num_attention_heads")?;
    ensure!(heads > 0, "`num_attention_heads` is 0");
    let keys = family.defaults.num_key_value_heads.filter(|_| silent_on_keys).unwrap_or(heads);
    let head_dim = match family.defaults.head_dim {
        Some(head_dim) => head_dim,
        None => size(map, "hidden_size")? / heads,
    };
    map.entry("num_key_value_heads").or_insert(json!(keys));
    map.entry("head_dim").or_insert(json!(head_dim));
    map.entry("tie_word_embeddings").or_insert(json!(false));
    Ok(())
}
