//! A found rule as a template: draws that make inputs like the examples, the rule, a layout.

use std::collections::HashSet;
use std::fmt::Write;

use super::examples::{Column, Examples};
use super::expression::{Expression, quoted};
use super::kind::{Kind, Scalar};
use super::op::Op;
use super::values::Value;
use crate::ir::Arithmetic;
use crate::runtime::builtins::Builtin;
use crate::source::Source;
use crate::syntax::tokens::is_keyword;
use crate::{stdlib, syntax};

/// Texts of so many or fewer are a set that one is picked from.
const CHOICES_MAX: usize = 8;

/// How many times as much a template draws as its examples have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Width {
    /// The most elements of a list.
    pub sizes: usize,
    /// The numbers of a range.
    pub numbers: i64,
}

impl Width {
    /// As the examples.
    pub const OWN: Width = Width { sizes: 1, numbers: 1 };
}

/// The text of a template that draws such inputs and asks for the rule's output.
pub fn template(examples: &Examples, rule: &Expression, width: Width) -> String {
    let count = examples.len();
    let noun = if count == 1 { "example" } else { "examples" };
    written(examples, rule, &format!("The rule was found from {count} {noun}."), width)
}

/// The same where the rule came first.
pub fn grown(examples: &Examples, rule: &Expression) -> String {
    written(examples, rule, "Grown by cookc out of operations of the language.", Width::OWN)
}

fn written(examples: &Examples, rule: &Expression, origin: &str, width: Width) -> String {
    let names = names(examples);
    let needs_texts = needs_texts(rule);
    let mut writer = Writer {
        examples,
        rule,
        names: &names,
        needs_texts,
        width,
        params: String::new(),
        easy: Vec::new(),
        hard: Vec::new(),
        draws: String::new(),
        sizes: Vec::new(),
    };
    for at in 0..examples.inputs.len() {
        writer.input(at);
    }
    let Writer { params, easy, hard, draws, .. } = writer;
    let mut text = format!("/// Give {} of {}.\n", names.output_words(), names.inputs_words());
    _ = writeln!(text, "///\n/// {origin}\n");
    if rule.has(&|one| matches!(one, Expression::Replaced(_))) {
        _ = writeln!(text, "use tokens: replaced\n");
    }
    if !params.is_empty() {
        _ = writeln!(text, "{params}");
        _ = writeln!(text, "level easy: {}\nlevel hard: {}\n", easy.join(", "), hard.join(", "));
    }
    let written = rule.written(&names.inputs);
    _ = writeln!(text, "{draws}{} = {written}\n", names.output);
    _ = writeln!(text, "rule right: {} == {}\n", names.output, rule.compared(&names.inputs));
    _ = writeln!(text, "prompt \"\"\"");
    for (name, column) in names.inputs.iter().zip(&examples.inputs) {
        let break_ = if column.kind.depth > 1 { "\n  " } else { " " };
        _ = writeln!(text, "  {}:{break_}{{{name}}}", title(&column.name));
    }
    _ = writeln!(
        text,
        "  {}:\n  \"\"\"\n\nreply \"{{{}}}\"",
        title(&examples.output.name),
        names.output
    );
    let source = Source::new("found.cook", text.clone());
    syntax::format(&source).unwrap_or(text)
}

/// The names of the fields in the template.
pub(super) struct Names {
    pub(super) inputs: Vec<String>,
    pub(super) output: String,
}

impl Names {
    fn output_words(&self) -> String {
        format!("`{}`", self.output)
    }

    fn inputs_words(&self) -> String {
        let names: Vec<String> = self.inputs.iter().map(|name| format!("`{name}`")).collect();
        match &names[..] {
            [] => "nothing".to_string(),
            [one] => one.clone(),
            [all @ .., last] => format!("{} and {last}", all.join(", ")),
        }
    }
}

/// Names of the language for the fields: each its own, or one like it.
pub(super) fn names(examples: &Examples) -> Names {
    let mut taken: HashSet<String> = HashSet::new();
    let mut name = |column: &Column| {
        let mut name: String = column
            .name
            .to_lowercase()
            .chars()
            .map(|one| if one.is_ascii_alphanumeric() { one } else { '_' })
            .collect();
        if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
            name.insert_str(0, "field_");
        }
        while is_reserved(&name) || !taken.insert(name.clone()) {
            name.push('_');
        }
        name
    };
    let inputs = examples.inputs.iter().map(&mut name).collect();
    Names { inputs, output: name(&examples.output) }
}

