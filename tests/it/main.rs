//! All integration tests, in one binary.

mod corpus;
mod laws;
mod support;
mod syntax;
#[cfg(feature = "train")]
mod train;
