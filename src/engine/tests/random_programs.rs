//! Random programs of every operation: machine code must equal the interpreter on all of them.

use proptest::prelude::*;
use strum::VariantArray;

use super::*;
use crate::ir::{Arithmetic, Comparison, Sampler as S};
use crate::runtime::builtins::Takes;
use Builtin as B;

/// Choices that a test case brings; when they are used up, each is the first.
struct Tape {
    choices: std::vec::IntoIter<u16>,
}

impl Tape {
    fn below(&mut self, most: usize) -> usize {
        self.choices.next().unwrap_or(0) as usize % most
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// The types of a native's operands and of its result, from its signature in the stdlib.
fn signature(name: &str, element: Type) -> (Vec<Type>, Type) {
    let natives = crate::check::builtins();
    let native = &natives[name];
    let letters = vec![('T', element)];
    let operands = native.params.iter().map(|param| param.filled(&letters)).collect();
    (operands, native.result.filled(&letters))
}

/// A program that grows by what the tape says. `known` holds the registers that may be read.
struct Writer {
    tape: Tape,
    sketch: Sketch,
    known: Vec<Register>,
    depth: usize,
}

const EDGES: [i64; 12] = [0, 1, 2, 3, 5, 33, -1, -7, 60, 1 << 33, i64::MAX, i64::MIN];

impl Writer {
    fn kind(&mut self) -> Type {
        let kinds = [Type::Int, Type::Token, Type::Token.list(), Type::Int.list(), Type::Bool];
        let rare = [
            Type::Real,
            Type::Token.list().list(),
            Type::Real.list(),
            Type::Text,
            Type::Text.list(),
        ];
        if self.tape.below(4) == 0 { self.tape.one_of(&rare) } else { self.tape.one_of(&kinds) }
    }

    fn list_kind(&mut self) -> Type {
        let kinds = [Type::Token, Type::Int, Type::Token.list(), Type::Real, Type::Text];
        self.tape.one_of(&kinds).list()
    }

    /// A register of this type: one that is known, or a new constant.
    fn any(&mut self, kind: &Type) -> Register {
        if *kind == Type::Int && self.tape.below(2) == 0 {
            let value = self.literal(kind);
            return self.sketch.value(&value, kind);
        }
        let known: Vec<_> =
            self.known.iter().copied().filter(|&it| self.sketch.kind(it) == kind).collect();
        if known.is_empty() || self.tape.below(6) == 0 {
            let value = self.literal(kind);
            return self.sketch.value(&value, kind);
        }
        self.tape.one_of(&known)
    }

    fn literal(&mut self, kind: &Type) -> Value {
        match kind {
            Type::List(element) => {
                let size = (3 + self.tape.below(8)) % 10;
                Value::List((0..size).map(|_| self.literal(element)).collect())
            }
            Type::Bool => Value::Cell(self.tape.below(2) as i64),
            Type::Token => Value::Cell(self.tape.below(40) as i64),
            Type::Text => Value::Cell(self.tape.below(5) as i64),
            Type::Real if self.tape.below(4) > 0 => 0.5.into(),
            Type::Real => self.tape.one_of(&[0.5, 1.0, -0.0, 0.0, 2.5, f64::INFINITY]).into(),
            _ if self.tape.below(8) > 0 => Value::Cell(1 + self.tape.below(3) as i64),
            _ => Value::Cell(self.tape.one_of(&EDGES)),
        }
    }

    fn make(&mut self, op: Op, kind: Type) {
        let register = self.sketch.get(op, kind);
        self.known.push(register);
    }

    fn statements(&mut self, most: usize) {
        for _ in 0..1 + self.tape.below(most) {
            self.statement();
        }
    }

    fn statement(&mut self) {
        match self.tape.below(16) {
            0 if self.depth < 3 => self.branch(),
            1 if self.depth < 3 => self.repetition(),
            2 if self.depth < 3 => self.comprehension(),
            3 if self.depth < 3 => self.marked(),
            4..=8 => self.builtin(),
            9..=12 => self.sampler(),
            _ => self.scalar(),
        }
    }

    /// Statements whose registers are not visible outside.
    fn inside(&mut self, sketch: &mut Sketch, most: usize) {
        std::mem::swap(&mut self.sketch, sketch);
        self.statements(most);
        std::mem::swap(&mut self.sketch, sketch);
    }

    fn branch(&mut self) {
        let (condition, kind) = (self.any(&Type::Bool), self.kind());
        let result = self.sketch.register(kind.clone());
        let outside = self.known.len();
        self.depth += 1;
        let mut sketch = std::mem::replace(&mut self.sketch, Sketch::new());
        let shared = std::cell::RefCell::new(&mut *self);
        let side = |sketch: &mut Sketch| {
            let mut writer = shared.borrow_mut();
            writer.inside(sketch, 3);
            std::mem::swap(&mut writer.sketch, sketch);
            let value = writer.any(&kind);
            writer.sketch.set(result, Op::Copy(value));
            std::mem::swap(&mut writer.sketch, sketch);
            writer.known.truncate(outside);
        };
        sketch.choose(condition, side, side);
        self.sketch = sketch;
        self.depth -= 1;
        self.known.push(result);
    }

    fn repetition(&mut self) {
        let rounds = self.tape.below(5) as i64;
        let count = self.sketch.int(rounds);
        let kind = self.kind();
        let carried = self.sketch.register(kind.clone());
        let start = self.any(&kind);
        self.sketch.set(carried, Op::Copy(start));
        let outside = self.known.len();
        self.depth += 1;
        let mut sketch = std::mem::replace(&mut self.sketch, Sketch::new());
        sketch.repeat(count, |sketch, index| {
            self.known.extend([index, carried]);
            self.inside(sketch, 4);
            std::mem::swap(&mut self.sketch, sketch);
            let next = self.any(&kind);
            self.sketch.set(carried, Op::Copy(next));
            let stop = (self.tape.below(3) == 0).then(|| self.any(&Type::Bool));
            std::mem::swap(&mut self.sketch, sketch);
            stop
        });
        self.sketch = sketch;
        self.depth -= 1;
        self.known.truncate(outside);
        self.known.push(carried);
    }

    fn comprehension(&mut self) {
        let rounds = self.tape.below(6) as i64;
        let (count, kind) = (self.sketch.int(rounds), self.list_kind());
        let element = kind.element().expect("it is a list").clone();
        let list = self.sketch.get(Op::NewList(count), kind);
        let outside = self.known.len();
        self.depth += 1;
        let mut sketch = std::mem::replace(&mut self.sketch, Sketch::new());
        sketch.repeat(count, |sketch, index| {
            self.known.push(index);
            self.inside(sketch, 3);
            std::mem::swap(&mut self.sketch, sketch);
            let value = self.any(&element);
            self.sketch.op(Op::Put(list, index, value));
            std::mem::swap(&mut self.sketch, sketch);
            None
        });
        self.sketch = sketch;
        self.depth -= 1;
        self.known.truncate(outside);
        self.known.push(list);
    }

    /// What is made after the mark is forgotten, but for a number.
    fn marked(&mut self) {
        let mark = self.sketch.get(Op::Mark, Type::Int);
        let outside = self.known.len();
        self.depth += 1;
        self.statements(3);
        self.depth -= 1;
        let kept = self.any(&Type::Int);
        self.sketch.op(Op::Release(mark));
        self.known.truncate(outside);
        self.known.push(kept);
    }

    fn builtin(&mut self) {
        let kind = self.list_kind();
        let element = kind.element().expect("it is a list").clone();
        let (builtin, operands, result) = match self.tape.one_of(B::VARIANTS) {
            builtin @ (B::Same | B::Within) => (builtin, vec![kind.clone(), kind], Type::Bool),
            B::Contains => (B::Contains, vec![element, kind], Type::Bool),
            B::Append => (B::Append, vec![kind.clone(), kind.clone()], kind),
            B::Range => (B::Range, vec![Type::Int, Type::Int], Type::Int.list()),
            B::Letters => (B::Letters, vec![Type::Text], Type::Text.list()),
            B::Number => (B::Number, vec![Type::Text], Type::Int),
            B::Joined => (B::Joined, vec![Type::Text, Type::Text.list()], Type::Text),
            B::ShownInt => (B::ShownInt, vec![Type::Int], Type::Text),
            B::ShownDigits => (B::ShownDigits, vec![Type::Int, Type::Int, Type::Int], Type::Text),
            B::ShownReal => (B::ShownReal, vec![Type::Real], Type::Text),
            B::ShownToken => (B::ShownToken, vec![Type::Token], Type::Text),
            B::SortTexts => (B::SortTexts, vec![Type::Text.list()], Type::Text.list()),
            builtin => {
                let element = match builtin.row().takes {
                    Takes::Numbers if !element.is_number() => Type::Int,
                    Takes::Ordered if element.depth() > 0 => Type::Int,
                    _ => element,
                };
                let (operands, result) = signature(builtin.into(), element);
                (builtin, operands, result)
            }
        };
        self.call(builtin, operands, result);
    }

    fn call(&mut self, builtin: Builtin, kinds: Vec<Type>, result: Type) {
        let mut operands = self.operands(&kinds);
        let finds = matches!(builtin, B::Around | B::After | B::Before);
        if finds && self.tape.below(8) > 0 {
            let (place, kind) = (kinds.len() - 2, result.clone());
            let one = self.sketch.int(1);
            let run = Op::Draw(S::Span, 0, [one, operands[place + 1], NOWHERE]);
            operands[place] = self.sketch.get(run, kind);
        }
        self.make(Op::Call(builtin, operands), result);
    }

    fn operands(&mut self, kinds: &[Type]) -> [Register; 3] {
        let mut operands = [NOWHERE; 3];
        for (operand, kind) in operands.iter_mut().zip(kinds) {
            *operand = self.any(kind);
        }
        operands
    }

    fn sampler(&mut self) {
        let kind = self.list_kind();
        let element = kind.element().expect("it is a list").clone();
        let sampler = self.tape.one_of(S::VARIANTS);
        let (kinds, result) = match sampler {
            S::DistinctWithout => (vec![Type::Int, kind.clone(), kind.clone()], kind),
            S::Uniform => (vec![Type::Int, Type::Int], Type::Int),
            S::Weighted if self.tape.below(8) > 0 => {
                (vec![Type::Int.list(), Type::Int.list()], Type::Int)
            }
            _ => signature(sampler.into(), element),
        };
        let mut operands = self.operands(&kinds);
        if sampler == S::Weighted && kinds[0] == kinds[1] {
            operands[1] = operands[0];
        }
        if self.tape.below(3) > 0 && kinds.last() == Some(&Type::Token.list()) {
            operands[kinds.len() - 1] = self.sketch.get(Op::Pool(0), Type::Token.list());
        }
        let stream = self.tape.below(2) as u32;
        self.make(Op::Draw(sampler, stream, operands), result);
    }

    fn scalar(&mut self) {
        use Arithmetic::*;
        use Comparison::*;
        match self.tape.below(8) {
            0 | 1 => {
                let operator = self.tape.one_of(&[Add, Subtract, Multiply, Divide, Remainder]);
                let (left, right) = (self.any(&Type::Int), self.any(&Type::Int));
                self.make(Op::Integer(operator, left, right), Type::Int);
            }
            2 => {
                let operator = self.tape.one_of(&[Add, Subtract, Multiply, Divide]);
                let (left, right) = (self.any(&Type::Real), self.any(&Type::Real));
                self.make(Op::Real(operator, left, right), Type::Real);
            }
            3 => {
                let value = self.any(&Type::Int);
                self.make(Op::ToReal(value), Type::Real);
            }
            4 => {
                let kind = self.tape.one_of(&[Type::Int, Type::Real, Type::Token, Type::Bool]);
                let all = [Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual];
                let comparison = self.tape.one_of(&all);
                let (left, right) = (self.any(&kind), self.any(&kind));
                self.make(Op::Compare(comparison, left, right), Type::Bool);
            }
            5 => {
                let value = self.any(&Type::Bool);
                self.make(Op::Not(value), Type::Bool);
            }
            6 => {
                let kind = self.list_kind();
                let list = self.any(&kind);
                self.make(Op::Size(list), Type::Int);
            }
            _ => {
                let kind = self.list_kind();
                let (list, index) = (self.any(&kind), self.any(&Type::Int));
                let element = kind.element().expect("it is a list").clone();
                self.make(Op::Element(list, index), element);
            }
        }
    }

    fn program(mut self) -> Program {
        self.sketch.op(Op::Seed(0));
        self.sketch.op(Op::Seed(1));
        for _ in 0..4 {
            self.statements(6);
            let last = *self.known.last().expect("a statement makes a register");
            self.sketch.store(last);
        }
        self.sketch.end_sample();
        for kind in [Type::Bool, Type::Real] {
            self.known.clear();
            let mut sketch = std::mem::replace(&mut self.sketch, Sketch::new());
            sketch.rule(|sketch| {
                std::mem::swap(&mut self.sketch, sketch);
                for slot in 0..4 {
                    let slot_kind = self.sketch.slot_kind(slot);
                    self.make(Op::Load(slot), slot_kind);
                }
                self.statements(6);
                let score = self.any(&kind);
                std::mem::swap(&mut self.sketch, sketch);
                score
            });
            self.sketch = sketch;
        }
        self.sketch.finish()
    }
}

/// A case is the tape alone, which proptest makes shorter to show the smallest program.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn machine_code_equals_the_interpreter(
        choices in prop::collection::vec(any::<u16>(), 20..250),
    ) {
        let tape = Tape { choices: choices.into_iter() };
        let writer = Writer { tape, sketch: Sketch::new(), known: Vec::new(), depth: 0 };
        let mut both = Both::new(writer.program(), &Pools::new(64, [vec![7, 7, 30]]));
        for index in 0..6 {
            _ = both.run(index);
        }
    }
}
