//! Tree to typed template: names, types, roles and layout are proved here.

pub mod types;
