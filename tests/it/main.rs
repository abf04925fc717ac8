//! One test binary.

mod syntax;
