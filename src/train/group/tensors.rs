//! Tensors of all ranks: gradients summed, and what a run starts from compared.

use anyhow::{Context, Result, ensure};
use candle_core::{DType, Tensor};

use super::Group;
use crate::model::{Gradients, Parameter};

/// Sums the gradients of `parameters` over all ranks, in f32. A rank that had nothing to learn
/// from has none, and adds zeros.
pub(in crate::train) fn sum_gradients(
    group: &Group,
    parameters: &[&Parameter],
    gradients: &Gradients,
) -> Result<Gradients> {
    let mut numbers = Vec::new();
    for parameter in parameters {
        match gradients.get(&parameter.name) {
            Some(gradient) => numbers.extend(gradient.flatten_all()?.to_vec1::<f32>()?),
            None => numbers.resize(numbers.len() + parameter.value.elem_count(), 0.0),
        }
    }
    group.all_reduce(&mut numbers)?;
    let mut sums = Gradients::new(gradients.of_weights);
    let mut rest = &numbers[..];
    for parameter in parameters {
        let (own, others) = rest.split_at(parameter.value.elem_count());
        let shape = parameter.value.shape().clone();
        sums.add(&parameter.name, &Tensor::from_slice(own, shape, parameter.value.device())?)?;
        rest = others;
    }
    Ok(sums)
}

/// Fails unless all ranks are after the same step with the same tensors, bit for bit.
pub(in crate::train) fn expect_same<'a>(
    group: &Group,
    steps: u64,
    tensors: impl Iterator<Item = &'a Tensor>,
) -> Result<()> {
    let mut hasher = blake3::Hasher::new();
    for tensor in tensors {
        let numbers = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        hasher.update(bytemuck::cast_slice(&numbers));
    }
    let own = [&steps.to_le_bytes()[..], hasher.finalize().as_bytes()].concat();
    let first = group.broadcast(own.clone())?;
    let steps_first = first.first_chunk().context("rank 0 says nothing of its step")?;
    let (rank, steps_first) = (group.rank(), u64::from_le_bytes(*steps_first));
    ensure!(
        steps == steps_first,
        "rank {rank} goes on after step {steps}, rank 0 after step {steps_first}: give all ranks \
         the same run folder"
    );
    ensure!(own == first, "rank {rank} starts from other weights than rank 0: give all the same");
    Ok(())
}
