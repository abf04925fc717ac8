//! A model read with a progress bar.

use std::path::Path;

use anyhow::Result;
use candle_core::{DType, Device};

use super::progress::Progress;
use crate::model::Model;
use crate::run::reading;

/// Reads a model, its matrices in that type.
pub fn model(path: &Path, dtype: DType, device: &Device) -> Result<Model> {
    let progress = std::cell::OnceCell::new();
    let read = |_, total| {
        progress.get_or_init(|| Progress::new(total, "reading the model's blocks")).add(1);
    };
    let model = reading::model(path, dtype, device, false, &read);
    if let Some(progress) = progress.get() {
        progress.finish();
    }
    model
}
