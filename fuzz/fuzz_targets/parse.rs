//! Any text parses without a panic, and every error lies inside it.
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

libfuzzer_sys::fuzz_target!(|text: &str| properties::parse(text));
