//! cookc, the compiler for training data.

#[cfg(feature = "train")]
pub mod model;
#[cfg(feature = "train")]
pub mod train;
