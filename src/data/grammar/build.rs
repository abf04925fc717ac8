//! From a program's layout and bounds to the rules of a grammar.

use std::collections::{BTreeMap, BTreeSet};

use super::{Grammar, Node, Rule, choice, numbers, repeat, sequence};
use crate::check::types::Type;
use crate::data::Sampler;
use crate::data::layout::{Escape, TextWriter, cells};
use crate::data::read::{given, keys_of};
use crate::ir::{Bound, Form, Piece, PoolId, Program, SlotId, TextBound};
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
        given: given(program),
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

struct Build<'a> {
    sampler: &'a Sampler,
    program: &'a Program,
    memory: Option<&'a Memory>,
    /// The slots that the prompt shows.
    given: BTreeSet<SlotId>,
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
        };
        let known = self.values.iter().find(|(at, as_form, _)| (*at, as_form) == (slot, form));
        if let Some((_, _, rule)) = known {
            return Node::Rule(*rule);
        }
        let value = &self.program.slots[slot as usize];
        let name = if value.name.is_empty() { "value" } else { &value.name };
        let rule = self.reserve(name);
        let (node, comment) = self.value(slot, form, rule);
        (self.rules[rule].node, self.rules[rule].comment) = (node, comment);
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

    /// The texts of a value, and what to know of them.
    fn value(&mut self, slot: SlotId, form: &Form, rule: usize) -> (Node, Option<String>) {
        let value = &self.program.slots[slot as usize];
        if let Form::Digits(digits) = form {
            let (low, high) = value.bound.interval();
            return (numbers::digits(*digits, low, high), None);
        }
        let Some(element_kind) = value.kind.element() else {
            return (self.plain(&value.kind, &value.bound, rule), None);
        };
        let between = match form {
            Form::Plain | Form::Digits(_) => {
                return (self.plain(&value.kind, &value.bound, rule), None);
            }
            Form::Joined(between) => between.as_str(),
            Form::Numbered | Form::Lines(..) | Form::Labelled(_) => "\n",
        };
        let sizes = self.sizes(&value.bound);
        if sizes.1 == 0 {
            return (Node::Text(String::new()), None);
        }
        let element = self.element(element_kind, &value.bound.element(), rule);
        let keys = match (form, keys_of(form)) {
            (Form::Numbered, _) => {
                let start = |at: u64| Node::Text(format!("{}. ", at + 1));
                return (self.lines(sizes, &element, start, rule), None);
            }
            (_, Some(keys)) => keys,
            (_, None) => return (list(element, between, sizes), None),
        };
        self.keyed(keys, sizes, element, rule)
    }

    /// Lines with keys before them. Those that the prompt shows are the sample's.
    fn keyed(
        &mut self,
        (keys, between): (SlotId, &str),
        sizes: (u64, u64),
        element: Node,
        rule: usize,
    ) -> (Node, Option<String>) {
        let slot = &self.program.slots[keys as usize];
        let kind = slot.kind.element().unwrap_or(&Type::Unknown);
        let is_given = self.given.contains(&keys);
        if let (Some(memory), true) = (self.memory, is_given) {
            let vocabulary = self.sampler.vocabulary().clone();
            let writer = TextWriter::new(self.program, vocabulary, Escape::None);
            let mut starts = Vec::new();
            for key in cells(memory, memory.slot(keys), kind) {
                let mut start = Vec::new();
                writer.write_plain(memory, key, kind, &mut start, None);
                starts.push(String::from_utf8_lossy(&start).into_owned() + between);
            }
            let start = |at: u64| Node::Text(starts.get(at as usize).cloned().unwrap_or_default());
            return (self.lines(sizes, &element, start, rule), None);
        }
        let fewest = self.sizes(&slot.bound).0;
        let key = self.element(kind, &slot.bound.element(), rule);
        let start = sequence([key, Node::Text(between.to_string())]);
        let name = &slot.name;
        let shown = self.program.layout.reply.iter().filter(|piece| {
            matches!(piece, Piece::Value(slot, form)
                if *slot == keys || keys_of(form).is_some_and(|(one, _)| one == keys))
        });
        let comment = match (is_given, shown.count() > 1) {
            (true, _) => Some(format!(
                "`{name}` are of the prompt: only those of the sample can be read, and the grammar \
                 of a sample has them"
            )),
            (false, true) => {
                Some(format!("`{name}` must be the same wherever the reply shows them"))
            }
            (false, false) => None,
        };
        // A value without a key is written alone.
        let is_alone = is_given && fewest < sizes.1;
        let start = if is_alone { repeat(start, 0, 1) } else { start };
        (list(sequence([start, element]), "\n", sizes), comment)
    }

    /// Lines that begin each with a separate text. Each line that may be the last is a rule.
    fn lines(
        &mut self,
        (low, high): (u64, u64),
        element: &Node,
        start: impl Fn(u64) -> Node,
        rule: usize,
    ) -> Node {
        let name = self.rules[rule].name.clone();
        let line = |at: u64| {
            let before = Node::Text(if at > 0 { "\n" } else { "" }.to_string());
            sequence([before, start(at), element.clone()])
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
