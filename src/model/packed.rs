//! Frozen weights in bf16, packed once for a CPU that multiplies bf16 faster than f32.
//!
//! The pass forwards and the one backwards read a weight along different sides, so each has its
//! own copy: together they take what the weight takes in f32.

use std::sync::Arc;

use anyhow::Result;
use candle_core::{DType, Device, Tensor};

use crate::model::linear::Weight;
use crate::model::ops::cpu::tiles::{Panels, has_bf16};
use crate::model::parameter::Parameter;
use crate::model::transformer::Model;

/// A matrix `[out, in]` in bf16, for products from both sides.
#[derive(Clone, Debug)]
pub struct Packed {
    /// `[in, out]`.
    forward: Arc<Panels>,
    /// `[out, in]`.
    backward: Arc<Panels>,
}

impl Packed {
    /// Packs a matrix, its elements rounded to bf16.
    pub fn pack(matrix: &Tensor) -> Result<Packed> {
        let (outputs, inputs) = matrix.dims2()?;
        let values: Vec<f32> = matrix.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        let forward = Panels::new(inputs, outputs, &values, true);
        let backward = Panels::new(outputs, inputs, &values, false);
        Ok(Packed { forward: Arc::new(forward), backward: Arc::new(backward) })
    }

    /// Outputs and inputs.
    pub fn shape(&self) -> (usize, usize) {
        self.backward.shape()
    }

    /// The matrix `[out, in]`.
    pub fn matrix(&self, dtype: DType) -> Result<Tensor> {
        let (outputs, inputs) = self.shape();
        let places = (0..outputs).flat_map(|row| (0..inputs).map(move |column| (row, column)));
        let values: Vec<f32> = places.map(|(row, column)| self.backward.at(row, column)).collect();
        Ok(Tensor::from_vec(values, (outputs, inputs), &Device::Cpu)?.to_dtype(dtype)?)
    }

    /// `x·Wᵀ`, added to `onto`, whose memory may be used.
    pub fn product(&self, x: &Tensor, onto: Option<Tensor>) -> Result<Tensor> {
        self.forward.product(x, onto)
    }

    /// `dy·W`, added to `onto`.
    pub fn back(&self, dy: &Tensor, onto: Option<Tensor>) -> Result<Tensor> {
        self.backward.product(dy, onto)
    }
}

/// Packs the frozen linears of a model in bf16, on a machine that is faster so.
pub fn pack(model: &mut Model) -> Result<()> {
    if has_bf16() && model.device.is_cpu() && model.has_adapters() {
        pack_all(model)?;
    }
    Ok(())
}

/// DoRA's gains need the matrices as they are.
fn pack_all(model: &mut Model) -> Result<()> {
    let is_bf16 = |value: &Tensor| value.dtype() == DType::BF16;
    for linear in model.linears_mut().filter(|linear| !linear.has_gain()) {
        if let Weight::Plain(Parameter { name, value }) = &linear.weight
            && is_bf16(value)
        {
            linear.weight = Weight::Packed(name.clone(), Packed::pack(value)?);
        }
    }
    if model.head.is_none() && is_bf16(&model.embedding.value) {
        model.packed_table = Some(Packed::pack(&model.embedding.value)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::lora::{self, Lora};
    use crate::model::{Config, Gradients, Inputs, Training, weights};

    /// A model in bf16 that learns by adapters, and one in f32 with the same weights.
    fn models(dora: bool) -> Result<[Model; 2]> {
        let mut config = Config::small(40, 24, 28, 2, 4);
        config.num_key_value_heads = 2;
        let (folder, cpu) = (tempfile::tempdir()?, Device::Cpu);
        let fresh = weights::converted(weights::fresh(&config, 1, 0.2, &cpu)?, DType::BF16)?;
        weights::save(&fresh, folder.path())?;
        let adapted = |dtype: DType| -> Result<Model> {
            let mut model = weights::load(folder.path(), dtype, &cpu)?;
            let lora = Lora { dora, ..Lora::all_linear(4, 8.0) };
            lora::attach(&mut model, &lora, 1)?;
            for parameter in model.learning_mut() {
                parameter.value = (&parameter.value + 0.01)?;
            }
            Ok(model)
        };
        Ok([adapted(DType::BF16)?, adapted(DType::F32)?])
    }

    fn learn(model: &Model) -> Result<(f64, Gradients)> {
        let ids = (0..20).map(|i| i * 7 % 37).collect();
        let inputs = Inputs { batch: 2, time: 10, ids, start: vec![0; 20] };
        let labels: Vec<(u32, u32)> = (0..19).map(|place| (place, place % 11)).collect();
        let mut gradients = Gradients::new(false);
        let loss = model.loss(&inputs, &labels, &Training::default(), &mut gradients)?;
        Ok((loss, gradients))
    }

    fn distance(a: &Tensor, b: &Tensor) -> Result<f64> {
        let norm = |x: &Tensor| -> Result<f64> {
            Ok(f64::from(x.sqr()?.sum_all()?.to_scalar::<f32>()?).sqrt())
        };
        Ok(norm(&(a - b)?)? / norm(b)?)
    }

    #[test]
    fn a_model_in_bf16_computes_in_f32_with_its_weights() -> Result<()> {
        let [half, whole] = models(true)?;
        let ((loss, gradients), (expected, others)) = (learn(&half)?, learn(&whole)?);
        assert_eq!(loss, expected);
        for parameter in half.learning() {
            let gradient = |of: &Gradients| of.get(&parameter.name).cloned();
            let (found, other) = (gradient(&gradients), gradient(&others));
            let (found, other) = (found.expect("a gradient"), other.expect("a gradient"));
            assert_eq!(distance(&found, &other)?, 0.0, "{}", parameter.name);
        }
        Ok(())
    }

    #[test]
    fn what_has_a_gain_is_not_packed() -> Result<()> {
        let [mut half, _] = models(true)?;
        pack_all(&mut half)?;
        assert!(half.linears().all(|linear| linear.weight.parameter().is_some()));
        Ok(())
    }

    #[test]
    fn packed_weights_give_the_loss_and_the_gradients_to_three_digits() -> Result<()> {
        let [mut half, whole] = models(false)?;
        pack_all(&mut half)?;
        assert!(half.blocks[1].down.weight.parameter().is_none(), "it is packed");
        assert_eq!(half.count(), whole.count());
        let matrices = half.linears().zip(whole.linears());
        for (packed, plain) in matrices {
            let (packed, plain) =
                (packed.weight.matrix(DType::F32)?, plain.weight.matrix(DType::F32)?);
            assert_eq!(distance(&packed, &plain)?, 0.0);
        }
        let ((loss, gradients), (expected, others)) = (learn(&half)?, learn(&whole)?);
        assert!((loss / expected - 1.0).abs() < 1e-2, "{loss}, not {expected}");
        for parameter in half.learning() {
            let [found, other] = [&gradients, &others].map(|of| of.get(&parameter.name).cloned());
            let (found, other) = (found.expect("a gradient"), other.expect("a gradient"));
            let off = distance(&found, &other)?;
            assert!(off < 3e-2, "{} is off by {off}", parameter.name);
        }
        Ok(())
    }
}
