//! The language server: what an editor shows of a `.cook` file while it is written.
//!
//! [`serve`] is the message loop. It owns a [`Server`], which keeps the open documents and answers
//! one request at a time from plain data: the tokens, the tree and the check of a document, which
//! are made once after each change. A request that is cancelled before its turn is not begun.

mod analysis;
mod capabilities;
mod complete;
mod context;
mod describe;
mod diagnostics;
mod dispatch;
mod format;
mod hints;
mod hover;
mod navigate;
mod place;
mod read;
mod rename;
mod sample;
mod serve;
mod server;
mod signature;
mod symbols;
mod text;
mod tokens;

pub use serve::{Ending, serve};
pub use server::{Outside, Server};
