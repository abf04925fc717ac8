//! Samples of 1,000 words drawn, and written as ids, text and JSON lines, beside functions by hand
//! that make the same bytes; other templates and replies that are read back, machine code beside
//! the interpreter.
//!
//! `cargo bench --no-default-features --features jit --bench sampler [-- ROUNDS]` prints a line of
//! JSON a row: the median of what each side does a second, and of their ratio round by round with
//! its first and ninth decile. The sides of a round run one after the other, since a shared machine
//! is twice as fast at one time as at another. Words after the number choose rows by their names.

mod by_hand;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use by_hand::{ByHand, LENGTH, Piece, ROOM};
use cookc::Template;
use cookc::data::judge::Judge;
use cookc::data::layout::{Encoded, Escape, Part, TextWriter, TokenIds};
use cookc::data::sink::{Jsonl, Row, Schema};
use cookc::data::{Sampler, Split};
use cookc::runtime::{Memory, RunKey};
use cookc::wide;

const SEED: u64 = 42;
/// Samples of a side's turn.
const TURN: u64 = 32;

/// Samples before the first turn: the ids of a number are made when it is first met.
const WARM_UP: u64 = 20_000;

/// Templates whose samples are small, where a call costs more than the work.
const SMALL: [&str; 4] = ["chain_sum", "stack_machine", "variable_tracking", "entailment"];
/// Templates whose replies have other forms: one word, and a text of several values.
const JUDGED: [&str; 2] = ["retrieval", "nonsense_summary"];

fn main() {
    let rounds = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(400);
    for draw in ["draw", "distinct"] {
        let mut sides = Sides::new(draw);
        sides.are_equal();
        sides.compare_vectors(draw, rounds);
        sides.measure(draw, rounds);
    }
    for name in SMALL.into_iter().chain(["document_qa"]) {
        small(name, rounds);
    }
    for name in JUDGED {
        let native = compiled(name);
        judged(name, [&native, &native.interpreted()], rounds);
    }
}

/// A template, and the same by hand.
struct Sides {
    sampler: Sampler,
    ids: TokenIds,
    text: TextWriter,
    lines: Jsonl,
    by_hand: ByHand,
    pieces: Vec<Piece>,
}

impl Sides {
    fn new(draw: &str) -> Sides {
        let text = format!(
            "words_ ~ {draw}({LENGTH}, vocab)\nfirst = at(0, words_)\n\
             rule begins: first == at(0, words_)\nprompt \"{{words_}}\"\nreply \"{{first}}\"\n"
        );
        let template = Template::parse("words.cook", &text).expect("a template");
        let sampler = template.compile().expect("it compiles").inner().clone();
        let (program, vocabulary) = (sampler.program(), sampler.vocabulary());
        let id = |word: &str| {
            word.bytes().fold(7, |id: u32, byte| id.wrapping_mul(31).wrapping_add(byte.into()))
        };
        let tokenize = move |text: &str| text.split_whitespace().map(id).collect::<Vec<u32>>();
        let words: Vec<&str> = vocabulary.words().collect();
        let table: Vec<u32> = words.iter().map(|word| id(word)).collect();
        let run = RunKey::new("words", "", Split::Train.name(), SEED);
        let by_hand = ByHand::new(&run, &words, [table.clone(), table], draw == "distinct");
        let schema = Schema::one(sampler.clone(), String::new(), Split::Train, SEED);
        Sides {
            ids: TokenIds::new(program, vocabulary.clone(), Arc::new(tokenize)),
            text: TextWriter::new(program, vocabulary.clone(), Escape::None),
            lines: Jsonl::new(&schema),
            pieces: pieces(&sampler, &Jsonl::new(&schema)),
            by_hand,
            sampler,
        }
    }

    /// Both sides make the same bytes.
    fn are_equal(&mut self) {
        let mut memory = self.sampler.memory(Split::Train, SEED);
        let (mut encoded, mut array) = (Encoded::default(), [0; ROOM]);
        for index in 0..1000 {
            self.ids_of(&mut memory, index, &mut encoded);
            let count = self.by_hand.ids(index, &mut array);
            assert_eq!(encoded.ids, array[..count], "ids of {index}");
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            self.text_of(&mut memory, index, &mut ours);
            self.by_hand.text(index, &mut theirs);
            assert_eq!(ours, theirs, "text of {index}");
            (ours, theirs) = (Vec::new(), Vec::new());
            self.line_of(&mut memory, index, &mut ours);
            self.by_hand.json(index, &self.pieces, &mut theirs);
            assert_eq!(ours, theirs, "line of {index}");
        }
    }

