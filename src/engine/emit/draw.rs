//! Draws that take few words, inline; the rare second word, and all bulk draws, are called.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8X16, I32, I32X4, I64};
use cranelift_codegen::ir::{
    BlockArg, ConstantData, Endianness, InstBuilder, MemFlagsData, Type, Value,
};
use cranelift_frontend::Variable;

use super::values::LOW_HALF;
use super::{Emitter, INSIDE};
use crate::engine::calls;
use crate::ir::{Register, Sampler, StreamId};
use crate::runtime::random::{GOLDEN, MIX};
use crate::runtime::samplers::BULK;
use crate::runtime::shape::Shape;
use crate::runtime::{FaultKind, Memory};

/// The bytes of a stream's state, and of each of its four words.
const STREAM_BYTES: i32 = 32;
const WORD_BYTES: i32 = 8;
/// The most elements of a draw that is inline.
const FEW: i64 = 16;
/// The positions in a vector.
const LANES: i64 = 4;

/// A stream's state in registers.
#[derive(Clone, Copy)]
struct State {
    stream: StreamId,
    words: [Variable; 4],
}

impl Emitter<'_> {
    pub(super) fn draw(
        &mut self,
        sampler: Sampler,
        stream: StreamId,
        shape: Shape,
        registers: [Register; 3],
        is_checked: bool,
    ) -> Value {
        let operands = self.operands(registers);
        let [first, second, _] = operands;
        let few = self.constant_of(registers[0]).filter(|count| (1..=FEW).contains(count));
        let called = |emitter: &mut Self| emitter.call_sampler(sampler, stream, shape, operands);
        match sampler {
            Sampler::Span => self.span(stream, first, second, shape, is_checked),
            Sampler::Pick => self.pick(stream, first, shape, is_checked),
            Sampler::Uniform => self.uniform(stream, first, second, is_checked),
            Sampler::Coin => match self.coin_threshold(registers[0]) {
                Some(threshold) => self.coin(stream, threshold),
                None => called(self),
            },
            Sampler::Shuffle => self.shuffle(stream, first, shape, called),
            Sampler::Draw => match few {
                Some(count) => self.draw_few(stream, (count, first), second, shape, called),
                None => called(self),
            },
            Sampler::Distinct => match few {
                Some(count) => self.distinct_few(stream, (count, first), second, shape, called),
                None => called(self),
            },
            _ => called(self),
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

    /// Sets a stream to the start that belongs to the sample's index, like
    /// [`start`](crate::runtime::random::start).
    pub(super) fn seed(&mut self, stream: StreamId) {
        let index = self.load_memory(std::mem::offset_of!(Memory, index));
        let golden = self.constant(GOLDEN as i64);
        let step = self.builder.ins().imul(index, golden);
        let offset = |j: i32| STREAM_BYTES * stream as i32 + WORD_BYTES * j;
        let words = [0, 1, 2, 3].map(|j| {
            let key = self.builder.ins().load(I64, INSIDE, self.keys, offset(j));
            let word = self.builder.ins().iadd(key, step);
            self.mix(word)
        });
        let [a, b, c, d] = words;
        let any = [b, c, d].into_iter().fold(a, |any, word| self.builder.ins().bor(any, word));
        // The one state that never changes is replaced.
        let a = self.builder.ins().select(any, a, golden);
        for (j, word) in (0..).zip([a, b, c, d]) {
            self.builder.ins().store(INSIDE, word, self.streams, offset(j));
        }
    }

    /// [`mix`](crate::runtime::random::mix).
    fn mix(&mut self, mut word: Value) -> Value {
        for (shift, multiplier) in MIX {
            let shifted = self.builder.ins().ushr_imm_u(word, shift as i64);
            word = self.builder.ins().bxor(word, shifted);
            if multiplier != 1 {
                let multiplier = self.constant(multiplier as i64);
                word = self.builder.ins().imul(word, multiplier);
            }
        }
        word
    }

    /// As many elements as a constant says, each from any position.
    fn draw_few(
        &mut self,
        stream: StreamId,
        (count, register): (i64, Value),
        list: Value,
        shape: Shape,
        called: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let size = self.size(list);
        let is_empty = self.builder.ins().icmp_imm_s(IntCC::Equal, size, 0);
        self.unless(is_empty, called, |emitter| {
            let made = emitter.new_list(register, shape);
            let state = emitter.state(stream);
            let end = emitter.constant(count);
            emitter.each(0, end, |emitter, index| {
                let position = emitter.below(state, size);
                let element = emitter.element(list, position, shape);
                emitter.put(made, index, element, shape);
            });
            emitter.keep_state(state);
            made
        })
    }

    fn shuffle(
        &mut self,
        stream: StreamId,
        list: Value,
        shape: Shape,
        called: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let size = self.size(list);
        self.if_at_most(BULK as i64 - 1, size, called, |emitter| {
            let made = emitter.copied(list, shape);
            // The last element has nothing to change places with.
            let swaps = emitter.builder.ins().iadd_imm_s(size, -1);
            emitter.shuffle_front(stream, made, size, swaps, shape);
            made
        })
    }

    /// Puts a random choice of elements to the front (Fisher and Yates).
    fn shuffle_front(
        &mut self,
        stream: StreamId,
        list: Value,
        size: Value,
        swaps: Value,
        shape: Shape,
    ) {
        let state = self.state(stream);
        self.each(0, swaps, |emitter, at| {
            let range = emitter.builder.ins().isub(size, at);
            let skipped = emitter.below(state, range);
            let other = emitter.builder.ins().iadd(at, skipped);
            let [left, right] = [at, other].map(|index| emitter.element(list, index, shape));
            emitter.put(list, at, right, shape);
            emitter.put(list, other, left, shape);
        });
        self.keep_state(state);
    }

    /// As many elements as a constant says, at different positions.
    fn distinct_few(
        &mut self,
        stream: StreamId,
        (count, register): (i64, Value),
        list: Value,
        shape: Shape,
        called: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let size = self.size(list);
        let too_few = self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, size, count);
        self.unless(too_few, called, |emitter| {
            let made = emitter.new_list(register, shape);
            let is_dense = emitter.builder.ins().icmp_imm_s(IntCC::SignedLessThan, size, 2 * count);
            let dense = |emitter: &mut Self| {
                // Fewer than twice as many: what is too much lies behind the list for now.
                let zero = emitter.constant(0);
                let to = emitter.place(made, zero, shape);
                emitter.copy(list, to, shape);
                let last = emitter.builder.ins().iadd_imm_s(size, -1);
                let all = emitter.builder.ins().icmp_imm_s(IntCC::Equal, size, count);
                let swaps = emitter.builder.ins().select(all, last, register);
                emitter.shuffle_front(stream, made, size, swaps, shape);
                made
            };
            emitter.unless(is_dense, dense, |emitter| {
                emitter.sparse(stream, (count, made), list, shape);
                made
            })
        })
    }

    /// Draws positions, and again where one was drawn before; vectors hold those that were.
    fn sparse(&mut self, stream: StreamId, (count, made): (i64, Value), list: Value, shape: Shape) {
        let (size, state) = (self.size(list), self.state(stream));
        // Beyond the last position of the longest list.
        let nowhere = self.builder.ins().iconst(I32, LOW_HALF);
        let nowhere = self.builder.ins().splat(I32X4, nowhere);
        let nowhere = self.lanes_as(I8X16, nowhere);
        let drawn: Vec<Variable> = (0..(count + LANES - 1) / LANES)
            .map(|_| {
                let vector = self.builder.declare_var(I8X16);
                self.builder.def_var(vector, nowhere);
                vector
            })
            .collect();
        let end = self.constant(count);
        self.each(0, end, |emitter, index| {
            let (again, is_new) = (emitter.builder.create_block(), emitter.builder.create_block());
            emitter.builder.ins().jump(again, &[]);
            emitter.builder.switch_to_block(again);
            let position = emitter.below(state, size);
            let lane = emitter.builder.ins().ireduce(I32, position);
            let lane = emitter.builder.ins().splat(I32X4, lane);
            let equal = drawn.iter().map(|&vector| {
                let vector = emitter.builder.use_var(vector);
                let vector = emitter.lanes_as(I32X4, vector);
                emitter.builder.ins().icmp(IntCC::Equal, vector, lane)
            });
            let equal: Vec<Value> = equal.collect();
            let any = equal.into_iter().reduce(|any, one| emitter.builder.ins().bor(any, one));
            let was_drawn = emitter.builder.ins().vany_true(any.expect("a draw of one at least"));
            emitter.builder.ins().brif(was_drawn, again, &[], is_new, &[]);

            emitter.builder.switch_to_block(is_new);
            let element = emitter.element(list, position, shape);
            emitter.put(made, index, element, shape);
            let mut before = emitter.lanes_as(I8X16, lane);
            for &vector in &drawn {
                let old = emitter.builder.use_var(vector);
                let moved = emitter.moved_in(before, old);
                emitter.builder.def_var(vector, moved);
                before = old;
            }
        });
        self.keep_state(state);
    }

    /// A vector's bits in other lanes.
    fn lanes_as(&mut self, kind: Type, vector: Value) -> Value {
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.builder.ins().bitcast(kind, flags, vector)
    }

    /// A vector moved on by a position, with the last of the one before it at its front.
    fn moved_in(&mut self, before: Value, vector: Value) -> Value {
        let bytes: Vec<u8> = (12..28).collect();
        let bytes = self.builder.func.dfg.immediates.push(ConstantData::from(&bytes[..]));
        self.builder.ins().shuffle(before, vector, bytes)
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
        let skipped = self.one_below(stream, places);
        self.run(list, skipped, count, shape)
    }

    fn pick(&mut self, stream: StreamId, list: Value, shape: Shape, is_checked: bool) -> Value {
        let size = self.size(list);
        if is_checked {
            let empty = self.builder.ins().icmp_imm_s(IntCC::Equal, size, 0);
            self.fault_if(empty, FaultKind::Empty);
        }
        let index = self.one_below(stream, size);
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
        let place = self.one_below(stream, range);
        let drawn = self.builder.ins().iadd(low, place);
        self.builder.ins().jump(done, &[BlockArg::Value(drawn)]);

        self.builder.switch_to_block(done);
        self.builder.block_params(done)[0]
    }

    /// The probability of a coin in steps of 2^-53, if it is one constant and inside 0..1.
    fn coin_threshold(&self, probability: Register) -> Option<u64> {
        let probability = f64::from_bits(self.constant_of(probability)? as u64);
        let is_inside = (0.0..=1.0).contains(&probability);
        is_inside.then_some((probability * (1_u64 << 53) as f64) as u64)
    }

    fn coin(&mut self, stream: StreamId, threshold: u64) -> Value {
        let state = self.state(stream);
        let word = self.word(state);
        self.keep_state(state);
        let steps = self.builder.ins().ushr_imm_u(word, 11);
        let threshold = self.constant(threshold as i64);
        let heads = self.builder.ins().icmp(IntCC::UnsignedLessThan, steps, threshold);
        self.builder.ins().uextend(I64, heads)
    }

    fn one_below(&mut self, stream: StreamId, range: Value) -> Value {
        let state = self.state(stream);
        let number = self.below(state, range);
        self.keep_state(state);
        number
    }

    /// A number below `range`, which is above 0 and below 2^32, like
    /// [`Stream::below`](crate::runtime::random::Stream::below).
    fn below(&mut self, state: State, range: Value) -> Value {
        let word = self.word(state);
        let high = self.builder.ins().ushr_imm_u(word, 32);
        let product = self.builder.ins().imul(high, range);
        let low = self.builder.ins().band_imm_u(product, LOW_HALF);
        let is_rare = self.builder.ins().icmp(IntCC::UnsignedLessThan, low, range);
        let settled = |emitter: &mut Self| {
            emitter.keep_state(state);
            let nothing = emitter.constant(0);
            let operands = [range, product, nothing];
            let settled = emitter.call(calls::settle, state.stream as u64, operands, false);
            emitter.load_state(state);
            settled
        };
        self.unless(is_rare, settled, |emitter| emitter.builder.ins().ushr_imm_u(product, 32))
    }

    /// A stream's state, in registers until [`Emitter::keep_state`].
    fn state(&mut self, stream: StreamId) -> State {
        let words = [(); 4].map(|()| self.builder.declare_var(I64));
        let state = State { stream, words };
        self.load_state(state);
        state
    }

    fn load_state(&mut self, state: State) {
        for (offset, variable) in state.places() {
            let word = self.builder.ins().load(I64, INSIDE, self.streams, offset);
            self.builder.def_var(variable, word);
        }
    }

    fn keep_state(&mut self, state: State) {
        for (offset, variable) in state.places() {
            let word = self.builder.use_var(variable);
            self.builder.ins().store(INSIDE, word, self.streams, offset);
        }
    }

    /// The stream's next word: xoshiro256++, as in
    /// [`Stream::word`](crate::runtime::random::Stream::word).
    fn word(&mut self, state: State) -> Value {
        let [a, b, c, d] = state.words.map(|word| self.builder.use_var(word));
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
        for (variable, word) in state.words.into_iter().zip([a, b, c, d]) {
            self.builder.def_var(variable, word);
        }
        word
    }
}

impl State {
    /// Where each word lies in the streams, and the register that it is in.
    fn places(self) -> impl Iterator<Item = (i32, Variable)> {
        let offset = move |j: i32| STREAM_BYTES * self.stream as i32 + WORD_BYTES * j;
        (0..).map(offset).zip(self.words)
    }
}
