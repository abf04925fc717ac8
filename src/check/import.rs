//! What `use` brings into scope: functions and pools of a module.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::expr::Checker;
use super::function::taken;
use super::graft::Graft;
use super::index::Named;
use super::library::Home;
use super::scope::Meaning;
use super::typed::Pool;
use super::types::Type;
use crate::diagnostic::{Diagnostic, is_sure_miss, near_miss};
use crate::stdlib;
use crate::syntax::ast;

/// Brings the names of a `use` into scope: functions and pools.
pub fn take_in(
    checker: &mut Checker,
    pools: &mut Vec<Pool>,
    module: &ast::Name,
    names: &[ast::Name],
    found: Result<Arc<Home>, Diagnostic>,
) {
    let home = match found {
        Ok(home) => home,
        Err(error) => {
            let error = elsewhere(error, module, names);
            checker.scope.missing.extend(names.iter().map(|name| name.text.clone()));
            return checker.error(error);
        }
    };
    checker.index.module(module, &home.source);
    // No name has a colon: what only functions use is not named from outside.
    let prefix = format!("{}:", module.text);
    let mut graft = Graft::new(&home.pools, &prefix, module.span);
    for name in names {
        let pool = home.pools.iter().skip(1).position(|pool| pool.name == name.text);
        match (home.functions.get(&name.text), pool) {
            (Some(function), _) => {
                if let Some(known) = checker.scope.functions.get(&name.text) {
                    let error = taken(name, known);
                    checker.error(error);
                    continue;
                }
                let moved = graft.function(function, pools);
                let definer = home.definers.get(&name.text).unwrap_or(&home.source);
                checker.index.takes(name, &moved, definer);
                checker.scope.functions.insert(name.text.clone(), moved);
            }
            (None, Some(at)) => {
                let moved = graft.pool(at + 1, pools);
                if pools[moved].name.starts_with(&prefix) {
                    pools[moved].name = name.text.clone();
                }
                let meaning = Meaning::Pool(moved);
                checker.index.define(name, Named::Pool, Type::Token.list(), &[]);
                if let Err(error) = checker.scope.bring(name, meaning, Type::Token.list()) {
                    checker.error(error);
                }
            }
            (None, None) => {
                let error = not_in_module(module, name, &home);
                let error = elsewhere(error, module, std::slice::from_ref(name));
                let error = match names.len() {
                    1 => error,
                    _ => Diagnostic { fix: Vec::new(), ..error },
                };
                checker.error(error);
                checker.scope.missing.insert(name.text.clone());
            }
        }
    }
}

/// What is not there may be in a module that is built in, or known everywhere.
fn elsewhere(error: Diagnostic, module: &ast::Name, names: &[ast::Name]) -> Diagnostic {
    if !matches!(error.code, "E206" | "E207") {
        return error;
    }
    let texts = || names.iter().map(|name| name.text.as_str());
    let all = texts().collect::<Vec<_>>().join(", ");
    if texts().all(|name| stdlib::draws(name).is_some()) {
        let are = if names.len() == 1 { "is" } else { "are" };
        return error.help(format!("`{all}` {are} known everywhere: no `use` is needed"));
    }
    if let Some(home) = stdlib::module_of_all(texts()) {
        // A module that is near in its letters was meant for certain.
        let is_sure = error.is_sure && error.fix.iter().any(|edit| edit.text == home);
        let error = Diagnostic { fix: Vec::new(), ..error };
        let error = error.help(format!("write `use {home}: {all}`")).fix(module.span, home);
        return error.sure_if(is_sure);
    }
    let mut homes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in texts() {
        homes.entry(stdlib::module_of(name).unwrap_or_default()).or_default().push(name);
    }
    let unknown = homes.remove("").map_or(String::new(), |names| names.join("`, `"));
    if homes.is_empty() || error.code == "E207" {
        return error;
    }
    let lines = homes.iter().map(|(home, names)| format!("`use {home}: {}`", names.join(", ")));
    let help = format!("write {}", lines.collect::<Vec<_>>().join(" and "));
    match unknown.is_empty() {
        true => error.help(help),
        false => error.help(format!("{help}; no module that is built in has `{unknown}`")),
    }
}

fn not_in_module(module: &ast::Name, name: &ast::Name, home: &Home) -> Diagnostic {
    let title = format!("`{}` has no `{}`", module.text, name.text);
    let error = Diagnostic::error("E207", title, name.span, "not in that module");
    let functions = home.functions.keys().map(String::as_str);
    let pools = home.pools.iter().skip(1).map(|pool| pool.name.as_str());
    let known: Vec<&str> = functions.chain(pools).collect();
    match near_miss(&name.text, known.iter().copied()) {
        Some(near) => {
            let is_sure = is_sure_miss(&name.text, near, known.iter().copied());
            error.help(format!("write `{near}`")).fix(name.span, near).sure_if(is_sure)
        }
        None if known.is_empty() => error.help("that file defines nothing to take"),
        None => error.help(format!("`{}` has: {}", module.text, known.join(", "))),
    }
}
