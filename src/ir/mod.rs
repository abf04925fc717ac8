//! A template at one level as a flat table of typed steps: what both engines run.
//!
//! A **register** is one 64-bit cell: an `Int` as it is, a `Real` as its bits, a `Bool` as 0 or 1,
//! a `Token` or `Text` as its symbol, a list as a [handle](crate::runtime). Registers may be
//! written more than once (loops). Functions are inlined, parameters are constants, and every loop
//! has its count before it starts, so a program always ends.

use std::ops::Range;

use strum::IntoStaticStr;

use crate::check::typed::Template;
use crate::check::types::Type;
use crate::diagnostic::Diagnostic;
use crate::runtime::FaultKind;
use crate::source::Span;
use crate::syntax::ERRORS_MAX;
use crate::syntax::ast::Operator;

mod apart;
pub mod bounds;
mod call;
mod expression;
mod flow;
mod given;
mod growth;
mod level;
mod loops;
mod lower;
mod print;
mod refuse;
pub mod reply;
mod rules;
mod shown;

pub use crate::runtime::bound::{Bound, TextBound};
pub use crate::runtime::builtins::Builtin;
pub use crate::runtime::digits::Digits;
pub use crate::runtime::samplers::Sampler;
pub use crate::runtime::{PoolId, SlotId, StepId, StreamId};
pub use level::{Number, resolve as numbers};
pub use print::{bound, print};

/// Which of its programs a template becomes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// A level's name; empty for the defaults.
    pub level: String,
    /// Parameters that the user sets, as written: name and number.
    pub set: Vec<(String, String)>,
    /// How many words `vocab` has.
    pub vocabulary: usize,
    /// Its words.
    pub words: Words,
}

/// What is known of the words of `vocab`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Words {
    /// The bytes of the longest.
    pub longest: usize,
    /// True if all are in ASCII.
    pub in_ascii: bool,
}

/// What words usually are.
impl Default for Words {
    fn default() -> Words {
        Words { longest: 32, in_ascii: true }
    }
}

/// Makes the program of a template at a level.
///
/// # Errors
/// Where the level or a parameter is unknown or out of range, and where no sample can be made at
/// this level: a draw of more elements than there are, a division by 0.
pub fn lower(template: &Template, choice: &Choice) -> Result<Program, Vec<Diagnostic>> {
    lowered(template, choice, false)
}

/// A program whose rules are for the template's own samples only: in them the bounds of the sample
/// hold. What it says of other replies means nothing.
///
/// # Errors
/// As for [`lower`].
pub fn lower_own(template: &Template, choice: &Choice) -> Result<Program, Vec<Diagnostic>> {
    lowered(template, choice, true)
}

fn lowered(template: &Template, choice: &Choice, own: bool) -> Result<Program, Vec<Diagnostic>> {
    let numbers = level::resolve(template, choice);
    let program = numbers.and_then(|numbers| lower::program(template, choice, &numbers, own));
    program.map_err(|mut errors| {
        errors.truncate(ERRORS_MAX);
        errors
    })
}

/// Index into [`Program::registers`].
pub type Register = u32;
/// A template at one level, ready to run.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Program {
    /// The template's name.
    pub name: String,
    /// The level's name; empty for the defaults.
    pub level: String,
    /// The type of each register.
    pub registers: Vec<Type>,
    /// All steps: first those that make a sample, then those of each given value and each rule.
    pub steps: Vec<Step>,
    /// The steps that make a sample. They store every slot.
    pub sample: Range<StepId>,
    /// What rules load and no reply changes, in order. A sample stores it; of a record it is made.
    pub given: Vec<Given>,
    /// The rules, each with its own steps, which load slots and store none.
    pub rules: Vec<Rule>,
    /// The named values of a sample, and what is shown without a name.
    pub slots: Vec<Slot>,
    /// The names of the random streams: that of the draw, and a path inside a function.
    pub streams: Vec<String>,
    /// The text literals; a `Text` symbol below their number is one of them.
    pub texts: Vec<String>,
    /// The names of the pools of tokens; the first is `vocab`.
    pub pools: Vec<String>,
    /// How a sample is shown and a reply read back.
    pub layout: Layout,
    /// What is known of every sample before the first is made.
    pub bounds: Bounds,
}

/// One step: what it does, where the result goes, and which text it came from.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Step {
    /// What to do.
    pub op: Op,
    /// Where the result goes; [`NOWHERE`] for steps that have none.
    pub into: Register,
    /// The expression it was made from.
    pub span: Span,
    /// True where the bounds prove that this step cannot error: engines need not look.
    pub proved: bool,
}

/// The `into` of a step without a result.
pub const NOWHERE: Register = Register::MAX;

