//! Inputs that fuzzing found, kept in `fuzz/corpus`, and a short walk through made templates.

use std::path::Path;

#[path = "../../fuzz/properties.rs"]
mod properties;
#[path = "../../fuzz/statements.rs"]
mod statements;
#[path = "../../fuzz/templates.rs"]
mod templates;

fn kept(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(folder).expect("the kept inputs are there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{target} has kept inputs");
    paths.iter().map(|path| std::fs::read(path).expect("readable")).collect()
}

#[test]
fn kept_inputs_of_parse_check_and_fmt_pass() {
    for bytes in kept("parse").into_iter().chain(kept("check")) {
        let text = String::from_utf8_lossy(&bytes);
        properties::parse(&text);
        properties::check(&text);
        properties::format(&bytes);
    }
}

#[test]
fn kept_inputs_of_interpret_vs_jit_pass() {
    for bytes in kept("interpret_vs_jit") {
        properties::interpret_vs_jit(&bytes);
    }
}

#[test]
fn made_templates_mean_the_same_in_both_engines() {
    let programs =
        random(200).take(300).filter(|bytes| properties::interpret_vs_jit(bytes)).count();
    assert!(programs > 100, "most made templates become programs: {programs} of 300");
}

#[test]
fn made_statements_are_formatted_to_the_same_tree() {
    random(60).take(2000).for_each(|bytes| properties::format(&bytes));
}

/// Rows of random bytes, the same in every run.
fn random(length: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut state = 1u64;
    let byte = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 56) as u8
    };
    let mut bytes = std::iter::repeat_with(byte);
    std::iter::repeat_with(move || bytes.by_ref().take(length).collect())
}
