//! The values that a call of another language takes, and what is written for it.

use super::reader::Node;

/// One value of a call.
#[derive(Clone, Debug)]
pub struct Given {
    /// Its name, in `k=3`.
    pub name: Option<String>,
    pub node: Node,
    /// Its text in this language.
    pub said: String,
}

/// What is written for a call, how tightly it binds, and whether it says the same for certain.
pub type Written = Option<(String, u8, bool)>;
