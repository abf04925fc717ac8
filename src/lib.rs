//! cookc, the compiler for training data.
