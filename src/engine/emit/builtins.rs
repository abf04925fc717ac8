//! Builtins: some are arithmetic on handles, others work on short lists inline, where a call would
//! cost more; all others are called.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value};

use super::Emitter;
use crate::engine::calls;
use crate::ir::{Arithmetic, Builtin, Register};
use crate::runtime::FaultKind;
use crate::runtime::shape::{Scalar, Shape};

/// The longest list that is worked on element by element.
const SHORT: i64 = 16;
/// The longest list that is copied inline.
const COPIED: i64 = 64;

/// Where a search found a cell in a list: below 0 if nowhere.
pub(super) struct Found {
    pub(super) cell: Register,
    pub(super) list: Register,
    index: Value,
    /// The depth of the branches that it is in: it is not known outside.
    pub(super) depth: usize,
}

impl Emitter<'_> {
    pub(super) fn builtin(
        &mut self,
        builtin: Builtin,
        shape: Shape,
        registers: [Register; 3],
        is_checked: bool,
    ) -> Value {
        let operands = self.operands(registers);
        let [first, second, _] = operands;
        let called = |emitter: &mut Self| {
            emitter.call(calls::builtin, calls::builtin_code(builtin, shape), operands, true)
        };
        match builtin {
            Builtin::Take => self.take(first, second, shape, is_checked),
            Builtin::Drop => self.drop(first, second, shape, is_checked),
            Builtin::Contains if shape.is_exact() => {
                let index = self.find(registers, shape);
                self.holds(IntCC::SignedGreaterThanOrEqual, index, 0)
            }
            Builtin::Position if shape.is_exact() => {
                let index = self.find(registers, shape);
                let nowhere = self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, index, 0);
                self.fault_if(nowhere, FaultKind::NotFound);
                index
            }
            Builtin::Same if shape.is_exact() => self.same(first, second, shape, called),
            Builtin::Append => self.append(first, second, shape, called),
            Builtin::Range => self.range(first, second, called),
            Builtin::Chunks => self.chunks(first, second, shape, called),
            Builtin::Concat => self.concat(first, shape, called),
            Builtin::Reverse => self.reverse(first, shape, called),
            Builtin::Sort if shape.is_exact() => self.sort(first, shape, called),
            Builtin::Sum if shape.scalar == Scalar::Int => {
                self.sum(first, shape, is_checked, called)
            }
            Builtin::Max if shape.scalar == Scalar::Int => {
                self.most(IntCC::SignedGreaterThan, first, shape, called)
            }
            Builtin::Min if shape.scalar == Scalar::Int => {
                self.most(IntCC::SignedLessThan, first, shape, called)
            }
            _ => called(self),
        }
    }

    fn holds(&mut self, comparison: IntCC, left: Value, right: i64) -> Value {
        let holds = self.builder.ins().icmp_imm_s(comparison, left, right);
        self.builder.ins().uextend(I64, holds)
    }

    fn take(&mut self, count: Value, list: Value, shape: Shape, is_checked: bool) -> Value {
        self.part(count, list, is_checked);
        let skipped = self.constant(0);
        self.run(list, skipped, count, shape)
    }

    fn drop(&mut self, count: Value, list: Value, shape: Shape, is_checked: bool) -> Value {
        self.part(count, list, is_checked);
        let size = self.size(list);
        let rest = self.builder.ins().isub(size, count);
        self.run(list, count, rest, shape)
    }

    /// The index of a list's first element that is equal to a cell, or less than 0. `x in xs` and
    /// `position(x, xs)` often come together, and search once.
    fn find(&mut self, [cell, list, _]: [Register; 3], shape: Shape) -> Value {
        let known = self.found.iter().find(|found| (found.cell, found.list) == (cell, list));
        if let Some(found) = known {
            return found.index;
        }
        let (needle, within) = (self.get(cell), self.get(list));
        let size = self.size(within);
        let most = Self::compared_at_once(shape);
        let called = |emitter: &mut Self| {
            let nothing = emitter.constant(0);
            emitter.call(calls::find, shape.code(), [needle, within, nothing], false)
        };
        let index = self.if_at_most(most, size, called, |emitter| {
            let zero = emitter.constant(0);
            let start = emitter.place(within, zero, shape);
            let other = emitter.everywhere(needle, shape);
            let equal = emitter.equal_bits(start, shape, |_, _| other);
            let inside = emitter.size_bits(size);
            let hits = emitter.builder.ins().band(equal, inside);
            let first = emitter.builder.ins().ctz(hits);
            let nowhere = emitter.constant(-1);
            emitter.builder.ins().select(hits, first, nowhere)
        });
        self.found.push(Found { cell, list, index, depth: self.depth });
        index
    }

    fn same(
        &mut self,
        left: Value,
        right: Value,
        shape: Shape,
        called: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let (size, other) = (self.size(left), self.size(right));
        self.if_at_most(Self::compared_at_once(shape), size, called, |emitter| {
            let zero = emitter.constant(0);
            let start = emitter.place(left, zero, shape);
            let other_start = emitter.place(right, zero, shape);
            let equal = emitter.equal_bits(start, shape, |emitter, offset| {
                emitter.vector(other_start, offset, shape)
            });
            let inside = emitter.size_bits(size);
            let equal = emitter.builder.ins().band(equal, inside);
            let differ = emitter.builder.ins().bxor(equal, inside);
            let sizes = emitter.builder.ins().bxor(size, other);
            let differ = emitter.builder.ins().bor(differ, sizes);
            emitter.holds(IntCC::Equal, differ, 0)
        })
    }

    /// One list after the other, as a new one.
    fn append(
        &mut self,
        left: Value,
        right: Value,
        shape: Shape,
        called: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let (first, second) = (self.size(left), self.size(right));
        let total = self.builder.ins().iadd(first, second);
        self.if_at_most(COPIED, total, called, |emitter| {
            let both = emitter.new_list(total, shape);
            let zero = emitter.constant(0);
            let to = emitter.place(both, zero, shape);
            emitter.copy(left, to, shape);
            let to = emitter.place(both, first, shape);
            emitter.copy(right, to, shape);
            both
        })
    }

    fn range(&mut self, low: Value, high: Value, called: impl FnOnce(&mut Self) -> Value) -> Value {
        let whole = Shape { scalar: Scalar::Int, depth: 0 };
        let last = self.builder.ins().isub(high, low);
        let is_long = self.builder.ins().icmp_imm_u(IntCC::UnsignedGreaterThanOrEqual, last, SHORT);
        let is_empty = self.builder.ins().icmp(IntCC::SignedGreaterThan, low, high);
        let is_rare = self.builder.ins().bor(is_long, is_empty);
        self.unless(is_rare, called, |emitter| {
            let size = emitter.builder.ins().iadd_imm_s(last, 1);
            let range = emitter.new_list(size, whole);
            emitter.each(0, size, |emitter, index| {
                let number = emitter.builder.ins().iadd(low, index);
                emitter.put(range, index, number, whole);
            });
            range
        })
    }

    /// Slices of at most 2^31 elements.
    fn chunks(
        &mut self,
        count: Value,
        list: Value,
        shape: Shape,
        called: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let before = self.builder.ins().iadd_imm_s(count, -1);
        let is_rare =
            self.builder.ins().icmp_imm_u(IntCC::UnsignedGreaterThanOrEqual, before, 1 << 31);
        self.unless(is_rare, called, |emitter| {
            let size = emitter.size(list);
            let all = emitter.builder.ins().iadd(size, before);
            let total = emitter.builder.ins().udiv(all, count);
            let slices = Shape { depth: shape.depth + 1, ..shape };
            let made = emitter.new_list(total, slices);
            emitter.each(0, total, |emitter, index| {
                let skipped = emitter.builder.ins().imul(index, count);
                let rest = emitter.builder.ins().isub(size, skipped);
                let is_last = emitter.builder.ins().icmp(IntCC::SignedLessThan, rest, count);
                let part = emitter.builder.ins().select(is_last, rest, count);
                let slice = emitter.run(list, skipped, part, shape);
                emitter.put(made, index, slice, slices);
            });
            made
        })
    }

    /// `shape` is that of the inner lists' elements.
    fn concat(&mut self, lists: Value, shape: Shape, called: impl Fn(&mut Self) -> Value) -> Value {
        let slices = Shape { depth: shape.depth + 1, ..shape };
        let count = self.size(lists);
        self.if_at_most(SHORT, count, &called, |emitter| {
            let none = emitter.constant(0);
            let total = emitter.fold(0, count, none, |emitter, index, total| {
                let list = emitter.element(lists, index, slices);
                let size = emitter.size(list);
                emitter.builder.ins().iadd(total, size)
            });
            emitter.if_at_most(COPIED, total, &called, |emitter| {
                let made = emitter.new_list(total, shape);
                let to = emitter.place(made, none, shape);
                emitter.fold(0, count, to, |emitter, index, to| {
                    let list = emitter.element(lists, index, slices);
                    emitter.copy(list, to, shape);
                    let size = emitter.size(list);
                    let bytes = emitter.bytes(size, shape);
                    emitter.builder.ins().iadd(to, bytes)
                });
                made
            })
        })
    }

    fn reverse(
        &mut self,
        list: Value,
        shape: Shape,
        called: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let size = self.size(list);
        self.if_at_most(SHORT, size, called, |emitter| {
            let made = emitter.new_list(size, shape);
            let last = emitter.builder.ins().iadd_imm_s(size, -1);
            emitter.each(0, size, |emitter, index| {
                let element = emitter.element(list, index, shape);
                let mirrored = emitter.builder.ins().isub(last, index);
                emitter.put(made, mirrored, element, shape);
            });
            made
        })
    }

    /// Each element moves down past those that are greater.
    fn sort(
        &mut self,
        list: Value,
        shape: Shape,
        called: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let size = self.size(list);
        self.if_at_most(SHORT, size, called, |emitter| {
            let made = emitter.copied(list, shape);
            emitter.each(1, size, |emitter, index| {
                let element = emitter.element(made, index, shape);
                emitter.move_down(made, index, element, shape);
            });
            made
        })
    }

    /// Puts an element into a list at the index where all before it are at most as great; those
    /// that are greater, from there to the index where it was, move up by one.
    fn move_down(&mut self, list: Value, index: Value, element: Value, shape: Shape) {
        let [head, inside, up, done] = [(); 4].map(|()| self.builder.create_block());
        let at = self.builder.append_block_param(head, I64);
        self.builder.ins().jump(head, &[BlockArg::Value(index)]);

        self.builder.switch_to_block(head);
        self.builder.ins().brif(at, inside, &[], done, &[]);

        self.builder.switch_to_block(inside);
        let below = self.builder.ins().iadd_imm_s(at, -1);
        let other = self.element(list, below, shape);
        let is_greater = self.builder.ins().icmp(IntCC::SignedGreaterThan, other, element);
        self.builder.ins().brif(is_greater, up, &[], done, &[]);

        self.builder.switch_to_block(up);
        self.put(list, at, other, shape);
        self.builder.ins().jump(head, &[BlockArg::Value(below)]);

        self.builder.switch_to_block(done);
        self.put(list, at, element, shape);
    }

    fn sum(
        &mut self,
        list: Value,
        shape: Shape,
        is_checked: bool,
        called: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let size = self.size(list);
        self.if_at_most(SHORT, size, called, |emitter| {
            let zero = emitter.constant(0);
            emitter.fold(0, size, zero, |emitter, index, total| {
                let element = emitter.element(list, index, shape);
                emitter.integer(Arithmetic::Add, total, element, is_checked)
            })
        })
    }

    /// The greatest or the least of a list of integers; the empty list has none.
    fn most(
        &mut self,
        beats: IntCC,
        list: Value,
        shape: Shape,
        called: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let size = self.size(list);
        let last = self.builder.ins().iadd_imm_s(size, -1);
        let is_rare = self.builder.ins().icmp_imm_u(IntCC::UnsignedGreaterThanOrEqual, last, SHORT);
        self.unless(is_rare, called, |emitter| {
            let zero = emitter.constant(0);
            let first = emitter.element(list, zero, shape);
            emitter.fold(1, size, first, |emitter, index, best| {
                let element = emitter.element(list, index, shape);
                let is_better = emitter.builder.ins().icmp(beats, element, best);
                emitter.builder.ins().select(is_better, element, best)
            })
        })
    }
}
