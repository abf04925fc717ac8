//! `cookc run --dry-run`: what a run would do, without doing it.

use indicatif::{HumanBytes, HumanCount};

use super::setup::{Setup, tokens};
use super::shots::Shots;
use crate::cli::{Failure, console};
use crate::data::layout::Encoded;
use crate::model::Config;
use crate::model::lora::{Lora, TARGETS};
use crate::runtime::Fault;

/// Numbers that a checkpoint has of each weight that learns: itself, and the optimizer's means.
const PARTS: u64 = 3;

/// Samples made to see how long they are.
const MADE: u64 = 256;

/// Prints the whole recipe, the size of the model, the memory and the longest sample.
pub fn print(setup: &Setup) -> Result<(), Failure> {
    let mut text = setup.text.clone();
    let recipe = &setup.recipe;
    let weights = weights(&setup.config);
    let learning = recipe.lora.as_ref().map_or(weights, |lora| adapters(&setup.config, lora));
    text += &format!("\n# {} weights; {} learn\n", HumanCount(weights), HumanCount(learning));
    let (shots, between) = (recipe.data.shots as u64, setup.between_shots().len() as u64);
    let mut longest = 0;
    for (at, part) in setup.lessons.parts.iter().enumerate() {
        let seen = longest_of(setup, at).map_err(|(index, why)| setup.sample_fault(at, index, why));
        let seen = seen?;
        longest = longest.max(seen);
        let bound = match setup.budgets[at] {
            Some(budget) => format!("at most {} tokens", tokens(&budget, shots, between)),
            None => "no bound is known".to_string(),
        };
        let program = part.maker.program();
        text += &format!(
            "# {} ({}): {bound}; the longest of {MADE} samples has {seen}\n",
            program.name,
            part.maker.level()
        );
    }
    let bytes = memory(setup, weights, learning, longest);
    text += &format!("# about {} of memory\n", HumanBytes(bytes));
    let (kept, saved) = (recipe.keep_checkpoints, HumanBytes(learning * 4 * PARTS));
    text += &format!("# about {saved} on the disk a checkpoint; {kept} kept\n");
    console::print(&text)
}

/// Tokens of the longest of some samples, shots and the end included.
fn longest_of(setup: &Setup, at: usize) -> Result<u64, (u64, Fault)> {
    let part = &setup.lessons.parts[at];
    let mut memory = part.maker.memory(crate::data::TRAIN, setup.recipe.data.seed);
    let mut encoded = Encoded::default();
    let mut shots = Shots::new(setup, crate::data::TRAIN);
    let mut longest = 0;
    for index in 0..MADE {
        part.encode(&mut memory, index, &mut encoded).map_err(|why| (index, why))?;
        let before = shots.before(at, index)?.len();
        longest = longest.max((before + encoded.ids.len()) as u64 + 1);
    }
    Ok(longest)
}

/// The weights of a model of this shape.
fn weights(config: &Config) -> u64 {
    let table = config.vocab_size * config.hidden_size;
    let tables = if config.tie_word_embeddings { table } else { 2 * table };
    let block: usize = linears(config).iter().map(|[output, input]| output * input).sum();
    let blocks = config.num_hidden_layers * (block + 2 * config.hidden_size);
    (tables + blocks + config.hidden_size) as u64
}

/// The weights of its adapters.
fn adapters(config: &Config, lora: &Lora) -> u64 {
    let all = lora.targets.iter().any(|target| target == "all-linear");
    let linears = TARGETS.iter().zip(linears(config));
    let chosen = linears.filter(|(name, _)| all || lora.targets.iter().any(|t| t == *name));
    let block: usize = chosen.map(|(_, [output, input])| lora.rank * (output + input)).sum();
    (config.num_hidden_layers * block) as u64
}

/// Outputs and inputs of a block's linears, in the order of [`TARGETS`].
fn linears(config: &Config) -> [[usize; 2]; 7] {
    let (hidden, feed) = (config.hidden_size, config.intermediate_size);
    let queries = config.num_attention_heads * config.head_dim;
    let keys = config.num_key_value_heads * config.head_dim;
    let (square, pair, wide) = ([queries, hidden], [keys, hidden], [feed, hidden]);
    [square, pair, pair, [hidden, queries], wide, wide, [hidden, feed]]
}

/// A rough count of bytes: weights, gradients and means of what learns, and what one pass keeps
/// on each core.
fn memory(setup: &Setup, weights: u64, learning: u64, longest: u64) -> u64 {
    let (config, settings) = (&setup.config, &setup.recipe.train);
    let weight_bytes = if setup.recipe.model.dtype == "f32" { 4 } else { 2 };
    let on_cpu = setup.recipe.model.device != "cuda";
    let default = if on_cpu { 1024 } else { 16_384 };
    let places = settings.tokens_at_once.unwrap_or(default).max(longest as usize) as u64;
    let passes = if on_cpu { rayon::current_num_threads() as u64 } else { 1 };
    // Numbers that a block keeps of a place: stream, norms, queries, keys, values, attention's
    // result and shares, and the three of the feed-forward network.
    let of_block: usize = linears(config).iter().map(|[output, _]| output).sum::<usize>()
        + 4 * config.hidden_size
        + config.num_attention_heads * longest as usize;
    let kept = if settings.recompute { config.hidden_size } else { of_block };
    let of_place = (kept * config.num_hidden_layers + of_block + 3 * config.vocab_size) as u64 * 4;
    // Value, the gradient of each pass of a micro-batch, their sum, that of all micro-batches, and
    // the optimizer's two means.
    let of_micro_batch = (settings.batch as u64 * longest).div_ceil(places);
    let copies = 4 + of_micro_batch + u64::from(settings.accumulate > 1);
    weights * weight_bytes + learning * 4 * copies + passes * places * of_place
}
