//! Guesses at a value of a reply: where it may come from if nothing is understood.

use std::collections::BTreeMap;

use super::changes::one_of;
use super::options::{self, By, Options};
use crate::check::types::Type;
use crate::data::judge::same;
use crate::data::layout::{TextWriter, cells, push};
use crate::ir::reply::is_read;
use crate::ir::{Piece, Program, Role, SlotId};
use crate::runtime::Memory;
use crate::runtime::random::Stream;

/// A value of the reply.
#[derive(Clone, Copy, PartialEq)]
pub struct Output {
    /// Which piece of the reply shows it.
    pub piece: usize,
    /// Its slot.
    pub slot: SlotId,
}

/// A guess at a value of the reply.
#[derive(Clone)]
pub struct Guess {
    /// From where, in a few words.
    pub name: String,
    /// The lint of a template that it passes.
    pub code: &'static str,
    pub output: Output,
    from: From,
}

#[derive(Clone)]
enum From {
    /// A value of the prompt, and all shown values of its type, where they are of the reply's.
    Value(SlotId, Vec<SlotId>),
    /// One of what there is to choose from.
    Choose(Options, Choice),
    /// The first or the last element of each row.
    Column(SlotId, Choice),
    /// Elements at random positions, as many as the right value has.
    Some(Options),
    /// A text, and how often one of its kind is right by chance.
    Constant(String, f64),
    /// No element.
    Nothing,
    /// One element, as often as the right value has elements.
    Fill(i64),
}

/// Which element is chosen.
#[derive(Clone, Copy, PartialEq)]
pub enum Choice {
    First,
    Last,
    Longest,
    Shortest,
    Frequent,
    Any,
    Nth(usize),
}

const CHOICES: [(Choice, &str); 6] = [
    (Choice::First, "first"),
    (Choice::Last, "last"),
    (Choice::Longest, "longest"),
    (Choice::Shortest, "shortest"),
    (Choice::Frequent, "most frequent"),
    (Choice::Any, "random"),
];

/// What is written in place of a value, and how often chance alone is right, where that is known.
pub struct Taken {
    pub written: Written,
    pub chance: Option<f64>,
}

/// What is written in place of a value.
pub enum Written {
    /// This text, for all of the piece that shows the value.
    Text(String),
    /// This value of its type.
    Cell(i64),
}

/// The values of the reply.
pub fn outputs(program: &Program) -> Vec<Output> {
    let mut outputs = Vec::new();
    for (piece, one) in program.layout.reply.iter().enumerate() {
        let mut read: Vec<SlotId> = match one {
            Piece::Literal(_) => continue,
            Piece::Value(slot, _) => vec![*slot],
            Piece::Rows(rows) => rows.columns().map(|(slot, _)| slot).collect(),
        };
        // Of rows, at least the last list is read.
        let last = read.pop();
        read.retain(|slot| is_read(program, *slot));
        let is_new = |slot: &SlotId| !outputs.iter().any(|one: &Output| one.slot == *slot);
        let last = last.filter(|slot| read.is_empty() || is_read(program, *slot));
        let new: Vec<SlotId> = read.into_iter().chain(last).filter(is_new).collect();
        outputs.extend(new.into_iter().map(|slot| Output { piece, slot }));
    }
    outputs
}

/// The values that the prompt shows, with names.
pub fn shown(program: &Program) -> Vec<(SlotId, String)> {
    let has_text = |kind: &Type| *kind != Type::Unknown && kind.element() != Some(&Type::Unknown);
    let layout = &program.layout;
    let read = layout.system.iter().flatten().chain(&layout.prompt);
    let read: Vec<SlotId> = read.flat_map(Piece::shown).map(|(slot, _)| slot).collect();
    let mut found = Vec::new();
    for (slot, id) in program.slots.iter().zip(0..) {
        let place = read.iter().position(|one| *one == id);
        let is_only_written = slot.role == Role::Output && place.is_none();
        if !slot.shown || is_only_written || !has_text(&slot.kind) {
            continue;
        }
        match place {
            _ if !slot.name.is_empty() => found.push((id, slot.name.clone())),
            Some(at) => found.push((id, format!("value {} of the prompt", at + 1))),
            None => {}
        }
    }
    found
}

