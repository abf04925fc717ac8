//! Any text is checked and lowered without a panic, and every error has its help.
#![no_main]

#[path = "../properties.rs"]
#[allow(dead_code)]
mod properties;
#[path = "../statements.rs"]
#[allow(dead_code)]
mod statements;
#[path = "../templates.rs"]
#[allow(dead_code)]
mod templates;

libfuzzer_sys::fuzz_target!(|text: &str| properties::check(text));