/// What a step does. Operands are registers unless said otherwise.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Op {
    /// This cell.
    Constant(i64),
    /// The same cell.
    Copy(Register),
    /// The value of a slot.
    Load(SlotId),
    /// Sets a slot.
    Store(SlotId, Register),
    /// The list of a pool's tokens.
    Pool(PoolId),
    /// On `Int`: errors on overflow and on division by zero.
    Integer(Arithmetic, Register, Register),
    /// On `Real`, as IEEE 754 has it; never faults. `Remainder` is not made.
    Real(Arithmetic, Register, Register),
    /// `Int` to `Real`.
    ToReal(Register),
    /// Of two cells of one scalar type; `Real` by value, all others as integers.
    Compare(Comparison, Register, Register),
    /// 1 for 0, and 0 for 1.
    Not(Register),
    /// The number of elements of a list.
    Size(Register),
    /// The element of the list at the index, from 0; errors outside the list.
    Element(Register, Register),
    /// A new list of this many elements, of the type of `into`; every element is put before it is
    /// read. Errors where the count is negative or memory is full.
    NewList(Register),
    /// Puts into the list, at the index, the value. The index is always inside.
    Put(Register, Register, Register),
    /// A function of the runtime; unused operands are [`NOWHERE`].
    Call(Builtin, [Register; 3]),
    /// Draws from the stream; unused operands are [`NOWHERE`].
    Draw(Sampler, StreamId, [Register; 3]),
    /// Sets the stream to the start that belongs to the sample's index.
    Seed(StreamId),
    /// Goes on at the next step if the register is 1, else at the step `otherwise`,
    /// which is the one after the matching `Else`, or the matching `EndIf`.
    If(Register, StepId),
    /// Ends the first branch: goes on at the matching `EndIf`.
    Else(StepId),
    /// Where both branches meet.
    EndIf,
    /// Runs the steps up to the matching `EndLoop` (named by `end`) with `index` at 0, 1, … below
    /// `count`; not at all where `count` is not positive. Steps inside never write either.
    Loop {
        /// Counts up from 0.
        index: Register,
        /// How often.
        count: Register,
        /// The matching `EndLoop`.
        end: StepId,
    },
    /// Leaves the innermost loop, whose `EndLoop` is named, if the register is 1.
    BreakIf(Register, StepId),
    /// Back to the matching `Loop`.
    EndLoop(StepId),
    /// Where free memory starts now.
    Mark,
    /// Frees what was made since the mark; nothing made since is read again.
    Release(Register),
}

/// `+ - * / %`. Division rounds down, and a remainder has the sign of its divisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    /// The operation that an operator of the language stands for, if it is one.
    pub fn of(operator: Operator) -> Option<Arithmetic> {
        match operator {
            Operator::Add => Some(Arithmetic::Add),
            Operator::Subtract => Some(Arithmetic::Subtract),
            Operator::Multiply => Some(Arithmetic::Multiply),
            Operator::Divide => Some(Arithmetic::Divide),
            Operator::Remainder => Some(Arithmetic::Remainder),
            _ => None,
        }
    }

    /// The result on `Int`: what both engines and constant folding mean by it.
    ///
    /// # Errors
    /// Where the result does not fit into 64 bits, or the divisor is 0.
    pub fn apply(self, left: i64, right: i64) -> Result<i64, FaultKind> {
        let divides = matches!(self, Arithmetic::Divide | Arithmetic::Remainder);
        if divides && right == 0 {
            return Err(FaultKind::DivisionByZero);
        }
        let exact = match self {
            Arithmetic::Add => left.checked_add(right),
            Arithmetic::Subtract => left.checked_sub(right),
            Arithmetic::Multiply => left.checked_mul(right),
            Arithmetic::Divide => left.checked_div(right).map(|quotient| {
                let rounded_up = left % right != 0 && (left < 0) != (right < 0);
                quotient - i64::from(rounded_up)
            }),
            Arithmetic::Remainder => {
                // Of the least number by -1 it is 0, although the quotient overflows.
                let remainder = left.wrapping_rem(right);
                let other_sign = remainder != 0 && (remainder < 0) != (right < 0);
                Some(if other_sign { remainder + right } else { remainder })
            }
        };
        exact.ok_or(FaultKind::Overflow)
    }
}

/// `== != < <= > >=`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Comparison {
    /// Of two integers, or of two numbers as IEEE 754 has it.
    pub fn holds<T: PartialOrd>(self, left: T, right: T) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
            Comparison::Less => left < right,
            Comparison::LessEqual => left <= right,
            Comparison::Greater => left > right,
            Comparison::GreaterEqual => left >= right,
        }
    }
}

/// A rule: steps that load slots and end with a score.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// Its steps: values that depend on the reply are computed again, then the relation.
    pub steps: Range<StepId>,
    /// Holds the score after them: a `Bool`, or a `Real` in 0..1.
    pub score: Register,
    /// The slots that it depends on, and that are drawn or shown: a record has them.
    pub needs: Vec<SlotId>,
    /// The slots of given values that it loads.
    pub given: Vec<SlotId>,
}

/// A value that rules load, and that is made of a record without looking at the reply.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Given {
    /// Where it is stored.
    pub slot: SlotId,
    /// The steps that make and store it.
    pub steps: Range<StepId>,
    /// The slots of other given values that these load.
    pub given: Vec<SlotId>,
}

/// How a value came to be, and whether it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Drawn from no other value.
    Parent,
    /// Made from others.
    Child,
    /// Shown in the reply.
    Output,
    /// Shown without a name: the value of an expression in a layout's placeholder.
    Placeholder,
    /// The sample's own value of what a reply or a record sets: rules compare with it.
    Kept,
}

