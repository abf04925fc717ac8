//! The corpus: the folder of a `.cook` file says where it must stop, a snapshot says with what.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use cookc::check;
use cookc::codes;
use cookc::data::preview;
use cookc::diagnostic::{Diagnostic, Severity, render};
use cookc::ir::{self, Choice};
use cookc::source::Source;
use cookc::syntax::{self, allow};

use crate::support::{VOCABULARY, vocabulary};

/// The files of a folder of `tests/cook`, in order.
pub fn files(folder: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cook").join(folder);
    let entries = std::fs::read_dir(&path).expect("the folder of the corpus is there");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "cook"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} has files");
    files
}

/// What a text comes to: the errors and lints of all stages, or the printed programs. `read` gives
/// the files beside it.
pub fn outcome(source: &Source, read: check::Neighbour) -> (Vec<Diagnostic>, String) {
    let (file, mut found) = syntax::parse(source);
    let (template, more) = check::check(&file, source, read);
    // What is left after an error of the syntax has errors of its own that mean nothing.
    if found.is_empty() {
        found.extend(more);
    }
    let mut text = String::new();
    if let Some(template) = template.filter(|_| !faulty(&found)) {
        let levels = template.levels.iter().map(|level| level.name.clone());
        for level in std::iter::once(String::new()).chain(levels) {
            let choice = Choice { level, vocabulary: VOCABULARY, ..Choice::default() };
            match ir::lower(&template, &choice) {
                Ok(program) if choice.level.is_empty() => text += &ir::print(&program),
                Ok(_) => {}
                Err(errors) => found.extend(errors),
            }
        }
        if !faulty(&found) {
            found.extend(preview::warnings(&template, source, &vocabulary()));
        }
    }
    (allow::checked(source, found), text)
}

/// The files beside those of a folder of the corpus stand in its folder `beside`.
pub fn beside(folder: &str) -> impl Fn(&str) -> Result<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cook").join(folder);
    move |path| {
        std::fs::read_to_string(folder.join("beside").join(path))
            .map_err(|_| format!("there is no file `{path}`"))
    }
}

/// The folders whose files are checked, not run, with what the code of their first error begins
/// with; the good ones have none.
pub const FOLDERS: [(&str, &str); 7] = [
    ("ok", ""),
    ("lint", ""),
    ("syntax", "E1"),
    ("name", "E2"),
    ("type", "E3"),
    ("layout", "E4"),
    ("rule", "E5"),
];

fn faulty(found: &[Diagnostic]) -> bool {
    found.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

fn check_folder(folder: &str, letter: &str) {
    for path in files(folder) {
        let stem = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("the corpus is UTF-8");
        let source = Source::new(format!("{folder}/{stem}.cook"), text);
        let (found, program) = outcome(&source, &beside(folder));
        let first = found.iter().find(|it| it.severity == Severity::Error);
        match first {
            Some(error) if !letter.is_empty() => {
                assert!(error.code.starts_with(letter), "{folder}/{stem}: {}", error.code);
            }
            Some(error) => panic!("{folder}/{stem}: {}", render(error, &source, false)),
            None => assert!(letter.is_empty(), "{folder}/{stem} has no error"),
        }
        let mut shown = String::new();
        for diagnostic in &found {
            assert!(!diagnostic.help.is_empty(), "{folder}/{stem}: {} helps", diagnostic.code);
            let rendered = render(diagnostic, &source, false);
            writeln!(shown, "{rendered}").expect("writing to a String does not fail");
        }
        if first.is_none() && folder == "ok" {
            shown += &program;
        }
        snapshot(folder, &stem, &shown);
    }
}

fn snapshot(folder: &str, stem: &str, shown: &str) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true,
        snapshot_path => format!("../cook/{folder}/snapshots") }, {
        insta::assert_snapshot!(stem, shown);
    });
}

#[test]
fn each_file_stops_where_its_folder_says_and_shows_what_it_showed() {
    for (folder, letter) in FOLDERS {
        check_folder(folder, letter);
    }
}

/// What a command of the first line, `// $ cookc …`, says about a file of `tests/cook/command`.
pub fn said_by_command(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("the corpus is UTF-8");
    let command = text.lines().next().and_then(|line| line.strip_prefix("// $ cookc "));
    let command = command.expect("the first line is `// $ cookc …`");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_cookc"))
        .args(command.split(' '))
        .current_dir(path.parent().expect("a file is in a folder"))
        .env("NO_COLOR", "1")
        .output()
        .expect("cookc runs");
    assert_eq!(output.status.code(), Some(1), "{command}: the input is at error");
    // What a command finds is its output; why it ends is reported beside it.
    String::from_utf8([output.stdout, output.stderr].concat()).expect("messages are UTF-8")
}

#[test]
fn files_in_command_stop_when_a_command_runs_them() {
    for path in files("command") {
        let stem = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        snapshot("command", &stem, &said_by_command(&path));
    }
}

#[test]
fn every_code_of_the_language_is_shown_by_a_file_of_the_corpus() {
    let mut shown: BTreeSet<&str> = BTreeSet::new();
    for (folder, _) in FOLDERS {
        for path in files(folder) {
            let text = std::fs::read_to_string(&path).expect("the corpus is UTF-8");
            let source = Source::new(path.to_string_lossy(), text);
            shown.extend(outcome(&source, &beside(folder)).0.iter().map(|one| one.code));
        }
    }
    let said: String = files("command").iter().map(|path| said_by_command(path)).collect();
    let pages = codes::all();
    let is_shown = |code: &str| shown.contains(code) || said.lines().any(|line| line == code);
    // Recipes have their own tests; the codes from L610 on are the auditor's.
    let of_language = |code: &str| !code.starts_with("E7") && !("L610".."L630").contains(&code);
    let of_language: Vec<_> = pages.iter().filter(|page| of_language(page.code)).collect();
    let hidden: Vec<_> = of_language.iter().filter(|page| !is_shown(page.code)).collect();
    assert!(hidden.is_empty(), "no file of tests/cook shows {hidden:#?}");
    assert!(of_language.len() >= 60, "{} codes", of_language.len());
}
