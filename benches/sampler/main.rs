//! `stdlib/document_qa.cook` at 1,024 tokens a sample: both engines beside functions by hand
//! that make the same ids and give the same scores.
//!
//! `cargo bench --no-default-features --features jit --bench sampler`

mod by_hand;

use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use by_hand::{ByHand, LENGTH, TOKENS};
use cookc::Template;
use cookc::data::layout::{Encoded, TokenIds};
use cookc::data::vocab::Vocabulary;
use cookc::data::{Sampler, Split};
use cookc::runtime::{Memory, RunKey};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const SEED: u64 = 42;
const SAMPLES: u64 = 64;
/// Rounds of the interleaved comparison.
const ROUNDS: usize = 2001;

/// The template's samplers on machine code and on the interpreter.
fn samplers(vocab: usize) -> [Sampler; 2] {
    // Words that no other test needs: only their number matters here.
    let words = Vocabulary::new((0..vocab).map(|at| format!("w{at}"))).expect("no word twice");
    let template = Template::builtin("document_qa").expect("it is built in");
    let level = template.set("length", LENGTH).vocabulary(words);
    let native = level.compile().expect("the length fits").inner().clone();
    let interpreter = native.interpreted();
    [native, interpreter]
}

/// Ids as the bench's tokenizer gives them: a word's own number, and the literals' after those.
fn tokenize(vocab: usize) -> impl Fn(&str) -> Vec<u32> + Send + Sync + 'static {
    let literals = ["Document:", "Question:", "Answer:", "\n"];
    move |text: &str| {
        let spaced = text.replace('\n', " \n ");
        let words = spaced.split(' ').filter(|word| !word.is_empty());
        words
            .map(|word| match literals.iter().position(|literal| *literal == word) {
                Some(at) => (vocab + at) as u32,
                // Signs that stand in no sample: what ids are made ready behind them.
                None => word.get(1..).and_then(|at| at.parse().ok()).unwrap_or(u32::MAX),
            })
            .collect()
    }
}

fn sampler(criterion: &mut Criterion) {
    for vocab in [4096, 32_000] {
        let [native, interpreter] = samplers(vocab);
        let ids =
            TokenIds::new(native.program(), native.vocabulary().clone(), Arc::new(tokenize(vocab)));
        let mut memory = native.memory(Split::Train, SEED);
        let literals = ["Document:", "\nQuestion:", "\nAnswer:"].map(tokenize(vocab));
        let run = RunKey::new("document_qa", "", Split::Train.name(), SEED);
        let mut by_hand = ByHand::new(&run, vocab as u32, literals);
        let (mut out, mut text) = (Encoded::default(), [0; TOKENS]);
        let mut tokens = 0;
        for index in 0..1000 {
            make(&native, &ids, &mut memory, &mut out, index..index + 1);
            let size = by_hand.sample(index, &mut text);
            assert_eq!(out.ids, text[..size], "the hand-written function makes the same ids");
            tokens += size;
        }
        println!("document_qa/{vocab}: {:.1} tokens a sample", tokens as f64 / 1000.0);
        let ratio = interleaved(
            |index| _ = black_box(by_hand.sample(index, black_box(&mut text))),
            |index| make(&native, &ids, &mut memory, &mut out, index..index + 1),
        );
        println!("document_qa/{vocab}: machine code at {ratio} of the speed by hand");
        let mut group = criterion.benchmark_group(format!("document_qa/{vocab}"));
        group.throughput(Throughput::Elements(SAMPLES * tokens as u64 / 1000));
        group.bench_function("by_hand", |bencher| {
            bencher.iter(|| {
                for index in 0..SAMPLES {
                    black_box(by_hand.sample(index, black_box(&mut text)));
                }
            });
        });
        for (name, sampler) in [("native", &native), ("interpreter", &interpreter)] {
            group.bench_function(name, |bencher| {
                bencher.iter(|| make(sampler, &ids, &mut memory, &mut out, 0..SAMPLES));
            });
        }
        group.finish();
    }
}

fn make(
    sampler: &Sampler,
    ids: &TokenIds,
    memory: &mut Memory,
    out: &mut Encoded,
    indices: Range<u64>,
) {
    for index in indices {
        sampler.sample(memory, index).expect("document_qa does not error");
        ids.encode(&*memory, out).expect("every word has an id");
        black_box(&out);
    }
}

/// Judgements of values that are read already: the rules alone.
fn judge(criterion: &mut Criterion) {
    let [native, interpreter] = samplers(4096);
    let mut memory = native.memory(Split::Train, SEED);
    native.sample(&mut memory, 0).expect("document_qa does not error");
    let values = |memory: &Memory| [0, 1, 2].map(|slot| memory.narrow(memory.slot(slot)).to_vec());
    let [document, question, answer] = values(&memory);
    let mut scores = Vec::new();
    native.judge(&mut memory, &mut scores);
    assert_eq!(scores, by_hand::judge(&document, &question, &answer));
    let by_hand = || by_hand::judge(black_box(&document), black_box(&question), black_box(&answer));
    let ratio =
        interleaved(|_| _ = black_box(by_hand()), |_| native.judge(&mut memory, &mut scores));
    println!("judge: machine code at {ratio} of the speed by hand");
    let mut group = criterion.benchmark_group("judge");
    group.throughput(Throughput::Elements(1));
    group.bench_function("by_hand", |bencher| bencher.iter(by_hand));
    for (name, sampler) in [("native", &native), ("interpreter", &interpreter)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| sampler.judge(&mut memory, &mut scores));
        });
    }
    group.finish();
}

/// How fast the second is beside the first, over rounds that run one after the other, because a
/// shared machine is twice as fast at one time as at another: median, and the middle four fifths.
fn interleaved(mut first: impl FnMut(u64), mut second: impl FnMut(u64)) -> String {
    let round = |start_index: u64| {
        let indices = start_index..start_index + 16;
        let start = Instant::now();
        indices.clone().for_each(&mut first);
        let middle = Instant::now();
        indices.for_each(&mut second);
        (middle - start).as_secs_f64() / middle.elapsed().as_secs_f64()
    };
    let mut ratios: Vec<f64> = (0..ROUNDS as u64).map(|round| 16 * round).map(round).collect();
    ratios.sort_by(f64::total_cmp);
    let at = |share: usize| ratios[ROUNDS * share / 10];
    format!("{:.2} ({:.2} to {:.2})", at(5), at(1), at(9))
}

criterion_group!(benches, sampler, judge);
criterion_main!(benches);
