//! Values to text: a prepared layout, and the one walk over it that text and token ids share.

mod fields;
mod ids;
mod seams;
mod tables;
mod text;
mod tokenize;

pub use fields::Fields;
pub use ids::{Draft, Encoded, Pair, TokenIds};
pub(in crate::data) use text::json_inside;
pub use text::{Escape, TextWriter, Written};
pub use tokenize::{Added, Tokenize};

use crate::check::types::Type;
use crate::ir::{Cell, Digits, Form, Piece, Program, Rows, SlotId};
use crate::runtime::{Fault, Memory};

/// One of the texts of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// What goes before the prompt.
    System,
    /// What the model reads.
    Prompt,
    /// What it writes.
    Reply,
}

impl Part {
    /// Who says it in a conversation: `system`, `user` or `assistant`.
    pub fn role(self) -> &'static str {
        match self {
            Part::System => "system",
            Part::Prompt => "user",
            Part::Reply => "assistant",
        }
    }
}

/// Index into [`Plan::literals`].
type Literal = usize;

const SPACE: Literal = 0;
const LINE: Literal = 1;
const FALSE: Literal = 2;
const TRUE: Literal = 3;
/// The literals that every plan starts with.
const COMMON: [&str; 4] = [" ", "\n", "false", "true"];

/// Whether a program's prompts end with white space whatever they show, so that no space is needed
/// before the reply.
pub fn prompt_ends_with_space(program: &Program) -> bool {
    Plan::new(program).prompt_ends_with_space()
}

/// A layout with its literals in one table, so that a surface can prepare each of them once.
#[derive(Clone, Debug)]
struct Plan {
    /// [`COMMON`], then the template's text literals by their symbol, then those of the layout.
    literals: Vec<String>,
    system: Vec<Item>,
    prompt: Vec<Item>,
    reply: Vec<Item>,
}

#[derive(Clone, Debug)]
enum Item {
    Literal(Literal),
    Value(SlotId, Type, Shape),
    Rows(Table),
}

/// A [`Form`] whose literals are in the table.
#[derive(Clone, Debug)]
enum Shape {
    Plain,
    Joined(Literal),
    Digits(Digits),
}

/// [`Rows`] whose literals are in the table.
#[derive(Clone, Debug)]
struct Table {
    between: Literal,
    nothing: Option<Literal>,
    parts: Vec<RowPart>,
}

#[derive(Clone, Debug)]
enum RowPart {
    Literal(Literal),
    Number,
    /// A list, the type of its elements, and their shape.
    Column(SlotId, Type, Shape),
}

/// What values are written on.
trait Surface {
    fn literal(&mut self, literal: Literal);
    fn token(&mut self, symbol: u32);
    /// Tokens with a space between them.
    fn tokens(&mut self, symbols: &[u32]);
    fn int(&mut self, value: i64);
    fn real(&mut self, value: f64);
    /// A number as it is written.
    fn number(&mut self, digits: &str);
    /// A text that the template does not have as a literal.
    fn made(&mut self, text: &str);
}

impl Plan {
    fn new(program: &Program) -> Plan {
        let mut literals: Vec<String> = COMMON.iter().map(|text| text.to_string()).collect();
        literals.extend(program.texts.iter().cloned());
        let layout = &program.layout;
        let system = items(program, layout.system.as_deref().unwrap_or(&[]), &mut literals);
        let prompt = items(program, &layout.prompt, &mut literals);
        let reply = items(program, &layout.reply, &mut literals);
        Plan { literals, system, prompt, reply }
    }

    fn items(&self, part: Part) -> &[Item] {
        match part {
            Part::System => &self.system,
            Part::Prompt => &self.prompt,
            Part::Reply => &self.reply,
        }
    }

    /// True if no space is needed between prompt and reply.
    fn prompt_ends_with_space(&self) -> bool {
        let Some(Item::Literal(literal)) = self.prompt.last() else { return false };
        self.literals[*literal].ends_with(char::is_whitespace)
    }