/// From where a value of the reply may come.
pub fn all(program: &Program, output: Output) -> Vec<Guess> {
    let guess = |name: String, code, from| Guess { name, code, output, from };
    let mut all = Vec::new();
    let wanted = &program.slots[output.slot as usize].kind;
    let alike = |(slot, _): &(SlotId, String)| program.slots[*slot as usize].kind == *wanted;
    let peers = shown(program).into_iter().filter(alike).map(|(slot, _)| slot);
    let peers: Vec<SlotId> = peers.collect();
    for (slot, name) in shown(program) {
        let peers = if peers.contains(&slot) { peers.clone() } else { Vec::new() };
        all.push(guess(format!("echo of {name}"), "L615", From::Value(slot, peers)));
    }
    // An empty list alone is the empty reply.
    if wanted.depth() > 0 && program.layout.reply.len() > 1 {
        let name = format!("empty {}", program.slots[output.slot as usize].name);
        all.push(guess(name, "L614", From::Nothing));
    }
    for options in options::of(program, output.slot) {
        let kind = &program.slots[options.list as usize].kind;
        let by_length = kind.depth() > 1 && options.by != By::Part;
        if options.by == By::Run {
            let name = format!("random elements of {}", options.name(program));
            all.push(guess(name, "L616", From::Some(options)));
            continue;
        }
        let what = options.what(program);
        for (choice, word) in CHOICES {
            let applies = match choice {
                Choice::Longest | Choice::Shortest => by_length,
                Choice::Frequent => {
                    wanted.depth() == 0 && matches!(options.by, By::Itself | By::Part)
                }
                Choice::First | Choice::Last | Choice::Any | Choice::Nth(_) => true,
            };
            if applies {
                let name = format!("{word} {what}");
                all.push(guess(name, "L616", From::Choose(options, choice)));
            }
        }
    }
    for (slot, name) in shown(program) {
        let kind = &program.slots[slot as usize].kind;
        if wanted.depth() == 1 && kind.element() == Some(wanted) {
            for (choice, word) in &CHOICES[..2] {
                let name = format!("{word} column of {name}");
                all.push(guess(name, "L616", From::Column(slot, *choice)));
            }
        }
    }
    all
}

/// The elements of lists in order, one a value of the reply.
pub fn in_order(program: &Program, outputs: &[Output]) -> Vec<(String, Vec<Guess>)> {
    let Some(first) = outputs.first() else { return Vec::new() };
    let elements = |options: &Options| options.by == By::Itself;
    let mut found = Vec::new();
    for options in options::of(program, first.slot).into_iter().filter(elements) {
        let own = |(at, output): (usize, &Output)| {
            let all = options::of(program, output.slot).into_iter();
            let one = all.filter(elements).find(|one| one.list == options.list)?;
            let (name, from) = (String::new(), From::Choose(one, Choice::Nth(at)));
            Some(Guess { name, code: "L616", output: *output, from })
        };
        let all: Option<Vec<Guess>> = outputs.iter().enumerate().map(own).collect();
        let name = format!("first elements of {}, in order", options.name(program));
        found.extend(all.map(|all| (name, all)));
    }
    found
}

/// The value that comes most often.
pub fn constant(program: &Program, output: Output, text: String, different: u64) -> Guess {
    let name = format!("most frequent {}", program.slots[output.slot as usize].name);
    let from = From::Constant(text, 1.0 / different.max(2) as f64);
    Guess { name, code: "L614", output, from }
}

/// The element that comes most often, and nothing else; none of what is no closed class.
pub fn fill(program: &Program, output: Output, counts: &BTreeMap<i64, u64>) -> Option<Guess> {
    let element = program.slots[output.slot as usize].kind.element()?;
    let is_text = |cell: &i64| usize::try_from(*cell).is_ok_and(|at| at < program.texts.len());
    let cell = counts.iter().max_by_key(|(_, times)| **times).map(|(cell, _)| *cell)?;
    let shown = match element {
        Type::Int => cell.to_string(),
        Type::Bool => (cell != 0).to_string(),
        Type::Text if is_text(&cell) => program.texts[cell as usize].clone(),
        _ => return None,
    };
    let name = format!("`{shown}` throughout");
    Some(Guess { name, code: "L614", output, from: From::Fill(cell) })
}

impl Guess {
    /// The element of a list that is most frequent in it: what a vote asks for.
    pub fn is_vote(&self) -> bool {
        matches!(self.from, From::Choose(_, Choice::Frequent))
    }

    /// The name of the random one among the same options.
    pub fn random(&self) -> Option<String> {
        let From::Choose(_, choice) = &self.from else { return None };
        let (_, word) = CHOICES.iter().find(|(one, _)| one == choice)?;
        let what = self.name.strip_prefix(word)?;
        Some(format!("random{what}"))
    }

