//! What no reply may do, however strange: break a judge, change the sample, divide the engines.

use cookc::data::Split;
use cookc::data::judge::Judge;
use cookc::data::layout::Part;

use crate::laws::{at_every_level, make, writer};

/// Samples a level, and replies made of each.
const SAMPLES: u64 = 20;
const REPLIES: usize = 40;

/// What is put into a reply, or in place of a part of it.
const PIECES: [&str; 22] = [
    "",
    " ",
    "\n",
    "\n\n",
    "\t",
    "a",
    "new word",
    "; ",
    ". ",
    ", ",
    "1. ",
    "A. ",
    "true",
    "-1",
    "0",
    "9223372036854775808",
    "yes no",
    "🦀",
    "\u{0}",
    "\u{feff}",
    "=>",
    "| |",
];

/// A stream of small numbers, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % end.max(1)
    }

    /// The reply with some of its words left out, doubled, moved, or replaced.
    fn strange(&mut self, reply: &str) -> String {
        let mut words: Vec<&str> = reply.split_inclusive([' ', '\n']).collect();
        for _ in 0..=self.below(4) {
            let (at, other) = (self.below(words.len()), self.below(words.len()));
            match self.below(5) {
                0 if at < words.len() => drop(words.remove(at)),
                1 if at < words.len() => words.insert(other, words[at]),
                2 if at < words.len() => words.swap(at, other),
                3 if at < words.len() => words[at] = PIECES[self.below(PIECES.len())],
                _ => words.insert(at, PIECES[self.below(PIECES.len())]),
            }
        }
        let times = if self.below(50) == 0 { 500 } else { 1 };
        words.concat().repeat(times)
    }
}

#[test]
fn no_reply_breaks_a_judge_changes_the_sample_or_divides_the_engines() {
    at_every_level(|name, _, _, pair| {
        let samplers = [&pair.native, &pair.interpreter];
        let judges = samplers.map(Judge::new);
        let mut memories = samplers.map(|sampler| sampler.memory(Split::Train, 3));
        let writer = writer(&pair.native);
        let mut numbers = Numbers(5);
        for index in 0..SAMPLES {
            for at in 0..2 {
                make(samplers[at], &mut memories[at], index);
            }
            let own = writer.text(Part::Reply, &memories[0]);
            for _ in 0..REPLIES {
                let reply = numbers.strange(&own);
                let [a, b] = [0, 1].map(|at| judges[at].judge(&reply, &mut memories[at]));
                assert_eq!(a, b, "{name}, sample {index}: {reply:?}");
                assert!(a.scores.iter().all(|score| (0.0..=1.0).contains(score)), "{a:?}");
            }
            assert_eq!(own, writer.text(Part::Reply, &memories[0]), "{name}, sample {index}");
            assert!(judges[0].own(&mut memories[0]).exact(), "{name}, sample {index}");
        }
    });
}
