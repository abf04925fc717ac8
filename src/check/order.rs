//! The order in which the functions of a file are checked: those that one calls come before it.

use std::collections::{BTreeMap, BTreeSet};

use super::expr::Checker;
use super::fixes::{expressions, parts};
use super::function;
use crate::diagnostic::Diagnostic;
use crate::syntax::ast::{self, ExprKind, Function, Name, StatementKind};

/// Checks the functions of a file, wherever they stand. None is called by those that it calls.
pub fn define(checker: &mut Checker, file: &ast::File) {
    let mut search = Search::default();
    for statement in &file.statements {
        let StatementKind::Function(function) = &statement.kind else { continue };
        // One that has a taken name is not what a call means.
        if !checker.scope.functions.contains_key(&function.name.text) {
            search.by_name.entry(&function.name.text).or_insert(search.all.len());
        }
        search.all.push((function, calls(&statement.kind), &statement.docs));
    }
    for at in search.order(checker) {
        let (function, _, docs) = &search.all[at];
        function::define(checker, function, docs, false);
    }
}

/// The calls in a function.
fn calls(function: &StatementKind) -> Vec<&Name> {
    let mut found = Vec::new();
    for expr in expressions(function) {
        each_call(expr, &mut found);
    }
    found
}

#[derive(Default)]
struct Search<'a> {
    /// Each function with its calls and its documentation.
    all: Vec<(&'a Function, Vec<&'a Name>, &'a [String])>,
    by_name: BTreeMap<&'a str, usize>,
}

impl Search<'_> {
    /// The functions, each after those that it calls; calls in a circle are reported.
    fn order(&self, checker: &mut Checker) -> Vec<usize> {
        let (mut done, mut order) = (BTreeSet::new(), Vec::new());
        for start in 0..self.all.len() {
            // The functions that are being looked at, each called by the one before, and how many
            // of its calls were.
            let mut trail = vec![(start, 0)];
            while let Some((at, next)) = trail.last_mut() {
                let (at, call) = (*at, self.all[*at].1.get(*next));
                *next += 1;
                let Some(call) = call.filter(|_| !done.contains(&at)) else {
                    if done.insert(at) {
                        order.push(at);
                    }
                    trail.pop();
                    continue;
                };
                let Some(&called) = self.by_name.get(call.text.as_str()) else { continue };
                // A function may call itself, if it counts down: that is seen where it is checked.
                if called == at {
                    continue;
                }
                if trail.iter().any(|&(open, _)| open == called) {
                    checker.error(circle(call));
                    checker.scope.missing.insert(call.text.clone());
                } else if !done.contains(&called) {
                    trail.push((called, 0));
                }
            }
        }
        order
    }
}

fn circle(call: &Name) -> Diagnostic {
    let title = format!("`{}` calls itself, by the functions that it calls", call.text);
    Diagnostic::error("E221", title, call.span, "called again here")
        .help("write a loop, or one function that counts down and calls itself")
}

fn each_call<'a>(expr: &'a ast::Expr, found: &mut Vec<&'a Name>) {
    if let ExprKind::Call(name, _) = &expr.kind {
        found.push(name);
    }
    for (part, _) in parts(expr) {
        each_call(part, found);
    }
}
