//! From what the grammar matched to the tree: one function a statement.

use std::collections::BTreeSet;

use pest::iterators::Pair;

use super::ast::{self, Name, Statement, StatementKind};
use super::error::meaning as error;
use super::grammar::Rule;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// Builds the tree of one stretch of a source that fits the grammar.
pub struct Build<'a> {
    /// The complete text.
    pub source: &'a Source,
    /// Where in it the stretch begins.
    base: usize,
    /// What fits the grammar and is wrong all the same.
    pub errors: Vec<Diagnostic>,
}

impl<'a> Build<'a> {
    /// A builder of the stretch that begins at `base`.
    pub fn new(source: &'a Source, base: usize) -> Build<'a> {
        Build { source, base, errors: Vec::new() }
    }

    /// The statements of the stretch, and at the top of the text the documentation of the file: the
    /// first lines of it, whether or not an empty line follows.
    pub fn file<'t>(&mut self, statements: impl Iterator<Item = Pair<'t, Rule>>) -> ast::File {
        let mut file = ast::File::default();
        let mut docs: Vec<(Span, String)> = Vec::new();
        let mut at_top = self.source.text[..self.base].trim_start_matches('\u{feff}').is_empty();
        let texts = |docs: &mut Vec<(Span, String)>| docs.drain(..).map(|(_, text)| text).collect();
        for pair in statements {
            let span = self.span(&pair);
            let goes_on = pair.as_rule() == Rule::doc
                && docs.last().is_some_and(|(last, _)| !self.blank_line(last.end, span.start));
            if at_top && !docs.is_empty() && !goes_on {
                let ends = docs.last().map_or(0, |(last, _)| last.end);
                let is_of_function =
                    pair.as_rule() == Rule::function && !self.blank_line(ends, span.start);
                file.docs = docs.iter().map(|(_, text)| text.clone()).collect();
                // Right above a function it says what that does as well.
                if !is_of_function {
                    docs.clear();
                }
                at_top = false;
            }
            if pair.as_rule() == Rule::doc {
                docs.push((span, doc_text(pair.as_str())));
                continue;
            }
            at_top = false;
            let docs = texts(&mut docs);
            file.statements.push(self.statement(docs, pair));
        }
        match docs.last() {
            Some((last, _)) if !at_top => self.errors.push(error::documents_nothing(*last)),
            _ if at_top => file.docs = texts(&mut docs),
            _ => {}
        }
        self.settings_without_comma(&mut file.statements);
        file
    }

    /// `level hard: length = 400 quote = 2` reads as a level and a computation. It is meant as one
    /// level if they share a line, or if the name is a parameter's. Takes the computation away.
    fn settings_without_comma(&mut self, statements: &mut Vec<Statement>) {
        let param = |statement: &Statement| match &statement.kind {
            StatementKind::Param(param) => Some(param.name.text.clone()),
            _ => None,
        };
        let params: BTreeSet<String> = statements.iter().filter_map(param).collect();
        let mut level: Option<Span> = None;
        let (mut open, mut goes_on) = (None, false);
        let (source, errors) = (self.source, &mut self.errors);
        statements.retain(|statement| {
            let before = level.take();
            if let StatementKind::Level { .. } = statement.kind {
                (level, goes_on) = (Some(statement.span), false);
            }
            let (Some(before), StatementKind::Compute(set)) = (before, &statement.kind) else {
                return true;
            };
            let between = Span::new(before.end, statement.span.start);
            let is_setting =
                params.contains(&set.name.text) || !source.slice(between).contains('\n');
            if !is_setting {
                return true;
            }
            // What follows a setting without comma is one more of the same error.
            match &mut open {
                Some(error) if goes_on => *error = error::one_more_comma(error, before),
                _ => {
                    errors.extend(open.take());
                    open = Some(error::comma_before_setting(source, before, set));
                }
            }
            (level, goes_on) = (Some(statement.span), true);
            false
        });
        errors.extend(open);
    }

    fn blank_line(&self, from: usize, to: usize) -> bool {
        let lines: Vec<&str> = self.source.text[from..to].split('\n').collect();
        lines.len() > 2 && lines[1..lines.len() - 1].iter().any(|line| line.trim().is_empty())
    }

