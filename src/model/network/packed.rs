//! Frozen weights of numbers in bf16, packed once for a CPU that multiplies bf16 faster than f32.
//!
//! A model that computes in bf16 has such weights, and one in f32 too where they were made in bf16,
//! as those of most models are. The pass forwards and the one backwards read a weight along
//! different sides, so each has its own copy: together they take what the weight takes in f32.

use std::sync::Arc;

use anyhow::Result;
use candle_core::{DType, Device, Tensor};

use crate::model::network::linear::Weight;
use crate::model::network::parameter::Parameter;
use crate::model::network::transformer::Model;
use crate::ops::Matrix;
use crate::ops::cpu::tiles::Panels;
use crate::ops::cpu::{Parts, has_bf16, has_f32};

/// A matrix `[out, in]` of numbers in bf16, for products from both sides.
#[derive(Clone, Debug)]
pub struct Packed {
    /// `[in, out]`.
    forward: Arc<Panels>,
    /// `[out, in]`.
    backward: Arc<Panels>,
}

impl Packed {
    /// Packs a matrix of numbers in bf16 for products in its type: in bf16, or in f32. None if it
    /// has other numbers.
    pub fn pack(matrix: &Tensor) -> Result<Option<Packed>> {
        let rows = match matrix.dtype() {
            DType::BF16 => Parts::One,
            DType::F32 if is_whole(matrix)? => Parts::Three,
            _ => return Ok(None),
        };
        let matrix = matrix.to_dtype(DType::F32)?;
        let (forward, backward) = (Panels::new(&matrix.t()?, rows)?, Panels::new(&matrix, rows)?);
        Ok(Some(Packed { forward: Arc::new(forward), backward: Arc::new(backward) }))
    }

    /// Whether what is multiplied with it is rounded to bf16.
    pub(crate) fn is_rounded(&self) -> bool {
        self.backward.rows() == Parts::One
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

    /// The matrix `[in, out]` for products forwards.
    pub(crate) fn forward(&self) -> Matrix {
        Matrix::Packed(self.forward.clone())
    }

    /// The matrix `[out, in]` for products backwards.
    pub(crate) fn backward(&self) -> Matrix {
        Matrix::Packed(self.backward.clone())
    }
}

/// Whether all numbers of a matrix in f32 are bf16's.
fn is_whole(matrix: &Tensor) -> Result<bool> {
    let numbers = matrix.flatten_all()?.to_vec1::<f32>()?;
    Ok(numbers.iter().all(|number| number.to_bits() & 0xffff == 0))
}

/// Packs the frozen matrices of a model, on a machine that is faster so.
pub fn pack(model: &mut Model) -> Result<()> {
    let is_faster =
        if model.embedding.value.dtype() == DType::F32 { has_f32() } else { has_bf16() };
    if is_faster && model.device.is_cpu() && model.has_adapters() {
        pack_all(model)?;
    }
    Ok(())
}

/// DoRA's gains need the matrices as they are.
fn pack_all(model: &mut Model) -> Result<()> {
    for linear in model.linears_mut().filter(|linear| !linear.has_gain()) {
        if let Weight::Plain(Parameter { name, value }) = &linear.weight
            && let Some(packed) = Packed::pack(value)?
        {
            linear.weight = Weight::Packed(name.clone(), packed);
        }
    }
    if model.head.is_none() {
        model.packed_table = Packed::pack(&model.embedding.value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::lora::{self, Lora};
    use crate::model::network::weights;
    use crate::model::{Config, Gradients, Inputs, Training};

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
    fn packed_weights_give_the_loss_and_the_gradients() -> Result<()> {
        let [half, whole] = models(false)?;
        for (mut packed, loss_bound, bound) in [(half, 1e-2, 3e-2), (whole.clone(), 1e-6, 1e-5)] {
            pack_all(&mut packed)?;
            assert!(packed.blocks[1].down.weight.parameter().is_none(), "it is packed");
            assert_eq!(packed.count(), whole.count());
            for (packed, plain) in packed.linears().zip(whole.linears()) {
                let [packed, plain] = [packed, plain].map(|of| of.weight.matrix(DType::F32));
                assert_eq!(distance(&packed?, &plain?)?, 0.0);
            }
            let ((loss, gradients), (expected, others)) = (learn(&packed)?, learn(&whole)?);
            assert!((loss / expected - 1.0).abs() < loss_bound, "{loss}, not {expected}");
            for parameter in packed.learning() {
                let gradient = |of: &Gradients| of.get(&parameter.name).cloned();
                let (found, other) = (gradient(&gradients), gradient(&others));
                let (found, other) = (found.expect("a gradient"), other.expect("a gradient"));
                let off = distance(&found, &other)?;
                assert!(off < bound, "{} is off by {off}", parameter.name);
            }
        }
        Ok(())
    }

    #[test]
    fn weights_in_f32_are_packed_only_if_bf16_has_their_numbers() -> Result<()> {
        let [_, mut whole] = models(false)?;
        let up = whole.blocks[0].up.weight.parameter_mut().expect("it is not packed");
        up.value = (&up.value * 1.001)?;
        pack_all(&mut whole)?;
        assert!(whole.blocks[0].up.weight.parameter().is_some());
        assert!(whole.blocks[0].gate.weight.parameter().is_none());
        // What was packed without a loss can be merged.
        let merged = [&whole.blocks[0].gate, &whole.blocks[0].up].map(|linear| linear.merged());
        assert!(merged.iter().all(Result::is_ok));
        Ok(())
    }
}
