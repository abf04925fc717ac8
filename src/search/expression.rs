//! Expressions of the language as the search makes them, and how they are written.

use std::fmt::Write;

use super::kind::Kind;
use super::mined::Mined;
use super::op::{Each, Op};
use super::values::Value;
use crate::ir::Arithmetic;
use crate::runtime::builtins::Builtin;

/// An expression over the fields of examples.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expression {
    /// A field, by its place among the inputs.
    Field(usize),
    /// The variable of the loop that stands in so many others.
    Element(usize),
    /// `7`, `"yes"`, `[]`
    Constant(Value, Kind),
    /// `size(xs)`, `a + b`
    Apply(Op, Vec<Expression>),
    /// `"Dr. {name}!"`: texts, and what is shown between them.
    Parts(Vec<Expression>),
    /// `for x in source: body`, with a condition before the body if it has one; the number is
    /// that of the loops around it.
    Loop(Each, usize, Vec<Expression>),
    /// `fold so_far = first over x in source: body`, with the number of the loops around it;
    /// in the body what is carried is the element of one loop more.
    Fold(usize, Vec<Expression>),
    /// `replaced(old, new, list)`, of the module `tokens`.
    Replaced(Vec<Expression>),
}

/// How tightly what is written holds together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    Loop,
    Or,
    And,
    Not,
    Comparison,
    Range,
    Sum,
    Product,
    Whole,
}

impl Expression {
    /// It in the language, where the fields have these names.
    pub fn written(&self, fields: &[String]) -> String {
        self.written_as(fields, Tightness::Loop)
    }

    /// The same as an operand of `==`.
    pub fn compared(&self, fields: &[String]) -> String {
        self.written_as(fields, Tightness::Range)
    }

    fn written_as(&self, fields: &[String], least: Tightness) -> String {
        let mut writer = Writer { fields, out: String::new(), elements: Vec::new(), loops: 0 };
        writer.write(self, least);
        writer.out
    }

    /// True if some part of it is such.
    pub fn has(&self, is_such: &dyn Fn(&Expression) -> bool) -> bool {
        let mut has = false;
        self.walk(&mut |one| has |= is_such(one));
        has
    }

    /// How many operations, fields and constants it has.
    pub fn size(&self) -> usize {
        let mut size = 0;
        self.walk(&mut |_| size += 1);
        size
    }

    /// A pattern of the standard library, with its parts.
    pub fn pattern(mined: Mined, of: Vec<Expression>) -> Expression {
        let number = |number: i64| Expression::Constant(Value::Int(number), Kind::INT);
        let apply = Expression::Apply;
        let arithmetic = Op::Arithmetic;
        let last = |list: &Expression| {
            let size = apply(Op::Size, vec![list.clone()]);
            apply(arithmetic(Arithmetic::Subtract), vec![size, number(1)])
        };
        match (mined, &of[..]) {
            (Mined::Positions, [list]) => {
                apply(Op::Builtin(Builtin::Range), vec![number(0), last(list)])
            }
            (Mined::Last, [list]) => apply(Op::At, vec![last(list), list.clone()]),
            (Mined::Divides, _) => {
                apply(Op::Equal, vec![apply(arithmetic(Arithmetic::Remainder), of), number(0)])
            }
            (_, [key, keys, values]) => {
                let place = apply(Op::Builtin(Builtin::Position), vec![key.clone(), keys.clone()]);
                apply(Op::At, vec![place, values.clone()])
            }
            _ => unreachable!("a pattern has its parts"),
        }
    }

    pub(super) fn walk(&self, see: &mut impl FnMut(&Expression)) {
        see(self);
        match self {
            Expression::Apply(_, of)
            | Expression::Replaced(of)
            | Expression::Parts(of)
            | Expression::Loop(.., of)
            | Expression::Fold(_, of) => of.iter().for_each(|one| one.walk(see)),
            Expression::Field(_) | Expression::Element(_) | Expression::Constant(..) => {}
        }
    }
}

struct Writer<'a> {
    fields: &'a [String],
    out: String,
    /// The names of the loops' variables, by how many loops are around them.
    elements: Vec<String>,
    /// How many loops there were.
    loops: usize,
}

