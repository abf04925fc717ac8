//! One test binary.

#[cfg(feature = "train")]
mod train;
