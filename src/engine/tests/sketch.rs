//! Writes programs step by step, and reads values back in depth.

use crate::check::types::Type;
use crate::ir::{
    Bound, Bounds, Layout, NOWHERE, Op, Program, Register, Role, Rule, Slot, SlotId, Step, StepId,
};
use crate::runtime::Memory;
use crate::runtime::shape::Shape;
use crate::source::Span;

/// A value in depth: what two engines must agree on.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// What a register holds that is no list.
    Cell(i64),
    /// The elements of a list.
    List(Vec<Value>),
}

impl Value {
    /// Reads the value of a cell.
    pub fn read(memory: &Memory, cell: i64, kind: &Type) -> Value {
        let Some(element) = kind.element() else { return Value::Cell(cell) };
        Value::List(if Shape::of(element).is_narrow() {
            memory.narrow(cell).iter().map(|&symbol| Value::Cell(symbol as i64)).collect()
        } else {
            memory.wide(cell).iter().map(|&cell| Value::read(memory, cell, element)).collect()
        })
    }

    /// The cells of a list without lists in it.
    pub fn cells(&self) -> Vec<i64> {
        let Value::List(elements) = self else { panic!("{self:?} is no list") };
        elements.iter().map(Value::cell).collect()
    }

    /// What is no list.
    pub fn cell(&self) -> i64 {
        let Value::Cell(cell) = self else { panic!("{self:?} is a list") };
        *cell
    }
}

impl From<i64> for Value {
    fn from(cell: i64) -> Value {
        Value::Cell(cell)
    }
}

impl From<f64> for Value {
    fn from(real: f64) -> Value {
        Value::Cell(real.to_bits() as i64)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(elements: Vec<T>) -> Value {
        Value::List(elements.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(elements: [T; N]) -> Value {
        Vec::from(elements).into()
    }
}

/// A program being written.
pub struct Sketch {
    program: Program,
}

impl Sketch {
    /// No steps yet; two streams, two pools.
    pub fn new() -> Sketch {
        Sketch {
            program: Program {
                name: "sketch".into(),
                level: String::new(),
                registers: Vec::new(),
                steps: Vec::new(),
                sample: 0..0,
                given: Vec::new(),
                rules: Vec::new(),
                slots: Vec::new(),
                streams: vec!["first".into(), "second".into()],
                texts: ["", "a", "bc d", "-7", "é12"].map(String::from).into(),
                pools: vec!["vocab".into(), "others".into()],
                layout: Layout::default(),
                bounds: Bounds { cells: 1 << 12, text_bytes: 1 << 12, ..Bounds::default() },
            },
        }
    }

    /// A new register of this type.
    pub fn register(&mut self, kind: Type) -> Register {
        self.program.registers.push(kind);
        self.program.registers.len() as Register - 1
    }

    /// The type of a register.
    pub fn kind(&self, register: Register) -> &Type {
        &self.program.registers[register as usize]
    }

    /// A step with this result.
    pub fn set(&mut self, into: Register, op: Op) -> StepId {
        self.program.steps.push(Step { op, into, span: Span::default(), proved: false });
        self.program.steps.len() as StepId - 1
    }

    /// A step without a result.
    pub fn op(&mut self, op: Op) -> StepId {
        self.set(NOWHERE, op)
    }

    /// A step whose result is a new register.
    pub fn get(&mut self, op: Op, kind: Type) -> Register {
        let into = self.register(kind);
        self.set(into, op);
        into
    }

    /// Says that the step before cannot fault.
    pub fn prove_last(&mut self) {
        self.program.steps.last_mut().expect("there is a step").proved = true;
    }

    /// A register that holds this value.
    pub fn value(&mut self, value: &Value, kind: &Type) -> Register {
        let elements = match value {
            Value::Cell(cell) => return self.get(Op::Constant(*cell), kind.clone()),
            Value::List(elements) => elements,
        };
        let element = kind.element().cloned().unwrap_or(Type::Unknown);
        let registers: Vec<_> = elements.iter().map(|it| self.value(it, &element)).collect();
        let count = self.get(Op::Constant(elements.len() as i64), Type::Int);
        let list = self.get(Op::NewList(count), kind.clone());
        for (index, register) in (0..).zip(registers) {
            let index = self.get(Op::Constant(index), Type::Int);
            self.op(Op::Put(list, index, register));
        }
        list
    }

    /// A register that holds this number.
    pub fn int(&mut self, value: i64) -> Register {
        self.get(Op::Constant(value), Type::Int)
    }

    /// A slot that shows the register's value.
    pub fn store(&mut self, register: Register) -> SlotId {
        let kind = self.kind(register).clone();
        let (name, role) = (String::new(), Role::Placeholder);
        self.program.slots.push(Slot {
            name,
            kind,
            role,
            shown: true,
            drawn: false,
            bound: Bound::Any,
        });
        let slot = self.program.slots.len() as SlotId - 1;
        self.op(Op::Store(slot, register));
        slot
    }

    /// The type of a slot.
    pub fn slot_kind(&self, slot: SlotId) -> Type {
        self.program.slots[slot as usize].kind.clone()
    }

    /// Where the next step will stand.
    pub fn here(&self) -> StepId {
        self.program.steps.len() as StepId
    }

    /// `if condition { then } else { otherwise }`
    pub fn choose(
        &mut self,
        condition: Register,
        then: impl FnOnce(&mut Sketch),
        otherwise: impl FnOnce(&mut Sketch),
    ) {
        let start = self.op(Op::If(condition, 0));
        then(self);
        let middle = self.op(Op::Else(0));
        otherwise(self);
        let end = self.op(Op::EndIf);
        self.program.steps[start as usize].op = Op::If(condition, middle + 1);
        self.program.steps[middle as usize].op = Op::Else(end);
    }

    /// A loop; the body gets its index and returns the register that ends it early, if any.
    pub fn repeat(
        &mut self,
        count: Register,
        body: impl FnOnce(&mut Sketch, Register) -> Option<Register>,
    ) {
        let index = self.register(Type::Int);
        let start = self.op(Op::Loop { index, count, end: 0 });
        let stop = body(self, index);
        let stops = stop.map(|stop| (stop, self.op(Op::BreakIf(stop, 0))));
        let end = self.op(Op::EndLoop(start));
        self.program.steps[start as usize].op = Op::Loop { index, count, end };
        if let Some((stop, at)) = stops {
            self.program.steps[at as usize].op = Op::BreakIf(stop, end);
        }
    }

    /// Ends the steps that make a sample; from here on come rules.
    pub fn end_sample(&mut self) {
        self.program.sample = 0..self.here();
    }

    /// A rule whose steps `body` writes; it returns the score's register.
    pub fn rule(&mut self, body: impl FnOnce(&mut Sketch) -> Register) {
        let start = self.here();
        let score = body(self);
        let steps = start..self.here();
        let (name, span) = ("rule".into(), Span::default());
        let (needs, given) = (Vec::new(), Vec::new());
        self.program.rules.push(Rule { name, span, steps, score, needs, given });
    }

    /// The program.
    pub fn finish(mut self) -> Program {
        if self.program.sample.is_empty() {
            self.end_sample();
        }
        self.program
    }
}
