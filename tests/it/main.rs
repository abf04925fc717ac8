//! All integration tests, in one binary.

mod cli;
mod corpus;
mod docs;
mod kept;
mod laws;
mod replies;
mod support;
mod syntax;
mod tidy;
#[cfg(feature = "train")]
mod train;
