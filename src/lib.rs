//! cookc, the compiler for training data.
//!
//! Modules stand in the order of their layers: a file uses what stands above it, never below.
//! The way of one template through them:
//!
//! ```
//! use std::sync::Arc;
//!
//! use cookc::data::judge::Judge;
//! use cookc::data::layout::{Escape, Part, TextWriter};
//! use cookc::data::{Maker, TRAIN, pools, vocab::Vocabulary};
//! use cookc::{check, engine, ir, source::Source, syntax};
//!
//! let source = Source::new("echo.cook", r#"
//!     words_ ~ distinct(3, vocab)
//!     last   = at(2, words_)
//!     rule ends: last == at(size(words_) - 1, words_)
//!     prompt "Words: {words_}. The last?"
//!     reply "{last}"
//! "#);
//!
//! // Text to tree to template: every fault is a diagnostic.
//! let (file, faults) = syntax::parse(&source);
//! let (template, more) = check::check(&file, &source, &|_| Err("no files here".into()));
//! assert!(faults.is_empty() && more.is_empty());
//! let template = template.expect("a template without faults");
//!
//! // Template to program, at its defaults, and to machine code.
//! let words = Vocabulary::embedded();
//! let choice = ir::Choice { vocabulary: words.own_len(), ..ir::Choice::default() };
//! let program = Arc::new(ir::lower(&template, &choice).expect("the defaults can be made"));
//! let (words, tokens) = pools(&template, words);
//! let maker = Maker::new(program.clone(), engine::native(program)?, words, tokens);
//!
//! // A sample is a pure function of template, level, split, seed and index.
//! let mut memory = maker.memory(TRAIN, 42);
//! maker.sample(&mut memory, 7).expect("it can be drawn");
//! let texts = TextWriter::new(maker.program(), maker.vocabulary.clone(), Escape::None);
//! let reply = texts.text(Part::Reply, &memory);
//!
//! // The same program judges any reply to it.
//! let judge = Judge::new(&maker);
//! assert_eq!(judge.judge(&reply, &mut memory).mean(), 1.0);
//! assert_eq!(judge.judge("something else", &mut memory).mean(), 0.0);
//! # Ok::<(), anyhow::Error>(())
//! ```

pub mod disk;

pub mod source;

pub mod stdlib;

pub mod codes;

pub mod diagnostic;

pub mod syntax;

pub mod check;

pub mod ir;

pub mod runtime;

pub mod engine;

pub mod data;

#[cfg(feature = "train")]
pub mod model;

#[cfg(feature = "train")]
pub mod train;

#[cfg(feature = "train")]
pub mod eval;

#[cfg(feature = "train")]
pub mod recipe;

#[cfg(feature = "lsp")]
pub mod lsp;

pub mod cli;
