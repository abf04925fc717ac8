//! Which bytes a seed produces: the same for ever, apart from every other seed's, sample by sample.

use super::*;
use crate::engine::{Emit, emit_text};
use crate::runtime::random::STREAM_VERSION;
use crate::runtime::random::tests::{key_of, state_before};

/// Draws with every sampler, in small and in bulk.
fn every_sampler() -> Program {
    let mut sketch = Sketch::new();
    let tokens = || Type::Token.list();
    let vocab = sketch.get(Op::Pool(0), tokens());
    let numbers: Value = (-50..50).collect::<Vec<i64>>().into();
    let numbers = sketch.value(&numbers, &Type::Int.list());
    let [few, some, most, one] = [5, 40, 90, 1].map(|count| sketch.int(count));
    let gone = sketch.value(&[1, 2, 3].into(), &tokens());
    let gone_numbers = sketch.value(&[1, 2, 3].into(), &Type::Int.list());
    let half = sketch.value(&0.5.into(), &Type::Real);
    let weights = sketch.value(&[1, 5, 2].into(), &Type::Int.list());
    let far = sketch.int(1 << 40);
    sketch.op(Op::Seed(0));
    for (sampler, operands, kind) in [
        (Sampler::Distinct, [few, vocab, NOWHERE], tokens()),
        (Sampler::Distinct, [some, vocab, NOWHERE], tokens()),
        (Sampler::Distinct, [most, vocab, NOWHERE], tokens()),
        (Sampler::Distinct, [some, numbers, NOWHERE], Type::Int.list()),
        (Sampler::DistinctWithout, [few, gone, vocab], tokens()),
        (Sampler::DistinctWithout, [some, gone, vocab], tokens()),
        (Sampler::DistinctWithout, [most, gone, vocab], tokens()),
        (Sampler::DistinctWithout, [some, gone_numbers, numbers], Type::Int.list()),
        (Sampler::Draw, [few, vocab, NOWHERE], tokens()),
        (Sampler::Draw, [some, numbers, NOWHERE], Type::Int.list()),
        (Sampler::Span, [few, numbers, NOWHERE], Type::Int.list()),
        (Sampler::Pick, [vocab, NOWHERE, NOWHERE], Type::Token),
        (Sampler::Shuffle, [gone, NOWHERE, NOWHERE], tokens()),
        (Sampler::Shuffle, [numbers, NOWHERE, NOWHERE], Type::Int.list()),
        (Sampler::Coin, [half, NOWHERE, NOWHERE], Type::Bool),
        (Sampler::Uniform, [few, most, NOWHERE], Type::Int),
        (Sampler::Uniform, [one, far, NOWHERE], Type::Int),
        (Sampler::Weighted, [gone, weights, NOWHERE], Type::Token),
        (Sampler::Split, [few, vocab, NOWHERE], tokens().list()),
    ] {
        let value = sketch.get(Op::Draw(sampler, 0, operands), kind);
        sketch.store(value);
    }
    sketch.finish()
}

fn seeded(seed: u64) -> Both {
    let mut both = Both::new(every_sampler(), &Pools::new(100, [vec![]]));
    for memory in both.memories() {
        memory.seed(&RunKey::new("golden", "hard", "train", seed));
    }
    both
}

/// Takes in a value: a cell's bytes, or a list's size and its elements.
fn digest(hasher: &mut blake3::Hasher, value: &Value) {
    match value {
        Value::Cell(cell) => _ = hasher.update(&cell.to_le_bytes()),
        Value::List(elements) => {
            hasher.update(&elements.len().to_le_bytes());
            elements.iter().for_each(|element| digest(hasher, element));
        }
    }
}

/// Whoever changes a byte that a draw returns breaks every published data set: these digests say
/// so. Then the stream's version counts up, and new digests come beside the old version's name.
#[test]
fn the_bytes_of_stream_version_2_never_change() {
    assert_eq!(STREAM_VERSION, 2);
    let mut hasher = blake3::Hasher::new();
    let mut both = seeded(42);
    for index in (0..64).chain([u64::MAX]) {
        let (values, _) = both.run(index).expect("nothing faults");
        values.iter().for_each(|value| digest(&mut hasher, value));
    }
    let digest = hasher.finalize().to_string();
    assert_eq!(digest, "0729ad954fbf17e26ef55e468976eab1000d225d05abec874072d54ddeecbe61");
}

#[test]
fn two_seeds_share_no_sample() {
    let (mut left, mut right) = (seeded(42), seeded(43));
    let left: Vec<_> = (0..200).map(|index| left.run(index)).collect();
    for index in 0..200 {
        assert!(!left.contains(&right.run(index)));
    }
}