    fn statement(&mut self, docs: Vec<String>, pair: Pair<'_, Rule>) -> Statement {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::import => self.import(pair),
            Rule::words => self.words(pair),
            Rule::param => self.param(pair),
            Rule::level => self.level(pair),
            Rule::binding => self.binding(pair),
            Rule::relation => self.relation(pair),
            Rule::layout => self.layout(pair),
            Rule::function => self.function(pair),
            other => unreachable!("the grammar makes no statement of {other:?}"),
        };
        Statement { docs, span, kind }
    }

    fn import(&mut self, pair: Pair<'_, Rule>) -> StatementKind {
        let of_template = pair.clone().into_inner().any(|part| part.as_rule() == Rule::kw_template);
        let mut names = parts(pair).map(|name| self.name(&name));
        let module = names.next().expect("the grammar wants a name after `use`");
        match of_template {
            true => StatementKind::UseTemplate(module),
            false => StatementKind::Use { module, names: names.collect() },
        }
    }

    fn words(&mut self, pair: Pair<'_, Rule>) -> StatementKind {
        let mut parts = parts(pair);
        let name = self.name(&take(&mut parts, Rule::name));
        let text = take(&mut parts, Rule::text);
        let path_span = self.span(&text);
        StatementKind::Words { name, path: self.literal(text), path_span }
    }

    fn param(&mut self, pair: Pair<'_, Rule>) -> StatementKind {
        let mut parts = parts(pair);
        let name = self.name(&take(&mut parts, Rule::name));
        let range = self.expression(take(&mut parts, Rule::expression));
        let default = self.expression(take(&mut parts, Rule::expression));
        let mut names = Vec::new();
        let (low, high) = match range.kind {
            ast::ExprKind::Range(low, high) => (*low, *high),
            ast::ExprKind::List(all) if is_of_texts(&all) => {
                let Span { start, end } = range.span;
                let at = |place, value| ast::Expr {
                    span: Span::new(place, place),
                    kind: ast::ExprKind::Int(value),
                };
                let last = all.len() as i64 - 1;
                names = all;
                (at(start, 0), at(end, last))
            }
            _ => {
                self.errors.push(error::no_range(self.source, range.span));
                // One error is one message: what is there is no number either.
                let any = |value| ast::Expr { span: range.span, kind: ast::ExprKind::Int(value) };
                (any(0), any(i64::MAX))
            }
        };
        StatementKind::Param(ast::Param { name, names, low, high, default })
    }

    fn level(&mut self, pair: Pair<'_, Rule>) -> StatementKind {
        let mut parts = parts(pair);
        let name = self.name(&take(&mut parts, Rule::name));
        StatementKind::Level { name, settings: parts.map(|part| self.setting(part)).collect() }
    }

    fn binding(&mut self, pair: Pair<'_, Rule>) -> StatementKind {
        let draws = pair.clone().into_inner().any(|part| part.as_rule() == Rule::tilde);
        match draws {
            true => StatementKind::Draw(self.bound(pair, Rule::tilde)),
            false => StatementKind::Compute(self.bound(pair, Rule::equals)),
        }
    }

    fn relation(&mut self, pair: Pair<'_, Rule>) -> StatementKind {
        StatementKind::Rule(self.bound(pair, Rule::colon))
    }

    fn bound(&mut self, pair: Pair<'_, Rule>, symbol: Rule) -> ast::Binding {
        let mut inner = pair.into_inner().filter(|part| part.as_rule() != Rule::kw_rule);
        let name = self.name(&take(&mut inner, Rule::name));
        let symbol = self.span(&take(&mut inner, symbol));
        let value = self.expression(take(&mut inner, Rule::expression));
        ast::Binding { name, symbol, value }
    }

    fn layout(&mut self, pair: Pair<'_, Rule>) -> StatementKind {
        let mut inner = pair.into_inner();
        let word = inner.next().expect("the grammar begins a layout with a word").as_rule();
        let text = self.text(take(&mut inner, Rule::text));
        match word {
            Rule::kw_system => StatementKind::System(text),
            Rule::kw_prompt => StatementKind::Prompt(text),
            _ => StatementKind::Reply(text),
        }
    }

    fn function(&mut self, pair: Pair<'_, Rule>) -> StatementKind {
        let draws = pair.clone().into_inner().any(|part| part.as_rule() == Rule::wave);
        let mut parts = parts(pair).peekable();
        let name = self.name(&take(&mut parts, Rule::name));
        let mut params = Vec::new();
        while let Some(part) = parts.next_if(|part| part.as_rule() == Rule::parameter) {
            let mut inner = self::parts(part);
            let name = self.name(&take(&mut inner, Rule::name));
            params.push((name, self.kind(take(&mut inner, Rule::kind))));
        }
        let result = self.kind(take(&mut parts, Rule::kind));
        let body = parts.next().map(|part| match part.as_rule() {
            Rule::block => self.block(part),
            _ => ast::Body { statements: Vec::new(), result: self.expression(part) },
        });
        StatementKind::Function(ast::Function { name, params, draws, result, body })
    }

    fn block(&mut self, pair: Pair<'_, Rule>) -> ast::Body {
        let mut parts = parts(pair).peekable();
        let mut docs = Vec::new();
        let mut statements = Vec::new();
        while let Some(part) = parts.next_if(|part| part.as_rule() != Rule::expression) {
            match part.as_rule() {
                Rule::doc => docs.push(doc_text(part.as_str())),
                _ => statements.push(self.statement(std::mem::take(&mut docs), part)),
            }
        }
        let result = self.expression(take(&mut parts, Rule::expression));
        ast::Body { statements, result }
    }

    fn kind(&mut self, pair: Pair<'_, Rule>) -> ast::Type {
        let span = self.span(&pair);
        let part = parts(pair).next().expect("the grammar gives a type a name or an element");
        let kind = match part.as_rule() {
            Rule::kind => ast::TypeKind::List(Box::new(self.kind(part))),
            _ => ast::TypeKind::Named(part.as_str().to_string()),
        };
        ast::Type { span, kind }
    }

    /// `length = 400`, in a level or carried by a fold.
    pub fn setting(&mut self, pair: Pair<'_, Rule>) -> (Name, ast::Expr) {
        let mut parts = parts(pair);
        let name = self.name(&take(&mut parts, Rule::name));
        (name, self.expression(take(&mut parts, Rule::expression)))
    }

    /// A name and where it is in the complete text.
    pub fn name(&self, pair: &Pair<'_, Rule>) -> Name {
        Name { text: pair.as_str().to_string(), span: self.span(pair) }
    }

    /// Where a pair is in the complete text.
    pub fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        Span::new(self.base + pair.as_span().start(), self.base + end(pair))
    }
}