    /// What it writes for the sample in the memory, where it may leave a list; none where there is
    /// nothing to take.
    pub fn take(
        &self,
        texts: &TextWriter,
        program: &Program,
        memory: &mut Memory,
        stream: &mut Stream,
    ) -> Option<Taken> {
        let kind = &program.slots[self.output.slot as usize].kind;
        let (cell, chance) = match &self.from {
            From::Constant(text, chance) => {
                return Some(Taken { written: Written::Text(text.clone()), chance: Some(*chance) });
            }
            From::Value(slot, peers) if !peers.is_empty() => {
                (memory.slot(*slot), among(self.output.slot, peers, kind, memory))
            }
            From::Value(slot, _) => {
                let written = Written::Text(texts.value(*slot, memory));
                return Some(Taken { written, chance: None });
            }
            From::Choose(options, choice) => {
                let (cell, chance) = choose(options, *choice, program, memory, stream);
                // Of several values, each has its own element.
                (cell?, (!matches!(choice, Choice::Nth(_))).then_some(chance))
            }
            From::Some(options) => {
                let (elements, element) = options.elements(program, memory);
                let size = cells(memory, memory.slot(self.output.slot), element).len();
                let (some, chance) = some(elements, size, stream)?;
                (list(memory, element, &some)?, Some(chance))
            }
            From::Column(slot, choice) => {
                let element = kind.element()?;
                let rows = cells(memory, memory.slot(*slot), kind);
                let row = |row: i64| {
                    let row = cells(memory, row, element);
                    if *choice == Choice::First {
                        row.first().copied()
                    } else {
                        row.last().copied()
                    }
                };
                let column: Option<Vec<i64>> = rows.into_iter().map(row).collect();
                (list(memory, element, &column?)?, None)
            }
            From::Nothing => (list(memory, kind.element()?, &[])?, None),
            From::Fill(cell) => {
                let element = kind.element()?;
                let size = cells(memory, memory.slot(self.output.slot), element).len();
                (list(memory, element, &vec![*cell; size])?, None)
            }
        };
        Some(Taken { written: Written::Cell(cell), chance })
    }
}

/// A list in the memory; none if it has no room.
fn list(memory: &mut Memory, element: &Type, cells: &[i64]) -> Option<i64> {
    push(memory, element, cells).ok()
}

/// How often chance is right that takes one of several shown values, where the right one is one of
/// them: "which is larger?"
fn among(output: SlotId, peers: &[SlotId], kind: &Type, memory: &Memory) -> Option<f64> {
    let own = memory.slot(output);
    let equal = |left: i64, right: i64| same(kind, (memory, left), (memory, right));
    let mut different: Vec<i64> = Vec::new();
    for cell in peers.iter().map(|&slot| memory.slot(slot)) {
        if !different.iter().any(|&one| equal(one, cell)) {
            different.push(cell);
        }
    }
    let is_there = different.len() > 1 && different.iter().any(|&one| equal(one, own));
    is_there.then(|| 1.0 / different.len() as f64)
}

/// `size` elements at random, and how often they are the right ones in any order; none where there
/// is no choice.
fn some(mut elements: Vec<i64>, size: usize, stream: &mut Stream) -> Option<(Vec<i64>, f64)> {
    if size == 0 || size >= elements.len() {
        return None;
    }
    let mut chance = 1.0;
    for at in 0..size {
        let left = elements.len() - at;
        elements.swap(at, at + stream.below(left as u32) as usize);
        chance *= (size - at) as f64 / left as f64;
    }
    elements.truncate(size);
    Some((elements, chance))
}

/// The cell of the reply's value that names the chosen element, if there is one, and how often
/// chance alone would be right.
fn choose(
    options: &Options,
    choice: Choice,
    program: &Program,
    memory: &Memory,
    stream: &mut Stream,
) -> (Option<i64>, f64) {
    let count = options.count(program, memory);
    let (elements, kind) = options.elements(program, memory);
    let times = times(options, count, program, memory);
    let most = times.iter().copied().max().unwrap_or(1);
    let chance = most as f64 / count.max(1) as f64;
    let size = |cell: i64| kind.element().map_or(0, |inner| cells(memory, cell, inner).len());
    let sizes = || elements.iter().map(|&cell| size(cell)).collect::<Vec<usize>>();
    let of = |all: &[usize], wanted: Option<&usize>| -> Vec<usize> {
        (0..all.len()).filter(|&at| Some(&all[at]) == wanted).collect()
    };
    let at = match choice {
        Choice::First => Some(0),
        Choice::Last => count.checked_sub(1),
        Choice::Nth(at) => Some(at),
        Choice::Longest => {
            let sizes = sizes();
            one_of(&of(&sizes, sizes.iter().max()), stream).copied()
        }
        Choice::Shortest => {
            let sizes = sizes();
            one_of(&of(&sizes, sizes.iter().min()), stream).copied()
        }
        Choice::Frequent if most > 1 => one_of(&of(&times, Some(&most)), stream).copied(),
        Choice::Frequent => None,
        Choice::Any => (count > 0).then(|| stream.below(count as u32) as usize),
    };
    (at.and_then(|at| options.reply(at, program, memory)), chance)
}

/// How often each answer is offered; nothing where each has a name of its own.
fn times(options: &Options, count: usize, program: &Program, memory: &Memory) -> Vec<usize> {
    let is_scalar = program.slots[options.output as usize].kind.depth() == 0;
    if !is_scalar || !matches!(options.by, By::Itself | By::Part) {
        return Vec::new();
    }
    let all: Vec<Option<i64>> = (0..count).map(|at| options.reply(at, program, memory)).collect();
    let mut counts: BTreeMap<Option<i64>, usize> = BTreeMap::new();
    all.iter().for_each(|one| *counts.entry(*one).or_default() += 1);
    all.iter().map(|one| counts[one]).collect()
}
