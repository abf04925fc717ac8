//! All integration tests, in one binary.

mod cli;
mod corpus;
mod docs;
mod kept;
mod laws;
mod replies;
#[cfg(feature = "train")]
mod run;
mod support;
mod syntax;
mod tidy;
#[cfg(feature = "train")]
mod train;
