//! The command line of cookc.
fn main() {}
