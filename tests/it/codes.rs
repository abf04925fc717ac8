//! Every code has a page; the wrong example of a page has its error, the right one has none.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use cookc::codes::{self, Page};
use cookc::diagnostic::Severity;
use cookc::source::Source;
use cookc::syntax;

use crate::corpus::outcome;

/// One of the two examples of a page.
struct Example<'a> {
    /// `cook` or `toml`.
    language: &'a str,
    text: &'a str,
    /// The files beside it, with their names.
    beside: Vec<(&'a str, &'a str)>,
    /// What shows the error, where `cookc check` does not.
    command: Option<&'a str>,
}

fn examples(page: &Page) -> [Example<'static>; 2] {
    let (_, rest) = page.text.split_once("\n## Wrong\n").expect("a page has a wrong example");
    let (wrong, right) = rest.split_once("\n## Right\n").expect("a page has a right example");
    [wrong, right].map(|part| example(part, page.code))
}

fn example(part: &'static str, code: &str) -> Example<'static> {
    let mut found = Example { language: "", text: "", beside: Vec::new(), command: None };
    let mut before = "";
    for (at, fenced) in part.split("```").enumerate() {
        if at % 2 == 0 {
            before = fenced;
            continue;
        }
        let (language, text) = fenced.split_once('\n').expect("a block has lines");
        match (language, before.split('`').nth(1)) {
            (_, Some(name)) => found.beside.push((name, text)),
            ("console", None) => found.command = text.trim().strip_prefix("$ cookc "),
            (_, None) => (found.language, found.text) = (language, text),
        }
    }
    if code.starts_with("E7") {
        found.command = Some("run --train example.toml --dry-run");
    }
    assert!(!found.text.is_empty(), "{code}: the example is there");
    found
}

/// The codes that an example gives, the first error first; lints only where nothing is at error.
fn codes_of(example: &Example) -> Vec<String> {
    if let Some(command) = example.command {
        return said(example, command);
    }
    let read = |path: &str| {
        let file = example.beside.iter().find(|(name, _)| *name == path);
        file.map(|(_, text)| text.to_string()).ok_or_else(|| "there is no such file".to_string())
    };
    let (found, _) = outcome(&Source::new("example.cook", example.text), &read);
    let (errors, lints): (Vec<_>, Vec<_>) =
        found.iter().partition(|one| one.severity == Severity::Error);
    errors.iter().chain(&lints).map(|one| one.code.to_string()).collect()
}

fn said(example: &Example, command: &str) -> Vec<String> {
    let (success, text) = run(example, command);
    let codes: Vec<String> =
        text.lines().filter(|line| codes::page(line).is_some()).map(str::to_string).collect();
    assert_eq!(success, codes.is_empty(), "{command}: {text}");
    codes
}

/// Whether a command succeeds beside an example, and what it says.
fn run(example: &Example, command: &str) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    write(&format!("example.{}", example.language), example.text);
    example.beside.iter().for_each(|(name, text)| write(name, text));
    let output = Command::new(env!("CARGO_BIN_EXE_cookc"))
        .args(command.split(' '))
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .output()
        .expect("cookc runs");
    let both = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(both).expect("messages are UTF-8"))
}

/// Errors of cookc itself, which no template shows.
const OURS: [&str; 2] = ["L612", "L613"];

/// Recipes are read by a binary that trains.
fn runs_here(page: &Page) -> bool {
    (cfg!(feature = "train") || !page.code.starts_with("E7")) && !OURS.contains(&page.code)
}

#[test]
fn the_wrong_example_of_a_page_gives_its_code_first() {
    for page in codes::all().iter().filter(|page| runs_here(page)) {
        let [wrong, _] = examples(page);
        let given = codes_of(&wrong);
        // The errors of a template come before the error of the recipe that names it.
        let first = if page.code == "E709" { given.last() } else { given.first() };
        assert_eq!(first.map(String::as_str), Some(page.code), "{given:?}");
    }
}

#[test]
fn the_right_example_of_a_page_has_no_fault_and_no_lint_and_is_formatted() {
    for page in codes::all().iter().filter(|page| runs_here(page)) {
        let [_, right] = examples(page);
        assert_eq!(codes_of(&right), [""; 0], "{}", page.code);
        if right.language == "cook" {
            let source = Source::new("example.cook", right.text);
            assert_eq!(syntax::format(&source).as_deref(), Ok(right.text), "{}", page.code);
        }
    }
}

#[test]
fn the_right_template_of_a_page_passes_the_audit() {
    for page in codes::all().iter().filter(|page| runs_here(page)) {
        let [_, right] = examples(page);
        if right.language == "cook" {
            let (passed, said) = run(&right, "test example.cook -n 300");
            assert!(passed, "{}: {said}", page.code);
        }
    }
}

#[test]
fn every_page_is_named_after_its_code_and_tells_the_cause() {
    for page in codes::all() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/codes/{}.md", page.code));
        assert!(path.is_file(), "{} stands in its own file", page.code);
        assert!(page.cause().len() > 40, "{}: {}", page.code, page.cause());
        assert!(page.title.len() <= 80 && !page.title.ends_with('.'), "{}", page.title);
    }
}

#[test]
fn every_code_in_the_source_has_a_page_and_every_page_is_of_such_a_code() {
    let mut told = BTreeSet::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("the folder is there");
            open.extend(entries.map(|entry| entry.expect("readable").path()));
            continue;
        }
        let text = fs::read_to_string(&path).expect("the source is UTF-8");
        told.extend(text.split('"').filter(|text| is_code(text)).map(str::to_string));
    }
    let pages: BTreeSet<String> = codes::all().iter().map(|page| page.code.to_string()).collect();
    assert_eq!(told, pages);
}

fn is_code(text: &str) -> bool {
    let digits = text.strip_prefix(['E', 'L']);
    digits.is_some_and(|rest| rest.len() == 3 && rest.bytes().all(|byte| byte.is_ascii_digit()))
}
