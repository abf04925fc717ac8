//! The order of the layers, and the order of the files inside a folder: neither has a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Segments, Source, Used, sources, used};

/// The layers, left to right: a file may use what stands to its left.
const LAYERS: [&str; 31] = [
    "wide",
    "disk",
    "source",
    "stdlib",
    "codes",
    "diagnostic",
    "syntax",
    "runtime",
    "check",
    "ir",
    "engine",
    "data",
    "template",
    "search",
    "rows",
    "datasets",
    "align",
    "ops",
    "model",
    "train",
    "recipe",
    "eval",
    "tasks",
    "mix",
    "run",
    "mixer",
    "study",
    "serve",
    "lsp",
    "cli",
    "main",
];

/// What knows nothing of templates.
const LANGUAGE: [&str; 12] = [
    "stdlib", "syntax", "check", "ir", "runtime", "engine", "data", "template", "search", "rows",
    "datasets", "align",
];

/// What a layer must not use although it stands to its left.
const APART: [(&str, &[&str]); 5] = [
    ("model", &LANGUAGE),
    ("train", &LANGUAGE),
    ("eval", &["train"]),
    (
        "lsp",
        &[
            "ir", "runtime", "engine", "model", "train", "recipe", "eval", "tasks", "mix", "run",
            "mixer", "study", "serve",
        ],
    ),
    (
        "serve",
        &[
            "ops", "model", "train", "eval", "tasks", "mix", "run", "mixer", "study", "rows",
            "datasets", "align",
        ],
    ),
];

#[test]
fn a_file_uses_only_layers_to_its_left() {
    let sources = sources();
    for source in &sources {
        let layer = match source.module.first() {
            Some(layer) => layer.as_str(),
            // The crate's root names the layers; the program's calls the last one.
            None => continue,
        };
        let at = LAYERS.iter().position(|known| *known == layer);
        let at = at.unwrap_or_else(|| panic!("{} belongs to no layer", source.name));
        for path in used(source, &children(&sources, source), true).paths {
            let Some(other) =
                LAYERS.iter().position(|known| path.first().is_some_and(|first| first == known))
            else {
                continue;
            };
            let name = LAYERS[other];
            assert!(other <= at, "{} uses `{name}`, which stands to its right", source.name);
            assert!(
                layer != "ops" || ["wide", "ops"].contains(&name),
                "{} uses `{name}`: operations know nothing else",
                source.name
            );
            let apart = APART.iter().find(|(known, _)| *known == layer);
            let refused = apart.is_some_and(|(_, all)| all.contains(&name));
            assert!(!refused, "{} uses `{name}`, from which it is kept apart", source.name);
        }
    }
}

/// A folder's `mod.rs` holds its main type, which the files inside may use; that is no circle. A
/// name that it only passes on (`pub use`) counts as the file that it comes from.
#[test]
fn no_files_and_no_folders_use_each_other_in_a_circle() {
    let sources: Vec<Source> = sources().into_iter().filter(|source| !source.test).collect();
    let modules: BTreeSet<Segments> = sources.iter().map(|source| source.module.clone()).collect();
    let used: BTreeMap<Segments, Used> = sources
        .iter()
        .map(|source| (source.module.clone(), used(source, &children(&sources, source), false)))
        .collect();
    let mut edges: BTreeMap<Segments, BTreeMap<Segments, String>> = BTreeMap::new();
    for (module, used_here) in &used {
        for path in &used_here.paths {
            let Some(other) = home(path, &modules, &used, 0) else { continue };
            let same = module.iter().zip(&other).take_while(|(a, b)| a == b).count();
            if same == module.len() || same == other.len() {
                continue;
            }
            let why = format!("{} uses {}", module.join("/"), path.join("::"));
            let from = module[..=same].to_vec();
            edges.entry(from).or_default().entry(other[..=same].to_vec()).or_insert(why);
        }
    }
    // A circle is found from each of its files: it is reported once.
    let circles: BTreeSet<Vec<String>> = edges
        .keys()
        .filter_map(|start| circle(start, &edges))
        .map(|mut way| {
            way.sort();
            way
        })
        .collect();
    let shown: Vec<String> = circles.iter().map(|way| way.join("\n  ")).collect();
    assert!(shown.is_empty(), "files use each other:\n  {}", shown.join("\n\n  "));
}

/// The module in which a path's item is.
fn home(
    path: &[String],
    modules: &BTreeSet<Segments>,
    used: &BTreeMap<Segments, Used>,
    passed_on: usize,
) -> Option<Segments> {
    let module = (0..=path.len()).rev().map(|n| &path[..n]).find(|part| modules.contains(*part))?;
    let rest = &path[module.len()..];
    if let Some(name) = rest.first()
        && let Some(origin) = used[module].names.get(name)
        && passed_on < 8
        && origin != path
    {
        return home(&[origin, &rest[1..]].concat(), modules, used, passed_on + 1);
    }
    Some(module.to_vec())
}

/// The shortest way from a file back to itself.
fn circle(
    start: &Segments,
    edges: &BTreeMap<Segments, BTreeMap<Segments, String>>,
) -> Option<Vec<String>> {
    let mut seen: BTreeSet<&Segments> = BTreeSet::new();
    let mut open: Vec<(&Segments, Vec<String>)> = vec![(start, Vec::new())];
    while !open.is_empty() {
        let mut next = Vec::new();
        for (at, way) in open {
            for (other, why) in edges.get(at).into_iter().flatten() {
                let way = [&way[..], std::slice::from_ref(why)].concat();
                if other == start {
                    return Some(way);
                }
                if seen.insert(other) {
                    next.push((other, way));
                }
            }
        }
        open = next;
    }
    None
}

fn children(sources: &[Source], source: &Source) -> BTreeSet<String> {
    sources
        .iter()
        .filter(|other| other.module.len() == source.module.len() + 1)
        .filter(|other| other.module.starts_with(&source.module))
        .filter_map(|other| other.module.last().cloned())
        .collect()
}
