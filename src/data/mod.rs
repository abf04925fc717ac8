//! From programs to data: words, texts, token ids, replies read back, and samples in bulk.

mod answer;
pub mod audit;
pub mod budget;
pub mod dataset;
mod distinct;
pub mod examples;
pub mod generate;
pub mod grammar;
pub mod judge;
pub mod layout;
pub mod longest;
pub mod normalize;
mod observer;
mod origin;
pub mod output;
pub mod partial;
pub mod preview;
mod promises;
pub mod read;
pub mod rfc008;
#[cfg(test)]
mod round_trip;
pub mod row_judge;
pub mod said;
mod sample_id;
mod sampler;
pub mod shards;
pub mod single;
pub mod sink;
mod split;
mod symbols;
pub mod totals;
pub mod vocab;
pub mod words;

pub use answer::Answer;
pub use distinct::prompts_bits;
pub use observer::{Event, Observer};
pub use origin::Origin;
pub use sample_id::SampleId;
pub use sampler::{Compile, Sampler, Uncompiled};
pub use split::Split;

/// What the level is called where no level is chosen.
pub const DEFAULT_LEVEL: &str = "default";

/// What a level is called, also where no level is chosen.
pub fn level_name(level: &str) -> &str {
    if level.is_empty() { DEFAULT_LEVEL } else { level }
}
