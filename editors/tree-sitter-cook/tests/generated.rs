//! The committed parser is the one that grammar.js gives.

use std::path::{Path, PathBuf};

use tree_sitter_generate::{OptLevel, generate_parser_in_directory};

#[test]
fn the_committed_parser_is_made_of_the_committed_grammar() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("generated");
    let abi = tree_sitter::LANGUAGE_VERSION;
    let (node, out) = (Some("node"), Some(&folder));
    let whole = OptLevel::default();
    let none = None::<PathBuf>;
    generate_parser_in_directory(root, out, none, abi, None, node, true, whole, &mut Vec::new())
        .expect("the grammar gives a parser");
    for name in ["parser.c", "grammar.json", "node-types.json"] {
        let read = |folder: &Path| std::fs::read_to_string(folder.join(name)).expect("it is there");
        let same = read(&folder) == read(&root.join("src"));
        assert!(same, "src/{name} is old: run `cargo run --example generate`");
    }
}
