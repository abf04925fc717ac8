//! From steps to Cranelift's intermediate representation, one `match` arm an operation.
//!
//! A function takes pointers to the memory, its cells, its frame, its streams and their keys, and
//! returns a cell: a rule's score, or 0. A fault leaves its kind and step in the memory and
//! returns.

mod branches;
mod builtins;
mod draw;
mod lists;
mod values;

use std::collections::{HashMap, HashSet};
use std::mem::offset_of;
use std::ops::Range;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    AbiParam, Block, Function, InstBuilder, MemFlagsData, SigRef, Signature, UserFuncName, Value,
};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};

use crate::engine::calls::Call;
use crate::engine::shapes;
use crate::ir::{NOWHERE, Op, Program, Register, Step, StepId};
use crate::runtime::{FaultKind, Memory};
use builtins::Found;

/// Steps that become one function.
pub(super) struct Part<'a> {
    pub(super) name: &'a str,
    pub(super) steps: Range<StepId>,
    /// The register that it returns, if any.
    pub(super) result: Option<Register>,
    /// False where steps are checked that the bounds prove: a reply that is judged keeps to no
    /// bounds.
    pub(super) trusts_proofs: bool,
}

/// Writes the function of some steps.
pub(super) fn function(
    program: &Program,
    part: &Part,
    isa: &dyn TargetIsa,
    context: &mut FunctionBuilderContext,
) -> Function {
    let mut function = Function::with_name_signature(UserFuncName::default(), signature(isa));
    let mut builder = FunctionBuilder::new(&mut function, context);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let call = builder.import_signature(signature(isa));
    let &[memory, cells, frame, streams, keys] = builder.block_params(entry) else {
        panic!("`signature` has five parameters");
    };
    let mut emitter = Emitter {
        program,
        trusts_proofs: part.trusts_proofs,
        memory,
        cells,
        frame,
        streams,
        keys,
        call,
        constants: constants(&program.steps[part.steps.start as usize..part.steps.end as usize]),
        variables: HashMap::new(),
        found: Vec::new(),
        depth: 0,
        blocks: vec![None; part.steps.len() + 1],
        first: part.steps.start,
        step: part.steps.start,
        builder,
    };
    emitter.steps(part.steps.clone());
    let cell = match part.result {
        Some(register) => emitter.get(register),
        None => emitter.constant(0),
    };
    emitter.builder.ins().return_(&[cell]);
    emitter.builder.seal_all_blocks();
    emitter.builder.finalize(isa.frontend_config());
    function
}

/// The signature of every function made here, and of [`Call`].
pub(super) fn signature(isa: &dyn TargetIsa) -> Signature {
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params.resize(5, AbiParam::new(I64));
    signature.returns.push(AbiParam::new(I64));
    signature
}

/// The constant in each register that one step alone writes, with a constant.
fn constants(steps: &[Step]) -> HashMap<Register, i64> {
    let (mut constants, mut written) = (HashMap::new(), HashSet::new());
    for step in steps {
        let constant = match step.op {
            Op::Constant(cell) => Some(cell),
            _ => None,
        };
        for register in step.op.outputs(step.into) {
            let is_first = written.insert(register);
            match constant.filter(|_| is_first) {
                Some(cell) => constants.insert(register, cell),
                None => constants.remove(&register),
            };
        }
    }
    constants
}

/// A function being written.
struct Emitter<'a> {
    program: &'a Program,
    trusts_proofs: bool,
    memory: Value,
    cells: Value,
    frame: Value,
    streams: Value,
    keys: Value,
    call: SigRef,
    constants: HashMap<Register, i64>,
    /// The variables of the registers that were met so far.
    variables: HashMap<Register, Variable>,
    /// What was searched for on all ways to this step, in registers that still hold the same.
    found: Vec<Found>,
    /// How many branches this step is in.
    depth: usize,
    /// The blocks that start at a step, counted from the first, that something jumps to.
    blocks: Vec<Option<Block>>,
    first: StepId,
    step: StepId,
    builder: FunctionBuilder<'a>,
}

/// Loads and stores inside the memory neither trap nor miss their alignment.
const INSIDE: MemFlagsData = MemFlagsData::trusted();

