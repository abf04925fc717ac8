//! AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101), with its moments in f32.

use anyhow::{Context, Result};
use candle_core::Tensor;
use rayon::prelude::*;

use crate::model::{Gradients, Parameter};
use crate::ops::{self, Update};
use crate::train::Settings;

/// The optimizer's state.
#[derive(Clone, Debug)]
pub struct AdamW {
    /// Steps done.
    pub steps: u64,
    /// First and second moments of each parameter in the model's order: the running moments of its
    /// gradient and of that gradient's square, in its shape.
    pub moments: Vec<[Tensor; 2]>,
}

impl AdamW {
    /// No step done, all moments 0.
    ///
    /// # Errors
    /// If the device has no room.
    pub fn new(parameters: &[&Parameter]) -> Result<AdamW> {
        let zeros = |p: &&Parameter| Ok([p.value.zeros_like()?, p.value.zeros_like()?]);
        Ok(AdamW { steps: 0, moments: parameters.iter().map(zeros).collect::<Result<_>>()? })
    }

    /// Moves each parameter by its gradient × `factor`.
    ///
    /// # Errors
    /// If a parameter received no gradient, or the device fails.
    pub fn step(
        &mut self,
        parameters: Vec<&mut Parameter>,
        gradients: &Gradients,
        factor: f64,
        learning_rate: f64,
        settings: &Settings,
    ) -> Result<()> {
        self.steps += 1;
        let [b1, b2] = settings.betas;
        let steps = self.steps as f64;
        parameters.into_par_iter().zip(&mut self.moments).try_for_each(|(parameter, moments)| {
            let gradient = gradients.get(&parameter.name);
            let gradient =
                gradient.with_context(|| format!("`{}` got no gradient", parameter.name))?;
            // The gain of a norm is no matrix: decay would change the model.
            let decay = if parameter.value.rank() > 1 { settings.weight_decay } else { 0.0 };
            let is_second_half = parameter.name.contains(".lora_B.");
            let ratio = if is_second_half { settings.lora_plus_ratio } else { 1.0 };
            let rate = learning_rate * ratio;
            let update = Update {
                factor,
                betas: settings.betas,
                rate,
                decay: 1.0 - rate * decay,
                first: 1.0 - b1.powf(steps),
                second: 1.0 - b2.powf(steps),
                epsilon: settings.epsilon,
            };
            (parameter.value, *moments) = ops::adamw(&update, &parameter.value, gradient, moments)?;
            Ok(())
        })
    }
}
