//! From a program's layout and bounds to the rules of a grammar.

use std::collections::{BTreeMap, BTreeSet};

use super::{Grammar, Node, Rule, choice, numbers, repeat, sequence};
use crate::check::types::Type;
use crate::data::Sampler;
use crate::data::layout::{Escape, TextWriter, cells};
use crate::ir::reply::is_read;
use crate::ir::{Bound, Cell, Form, Piece, PoolId, Program, Rows, SlotId, TextBound};
use crate::runtime::Memory;

/// Up to this many words of a pool are written one by one. Of more, any word is allowed that has
/// their characters: an automaton of thousands of words is large, and a reply with another word is
/// read as well.
const WORDS_MAX: usize = 64;

/// The grammar of a sampler's replies, to the sample in the memory if there is one.
pub fn grammar(sampler: &Sampler, memory: Option<&Memory>) -> Grammar {
    let program = sampler.program();
    let root = Rule { name: "root".to_string(), comment: None, node: Node::Choice(Vec::new()) };
    let mut build = Build {
        sampler,
        program,
        memory,
        rules: vec![root],
        values: Vec::new(),
        pools: BTreeMap::new(),
    };
    let pieces: Vec<Node> = program.layout.reply.iter().map(|piece| build.piece(piece)).collect();
    build.rules[0].node = sequence(pieces);
    let title = format!("Replies of {} at the level {}", program.name, sampler.level());
    Grammar { title, rules: build.rules }
}

/// A text of the characters that it can have.
fn made(text: &TextBound) -> Node {
    match text.signs.ranges() {
        ranges if ranges.is_empty() => Node::Text(String::new()),
        ranges => repeat(Node::Letter(ranges), text.low.unsigned_abs(), text.high.unsigned_abs()),
    }
}

/// A part of a row: the same in each, or one text for each.
enum RowPart {
    Always(Node),
    Each(Vec<String>),
}

struct Build<'a> {
    sampler: &'a Sampler,
    program: &'a Program,
    memory: Option<&'a Memory>,
    rules: Vec<Rule>,
    /// Each value and form that has a rule.
    values: Vec<(SlotId, Form, usize)>,
    /// The rules of words: of a pool, or of all words.
    pools: BTreeMap<Option<PoolId>, usize>,
}

