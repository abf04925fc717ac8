//! This grammar and cookc's own take and refuse the same files: the folder in `tests/cook` says which.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Faults of the syntax that no grammar of this kind sees, and why. Whoever teaches the grammar to see
/// one must take it off the list.
const UNSEEN: [(&str, &str); 11] = [
    ("closing_quotes_behind_text", "margins are read line by line, after the parse"),
    ("less_margin", "margins are read line by line, after the parse"),
    ("text_beside_quotes", "margins are read line by line, after the parse"),
    ("text_on_one_line_in_three_quotes", "margins are read line by line, after the parse"),
    ("hole_on_one_line_in_three_quotes", "margins are read line by line, after the parse"),
    ("hole_over_lines", "line breaks mean nothing between the tokens of a grammar"),
    ("fold_count", "a grammar cannot count one list by another"),
    ("comma_missing_between_settings", "line breaks mean nothing, so a statement could begin here"),
    ("integer_too_large", "a grammar does not know the value of a number"),
    ("nested_too_deep", "a grammar does not count"),
    ("too_many_operators", "a grammar does not count"),
];

fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The templates of a folder and of the folders in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("readable").path());
    let mut found: Vec<PathBuf> = paths
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|ending| ending == "cook"))
        .collect();
    found.sort();
    found
}

/// The tree of a file that does not fit the grammar.
fn fault(path: &Path) -> Option<String> {
    let text = std::fs::read(path).expect("the file can be read");
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_cook::LANGUAGE.into()).expect("this version is known");
    let tree = parser.parse(&text, None).expect("a language is set");
    let root = tree.root_node();
    root.has_error().then(|| format!("{}: {}", path.display(), root.to_sexp()))
}

#[test]
fn files_without_a_fault_of_the_syntax_have_none_here() {
    let syntax = project().join("tests/cook/syntax");
    let folders = ["tests/cook", "stdlib", "examples"];
    let all = folders.into_iter().flat_map(|folder| files(&project().join(folder)));
    let right: Vec<PathBuf> = all.filter(|path| !path.starts_with(&syntax)).collect();
    assert!(right.len() > 70, "the corpus is there: {}", right.len());
    let refused: Vec<String> = right.iter().filter_map(|path| fault(path)).collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn files_with_a_fault_of_the_syntax_have_one_here() {
    let wrong = files(&project().join("tests/cook/syntax"));
    assert!(wrong.len() > 70, "the corpus is there: {}", wrong.len());
    let taken = wrong.iter().filter(|path| fault(path).is_none());
    let stem = |path: &PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
    let taken: BTreeSet<String> = taken.map(stem).collect();
    let unseen: BTreeSet<String> = UNSEEN.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(taken, unseen, "left: what this grammar takes; right: what it may take");
}
