//! What is random in training: noise on embedded tokens (NEFTune, Jain and others 2023), and the
//! key of the adapters' dropout.
//!
//! Each number of a sample's `[tokens, width]` gets one uniform in ±alpha / √(tokens × width). It
//! depends on seed, step and the sample's place in the step alone: so a resumed run has the same,
//! however the samples lie in rows.

use anyhow::Result;
use candle_core::{Device, Tensor};

use crate::model::random;
use crate::train::batch::Pass;

/// What a run's noise depends on.
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    /// Its strength; 0 for none.
    pub alpha: f64,
    /// The seed of the run.
    pub seed: u64,
    /// The step that is being done.
    pub step: u64,
}

impl Noise {
    /// The noise of a pass `[places, width]`, 0 at the filling; none if it has no strength.
    /// `first` is the place in the step of the micro-batch's first sample.
    pub fn of(
        &self,
        pass: &Pass,
        first: usize,
        width: usize,
        device: &Device,
    ) -> Result<Option<Tensor>> {
        if self.alpha == 0.0 {
            return Ok(None);
        }
        let places = pass.inputs.ids.len();
        let mut noise = vec![0f32; places * width];
        for placed in &pass.samples {
            let name = format!("noise/{}/{}", self.step, first + placed.sample);
            let limit = self.alpha / ((placed.tokens * width) as f64).sqrt();
            let of_sample = random::uniform(self.seed, &name, placed.places.len() * width, limit);
            let range = placed.places.start * width..placed.places.end * width;
            noise[range].copy_from_slice(&of_sample);
        }
        Ok(Some(Tensor::from_vec(noise, (places, width), device)?))
    }
}

/// The key of a pass's dropout. It depends on seed, step and the pass's first sample alone.
pub fn dropout_key(seed: u64, step: u64, pass: &Pass, first: usize) -> u64 {
    let sample = first + pass.samples.first().map_or(0, |placed| placed.sample);
    let mut hash = blake3::Hasher::new();
    hash.update(b"cookc dropout 1");
    for number in [seed, step, sample as u64] {
        hash.update(&number.to_le_bytes());
    }
    u64::from_le_bytes(*hash.finalize().as_bytes().first_chunk().expect("a hash has 32 bytes"))
}
