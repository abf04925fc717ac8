//! `cookc run --dry-run`: what a run would do, without doing it.

use anyhow::Context;
use indicatif::{HumanBytes, HumanCount};

use crate::cli::{Failure, console};
use crate::data::dataset::Why;
use crate::model::lora::Lora;
use crate::model::{Config, Projection, Recompute, weights};
use crate::run::setup::{Setup, tokens};
use crate::run::shots;
use crate::{mix, mixer};

/// Numbers that a checkpoint has of each trainable parameter: itself, and the optimizer's moments.
const PARTS: u64 = 3;

/// Samples made to see how long they are.
const MADE: u64 = 256;

/// Prints the resolved recipe, the size of the model, the memory and the longest sample.
pub fn print(setup: &Setup) -> Result<(), Failure> {
    let mut text = setup.text.clone();
    let recipe = &setup.recipe;
    let shapes = weights::shapes(&setup.config).context("cannot count the weights")?;
    let weights = shapes.iter().map(|(_, shape)| shape.iter().product::<usize>() as u64).sum();
    let learning = recipe.lora.as_ref().map_or(weights, |lora| adapters(&setup.config, lora));
    text += &format!("\n# {} weights; {} learn\n", HumanCount(weights), HumanCount(learning));
    let (shots, between) = (recipe.data.shots as u64, shots::between_max(&setup.tokenizer));
    let closing = setup.closing.len() as u64;
    let mut longest = 0;
    for (at, part) in setup.dataset.parts.iter().enumerate() {
        let seen = longest_of(setup, at).map_err(|(index, why)| setup.sample_error(at, index, why));
        let seen = seen?;
        longest = longest.max(seen);
        let bound = match setup.budgets[at] {
            Some(budget) => format!("at most {} tokens", tokens(&budget, shots, between, closing)),
            None => "no bound is known".to_string(),
        };
        let program = part.sampler.program();
        text += &format!(
            "# {} ({}): {bound}; the longest of {MADE} samples has {seen}\n",
            program.name,
            part.sampler.level()
        );
    }
    for one in &setup.texts {
        let tokens = one.rows.iter().map(|row| row.ids.len() as u64).max().unwrap_or(0);
        longest = longest.max(tokens);
        text += &format!("# {}: {}\n", one.name, one.about());
    }
    if mix::is_learned(recipe) {
        let (policy, folder) = (&recipe.mix.policy.path, mixer::folder(setup));
        let folder = folder.display();
        text += &format!("# {policy} learns the weights first; its runs are kept in {folder}\n");
    }
    let bytes = memory(setup, weights, learning, longest);
    text += &format!("# about {} of memory\n", HumanBytes(bytes));
    let (kept, saved) = (recipe.keep_checkpoints, HumanBytes(learning * 4 * PARTS));
    text += &format!("# about {saved} on the disk a checkpoint; {kept} kept\n");
    console::print(&text)
}

/// Tokens of the longest of some samples, shots and the end included.
fn longest_of(setup: &Setup, at: usize) -> Result<u64, (u64, Why)> {
    let part = &setup.dataset.parts[at];
    let mut memory = part.sampler.memory(crate::data::Split::Train, setup.recipe.data.seed);
    let mut shots = setup.shots(crate::data::Split::Train);
    let mut longest = 0;
    for index in 0..MADE {
        part.sampler.sample(&mut memory, index).map_err(|why| (index, why.into()))?;
        let encoded = shots.before(at, index, (&memory).into(), false)?;
        longest = longest.max((encoded.ids.len() + setup.closing.len()) as u64);
    }
    Ok(longest)
}

/// The weights of its adapters.
fn adapters(config: &Config, lora: &Lora) -> u64 {
    let all = lora.targets.iter().any(|target| target == "all-linear");
    let chosen = Projection::ALL.into_iter();
    let chosen = chosen.filter(|one| all || lora.targets.iter().any(|name| name == one.name()));
    let shapes = chosen.map(|one| one.shape(config));
    let block: usize = shapes.map(|[output, input]| lora.rank * (output + input)).sum();
    (config.num_hidden_layers * block) as u64
}

/// A rough count of bytes: weights, gradients and moments of trainable parameters, and what one
/// pass keeps on each core.
fn memory(setup: &Setup, weights: u64, learning: u64, longest: u64) -> u64 {
    let (config, settings) = (&setup.config, &setup.recipe.train);
    let weight_bytes = if setup.recipe.model.dtype == "f32" { 4 } else { 2 };
    let linears = Projection::ALL.map(|one| one.shape(config));
    let frozen: usize = linears.iter().map(|[output, input]| output * input).sum();
    let frozen = (frozen * config.num_hidden_layers) as u64;
    // Four bits a weight, and their scales.
    let saved = if setup.recipe.model.nf4 { frozen * weight_bytes - frozen * 13 / 25 } else { 0 };
    let on_cpu = setup.recipe.model.device != "cuda";
    let default = if on_cpu { 512 } else { 16_384 };
    let places = settings.tokens_at_once.unwrap_or(default).max(longest as usize) as u64;
    let passes = if on_cpu { rayon::current_num_threads() as u64 } else { 1 };
    // Numbers that a block keeps of a place: stream, queries, keys, values, attention's result, the
    // stream between, and the gate and up of the feed-forward network.
    let (hidden, feed) = (config.hidden_size, config.intermediate_size);
    let queries = config.num_attention_heads * config.head_dim;
    let keys = config.num_key_value_heads * config.head_dim;
    let without_feed = 2 * (hidden + queries + keys);
    let of_block = without_feed + 2 * feed;
    let kept = match settings.recompute {
        Recompute::None => of_block,
        Recompute::Mlp => without_feed,
        Recompute::Full => hidden,
    };
    let of_place = (kept * config.num_hidden_layers + of_block + 3 * config.vocab_size) as u64 * 4;
    // Value, the gradient of each pass of a micro-batch, their sum, that of all micro-batches, and
    // the optimizer's two means.
    let of_micro_batch = (settings.batch as u64 * longest).div_ceil(places);
    let copies = 4 + of_micro_batch + u64::from(settings.accumulate > 1);
    weights * weight_bytes - saved + learning * 4 * copies + passes * places * of_place
}
