//! The habits of CONTRIBUTING.md that a machine can see: names, sizes, words, layers.

mod functions;
mod layers;
mod source;

use source::{root, rust_files};

fn all() -> impl Iterator<Item = (String, String)> {
    ["src", "tests/it", "benches", "fuzz/fuzz_targets", "python/src"]
        .into_iter()
        .flat_map(rust_files)
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
fn no_stub_no_switched_off_test_and_no_sleeping() {
    let words =
        ["todo!(", "unimplemented!(", "#[ignore", "#[should_panic", "thread::sleep", "dbg!("];
    for (name, text) in all().filter(|(name, _)| !name.contains("/tidy/")) {
        for word in words {
            assert!(!text.contains(word), "{name} has {word}");
        }
    }
}

#[test]
fn only_the_command_line_prints() {
    for (name, text) in rust_files("src") {
        let is_shown = name.starts_with("src/cli/") || name == "src/main.rs";
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for word in ["print!(", "println!(", "stdout()", "stderr()"] {
            let says = code.lines().any(|line| line.contains(word) && !line.contains("//"));
            assert!(is_shown || !says, "{name} prints: return it, or emit an event");
        }
    }
}

#[test]
fn features_are_switched_in_seven_files_only() {
    for (name, text) in rust_files("src") {
        // The operations' `mod.rs` has the GPU's path stand for another where it is not built, the
        // table of formats leaves out those that are not, and the front door batches of Arrow's.
        let may = [
            "src/lib.rs",
            "src/main.rs",
            "src/cli/mod.rs",
            "src/data/sink/mod.rs",
            "src/engine/mod.rs",
            "src/ops/mod.rs",
            "src/template/mod.rs",
        ];
        let may = may.contains(&name.as_str());
        assert!(may || !text.contains("cfg(feature"), "{name} switches a feature");
    }
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let read = |name| std::fs::read_to_string(root().join(name)).expect("it is there");
    let text = read("Cargo.toml") + "\n" + &read("python/Cargo.toml");
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
        ("signs of life", "heartbeats"),
        ("written small", "lowercase"),
        ("Maker", "Sampler"),
        ("TextPart::Hole", "TextPart::Placeholder"),
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

#[cfg(unix)]
#[test]
fn what_begins_as_a_script_can_be_run() {
    use std::os::unix::fs::PermissionsExt;

    let mut folders: Vec<_> =
        ["benches", "scripts", "findings", ".ci"].map(|name| root().join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read(&path).expect("a file").starts_with(b"#!") {
                let mode = path.metadata().expect("a file").permissions().mode();
                assert!(mode & 0o111 != 0, "{} cannot be run: chmod +x", path.display());
            }
        }
    }
}
