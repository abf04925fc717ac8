//! What operations cost: the more often the standard library uses one, the less.

use std::collections::HashMap;
use std::sync::LazyLock;

/// An operation a line, and how often the templates of the standard library use it.
const USAGE: &str = include_str!("usage.txt");

/// An operation of at least this share of all uses is as likely as a name or a small number.
const COMMON: f64 = 0.005;
/// One of less than this share is rare.
const RARE: f64 = 0.001;

/// What an operation costs, in the unit in which a field is 1.
pub fn cost(name: &str) -> usize {
    let share = share(name);
    if share >= COMMON {
        1
    } else if share >= RARE {
        2
    } else {
        3
    }
}

fn share(name: &str) -> f64 {
    static SHARES: LazyLock<HashMap<&str, f64>> = LazyLock::new(|| {
        let counts = USAGE.lines().filter_map(|line| line.split_once(' '));
        let counts = counts.filter_map(|(name, count)| Some((name, count.parse::<f64>().ok()?)));
        let all: f64 = counts.clone().map(|(_, count)| count).sum();
        counts.map(|(name, count)| (name, count / all)).collect()
    });
    SHARES.get(name).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Arc;

    use super::USAGE;
    use crate::check::typed::{Expr, ExprKind, Function};
    use crate::stdlib;
    use crate::syntax::ast::{Each, Operator};
    use crate::template::Template;

    /// What a template computes: its bindings, its rules, and the functions that they call, once.
    fn expressions(template: &Template) -> Vec<Expr> {
        let typed = template.typed();
        let mut found: Vec<Expr> = typed.bindings.iter().map(|one| one.value.clone()).collect();
        found.extend(typed.rules.iter().map(|rule| rule.relation.clone()));
        let mut known: BTreeSet<*const Function> = BTreeSet::new();
        let mut at = 0;
        while at < found.len() {
            let mut called: Vec<Arc<Function>> = Vec::new();
            found[at].clone().visit(&mut |one| {
                if let ExprKind::Apply(function, _) = &one.kind {
                    called.push(function.clone());
                }
            });
            for function in called {
                if let (true, Some(body)) = (known.insert(Arc::as_ptr(&function)), &function.body) {
                    found.extend(body.bindings.iter().map(|(_, _, value)| value.clone()));
                    found.push(body.result.clone());
                }
            }
            at += 1;
        }
        found
    }

    /// How an expression begins, and its parts.
    fn head(of: &Expr) -> (String, Vec<&Expr>) {
        match &of.kind {
            ExprKind::Int(number) => (number.to_string(), vec![]),
            ExprKind::Native(name, parts) => (name.clone(), parts.iter().collect()),
            ExprKind::List(parts) if parts.len() == 1 => ("single".into(), parts.iter().collect()),
            ExprKind::Range(a, b) => ("..".into(), vec![&**a, &**b]),
            ExprKind::Not(a) => ("not".into(), vec![&**a]),
            ExprKind::Binary(Operator::Add, a, b) if a.ty.element().is_some() => {
                ("append".into(), vec![&**a, &**b])
            }
            ExprKind::Binary(operator, a, b) => (operator.to_string(), vec![&**a, &**b]),
            ExprKind::If(a, b, c) => ("if".into(), vec![&**a, &**b, &**c]),
            ExprKind::Each(each, of) => {
                let word = match (each, &of.filter) {
                    (Each::For, Some(_)) => "where",
                    (Each::For, None) => "for",
                    (Each::Count, _) => "count",
                    (Each::All, _) => "all",
                    (Each::Any, _) => "any",
                };
                (word.into(), [&of.list].into_iter().chain(&of.filter).chain([&of.body]).collect())
            }
            ExprKind::Fold(_) => ("fold".into(), vec![]),
            _ => ("_".into(), vec![]),
        }
    }

    /// An expression down to a depth, with what is below left open.
    fn pattern(of: &Expr, depth: usize) -> (String, usize) {
        let (head, parts) = head(of);
        if depth == 0 || parts.is_empty() {
            let is_known = ["0", "1"].contains(&head.as_str());
            return if is_known { (head, 1) } else { ("_".into(), 0) };
        }
        let parts: Vec<(String, usize)> =
            parts.into_iter().map(|part| pattern(part, depth - 1)).collect();
        let size = 1 + parts.iter().map(|(_, size)| size).sum::<usize>();
        let parts: Vec<String> = parts.into_iter().map(|(part, _)| part).collect();
        (format!("{head}({})", parts.join(", ")), size)
    }

    #[test]
    fn costs_are_counted_in_the_standard_library() {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut patterns: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for (name, _) in stdlib::TEMPLATES {
            let template = Template::builtin(name).expect("it is built in");
            let mut own: BTreeSet<(String, usize)> = BTreeSet::new();
            for mut one in expressions(&template) {
                one.visit(&mut |part| {
                    let (head, parts) = head(part);
                    if !parts.is_empty() {
                        *counts.entry(head).or_default() += 1;
                    }
                    own.extend((2..=3).map(|depth| pattern(part, depth)));
                });
            }
            for (pattern, size) in own.into_iter().filter(|(_, size)| *size > 1) {
                let known = patterns.entry(pattern).or_insert((0, size));
                known.0 += 1;
            }
        }
        let mut sorted: Vec<(usize, String)> =
            counts.into_iter().map(|(name, count)| (count, name)).collect();
        sorted.sort_by(|one, other| other.cmp(one));
        let text: String = sorted.iter().map(|(count, name)| format!("{name} {count}\n")).collect();
        if std::env::var_os("COOKC_UPDATE_DOCS").is_some() {
            std::fs::write("src/search/usage.txt", &text).expect("the file can be written");
            let mut mined: Vec<(usize, String)> = patterns
                .into_iter()
                .map(|(pattern, (count, size))| (count * (size - 1), pattern))
                .collect();
            mined.sort_by(|one, other| other.cmp(one));
            for (weight, pattern) in mined.iter().take(60) {
                println!("{weight} {pattern}");
            }
            return;
        }
        assert_eq!(text, USAGE, "COOKC_UPDATE_DOCS=1 writes it");
    }
}
