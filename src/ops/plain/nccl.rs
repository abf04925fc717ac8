//! A build without NCCL, by which no ranks meet.

use anyhow::{Result, bail};
use candle_core::{Device, Tensor};

/// What rank 0 makes, and all ranks need to meet.
pub type Meeting = [u8; 128];

/// There are none.
#[derive(Debug)]
pub enum Ranks {}

/// Fails.
pub fn meeting() -> Result<Meeting> {
    bail!("this program was built without the feature `nccl`")
}

impl Ranks {
    /// Fails.
    pub fn join(_: &Device, _: usize, _: usize, _: &Meeting) -> Result<Ranks> {
        bail!("this program was built without the feature `nccl`")
    }

    /// Is never called.
    pub fn gather(&self, _: &Tensor) -> Result<Tensor> {
        match *self {}
    }
}
