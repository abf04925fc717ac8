//! Tensors of all ranks: gradients summed, and what a run starts from compared.

use anyhow::{Context, Result, ensure};
use candle_core::{DType, Device, Tensor};

use super::Group;
use crate::model::{Gradients, Parameter};
use crate::ops::nccl::{self, Ranks};

/// Numbers that the GPUs of all ranks gather at once: 64 MiB of each rank.
const GATHERED: usize = 1 << 24;

/// How the ranks sum tensors: their GPUs by NCCL where each has one, else through the ring.
#[derive(Debug)]
pub(in crate::train) struct Exchange<'a> {
    pub(in crate::train) group: &'a Group,
    gpus: Option<Ranks>,
}

impl<'a> Exchange<'a> {
    /// All ranks agree on the way.
    pub(in crate::train) fn new(group: &'a Group, device: &Device) -> Result<Exchange<'a>> {
        Ok(Exchange { group, gpus: by_nccl(group, device)? })
    }

    /// Sums the gradients of `parameters` over all ranks, in f32. A rank that had nothing to learn
    /// from has none, and adds zeros.
    pub(in crate::train) fn sum_gradients(
        &self,
        parameters: &[&Parameter],
        gradients: &Gradients,
    ) -> Result<Gradients> {
        let own = |parameter: &&Parameter| match gradients.get(&parameter.name) {
            Some(gradient) => gradient.flatten_all(),
            None => parameter.value.zeros_like()?.flatten_all(),
        };
        let own = parameters.iter().map(own).collect::<candle_core::Result<Vec<_>>>()?;
        let summed = self.sum(&Tensor::cat(&own, 0)?)?;
        let (mut sums, mut start) = (Gradients::new(gradients.of_weights), 0);
        for parameter in parameters {
            let count = parameter.value.elem_count();
            let sum = summed.narrow(0, start, count)?.reshape(parameter.value.shape())?;
            sums.add(&parameter.name, &sum)?;
            start += count;
        }
        Ok(sums)
    }

    /// The sum of all ranks' `x` `[numbers]`, in the order of the ranks, ((0 + 1) + 2) and so on.
    fn sum(&self, x: &Tensor) -> Result<Tensor> {
        if let Some(gpus) = &self.gpus {
            let count = x.dims1()?;
            let piece = |start: usize| -> Result<Tensor> {
                let own = x.narrow(0, start, GATHERED.min(count - start))?;
                in_order(&gpus.gather(&own)?)
            };
            let pieces = (0..count).step_by(GATHERED).map(piece).collect::<Result<Vec<_>>>()?;
            return Ok(Tensor::cat(&pieces, 0)?);
        }
        let mut numbers = x.to_vec1::<f32>()?;
        self.group.all_reduce(&mut numbers)?;
        Ok(Tensor::from_vec(numbers, x.shape(), x.device())?)
    }
}

/// The sum of rows, one after another: NCCL's own sums run in another order of the ranks for each
/// part, unlike those of one process.
fn in_order(rows: &Tensor) -> Result<Tensor> {
    let first = rows.get(0)?;
    Ok((1..rows.dim(0)?).try_fold(first, |sum, rank| sum + rows.get(rank)?)?)
}

/// The connection of all ranks' GPUs; None unless each rank can have it, and no reason is given:
/// the ring is slower, and does as well. Two ranks on one GPU cannot.
fn by_nccl(group: &Group, device: &Device) -> Result<Option<Ranks>> {
    let all = |own: bool| -> Result<bool> {
        let mut count = [u64::from(own)];
        group.all_reduce(&mut count)?;
        Ok(count == [group.size() as u64])
    };
    if !all(device.is_cuda())? {
        return Ok(None);
    }
    let own = if group.is_first() { nccl::meeting().ok() } else { None };
    let meeting = group.broadcast(own.map(Vec::from).unwrap_or_default())?;
    let Ok(meeting) = meeting.as_slice().try_into() else { return Ok(None) };
    let ranks = Ranks::join(device, group.rank(), group.size(), meeting).ok();
    Ok(if all(ranks.is_some())? { ranks } else { None })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathered_rows_are_summed_in_the_order_of_the_ranks() -> Result<()> {
        let rows: [[f32; 2]; 3] = [[1e8, 1.0], [-1e8, 2.0], [1.0, 4.0]];
        let sum = in_order(&Tensor::new(&rows, &Device::Cpu)?)?.to_vec1::<f32>()?;
        assert_eq!(sum, [(1e8 - 1e8) + 1.0, 7.0]);
        Ok(())
    }
}