impl Emitter<'_> {
    fn steps(&mut self, steps: Range<StepId>) {
        let (mut at, mut is_open) = (steps.start, true);
        while at < steps.end {
            self.enter(at, is_open);
            self.step = at;
            (at, is_open) = match self.both(at) {
                Some(next) => (next, true),
                None => (at + 1, self.step(&self.program.steps[at as usize], at)),
            };
        }
        self.enter(steps.end, is_open);
    }

    /// Goes on in the block of this step, if something jumps to it.
    fn enter(&mut self, at: StepId, is_open: bool) {
        if let Some(block) = self.blocks[(at - self.first) as usize] {
            if is_open {
                self.builder.ins().jump(block, &[]);
            }
            self.builder.switch_to_block(block);
        }
    }

    /// Writes a step; false if the next one is not reached from it by falling through.
    fn step(&mut self, step: &Step, at: StepId) -> bool {
        match step.op {
            Op::If(condition, otherwise) => {
                self.branch(condition, at + 1, otherwise);
                self.depth += 1;
            }
            Op::BreakIf(condition, end) => self.branch(condition, end + 1, at + 1),
            Op::Else(end) => {
                let end = self.block(end);
                self.builder.ins().jump(end, &[]);
                self.leave_branch();
                self.depth += 1;
            }
            Op::EndIf => {
                self.leave_branch();
                return true;
            }
            Op::Loop { index, count, end } => {
                self.found.clear();
                let zero = self.constant(0);
                self.set(index, zero);
                let count = self.get(count);
                let some = self.builder.ins().icmp_imm_s(IntCC::SignedGreaterThan, count, 0);
                self.branch_on(some, at + 1, end + 1);
            }
            Op::EndLoop(start) => {
                let Op::Loop { index, count, .. } = self.program.steps[start as usize].op else {
                    panic!("lower pairs each EndLoop with its Loop");
                };
                let (place, count) = (self.get(index), self.get(count));
                let place = self.builder.ins().iadd_imm_s(place, 1);
                self.set(index, place);
                let more = self.builder.ins().icmp(IntCC::SignedLessThan, place, count);
                self.branch_on(more, start + 1, at + 1);
                self.found.clear();
            }
            _ => {
                self.compute(step);
                return true;
            }
        }
        false
    }

    fn compute(&mut self, step: &Step) {
        let shape = shapes::of_elements(self.program, step);
        let is_checked = !(step.proved && self.trusts_proofs);
        let value = match step.op {
            Op::Constant(cell) => self.constant(cell),
            Op::Copy(register) => self.get(register),
            Op::Load(slot) => self.load_frame(slot as usize),
            Op::Store(slot, register) => {
                let value = self.get(register);
                return self.store_frame(value, slot as usize);
            }
            Op::Pool(pool) => self.load_frame(self.program.slots.len() + pool as usize),
            Op::Integer(operator, left, right) => {
                let (left, right) = (self.get(left), self.get(right));
                self.integer(operator, left, right, is_checked)
            }
            Op::Real(operator, left, right) => self.real(operator, left, right),
            Op::ToReal(register) => {
                let value = self.get(register);
                self.real_of(value)
            }
            Op::Compare(comparison, left, right) => self.compare(comparison, left, right),
            Op::Not(register) => {
                let value = self.get(register);
                self.builder.ins().bxor_imm_s(value, 1)
            }
            Op::Size(list) => {
                let list = self.get(list);
                self.size(list)
            }
            Op::Element(list, index) => {
                let (list, index) = (self.get(list), self.get(index));
                self.inside(list, index, is_checked);
                self.element(list, index, shape)
            }
            Op::NewList(count) => {
                let count = self.get(count);
                self.new_list(count, shape)
            }
            Op::Put(list, index, value) => {
                let (list, index, value) = (self.get(list), self.get(index), self.get(value));
                self.inside(list, index, is_checked);
                return self.put(list, index, value, shape);
            }
            Op::Call(builtin, operands) => self.builtin(builtin, shape, operands, is_checked),
            Op::Draw(sampler, stream, operands) => {
                self.draw(sampler, stream, shape, operands, is_checked)
            }
            Op::Seed(stream) => return self.seed(stream),
            Op::Mark => self.load_memory(offset_of!(Memory, arena.cursor)),
            Op::Release(mark) => {
                let mark = self.get(mark);
                return self.store_memory(mark, offset_of!(Memory, arena.cursor));
            }
            Op::If(..)
            | Op::Else(_)
            | Op::EndIf
            | Op::Loop { .. }
            | Op::BreakIf(..)
            | Op::EndLoop(_) => unreachable!("`step` took the control flow"),
        };
        if step.into != NOWHERE {
            self.set(step.into, value);
        }
    }
}

