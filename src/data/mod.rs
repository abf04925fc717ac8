//! From programs to data: words, texts, token ids, replies read back, and samples in bulk.

pub mod layout;
pub mod longest;
pub mod mix;
pub mod read;
#[cfg(test)]
mod round_trip;
pub mod vocab;
pub mod words;
