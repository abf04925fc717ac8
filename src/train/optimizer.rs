//! AdamW (Loshchilov and Hutter 2019), with its means in f32.

use anyhow::{Context, Result};
use candle_core::Tensor;
use rayon::prelude::*;

use crate::model::{Gradients, Parameter};
use crate::ops::{self, Update};
use crate::train::Settings;

/// The optimizer's memory.
#[derive(Clone, Debug)]
pub struct AdamW {
    /// Steps done.
    pub steps: u64,
    /// Of each parameter in the model's order, the running means of its gradient and of that
    /// gradient's square, in its shape.
    pub means: Vec<[Tensor; 2]>,
}

impl AdamW {
    /// No step done, all means 0.
    pub fn new(parameters: &[&Parameter]) -> Result<AdamW> {
        let zeros = |p: &&Parameter| Ok([p.value.zeros_like()?, p.value.zeros_like()?]);
        Ok(AdamW { steps: 0, means: parameters.iter().map(zeros).collect::<Result<_>>()? })
    }

    /// Moves each parameter by its gradient × `factor`.
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
        parameters.into_par_iter().zip(&mut self.means).try_for_each(|(parameter, means)| {
            let gradient = gradients.get(&parameter.name);
            let gradient =
                gradient.with_context(|| format!("`{}` got no gradient", parameter.name))?;
            // The gain of a norm is no matrix: pulling it towards 0 would change the model.
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
            (parameter.value, *means) = ops::adamw(&update, &parameter.value, gradient, means)?;
            Ok(())
        })
    }
}