/// Registers, memory, branches and faults: what all operations are made of.
impl Emitter<'_> {
    fn get(&mut self, register: Register) -> Value {
        let variable = self.variable(register);
        self.builder.use_var(variable)
    }

    fn set(&mut self, register: Register, value: Value) {
        let variable = self.variable(register);
        self.builder.def_var(variable, value);
        self.found.retain(|found| found.cell != register && found.list != register);
    }

    /// The constant that a register always holds, if it does.
    fn constant_of(&self, register: Register) -> Option<i64> {
        self.constants.get(&register).copied()
    }

    /// What was found in a branch is not known outside.
    fn leave_branch(&mut self) {
        self.depth -= 1;
        self.found.retain(|found| found.depth <= self.depth);
    }

    fn variable(&mut self, register: Register) -> Variable {
        let builder = &mut self.builder;
        *self.variables.entry(register).or_insert_with(|| builder.declare_var(I64))
    }

    fn constant(&mut self, cell: i64) -> Value {
        self.builder.ins().iconst(I64, cell)
    }

    fn load_frame(&mut self, place: usize) -> Value {
        self.builder.ins().load(I64, INSIDE, self.frame, 8 * place as i32)
    }

    fn store_frame(&mut self, value: Value, place: usize) {
        self.builder.ins().store(INSIDE, value, self.frame, 8 * place as i32);
    }

    fn load_memory(&mut self, field: usize) -> Value {
        self.builder.ins().load(I64, INSIDE, self.memory, field as i32)
    }

    fn store_memory(&mut self, value: Value, field: usize) {
        self.builder.ins().store(INSIDE, value, self.memory, field as i32);
    }

    fn block(&mut self, at: StepId) -> Block {
        let known = &mut self.blocks[(at - self.first) as usize];
        *known.get_or_insert_with(|| self.builder.create_block())
    }

    fn branch(&mut self, condition: Register, then: StepId, otherwise: StepId) {
        let condition = self.get(condition);
        self.branch_on(condition, then, otherwise);
    }

    fn branch_on(&mut self, condition: Value, then: StepId, otherwise: StepId) {
        let (then, otherwise) = (self.block(then), self.block(otherwise));
        self.builder.ins().brif(condition, then, &[], otherwise, &[]);
    }

    /// Goes on in a block off the hot path if the condition holds, where `rare` is written.
    fn rarely(&mut self, condition: Value, rare: impl FnOnce(&mut Self)) {
        let (cold, next) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(cold);
        self.builder.ins().brif(condition, cold, &[], next, &[]);
        self.builder.switch_to_block(cold);
        rare(self);
        self.builder.switch_to_block(next);
    }

    /// Leaves the function with a fault if the condition holds.
    fn fault_if(&mut self, condition: Value, kind: FaultKind) {
        self.rarely(condition, |emitter| {
            let kind = emitter.builder.ins().iconst(I32, kind.code() as i64);
            let field = offset_of!(Memory, fault) as i32;
            emitter.builder.ins().store(INSIDE, kind, emitter.memory, field);
            emitter.leave();
        });
    }

    /// Leaves the function, whose fault's kind is in the memory already.
    fn leave(&mut self) {
        let step = self.builder.ins().iconst(I32, self.step as i64);
        let field = offset_of!(Memory, step) as i32;
        self.builder.ins().store(INSIDE, step, self.memory, field);
        let nothing = self.constant(0);
        self.builder.ins().return_(&[nothing]);
    }

    /// Calls the runtime; `may_fault` says whether to look for a fault afterwards.
    fn call(&mut self, call: Call, code: u64, cells: [Value; 3], may_fault: bool) -> Value {
        let address = self.constant(call as usize as i64);
        let code = self.constant(code as i64);
        let [a, b, c] = cells;
        let arguments = [self.memory, code, a, b, c];
        let call = self.builder.ins().call_indirect(self.call, address, &arguments);
        let result = self.builder.inst_results(call)[0];
        if may_fault {
            let field = offset_of!(Memory, fault) as i32;
            let fault = self.builder.ins().load(I32, INSIDE, self.memory, field);
            self.rarely(fault, Emitter::leave);
        }
        result
    }

    /// The operands' values; 0 for those that are nowhere.
    fn operands(&mut self, operands: [Register; 3]) -> [Value; 3] {
        operands.map(|register| match register {
            NOWHERE => self.constant(0),
            register => self.get(register),
        })
    }
}