    /// The same bytes with narrower vectors, beside the widest of the machine.
    fn compare_vectors(&mut self, draw: &str, rounds: u64) {
        let [mut one, mut two] = [(); 2].map(|()| self.sampler.memory(Split::Train, SEED));
        let [mut ours, mut theirs] = [(); 2].map(|()| (Encoded::default(), Vec::new()));
        for (name, bits) in [("AVX2", 256), ("portable", 128)] {
            wide::at_most(bits);
            self.are_equal();
            let ids = |memory: &mut Memory, index, bits, (out, _): &mut (Encoded, Vec<u8>)| {
                wide::at_most(bits);
                self.ids_of(memory, index, out);
                out.ids.len()
            };
            report(
                &format!("{draw} as ids, {name} beside the widest"),
                "tokens",
                rounds,
                |index| ids(&mut one, index, bits, &mut ours),
                |index| ids(&mut two, index, u32::MAX, &mut theirs),
            );
            let text = |memory: &mut Memory, index, bits, (_, out): &mut (Encoded, Vec<u8>)| {
                wide::at_most(bits);
                out.clear();
                self.text_of(memory, index, out);
                LENGTH
            };
            report(
                &format!("{draw} as text, {name} beside the widest"),
                "tokens",
                rounds,
                |index| text(&mut one, index, bits, &mut ours),
                |index| text(&mut two, index, u32::MAX, &mut theirs),
            );
        }
        wide::at_most(u32::MAX);
    }

    fn measure(mut self, draw: &str, rounds: u64) {
        let mut memory = self.sampler.memory(Split::Train, SEED);
        let (mut encoded, mut array) = (Encoded::default(), [0; ROOM]);
        let [mut ours, mut theirs] = [Vec::new(), Vec::new()];
        let mut by_hand = std::mem::replace(&mut self.by_hand, Sides::new(draw).by_hand);
        let mut sampled = self.sampler.memory(Split::Train, SEED);
        report(
            &format!("{draw}: sampled alone"),
            "tokens",
            rounds,
            |index| {
                self.sampler.sample(&mut sampled, index).expect("a sample");
                LENGTH
            },
            |index| by_hand.ids(index, black_box(&mut array)),
        );
        report(
            &format!("{draw} as ids"),
            "tokens",
            rounds,
            |index| {
                self.ids_of(&mut memory, index, &mut encoded);
                encoded.ids.len()
            },
            |index| by_hand.ids(index, black_box(&mut array)),
        );
        report(
            &format!("{draw} as text"),
            "tokens",
            rounds,
            |index| {
                ours.clear();
                self.text_of(&mut memory, index, &mut ours);
                LENGTH
            },
            |index| {
                theirs.clear();
                by_hand.text(index, &mut theirs);
                LENGTH
            },
        );
        report(
            &format!("{draw} as JSON lines"),
            "bytes",
            rounds,
            |index| {
                ours.clear();
                self.line_of(&mut memory, index, &mut ours);
                ours.len()
            },
            |index| {
                theirs.clear();
                by_hand.json(index, &self.pieces, &mut theirs);
                theirs.len()
            },
        );
    }

    fn ids_of(&self, memory: &mut Memory, index: u64, out: &mut Encoded) {
        self.sampler.sample(memory, index).expect("a sample");
        self.ids.encode(&*memory, out).expect("every word has an id");
    }

    fn text_of(&self, memory: &mut Memory, index: u64, out: &mut Vec<u8>) {
        self.sampler.sample(memory, index).expect("a sample");
        self.text.write(Part::Prompt, memory, out);
        self.text.write(Part::Reply, memory, out);
    }

    fn line_of(&self, memory: &mut Memory, index: u64, out: &mut Vec<u8>) {
        self.sampler.sample(memory, index).expect("a sample");
        self.lines.line(Row { sampler: 0, index, memory }, out);
    }
}

/// What a line of the sampler is made of, found in one of its lines.
fn pieces(sampler: &Sampler, lines: &Jsonl) -> Vec<Piece> {
    let index = 7_654_321;
    let mut memory = sampler.memory(Split::Train, SEED);
    sampler.sample(&mut memory, index).expect("a sample");
    let mut line = Vec::new();
    lines.line(Row { sampler: 0, index, memory: &memory }, &mut line);
    let vocabulary = sampler.vocabulary();
    let writer = TextWriter::new(sampler.program(), vocabulary.clone(), Escape::Json);
    let (words, first) = (writer.text(Part::Prompt, &memory), writer.text(Part::Reply, &memory));
    let line = String::from_utf8(line).expect("UTF-8").replace(&words, "\u{1}W\u{1}");
    let line = line.replace(&index.to_string(), "\u{1}I\u{1}").replace(&first, "\u{1}F\u{1}");
    let piece = |text: &str| match text {
        "W" => Piece::Words,
        "I" => Piece::Index,
        "F" => Piece::First,
        _ => Piece::Bytes(text.as_bytes().to_vec()),
    };
    line.split('\u{1}').map(piece).collect()
}

fn compiled(name: &str) -> Sampler {
    let template = Template::builtin(name).expect("it is built in");
    template.compile().expect("it compiles").inner().clone()
}

