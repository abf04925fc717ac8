//! The operations that the search puts together: each is one of the language, and runs as it does.

use super::kind::{Kind, Scalar};
use super::mined::{self, Mined};
use super::usage;
use super::values::{Values, push};
use crate::ir::Arithmetic;
use crate::runtime::builtins::Builtin;
use crate::runtime::shape::Shape;
use crate::runtime::{FaultKind, Memory};

/// The elements that lists have.
pub const ELEMENTS: [Kind; 5] = [
    Kind::INT,
    Kind::TEXT,
    Kind::BOOL,
    Kind { scalar: Scalar::Int, depth: 1 },
    Kind { scalar: Scalar::Text, depth: 1 },
];

/// The elements of a range, at most.
const RANGE_MAX: i64 = 64;

/// An operation of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Op {
    /// `a + b` and the like, of numbers.
    Arithmetic(Arithmetic),
    /// `a == b`
    Equal,
    /// `a < b`
    Less,
    /// `a <= b`
    LessEqual,
    Not,
    And,
    Or,
    /// `if a then b else c`
    If,
    /// `size(xs)`
    Size,
    /// `at(i, xs)`
    At,
    /// `[x]`
    Single,
    /// `"{x}"` of a number.
    Shown,
    /// `"{join(between, xs)}"`
    Joined,
    /// A function of the runtime.
    Builtin(Builtin),
    /// A pattern of the standard library; expressions have what it stands for.
    Mined(Mined),
}

/// The loops of the language that the search makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Each {
    /// `for x in xs: body`
    For,
    /// `for x in xs where condition: body`
    Where,
    /// `count x in xs: body`
    Count,
    /// `all x in xs: body`
    All,
    /// `any x in xs: body`
    Any,
}

/// An operation on operands of known kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which.
    pub op: Op,
    /// The kinds of its operands.
    pub takes: [Kind; 3],
    /// How many it has.
    pub count: usize,
    /// The kind of its result.
    pub gives: Kind,
    /// How unlikely it is, in the same unit as a field or a small number, which are 1.
    pub cost: usize,
    /// True where its operands may change places.
    pub is_symmetric: bool,
}

impl Each {
    /// How it begins in the language.
    pub fn word(self) -> &'static str {
        match self {
            Each::For | Each::Where => "for",
            Each::Count => "count",
            Each::All => "all",
            Each::Any => "any",
        }
    }
}