/// Where the last symbol or word of a pair ends. The parser skips space in search of more and
/// counts it as part of the pair, even if nothing more follows.
fn end(pair: &Pair<'_, Rule>) -> usize {
    match pair.clone().into_inner().next_back() {
        Some(last) => end(&last),
        None => pair.as_span().end(),
    }
}

/// The next part, which the grammar says is of this rule.
pub fn take<'p>(parts: &mut impl Iterator<Item = Pair<'p, Rule>>, rule: Rule) -> Pair<'p, Rule> {
    let part = parts.next().expect("the grammar gives every part");
    assert_eq!(part.as_rule(), rule, "the grammar gives the parts in order");
    part
}

/// The parts of a pair that carry meaning: neither symbols nor keywords.
pub fn parts(pair: Pair<'_, Rule>) -> impl Iterator<Item = Pair<'_, Rule>> {
    pair.into_inner().filter(|part| {
        use Rule::*;
        matches!(
            part.as_rule(),
            name | expression
                | filter
                | setting
                | text
                | parameter
                | kind
                | kind_name
                | block
                | doc
                | binding
        )
    })
}

/// A `///` line without its slashes and the space after them.
fn doc_text(line: &str) -> String {
    let text = line.trim_start_matches('/').trim_end();
    text.strip_prefix(' ').unwrap_or(text).to_string()
}

/// True for a list of texts as they are, with one at least.
fn is_of_texts(elements: &[ast::Expr]) -> bool {
    let is_text = |element: &ast::Expr| matches!(element.kind, ast::ExprKind::Text(_));
    !elements.is_empty() && elements.iter().all(is_text)
}
