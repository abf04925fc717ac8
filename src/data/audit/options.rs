//! Options: what a prompt offers to choose from if the reply is one of them, and their positions.

use crate::check::types::Type;
use crate::data::judge::same;
use crate::data::layout::cells;
use crate::ir::{Bound, Cell, Piece, Program, Slot, SlotId};
use crate::runtime::Memory;

/// A list that the prompt shows, one element of which the reply may name.
#[derive(Clone, Copy)]
pub struct Options {
    /// The list.
    pub list: SlotId,
    /// What the reply shows.
    pub output: SlotId,
    /// How the reply names an element.
    pub by: By,
}

/// How a reply names an element of a list.
#[derive(Clone, Copy, PartialEq)]
pub enum By {
    /// It is the element.
    Itself,
    /// It is an element of the element, which is a list.
    Part,
    /// It is a run of the list's elements, which starts there.
    Run,
    /// It is the label that the element has, of this list of labels.
    Label(SlotId),
    /// It is the element's number, from 1.
    Number,
}

/// All options of a prompt whose answer has a position; none if the reply shows several values.
pub fn all(program: &Program) -> Vec<Options> {
    let mut values = program.layout.reply.iter().flat_map(Piece::shown);
    match (values.next(), values.next()) {
        (Some((output, _)), None) => of(program, output),
        _ => Vec::new(),
    }
}

/// All options of a prompt for one value of the reply.
pub fn of(program: &Program, output: SlotId) -> Vec<Options> {
    let wanted = &program.slots[output as usize];
    let shown = shown(program);
    let is_key = |list: SlotId| shown.iter().any(|one| one.keys == Some(list));
    let mut found: Vec<Options> = Vec::new();
    for &Shown { list, keys, is_numbered } in &shown {
        let slot = &program.slots[list as usize];
        if list == output || is_key(list) {
            continue;
        }
        let Some(element) = slot.kind.element() else { continue };
        let kind = &wanted.kind;
        let names_it = |keys: &SlotId| program.slots[*keys as usize].kind.element() == Some(kind);
        let label = keys.filter(names_it);
        let ways = [
            label.map(By::Label),
            (is_numbered && is_number(wanted)).then_some(By::Number),
            (element == kind).then_some(By::Itself),
            (element.element() == Some(kind)).then_some(By::Part),
            (slot.kind == *kind && element.depth() == 0).then_some(By::Run),
        ];
        for by in ways.into_iter().flatten() {
            if !found.iter().any(|one| one.list == list && one.by == by) {
                found.push(Options { list, output, by });
            }
        }
    }
    found
}

/// A value of the prompt, and what its elements' rows begin with.
struct Shown {
    list: SlotId,
    keys: Option<SlotId>,
    is_numbered: bool,
}

fn shown(program: &Program) -> Vec<Shown> {
    let layout = &program.layout;
    let pieces = layout.system.iter().flatten().chain(&layout.prompt);
    let of_piece = |piece: &Piece| -> Vec<Shown> {
        let (first, is_numbered) = match piece {
            Piece::Rows(rows) => (rows.columns().next(), rows.cells.contains(&Cell::Number)),
            Piece::Literal(_) | Piece::Value(..) => (None, false),
        };
        let first = first.map(|(slot, _)| slot);
        let one = |(list, _): (SlotId, _)| Shown {
            list,
            keys: first.filter(|keys| *keys != list),
            is_numbered,
        };
        piece.shown().map(one).collect()
    };
    pieces.flat_map(of_piece).collect()
}

/// True if a value may be an element's number: a count may be 0 as well.
fn is_number(value: &Slot) -> bool {
    value.kind == Type::Int && matches!(value.bound, Bound::Int { low: 1.., .. })
}