#[test]
fn a_sample_hangs_on_no_other_sample() {
    let (mut forward, mut alone) = (seeded(42), seeded(42));
    let all: Vec<_> = (0..50).map(|index| forward.run(index)).collect();
    for index in (0..50).rev() {
        assert_eq!(alone.run(index), all[index as usize]);
    }
}

#[test]
fn threads_share_the_code_and_make_the_same_samples() {
    let mut one = seeded(42);
    let alone: Vec<_> = (0..64).map(|index| one.run(index)).collect();
    let engine = native(Arc::new(every_sampler())).expect("this machine has machine code");
    let (memory, engine) = (&one.native.memory, &*engine);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (mut memory, alone) = (memory.clone(), &alone);
            scope.spawn(move || {
                for index in (thread..64).step_by(8) {
                    engine.sample(&mut memory, index as u64).expect("nothing faults");
                    let (values, _) = alone[index].as_ref().expect("nothing faulted");
                    let slots = engine.program().slots.iter().zip(0..);
                    let made =
                        slots.map(|(it, slot)| Value::read(&memory, memory.slot(slot), &it.kind));
                    assert!(made.eq(values.iter().cloned()));
                }
            });
        }
    });
}

#[test]
fn machine_code_can_be_read() {
    for (form, word) in [(Emit::Clif, "call_indirect"), (Emit::Asm, "ret")] {
        let text = emit_text(&every_sampler(), form).expect("this machine has machine code");
        assert!(text.starts_with("; sample\n") && text.contains(word));
    }
}

#[test]
fn an_added_draw_leaves_the_others_as_they_were() {
    let value_of = |with_another: bool| {
        let mut sketch = Sketch::new();
        let vocab = sketch.get(Op::Pool(0), Type::Token.list());
        let count = sketch.int(50);
        sketch.op(Op::Seed(0));
        sketch.op(Op::Seed(1));
        if with_another {
            let draw = Op::Draw(Sampler::Distinct, 1, [count, vocab, NOWHERE]);
            sketch.get(draw, Type::Token.list());
        }
        let draw = Op::Draw(Sampler::Distinct, 0, [count, vocab, NOWHERE]);
        let value = sketch.get(draw, Type::Token.list());
        sketch.store(value);
        only_value(sketch.finish(), 9)
    };
    assert_eq!(value_of(true), value_of(false));
}

/// Draws from lists of three, whose first word is drawn again just if its high half is 0.
#[test]
fn a_redraw_gives_the_same_in_both_engines() {
    let list = || (Type::Token.list(), [4, 5, 6].into());
    let int = |value: i64| (Type::Int, value.into());
    for (sampler, operands, kind) in [
        (Sampler::Pick, vec![list()], Type::Token),
        (Sampler::Span, vec![int(1), list()], Type::Token.list()),
        (Sampler::Uniform, vec![int(4), int(6)], Type::Int),
        (Sampler::Draw, vec![int(1), list()], Type::Token.list()),
    ] {
        let mut sketch = Sketch::new();
        let mut registers = [NOWHERE; 3];
        for (register, (kind, value)) in registers.iter_mut().zip(&operands) {
            *register = sketch.value(value, kind);
        }
        sketch.op(Op::Seed(0));
        let first = sketch.get(Op::Draw(sampler, 0, registers), kind.clone());
        let second = sketch.get(Op::Draw(sampler, 0, registers), kind);
        sketch.store(first);
        sketch.store(second);
        let mut both = Both::new(sketch.finish(), &Pools::new(9, [vec![]]));
        let index = 11;
        let mut after = |state: [u64; 4]| {
            for memory in both.memories() {
                memory.set_key(0, key_of(state, index));
            }
            both.run(index).expect("nothing faults").0
        };
        // The word 0 is skipped, so the state after it produces the same two values.
        let redrawn = after(state_before(u32::MAX as u64));
        let mut stream = crate::runtime::random::Stream::from_state(state_before(u32::MAX as u64));
        stream.word();
        assert_eq!(redrawn, after(stream.state), "{sampler:?}");
    }
}

/// Nearly every second word is drawn again below 2^31 + 1, and every fourth below 2^62 + 1.
#[test]
fn frequent_redraws_give_the_same_in_both_engines() {
    for high in [1 << 31, 1 << 62] {
        let mut sketch = Sketch::new();
        let (low, high) = (sketch.int(0), sketch.int(high));
        sketch.op(Op::Seed(0));
        for _ in 0..20 {
            let value = sketch.get(Op::Draw(Sampler::Uniform, 0, [low, high, NOWHERE]), Type::Int);
            sketch.store(value);
        }
        let mut both = Both::new(sketch.finish(), &Pools::new(9, [vec![]]));
        for index in 0..50 {
            both.run(index).expect("nothing faults");
        }
    }
}
