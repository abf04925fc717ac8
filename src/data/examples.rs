//! The examples in the documentation of a file's functions, checked and run.

use super::judge::Judge;
use super::layout::{Escape, TextWriter};
use super::vocab::Vocabulary;
use super::{Compile, Sampler, Split};
use crate::check::{self, Neighbour};
use crate::diagnostic::{Diagnostic, Severity};
use crate::ir;
use crate::source::{Source, Span};
use crate::syntax::ast::{ExprKind, Operator, Statement, StatementKind};
use crate::syntax::tokens::{self, Kind};
use crate::syntax::{self, ast};

/// What the examples of a file came to.
#[derive(Clone, Debug, Default)]
pub struct Examples {
    /// How many were run.
    pub run: usize,
    /// An error for each that does not hold.
    pub errors: Vec<Diagnostic>,
}

/// A line that is indented by this many spaces is an example.
const INDENT: usize = 4;

/// Runs the examples of a file without errors. `read` returns the files beside it.
pub fn run(source: &Source, file: &ast::File, read: Neighbour) -> Examples {
    let mut examples = Examples::default();
    let (all, _) = tokens::scan(source, tokens::start(source));
    let docs: Vec<Span> =
        all.iter().filter(|token| token.kind == Kind::Doc).map(|token| token.span).collect();
    let functions = file.statements.iter();
    for function in functions.filter(|one| matches!(one.kind, StatementKind::Function(_))) {
        for place in places(source, function, &docs) {
            let kitchen = Kitchen::new(source, file, read);
            if is_statement(source.slice(place)) {
                continue;
            }
            examples.run += 1;
            examples.errors.extend(kitchen.error(place));
        }
    }
    examples
}

/// Where the examples in a statement's documentation are.
pub(super) fn of(source: &Source, statement: &Statement) -> Vec<Span> {
    let (all, _) = tokens::scan(source, tokens::start(source));
    let docs: Vec<Span> =
        all.iter().filter(|token| token.kind == Kind::Doc).map(|token| token.span).collect();
    places(source, statement, &docs).collect()
}

/// The same, of these lines of documentation.
fn places<'a>(
    source: &'a Source,
    statement: &Statement,
    docs: &[Span],
) -> impl Iterator<Item = Span> + use<'a> {
    let before = docs.partition_point(|doc| doc.start < statement.span.start);
    let own = docs[before.saturating_sub(statement.docs.len())..before].to_vec();
    own.into_iter().filter_map(|line| {
        let text = source.slice(line).trim_start_matches('/');
        let text = text.strip_prefix(' ').unwrap_or(text);
        let example = text.trim();
        let is_example = text.len() - text.trim_start_matches(' ').len() >= INDENT;
        let start = line.end - text.trim_start().len();
        (is_example && !example.is_empty()).then(|| Span::new(start, start + example.len()))
    })
}

/// `halves_ ~ halves(words)` shows how to draw, and says nothing that holds or not.
fn is_statement(text: &str) -> bool {
    let (file, errors) = syntax::parse(&Source::new("example", text));
    let binds =
        |one: &Statement| matches!(one.kind, StatementKind::Draw(_) | StatementKind::Compute(_));
    errors.is_empty() && !file.statements.is_empty() && file.statements.iter().all(binds)
}

/// Turns examples into templates.
struct Kitchen<'a> {
    source: &'a Source,
    read: Neighbour<'a>,
    /// The statements that a function may use.
    outside: String,
    /// A name that is nowhere in the file.
    name: String,
}

/// The template of an example, compiled.
struct Made {
    sampler: Sampler,
    texts: TextWriter,
}

