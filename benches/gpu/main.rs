//! Training at the shape of Mistral-7B, or of SmolLM2-135M, on a GPU: tokens/s, peak memory, and
//! the share of the roofline.
//!
//! LoRA of rank 16 on all linears, bf16, random weights, which it writes once to `--folder`.
//! `scripts/gpu-check.sh` runs it, and `peft_side.py` beside it: docs/results/gpu.md.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use candle_core::cuda_backend::cudarc::driver::{result, sys};
use candle_core::{DType, Device};
use clap::Parser;
use cookc::model::{Config, Recompute, io, lora, walk, weights};
use cookc::train::{Example, Schedule, Settings, Trainer};
use safetensors::tensor::{Dtype, TensorView};

/// Steps that are left out: they ask for memory, and compile the kernels.
const WARM_UP: usize = 2;

/// Training at the shape of a known model.
#[derive(Parser)]
struct Options {
    /// `7b` (Mistral's shape, 15 GB) or `135m` (SmolLM2's).
    #[arg(long, default_value = "7b")]
    shape: String,
    /// Where the random model lies, or is to lie.
    #[arg(long, default_value = "/tmp/cookc-random")]
    folder: PathBuf,
    /// Blocks, if not all; fewer for a look at the bench itself.
    #[arg(long)]
    layers: Option<usize>,
    /// Tokens a row.
    #[arg(long, default_value_t = 2048)]
    sequence: usize,
    /// Rows of a step, which go through the model at once.
    #[arg(long, default_value_t = 4)]
    rows: usize,
    /// Steps that are taken; the first two do not count.
    #[arg(long, default_value_t = 8)]
    steps: usize,
    /// `none`, `mlp` or `full`.
    #[arg(long, default_value = "mlp")]
    recompute: String,
    /// The blocks' matrices in four bits a weight (QLoRA).
    #[arg(long)]
    nf4: bool,
    /// Cargo's own flag.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    // tokens/s on an H200 whose products reach 790 TFLOP/s in bf16, all 32 blocks.
    let (recompute, roofline) = match options.recompute.as_str() {
        "none" => (Recompute::None, 25_840.0),
        "mlp" => (Recompute::Mlp, 20_741.0),
        "full" => (Recompute::Full, 17_497.0),
        other => bail!("no `{other}`; write `none`, `mlp` or `full`"),
    };
    let device = match cookc::model::device("cuda", 0) {
        Ok(device) => device,
        Err(why) => {
            println!("NOT RUN: {why:#}");
            return Ok(());
        }
    };
    let config = shape(&options)?;
    let folder = options.folder.join(&options.shape);
    write_once(&folder, &config)?;
    let mut model = io::load(&folder, DType::BF16, &device)?;
    if options.nf4 {
        walk::quantise(&mut model)?;
    }
    lora::attach(&mut model, &lora::Lora::all_linear(16, 32.0), 0)?;
    let tokens = options.rows * options.sequence;
    let settings = Settings {
        steps: options.steps as u64,
        schedule: Schedule::Constant,
        warmup: 0.0,
        tokens_at_once: Some(tokens),
        recompute,
        ..Settings::default()
    };
    let mut trainer = Trainer::new(&mut model, &settings)?;
    let mut seconds = Vec::new();
    for step in 0..options.steps {
        let progress = trainer.step(&rows(&options, step))?;
        println!("step {} loss {:.3} seconds {:.3}", step + 1, progress.loss, progress.seconds);
        seconds.push(progress.seconds);
    }
    let counted = seconds.get(WARM_UP..).filter(|rest| !rest.is_empty()).context("more steps")?;
    let rate = (counted.len() * tokens) as f64 / counted.iter().sum::<f64>();
    let peak = peak_memory(&device)? as f64 / f64::from(1u32 << 30);
    println!("{rate:.0} tokens/s, {peak:.1} GiB at the peak, recompute {}", options.recompute);
    if options.shape == "7b" && options.layers.is_none() && options.sequence == 2048 {
        println!("{:.1} % of an H200's roofline", 100.0 * rate / roofline);
    }
    Ok(())
}

