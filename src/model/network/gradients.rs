//! The gradients of one backward pass, summed by parameter.

use std::collections::BTreeMap;

use anyhow::Result;
use candle_core::{DType, Tensor};

use crate::ops;

/// Which parameters learn in a pass, and what their gradients add up to, in f32.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// Whether the model's own weights learn; they do unless it has adapters.
    pub of_weights: bool,
    by_name: BTreeMap<String, Tensor>,
}

impl Gradients {
    /// No gradients yet. With `of_weights`, those of the model's own weights will be taken too.
    pub fn new(of_weights: bool) -> Gradients {
        Gradients { of_weights, by_name: BTreeMap::new() }
    }

    /// Adds `gradient` to what the parameter has got so far.
    pub fn add(&mut self, name: &str, gradient: &Tensor) -> Result<()> {
        let gradient = gradient.to_dtype(DType::F32)?;
        let sum = match self.by_name.get(name) {
            Some(before) => ops::sum(&[before, &gradient])?,
            None => gradient,
        };
        self.by_name.insert(name.to_string(), sum);
        Ok(())
    }

    /// Adds `scale × a·b` to what the parameter has got so far.
    pub fn add_product(&mut self, name: &str, scale: f64, a: &Tensor, b: &Tensor) -> Result<()> {
        let sum = match (self.by_name.remove(name), a.dtype()) {
            (Some(before), _) => ops::add_product(before, scale, a, b)?,
            (None, DType::F32) => ops::product(scale, a, b)?,
            // Sums are in f32, whatever the factors are in.
            (None, _) => {
                let shape = (a.dims2()?.0, b.dims2()?.1);
                ops::add_product(Tensor::zeros(shape, DType::F32, a.device())?, scale, a, b)?
            }
        };
        self.by_name.insert(name.to_string(), sum);
        Ok(())
    }

    /// Adds another pass's gradients to these.
    pub fn merge(&mut self, other: Gradients) -> Result<()> {
        other.by_name.iter().try_for_each(|(name, gradient)| self.add(name, gradient))
    }

    /// The gradient of a parameter, in the parameter's shape.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.by_name.get(name)
    }

    /// The root of the sum of all squares.
    pub fn norm(&self) -> Result<f64> {
        Ok(ops::sum_of_squares(&self.by_name.values().collect::<Vec<_>>())?.sqrt())
    }
}
