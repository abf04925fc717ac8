//! All integration tests, in one binary.

mod corpus;
mod laws;
#[cfg(feature = "train")]
mod run;
mod support;
mod syntax;
#[cfg(feature = "train")]
mod train;
