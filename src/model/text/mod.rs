//! Text and token ids: a model's tokenizer, the files beside it, and its chat template.

pub(crate) mod beside;
pub mod chat;
pub(crate) mod guard;
pub(crate) mod special;
pub mod tokenizer;
