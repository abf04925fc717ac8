//! What holds for every template that is shipped, at every level, over many samples.

use std::sync::LazyLock;

use rayon::prelude::*;

use cookc::data::audit::{Settings, audit, findings, is_denied};
use cookc::data::generate::{Order, generate};
use cookc::data::judge::Judge;
use cookc::data::layout::{Escape, Part, TextWriter};
use cookc::data::sink::{Jsonl, Row, Schema};
use cookc::data::{Compile, Observer, Sampler, Split};
use cookc::diagnostic::Diagnostic;
use cookc::ir::SlotId;
use cookc::runtime::Memory;
use cookc::source::Source;
use cookc::syntax::{self, allow};

use crate::support::{shipped, template, vocabulary};

/// Samples a level.
const SAMPLES: u64 = 1_000;

/// Samples that a law looks at: many of the corpus, which has every form of the language, and fewer
/// of each of the many that are built in.
fn samples(name: &str) -> u64 {
    if name.contains("tests/cook") { SAMPLES } else { 150 }
}
const SEED: u64 = 7;

/// Both engines of a template at a level.
pub struct Pair {
    pub native: Sampler,
    pub interpreter: Sampler,
}

pub fn pair(source: &Source, level: &str) -> Pair {
    let template = template(source).unwrap_or_else(|errors| panic!("{errors}"));
    let native = Compile::level(&template, level, vocabulary()).fastest();
    let native = native.unwrap_or_else(|errors| panic!("{}: {errors:?}", source.name));
    Pair { interpreter: native.interpreted(), native }
}

/// A shipped template at a level.
struct Case {
    source: Source,
    level: String,
    pair: Pair,
}

/// Every shipped template at every level, compiled once for all tests.
fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let all = shipped().into_iter().flat_map(|(source, levels)| {
            levels.into_iter().map(move |level| (source.clone(), level))
        });
        let all: Vec<_> = all.collect();
        let compiled = all.into_par_iter().map(|(source, level)| {
            let pair = pair(&source, &level);
            Case { source, level, pair }
        });
        compiled.collect()
    });
    &CASES
}

/// Calls `test` for every shipped template at every level.
pub fn at_every_level(test: impl Fn(&str, &Source, &str, &Pair)) {
    for Case { source, level, pair } in cases() {
        test(&format!("{} {level}", source.name), source, level, pair);
    }
}

pub fn make(sampler: &Sampler, memory: &mut Memory, index: u64) {
    sampler.sample(memory, index).unwrap_or_else(|error| {
        panic!("{} {}: sample {index}: {error}", sampler.program().name, sampler.level())
    });
}

pub fn writer(sampler: &Sampler) -> TextWriter {
    TextWriter::new(sampler.program(), sampler.vocabulary().clone(), Escape::None)
}

#[test]
fn every_rule_holds_on_every_sample_that_its_template_makes() {
    at_every_level(|name, _, _, pair| {
        let judge = Judge::new(&pair.native);
        let mut memory = pair.native.memory(Split::Train, SEED);
        for index in 0..samples(name) {
            make(&pair.native, &mut memory, index);
            let verdict = judge.own(&mut memory);
            assert!(verdict.exact(), "{name}, sample {index}: {:?}", verdict.scores);
        }
    });
}

#[test]
fn machine_code_makes_and_judges_what_the_interpreter_does_bit_for_bit() {
    at_every_level(|name, _, _, pair| {
        let samplers = [&pair.native, &pair.interpreter];
        let rows = samplers.map(|sampler| Jsonl::new(&schema(sampler)));
        let judges = samplers.map(Judge::new);
        let mut memories = samplers.map(|sampler| sampler.memory(Split::Train, SEED));
        let writer = writer(&pair.native);
        let mut other = String::from("no reply yet");
        for index in 0..samples(name) {
            let mut made = [Vec::new(), Vec::new()];
            for at in 0..2 {
                make(samplers[at], &mut memories[at], index);
                let row = Row { sampler: 0, index, memory: &memories[at] };
                rows[at].line(row, &mut made[at]);
            }
            assert_eq!(made[0], made[1], "{name}, sample {index}");
            let own = writer.text(Part::Reply, &memories[0]);
            for reply in [own.as_str(), other.as_str(), "", "1 2 3"] {
                let [a, b] = [0, 1].map(|at| judges[at].judge(reply, &mut memories[at]));
                let bits = |scores: &[f64]| scores.iter().map(|s| s.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&a.scores), bits(&b.scores), "{name}, sample {index}: {reply}");
            }
            other = own;
        }
    });
}

