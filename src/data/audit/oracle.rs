//! Rules that repeat how the answer was made: a mistake in it passes them.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::data::examples;
use crate::source::{Source, Span};
use crate::syntax;
use crate::syntax::ast::{self, ExprKind, Operator, Statement, StatementKind};
use crate::syntax::tokens::{self, Kind, Token};

/// Rules of which each says `answer == f(x)` where the answer is `f(x)`, for a function of the
/// template that has no example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Repeated {
    /// The first of the rules.
    pub rule: String,
    /// What it compares.
    pub output: String,
    /// The function.
    pub function: String,
    /// The first byte of what the rule repeats.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// The same of the function's name.
    pub function_start: usize,
    /// One past its last byte.
    pub function_end: usize,
}

/// What the rules of a template repeat; none if one of them, or an example, says more.
pub fn repeated(source: &Source) -> Option<Repeated> {
    let (file, _) = syntax::parse(source);
    let (words, _) = tokens::scan(source, tokens::start(source));
    let text = Text { source, file: &file, words: &words };
    let mut first = None;
    for statement in &file.statements {
        if let StatementKind::Rule(rule) = &statement.kind {
            let (output, span) = text.repeats(&rule.value)?;
            first.get_or_insert((&rule.name.text, output, span));
        }
    }
    let (rule, output, span) = first?;
    let reached = text.reached(span);
    if reached.iter().any(|one| !examples::of(source, one).is_empty()) {
        return None;
    }
    let function = reached.into_iter().find_map(|one| match &one.kind {
        StatementKind::Function(function) => Some(function),
        _ => None,
    })?;
    Some(Repeated {
        rule: rule.clone(),
        output,
        function: function.name.text.clone(),
        start: span.start,
        end: span.end,
        function_start: function.name.span.start,
        function_end: function.name.span.end,
    })
}

struct Text<'a> {
    source: &'a Source,
    file: &'a ast::File,
    words: &'a [Token],
}

impl<'a> Text<'a> {
    /// The name that a relation compares with what it is bound to, and where that stands.
    fn repeats(&self, relation: &ast::Expr) -> Option<(String, Span)> {
        let ExprKind::Binary(Operator::Equal, _, left, right) = &relation.kind else { return None };
        [(left, right), (right, left)].into_iter().find_map(|(name, value)| {
            let ExprKind::Name(name) = &name.kind else { return None };
            let bound = self.file.statements.iter().find_map(|one| match &one.kind {
                StatementKind::Compute(bound) if bound.name.text == *name => Some(&bound.value),
                _ => None,
            })?;
            let same = self.symbols(bound.span) == self.symbols(value.span);
            same.then(|| (name.clone(), value.span))
        })
    }

    /// The tokens within a span, without the brackets around them.
    fn symbols(&self, span: Span) -> Vec<&'a str> {
        let inside = self.within(span).map(|token| self.source.slice(token.span));
        let mut inside: Vec<&str> = inside.collect();
        while inside.first() == Some(&"(") && inside.last() == Some(&")") && closes_last(&inside) {
            inside = inside[1..inside.len() - 1].to_vec();
        }
        inside
    }

    fn within(&self, span: Span) -> impl Iterator<Item = &'a Token> + use<'a> {
        let is_code = |token: &&Token| !matches!(token.kind, Kind::Comment | Kind::Doc);
        let inside =
            move |token: &&Token| token.span.start >= span.start && token.span.end <= span.end;
        self.words.iter().filter(is_code).filter(inside)
    }

    /// The functions of the file that a span calls, they and what it names too.
    fn reached(&self, span: Span) -> Vec<&'a Statement> {
        let (mut found, mut seen, mut open) = (Vec::new(), BTreeSet::new(), vec![span]);
        while let Some(span) = open.pop() {
            for token in self.within(span).filter(|token| token.kind == Kind::Word) {
                let name = self.source.slice(token.span);
                let named = self.file.statements.iter().find(|one| match &one.kind {
                    StatementKind::Function(function) => function.name.text == name,
                    StatementKind::Compute(bound) => bound.name.text == name,
                    _ => false,
                });
                let Some(named) = named.filter(|_| seen.insert(name)) else { continue };
                if matches!(named.kind, StatementKind::Function(_)) {
                    found.push(named);
                }
                open.push(named.span);
            }
        }
        found
    }
}

/// True if the first bracket is closed by the last.
fn closes_last(symbols: &[&str]) -> bool {
    let mut depth = 0;
    symbols[..symbols.len() - 1].iter().all(|symbol| {
        depth += i32::from(*symbol == "(") - i32::from(*symbol == ")");
        depth > 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(function: &str, rules: &str) -> Option<(String, String)> {
        let text = format!(
            "xs ~ distinct(8, vocab)\n{function}\nfn turned(xs: [Token]) -> [Token] = reverse(xs)\n\
             answer = turned(xs)\n{rules}\nprompt \"{{xs}}\"\nreply \"{{answer}}\"\n"
        );
        let found = repeated(&Source::new("t.cook", text))?;
        Some((found.rule, found.function))
    }

    #[test]
    fn a_rule_that_repeats_the_answer_is_told_where_nothing_else_checks_it() {
        let told = Some(("right".to_string(), "turned".to_string()));
        assert_eq!(of("", "rule right: answer == turned(xs)"), told);
        assert_eq!(of("", "rule right: ( turned( xs ) ) == answer"), told);
        assert_eq!(of("///\n///     turned([1]) == [1]", "rule right: answer == turned(xs)"), None);
        assert_eq!(of("", "rule right: answer == turned(xs)\nrule r: reverse(answer) == xs"), None);
        assert_eq!(of("", "rule right: reverse(answer) == xs"), None);
        assert_eq!(of("", ""), None);
    }
}
