//! Every fault that a text can have before anyone asks what it means: one small function each.

pub mod brackets;
pub mod letters;
pub mod meaning;
pub mod miss;
pub mod signs;
pub mod statements;
pub mod words;