/// Is it a word of the language, or a function that all templates have?
fn is_reserved(name: &str) -> bool {
    name == "vocab" || name == "word" || is_keyword(name) || stdlib::draws(name).is_some()
}

/// `Left words` of `left_words`
fn title(name: &str) -> String {
    let words = name.trim_matches('_').replace('_', " ").replace(['{', '}'], "");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Does the rule look into texts, or compare them with texts of its own?
fn needs_texts(rule: &Expression) -> bool {
    let of_texts = |op: &Op| {
        matches!(
            op,
            Op::Shown
                | Op::Joined
                | Op::Builtin(Builtin::Letters | Builtin::Number | Builtin::SortTexts)
        )
    };
    rule.has(&|one| match one {
        Expression::Apply(op, _) => of_texts(op),
        Expression::Parts(_) => true,
        Expression::Constant(_, kind) => kind.scalar == Scalar::Text && *kind != Kind::TEXT.list(),
        _ => false,
    })
}

struct Writer<'a> {
    examples: &'a Examples,
    rule: &'a Expression,
    names: &'a Names,
    /// Words are texts, not words of a pool.
    needs_texts: bool,
    width: Width,
    params: String,
    easy: Vec<String>,
    hard: Vec<String>,
    draws: String,
    /// The sizes of the lists so far, in each example, and the names of those sizes.
    sizes: Vec<(Vec<usize>, String)>,
}

