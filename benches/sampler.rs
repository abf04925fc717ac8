//! Document question answering, 1,024 tokens a sample: both engines and a function written by hand.
//!
//! `cargo bench --no-default-features --bench sampler`

use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use cookc::check::types::Type;
use cookc::engine::{self, Engine};
use cookc::ir::{
    Bound, Bounds, Builtin, Layout, NOWHERE, Op, Program, Register, Role, Sampler, Slot, Step,
};
use cookc::runtime::lanes::Lanes;
use cookc::runtime::random::{self, RunKey};
use cookc::runtime::{Memory, Pools};
use cookc::source::Span;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const LENGTH: usize = 1000;
const QUOTE: usize = 4;
const MARGIN: usize = 5;
/// The literals' tokens, before the document, the question and the answer.
const LITERALS: [&[u32]; 3] = [&[0, 1], &[2, 3], &[4, 5]];
const TOKENS: usize = LENGTH + QUOTE + QUOTE + 2 * MARGIN + 6;
const SAMPLES: u64 = 64;

/// ```cook
/// document ~ distinct(1000, vocab)
/// question ~ span(4, document)
/// answer   = around(5, question, document)
/// ```
fn document_qa() -> Program {
    let tokens = || Type::Token.list();
    let registers = vec![tokens(), Type::Int, tokens(), Type::Int, tokens(), Type::Int, tokens()];
    let [vocab, length, document, quote, question, margin, answer]: [Register; 7] =
        [0, 1, 2, 3, 4, 5, 6];
    let steps = [
        (Op::Pool(0), vocab),
        (Op::Constant(LENGTH as i64), length),
        (Op::Seed(0), NOWHERE),
        (Op::Draw(Sampler::Distinct, 0, [length, vocab, NOWHERE]), document),
        (Op::Store(0, document), NOWHERE),
        (Op::Constant(QUOTE as i64), quote),
        (Op::Seed(1), NOWHERE),
        (Op::Draw(Sampler::Span, 1, [quote, document, NOWHERE]), question),
        (Op::Store(1, question), NOWHERE),
        (Op::Constant(MARGIN as i64), margin),
        (Op::Call(Builtin::Around, [margin, question, document]), answer),
        (Op::Store(2, answer), NOWHERE),
    ];
    let steps = steps.map(|(op, into)| Step { op, into, span: Span::default(), proved: true });
    let slots = ["document", "question", "answer"].map(|name| Slot {
        name: name.into(),
        kind: tokens(),
        role: Role::Child,
        shown: true,
        drawn: name != "answer",
        bound: Bound::Any,
    });
    Program {
        name: "document_qa".into(),
        level: String::new(),
        registers,
        sample: 0..steps.len() as u32,
        steps: steps.into(),
        rules: Vec::new(),
        slots: slots.into(),
        streams: vec!["document".into(), "question".into()],
        texts: Vec::new(),
        pools: vec!["vocab".into()],
        layout: Layout::default(),
        bounds: Bounds { cells: LENGTH as u64, ..Bounds::default() },
    }
}

/// The ids of a sample: literals and values in turn.
fn render(memory: &Memory, out: &mut Vec<u32>) {
    out.clear();
    for (slot, literal) in (0..).zip(LITERALS) {
        out.extend_from_slice(literal);
        out.extend_from_slice(memory.narrow(memory.slot(slot)));
    }
}

/// The same bytes by a function for this one task: it draws into the text, and knows where the
/// question stands.
struct ByHand {
    keys: [[u64; 4]; 2],
    vocab: u32,
    marks: Vec<u8>,
}

