//! Every fault that a text can have before anyone asks what it means: one small function each.

pub mod blocks;
pub mod brackets;
pub mod foreign;
pub mod layouts;
pub mod letters;
pub mod meaning;
pub mod miss;
pub mod otherwise;
pub mod rename;
pub mod settings;
pub mod signs;
pub mod statements;
pub mod templates;
pub mod words;