impl Writer<'_> {
    fn draw(&mut self, name: &str, sampler: &str) {
        _ = writeln!(self.draws, "{name} ~ {sampler}");
    }

    fn input(&mut self, at: usize) {
        let column = &self.examples.inputs[at];
        let name = self.names.inputs[at].clone();
        match (column.kind.depth, column.kind.scalar) {
            (0, Scalar::Bool) => self.draw(&name, "coin(0.5)"),
            (0, Scalar::Int) => {
                let sampler = self.index(at).unwrap_or_else(|| {
                    let (low, high) = self.range(&ints(column));
                    format!("uniform({})", written_range(low, high))
                });
                self.draw(&name, &sampler);
            }
            (0, Scalar::Text) => self.text(at, &name),
            (1, _) => self.list(at, &name),
            _ => self.lists(at, &name),
        }
    }

    /// The range of numbers, wider by so much.
    fn range(&self, numbers: &[i64]) -> (i64, i64) {
        let (low, high) = range(numbers);
        let count = high.saturating_sub(low).saturating_add(1).saturating_mul(self.width.numbers);
        (low, if self.width.numbers == 1 { high } else { low.saturating_add(count - 1) })
    }

    /// A number that the rule counts the elements of a list with.
    fn index(&self, at: usize) -> Option<String> {
        let mut found = None;
        self.rule.walk(&mut |one| {
            let Expression::Apply(op, of) = one else { return };
            let most = match op {
                Op::At => "- 1",
                Op::Builtin(Builtin::Take | Builtin::Drop) => "",
                _ => return,
            };
            let (index, list) = (&of[0], &of[1]);
            let least = match index {
                Expression::Field(field) if *field == at => 0,
                Expression::Apply(Op::Arithmetic(Arithmetic::Subtract), of)
                    if of[0] == Expression::Field(at)
                        && of[1] == Expression::Constant(Value::Int(1), Kind::INT) =>
                {
                    1
                }
                _ => return,
            };
            let Expression::Field(list) = list else { return };
            if *list < at {
                let list = &self.names.inputs[*list];
                let most = if least == 1 && !most.is_empty() { "" } else { most };
                found = Some(format!("uniform({least}..size({list}) {most})"));
            }
        });
        found
    }

    fn text(&mut self, at: usize, name: &str) {
        let column = &self.examples.inputs[at];
        if let Some(list) = self.source(at, &|value, list| list.contains(value)) {
            return self.draw(name, &format!("pick({list})"));
        }
        let all: Vec<&Value> = column.values.iter().collect();
        let mut different = all.clone();
        different.sort();
        different.dedup();
        if different.len() <= CHOICES_MAX && 2 * different.len() <= all.len() {
            let texts: Vec<String> = different.into_iter().map(shown).collect();
            return self.draw(name, &format!("pick([{}])", texts.join(", ")));
        }
        if !self.needs_texts {
            return self.draw(name, "pick(vocab)");
        }
        if !self.rule.has(&|one| matches!(one, Expression::Apply(Op::Builtin(Builtin::Letters), _)))
        {
            self.draw(&format!("{name}_word"), "pick(vocab)");
            _ = writeln!(self.draws, "{name} = \"{{{name}_word}}\"");
            return;
        }
        let letters: Vec<char> = all.iter().flat_map(|value| characters(value)).collect();
        let sizes: Vec<usize> = all.iter().map(|value| characters(value).len()).collect();
        let size = self.size(&format!("{name}_letters"), &sizes);
        let alphabet = alphabet(letters);
        self.draw(&format!("{name}_drawn"), &format!("draw({size}, letters({alphabet}))"));
        _ = writeln!(self.draws, "{name} = \"{{join(\"\", {name}_drawn)}}\"");
    }

    /// A list of numbers, words or booleans.
    fn list(&mut self, at: usize, name: &str) {
        let column = &self.examples.inputs[at];
        let sizes: Vec<usize> = column.values.iter().map(|value| elements(value).len()).collect();
        let is_distinct = column.values.iter().all(|value| is_distinct(elements(value)));
        let is_part = |value: &Value, list: &[Value]| {
            elements(value).iter().all(|one| list.contains(one)) && !elements(value).is_empty()
        };
        let is_slice = |value: &Value, list: &[Value]| {
            let part = elements(value);
            !part.is_empty() && list.windows(part.len()).any(|window| window == part)
        };
        let size = self.size(name, &sizes);
        let how = if is_distinct { "distinct" } else { "draw" };
        if sizes.iter().any(|&size| size > 1)
            && let Some(list) = self.source(at, &is_slice)
        {
            return self.draw(name, &format!("span(min([{size}, size({list})]), {list})"));
        }
        if let Some(list) = self.source(at, &is_part) {
            return self.draw(name, &format!("{how}(min([{size}, size({list})]), {list})"));
        }
        match column.kind.scalar {
            Scalar::Bool => self.draw(name, &format!("repeat({size}, coin(0.5))")),
            Scalar::Int => {
                let (low, high) = self.range(&all_ints(column));
                // The largest list takes different numbers from a range that has them.
                let most = 2 * sizes.iter().max().copied().unwrap_or(1) as i64;
                let high = if is_distinct { high.max(low + most) } else { high };
                self.draw(name, &format!("{how}({size}, {})", written_range(low, high)));
            }
            Scalar::Text if self.looks_into_texts() => {
                let all: Vec<Vec<char>> =
                    column.values.iter().flat_map(elements).map(characters).collect();
                let lengths: Vec<i64> = all.iter().map(|one| one.len() as i64).collect();
                let (low, high) = range(&lengths);
                let lengths = written_range(low, high);
                self.draw(&format!("{name}_lengths"), &format!("draw({size}, {lengths})"));
                let word = format!("draw(length_, letters({}))", alphabet(all.concat()));
                let words = format!("for length_ in {name}_lengths: {word}");
                self.draw(&format!("{name}_letters"), &words);
                let shown = "\"{join(\"\", word)}\"";
                _ = writeln!(self.draws, "{name} = for word in {name}_letters: {shown}");
            }
            Scalar::Text if self.needs_texts => {
                self.draw(&format!("{name}_words"), &format!("{how}({size}, vocab)"));
                _ = writeln!(self.draws, "{name} = for word in {name}_words: \"{{word}}\"");
            }
            Scalar::Text => self.draw(name, &format!("{how}({size}, vocab)")),
        }
    }

    fn looks_into_texts(&self) -> bool {
        let is_letters = |op: &Op| matches!(op, Op::Builtin(Builtin::Letters));
        self.rule.has(&|one| matches!(one, Expression::Apply(op, _) if is_letters(op)))
    }

    /// A list of lists.
    fn lists(&mut self, at: usize, name: &str) {
        let column = &self.examples.inputs[at];
        let sizes: Vec<usize> = column.values.iter().map(|value| elements(value).len()).collect();
        let inner: Vec<usize> = column
            .values
            .iter()
            .flat_map(|value| elements(value).iter().map(|row| elements(row).len()))
            .collect();
        let size = self.size(name, &sizes);
        let (low, high) = (inner.iter().min().copied(), inner.iter().max().copied());
        let (low, high) = (low.unwrap_or(1), high.unwrap_or(1));
        let (least, most) = self.range(&all_ints(column));
        let of = match column.kind.scalar {
            Scalar::Int => written_range(least, most),
            Scalar::Text => "vocab".to_string(),
            Scalar::Bool => "[true, false]".to_string(),
        };
        if low == high {
            return self.draw(name, &format!("repeat({size}, draw({low}, {of}))"));
        }
        self.draw(&format!("{name}_sizes"), &format!("draw({size}, {low}..{high})"));
        self.draw(name, &format!("for count_ in {name}_sizes: draw(count_, {of})"));
    }

    /// An earlier list that has this field's values in all examples.
    fn source(&self, at: usize, has: &dyn Fn(&Value, &[Value]) -> bool) -> Option<String> {
        let kind = self.examples.inputs[at].kind;
        let scalar = Kind { depth: 1, ..kind };
        let known = self.examples.inputs[..at].iter().position(|list| {
            let both = self.examples.inputs[at].values.iter().zip(&list.values);
            list.kind == scalar && both.clone().all(|(value, list)| has(value, elements(list)))
        });
        known.map(|known| self.names.inputs[known].clone())
    }

    /// What to write for the size of a list: that of another, a number, or a name that is drawn.
    fn size(&mut self, name: &str, sizes: &[usize]) -> String {
        if let Some((_, known)) = self.sizes.iter().find(|(known, _)| known == sizes) {
            return known.clone();
        }
        let (low, high) = (sizes.iter().min().copied(), sizes.iter().max().copied());
        let (low, high) = (low.unwrap_or(1).max(1), high.unwrap_or(1).max(1) * self.width.sizes);
        let name = name.trim_end_matches('_');
        let most = format!("{name}_most");
        let far = 2 * high;
        _ = writeln!(self.params, "param {most} in {low}..{far} = {high}");
        self.easy.push(format!("{most} = {}", low.midpoint(high)));
        self.hard.push(format!("{most} = {}", high + high.div_ceil(2)));
        let size = format!("{name}_size");
        self.draw(&size, &format!("uniform({low}..{most})"));
        self.sizes.push((sizes.to_vec(), size.clone()));
        size
    }
}

