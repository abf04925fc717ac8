//! The sources of the library as syntax trees, with the paths that each of them uses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, UseTree};

/// A path from the root of the crate: `["data", "read", "Reader"]`.
pub type Segments = Vec<String>;

/// A Rust file below `src`.
pub struct Source {
    /// Its path from the root of the package.
    pub name: String,
    pub text: String,
    pub tree: syn::File,
    /// The module that it is: empty for `lib.rs` and `main.rs`.
    pub module: Segments,
    /// Whether it is compiled into tests only.
    pub test: bool,
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The names and texts of all Rust files below a folder, sorted.
pub fn rust_files(folder: &str) -> Vec<(String, String)> {
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

/// All files below `src`, parsed.
pub fn sources() -> Vec<Source> {
    let mut sources: Vec<Source> = rust_files("src")
        .into_iter()
        .map(|(name, text)| {
            let tree = syn::parse_file(&text).unwrap_or_else(|e| panic!("{name} parses: {e}"));
            Source { module: module_of(&name), test: false, name, text, tree }
        })
        .collect();
    let mut tests: Vec<Segments> = Vec::new();
    for source in &sources {
        for item in &source.tree.items {
            if let Item::Mod(item) = item
                && item.content.is_none()
                && is_test(&item.attrs)
            {
                tests.push([&source.module[..], &[item.ident.to_string()]].concat());
            }
        }
    }
    for source in &mut sources {
        source.test = tests.iter().any(|test| source.module.starts_with(test));
    }
    sources
}

fn module_of(name: &str) -> Segments {
    let mut parts: Segments = name.trim_end_matches(".rs").split('/').map(String::from).collect();
    parts.remove(0);
    if parts.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        parts.pop();
    }
    parts
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        _ => false,
    })
}

/// What a file says of other modules.
#[derive(Default)]
pub struct Used {
    /// Every path that starts at the crate, at an ancestor or at a child, from the crate's root.
    pub paths: BTreeSet<Segments>,
    /// The names that its `use` items bring in, each with what it stands for: a `pub use` lets
    /// others reach a child by the parent's name.
    pub names: BTreeMap<String, Segments>,
}

/// The paths that a file uses. Its tests are left out unless they are asked for.
pub fn used(source: &Source, children: &BTreeSet<String>, tests: bool) -> Used {
    let mut reader =
        Reader { at: source.module.clone(), children, tests, depth: 0, used: Used::default() };
    reader.visit_file(&source.tree);
    reader.used
}

struct Reader<'a> {
    /// The module of the text that is read: the file's, or one inside it.
    at: Segments,
    children: &'a BTreeSet<String>,
    tests: bool,
    /// How many modules inside the file are open.
    depth: usize,
    used: Used,
}

impl Reader<'_> {
    /// A path as written, from the root of the crate; none if it starts elsewhere.
    fn absolute(&self, path: &[String]) -> Option<Segments> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([&self.at, rest].concat()),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                let base = &self.at[..self.at.len().checked_sub(ups)?];
                Some([base, &path[ups..]].concat())
            }
            name if self.depth == 0 && self.children.contains(name) => {
                Some([&self.at, path].concat())
            }
            _ => None,
        }
    }

    fn add(&mut self, path: &[String]) {
        if path.len() > 1
            && let Some(path) = self.absolute(path)
        {
            self.used.paths.insert(path);
        }
    }

    fn import(&mut self, before: &[String], tree: &UseTree) {
        let (name, as_name) = match tree {
            UseTree::Path(path) => {
                let before = [before, &[path.ident.to_string()]].concat();
                return self.import(&before, &path.tree);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(before, tree));
            }
            UseTree::Name(name) => (name.ident.to_string(), name.ident.to_string()),
            UseTree::Rename(name) => (name.ident.to_string(), name.rename.to_string()),
            UseTree::Glob(_) => return self.add(before),
        };
        let mut path = before.to_vec();
        if name != "self" {
            path.push(name);
        }
        self.add(&path);
        let as_name = if as_name == "self" { path.last().cloned() } else { Some(as_name) };
        if self.depth == 0
            && let (Some(path), Some(name)) = (self.absolute(&path), as_name)
        {
            self.used.names.insert(name, path);
        }
    }

    /// Paths between the tokens of a macro's input, which no parser has read.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Segments = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.add(&std::mem::take(&mut path));
                        path.clear();
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.add(&std::mem::take(&mut path));
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.add(&path);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if self.tests || !is_test(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let Some((_, items)) = &item.content else { return };
        self.at.push(item.ident.to_string());
        self.depth += 1;
        items.iter().for_each(|item| self.visit_item(item));
        self.depth -= 1;
        self.at.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Segments = path.segments.iter().map(|part| part.ident.to_string()).collect();
        self.add(&parts);
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.visit_path(&item.path);
        self.tokens(item.tokens.clone());
    }
}
