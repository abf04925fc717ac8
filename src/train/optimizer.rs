//! AdamW (Loshchilov and Hutter 2019), with its means in f32.

use anyhow::{Context, Result};
use candle_core::Tensor;
use rayon::prelude::*;

use crate::model::ops::cpu::Slice;
use crate::model::{Gradients, Parameter};
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

/// The numbers of one update; `first` and `second` undo that the means started at 0.
struct Update {
    factor: f64,
    betas: [f64; 2],
    rate: f64,
    decay: f64,
    first: f64,
    second: f64,
    epsilon: f64,
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
            let on_cpu = parameter.value.device().is_cpu();
            let apply = if on_cpu { Update::fused } else { Update::plain };
            let (value, new_means) = apply(&update, &parameter.value, gradient, means)?;
            (parameter.value, *means) = (value, new_means);
            Ok(())
        })
    }
}

impl Update {
    /// In candle's tensor operations, for any device.
    fn plain(
        &self,
        value: &Tensor,
        gradient: &Tensor,
        [m, v]: &[Tensor; 2],
    ) -> Result<(Tensor, [Tensor; 2])> {
        let [b1, b2] = self.betas;
        let g = (gradient * self.factor)?;
        let m = ((m * b1)? + (&g * (1.0 - b1))?)?;
        let v = ((v * b2)? + (g.sqr()? * (1.0 - b2))?)?;
        let root = ((v.sqrt()? / self.second.sqrt())? + self.epsilon)?;
        let change = ((&m / root)? * (self.rate / self.first))?;
        Ok((((value * self.decay)? - change)?, [m, v]))
    }

    /// In one pass over f32 slices.
    fn fused(
        &self,
        value: &Tensor,
        gradient: &Tensor,
        [m, v]: &[Tensor; 2],
    ) -> Result<(Tensor, [Tensor; 2])> {
        let gradient = gradient.contiguous()?;
        let (value, gradient) = (Slice::open(value)?, Slice::open(&gradient)?);
        let (m, v) = (Slice::open(m)?, Slice::open(v)?);
        let mut new = [value.get()?.to_vec(), m.get()?.to_vec(), v.get()?.to_vec()];
        let [value_new, m_new, v_new] = &mut new;
        let [b1, b2] = self.betas.map(|beta| beta as f32);
        let (factor, decay) = (self.factor as f32, self.decay as f32);
        let (rate, root) = ((self.rate / self.first) as f32, self.second.sqrt() as f32);
        let epsilon = self.epsilon as f32;
        let means = m_new.iter_mut().zip(v_new);
        for ((value, g), (m, v)) in value_new.iter_mut().zip(gradient.get()?).zip(means) {
            let g = g * factor;
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *value = *value * decay - rate * *m / (v.sqrt() / root + epsilon);
        }
        let [value_new, m_new, v_new] = new;
        Ok((value.like(value_new)?, [m.like(m_new)?, v.like(v_new)?]))
    }
}