/// The different letters of texts, as one text.
fn alphabet(mut letters: Vec<char>) -> String {
    letters.sort_unstable();
    letters.dedup();
    quoted(&letters.into_iter().collect::<String>())
}

fn written_range(low: i64, high: i64) -> String {
    format!("{low}..{high}")
}

fn range(numbers: &[i64]) -> (i64, i64) {
    let (low, high) = (numbers.iter().min(), numbers.iter().max());
    (low.copied().unwrap_or(0), high.copied().unwrap_or(9))
}

fn elements(value: &Value) -> &[Value] {
    match value {
        Value::List(elements) => elements,
        _ => &[],
    }
}

fn is_distinct(of: &[Value]) -> bool {
    let mut seen = HashSet::new();
    of.iter().all(|one| seen.insert(one))
}

fn characters(value: &Value) -> Vec<char> {
    match value {
        Value::Text(text) => text.chars().collect(),
        _ => Vec::new(),
    }
}

fn ints(column: &Column) -> Vec<i64> {
    let ints = column.values.iter().filter_map(|value| match value {
        Value::Int(int) => Some(*int),
        _ => None,
    });
    ints.collect()
}

fn all_ints(column: &Column) -> Vec<i64> {
    fn of(value: &Value, found: &mut Vec<i64>) {
        match value {
            Value::Int(int) => found.push(*int),
            Value::List(elements) => elements.iter().for_each(|one| of(one, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    column.values.iter().for_each(|value| of(value, &mut found));
    found
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        other => format!("{other:?}"),
    }
}
