//! Every error that a text can have before anyone asks what it means: one small function each.

pub mod blocks;
pub mod brackets;
pub mod drawn;
pub mod foreign;
pub mod forms;
pub mod keys;
pub mod layouts;
pub mod letters;
pub mod meaning;
pub mod miss;
pub mod otherwise;
pub mod rename;
pub mod rules;
pub mod settings;
pub mod signs;
pub mod statements;
pub mod templates;
pub mod words;
