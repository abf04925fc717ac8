//! Writes src/ from grammar.js: `cargo run --example generate`. Needs Node.js.

use std::path::{Path, PathBuf};

use tree_sitter_generate::{OptLevel, generate_parser_in_directory};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::args().nth(1).map_or_else(|| root.join("src"), PathBuf::from);
    let mut remarks = Vec::new();
    let abi = tree_sitter::LANGUAGE_VERSION;
    let made = generate_parser_in_directory(
        root,
        Some(folder),
        None::<PathBuf>,
        abi,
        None,
        Some("node"),
        true,
        OptLevel::default(),
        &mut remarks,
    );
    for remark in &remarks {
        eprintln!("{remark}");
    }
    if let Err(fault) = made {
        eprintln!("{fault}");
        std::process::exit(1);
    }
}
