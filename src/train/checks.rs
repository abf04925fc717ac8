//! What stops a step before it changes anything: numbers that are none, and adapters cut off.

use std::fmt;

use anyhow::{Result, bail};

use crate::model::{Gradients, Model};
use crate::ops;

/// A step whose loss or gradient is no number. The model and the optimizer are as before it.
#[derive(Clone, Debug, PartialEq)]
pub struct NotFinite {
    /// The step that was not done.
    pub step: u64,
    /// Its loss.
    pub loss: f64,
    /// The length of its gradient.
    pub gradient_norm: f64,
    /// The first of the step's samples that alone gives no number either.
    pub sample: Option<usize>,
}

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let NotFinite { step, loss, gradient_norm, .. } = self;
        write!(f, "at step {step} the loss is {loss} and the gradient's norm {gradient_norm}")?;
        match self.sample {
            Some(sample) => write!(f, "; sample {sample} of the step alone gives no number"),
            None => write!(f, "; each of the step's samples alone gives a number"),
        }
    }
}

impl std::error::Error for NotFinite {}

/// Refuses a half of an adapter that no gradient reaches: it would never learn. A half A behind a
/// B that is all 0 has none yet, so A is looked at only from the second step of a fresh adapter on.
pub fn every_adapter_learns(model: &Model, gradients: &Gradients) -> Result<()> {
    let learning = model.learning();
    for parameter in &learning {
        let gradient = gradients.get(&parameter.name);
        let reached = match gradient {
            Some(gradient) => ops::sum_of_squares(&[gradient])? > 0.0,
            None => false,
        };
        let partner = parameter.name.replace(".lora_A.", ".lora_B.");
        let behind =
            learning.iter().find(|other| other.name == partner && partner != parameter.name);
        let behind_zero = match behind {
            Some(b) => ops::sum_of_squares(&[&b.value])? == 0.0,
            None => false,
        };
        if !reached && !behind_zero {
            let name = &parameter.name;
            bail!(
                "no gradient reaches `{name}`: it would stay as it is; leave it out of `targets`"
            );
        }
    }
    Ok(())
}
