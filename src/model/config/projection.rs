//! The seven linears of every block: the one list of them, with their names and shapes.

use super::Config;

/// A linear of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    /// To the queries of all heads.
    Query,
    /// To the keys.
    Key,
    /// To the values.
    Value,
    /// From the results of all heads back to the residual stream.
    Output,
    /// To the gate of the feed-forward network.
    Gate,
    /// To what the gate lets through.
    Up,
    /// From the product of both back to the residual stream.
    Down,
}

use Projection::{Down, Gate, Key, Output, Query, Up, Value};

impl Projection {
    /// All of them, in the order of the forward pass.
    pub const ALL: [Projection; 7] = [Query, Key, Value, Output, Gate, Up, Down];

    /// The names of all, in that order.
    pub const NAMES: [&str; 7] = {
        let mut names = [""; 7];
        let mut at = 0;
        while at < names.len() {
            names[at] = Projection::ALL[at].name();
            at += 1;
        }
        names
    };

    /// Hugging Face's name, such as `q_proj`.
    pub const fn name(self) -> &'static str {
        match self {
            Query => "q_proj",
            Key => "k_proj",
            Value => "v_proj",
            Output => "o_proj",
            Gate => "gate_proj",
            Up => "up_proj",
            Down => "down_proj",
        }
    }

    /// The module of a block that it belongs to: `self_attn` or `mlp`.
    pub const fn part(self) -> &'static str {
        match self {
            Query | Key | Value | Output => "self_attn",
            Gate | Up | Down => "mlp",
        }
    }

    /// Outputs and inputs in a model of that config.
    pub fn shape(self, config: &Config) -> [usize; 2] {
        let (hidden, feed) = (config.hidden_size, config.intermediate_size);
        let queries = config.num_attention_heads * config.head_dim;
        let keys = config.num_key_value_heads * config.head_dim;
        match self {
            Query => [queries, hidden],
            Key | Value => [keys, hidden],
            Output => [hidden, queries],
            Gate | Up => [feed, hidden],
            Down => [hidden, feed],
        }
    }
}
