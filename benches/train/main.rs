//! Training steps on prepared batches: what `compare.py` sets beside PEFT.
//!
//! `cargo bench --bench train -- FOLDER --sequence 256 --steps 10`, where `prepare.py` made FOLDER.
//! Prints a line of JSON a step, then the peak of resident memory.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use candle_core::{DType, Device, Tensor};
use clap::Parser;
use cookc::model::{Inputs, io, lora, walk};
use cookc::ops::cpu::heap;
use cookc::train::{Example, Schedule, Settings, Trainer};

/// Training steps on prepared batches.
#[derive(Parser)]
struct Options {
    /// What `prepare.py` made.
    folder: PathBuf,
    /// Tokens a row.
    #[arg(long)]
    sequence: usize,
    /// Steps to take.
    #[arg(long)]
    steps: usize,
    /// f32, or bf16.
    #[arg(long, default_value = "f32")]
    dtype: String,
    /// As PEFT's side has it.
    #[arg(long, default_value_t = 1e-3)]
    learning_rate: f64,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// The adapter, if not the one that `prepare.py` made.
    #[arg(long)]
    adapter: Option<PathBuf>,
    /// Writes the logits of the first row to this file instead of training.
    #[arg(long)]
    logits: Option<PathBuf>,
    /// Places that go through the model at once.
    #[arg(long)]
    tokens_at_once: Option<usize>,
    /// Cargo's own flag.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    heap::keep();
    rayon::ThreadPoolBuilder::new().num_threads(options.threads).build_global()?;
    let dtype = if options.dtype == "bf16" { DType::BF16 } else { DType::F32 };
    let mut model = io::load(&options.folder.join("model"), dtype, &Device::Cpu)?;
    let adapter = options.adapter.unwrap_or(options.folder.join("adapter"));
    lora::load(&mut model, &adapter)?;
    walk::pack(&mut model)?;
    let settings = Settings {
        steps: options.steps as u64,
        learning_rate: options.learning_rate,
        schedule: Schedule::Constant,
        warmup: 0.0,
        tokens_at_once: options.tokens_at_once,
        ..Settings::default()
    };
    let batches = options.folder.join(format!("batches-{}.safetensors", options.sequence));
    let batches = candle_core::safetensors::load(batches, &Device::Cpu)?;
    if let Some(path) = options.logits {
        let ids: Vec<u32> = batches["ids"].get(0)?.get(0)?.to_dtype(DType::U32)?.to_vec1()?;
        let time = ids.len();
        let logits = model.logits(&Inputs {
            batch: 1,
            time,
            ids,
            start: vec![0; time],
            branches: Default::default(),
        })?;
        let logits = HashMap::from([("logits".to_string(), logits.to_dtype(DType::F32)?)]);
        return Ok(candle_core::safetensors::save(&logits, path)?);
    }
    let mut trainer = Trainer::new(&mut model, &settings)?;
    for step in 0..options.steps {
        let examples = examples(&batches["ids"].get(step)?, &batches["labels"].get(step)?)?;
        let cpu = cpu_seconds()?;
        let progress = trainer.step(&examples)?;
        let row = serde_json::json!({
            "step": step + 1,
            "seconds": progress.seconds,
            "cpu_seconds": cpu_seconds()? - cpu,
            "loss": progress.loss,
            "tokens": progress.tokens,
        });
        println!("{row}");
    }
    println!("{}", serde_json::json!({ "peak_memory_bytes": peak_memory()? }));
    Ok(())
}

/// `labels[t]` is what follows place `t`, or −1 where nothing is learnt.
fn examples(ids: &Tensor, labels: &Tensor) -> Result<Vec<Example>> {
    let (ids, labels) = (ids.to_vec2::<i64>()?, labels.to_vec2::<i64>()?);
    let rows = ids.iter().zip(&labels).map(|(ids, labels)| Example {
        ids: ids.iter().map(|&id| id as u32).collect(),
        loss: (0..ids.len()).map(|t| t > 0 && labels[t - 1] >= 0).collect(),
    });
    Ok(rows.collect())
}

/// Seconds of all threads so far, by Linux's count of a hundred a second.
fn cpu_seconds() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = text.rsplit(')').next().context("a name in brackets")?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
}

fn peak_memory() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? * 1024)
}
