//! Passes over all parameters of a model: listed, counted, put into four bits, packed.

use anyhow::{Context, Result};
use candle_core::{DType, Tensor};

use crate::model::network::adapter::Adapter;
use crate::model::network::block::Block;
use crate::model::network::linear::Linear;
use crate::model::network::nf4::Nf4;
use crate::model::network::packed::Packed;
use crate::model::network::parameter::Parameter;
use crate::model::network::transformer::Model;
use crate::model::network::weight::Weight;
use crate::ops::cpu::{has_bf16, has_f32};

impl Model {
    /// The model's own parameters, without adapters; weights in four bits are none.
    pub fn weights(&self) -> Vec<&Parameter> {
        let mut all = vec![&self.embedding];
        for block in &self.blocks {
            all.extend(block.parts().0);
        }
        all.push(&self.norm);
        for linear in self.linears() {
            all.extend(linear.weight.parameter());
            all.extend(&linear.bias);
        }
        all
    }

    /// The parameters of its adapters.
    pub fn adapters(&self) -> Vec<&Parameter> {
        let adapters = self.linears().filter_map(|linear| linear.adapter.as_ref());
        adapters.flat_map(Adapter::parameters).collect()
    }

    /// All of them.
    pub fn parameters(&self) -> Vec<&Parameter> {
        [self.weights(), self.adapters()].concat()
    }

    /// How many numbers that is, those of weights that are packed or in four bits included.
    pub fn count(&self) -> usize {
        let held: usize = self.parameters().iter().map(|one| one.value.elem_count()).sum();
        let fixed = self.linears().filter(|linear| linear.weight.parameter().is_none());
        let shapes = fixed.filter_map(|linear| linear.weight.shape().ok());
        held + shapes.map(|(outputs, inputs)| outputs * inputs).sum::<usize>()
    }

    /// The linears of all blocks, and the head's where it is one.
    pub fn linears(&self) -> impl Iterator<Item = &Linear> {
        let blocks = self.blocks.iter().flat_map(|block| &block.linears);
        blocks.chain(&self.head)
    }

    /// The same, to be changed.
    pub fn linears_mut(&mut self) -> impl Iterator<Item = &mut Linear> {
        let blocks = self.blocks.iter_mut().flat_map(|block| &mut block.linears);
        blocks.chain(&mut self.head)
    }

    /// The trainable parameters: the adapters if there are any, else every weight.
    pub fn trainable(&self) -> Vec<&Parameter> {
        if self.has_adapters() { self.adapters() } else { self.weights() }
    }

    /// The same as [`Model::trainable`], in the same order, to be changed.
    pub fn trainable_mut(&mut self) -> Vec<&mut Parameter> {
        if self.has_adapters() {
            let adapters = self.linears_mut().filter_map(|linear| linear.adapter.as_mut());
            return adapters.flat_map(Adapter::parameters_mut).collect();
        }
        let mut norms = vec![&mut self.embedding];
        let mut linears = Vec::new();
        for block in &mut self.blocks {
            let (block_norms, seven) = block.parts_mut();
            norms.extend(block_norms);
            linears.extend(seven);
        }
        norms.push(&mut self.norm);
        linears.extend(&mut self.head);
        for linear in linears {
            norms.extend(linear.weight.parameter_mut());
            norms.extend(&mut linear.bias);
        }
        norms
    }

    /// Whether it has adapters.
    pub fn has_adapters(&self) -> bool {
        self.linears().any(|linear| linear.adapter.is_some())
    }
}

/// Puts the linears of all blocks into four bits a weight. The embedding table, the norms and the
/// head stay as they are.
///
/// # Errors
/// If a linear has a number of weights that is no multiple of 64.
pub fn quantise(model: &mut Model) -> Result<()> {
    model.blocks.iter_mut().try_for_each(quantise_block)
}

/// The same of one block.
pub(crate) fn quantise_block(block: &mut Block) -> Result<()> {
    for linear in &mut block.linears {
        if let Weight::Plain(Parameter { name, value }) = &linear.weight {
            let nf4 = Nf4::quantise(value).with_context(|| format!("in `{name}`"))?;
            linear.weight = Weight::Nf4(name.clone(), nf4);
        }
    }
    Ok(())
}

/// Packs the frozen matrices of a model, on a machine that is faster so.
///
/// # Errors
/// If a matrix cannot be read.
pub fn pack(model: &mut Model) -> Result<()> {
    let is_faster =
        if model.embedding.value.dtype() == DType::F32 { has_f32() } else { has_bf16() };
    if is_faster && model.device.is_cpu() && model.has_adapters() {
        pack_all(model)?;
    }
    Ok(())
}

/// A copy to infer with: its matrices are packed, on a machine that is faster so. Adapters and
/// norms are shared with the model as it is now.
///
/// # Errors
/// If a matrix cannot be read.
pub fn to_infer(model: &Model) -> Result<Model> {
    let mut model = model.clone();
    let is_faster =
        if model.embedding.value.dtype() == DType::F32 { has_f32() } else { has_bf16() };
    if is_faster && model.device.is_cpu() {
        pack_forward(&mut model)?;
    }
    Ok(model)
}

