//! Draws that take one word, inline; the rare second word, and all bulk draws, are called.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value};

use super::values::LOW_HALF;
use super::{Emitter, INSIDE};
use crate::engine::calls;
use crate::ir::{Op, Register, Sampler, StreamId};
use crate::runtime::FaultKind;
use crate::runtime::shape::Shape;

/// The bytes of a stream's state, and of each of its four words.
const STREAM_BYTES: i32 = 32;
const WORD_BYTES: i32 = 8;

impl Emitter<'_> {
    pub(super) fn draw(
        &mut self,
        sampler: Sampler,
        stream: StreamId,
        shape: Shape,
        operands: [Register; 3],
        is_checked: bool,
    ) -> Value {
        let probability = operands[0];
        let operands = self.operands(operands);
        let [first, second, _] = operands;
        match sampler {
            Sampler::Span => self.span(stream, first, second, shape, is_checked),
            Sampler::Pick => self.pick(stream, first, shape, is_checked),
            Sampler::Uniform => self.uniform(stream, first, second, is_checked),
            Sampler::Coin => match self.coin_threshold(probability) {
                Some(threshold) => self.coin(stream, threshold),
                None => self.call_sampler(sampler, stream, shape, operands),
            },
            _ => self.call_sampler(sampler, stream, shape, operands),
        }
    }

    fn call_sampler(
        &mut self,
        sampler: Sampler,
        stream: StreamId,
        shape: Shape,
        operands: [Value; 3],
    ) -> Value {
        self.call(calls::sampler, calls::sampler_code(sampler, stream, shape), operands, true)
    }

    fn span(
        &mut self,
        stream: StreamId,
        count: Value,
        list: Value,
        shape: Shape,
        is_checked: bool,
    ) -> Value {
        self.part(count, list, is_checked);
        let size = self.size(list);
        let last = self.builder.ins().isub(size, count);
        let places = self.builder.ins().iadd_imm_s(last, 1);
        let skipped = self.below(stream, places);
        self.run(list, skipped, count, shape)
    }

    fn pick(&mut self, stream: StreamId, list: Value, shape: Shape, is_checked: bool) -> Value {
        let size = self.size(list);
        if is_checked {
            let empty = self.builder.ins().icmp_imm_s(IntCC::Equal, size, 0);
            self.fault_if(empty, FaultKind::Empty);
        }
        let index = self.below(stream, size);
        self.element(list, index, shape)
    }

    /// Ranges of 2^32 numbers and more are the runtime's.
    fn uniform(&mut self, stream: StreamId, low: Value, high: Value, is_checked: bool) -> Value {
        if is_checked {
            let empty = self.builder.ins().icmp(IntCC::SignedGreaterThan, low, high);
            self.fault_if(empty, FaultKind::EmptyRange);
        }
        let width = self.builder.ins().isub(high, low);
        let (cold, done) = (self.builder.create_block(), self.builder.create_block());
        let next = self.builder.create_block();
        self.builder.set_cold_block(cold);
        self.builder.append_block_param(done, I64);
        let most = self.constant(LOW_HALF);
        let is_wide = self.builder.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, width, most);
        self.builder.ins().brif(is_wide, cold, &[], next, &[]);

        self.builder.switch_to_block(cold);
        let nowhere = self.constant(0);
        let whole = Shape::of(&crate::check::types::Type::Int);
        let code = calls::sampler_code(Sampler::Uniform, stream, whole);
        let drawn = self.call(calls::sampler, code, [low, high, nowhere], false);
        self.builder.ins().jump(done, &[BlockArg::Value(drawn)]);

        self.builder.switch_to_block(next);
        let range = self.builder.ins().iadd_imm_s(width, 1);
        let place = self.below(stream, range);
        let drawn = self.builder.ins().iadd(low, place);
        self.builder.ins().jump(done, &[BlockArg::Value(drawn)]);

        self.builder.switch_to_block(done);
        self.builder.block_params(done)[0]
    }

    /// The probability of a coin in steps of 2^-53, if it is one constant and inside 0..1.
    fn coin_threshold(&self, probability: Register) -> Option<u64> {
        let mut writers = self.program.steps.iter().filter(|step| step.into == probability);
        let (Some(only), None) = (writers.next(), writers.next()) else { return None };
        let Op::Constant(bits) = only.op else { return None };
        let probability = f64::from_bits(bits as u64);
        let is_inside = (0.0..=1.0).contains(&probability);
        is_inside.then_some((probability * (1_u64 << 53) as f64) as u64)
    }

    fn coin(&mut self, stream: StreamId, threshold: u64) -> Value {
        let word = self.word(stream);
        let steps = self.builder.ins().ushr_imm_u(word, 11);
        let threshold = self.constant(threshold as i64);
        let heads = self.builder.ins().icmp(IntCC::UnsignedLessThan, steps, threshold);
        self.builder.ins().uextend(I64, heads)
    }

    /// A number below `range`, which is above 0 and below 2^32, like
    /// [`Stream::below`](crate::runtime::random::Stream::below).
    fn below(&mut self, stream: StreamId, range: Value) -> Value {
        let word = self.word(stream);
        let high = self.builder.ins().ushr_imm_u(word, 32);
        let product = self.builder.ins().imul(high, range);
        let low = self.builder.ins().band_imm_u(product, LOW_HALF);
        let (cold, done) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(cold);
        self.builder.append_block_param(done, I64);
        let place = self.builder.ins().ushr_imm_u(product, 32);
        let is_rare = self.builder.ins().icmp(IntCC::UnsignedLessThan, low, range);
        self.builder.ins().brif(is_rare, cold, &[], done, &[BlockArg::Value(place)]);

        self.builder.switch_to_block(cold);
        let nowhere = self.constant(0);
        let settled = self.call(calls::settle, stream as u64, [range, product, nowhere], false);
        self.builder.ins().jump(done, &[BlockArg::Value(settled)]);

        self.builder.switch_to_block(done);
        self.builder.block_params(done)[0]
    }

    /// The stream's next word: xoshiro256++, as in
    /// [`Stream::word`](crate::runtime::random::Stream::word).
    fn word(&mut self, stream: StreamId) -> Value {
        let offset = |j: i32| STREAM_BYTES * stream as i32 + WORD_BYTES * j;
        let [a, b, c, d] =
            [0, 1, 2, 3].map(|j| self.builder.ins().load(I64, INSIDE, self.streams, offset(j)));
        let sum = self.builder.ins().iadd(a, d);
        let turned = self.builder.ins().rotl_imm_u(sum, 23);
        let word = self.builder.ins().iadd(turned, a);
        let shifted = self.builder.ins().ishl_imm_u(b, 17);
        let c = self.builder.ins().bxor(c, a);
        let d = self.builder.ins().bxor(d, b);
        let b = self.builder.ins().bxor(b, c);
        let a = self.builder.ins().bxor(a, d);
        let c = self.builder.ins().bxor(c, shifted);
        let d = self.builder.ins().rotl_imm_u(d, 45);
        for (j, value) in (0..).zip([a, b, c, d]) {
            self.builder.ins().store(INSIDE, value, self.streams, offset(j));
        }
        word
    }
}