impl Op {
    /// The sign or the word of an operator.
    pub fn sign(self) -> Option<&'static str> {
        Some(match self {
            Op::Arithmetic(Arithmetic::Add) | Op::Builtin(Builtin::Append) => "+",
            Op::Arithmetic(Arithmetic::Subtract) => "-",
            Op::Arithmetic(Arithmetic::Multiply) => "*",
            Op::Arithmetic(Arithmetic::Divide) => "/",
            Op::Arithmetic(Arithmetic::Remainder) => "%",
            Op::Equal => "==",
            Op::Less => "<",
            Op::LessEqual => "<=",
            Op::Not => "not",
            Op::And => "and",
            Op::Or => "or",
            Op::If => "if",
            Op::Builtin(Builtin::Contains) => "in",
            Op::Builtin(Builtin::Within) => "within",
            Op::Builtin(Builtin::Range) => "..",
            _ => return None,
        })
    }

    /// What the table of uses calls it.
    fn used_as(self) -> &'static str {
        match self {
            Op::Single => "single",
            Op::Builtin(Builtin::Append) => "append",
            Op::Shown => "shown",
            Op::Joined => "joined",
            other => other.sign().unwrap_or_else(|| other.name()),
        }
    }

    /// The name of a function.
    pub fn name(self) -> &'static str {
        match self {
            Op::Size => "size",
            Op::At => "at",
            Op::Builtin(Builtin::SortTexts) => "sort",
            Op::Builtin(builtin) => builtin.into(),
            _ => "",
        }
    }

    /// Runs it, as the row of this number, on the values of each example; gives how many were
    /// computed, which are all just where it has a result for each.
    pub fn run_all(
        self,
        values: &mut Values,
        (number, row): (u16, &Row),
        [a, b, c]: [&[i64]; 3],
        into: &mut [i64],
    ) -> usize {
        use Arithmetic::{Add, Multiply, Subtract};
        // What most expressions are, without a look at each value which it is.
        match self {
            Op::Arithmetic(Add) => all(into, a, b, i64::overflowing_add),
            Op::Arithmetic(Subtract) => all(into, a, b, i64::overflowing_sub),
            Op::Arithmetic(Multiply) => all(into, a, b, i64::overflowing_mul),
            Op::Equal => all(into, a, b, |a, b| (i64::from(a == b), false)),
            Op::Less => all(into, a, b, |a, b| (i64::from(a < b), false)),
            Op::LessEqual => all(into, a, b, |a, b| (i64::from(a <= b), false)),
            Op::And => all(into, a, b, |a, b| (a & b, false)),
            Op::Or => all(into, a, b, |a, b| (a | b, false)),
            Op::If => {
                let both = into.iter_mut().zip(a).zip(b.iter().zip(c));
                both.for_each(|((into, &a), (&b, &c))| *into = if a != 0 { b } else { c });
                into.len()
            }
            Op::Single if row.gives.depth == 1 => {
                let make = |memory: &mut _, [a, _, _]: [i64; 3]| push(memory, &[a], row.gives);
                values.lists((number, row.gives), [a, b, c], into, make)
            }
            Op::Mined(Mined::Positions) => {
                let make = |memory: &mut _, [list, _, _]: [i64; 3]| {
                    push(memory, &mined::positions(list), row.gives)
                };
                values.lists((number, row.gives), [a, b, c], into, make)
            }
            Op::Builtin(builtin) if row.gives.depth == 1 && builtin != Builtin::Letters => {
                let shape = row.shape();
                let make = |memory: &mut _, of| built(builtin, memory, shape, of);
                values.lists((number, row.gives), [a, b, c], into, make)
            }
            _ => {
                let (shape, is_quick) = (row.shape(), self.is_quick());
                let mut made = into.iter_mut().zip(a).zip(b.iter().zip(c));
                let failed = made.position(|((into, &a), (&b, &c))| {
                    let of = [a, b, c];
                    let run = |values: &mut Values| self.run(values, row, shape, of);
                    let made = if is_quick { run(values) } else { values.result(number, of, run) };
                    made.map(|value| *into = value).is_none()
                });
                failed.unwrap_or(into.len())
            }
        }
    }

    /// Is it computed sooner than a result is looked up?
    fn is_quick(self) -> bool {
        use Mined::{Divides, Last};
        matches!(self, Op::Arithmetic(_) | Op::Not | Op::Size | Op::At | Op::Mined(Divides | Last))
    }

    /// Runs it, if it has a result. `shape` is that of the elements that it works on.
    #[inline]
    pub fn run(self, values: &mut Values, row: &Row, shape: Shape, of: [i64; 3]) -> Option<i64> {
        let [a, b, c] = of;
        match self {
            Op::Arithmetic(arithmetic) => arithmetic.apply(a, b).ok(),
            // Equal values have one cell.
            Op::Equal => Some(i64::from(a == b)),
            Op::Less => Some(i64::from(a < b)),
            Op::LessEqual => Some(i64::from(a <= b)),
            Op::Not => Some(1 - a),
            Op::And => Some(a & b),
            Op::Or => Some(a | b),
            Op::If => Some(if a != 0 { b } else { c }),
            Op::Size => Some(Values::size(a) as i64),
            Op::At => values.at(a, b, row.takes[1]),
            Op::Single => values.list(&[a], row.gives).ok(),
            Op::Shown => Op::Builtin(Builtin::ShownInt).run(values, row, shape, of),
            Op::Joined => Op::Builtin(Builtin::Joined).run(values, row, shape, of),
            Op::Mined(mined) => mined.run(values, &row.takes, row.gives, of),
            Op::Builtin(builtin) => {
                values.make(row.gives, |memory| built(builtin, memory, shape, of)).ok()
            }
        }
    }
}

/// Runs a function of the runtime, but for long ranges: of no use, and a memory full of them.
fn built(
    builtin: Builtin,
    memory: &mut Memory,
    shape: Shape,
    of: [i64; 3],
) -> Result<i64, FaultKind> {
    let [low, high, _] = of;
    if builtin == Builtin::Range && high.saturating_sub(low) >= RANGE_MAX {
        return Err(FaultKind::TooFew);
    }
    builtin.run(memory, shape, of)
}

/// Computes all values; none count if one has no result.
#[inline]
fn all(into: &mut [i64], a: &[i64], b: &[i64], of: impl Fn(i64, i64) -> (i64, bool)) -> usize {
    let mut has_failed = false;
    for ((into, &a), &b) in into.iter_mut().zip(a).zip(b) {
        let (value, fails) = of(a, b);
        *into = value;
        has_failed |= fails;
    }
    if has_failed { 0 } else { into.len() }
}

impl Row {
    fn new(op: Op, takes: &[Kind], gives: Kind) -> Row {
        let mut all = [Kind::INT; 3];
        all[..takes.len()].copy_from_slice(takes);
        let (count, cost) = (takes.len(), usage::cost(op.used_as()));
        Row { op, takes: all, count, gives, cost, is_symmetric: false }
    }

    fn mined(mined: Mined, takes: &[Kind], gives: Kind) -> Row {
        Row { cost: mined::COST, ..Row::new(Op::Mined(mined), takes, gives) }
    }

    fn symmetric(self) -> Row {
        Row { is_symmetric: true, ..self }
    }

