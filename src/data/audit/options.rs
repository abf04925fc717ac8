//! Options: what a prompt offers to choose from if the reply is one of them, and their positions.

use crate::check::types::Type;
use crate::data::judge::same;
use crate::data::layout::cells;
use crate::ir::{Form, Piece, Program, Role, SlotId};
use crate::runtime::Memory;

/// A list that the prompt shows, one element of which the reply may name.
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

/// All options of a prompt; none if the reply shows several values.
pub fn all(program: &Program) -> Vec<Options> {
    let mut values = program.layout.reply.iter().filter_map(value);
    let (Some((output, _)), None) = (values.next(), values.next()) else { return Vec::new() };
    let wanted = &program.slots[output as usize].kind;
    let layout = &program.layout;
    let pieces = || layout.system.iter().flatten().chain(&layout.prompt).filter_map(value);
    let is_labels = |list: SlotId| {
        pieces().any(|(_, form)| {
            matches!(form, Form::Labelled(keys) | Form::Lines(keys, _)
            if *keys == list)
        })
    };
    let mut found: Vec<Options> = Vec::new();
    for (list, form) in pieces() {
        let slot = &program.slots[list as usize];
        let Some(element) = slot.kind.element() else { continue };
        let kind = |slot: SlotId| program.slots[slot as usize].kind.element();
        let by = match form {
            Form::Labelled(keys) | Form::Lines(keys, _) if kind(*keys) == Some(wanted) => {
                By::Label(*keys)
            }
            Form::Numbered if *wanted == Type::Int => By::Number,
            _ if element == wanted => By::Itself,
            _ if element.element() == Some(wanted) => By::Part,
            _ if slot.kind == *wanted && element.depth() == 0 => By::Run,
            _ => continue,
        };
        let known = found.iter().any(|one| one.list == list && one.by == by);
        if slot.role != Role::Output && !is_labels(list) && !known {
            found.push(Options { list, output, by });
        }
    }
    found
}

fn value(piece: &Piece) -> Option<(SlotId, &Form)> {
    match piece {
        Piece::Value(slot, form) => Some((*slot, form)),
        Piece::Literal(_) => None,
    }
}

impl Options {
    /// The list's name; an expression has none.
    pub fn name<'a>(&self, program: &'a Program) -> &'a str {
        match program.slots[self.list as usize].name.as_str() {
            "" => "the list",
            name => name,
        }
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
            By::Part | By::Run => None,
        }
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
