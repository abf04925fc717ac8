//! All integration tests, in one binary.

mod laws;
mod support;
#[cfg(feature = "train")]
mod train;