    /// Takes white space away from the start and the end of each text.
    fn trim(&mut self) {
        for items in [&self.system, &self.prompt, &self.reply] {
            if let Some(Item::Literal(first)) = items.first() {
                self.literals[*first] = self.literals[*first].trim_start().to_string();
            }
            if let Some(Item::Literal(last)) = items.last() {
                self.literals[*last] = self.literals[*last].trim_end().to_string();
            }
        }
    }

    /// Writes a text of the sample in the memory.
    fn write(&self, part: Part, memory: &Memory, surface: &mut impl Surface) {
        for item in self.items(part) {
            self.write_item(item, memory, surface);
        }
    }

    fn write_item(&self, item: &Item, memory: &Memory, surface: &mut impl Surface) {
        match item {
            Item::Literal(literal) => surface.literal(*literal),
            Item::Value(slot, kind, shape) => {
                write_value(memory, memory.slot(*slot), kind, shape, surface);
            }
            Item::Rows(table) => table.write(memory, surface),
        }
    }
}

impl Table {
    /// The lists.
    fn columns(&self) -> impl Iterator<Item = SlotId> {
        self.parts.iter().filter_map(|part| match part {
            RowPart::Column(slot, ..) => Some(*slot),
            RowPart::Literal(_) | RowPart::Number => None,
        })
    }

    /// Writes a row for each element of the last list.
    fn write(&self, memory: &Memory, surface: &mut impl Surface) {
        let size = |part: &RowPart| match part {
            RowPart::Column(slot, element, _) => Some(size(memory, memory.slot(*slot), element)),
            RowPart::Literal(_) | RowPart::Number => None,
        };
        let rows = self.parts.iter().rev().find_map(size).unwrap_or(0);
        if let (0, Some(nothing)) = (rows, self.nothing) {
            return surface.literal(nothing);
        }
        for row in 0..rows {
            if row > 0 {
                surface.literal(self.between);
            }
            for part in &self.parts {
                match part {
                    RowPart::Literal(literal) => surface.literal(*literal),
                    RowPart::Number => surface.int(row as i64 + 1),
                    RowPart::Column(slot, element, shape) => {
                        if let Some(cell) = cell_at(memory, memory.slot(*slot), element, row) {
                            write_value(memory, cell, element, shape, surface);
                        }
                    }
                }
            }
        }
    }
}

fn items(program: &Program, pieces: &[Piece], literals: &mut Vec<String>) -> Vec<Item> {
    let mut add = |text: &String| {
        literals.push(text.clone());
        literals.len() - 1
    };
    let kind = |slot: SlotId| program.slots[slot as usize].kind.clone();
    let mut item = |piece: &Piece| match piece {
        Piece::Literal(text) => Item::Literal(add(text)),
        Piece::Value(slot, form) => Item::Value(*slot, kind(*slot), shape(form, &mut add)),
        Piece::Rows(rows) => Item::Rows(table(rows, kind, &mut add)),
    };
    pieces.iter().map(&mut item).collect()
}

fn shape(form: &Form, add: &mut impl FnMut(&String) -> Literal) -> Shape {
    match form {
        Form::Plain => Shape::Plain,
        Form::Joined(between) => Shape::Joined(add(between)),
        Form::Digits(digits) => Shape::Digits(*digits),
    }
}

fn table(
    rows: &Rows,
    kind: impl Fn(SlotId) -> Type,
    add: &mut impl FnMut(&String) -> Literal,
) -> Table {
    let mut parts = Vec::new();
    for cell in &rows.cells {
        parts.push(match cell {
            Cell::Literal(text) => RowPart::Literal(add(text)),
            Cell::Number => RowPart::Number,
            Cell::Column(slot, form) => {
                let element = kind(*slot).element().unwrap_or(&Type::Unknown).clone();
                RowPart::Column(*slot, element, shape(form, add))
            }
        });
    }
    Table { between: add(&rows.between), nothing: rows.nothing.as_ref().map(&mut *add), parts }
}