impl ByHand {
    fn sample(&mut self, index: u64, out: &mut [u32; TOKENS]) -> usize {
        out[..2].copy_from_slice(LITERALS[0]);
        let document = 2;
        self.draw_document(index, &mut out[document..][..LENGTH]);
        let mut at = document + LENGTH;
        let mut put = |out: &mut [u32; TOKENS], start: usize, size: usize, literal: &[u32]| {
            out[at..at + 2].copy_from_slice(literal);
            out.copy_within(document + start..document + start + size, at + 2);
            at += 2 + size;
        };
        let question =
            random::start(&self.keys[1], index).below((LENGTH - QUOTE + 1) as u32) as usize;
        put(out, question, QUOTE, LITERALS[1]);
        let start = question.saturating_sub(MARGIN);
        let end = (question + QUOTE + MARGIN).min(LENGTH);
        put(out, start, end - start, LITERALS[2]);
        at
    }

    fn draw_document(&mut self, index: u64, document: &mut [u32]) {
        let mut lanes = Lanes::new(&mut random::start(&self.keys[0], index));
        let threshold = self.vocab.wrapping_neg() % self.vocab;
        let mut have = 0;
        while have < LENGTH {
            for &word in lanes.take(LENGTH - have) {
                let product = word as u64 * self.vocab as u64;
                if (product as u32) < threshold {
                    continue;
                }
                let token = (product >> 32) as u32;
                document[have] = token;
                have += (self.marks[token as usize] ^ 1) as usize;
                self.marks[token as usize] = 1;
            }
        }
        self.marks.fill(0);
    }
}

fn sampler(criterion: &mut Criterion) {
    for vocab in [4096, 32_000] {
        let run = RunKey::new("document_qa", "", "train", 42);
        let program = Arc::new(document_qa());
        let pools = Pools::new(vocab, []);
        let mut memory = Memory::new(&program, &pools);
        memory.seed(&run);
        let keys = ["document", "question"].map(|name| run.stream(name));
        let mut by_hand = ByHand { keys, vocab, marks: vec![0; vocab as usize] };
        let native = engine::native(program.clone()).expect("this machine has machine code");
        let interpreter = engine::interpreter(program);
        let (mut out, mut text) = (Vec::with_capacity(TOKENS), [0; TOKENS]);
        for index in 0..1000 {
            native.sample(&mut memory, index).expect("document_qa does not fault");
            render(&memory, &mut out);
            let size = by_hand.sample(index, &mut text);
            assert_eq!(out, text[..size], "the hand-written function makes the same bytes");
        }
        let ratio = interleaved(
            |index| _ = black_box(by_hand.sample(index, &mut text)),
            |index| run_engine(&*native, &mut memory, &mut out, index..index + 1),
        );
        println!("document_qa/{vocab}: machine code at {ratio:.2} of the speed by hand");
        let mut group = criterion.benchmark_group(format!("document_qa/{vocab}"));
        group.throughput(Throughput::Elements(SAMPLES * TOKENS as u64));
        group.bench_function("by_hand", |bencher| {
            bencher.iter(|| {
                for index in 0..SAMPLES {
                    black_box(by_hand.sample(index, black_box(&mut text)));
                }
            });
        });
        for (name, engine) in [("native", &native), ("interpreter", &interpreter)] {
            group.bench_function(name, |bencher| {
                bencher.iter(|| run_engine(&**engine, &mut memory, &mut out, 0..SAMPLES));
            });
        }
        group.finish();
    }
}

fn run_engine(engine: &dyn Engine, memory: &mut Memory, out: &mut Vec<u32>, indices: Range<u64>) {
    for index in indices {
        engine.sample(memory, index).expect("document_qa does not fault");
        render(memory, out);
        black_box(&out);
    }
}

/// How fast the second is beside the first: the median over rounds that run one after the other,
/// because a shared machine is twice as fast at one time as at another.
fn interleaved(mut first: impl FnMut(u64), mut second: impl FnMut(u64)) -> f64 {
    let round = |start_index: u64| {
        let indices = start_index..start_index + 16;
        let start = Instant::now();
        indices.clone().for_each(&mut first);
        let middle = Instant::now();
        indices.for_each(&mut second);
        (middle - start).as_secs_f64() / middle.elapsed().as_secs_f64()
    };
    let mut ratios: Vec<f64> = (0..2001).map(|round| 16 * round).map(round).collect();
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

criterion_group!(benches, sampler);
criterion_main!(benches);
