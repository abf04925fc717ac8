//! All integration tests, in one binary.

#[cfg(feature = "arrow")]
mod align;
mod answers;
mod audit;
mod book;
mod bounds;
mod broken;
mod check;
mod cli;
mod codes;
mod corpus;
#[cfg(feature = "arrow")]
mod data;
mod doc;
mod docs;
mod door;
mod editors;
mod embed;
mod fixes;
mod gallery;
mod given;
mod grammar;
mod hostile;
mod judging;
mod kept;
mod laws;
#[cfg(feature = "lsp")]
mod lsp;
#[cfg(feature = "train")]
mod mix;
#[cfg(feature = "train")]
mod mixer;
mod new;
mod promises;
mod reading;
#[cfg(feature = "train")]
mod recipe;
mod replies;
mod rfc008;
#[cfg(feature = "arrow")]
mod rows;
#[cfg(feature = "train")]
mod run;
#[cfg(feature = "train")]
mod run_group;
#[cfg(feature = "train")]
mod run_strangers;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "arrow")]
mod shards;
#[cfg(feature = "train")]
mod study;
mod support;
mod syntax;
#[cfg(feature = "arrow")]
mod synth;
#[cfg(feature = "train")]
mod tasks;
mod tidy;
#[cfg(feature = "train")]
mod train;
#[cfg(feature = "train")]
mod votes;