#[inline]
fn write_value(memory: &Memory, cell: i64, kind: &Type, shape: &Shape, surface: &mut impl Surface) {
    match (shape, kind.element()) {
        (Shape::Digits(digits), _) => {
            let mut number = String::new();
            digits.write(cell, &mut number);
            surface.number(&number);
        }
        (Shape::Joined(between), Some(element)) => each(memory, cell, element, |at, cell| {
            if at > 0 {
                surface.literal(*between);
            }
            write_element(memory, cell, element, surface);
        }),
        (Shape::Plain, Some(_)) => write_plain(memory, cell, kind, surface),
        (Shape::Plain | Shape::Joined(_), None) => write_single(memory, cell, kind, surface),
    }
}

fn write_plain(memory: &Memory, cell: i64, kind: &Type, surface: &mut impl Surface) {
    match kind {
        Type::List(element) if **element == Type::Token => surface.tokens(memory.narrow(cell)),
        Type::List(element) => {
            let between = if element.element().is_some() { LINE } else { SPACE };
            each(memory, cell, element, |at, cell| {
                if at > 0 {
                    surface.literal(between);
                }
                write_element(memory, cell, element, surface);
            });
        }
        _ => write_single(memory, cell, kind, surface),
    }
}

/// The same where a call for each value would cost more than its work: most are no lists.
#[inline(always)]
fn write_element(memory: &Memory, cell: i64, kind: &Type, surface: &mut impl Surface) {
    match kind {
        Type::List(_) => write_plain(memory, cell, kind, surface),
        _ => write_single(memory, cell, kind, surface),
    }
}

/// Writes a value that is no list.
#[inline(always)]
fn write_single(memory: &Memory, cell: i64, kind: &Type, surface: &mut impl Surface) {
    match kind {
        Type::Int => surface.int(cell),
        Type::Real => surface.real(f64::from_bits(cell as u64)),
        Type::Bool => surface.literal(if cell == 0 { FALSE } else { TRUE }),
        Type::Text => match memory.made_text(cell) {
            None => surface.literal(COMMON.len() + cell as usize),
            Some(text) => surface.made(text),
        },
        Type::Token => surface.token(cell as u32),
        // Only the empty list has elements of no type.
        Type::List(_) | Type::Any(_) | Type::Shown | Type::Unknown => {}
    }
}

/// True for the elements that lie in lists of 32-bit symbols.
pub(super) fn is_narrow(element: &Type) -> bool {
    matches!(element, Type::Token | Type::Text | Type::Bool)
}

/// Calls with each element's index and cell.
#[inline]
fn each(memory: &Memory, list: i64, element: &Type, mut visit: impl FnMut(usize, i64)) {
    if is_narrow(element) {
        for (at, &symbol) in memory.narrow(list).iter().enumerate() {
            visit(at, symbol.into());
        }
    } else {
        for (at, &cell) in memory.wide(list).iter().enumerate() {
            visit(at, cell);
        }
    }
}

/// How many elements a list has.
#[inline]
fn size(memory: &Memory, list: i64, element: &Type) -> usize {
    if is_narrow(element) { memory.narrow(list).len() } else { memory.wide(list).len() }
}

/// The cell of an element, if there is one with this index.
#[inline]
fn cell_at(memory: &Memory, list: i64, kind: &Type, index: usize) -> Option<i64> {
    if is_narrow(kind) {
        memory.narrow(list).get(index).map(|&symbol| symbol.into())
    } else {
        memory.wide(list).get(index).copied()
    }
}

/// Makes a list of these cells.
///
/// # Errors
/// If the memory is full.
pub(super) fn push(memory: &mut Memory, element: &Type, cells: &[i64]) -> Result<i64, Fault> {
    if !is_narrow(element) {
        return memory.push_wide(cells);
    }
    memory.fill_narrow(cells.len(), |symbols| {
        symbols.iter_mut().zip(cells).for_each(|(symbol, &cell)| *symbol = cell as u32);
        Ok(cells.len())
    })
}

/// The elements' cells.
pub(super) fn cells(memory: &Memory, list: i64, element: &Type) -> Vec<i64> {
    let mut cells = Vec::new();
    each(memory, list, element, |_, cell| cells.push(cell));
    cells
}
