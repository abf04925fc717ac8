//! Data sets that were written: rows made again, counted, compared with others, described.

mod again;
pub mod card;
pub mod decontaminate;
mod origins;
mod ranges;
pub mod stats;
mod texts;
pub mod verify;

pub use again::{Again, Compared, Difference, Kind, Unknown};
pub use origins::{Attempt, Origins};
pub use texts::{Texts, texts};
