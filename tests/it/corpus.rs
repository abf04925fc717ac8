//! The corpus: the folder of a `.cook` file says where it must stop, a snapshot says with what.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use cookc::check;
use cookc::diagnostic::{Diagnostic, Severity, render};
use cookc::ir::{self, Choice};
use cookc::source::Source;
use cookc::syntax;

use crate::support::VOCABULARY;

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

/// What a file comes to: the faults and lints of all stages, or the printed programs.
fn outcome(source: &Source) -> (Vec<Diagnostic>, String) {
    let (file, mut found) = syntax::parse(source);
    let nothing = |path: &str| Err(format!("there is no file `{path}`"));
    let (template, more) = check::check(&file, source, &nothing);
    // What is left after a fault of the syntax has faults of its own that mean nothing.
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
                Err(faults) => found.extend(faults),
            }
        }
    }
    (found, text)
}

fn faulty(found: &[Diagnostic]) -> bool {
    found.iter().any(|diagnostic| diagnostic.severity == Severity::Fault)
}

fn check_folder(folder: &str, letter: &str) {
    for path in files(folder) {
        let stem = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("the corpus is UTF-8");
        let source = Source::new(format!("{folder}/{stem}.cook"), text);
        let (found, program) = outcome(&source);
        let first = found.iter().find(|it| it.severity == Severity::Fault);
        match first {
            Some(fault) if !letter.is_empty() => {
                assert!(fault.code.starts_with(letter), "{folder}/{stem}: {}", fault.code);
            }
            Some(fault) => panic!("{folder}/{stem}: {}", render(fault, &source, false)),
            None => assert!(letter.is_empty(), "{folder}/{stem} has no fault"),
        }
        let mut shown = String::new();
        for diagnostic in &found {
            assert!(!diagnostic.help.is_empty(), "{folder}/{stem}: {} helps", diagnostic.code);
            let rendered = render(diagnostic, &source, false);
            writeln!(shown, "{rendered}").expect("writing to a String does not fail");
        }
        if first.is_none() {
            shown += &program;
        }
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true,
            snapshot_path => format!("../cook/{folder}/snapshots") }, {
            insta::assert_snapshot!(stem.as_str(), shown);
        });
    }
}

#[test]
fn files_in_ok_become_programs() {
    check_folder("ok", "");
}

#[test]
fn files_in_syntax_stop_at_the_grammar() {
    check_folder("syntax", "E1");
}

#[test]
fn files_in_name_stop_at_a_name() {
    check_folder("name", "E2");
}

#[test]
fn files_in_type_stop_at_a_type() {
    check_folder("type", "E3");
}

#[test]
fn files_in_layout_stop_at_the_layout() {
    check_folder("layout", "E4");
}

#[test]
fn files_in_rule_stop_at_a_level() {
    check_folder("rule", "E5");
}