/// A value of a sample.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Slot {
    /// Its name; empty for [`Role::Placeholder`] and [`Role::Kept`].
    pub name: String,
    /// Its type.
    pub kind: Type,
    /// How it came to be.
    pub role: Role,
    /// True if the prompt, the system text or the reply shows it.
    pub shown: bool,
    /// True if it is drawn (`~`), false if it is computed (`=`).
    pub drawn: bool,
    /// What is known of every sample's value.
    pub bound: Bound,
}

impl Slot {
    /// What is known of the texts that it holds; none if it holds other values.
    pub fn texts(&self) -> Option<TextBound> {
        let (mut kind, mut bound) = (&self.kind, self.bound.clone());
        while let Some(element) = kind.element() {
            (kind, bound) = (element, bound.element());
        }
        (*kind == Type::Text).then(|| bound.text())
    }
}

/// The texts that a sample is shown with.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct Layout {
    /// What goes before the prompt, in a chat as the system's turn.
    pub system: Option<Vec<Piece>>,
    /// What the model reads.
    pub prompt: Vec<Piece>,
    /// What the model writes. Between two values is a literal that neither can hold.
    pub reply: Vec<Piece>,
}

/// A piece of a layout.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Piece {
    /// These characters.
    Literal(String),
    /// The value of a slot.
    Value(SlotId, Form),
    /// Lists side by side, a row an element.
    Rows(Rows),
}

impl Piece {
    /// The slots that it shows; of rows, their lists, with the forms of elements.
    pub fn shown(&self) -> impl Iterator<Item = (SlotId, &Form)> {
        let (alone, cells) = match self {
            Piece::Literal(_) => (None, &[][..]),
            Piece::Value(slot, form) => (Some((*slot, form)), &[][..]),
            Piece::Rows(rows) => (None, &rows.cells[..]),
        };
        alone.into_iter().chain(cells.iter().filter_map(Cell::column))
    }

    /// What it has in its text beside values.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        fn between(form: &Form) -> Option<&str> {
            match form {
                Form::Joined(between) => Some(between),
                Form::Plain | Form::Digits(_) => None,
            }
        }
        let (alone, rows) = match self {
            Piece::Literal(text) => (Some(text.as_str()), None),
            Piece::Value(_, form) => (between(form), None),
            Piece::Rows(rows) => (None, Some(rows)),
        };
        let cells = rows.into_iter().flat_map(move |rows| {
            let cells = rows.cells.iter().filter_map(move |cell| match cell {
                Cell::Literal(text) => Some(text.as_str()),
                Cell::Column(_, form) => between(form),
                Cell::Number => None,
            });
            cells.chain([rows.between.as_str()]).chain(rows.nothing.as_deref())
        });
        alone.into_iter().chain(cells)
    }
}

/// Lists side by side: a row for each element of the last. A list that is over before shows
/// nothing.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Rows {
    /// What is between two rows.
    pub between: String,
    /// A row.
    pub cells: Vec<Cell>,
    /// What is shown where there is no row.
    pub nothing: Option<String>,
}

impl Rows {
    /// The lists, and the forms of their elements.
    pub fn columns(&self) -> impl Iterator<Item = (SlotId, &Form)> {
        self.cells.iter().filter_map(Cell::column)
    }

    /// The list that has an element for each row.
    pub fn last(&self) -> Option<SlotId> {
        self.columns().last().map(|(slot, _)| slot)
    }
}

/// A part of a row.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Cell {
    /// These characters.
    Literal(String),
    /// The row's number, from 1.
    Number,
    /// An element of a list, and the form of the element.
    Column(SlotId, Form),
}

impl Cell {
    /// The list that it shows an element of, and the form of the element.
    pub fn column(&self) -> Option<(SlotId, &Form)> {
        match self {
            Cell::Column(slot, form) => Some((*slot, form)),
            Cell::Literal(_) | Cell::Number => None,
        }
    }
}

/// How a value becomes text.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Form {
    /// A token or text as it is, a number in decimal, a boolean as `true` or `false`, a list with
    /// spaces between its elements, a list of lists a line each.
    Plain,
    /// `join(between, xs)`: a list with this between its elements.
    Joined(String),
    /// `decimals(digits, x)` or `padded(digits, x)`: an integer.
    Digits(Digits),
}

/// What holds for every sample, known before the first is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Cells of 8 bytes that making a sample takes at most, or judging its own reply by a rule.
    pub cells: u64,
    /// Bytes of texts that making a sample takes at most, beside those of the template; 0 where no
    /// step makes any, not even to judge.
    pub text_bytes: u64,
    /// The most tokens (pool words, literals by white space) that prompt and reply have together.
    pub words: u64,
    /// The most bytes that prompt, system text and reply have together, but for the words of pools,
    /// which depend on the vocabulary: those are counted in `pool_words`.
    pub literal_bytes: u64,
    /// The most words of pools that are shown.
    pub pool_words: u64,
    /// As `words`, but of a list whose largest size is not known, one element is counted.
    pub words_known: u64,
}