#[test]
fn a_written_reply_is_read_back_to_the_same_values() {
    at_every_level(|name, _, _, pair| {
        let (judge, writer) = (Judge::new(&pair.native), writer(&pair.native));
        let mut memory = pair.native.memory(Split::Train, SEED);
        for index in 0..samples(name) {
            make(&pair.native, &mut memory, index);
            let reply = writer.text(Part::Reply, &memory);
            assert!(judge.reads_back(&reply, &mut memory), "{name}, sample {index}: {reply}");
            assert!(judge.judge(&reply, &mut memory).exact(), "{name}, sample {index}: {reply}");
        }
    });
}

#[test]
fn formatting_keeps_the_program_and_is_done_after_once() {
    for Case { source, level, pair } in cases() {
        let text = syntax::format(source).expect("a shipped template has no error");
        // What is formatted as it stands is the same program.
        if text == *source.text {
            continue;
        }
        let formatted = Source::new(&*source.name, &text);
        assert_eq!(syntax::format(&formatted).as_ref(), Ok(&text), "{}", source.name);
        let after = self::pair(&formatted, level).native;
        let (before, after) = (generated(&pair.native, 0..50), generated(&after, 0..50));
        assert!(before == after, "{} {level} makes other rows", source.name);
    }
}

fn schema(sampler: &Sampler) -> Schema {
    Schema::one(sampler.clone(), String::new(), Split::Train, SEED)
}

fn generated(sampler: &Sampler, indices: std::ops::Range<u64>) -> Vec<u8> {
    let rows = Jsonl::new(&schema(sampler));
    let mut bytes = Vec::new();
    let order = Order { split: Split::Train, seed: SEED, indices, mixing: None, shared: false };
    let lay_out = |row: Row, out: &mut Vec<u8>| rows.line(row, out);
    let put = |more: &mut Vec<u8>, _| {
        bytes.append(more);
        Ok(())
    };
    generate(std::slice::from_ref(sampler), &order, lay_out, put, &Observer::none())
        .unwrap_or_else(|stopped| panic!("{stopped:?}"));
    bytes
}

#[test]
fn a_sample_is_the_same_on_one_thread_and_on_eight_and_alone() {
    let on = |threads: usize, count: u64, sampler: &Sampler| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads can be started").install(|| generated(sampler, 0..count))
    };
    at_every_level(|name, _, _, pair| {
        let count = samples(name);
        let all = on(1, count, &pair.native);
        assert!(all == on(8, count, &pair.native), "{name}: eight threads make other bytes");
        let lines: Vec<&[u8]> = all.split_inclusive(|&byte| byte == b'\n').collect();
        assert_eq!(lines.len() as u64, count, "{name}");
        for index in [0, 1, count / 2, count - 1] {
            let alone = generated(&pair.native, index..index + 1);
            assert!(alone == lines[index as usize], "{name}: sample {index} alone is another");
        }
    });
}

#[test]
fn another_draw_leaves_the_values_of_all_other_names_as_they_were() {
    for Case { source, level, pair } in cases() {
        let more = source.text.replacen("\nprompt ", "\none_more ~ pick(vocab)\n\nprompt ", 1);
        let edited = Source::new(&*source.name, more);
        let (before, after) = (&pair.native, self::pair(&edited, level).native);
        let known = named(&after);
        let slots = named(before).into_iter().map(|(slot, name)| {
            let other = known.iter().find(|(_, other)| *other == name);
            (slot, other.expect("the edit took no name away").0, name)
        });
        let slots: Vec<_> = slots.collect();
        let (texts, edited_texts) = (writer(before), writer(&after));
        let (mut a, mut b) = (before.memory(Split::Train, SEED), after.memory(Split::Train, SEED));
        for index in 0..samples(&source.name) {
            make(before, &mut a, index);
            make(&after, &mut b, index);
            for (slot, other, name) in &slots {
                let (value, edited) = (texts.value(*slot, &a), edited_texts.value(*other, &b));
                assert_eq!(value, edited, "{} {level} {index}: {name}", source.name);
            }
        }
    }
}

fn named(sampler: &Sampler) -> Vec<(SlotId, String)> {
    let slots = sampler.program().slots.iter().enumerate();
    slots
        .filter(|(_, slot)| !slot.name.is_empty())
        .map(|(at, slot)| (at as SlotId, slot.name.clone()))
        .collect()
}