/// Mistral-7B-v0.1, but for the window, which a row of 2,048 tokens does not fill; or SmolLM2-135M.
fn shape(options: &Options) -> Result<Config> {
    let (mut config, groups) = match options.shape.as_str() {
        "7b" => (Config::small(32_000, 4096, 14_336, options.layers.unwrap_or(32), 32), 8),
        "135m" => (Config::small(49_152, 576, 1536, options.layers.unwrap_or(30), 9), 3),
        other => bail!("no shape `{other}`; write `7b` or `135m`"),
    };
    config.num_key_value_heads = groups;
    config.max_position_embeddings = 32_768;
    config.tie_word_embeddings = options.shape == "135m";
    Ok(config)
}

/// One file a block, so that no more than that is in memory at once. All matrices are parts of the
/// same noise: the time of a step does not depend on what they hold.
fn write_once(folder: &Path, config: &Config) -> Result<()> {
    if folder.join("model.safetensors.index.json").exists() {
        return Ok(());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let shapes = weights::shapes(config)?;
    let longest = shapes.iter().map(|(_, shape)| shape.iter().product()).max().unwrap_or(0usize);
    let noise: Vec<u8> = (0..longest as u64).flat_map(|at| noise(at).to_le_bytes()).collect();
    let ones: Vec<u8> = 0x3f80u16.to_le_bytes().repeat(config.hidden_size);
    let mut files: HashMap<String, Vec<(String, TensorView)>> = HashMap::new();
    let mut places = serde_json::Map::new();
    for (name, shape) in shapes {
        let layer = name.split('.').nth(2).filter(|part| part.parse::<u32>().is_ok());
        let file = format!("model-{}.safetensors", layer.unwrap_or("rest"));
        let bytes = 2 * shape.iter().product::<usize>();
        let source = if name.ends_with("norm.weight") { &ones } else { &noise };
        places.insert(name.clone(), file.clone().into());
        let view = TensorView::new(Dtype::BF16, shape, &source[..bytes])?;
        files.entry(file).or_default().push((name, view));
    }
    for (file, tensors) in files {
        safetensors::serialize_to_file(tensors, None, &folder.join(file))?;
    }
    fs::write(folder.join("config.json"), serde_json::to_string(config)?)?;
    let index = serde_json::json!({ "weight_map": places });
    Ok(fs::write(folder.join("model.safetensors.index.json"), index.to_string())?)
}

/// A bf16 between −1/32 and 1/32, by splitmix64's hash.
fn noise(at: u64) -> u16 {
    let mut z = (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let unit = (z >> 40) as f32 / (1u32 << 24) as f32 - 0.5;
    ((unit / 16.0).to_bits() >> 16) as u16
}

/// Rows of which all but the first token are targets.
fn rows(options: &Options, step: usize) -> Vec<Example> {
    let one = |row: usize| {
        let first = (step * options.rows + row) * options.sequence;
        let ids = (first..first + options.sequence).map(|at| u32::from(noise(at as u64)) % 32_000);
        let loss = (0..options.sequence).map(|place| place > 0).collect();
        Example { ids: ids.collect(), loss }
    };
    (0..options.rows).map(one).collect()
}

/// The most bytes that tensors took at one time.
fn peak_memory(device: &Device) -> Result<u64> {
    let Device::Cuda(device) = device else { bail!("the bench is for a GPU") };
    let stream = device.cuda_stream();
    let mut bytes = 0u64;
    let attribute = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH;
    // SAFETY: the context's own device has the pool, and the attribute is a 64-bit number.
    unsafe {
        let pool = result::device::get_mem_pool(stream.context().cu_device())?;
        result::mem_pool::get_attribute(pool, attribute, (&raw mut bytes).cast())?;
    }
    Ok(bytes)
}