impl Options {
    /// The list's name; an expression has none.
    pub fn name<'a>(&self, program: &'a Program) -> &'a str {
        match program.slots[self.list as usize].name.as_str() {
            "" => "the list",
            name => name,
        }
    }

    /// What an answer is: `element of xs`, `label of xs`. A key of lines is an element of the keys.
    pub fn what(&self, program: &Program) -> String {
        let word = match self.by {
            By::Itself | By::Run => "element of",
            By::Part => "element of an element of",
            By::Label(keys) => {
                let name = &program.slots[keys as usize].name;
                let name = if name.is_empty() { "the keys" } else { name };
                return format!("element of {name}");
            }
            By::Number => "number of",
        };
        format!("{word} {}", self.name(program))
    }

    /// The elements' cells, and their type.
    pub fn elements<'a>(&self, program: &'a Program, memory: &Memory) -> (Vec<i64>, &'a Type) {
        elements(self.list, program, memory)
    }

    /// The cell of the reply's value that names an element, if there is one.
    pub fn reply(&self, at: usize, program: &Program, memory: &Memory) -> Option<i64> {
        match self.by {
            By::Itself => self.elements(program, memory).0.get(at).copied(),
            By::Label(keys) => elements(keys, program, memory).0.get(at).copied(),
            By::Number => Some(at as i64 + 1),
            By::Part => self.parts(program, memory).get(at).copied(),
            By::Run => None,
        }
    }

    /// How many answers there are to choose from.
    pub fn count(&self, program: &Program, memory: &Memory) -> usize {
        match self.by {
            By::Part => self.parts(program, memory).len(),
            _ => self.elements(program, memory).0.len(),
        }
    }

    /// The elements of the elements.
    fn parts(&self, program: &Program, memory: &Memory) -> Vec<i64> {
        let (rows, kind) = self.elements(program, memory);
        let Some(inner) = kind.element() else { return Vec::new() };
        rows.into_iter().flat_map(|row| cells(memory, row, inner)).collect()
    }

    /// True if the reply's value is a number that stands in the list: it may do so by chance.
    pub fn is_of_numbers(&self, program: &Program) -> bool {
        program.slots[self.output as usize].kind == Type::Int
            && matches!(self.by, By::Itself | By::Part)
    }

    /// The index of the element that the sample's own reply names, and of how many; none if it does
    /// not name exactly one.
    pub fn place(&self, program: &Program, memory: &Memory) -> Option<(usize, usize)> {
        let (elements, kind) = self.elements(program, memory);
        let (made, count) = (memory.slot(self.output), elements.len());
        let equal = |kind: &Type, cell: i64| same(kind, (memory, cell), (memory, made));
        match self.by {
            By::Itself => one(count, |at| equal(kind, elements[at])),
            By::Label(keys) => {
                let (labels, kind) = self::elements(keys, program, memory);
                one(count.min(labels.len()), |at| equal(kind, labels[at]))
            }
            By::Number => one(count, |at| at as i64 + 1 == made),
            By::Part => {
                let inner = kind.element()?;
                one(count, |at| {
                    cells(memory, elements[at], inner).into_iter().any(|cell| equal(inner, cell))
                })
            }
            By::Run => {
                let run = cells(memory, made, kind);
                let starts = (count + 1).checked_sub(run.len())?;
                one(starts, |at| !run.is_empty() && elements[at..at + run.len()] == run)
            }
        }
    }
}

fn elements<'a>(list: SlotId, program: &'a Program, memory: &Memory) -> (Vec<i64>, &'a Type) {
    let kind = program.slots[list as usize].kind.element().expect("options are lists");
    (cells(memory, memory.slot(list), kind), kind)
}

/// The one index of `count` that is right, if exactly one is and there is a choice.
fn one(count: usize, is_right: impl Fn(usize) -> bool) -> Option<(usize, usize)> {
    let mut right = (0..count).filter(|&at| is_right(at));
    match (right.next(), right.next()) {
        (Some(at), None) if count > 1 => Some((at, count)),
        _ => None,
    }
}