impl Build<'_> {
    fn piece(&mut self, piece: &Piece) -> Node {
        let (slot, form) = match piece {
            Piece::Literal(text) => return Node::Text(text.clone()),
            Piece::Value(slot, form) => (*slot, form),
            Piece::Rows(rows) => {
                let read = rows.columns().find(|(slot, _)| is_read(self.program, *slot));
                let named = read.or_else(|| rows.columns().last());
                let slot = named.map(|(slot, _)| &self.program.slots[slot as usize]);
                let name = slot.map(|slot| slot.name.clone()).filter(|name| !name.is_empty());
                let rule = self.reserve(name.as_deref().unwrap_or("rows"));
                let (node, comment) = self.rows(rows, rule);
                (self.rules[rule].node, self.rules[rule].comment) = (node, comment);
                return Node::Rule(rule);
            }
        };
        let known = self.values.iter().find(|(at, as_form, _)| (*at, as_form) == (slot, form));
        if let Some((_, _, rule)) = known {
            return Node::Rule(*rule);
        }
        let value = &self.program.slots[slot as usize];
        let name = if value.name.is_empty() { "value" } else { &value.name };
        let rule = self.reserve(name);
        let value = &self.program.slots[slot as usize];
        self.rules[rule].node = self.value(&value.kind, &value.bound, form, rule);
        self.values.push((slot, form.clone(), rule));
        Node::Rule(rule)
    }

    /// A rule whose node is set later.
    fn reserve(&mut self, name: &str) -> usize {
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        let letter = |letter: char| if plain(letter) { letter } else { '-' };
        let mut name: String = name.to_lowercase().chars().map(letter).collect();
        if !name.starts_with(|first: char| first.is_ascii_lowercase()) || name == "start" {
            name.insert_str(0, "value-");
        }
        let is_taken = |name: &String| self.rules.iter().any(|rule| rule.name == *name);
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let name = std::iter::once(name.clone()).chain(numbered).find(|one| !is_taken(one));
        let name = name.expect("there are endless numbers");
        self.rules.push(Rule { name, comment: None, node: Node::Choice(Vec::new()) });
        self.rules.len() - 1
    }

    /// The texts of a value.
    fn value(&mut self, kind: &Type, bound: &Bound, form: &Form, rule: usize) -> Node {
        match (form, kind.element()) {
            (Form::Digits(digits), _) => {
                let (low, high) = bound.interval();
                numbers::digits(*digits, low, high)
            }
            (Form::Joined(between), Some(element)) => match self.sizes(bound) {
                (_, 0) => Node::Text(String::new()),
                sizes => list(self.element(element, &bound.element(), rule), between, sizes),
            },
            (Form::Plain | Form::Joined(_), _) => self.plain(kind, bound, rule),
        }
    }

    /// The texts of rows, and what to know of them. Lists that the prompt shows are the sample's.
    fn rows(&mut self, rows: &Rows, rule: usize) -> (Node, Option<String>) {
        let program = self.program;
        let last = rows.last().map(|slot| self.sizes(&program.slots[slot as usize].bound));
        let (low, high) = last.unwrap_or((0, 0));
        if high == 0 {
            return (Node::Text(rows.nothing.clone().unwrap_or_default()), None);
        }
        let mut comment = None;
        let has_read = rows.columns().any(|(slot, _)| is_read(program, slot));
        let mut parts = Vec::new();
        for (at, cell) in rows.cells.iter().enumerate() {
            parts.push(match cell {
                Cell::Literal(text) => RowPart::Always(Node::Text(text.clone())),
                Cell::Number => RowPart::Each((1..=high).map(|row| row.to_string()).collect()),
                Cell::Column(slot, form) => {
                    let shown = &program.slots[*slot as usize];
                    let is_last = rows.cells[at + 1..].iter().all(|it| it.column().is_none());
                    let is_given = !is_read(program, *slot) && (has_read || !is_last);
                    let name = &shown.name;
                    if is_given && self.memory.is_none() && !name.is_empty() {
                        comment = Some(format!(
                            "`{name}` are of the prompt: only those of the sample can be read, and \
                             the grammar of a sample has them"
                        ));
                    }
                    let all = program.layout.reply.iter().flat_map(Piece::shown);
                    if all.filter(|(other, _)| other == slot).count() > 1 {
                        comment = Some(format!(
                            "`{name}` must be the same wherever the reply shows them"
                        ));
                    }
                    match self.memory.filter(|_| is_given) {
                        Some(memory) => RowPart::Each(self.shown(*slot, form, memory)),
                        None => {
                            let kind = shown.kind.element().unwrap_or(&Type::Unknown);
                            let bound = shown.bound.element();
                            RowPart::Always(match form {
                                Form::Plain => self.element(kind, &bound, rule),
                                form => self.value(kind, &bound, form, rule),
                            })
                        }
                    }
                }
            });
        }
        let row = |at: u64| {
            sequence(parts.iter().map(|part| match part {
                RowPart::Always(node) => node.clone(),
                RowPart::Each(texts) => {
                    Node::Text(texts.get(at as usize).cloned().unwrap_or_default())
                }
            }))
        };
        let is_same = parts.iter().all(|part| matches!(part, RowPart::Always(_)));
        let some = match is_same {
            true => list(row(0), &rows.between, (low.max(1), high)),
            false => self.each_row((low.max(1), high), &rows.between, row, rule),
        };
        let all = match (low, &rows.nothing) {
            (1.., _) => some,
            (0, None) => repeat(some, 0, 1),
            (0, Some(nothing)) => choice([Node::Text(nothing.clone()), some]),
        };
        (all, comment)
    }

    /// The elements of a list of the sample as rows show them.
    fn shown(&self, slot: SlotId, form: &Form, memory: &Memory) -> Vec<String> {
        let kind = self.program.slots[slot as usize].kind.element().unwrap_or(&Type::Unknown);
        let vocabulary = self.sampler.vocabulary().clone();
        let writer = TextWriter::new(self.program, vocabulary, Escape::None);
        let cells = cells(memory, memory.slot(slot), kind).into_iter();
        cells.map(|cell| writer.in_form(memory, cell, kind, form)).collect()
    }

    /// Rows that each have a separate text. Each that may be the last is a rule.
    fn each_row(
        &mut self,
        (low, high): (u64, u64),
        between: &str,
        row: impl Fn(u64) -> Node,
        rule: usize,
    ) -> Node {
        let name = self.rules[rule].name.clone();
        let line = |at: u64| {
            let before = Node::Text(if at > 0 { between } else { "" }.to_string());
            sequence([before, row(at)])
        };
        let mut rest = None;
        for at in (low..high).rev() {
            let more = rest.map(|rest| repeat(Node::Rule(rest), 0, 1));
            let node = sequence([line(at)].into_iter().chain(more));
            let this = self.reserve(&format!("{name}-line-{}", at + 1));
            self.rules[this].node = node;
            rest = Some(this);
        }
        let more = rest.map(|rest| repeat(Node::Rule(rest), 0, 1));
        sequence((0..low).map(line).chain(more))
    }

    /// An element of a list: a separate rule, unless it is a word.
    fn element(&mut self, kind: &Type, bound: &Bound, rule: usize) -> Node {
        if *kind == Type::Token {
            return self.plain(kind, bound, rule);
        }
        let name = format!("{}-element", self.rules[rule].name);
        let element = self.reserve(&name);
        self.rules[element].node = self.plain(kind, bound, element);
        Node::Rule(element)
    }

    /// A value as `{name}` shows it.
    fn plain(&mut self, kind: &Type, bound: &Bound, rule: usize) -> Node {
        match (kind, bound) {
            (Type::List(_), Bound::List { high: 0, .. }) => Node::Text(String::new()),
            (Type::List(element), _) => {
                let between = if element.element().is_some() { "\n" } else { " " };
                let sizes = self.sizes(bound);
                list(self.element(element, &bound.element(), rule), between, sizes)
            }
            (Type::Token, Bound::Token(pool)) => self.word(Some(*pool)),
            (Type::Token, _) => self.word(None),
            (Type::Bool, _) => {
                let (low, high) = bound.interval();
                let one = |truth: i64| (low..=high).contains(&truth);
                let text = |text: &str| Node::Text(text.to_string());
                let both = [(0, "false"), (1, "true")].into_iter();
                choice(both.filter(|(truth, _)| one(*truth)).map(|(_, word)| text(word)))
            }
            (Type::Int, _) => {
                let (low, high) = bound.interval();
                numbers::integers(low, high)
            }
            (Type::Real, _) => numbers::reals(),
            (Type::Text, bound) => match bound.literals() {
                Some(texts) => {
                    let texts = texts.iter().map(|&text| &self.program.texts[text as usize]);
                    choice(texts.cloned().map(Node::Text))
                }
                None => made(&bound.text()),
            },
            // Only the empty list has elements of no type.
            (Type::Any(_) | Type::Shown | Type::Unknown, _) => Node::Text(String::new()),
        }
    }

    /// The fewest and the most elements of a list.
    fn sizes(&self, bound: &Bound) -> (u64, u64) {
        match bound {
            Bound::List { low, high, .. } => (low.unsigned_abs(), high.unsigned_abs()),
            // No value has more words than all texts together.
            _ => (0, self.program.bounds.words),
        }
    }

    /// A word of a pool, or of any.
    fn word(&mut self, pool: Option<PoolId>) -> Node {
        if let Some(&rule) = self.pools.get(&pool) {
            return Node::Rule(rule);
        }
        let (vocabulary, pools) = (self.sampler.vocabulary(), &self.sampler.pools().tokens);
        let words: Vec<&str> = match pool.and_then(|pool| pools.get(pool as usize)) {
            Some(symbols) => symbols.iter().map(|&symbol| vocabulary.word(symbol)).collect(),
            None => vocabulary.words().collect(),
        };
        let (node, comment) = match words.len() {
            0..=WORDS_MAX => (choice(words.iter().map(|&word| Node::Text(word.into()))), None),
            count => (
                letters_of(&words),
                Some(format!(
                    "for {count} words, more than {WORDS_MAX}: any of their lengths, of their \
                 characters"
                )),
            ),
        };
        let name = pool.and_then(|pool| self.program.pools.get(pool as usize));
        let name = name.filter(|name| *name != "vocab").map_or("word", String::as_str).to_string();
        let rule = self.reserve(&name);
        (self.rules[rule].node, self.rules[rule].comment) = (node, comment);
        self.pools.insert(pool, rule);
        Node::Rule(rule)
    }
}

/// From `low` to `high` elements with a text between them.
fn list(element: Node, between: &str, (low, high): (u64, u64)) -> Node {
    let next = sequence([Node::Text(between.to_string()), element.clone()]);
    let some = sequence([element, repeat(next, low.saturating_sub(1), high - 1)]);
    if low == 0 { repeat(some, 0, 1) } else { some }
}

/// Any text that has the lengths and the characters of some words.
fn letters_of(words: &[&str]) -> Node {
    let lengths = || words.iter().map(|word| word.chars().count() as u64);
    let letters: BTreeSet<char> = words.iter().flat_map(|word| word.chars()).collect();
    let mut ranges: Vec<(char, char)> = Vec::new();
    for letter in letters {
        match ranges.last_mut() {
            Some((_, high)) if u32::from(*high) + 1 == u32::from(letter) => *high = letter,
            _ => ranges.push((letter, letter)),
        }
    }
    let (low, high) = (lengths().min().unwrap_or(1), lengths().max().unwrap_or(1));
    repeat(Node::Letter(ranges), low, high)
}