impl<'a> Kitchen<'a> {
    fn new(source: &'a Source, file: &ast::File, read: Neighbour<'a>) -> Kitchen<'a> {
        let is_outside = |one: &&Statement| {
            use StatementKind::{Function, Use, Words};
            matches!(one.kind, Function(_) | Use { .. } | Words { .. })
        };
        let outside = file.statements.iter().filter(is_outside);
        let outside = outside.map(|one| format!("{}\n", source.slice(one.span))).collect();
        let mut name = "example".to_string();
        while source.text.contains(&name) {
            name.push('_');
        }
        Kitchen { source, read, outside, name }
    }

    /// The error of an example; none where it holds.
    fn error(&self, place: Span) -> Option<Diagnostic> {
        let (example, name) = (self.source.slice(place), &self.name);
        let error = |title: String, label: String| Diagnostic::error("E602", title, place, label);
        let made = match self.made(&format!("rule {name}: {example}\n")) {
            Ok(made) => made,
            Err(wrong) => {
                let title = "an example that is not true or false".to_string();
                return Some(error(title, wrong.title).help(match wrong.help.is_empty() {
                    true => "write a relation such as `size([5, 6]) == 2`".to_string(),
                    false => wrong.help,
                }));
            }
        };
        let mut memory = made.sampler.memory(Split::Train, 0);
        let is_made = made.sampler.sample(&mut memory, 0).is_ok();
        if is_made && Judge::new(&made.sampler).own(&mut memory).exact() {
            return None;
        }
        let title = format!("the example `{example}` does not hold");
        let help = "change the example, or the function";
        Some(match self.sides(place) {
            Some((wanted, Ok(found))) => error(title, format!("expected {wanted}, found {found}"))
                .help(format!("write `{found}` in place of `{wanted}`, or change the function")),
            Some((wanted, Err(why))) => {
                error(title, format!("expected {wanted}, and {why}")).help(help)
            }
            None => error(title, "false".to_string()).help(help),
        })
    }

    /// The right side of `==`, as it is computed or written, and what the left side evaluates to.
    fn sides(&self, place: Span) -> Option<(String, Result<String, String>)> {
        let (example, name) = (self.source.slice(place), &self.name);
        let rule = format!("rule {name}: {example}\n");
        let parsed = Source::new("example", rule.as_str());
        let (file, _) = syntax::parse(&parsed);
        let StatementKind::Rule(bound) = &file.statements.first()?.kind else { return None };
        let ExprKind::Binary(Operator::Equal, _, left, right) = &bound.value.kind else {
            return None;
        };
        let value = |side: &ast::Expr| -> Result<String, String> {
            let text = format!("{name}_value = {}\n", parsed.slice(side.span));
            let made = self.made(&text).map_err(|error| error.title)?;
            let mut memory = made.sampler.memory(Split::Train, 0);
            let sample = made.sampler.sample(&mut memory, 0);
            sample.map_err(|error| error.to_string())?;
            let is_it = |slot: &ir::Slot| slot.name == format!("{name}_value");
            let slot = made.sampler.program().slots.iter().position(is_it);
            let slot = slot.ok_or("it has no value")?;
            let value = made.texts.value(slot as ir::SlotId, &memory);
            Ok(if value.is_empty() { "nothing".into() } else { value.replace('\n', "; ") })
        };
        let wanted = value(right).unwrap_or_else(|_| parsed.slice(right.span).to_string());
        Some((wanted, value(left)))
    }

    /// A template with these statements, or its first error.
    fn made(&self, statements: &str) -> Result<Made, Diagnostic> {
        let (outside, name) = (&self.outside, &self.name);
        let text = format!(
            "{outside}{name}_word ~ pick(vocab)\n{statements}prompt \"{{{name}_word}}\"\n\
             reply \"{{{name}_word}}\"\n"
        );
        let source = Source::new(&*self.source.name, text);
        let (file, mut found) = syntax::parse(&source);
        let (template, more) = check::check(&file, &source, self.read);
        found.extend(more);
        found.retain(|one| one.severity == Severity::Error);
        let Some(template) = template.filter(|_| found.is_empty()) else {
            return Err(found.swap_remove(0));
        };
        // Words enough for any function that draws none.
        let words = Vocabulary::embedded_part(64);
        let sampler = Compile::level(&template, "", words).interpreted();
        let sampler = sampler.map_err(|mut errors| errors.swap_remove(0))?;
        let words = sampler.vocabulary().clone();
        let texts = TextWriter::new(sampler.program(), words, Escape::None);
        Ok(Made { sampler, texts })
    }
}
