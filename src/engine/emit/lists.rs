//! Work on short lists inline, where a call would cost more; on long ones it is called.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value};

use super::Emitter;
use crate::runtime::shape::Shape;

/// The longest list that is worked on element by element.
const SHORT: i64 = 16;

impl Emitter<'_> {
    /// Whether one of a list's elements is equal to a cell; the elements are no lists.
    pub(super) fn contains(
        &mut self,
        cell: Value,
        list: Value,
        shape: Shape,
        called: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let size = self.size(list);
        self.if_short(size, called, |emitter, done| {
            let (no, yes) = (emitter.constant(0), emitter.constant(1));
            emitter.each(size, |emitter, index| {
                let element = emitter.element(list, index, shape);
                let is_it = emitter.builder.ins().icmp(IntCC::Equal, element, cell);
                let next = emitter.builder.create_block();
                let found = [BlockArg::Value(yes)];
                emitter.builder.ins().brif(is_it, done, &found, next, &[]);
                emitter.builder.switch_to_block(next);
            });
            no
        })
    }

    /// One list after the other, as a new one.
    pub(super) fn append(
        &mut self,
        left: Value,
        right: Value,
        shape: Shape,
        called: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let (first, second) = (self.size(left), self.size(right));
        let total = self.builder.ins().iadd(first, second);
        self.if_short(total, called, |emitter, _| {
            let both = emitter.new_list(total, shape);
            emitter.each(first, |emitter, index| {
                let element = emitter.element(left, index, shape);
                emitter.put(both, index, element, shape);
            });
            emitter.each(second, |emitter, index| {
                let element = emitter.element(right, index, shape);
                let place = emitter.builder.ins().iadd(first, index);
                emitter.put(both, place, element, shape);
            });
            both
        })
    }

    /// The value of `inline` where a size is small, and what is `called` where it is not. `inline`
    /// may jump to the end with a value.
    fn if_short(
        &mut self,
        size: Value,
        called: impl FnOnce(&mut Self) -> Value,
        inline: impl FnOnce(&mut Self, Block) -> Value,
    ) -> Value {
        let (long, short) = (self.builder.create_block(), self.builder.create_block());
        let done = self.builder.create_block();
        self.builder.append_block_param(done, I64);
        let is_long = self.builder.ins().icmp_imm_s(IntCC::SignedGreaterThan, size, SHORT);
        self.builder.ins().brif(is_long, long, &[], short, &[]);

        self.builder.switch_to_block(long);
        let value = called(self);
        self.builder.ins().jump(done, &[BlockArg::Value(value)]);

        self.builder.switch_to_block(short);
        let value = inline(self, done);
        self.builder.ins().jump(done, &[BlockArg::Value(value)]);

        self.builder.switch_to_block(done);
        self.builder.block_params(done)[0]
    }

    /// A loop over the indices below a size.
    fn each(&mut self, size: Value, body: impl FnOnce(&mut Self, Value)) {
        let (head, inside) = (self.builder.create_block(), self.builder.create_block());
        let after = self.builder.create_block();
        let index = self.builder.append_block_param(head, I64);
        let first = self.constant(0);
        self.builder.ins().jump(head, &[BlockArg::Value(first)]);

        self.builder.switch_to_block(head);
        let more = self.builder.ins().icmp(IntCC::SignedLessThan, index, size);
        self.builder.ins().brif(more, inside, &[], after, &[]);

        self.builder.switch_to_block(inside);
        body(self, index);
        let next = self.builder.ins().iadd_imm_s(index, 1);
        self.builder.ins().jump(head, &[BlockArg::Value(next)]);

        self.builder.switch_to_block(after);
    }
}
