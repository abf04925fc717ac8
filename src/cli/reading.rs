//! A model read with a progress bar, and the day that its chat template may ask for.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use candle_core::{DType, Device};

use super::progress::Progress;
use crate::model::chat::Date;
use crate::model::{Model, nf4, weights};

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Reads a model, its matrices in that type, or those of its blocks in four bits a weight.
pub fn model(path: &Path, dtype: DType, device: &Device, in_nf4: bool) -> Result<Model> {
    let blocks = weights::load_config(path)?.num_hidden_layers;
    let progress = Progress::new(blocks as u64, "reading the model's blocks");
    let model = weights::load_blocks(path, dtype, device, &mut |block| {
        progress.add(1);
        if in_nf4 { nf4::quantise_block(block) } else { Ok(()) }
    });
    progress.finish();
    model
}

/// Today, in Greenwich.
pub fn today() -> Date {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    Date::of_days(now.map_or(0, |now| now.as_secs() / DAY))
}