    /// The shape of the elements that it works on.
    pub fn shape(&self) -> Shape {
        let Op::Builtin(builtin) = self.op else { return Kind::TEXT.shape() };
        let of = |at: usize| self.takes[at].element().unwrap_or(self.takes[at]).shape();
        match builtin {
            Builtin::Contains | Builtin::Position => self.takes[0].shape(),
            Builtin::Take | Builtin::Drop | Builtin::Chunks => of(1),
            Builtin::Replace | Builtin::Concat => {
                self.gives.element().unwrap_or(self.gives).shape()
            }
            Builtin::Around => of(1),
            _ => of(0),
        }
    }
}

/// All operations over elements of these kinds.
pub fn rows(elements: &[Kind]) -> Vec<Row> {
    use Arithmetic::{Add, Divide, Multiply, Remainder, Subtract};
    let (int, bool, text) = (Kind::INT, Kind::BOOL, Kind::TEXT);
    let mut rows = vec![
        Row::new(Op::Arithmetic(Add), &[int, int], int).symmetric(),
        Row::new(Op::Arithmetic(Subtract), &[int, int], int),
        Row::new(Op::Arithmetic(Multiply), &[int, int], int).symmetric(),
        Row::new(Op::Arithmetic(Divide), &[int, int], int),
        Row::new(Op::Arithmetic(Remainder), &[int, int], int),
        Row::new(Op::Equal, &[int, int], bool).symmetric(),
        Row::new(Op::Less, &[int, int], bool),
        Row::new(Op::LessEqual, &[int, int], bool),
        Row::new(Op::Not, &[bool], bool),
        Row::new(Op::And, &[bool, bool], bool).symmetric(),
        Row::new(Op::Or, &[bool, bool], bool).symmetric(),
        Row::new(Op::Equal, &[bool, bool], bool).symmetric(),
        Row::new(Op::Builtin(Builtin::Range), &[int, int], int.list()),
        Row::mined(Mined::Divides, &[int, int], bool),
    ];
    let numbers = [Builtin::Sum, Builtin::Max, Builtin::Min];
    rows.extend(numbers.map(|op| Row::new(Op::Builtin(op), &[int.list()], int)));
    let has_texts = elements.iter().any(|element| element.scalar == Scalar::Text);
    if has_texts {
        rows.extend([
            Row::new(Op::Equal, &[text, text], bool).symmetric(),
            Row::new(Op::Builtin(Builtin::Letters), &[text], text.list()),
            Row::new(Op::Builtin(Builtin::Number), &[text], int),
            Row::new(Op::Shown, &[int], text),
            Row::new(Op::Joined, &[text, text.list()], text),
        ]);
    }
    for &element in elements {
        rows.extend(of_lists(element));
        let results = [element, element.list()];
        rows.extend(results.map(|kind| Row::new(Op::If, &[bool, kind, kind], kind)));
        let values = elements.iter().filter(|_| element.depth == 0);
        rows.extend(values.map(|&value| {
            Row::mined(Mined::Lookup, &[element, element.list(), value.list()], value)
        }));
    }
    rows
}

/// The operations on lists of such elements.
fn of_lists(element: Kind) -> Vec<Row> {
    let (int, bool, list) = (Kind::INT, Kind::BOOL, element.list());
    let call = Op::Builtin;
    let mut rows = vec![
        Row::new(Op::Size, &[list], int),
        Row::new(Op::At, &[int, list], element),
        Row::new(Op::Single, &[element], list),
        Row::mined(Mined::Positions, &[list], int.list()),
        Row::mined(Mined::Last, &[list], element),
        Row::new(call(Builtin::Position), &[element, list], int),
        Row::new(call(Builtin::Take), &[int, list], list),
        Row::new(call(Builtin::Drop), &[int, list], list),
        Row::new(call(Builtin::Reverse), &[list], list),
        Row::new(call(Builtin::Unique), &[list], list),
        Row::new(call(Builtin::Append), &[list, list], list),
        Row::new(call(Builtin::Without), &[list, list], list),
        Row::new(call(Builtin::Intersect), &[list, list], list),
        Row::new(call(Builtin::Union), &[list, list], list),
        Row::new(call(Builtin::Contains), &[element, list], bool),
        Row::new(call(Builtin::Within), &[list, list], bool),
        Row::new(call(Builtin::After), &[list, list], list),
        Row::new(call(Builtin::Before), &[list, list], list),
        Row::new(call(Builtin::Around), &[int, list, list], list),
        Row::new(call(Builtin::Replace), &[element, element, list], list),
        Row::new(Op::Equal, &[list, list], bool).symmetric(),
    ];
    if element.depth == 0 && element.scalar != Scalar::Bool {
        let sort = if element == Kind::TEXT { Builtin::SortTexts } else { Builtin::Sort };
        rows.push(Row::new(call(sort), &[list], list));
        rows.push(Row::new(call(Builtin::Chunks), &[int, list], list.list()));
        rows.push(Row::new(call(Builtin::Concat), &[list.list()], list));
    }
    rows
}
