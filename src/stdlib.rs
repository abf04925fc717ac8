//! The `.cook` files that are built in: the natives' signatures, the modules and the templates.

use crate::source::Source;

/// The signatures of the natives, known without `use`.
pub const BUILTIN: &str = include_str!("../stdlib/builtin.cook");

// `build.rs` lists what is in `stdlib/`: MODULES, TEMPLATES and NEIGHBOURS, each sorted by name.
include!(concat!(env!("OUT_DIR"), "/stdlib.rs"));

/// A built-in module by its name.
pub fn module(name: &str) -> Option<Source> {
    find(MODULES, name)
}

/// A built-in template by its name, without `std:`.
pub fn template(name: &str) -> Option<Source> {
    find(TEMPLATES, name)
}

/// The text of a file beside the built-in templates, such as the words of a pool.
pub fn neighbour(name: &str) -> Option<&'static str> {
    NEIGHBOURS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The built-in module that defines a function, for a message.
pub fn module_of(function: &str) -> Option<&'static str> {
    let opening = format!("\nfn {function}(");
    MODULES.iter().find(|(_, text)| text.contains(&opening)).map(|(name, _)| *name)
}

/// The built-in module that defines all of these functions.
pub fn module_of_all<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    let module = module_of(names.next()?)?;
    names.all(|name| module_of(name) == Some(module)).then_some(module)
}

/// The functions of the built-in modules.
pub fn functions() -> impl Iterator<Item = &'static str> {
    let named = |line: &'static str| Some(line.strip_prefix("fn ")?.split_once('(')?.0);
    MODULES.iter().flat_map(move |(_, text)| text.lines().filter_map(named))
}

/// Does this function of a module take so many values, all of them Int?
pub fn takes_ints(function: &str, count: usize) -> bool {
    let opening = format!("\nfn {function}(");
    let of_module = |(_, text): &(&str, &'static str)| Some(text.split_once(&opening)?.1);
    let params = MODULES.iter().find_map(of_module).and_then(|rest| rest.split_once(')'));
    params.is_some_and(|(params, _)| {
        let mut params = params.split(',');
        params.clone().count() == count && params.all(|param| param.ends_with(": Int"))
    })
}

/// Does a native draw? None if there is none of this name.
pub fn draws(native: &str) -> Option<bool> {
    let opening = format!("fn {native}(");
    let line = BUILTIN.lines().find(|line| line.starts_with(&opening))?;
    Some(line.contains("~>"))
}

fn find(files: &[(&str, &str)], name: &str) -> Option<Source> {
    let (_, text) = files.iter().find(|(known, _)| *known == name)?;
    Some(Source::new(format!("std:{name}"), *text))
}
