//! The habits of CONTRIBUTING.md that a machine can see.

use std::path::{Path, PathBuf};

/// The layers, left to right: a file may use what stands to its left.
const LAYERS: [&str; 21] = [
    "disk",
    "source",
    "stdlib",
    "codes",
    "diagnostic",
    "syntax",
    "check",
    "ir",
    "runtime",
    "engine",
    "data",
    "template",
    "ops",
    "model",
    "train",
    "recipe",
    "eval",
    "run",
    "lsp",
    "cli",
    "main",
];

/// What a layer must not use although it stands to its left.
const APART: [(&str, &[&str]); 5] = [
    (
        "ops",
        &[
            "disk",
            "source",
            "stdlib",
            "codes",
            "diagnostic",
            "syntax",
            "check",
            "ir",
            "runtime",
            "engine",
            "data",
            "template",
        ],
    ),
    ("model", &["syntax", "check", "ir", "runtime", "engine", "data"]),
    ("train", &["syntax", "check", "ir", "runtime", "engine", "data"]),
    ("eval", &["train"]),
    ("lsp", &["ir", "runtime", "engine", "model", "train", "recipe", "eval", "run"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = vec![root().join(folder)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("the folder is there");
            open.extend(entries.map(|entry| entry.expect("readable").path()));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.strip_prefix(root()).expect("below the root").display().to_string();
            found.push((name, std::fs::read_to_string(&path).expect("UTF-8")));
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{folder} has files");
    found
}

fn all() -> impl Iterator<Item = (String, String)> {
    ["src", "tests/it", "benches", "fuzz/fuzz_targets"].into_iter().flat_map(rust_files)
}

#[test]
fn every_file_opens_with_one_sentence_about_it() {
    for (name, text) in all() {
        assert!(text.starts_with("//! "), "{name} opens with a `//!` sentence");
    }
}

#[test]
fn files_have_at_most_500_lines_of_at_most_100_columns() {
    for (name, text) in all() {
        let lines = text.lines().count();
        assert!(lines <= 500, "{name} has {lines} lines");
        // Help texts are folded by the terminal's width, not by ours.
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.contains("\\\"")) {
            assert!(line.chars().count() <= 100, "{name}:{} is longer than 100 columns", at + 1);
        }
    }
}

#[test]
fn functions_have_at_most_70_lines() {
    for (name, text) in rust_files("src") {
        let mut start: Option<(usize, usize)> = None;
        for (at, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let begins = ["fn ", "pub fn ", "pub(crate) fn ", "unsafe fn ", "const fn "]
                .iter()
                .any(|word| line.trim_start().starts_with(word));
            if start.is_none() && begins && !line.trim_end().ends_with(';') {
                start = Some((at, indent));
            }
            if let Some((first, depth)) = start
                && line.trim_end() == format!("{}}}", " ".repeat(depth))
            {
                let lines = at - first + 1;
                assert!(lines <= 70, "{name}:{} has a function of {lines} lines", first + 1);
                start = None;
            }
        }
    }
}

#[test]
fn a_file_uses_only_layers_to_its_left() {
    for (name, text) in rust_files("src") {
        let layer = name.split('/').nth(1).expect("below src").trim_end_matches(".rs");
        let Some(at) = LAYERS.iter().position(|known| *known == layer) else {
            assert_eq!(layer, "lib", "{name} belongs to no layer");
            continue;
        };
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for used in line.split("crate::").skip(1) {
                let used: String =
                    used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let Some(other) = LAYERS.iter().position(|known| *known == used) else { continue };
                assert!(other <= at, "{name} uses `{used}`, which stands to its right");
                let apart = APART.iter().find(|(known, _)| *known == layer);
                let refused = apart.is_some_and(|(_, all)| all.contains(&used.as_str()));
                assert!(!refused, "{name} uses `{used}`, from which it is kept apart");
            }
        }
    }
}

#[test]
fn unsafe_stands_in_its_own_files_and_each_block_says_why_it_is_sound() {
    for (name, text) in rust_files("src") {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let opens = code.contains("unsafe {") || code.contains("unsafe fn");
            if !opens || code.contains("deny") {
                continue;
            }
            let named = [
                "engine/jit.rs",
                "runtime/lanes.rs",
                "cpu/amx.rs",
                "cpu/heap.rs",
                "cpu/packing.rs",
                "cpu/pairs.rs",
                "cpu/product.rs",
                "cuda/driver.rs",
            ];
            assert!(named.iter().any(|file| name.ends_with(file)), "{name}:{} is unsafe", at + 1);
            let before = &lines[at.saturating_sub(6)..=at];
            let told =
                before.iter().any(|line| line.contains("SAFETY") || line.contains("# Safety"));
            assert!(told, "{name}:{}: `SAFETY:` says who guarantees what", at + 1);
        }
    }
}

#[test]
fn no_stub_no_switched_off_test_and_no_sleeping() {
    let words =
        ["todo!(", "unimplemented!(", "#[ignore", "#[should_panic", "thread::sleep", "dbg!("];
    for (name, text) in all().filter(|(name, _)| !name.ends_with("tidy.rs")) {
        for word in words {
            assert!(!text.contains(word), "{name} has {word}");
        }
    }
}

#[test]
fn features_are_switched_in_five_files_only() {
    for (name, text) in rust_files("src") {
        // The operations' `mod.rs` has the GPU's path stand for another where it is not built.
        let may =
            ["src/lib.rs", "src/main.rs", "src/cli/mod.rs", "src/engine/mod.rs", "src/ops/mod.rs"];
        let may = may.contains(&name.as_str());
        assert!(may || !text.contains("cfg(feature"), "{name} switches a feature");
    }
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let text = std::fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml is there");
    let (mut inside, mut told) = (false, false);
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line.contains("dependencies]");
            told = false;
        } else if line.starts_with('#') {
            told = true;
        } else if line.is_empty() {
            told = false;
        } else if inside && line.contains(" = ") {
            assert!(told, "no sentence stands above `{line}`");
        }
    }
}

#[test]
fn words_that_nobody_searches_for_do_not_come_back() {
    // What a reader expects stands right; what the project once said, left.
    let gone = [
        ("hangs on", "depends on"),
        ("mended", "fixed"),
        ("whole number", "integer"),
        ("is at fault", "is invalid"),
        ("wrong use", "usage error"),
        ("Severity::Fault", "Severity::Error"),
    ];
    let pages = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(String::from);
    let pages = pages.into_iter().chain(super::book::pages()).map(|name| {
        let text = std::fs::read_to_string(root().join(&name)).expect("UTF-8");
        (name, text)
    });
    for (name, text) in rust_files("src").into_iter().chain(pages) {
        for (word, better) in gone {
            assert!(!text.contains(word), "{name} says `{word}`: write `{better}`");
        }
    }
}
