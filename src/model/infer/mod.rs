//! What a trained model says: greedy replies to batches, one reply token by token, and their ends.

pub mod decode;
pub mod ends;
pub mod likelihood;
pub mod sampling;
