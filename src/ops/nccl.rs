//! Tensors of several processes, each with a GPU of its own, brought together by NCCL.
//!
//! Not run on a GPU.

use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use candle_core::cuda_backend::cudarc::nccl::{Comm, Id, result::NcclError};
use candle_core::{CpuStorage, CudaStorage, DType, Device, InplaceOp2, Layout, Tensor};

/// What rank 0 makes, and all ranks need to meet.
pub type Meeting = [u8; 128];

/// One rank's side of the connection of all.
#[derive(Debug)]
pub struct Ranks {
    size: usize,
    connection: Mutex<Connection>,
}

#[derive(Debug)]
struct Connection(Comm);

// SAFETY: NCCL takes calls from any thread, one at a time, which the mutex sees to.
unsafe impl Send for Connection {}

/// Makes what all ranks need to meet. Fails where there is no NCCL.
pub fn meeting() -> Result<Meeting> {
    let id = Id::new().map_err(|error| refused("a meeting", error))?;
    Ok(id.internal().map(|byte| byte as u8))
}

impl Ranks {
    /// Meets the other ranks; each waits for all.
    pub fn join(device: &Device, rank: usize, size: usize, meeting: &Meeting) -> Result<Ranks> {
        let Device::Cuda(device) = device else { bail!("NCCL is for GPUs") };
        let id = Id::uninit(meeting.map(|byte| byte as _));
        let connection = Comm::from_rank(device.cuda_stream(), rank, size, id);
        let connection = Connection(connection.map_err(|error| refused("a connection", error))?);
        Ok(Ranks { size, connection: Mutex::new(connection) })
    }

    /// The `x` `[numbers]` of all ranks, f32, in their order, `[size, numbers]`.
    pub fn gather(&self, x: &Tensor) -> Result<Tensor> {
        let numbers = x.dims1().context("ranks gather rows of numbers")?;
        let all = Tensor::zeros((self.size, numbers), DType::F32, x.device())?;
        all.inplace_op2(&x.contiguous()?, self)?;
        Ok(all)
    }
}

impl InplaceOp2 for Ranks {
    fn name(&self) -> &'static str {
        "gather-ranks"
    }

    fn cpu_fwd(
        &self,
        _: &mut CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> candle_core::Result<()> {
        candle_core::bail!("NCCL is for GPUs")
    }

    fn cuda_fwd(
        &self,
        all: &mut CudaStorage,
        _: &Layout,
        own: &CudaStorage,
        layout: &Layout,
    ) -> candle_core::Result<()> {
        let Some((start, end)) = layout.contiguous_offsets() else {
            candle_core::bail!("the tensor has gaps")
        };
        let own = own.as_cuda_slice::<f32>()?.slice(start..end);
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let done = connection.0.all_gather(&own, all.as_cuda_slice_mut::<f32>()?);
        done.map(|_| ()).map_err(|error| candle_core::Error::msg(refused("a gather", error)))
    }
}

fn refused(what: &str, NcclError(status): NcclError) -> anyhow::Error {
    anyhow::anyhow!("NCCL refused {what}: {status:?}")
}
