//! Models between those of several runs: their changes to the base averaged, without training.

use anyhow::{Result, bail, ensure};
use candle_core::Tensor;

use crate::model::network::adapter::Adapter;
use crate::model::{Model, Parameter};

/// What a run has changed in its model.
pub enum Change {
    /// The adapters of its linears, in order.
    Adapters(Vec<Option<Adapter>>),
    /// All of its weights, in order.
    Weights(Vec<Tensor>),
}

impl Change {
    /// That of a trained model.
    ///
    /// # Errors
    /// If it has magnitudes (DoRA): low-rank terms alone can be averaged.
    pub fn of(model: &Model) -> Result<Change> {
        if !model.has_adapters() {
            let weights = model.weights().into_iter().map(|one| one.value.clone());
            return Ok(Change::Weights(weights.collect()));
        }
        let adapters: Vec<Option<Adapter>> =
            model.linears().map(|linear| linear.adapter.clone()).collect();
        let has_magnitude = adapters.iter().flatten().any(|one| one.magnitude.is_some());
        ensure!(
            !has_magnitude,
            "`use_dora` trains magnitudes, and only low-rank terms can be averaged: leave it out, \
             or choose `policy = \"cookbook\"`"
        );
        Ok(Change::Adapters(adapters))
    }
}

/// The model with the weighted mean of the changes; `like` is any of the models that they are of.
///
/// The adapters of a linear become one of all their ranks: its product is the weighted sum of their
/// products B·A, which the mean of A and of B is not.
///
/// # Errors
/// If the changes are not of models of one shape.
pub fn averaged(like: &Model, changes: &[&Change], mixture: &[f64]) -> Result<Model> {
    let mut model = like.clone();
    let parts: Vec<(&Change, f64)> = changes
        .iter()
        .copied()
        .zip(mixture.iter().copied())
        .filter(|(_, share)| *share > 0.0)
        .collect();
    if model.has_adapters() {
        for (at, linear) in model.linears_mut().enumerate() {
            let mut stacked = Vec::new();
            for (change, share) in &parts {
                let Change::Adapters(all) = change else { bail!("a run has no adapters") };
                stacked.extend(all[at].as_ref().map(|adapter| (adapter, *share)));
            }
            linear.adapter = stack(&stacked)?;
        }
        return Ok(model);
    }
    for (at, parameter) in model.trainable_mut().into_iter().enumerate() {
        let mut sum = parameter.value.zeros_like()?;
        for (change, share) in &parts {
            let Change::Weights(all) = change else { bail!("a run has adapters") };
            sum = (sum + (&all[at] * *share)?)?;
        }
        parameter.value = sum;
    }
    Ok(model)
}

/// Adapters of one linear side by side, with scale 1.
fn stack(adapters: &[(&Adapter, f64)]) -> Result<Option<Adapter>> {
    let Some((first, _)) = adapters.first() else { return Ok(None) };
    let a: Vec<&Tensor> = adapters.iter().map(|(adapter, _)| &adapter.a.value).collect();
    let scaled = |(adapter, share): &(&Adapter, f64)| &adapter.b.value * (adapter.scale * share);
    let b: Vec<Tensor> = adapters.iter().map(scaled).collect::<candle_core::Result<_>>()?;
    Ok(Some(Adapter {
        a: Parameter::new(first.a.name.clone(), Tensor::cat(&a, 0)?.contiguous()?),
        b: Parameter::new(first.b.name.clone(), Tensor::cat(&b, 1)?.contiguous()?),
        scale: 1.0,
        dropout: 0.0,
        magnitude: None,
    }))
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::model::lora::{self, Lora};
    use crate::model::{Config, Inputs, weights};

    fn adapted(seed: u64, base: &Model) -> Result<Model> {
        let mut model = base.clone();
        lora::attach(&mut model, &Lora::all_linear(2, 4.0), seed)?;
        for (at, parameter) in model.trainable_mut().into_iter().enumerate() {
            let shift = 0.05 * (seed as f64 + at as f64 % 3.0);
            parameter.value = (&parameter.value + shift)?;
        }
        Ok(model)
    }

    #[test]
    fn averaged_adapters_are_the_average_of_the_merged_weights() -> Result<()> {
        let config = Config::small(40, 24, 28, 2, 4);
        let base = weights::fresh(&config, 1, 0.2, &Device::Cpu)?;
        let models = [adapted(1, &base)?, adapted(2, &base)?];
        let changes = [Change::of(&models[0])?, Change::of(&models[1])?];
        let found = averaged(&models[0], &[&changes[0], &changes[1]], &[0.25, 0.75])?;
        let merged = lora::merged(&found)?;
        let parts = [lora::merged(&models[0])?, lora::merged(&models[1])?];
        let matrix = |model: &Model, at: usize| -> Result<Tensor> {
            let linear = model.linears().nth(at).expect("it is there");
            linear.weight.matrix(DType::F32)
        };
        for at in 0..base.linears().count() {
            let wanted = ((matrix(&parts[0], at)? * 0.25)? + (matrix(&parts[1], at)? * 0.75)?)?;
            let off = (matrix(&merged, at)? - wanted)?.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(off < 1e-6, "{off}");
        }
        let branches = Default::default();
        let inputs = Inputs { batch: 1, time: 3, ids: vec![1, 2, 3], start: vec![0; 3], branches };
        found.logits(&inputs)?;
        Ok(())
    }

    #[test]
    fn averaged_weights_of_models_from_scratch_are_their_means() -> Result<()> {
        let config = Config::small(40, 24, 28, 1, 4);
        let models = [1, 2].map(|seed| weights::fresh(&config, seed, 0.2, &Device::Cpu));
        let [first, second] = models;
        let (first, second) = (first?, second?);
        let changes = [Change::of(&first)?, Change::of(&second)?];
        let found = averaged(&first, &[&changes[0], &changes[1]], &[0.5, 0.5])?;
        let both = first.weights().into_iter().zip(second.weights()).zip(found.weights());
        for ((first, second), found) in both {
            let wanted = ((&first.value + &second.value)? * 0.5)?;
            let off = (&found.value - wanted)?.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(off < 1e-6, "{}: {off}", found.name);
        }
        Ok(())
    }

    #[test]
    fn magnitudes_are_refused() -> Result<()> {
        let config = Config::small(40, 24, 28, 1, 4);
        let mut model = weights::fresh(&config, 1, 0.2, &Device::Cpu)?;
        let lora = Lora { dora: true, ..Lora::all_linear(2, 4.0) };
        lora::attach(&mut model, &lora, 1)?;
        assert!(Change::of(&model).is_err_and(|error| error.to_string().contains("use_dora")));
        Ok(())
    }
}