#[test]
fn cheats_fail_and_no_bar_of_the_auditor_is_missed() {
    at_every_level(|name, source, _, pair| {
        // The corpus shows what can be said, and need not teach anything.
        if name.contains("tests/cook") {
            return;
        }
        let settings = Settings { samples: 250, seed: SEED };
        let audit = audit(source, &pair.native, settings, &Observer::none())
            .unwrap_or_else(|stopped| panic!("{name}: {stopped:?}"));
        let found = findings(&audit, pair.native.program());
        let found: Vec<Diagnostic> = allow::kept(source, found);
        let found: Vec<_> = found.into_iter().filter(|one| is_denied(one.code)).collect();
        assert!(found.is_empty(), "{name}: {found:?}");
    });
}

#[test]
fn no_text_and_no_memory_is_larger_than_the_bounds_say() {
    at_every_level(|name, _, _, pair| {
        let bounds = &pair.native.program().bounds;
        let longest =
            pair.native.vocabulary().words().map(str::len).max().expect("there are words");
        let bytes_max = bounds.literal_bytes + bounds.pool_words * longest as u64;
        let writer = writer(&pair.native);
        let mut memory = pair.native.memory(Split::Train, SEED);
        for index in 0..samples(name) {
            make(&pair.native, &mut memory, index);
            let parts = [Part::System, Part::Prompt, Part::Reply];
            let texts = parts.map(|part| writer.text(part, &memory));
            let bytes: usize = texts.iter().map(String::len).sum();
            let words: usize = texts.iter().map(|text| text.split_whitespace().count()).sum();
            assert!(bytes as u64 <= bytes_max, "{name}: {bytes} bytes, bound {bytes_max}");
            assert!(words as u64 <= bounds.words, "{name}: {words} words, {}", bounds.words);
        }
    });
}

#[test]
fn two_seeds_share_no_sample_and_neither_do_training_and_held_out_samples() {
    at_every_level(|name, _, _, pair| {
        if name.contains("hidden_in_a_rule") {
            return;
        }
        let writer = writer(&pair.native);
        let prompts = |split: Split, seed: u64| {
            let mut memory = pair.native.memory(split, seed);
            let prompts = (0..samples(name)).map(|index| {
                make(&pair.native, &mut memory, index);
                writer.text(Part::Prompt, &memory)
            });
            prompts.collect::<std::collections::BTreeSet<String>>()
        };
        let first = prompts(Split::Train, 42);
        // Where a template has few prompts, another seed draws some of them again.
        let both = first.intersection(&prompts(Split::Train, 43)).count();
        let most = if name.contains("tests/cook") { 0 } else { first.len() / 2 };
        assert!(both <= most, "{name}: {both} of seed 42 are of seed 43");
        assert!(first.is_disjoint(&prompts(Split::Eval, 42)), "{name}: train and eval");
    });
}

#[test]
fn no_prompt_is_in_both_splits_however_few_there_are_whatever_seed_and_level() {
    let text = "level other: most = 12\nparam most in 2..12 = 9\n\
                a ~ uniform(0..most)\nb ~ uniform(0..most)\nsum_of = a + b\n\
                rule adds: sum_of == a + b\nprompt \"{a} and {b}\"\nreply \"{sum_of}\"\n";
    let source = Source::new("tiny.cook", text);
    let prompts = |level: &str, split: Split, seed: u64| {
        let pair = pair(&source, level);
        let (writer, mut memory) = (writer(&pair.native), pair.native.memory(split, seed));
        let mut again = pair.interpreter.memory(split, seed);
        let prompts = (0..SAMPLES).map(|index| {
            make(&pair.native, &mut memory, index);
            make(&pair.interpreter, &mut again, index);
            let prompt = writer.text(Part::Prompt, &memory);
            assert_eq!(prompt, writer.text(Part::Prompt, &again));
            prompt
        });
        prompts.collect::<std::collections::BTreeSet<String>>()
    };
    let (learned, held_out) = (prompts("", Split::Train, 42), prompts("other", Split::Eval, 43));
    assert!(learned.is_disjoint(&held_out));
    // Of the 100 prompts at the one level and the 169 at the other, each has its split.
    assert!(learned.len() > 70 && held_out.len() > 8, "{} {}", learned.len(), held_out.len());
}

#[test]
fn programs_are_shared_by_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let (source, _) = shipped().swap_remove(0);
    shared(&pair(&source, "").native);
}
