//! What work on short lists inline is made of: loops, copies and comparisons of many elements.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I32X4, I64, I64X2};
use cranelift_codegen::ir::{BlockArg, InstBuilder, MemFlagsData, Type, Value};

use super::Emitter;
use crate::runtime::arena::SLACK_CELLS;
use crate::runtime::shape::Shape;

/// The elements that a step of a copy moves. Up to one less than that many of them, which no list
/// has, are read and written after a list's last.
const STEP: i64 = 16;
/// The vectors that are compared at a time.
const VECTORS: i64 = 4;
const VECTOR_BYTES: i64 = 16;

/// Wide elements need most.
const _: () = assert!(2 * STEP as u64 <= SLACK_CELLS);

/// Vectors keep to no alignment, as lists do not.
const VECTOR: MemFlagsData = MemFlagsData::new().with_notrap();

impl Emitter<'_> {
    /// Where all elements of a list with at most this many are compared at once.
    pub(super) fn compared_at_once(shape: Shape) -> i64 {
        VECTORS * lanes(shape)
    }

    /// For each of the first elements of a list that begins here, a bit: is it equal to the element
    /// of the other?
    pub(super) fn equal_bits(
        &mut self,
        start: Value,
        shape: Shape,
        mut other: impl FnMut(&mut Self, i32) -> Value,
    ) -> Value {
        let mut bits = self.constant(0);
        for at in 0..VECTORS {
            let offset = (VECTOR_BYTES * at) as i32;
            let other = other(self, offset);
            let ours = self.vector(start, offset, shape);
            let equal = self.builder.ins().icmp(IntCC::Equal, ours, other);
            let mask = self.builder.ins().vhigh_bits(I32, equal);
            let mask = self.builder.ins().uextend(I64, mask);
            let mask = self.builder.ins().ishl_imm_u(mask, lanes(shape) * at);
            bits = self.builder.ins().bor(bits, mask);
        }
        bits
    }

    /// A bit for each element of a list of this size.
    pub(super) fn size_bits(&mut self, size: Value) -> Value {
        let one = self.constant(1);
        let after = self.builder.ins().ishl(one, size);
        self.builder.ins().iadd_imm_s(after, -1)
    }

    /// Elements from this address on.
    pub(super) fn vector(&mut self, start: Value, offset: i32, shape: Shape) -> Value {
        self.builder.ins().load(vector_type(shape), VECTOR, start, offset)
    }

    /// A cell as each element of a vector.
    pub(super) fn everywhere(&mut self, cell: Value, shape: Shape) -> Value {
        let element = match shape.is_narrow() {
            true => self.builder.ins().ireduce(I32, cell),
            false => cell,
        };
        self.builder.ins().splat(vector_type(shape), element)
    }

    /// Copies the elements of a list to an address, and what comes after them up to a full step.
    pub(super) fn copy(&mut self, list: Value, to: Value, shape: Shape) {
        let zero = self.constant(0);
        let from = self.place(list, zero, shape);
        let size = self.size(list);
        let (next, done) = (self.builder.create_block(), self.builder.create_block());
        let at = self.builder.append_block_param(next, I64);
        self.builder.ins().jump(next, &[BlockArg::Value(zero)]);

        self.builder.switch_to_block(next);
        let bytes = self.bytes(at, shape);
        let (from, to) = (self.builder.ins().iadd(from, bytes), self.builder.ins().iadd(to, bytes));
        let offsets = (0..STEP / lanes(shape)).map(|at| (VECTOR_BYTES * at) as i32);
        let moved: Vec<(i32, Value)> =
            offsets.map(|offset| (offset, self.vector(from, offset, shape))).collect();
        for (offset, vector) in moved {
            self.builder.ins().store(VECTOR, vector, to, offset);
        }
        let at = self.builder.ins().iadd_imm_s(at, STEP);
        let more = self.builder.ins().icmp(IntCC::SignedLessThan, at, size);
        self.builder.ins().brif(more, next, &[BlockArg::Value(at)], done, &[]);

        self.builder.switch_to_block(done);
    }

    /// A new list with the same elements.
    pub(super) fn copied(&mut self, list: Value, shape: Shape) -> Value {
        let size = self.size(list);
        let copy = self.new_list(size, shape);
        let zero = self.constant(0);
        let to = self.place(copy, zero, shape);
        self.copy(list, to, shape);
        copy
    }

    /// The value of `inline`, or in rare cases, off the hot path, of `called`.
    pub(super) fn unless(
        &mut self,
        is_rare: Value,
        called: impl FnOnce(&mut Self) -> Value,
        inline: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let (cold, usual) = (self.builder.create_block(), self.builder.create_block());
        let done = self.builder.create_block();
        self.builder.set_cold_block(cold);
        self.builder.append_block_param(done, I64);
        self.builder.ins().brif(is_rare, cold, &[], usual, &[]);

        self.builder.switch_to_block(cold);
        let value = called(self);
        self.builder.ins().jump(done, &[BlockArg::Value(value)]);

        self.builder.switch_to_block(usual);
        let value = inline(self);
        self.builder.ins().jump(done, &[BlockArg::Value(value)]);

        self.builder.switch_to_block(done);
        self.builder.block_params(done)[0]
    }

    /// The same for what works on lists of at most this size.
    pub(super) fn if_at_most(
        &mut self,
        most: i64,
        size: Value,
        called: impl FnOnce(&mut Self) -> Value,
        inline: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let is_long = self.builder.ins().icmp_imm_s(IntCC::SignedGreaterThan, size, most);
        self.unless(is_long, called, inline)
    }

    /// A loop over the indices from the first to before the end.
    pub(super) fn each(&mut self, first: i64, end: Value, body: impl FnOnce(&mut Self, Value)) {
        let start = self.constant(0);
        self.fold(first, end, start, |emitter, index, value| {
            body(emitter, index);
            value
        });
    }

    /// A loop that carries a value, which it starts with, from index to index.
    pub(super) fn fold(
        &mut self,
        first: i64,
        end: Value,
        start: Value,
        body: impl FnOnce(&mut Self, Value, Value) -> Value,
    ) -> Value {
        let (head, inside) = (self.builder.create_block(), self.builder.create_block());
        let after = self.builder.create_block();
        let index = self.builder.append_block_param(head, I64);
        let value = self.builder.append_block_param(head, I64);
        let first = self.constant(first);
        self.builder.ins().jump(head, &[BlockArg::Value(first), BlockArg::Value(start)]);

        self.builder.switch_to_block(head);
        let more = self.builder.ins().icmp(IntCC::SignedLessThan, index, end);
        self.builder.ins().brif(more, inside, &[], after, &[]);

        self.builder.switch_to_block(inside);
        let next_value = body(self, index, value);
        let next = self.builder.ins().iadd_imm_s(index, 1);
        self.builder.ins().jump(head, &[BlockArg::Value(next), BlockArg::Value(next_value)]);

        self.builder.switch_to_block(after);
        value
    }
}

/// The elements of a vector.
fn lanes(shape: Shape) -> i64 {
    if shape.is_narrow() { 4 } else { 2 }
}

fn vector_type(shape: Shape) -> Type {
    if shape.is_narrow() { I32X4 } else { I64X2 }
}
