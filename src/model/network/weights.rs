//! The weights of a model that is in no file: made fresh from a seed, listed, in another type.

use anyhow::{Result, bail};
use candle_core::{DType, Device, Tensor};

use crate::model::config::Config;
use crate::model::network::build::build;
use crate::model::network::parameter;
use crate::model::network::transformer::Model;
use crate::model::random;

/// A new model in f32: normal weights of that standard deviation, norms of 1, biases of 0. The
/// same seed gives the same weights on every machine, and each tensor has its own stream.
pub fn fresh(config: &Config, seed: u64, deviation: f64, device: &Device) -> Result<Model> {
    config.validate()?;
    let mut make = |name: &str, shape: &[usize]| {
        if name.ends_with("norm.weight") {
            return Ok(Tensor::ones(shape, DType::F32, device)?);
        }
        if name.ends_with(".bias") {
            return Ok(Tensor::zeros(shape, DType::F32, device)?);
        }
        let values = random::normal(seed, name, shape.iter().product(), deviation);
        Ok(Tensor::from_vec(values, shape, device)?)
    };
    build(config, device, &mut make, &mut |_| Ok(()))
}

/// Name and shape of every tensor of a model, in the order of the forward pass.
pub fn shapes(config: &Config) -> Result<Vec<(String, Vec<usize>)>> {
    config.validate()?;
    let mut shapes = Vec::new();
    let nothing = Tensor::zeros(1, DType::U8, &Device::Cpu)?;
    let mut note = |name: &str, shape: &[usize]| {
        shapes.push((name.to_string(), shape.to_vec()));
        Ok(nothing.clone())
    };
    build(config, &Device::Cpu, &mut note, &mut |_| Ok(()))?;
    Ok(shapes)
}

/// The same model, its weights in another type; an error if that cannot hold one of them.
pub fn converted(mut model: Model, dtype: DType) -> Result<Model> {
    for parameter in model.learning_mut() {
        let converted = parameter.value.to_dtype(dtype)?;
        if !parameter::all_finite(&converted)? {
            let largest = parameter.value.to_dtype(DType::F32)?.abs()?.max_all()?;
            bail!(
                "`{}` has an element of size {:e}, which {} cannot hold; f32 can, and bf16 most",
                parameter.name,
                largest.to_scalar::<f32>()?,
                dtype.as_str()
            );
        }
        parameter.value = converted;
    }
    let name = match dtype {
        DType::BF16 => "bfloat16",
        DType::F16 => "float16",
        _ => "float32",
    };
    // Old and new versions of transformers read one or the other.
    for key in ["dtype", "torch_dtype"] {
        model.config.other.insert(key.into(), name.into());
    }
    Ok(model)
}
