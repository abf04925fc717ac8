//! The families of models that this transformer computes: one row says all that they differ in.

/// What sets a family apart from the others.
pub(crate) struct Family {
    /// The `model_type` of its `config.json`.
    pub(crate) model_type: &'static str,
    /// The class of transformers that goes with it.
    pub(crate) class: &'static str,
    /// What transformers 5.24 takes for what a file leaves out.
    pub(crate) defaults: Defaults,
    /// Which layers have a window.
    pub(crate) window: Window,
    /// Whether queries, keys and values have biases.
    pub(crate) inner_bias: Bias,
    /// The same of attention's output.
    pub(crate) output_bias: Bias,
    /// The same of the feed-forward network.
    pub(crate) feed_bias: Bias,
    /// Keys of `config.json` that this family takes without a part of its own for them.
    pub(crate) unused_keys: &'static [&'static str],
    /// Whether the queries and keys of each head are normed before they are rotated.
    pub(crate) norms_heads: bool,
    /// Its architecture in a GGUF file; families that share one differ in the window.
    pub(crate) gguf: Option<Gguf>,
}

/// Sizes that a file may leave out, as transformers fills them in.
pub(crate) struct Defaults {
    pub(crate) vocab_size: u64,
    pub(crate) hidden_size: u64,
    pub(crate) intermediate_size: u64,
    pub(crate) num_hidden_layers: u64,
    pub(crate) num_attention_heads: u64,
    /// None for as many as there are query heads.
    pub(crate) num_key_value_heads: Option<u64>,
    /// None for `hidden_size / num_attention_heads`.
    pub(crate) head_dim: Option<u64>,
    pub(crate) max_position_embeddings: u64,
    /// Tokens of a window; None where a silent file has none.
    pub(crate) sliding_window: Option<u64>,
}

/// Which layers attend to a window of the last tokens alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    /// None.
    Never,
    /// All, if the config has a `sliding_window`.
    Always,
    /// Those that `layer_types` names, or those from `max_window_layers` on, if
    /// `use_sliding_window` is true.
    ByLayer,
}

/// Whether linears of a block add a bias.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bias {
    /// They do not.
    Never,
    /// They do.
    Always,
    /// They do if this key of the config is true.
    If(&'static str),
}

/// What a family is in a GGUF file.
#[derive(Clone, Copy)]
pub(crate) struct Gguf {
    /// llama.cpp's name of the architecture.
    pub(crate) architecture: &'static str,
    /// Whether rows of queries and keys lie so that RoPE rotates neighbours of a head, where
    /// Hugging Face rotates its two halves.
    pub(crate) rotates_neighbours: bool,
}

impl Family {
    /// The sizes that a silent file gets, under the config's keys.
    pub(crate) fn sizes(&self) -> [(&'static str, u64); 6] {
        let of = &self.defaults;
        [
            ("vocab_size", of.vocab_size),
            ("hidden_size", of.hidden_size),
            ("intermediate_size", of.intermediate_size),
            ("num_hidden_layers", of.num_hidden_layers),
            ("num_attention_heads", of.num_attention_heads),
            ("max_position_embeddings", of.max_position_embeddings),
        ]
    }

    /// Whether a key that switches biases on may be true.
    pub(crate) fn takes(&self, key: &str) -> bool {
        let biases = [self.inner_bias, self.output_bias, self.feed_bias];
        self.unused_keys.contains(&key)
            || biases.iter().any(|bias| matches!(bias, Bias::If(known) if *known == key))
    }
}

/// The family of that `model_type`.
pub(crate) fn family(model_type: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.model_type == model_type)
}

const LLAMA_GGUF: Option<Gguf> = Some(Gguf { architecture: "llama", rotates_neighbours: true });
const QWEN_SIZES: Defaults = Defaults {
    vocab_size: 151_936,
    hidden_size: 4096,
    intermediate_size: 22016,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: Some(32),
    head_dim: None,
    max_position_embeddings: 32768,
    sliding_window: Some(4096),
};

/// One row a family.
pub(crate) const FAMILIES: [Family; 4] = [
    Family {
        model_type: "llama",
        class: "LlamaForCausalLM",
        defaults: Defaults {
            vocab_size: 32000,
            hidden_size: 4096,
            intermediate_size: 11008,
            num_hidden_layers: 32,
            num_attention_heads: 32,
            num_key_value_heads: None,
            head_dim: None,
            max_position_embeddings: 2048,
            sliding_window: None,
        },
        window: Window::Never,
        inner_bias: Bias::If("attention_bias"),
        output_bias: Bias::If("attention_bias"),
        feed_bias: Bias::If("mlp_bias"),
        unused_keys: &[],
        norms_heads: false,
        gguf: LLAMA_GGUF,
    },
    Family {
        model_type: "mistral",
        class: "MistralForCausalLM",
        defaults: Defaults {
            vocab_size: 32000,
            hidden_size: 4096,
            intermediate_size: 14336,
            num_hidden_layers: 32,
            num_attention_heads: 32,
            num_key_value_heads: Some(8),
            head_dim: None,
            max_position_embeddings: 131_072,
            // The first one's; null says that a file has none.
            sliding_window: Some(4096),
        },
        window: Window::Always,
        inner_bias: Bias::Never,
        output_bias: Bias::Never,
        feed_bias: Bias::Never,
        unused_keys: &[],
        norms_heads: false,
        gguf: LLAMA_GGUF,
    },
    Family {
        model_type: "qwen2",
        class: "Qwen2ForCausalLM",
        defaults: QWEN_SIZES,
        window: Window::ByLayer,
        inner_bias: Bias::Always,
        output_bias: Bias::Never,
        feed_bias: Bias::Never,
        unused_keys: &["attention_bias"],
        norms_heads: false,
        gguf: Some(Gguf { architecture: "qwen2", rotates_neighbours: false }),
    },
    Family {
        model_type: "qwen3",
        class: "Qwen3ForCausalLM",
        defaults: Defaults { head_dim: Some(128), ..QWEN_SIZES },
        window: Window::ByLayer,
        inner_bias: Bias::If("attention_bias"),
        output_bias: Bias::If("attention_bias"),
        feed_bias: Bias::Never,
        unused_keys: &[],
        norms_heads: true,
        gguf: Some(Gguf { architecture: "qwen3", rotates_neighbours: false }),
    },
];
