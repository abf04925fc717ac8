//! A document that is edited at random is that of its edits, and every request is answered.
#![no_main]

#[path = "../editing.rs"]
mod editing;

libfuzzer_sys::fuzz_target!(|data: &[u8]| editing::edit(data));
