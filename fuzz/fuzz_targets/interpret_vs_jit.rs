//! Whatever becomes a program makes and judges the same in both engines.
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

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::interpret_vs_jit(data);
});
