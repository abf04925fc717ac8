//! cookc, the compiler for training data.
//!
//! Modules stand in the order of their layers: a file uses what stands above it, never below.

pub mod source;

pub mod stdlib;

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

pub mod cli;
