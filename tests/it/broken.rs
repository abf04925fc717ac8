//! Files as people with habits of other languages write them: what is said, and what `--fix` makes.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The broken files of `tests/broken`, in order. `NAME.fixed.cook` beside one is what `--fix` makes
/// of it, `NAME.unsafe.cook` is what `--fix --unsafe-fixes` makes of it where that differs.
fn broken() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .filter(|path| {
            let name = path.to_string_lossy();
            let is_wanted = name.ends_with(".fixed.cook") || name.ends_with(".unsafe.cook");
            name.ends_with(".cook") && !is_wanted
        })
        .collect();
    files.sort();
    assert!(files.len() >= 100, "{} files", files.len());
    files
}

/// What `cookc check` finds in a folder's `a.cook`, a JSON object each.
fn found(folder: &Path, more: &[&str]) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_cookc"))
        .args(["check", "a.cook", "--format", "json"])
        .args(more)
        .current_dir(folder)
        .output()
        .expect("cookc runs");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

fn errors(found: &[Value]) -> Vec<&str> {
    let is_error = |one: &&Value| one["level"] == "error";
    found.iter().filter(is_error).filter_map(|one| one["code"].as_str()).collect()
}

#[test]
fn a_fix_ends_in_the_wanted_text_or_leaves_the_file_alone_and_brings_no_error() {
    holds(&["--fix"], &["fixed.cook"]);
}

#[test]
fn an_unsafe_fix_ends_in_the_wanted_text_or_leaves_the_file_alone_and_brings_no_error() {
    holds(&["--fix", "--unsafe-fixes"], &["unsafe.cook", "fixed.cook"]);
}

/// The first of the files beside one is what these fixes end in; without any, they leave it alone.
fn holds(fixes: &[&str], wanted: &[&str]) {
    let mut wrong = String::new();
    for path in broken() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.cook");
        let before = fs::read_to_string(&path).expect("the corpus is UTF-8");
        let beside = |end: &&str| fs::read_to_string(path.with_extension(end)).ok();
        let wanted = wanted.iter().find_map(beside);
        // Some fixes of the file are sure, the others are not.
        let goes_on = fixes.len() == 1 && beside(&"unsafe.cook").is_some();
        fs::write(&file, &before).expect("a file");
        let told = found(folder.path(), &[]);
        let left = found(folder.path(), fixes);
        let after = fs::read_to_string(&file).expect("a file");
        let name = path.file_stem().expect("a name").to_string_lossy();
        // An error without a fix is left whatever is made.
        let is_fixable = |one: &&Value| one["fix"] != Value::Array(Vec::new());
        let goes_on = goes_on
            || !told.iter().filter(|one| one["level"] == "error").all(|one| is_fixable(&one));
        let (told, left) = (errors(&told), errors(&left));
        let kinds = |codes: &[&str]| -> BTreeSet<String> {
            codes.iter().map(|code| code.to_string()).collect()
        };
        let fewer = after == before || left.len() < told.len();
        if !fewer || !kinds(&left).is_subset(&kinds(&told)) {
            writeln!(wrong, "{name}: {told:?} became {left:?}\n{after}").expect("a String");
        }
        if after != *wanted.as_ref().unwrap_or(&before) {
            writeln!(wrong, "{name}: wanted {wanted:?}, made\n{after}").expect("a String");
        } else if wanted.is_some() && !left.is_empty() && !goes_on {
            writeln!(wrong, "{name}: {left:?} is left").expect("a String");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn each_broken_file_is_told_what_to_write() {
    let mut all = String::new();
    for path in broken() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::copy(&path, folder.path().join("a.cook")).expect("a file");
        let name = path.file_stem().expect("a name").to_string_lossy();
        writeln!(all, "{name}").expect("a String");
        for one in found(folder.path(), &[]).iter().filter(|one| one["level"] == "error") {
            let text = |of: &Value| of.as_str().unwrap_or_default().to_string();
            let label = &one["labels"][0];
            let (line, column) = (&label["line"], &label["column"]);
            let (code, title) = (text(&one["code"]), text(&one["title"]));
            writeln!(all, "  {line}:{column} {code} {title}").expect("a String");
            let offered = if one["offered"] == true { "offered: " } else { "" };
            writeln!(all, "    {}", text(&label["text"])).expect("a String");
            writeln!(all, "    {offered}{}", text(&one["help"])).expect("a String");
        }
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true,
        snapshot_path => "../broken" }, {
        insta::assert_snapshot!("messages", all);
    });
}

#[test]
fn each_text_that_a_message_says_to_write_is_one_of_the_language() {
    let mut wrong = String::new();
    for path in broken() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::copy(&path, folder.path().join("a.cook")).expect("a file");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        for one in found(folder.path(), &[]).iter().filter(|one| one["level"] == "error") {
            let help = one["help"].as_str().unwrap_or_default();
            for text in written(help).into_iter().filter(|text| !reads(text)) {
                writeln!(wrong, "{name}: {text:?} of {help:?}").expect("a String");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The texts of a help that are to be written: those between backticks that hold more than a word
/// or a sign.
fn written(help: &str) -> Vec<String> {
    let parts = help.split('`').skip(1).step_by(2);
    let is_text = |text: &&str| {
        text.contains([' ', '(']) && text.contains(|letter: char| letter.is_alphanumeric())
    };
    let is_command = |text: &&str| text.starts_with("cookc ") || text.starts_with("// allow");
    parts.filter(is_text).filter(|text| !is_command(text)).map(str::to_string).collect()
}

/// Is it a statement, a value, a relation, a piece of a text or of a loop in this language?
fn reads(text: &str) -> bool {
    let text = text.replace('…', "x");
    let forms = [
        text.replace("\\n", "\n"),
        format!("prompt {text}"),
        format!("name = {text}"),
        format!("rule right: {text}"),
        format!("prompt \"{text}\""),
        format!("prompt \"{}\"", text.replace('"', "\\\"")),
        format!("prompt \"{}\"", text.replace("prompt \"\"\"", "")),
        format!("{text}\nx\n\"\"\""),
        format!("use {text}"),
        format!("param length {text}"),
        format!("name = {text} x"),
        format!("name = x {text}"),
        format!("name = [x{text}]"),
        format!("level hard: length = 1{text}"),
    ];
    let fits = |form: &String| {
        let source = cookc::source::Source::new("a.cook", form.as_str());
        cookc::syntax::parse(&source).1.is_empty()
    };
    forms.iter().any(fits)
}