fn pack_forward(model: &mut Model) -> Result<()> {
    for linear in model.linears_mut().filter(|linear| !linear.has_gain()) {
        if let Weight::Plain(Parameter { name, value }) = &linear.weight
            && can_pack(value)
        {
            linear.weight = Weight::Packed(name.clone(), Packed::to_infer(value)?);
        }
    }
    let table = &model.embedding.value;
    if model.head.is_none() && model.packed_table.is_none() && can_pack(table) {
        model.packed_table = Some(Packed::to_infer(table)?);
    }
    Ok(())
}

fn can_pack(matrix: &Tensor) -> bool {
    matches!(matrix.dtype(), DType::F32 | DType::BF16)
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
    use candle_core::{Device, Tensor};

    use super::*;
    use crate::model::lora::{self, Lora};
    use crate::model::{Config, Gradients, Inputs, Projection, Training, io, weights};

    /// A model in bf16 with adapters, and one in f32 with the same weights.
    fn models(dora: bool) -> Result<[Model; 2]> {
        let mut config = Config::small(40, 24, 28, 2, 4);
        config.num_key_value_heads = 2;
        let (folder, cpu) = (tempfile::tempdir()?, Device::Cpu);
        let fresh = weights::converted(weights::fresh(&config, 1, 0.2, &cpu)?, DType::BF16)?;
        io::save(&fresh, folder.path())?;
        let adapted = |dtype: DType| -> Result<Model> {
            let mut model = io::load(folder.path(), dtype, &cpu)?;
            let lora = Lora { dora, ..Lora::all_linear(4, 8.0) };
            lora::attach(&mut model, &lora, 1)?;
            for parameter in model.trainable_mut() {
                parameter.value = (&parameter.value + 0.01)?;
            }
            Ok(model)
        };
        Ok([adapted(DType::BF16)?, adapted(DType::F32)?])
    }

    fn learn(model: &Model) -> Result<(f64, Gradients)> {
        let ids = (0..20).map(|i| i * 7 % 37).collect();
        let inputs =
            Inputs { batch: 2, time: 10, ids, start: vec![0; 20], branches: Default::default() };
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
        for parameter in half.trainable() {
            let gradient = |of: &Gradients| of.get(&parameter.name).cloned();
            let (found, other) = (gradient(&gradients), gradient(&others));
            let (found, other) = (found.expect("a gradient"), other.expect("a gradient"));
            assert_eq!(distance(&found, &other)?, 0.0, "{}", parameter.name);
        }
        Ok(())
    }

    #[test]
    fn a_model_packed_to_infer_has_the_logits_of_the_model() -> Result<()> {
        let [half, whole] = models(false)?;
        let ids = (0..20).map(|i| i * 7 % 37).collect();
        let branches = Default::default();
        let inputs = Inputs { batch: 2, time: 10, ids, start: vec![0; 20], branches };
        // Numbers of f32 that no bf16 is.
        let mut finer = whole.clone();
        for linear in finer.linears_mut() {
            let parameter = linear.weight.parameter_mut().expect("it is not packed");
            parameter.value = (&parameter.value * 1.001)?;
        }
        for (model, bound) in [(half, 2e-2), (whole, 1e-6), (finer, 1e-6)] {
            let mut packed = model.clone();
            pack_forward(&mut packed)?;
            assert!(packed.linears().all(|linear| linear.weight.parameter().is_none()));
            let off = distance(&packed.logits(&inputs)?, &model.logits(&inputs)?)?;
            assert!(off < bound, "{off}");
            for (packed, plain) in packed.linears().zip(model.linears()) {
                let [packed, plain] = [packed, plain].map(|of| of.weight.matrix(DType::F32));
                assert_eq!(distance(&packed?, &plain?)?, 0.0);
            }
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
            assert!(
                packed.blocks[1].linear(Projection::Down).weight.parameter().is_none(),
                "it is packed"
            );
            assert_eq!(packed.count(), whole.count());
            for (packed, plain) in packed.linears().zip(whole.linears()) {
                let [packed, plain] = [packed, plain].map(|of| of.weight.matrix(DType::F32));
                assert_eq!(distance(&packed?, &plain?)?, 0.0);
            }
            let ((loss, gradients), (expected, others)) = (learn(&packed)?, learn(&whole)?);
            assert!((loss / expected - 1.0).abs() < loss_bound, "{loss}, not {expected}");
            for parameter in packed.trainable() {
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
        let up = whole.blocks[0].linears[Projection::Up as usize]
            .weight
            .parameter_mut()
            .expect("it is not packed");
        up.value = (&up.value * 1.001)?;
        pack_all(&mut whole)?;
        assert!(whole.blocks[0].linear(Projection::Up).weight.parameter().is_some());
        assert!(whole.blocks[0].linear(Projection::Gate).weight.parameter().is_none());
        // What was packed without a loss can be merged.
        let merged =
            [&whole.blocks[0].linear(Projection::Gate), &whole.blocks[0].linear(Projection::Up)]
                .map(|linear| linear.merged());
        assert!(merged.iter().all(Result::is_ok));
        Ok(())
    }
}
