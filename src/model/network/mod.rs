//! The transformer: its parameters, the linears with their adapters, a block, and the model.

pub mod adapter;
pub(crate) mod block;
pub(crate) mod build;
pub mod gradients;
pub mod linear;
pub mod nf4;
pub mod packed;
pub mod parameter;
pub mod transformer;
pub mod weights;
