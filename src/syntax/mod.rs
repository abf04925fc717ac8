//! Text to tree: [`parse`] gives the tree of what it understood and every fault it met.

pub mod ast;