impl Writer<'_> {
    fn write(&mut self, expression: &Expression, least: Tightness) {
        let tightness = tightness(expression);
        let is_open = tightness < least;
        if is_open {
            self.out.push('(');
        }
        match expression {
            Expression::Field(field) => self.out.push_str(&self.fields[*field]),
            Expression::Element(level) => self.out.push_str(&self.elements[*level].clone()),
            Expression::Constant(value, _) => self.constant(value),
            Expression::Apply(op, of) => self.apply(*op, of, tightness),
            Expression::Replaced(of) => self.call("replaced", of),
            Expression::Parts(parts) => {
                self.out.push('"');
                parts.iter().for_each(|part| self.part(part));
                self.out.push('"');
            }
            Expression::Loop(each, level, of) => self.each(*each, *level, of),
            Expression::Fold(level, of) => self.fold(*level, of),
        }
        if is_open {
            self.out.push(')');
        }
    }

    fn constant(&mut self, value: &Value) {
        _ = match value {
            Value::Int(int) => write!(self.out, "{int}"),
            Value::Bool(is) => write!(self.out, "{is}"),
            Value::Text(text) => write!(self.out, "{}", quoted(text)),
            Value::List(elements) => {
                self.out.push('[');
                for (at, element) in elements.iter().enumerate() {
                    self.out.push_str(if at > 0 { ", " } else { "" });
                    self.constant(element);
                }
                self.out.push(']');
                Ok(())
            }
        };
    }

    fn apply(&mut self, op: Op, of: &[Expression], tightness: Tightness) {
        match (op.sign(), of) {
            (Some(sign), [left, right]) => {
                self.write(left, if is_chained(tightness) { tightness } else { above(tightness) });
                self.out.push_str(if sign == ".." { "" } else { " " });
                self.out.push_str(sign);
                self.out.push_str(if sign == ".." { "" } else { " " });
                self.write(right, above(tightness));
            }
            (Some(sign), [one]) => {
                self.out.push_str(sign);
                self.out.push(' ');
                self.write(one, tightness);
            }
            (Some(_), [condition, yes, no]) => {
                self.out.push_str("if ");
                self.write(condition, Tightness::Or);
                self.out.push_str(" then ");
                self.write(yes, Tightness::Or);
                self.out.push_str(" else ");
                self.write(no, Tightness::Loop);
            }
            (None, _) if matches!(op, Op::Shown | Op::Joined) => {
                self.out.push('"');
                self.part(&Expression::Apply(op, of.to_vec()));
                self.out.push('"');
            }
            (None, [one]) if op == Op::Single => {
                self.out.push('[');
                self.write(one, Tightness::Loop);
                self.out.push(']');
            }
            _ => self.call(op.name(), of),
        }
    }

    /// A part of a text.
    fn part(&mut self, part: &Expression) {
        match part {
            Expression::Constant(Value::Text(text), _) => self.out.push_str(&escaped(text)),
            Expression::Parts(parts) => parts.iter().for_each(|part| self.part(part)),
            Expression::Apply(Op::Shown, of) => self.placeholder(&of[0]),
            Expression::Apply(Op::Joined, of) => {
                self.out.push('{');
                self.call("join", of);
                self.out.push('}');
            }
            other => self.placeholder(other),
        }
    }

    fn placeholder(&mut self, of: &Expression) {
        self.out.push('{');
        self.write(of, Tightness::Loop);
        self.out.push('}');
    }

    fn call(&mut self, name: &str, of: &[Expression]) {
        self.out.push_str(name);
        self.out.push('(');
        for (at, one) in of.iter().enumerate() {
            self.out.push_str(if at > 0 { ", " } else { "" });
            self.write(one, Tightness::Loop);
        }
        self.out.push(')');
    }

    fn each(&mut self, each: Each, level: usize, of: &[Expression]) {
        let name = self.fresh();
        _ = write!(self.out, "{} {name} in ", each.word());
        self.write(&of[0], Tightness::Or);
        let outer = self.elements.clone();
        self.name(level, &name);
        if let [_, condition, _] = of {
            self.out.push_str(" where ");
            self.write(condition, Tightness::Or);
        }
        self.out.push_str(": ");
        self.write(&of[of.len() - 1], Tightness::Loop);
        self.elements = outer;
    }

    fn fold(&mut self, level: usize, of: &[Expression]) {
        let (name, carried) = (self.fresh(), "so_far");
        let is_field = self.fields.iter().any(|field| field == carried);
        let carried = if is_field { format!("{carried}_") } else { carried.to_string() };
        _ = write!(self.out, "fold {carried} = ");
        self.write(&of[0], Tightness::Or);
        _ = write!(self.out, " over {name} in ");
        self.write(&of[1], Tightness::Or);
        self.out.push_str(": ");
        let outer = self.elements.clone();
        self.name(level, &name);
        self.name(level + 1, &carried);
        self.write(&of[2], Tightness::Loop);
        self.elements = outer;
    }

    /// A name for the variable of one more loop.
    fn fresh(&mut self) -> String {
        let name = ["x", "y", "z", "u", "v", "w"]
            .get(self.loops)
            .map_or_else(|| format!("x_{}", self.loops), |name| name.to_string());
        self.loops += 1;
        if self.fields.contains(&name) { format!("{name}_") } else { name }
    }

    /// From here on the variable of this level has this name.
    fn name(&mut self, level: usize, name: &str) {
        self.elements.resize(level + 1, String::new());
        self.elements[level] = name.to_string();
    }
}

/// A text between quotes, as a file has it.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '{' => out.push_str("{{"),
            '}' => out.push_str("}}"),
            other => out.push(other),
        }
    }
    out
}

fn tightness(expression: &Expression) -> Tightness {
    match expression {
        Expression::Loop(..) | Expression::Fold(..) => Tightness::Loop,
        Expression::Constant(Value::Int(int), _) if *int < 0 => Tightness::Sum,
        Expression::Apply(op, _) => match op.sign() {
            Some("if") => Tightness::Loop,
            Some("or") => Tightness::Or,
            Some("and") => Tightness::And,
            Some("not") => Tightness::Not,
            Some("==" | "<" | "<=" | "in" | "within") => Tightness::Comparison,
            Some("..") => Tightness::Range,
            Some("+" | "-") => Tightness::Sum,
            Some(_) => Tightness::Product,
            None => Tightness::Whole,
        },
        _ => Tightness::Whole,
    }
}

fn above(tightness: Tightness) -> Tightness {
    match tightness {
        Tightness::Loop => Tightness::Or,
        Tightness::Or => Tightness::And,
        Tightness::And => Tightness::Not,
        Tightness::Not => Tightness::Comparison,
        Tightness::Comparison => Tightness::Range,
        Tightness::Range => Tightness::Sum,
        Tightness::Sum => Tightness::Product,
        Tightness::Product | Tightness::Whole => Tightness::Whole,
    }
}

/// True for operators of which several group to the left.
fn is_chained(tightness: Tightness) -> bool {
    !matches!(tightness, Tightness::Comparison | Tightness::Range)
}
