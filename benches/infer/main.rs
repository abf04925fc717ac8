//! Greedy replies and log-likelihoods of random ids, by a model on this machine's CPU.
//!
//! `cargo bench --bench infer -- MODEL --rows 128 --prompt 54 --new 18`, where MODEL is a folder or
//! a GGUF file. Prints a line of JSON a round: seconds of reading and decoding together, and of
//! scoring items of four choices after one context. `benches/eval/speed.py decode` runs it with
//! `--prompts FILE --new N --items 0 --rounds 2`, of which the last line counts.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use candle_core::{DType, Device};
use clap::Parser;
use cookc::model::infer::likelihood::{Item, Request, log_likelihoods};
use cookc::model::{self, Ends, walk};
use cookc::ops::cpu::heap;

/// Greedy replies and log-likelihoods of random ids.
#[derive(Parser)]
struct Options {
    /// A folder, or a GGUF file.
    model: PathBuf,
    /// f32, or bf16.
    #[arg(long, default_value = "f32")]
    dtype: String,
    /// Prompts from a file with a line of JSON each, with `ids`, in place of random ones.
    #[arg(long)]
    prompts: Option<PathBuf>,
    /// Prompts.
    #[arg(long, default_value_t = 128)]
    rows: usize,
    /// Tokens of a prompt.
    #[arg(long, default_value_t = 54)]
    prompt: usize,
    /// Tokens of a reply.
    #[arg(long, default_value_t = 18)]
    new: usize,
    /// Items of four choices.
    #[arg(long, default_value_t = 100)]
    items: usize,
    /// Tokens of an item's context, and of each choice.
    #[arg(long, num_args = 2, default_values_t = [60, 25])]
    tokens: Vec<usize>,
    /// Rounds.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Cargo's own flag.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    heap::keep();
    rayon::ThreadPoolBuilder::new().num_threads(options.threads).build_global()?;
    let dtype = if options.dtype == "bf16" { DType::BF16 } else { DType::F32 };
    let loaded = model::load(&options.model, dtype, &Device::Cpu)?;
    let start = Instant::now();
    // As `cookc eval` does, which keeps no more than what is packed.
    let model = walk::to_infer(&loaded)?;
    drop(loaded);
    println!("{{\"packing_seconds\": {:.3}}}", start.elapsed().as_secs_f64());
    let vocab = model.config.vocab_size as u64;
    let id = |number: usize| (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) % vocab;
    let ids = |first: usize, count: usize| -> Vec<u32> {
        (first..first + count).map(|number| id(number) as u32).collect()
    };
    let prompts: Vec<Vec<u32>> = match &options.prompts {
        Some(path) => read(path)?,
        None => (0..options.rows).map(|row| ids(row * 1000, options.prompt)).collect(),
    };
    let [context, choice] = [options.tokens[0], options.tokens[1]];
    let item = |number: usize| {
        let request = |at: usize| {
            let own = ids(number * 1000 + at * 100 + 500, choice);
            Request { ids: [ids(number * 1000, context), own].concat(), scored: choice }
        };
        Item { requests: (0..4).map(request).collect() }
    };
    let items: Vec<Item> = (0..options.items).map(item).collect();
    for _ in 0..options.rounds {
        let start = Instant::now();
        // No id ends a reply.
        let replies = model::greedy_until(&model, &prompts, &Ends::default(), options.new)?;
        let decoding = start.elapsed().as_secs_f64();
        let made: usize = replies.iter().map(Vec::len).sum();
        let start = Instant::now();
        let mut sum = 0.0;
        log_likelihoods(&model, &items, &mut |some| {
            sum += some.iter().flatten().map(|one| one.sum).sum::<f64>();
            true
        })?;
        let scoring = start.elapsed().as_secs_f64();
        println!(
            "{{\"dtype\": \"{}\", \"rows\": {}, \"made\": {made}, \
             \"seconds\": {decoding:.3}, \"items\": {}, \
             \"scoring_seconds\": {scoring:.3}, \"sum\": {sum:.6}}}",
            options.dtype,
            prompts.len(),
            options.items
        );
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<Vec<u32>>> {
    #[derive(serde::Deserialize)]
    struct Prompt {
        ids: Vec<u32>,
    }
    let text = std::fs::read_to_string(path)?;
    text.lines().map(|line| Ok(serde_json::from_str::<Prompt>(line)?.ids)).collect()
}
