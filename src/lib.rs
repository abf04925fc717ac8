//! cookc, the compiler for training data.
//!
//! Modules stand in the order of their layers: a file uses what stands above it, never below.
//! ```
//! use cookc::{Split, Template};
//!
//! let template = Template::parse("echo.cook", r#"
//!     param length in 2..64 = 3
//!     level hard: length = 32
//!     words_ ~ distinct(length, vocab)
//!     last   = at(length - 1, words_)
//!     rule ends: last == at(size(words_) - 1, words_)
//!     prompt "Words: {words_}. The last?"
//!     reply "{last}"
//! "#)?;
//! let sampler = template.level("hard").set("length", 12).compile()?;
//! for sample in sampler.samples(Split::Train, 42, 0..3) {
//!     let sample = sample?;
//!     assert!(sampler.score(Split::Train, 42, sample.key.index, &sample.reply)?.exact());
//! }
//! assert_eq!(sampler.score(Split::Eval, 42, 0, "a guess")?.rule("ends"), Some(0.0));
//! # Ok::<(), cookc::Error>(())
//! ```

// What only other features use is unused without them, and no error.
#![cfg_attr(
    not(all(
        feature = "cli",
        feature = "arrow",
        feature = "train",
        feature = "serve",
        feature = "lsp"
    )),
    allow(dead_code, unused_imports)
)]

/// The Rust of the README is compiled and run with the doctests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[doc(hidden)]
pub mod wide;

pub mod disk;

pub mod source;

pub mod stdlib;

pub mod codes;

pub mod diagnostic;

pub mod syntax;

pub mod runtime;

pub mod check;

pub mod ir;

pub mod engine;

pub mod data;

pub mod template;

pub mod search;

#[cfg(feature = "arrow")]
pub mod rows;

#[cfg(feature = "arrow")]
pub mod datasets;

#[cfg(feature = "arrow")]
pub mod align;

#[cfg(feature = "train")]
pub mod ops;

#[cfg(feature = "train")]
pub mod model;

#[cfg(feature = "train")]
pub mod train;

#[cfg(feature = "train")]
pub mod eval;

#[cfg(feature = "train")]
pub mod recipe;

#[cfg(feature = "train")]
pub mod tasks;

#[cfg(feature = "train")]
pub mod mix;

#[cfg(feature = "train")]
pub mod run;

#[cfg(feature = "train")]
pub mod mixer;

#[cfg(feature = "train")]
pub mod study;

#[cfg(feature = "serve")]
pub mod serve;

#[cfg(feature = "lsp")]
pub mod lsp;

#[cfg(feature = "cli")]
pub mod cli;

pub use data::vocab::Vocabulary;
pub use data::{Answer, Split};
#[cfg(feature = "train")]
pub use mix::Curriculum;
#[cfg(feature = "arrow")]
pub use template::TokenRows;
pub use template::{
    Beside, Compile, Error, Findings, Key, Message, Rows, Sample, Sampler, Samples, Score, Template,
};
