//! Numbers, comparisons and lists as machine operations.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F64, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};

use super::{Emitter, INSIDE};
use crate::check::types::Type;
use crate::ir::{Arithmetic, Comparison, Register};
use crate::runtime::shape::Shape;
use crate::runtime::{FaultKind, Memory};

/// The half of a handle, or of a product, below 2^32.
pub(super) const LOW_HALF: i64 = 0xffff_ffff;

impl Emitter<'_> {
    pub(super) fn integer(
        &mut self,
        operator: Arithmetic,
        left: Value,
        right: Value,
        is_checked: bool,
    ) -> Value {
        let divides = matches!(operator, Arithmetic::Divide | Arithmetic::Remainder);
        if divides && is_checked {
            let zero = self.builder.ins().icmp_imm_s(IntCC::Equal, right, 0);
            self.fault_if(zero, FaultKind::DivisionByZero);
        }
        let ins = self.builder.ins();
        let (value, overflow) = match operator {
            Arithmetic::Divide => return self.divide(left, right, is_checked),
            Arithmetic::Remainder => return self.remainder(left, right),
            Arithmetic::Add if is_checked => ins.sadd_overflow(left, right),
            Arithmetic::Subtract if is_checked => ins.ssub_overflow(left, right),
            Arithmetic::Multiply if is_checked => ins.smul_overflow(left, right),
            Arithmetic::Add => return ins.iadd(left, right),
            Arithmetic::Subtract => return ins.isub(left, right),
            Arithmetic::Multiply => return ins.imul(left, right),
        };
        self.fault_if(overflow, FaultKind::Overflow);
        value
    }

    /// Rounds down: one less than the machine's quotient where that was rounded up.
    fn divide(&mut self, left: Value, right: Value, is_checked: bool) -> Value {
        if is_checked {
            let least = self.builder.ins().icmp_imm_s(IntCC::Equal, left, i64::MIN);
            let minus_one = self.builder.ins().icmp_imm_s(IntCC::Equal, right, -1);
            let overflow = self.builder.ins().band(least, minus_one);
            self.fault_if(overflow, FaultKind::Overflow);
        }
        let quotient = self.builder.ins().sdiv(left, right);
        let product = self.builder.ins().imul(quotient, right);
        let remainder = self.builder.ins().isub(left, product);
        let rounded_up = self.has_other_sign(remainder, right);
        let rounded_up = self.builder.ins().uextend(I64, rounded_up);
        self.builder.ins().isub(quotient, rounded_up)
    }

    fn remainder(&mut self, left: Value, right: Value) -> Value {
        let remainder = self.builder.ins().srem(left, right);
        let other_sign = self.has_other_sign(remainder, right);
        let moved = self.builder.ins().iadd(remainder, right);
        self.builder.ins().select(other_sign, moved, remainder)
    }

    /// Is the remainder not 0, with a sign that its divisor does not have?
    fn has_other_sign(&mut self, remainder: Value, divisor: Value) -> Value {
        let signs = self.builder.ins().bxor(remainder, divisor);
        let differ = self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, signs, 0);
        let some = self.builder.ins().icmp_imm_s(IntCC::NotEqual, remainder, 0);
        self.builder.ins().band(differ, some)
    }

    pub(super) fn real(&mut self, operator: Arithmetic, left: Register, right: Register) -> Value {
        let (left, right) = (self.get_real(left), self.get_real(right));
        let ins = self.builder.ins();
        let result = match operator {
            Arithmetic::Add => ins.fadd(left, right),
            Arithmetic::Subtract => ins.fsub(left, right),
            Arithmetic::Multiply => ins.fmul(left, right),
            Arithmetic::Divide => ins.fdiv(left, right),
            Arithmetic::Remainder => panic!("check gives `%` to integers only"),
        };
        let no_number = self.builder.ins().fcmp(FloatCC::Unordered, result, result);
        let canonical = self.constant(f64::NAN.to_bits() as i64);
        let bits = self.real_bits(result);
        self.builder.ins().select(no_number, canonical, bits)
    }

    pub(super) fn real_of(&mut self, value: Value) -> Value {
        let real = self.builder.ins().fcvt_from_sint(F64, value);
        self.real_bits(real)
    }

    fn get_real(&mut self, register: Register) -> Value {
        let bits = self.get(register);
        self.builder.ins().bitcast(F64, MemFlagsData::new(), bits)
    }

    fn real_bits(&mut self, real: Value) -> Value {
        self.builder.ins().bitcast(I64, MemFlagsData::new(), real)
    }

    pub(super) fn compare(
        &mut self,
        comparison: Comparison,
        left: Register,
        right: Register,
    ) -> Value {
        let (whole, floating) = match comparison {
            Comparison::Equal => (IntCC::Equal, FloatCC::Equal),
            Comparison::NotEqual => (IntCC::NotEqual, FloatCC::NotEqual),
            Comparison::Less => (IntCC::SignedLessThan, FloatCC::LessThan),
            Comparison::LessEqual => (IntCC::SignedLessThanOrEqual, FloatCC::LessThanOrEqual),
            Comparison::Greater => (IntCC::SignedGreaterThan, FloatCC::GreaterThan),
            Comparison::GreaterEqual => {
                (IntCC::SignedGreaterThanOrEqual, FloatCC::GreaterThanOrEqual)
            }
        };
        let holds = if self.program.registers[left as usize] == Type::Real {
            let (left, right) = (self.get_real(left), self.get_real(right));
            self.builder.ins().fcmp(floating, left, right)
        } else {
            let (left, right) = (self.get(left), self.get(right));
            self.builder.ins().icmp(whole, left, right)
        };
        self.builder.ins().uextend(I64, holds)
    }

    pub(super) fn size(&mut self, list: Value) -> Value {
        self.builder.ins().band_imm_u(list, LOW_HALF)
    }

    /// Faults if the index is out of bounds; as unsigned, one below 0 is too great as well.
    pub(super) fn inside(&mut self, list: Value, index: Value, is_checked: bool) {
        if is_checked {
            let size = self.size(list);
            let outside = self.builder.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, size);
            self.fault_if(outside, FaultKind::OutsideList);
        }
    }

    pub(super) fn element(&mut self, list: Value, index: Value, shape: Shape) -> Value {
        let place = self.place(list, index, shape);
        if shape.is_narrow() {
            self.builder.ins().uload32(INSIDE, place, 0)
        } else {
            self.builder.ins().load(I64, INSIDE, place, 0)
        }
    }

    pub(super) fn put(&mut self, list: Value, index: Value, value: Value, shape: Shape) {
        let place = self.place(list, index, shape);
        if shape.is_narrow() {
            self.builder.ins().istore32(INSIDE, value, place, 0);
        } else {
            self.builder.ins().store(INSIDE, value, place, 0);
        }
    }

    /// The address of an element.
    pub(super) fn place(&mut self, list: Value, index: Value, shape: Shape) -> Value {
        let start = self.builder.ins().ushr_imm_u(list, 32);
        let start = self.builder.ins().ishl_imm_u(start, 2);
        let base = self.builder.ins().iadd(self.cells, start);
        let index = self.bytes(index, shape);
        self.builder.ins().iadd(base, index)
    }

    /// The bytes that this many elements take.
    pub(super) fn bytes(&mut self, count: Value, shape: Shape) -> Value {
        self.builder.ins().ishl_imm_u(count, shape.halves() as i64 + 1)
    }

    /// Always looks whether there is room: it costs one comparison a list.
    pub(super) fn new_list(&mut self, count: Value, shape: Shape) -> Value {
        let negative = self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, count, 0);
        self.fault_if(negative, FaultKind::Negative);
        let cursor = self.load_memory(offset_of!(Memory, arena.cursor));
        let limit = self.load_memory(offset_of!(Memory, arena.limit));
        let free = self.builder.ins().isub(limit, cursor);
        let is_narrow = shape.is_narrow();
        let most = if is_narrow { free } else { self.builder.ins().ushr_imm_u(free, 1) };
        let full = self.builder.ins().icmp(IntCC::UnsignedGreaterThan, count, most);
        self.fault_if(full, FaultKind::Memory);
        let halves = if is_narrow {
            let odd = self.builder.ins().iadd_imm_s(count, 1);
            self.builder.ins().band_imm_s(odd, -2)
        } else {
            self.builder.ins().ishl_imm_u(count, 1)
        };
        let end = self.builder.ins().iadd(cursor, halves);
        self.store_memory(end, offset_of!(Memory, arena.cursor));
        let start = self.builder.ins().ishl_imm_u(cursor, 32);
        self.builder.ins().bor(start, count)
    }

    /// Faults if the list has not this many elements.
    pub(super) fn part(&mut self, count: Value, list: Value, is_checked: bool) {
        if is_checked {
            let negative = self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, count, 0);
            self.fault_if(negative, FaultKind::Negative);
            let size = self.size(list);
            let too_many = self.builder.ins().icmp(IntCC::SignedGreaterThan, count, size);
            self.fault_if(too_many, FaultKind::TooFew);
        }
    }

    /// The slice of `size` elements after the first `skipped`.
    pub(super) fn run(&mut self, list: Value, skipped: Value, size: Value, shape: Shape) -> Value {
        let start = self.builder.ins().band_imm_s(list, !LOW_HALF);
        let moved = self.builder.ins().ishl_imm_u(skipped, 31 + shape.halves() as i64);
        let start = self.builder.ins().iadd(start, moved);
        self.builder.ins().bor(start, size)
    }
}
