//! The `.cook` files that are built in: the natives' signatures, the modules and the templates.

use crate::source::Source;

/// The signatures of the natives, known without `use`.
pub const BUILTIN: &str = include_str!("../stdlib/builtin.cook");

/// Modules: what `use NAME: …` takes from.
pub const MODULES: &[(&str, &str)] = &[("tokens", include_str!("../stdlib/tokens.cook"))];

/// Templates: what `std:NAME` names.
pub const TEMPLATES: &[(&str, &str)] = &[
    ("closest_option", include_str!("../stdlib/closest_option.cook")),
    ("document_qa", include_str!("../stdlib/document_qa.cook")),
    ("entity_match", include_str!("../stdlib/entity_match.cook")),
    ("restore_order", include_str!("../stdlib/restore_order.cook")),
    ("retrieval", include_str!("../stdlib/retrieval.cook")),
];

/// A built-in module by its name.
pub fn module(name: &str) -> Option<Source> {
    find(MODULES, name)
}

/// A built-in template by its name, without `std:`.
pub fn template(name: &str) -> Option<Source> {
    find(TEMPLATES, name)
}

/// The built-in module that defines a function, for a message.
pub fn module_of(function: &str) -> Option<&'static str> {
    let opening = format!("\nfn {function}(");
    MODULES.iter().find(|(_, text)| text.contains(&opening)).map(|(name, _)| *name)
}

fn find(files: &[(&str, &str)], name: &str) -> Option<Source> {
    let (_, text) = files.iter().find(|(known, _)| *known == name)?;
    Some(Source::new(format!("std:{name}"), text))
}
