//! What attention's kernels read, as it lies on the GPU.

use anyhow::Result;
use candle_core::{DType, Device, Tensor};

use crate::ops::Attention;

/// Queries `[batch, groups × group, time, width]`, keys and values `[batch, groups, room, width]`.
pub(super) struct Heads {
    pub(super) query: Tensor,
    pub(super) key: Tensor,
    pub(super) value: Tensor,
    /// First column that each query attends to, `[batch × time]`.
    pub(super) starts: Tensor,
    pub(super) scale: f32,
    pub(super) dtype: DType,
    pub(super) on: Device,
    pub(super) batch: usize,
    pub(super) groups: usize,
    pub(super) group: usize,
    pub(super) time: usize,
    pub(super) width: usize,
    /// Columns that are used of `room`.
    pub(super) columns: usize,
    pub(super) room: usize,
}

impl Heads {
    pub(super) fn of(inputs: &Attention) -> Result<Heads> {
        let (batch, count, time, width) = inputs.query.dims4()?;
        let (_, groups, room, _) = inputs.key.dims4()?;
        let on = inputs.query.device().clone();
        let start = &inputs.mask.start;
        Ok(Heads {
            query: inputs.query.contiguous()?,
            key: inputs.key.contiguous()?,
            value: inputs.value.contiguous()?,
            starts: Tensor::from_slice(start, start.len(), &on)?,
            scale: inputs.scale,
            dtype: inputs.query.dtype(),
            on,
            batch,
            groups,
            group: count / groups,
            time,
            width,
            columns: inputs.mask.columns,
            room,
        })
    }

    pub(super) fn count(&self) -> usize {
        self.groups * self.group
    }
}
