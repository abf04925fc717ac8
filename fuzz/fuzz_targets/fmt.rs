//! What has no error is formatted to the same tree, once and for all.
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
    properties::format(data);
});