/// A template of small samples in both engines: as ids, and its own replies judged.
fn small(name: &str, rounds: u64) {
    let native = compiled(name);
    let interpreter = native.interpreted();
    let (program, vocabulary) = (native.program(), native.vocabulary());
    let ids = TokenIds::new(program, vocabulary.clone(), Arc::new(one_id_a_word));
    let [mut one, mut two] =
        [(); 2].map(|()| (native.memory(Split::Train, SEED), Encoded::default()));
    let make = |sampler: &Sampler, (memory, out): &mut (Memory, Encoded), index| {
        sampler.sample(memory, index).expect("a sample");
        ids.encode(&*memory, out).expect("every word has an id");
        out.ids.len()
    };
    (0..WARM_UP).for_each(|index| _ = make(&native, &mut one, index));
    report(
        &format!("{name} as ids, beside the interpreter"),
        "tokens",
        rounds,
        |index| make(&native, &mut one, index),
        |index| make(&interpreter, &mut two, index),
    );
    let alone = |sampler: &Sampler, (memory, _): &mut (Memory, Encoded), index| {
        sampler.sample(memory, index).expect("a sample");
        1
    };
    report(
        &format!("{name} sampled alone, beside the interpreter"),
        "samples",
        rounds,
        |index| alone(&native, &mut one, index),
        |index| alone(&interpreter, &mut two, index),
    );
    judged(name, [&native, &interpreter], rounds);
}

/// Replies to a turn of samples, each in a memory of its own, read and judged by both engines: the
/// samples' own, those of other samples, and texts that are no reply.
fn judged(name: &str, samplers: [&Sampler; 2], rounds: u64) {
    let mut sides = samplers.map(|sampler| {
        let memory = |index| {
            let mut memory = sampler.memory(Split::Train, SEED);
            sampler.sample(&mut memory, index).expect("a sample");
            memory
        };
        ((0..TURN).map(memory).collect::<Vec<_>>(), Judge::new(sampler))
    });
    let (program, vocabulary) = (samplers[0].program(), samplers[0].vocabulary());
    let writer = TextWriter::new(program, vocabulary.clone(), Escape::None);
    let right: Vec<String> =
        sides[0].0.iter().map(|memory| writer.text(Part::Reply, memory)).collect();
    let mut wrong = right.clone();
    wrong.rotate_left(1);
    let garbage = right.iter().zip(0..).map(|(reply, at)| match at % 4 {
        0 => "I think that the answer could be this one.".to_string(),
        1 => format!("The answer is: {reply}"),
        2 => format!("{}, {reply}", &reply[..reply.len() / 2]),
        _ => String::new(),
    });
    for (kind, replies) in [("right", &right), ("wrong", &wrong), ("garbage", &garbage.collect())] {
        let [one, two] = &mut sides;
        let judge = |(memories, judge): &mut (Vec<Memory>, Judge), index| {
            let at = (index % TURN) as usize;
            black_box(judge.judge(&replies[at], &mut memories[at]));
            1
        };
        report(
            &format!("{name}: {kind} replies read and judged, beside the interpreter"),
            "replies",
            rounds,
            |index| judge(one, index),
            |index| judge(two, index),
        );
    }
}

/// A stand-in for a tokenizer that knows every word and symbol.
fn one_id_a_word(text: &str) -> Vec<u32> {
    let (mut ids, mut in_word): (Vec<u32>, bool) = (Vec::new(), false);
    for letter in text.chars() {
        let is_word = letter.is_alphanumeric() || letter == '_';
        let with = |id: u32| id.wrapping_mul(31).wrapping_add(letter.into());
        match ids.last_mut() {
            _ if letter.is_whitespace() => {}
            Some(id) if is_word && in_word => *id = with(*id),
            _ => ids.push(with(7)),
        }
        in_word = is_word;
    }
    ids
}

/// Measures two sides in turn, and prints a line of JSON.
fn report(
    name: &str,
    unit: &str,
    rounds: u64,
    mut ours: impl FnMut(u64) -> usize,
    mut theirs: impl FnMut(u64) -> usize,
) {
    if std::env::args()
        .skip(1)
        .any(|word| word.parse::<u64>().is_err() && word != "--bench" && !name.contains(&word))
    {
        return;
    }
    let turn = |side: &mut dyn FnMut(u64) -> usize, round: u64| {
        let start = Instant::now();
        let units: usize = (round * TURN..(round + 1) * TURN).map(side).sum();
        units as f64 / start.elapsed().as_secs_f64()
    };
    let mut speeds = Vec::new();
    for round in 0..rounds + 1 {
        let both = match round % 2 {
            0 => {
                let ours = turn(&mut ours, round);
                (ours, turn(&mut theirs, round))
            }
            _ => {
                let theirs = turn(&mut theirs, round);
                (turn(&mut ours, round), theirs)
            }
        };
        // The first warms up.
        speeds.extend((round > 0).then_some(both));
    }
    let sorted = |of: fn(&(f64, f64)) -> f64| {
        let mut all: Vec<f64> = speeds.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        [all[all.len() / 10], all[all.len() / 2], all[all.len() * 9 / 10]]
    };
    let (ours, theirs, ratio) =
        (sorted(|both| both.0), sorted(|both| both.1), sorted(|both| both.0 / both.1));
    println!(
        "{{\"row\":\"{name}\",\"unit\":\"{unit} a second\",\"ours\":{:.4e},\"beside\":{:.4e},\
         \"ratio\":[{:.3},{:.3},{:.3}],\"rounds\":{rounds}}}",
        ours[1], theirs[1], ratio[0], ratio[1], ratio[2]
    );
}
