//! The samplers.
use crate::ir::Sampler;
use crate::runtime::shape::Shape;
use crate::runtime::{FaultKind, Memory};
pub(crate) fn draw(
    _memory: &mut Memory,
    _sampler: Sampler,
    _stream: u32,
    _shape: Shape,
    _operands: [i64; 3],
) -> Result<i64, FaultKind> {
    Ok(0)
}
