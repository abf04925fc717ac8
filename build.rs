//! Gathers the files that the binary holds, so that a new file needs no list.
//!
//! Not by the crate `include_dir`: on a stable compiler it does not see that a file was added.

use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let made = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder"));
    fs::write(made.join("stdlib.rs"), stdlib()).expect("what is made can be written");
    fs::write(made.join("codes.rs"), codes()).expect("what is made can be written");
    // At a fixed address, the binary starts in half the time: 107,000 places need no address written
    // into them first. Only the command line; the library and the wheel are loaded anywhere.
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    if env::var("TARGET").is_ok_and(|target| target.ends_with("-linux-gnu"))
        && !features.contains("crt-static")
    {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}

/// The files of a folder of the project, in order.
fn files(folder: &str) -> Vec<PathBuf> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the package"));
    let folder = root.join(folder);
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(&folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    files
}

/// The lists of `src/stdlib.rs`.
fn stdlib() -> String {
    let [mut modules, mut templates, mut others] = [const { String::new() }; 3];
    for path in files("stdlib") {
        let text = fs::read_to_string(&path).expect("the files of stdlib/ are UTF-8");
        let stem = path.file_stem().expect("a file has a name").to_string_lossy();
        let name = path.file_name().expect("a file has a name").to_string_lossy();
        // A template has a prompt; a module has none. A test holds this against `check::is_module`.
        let (list, key) = match path.extension().is_some_and(|ending| ending == "cook") {
            true if stem == "builtin" => continue,
            true if text.lines().any(|line| line.starts_with("prompt ")) => (&mut templates, stem),
            true => (&mut modules, stem),
            false => (&mut others, name),
        };
        let path = path.to_str().expect("the path of the project is UTF-8");
        writeln!(list, "    ({key:?}, include_str!({path:?})),").expect("a String grows");
    }
    let list = |docs: &str, name: &str, entries: &str| {
        format!("/// {docs}\npub const {name}: &[(&str, &str)] = &[\n{entries}];\n\n")
    };
    list("Modules: what `use NAME: …` takes from.", "MODULES", &modules)
        + &list("Templates: what `std:NAME` names.", "TEMPLATES", &templates)
        + &list("What templates read beside them, by file name.", "NEIGHBOURS", &others)
}

/// The list of `src/codes.rs`: a page a code.
fn codes() -> String {
    let page = |path: &PathBuf| {
        let path = path.to_str().expect("the path of the project is UTF-8");
        format!("    include_str!({path:?}),\n")
    };
    let pages: String = files("docs/codes").iter().map(page).collect();
    format!("&[\n{pages}]\n")
}
