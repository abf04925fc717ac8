//! Document question answering written by hand, for this one task: the same bytes, the same scores.

use cookc::runtime::lanes::Lanes;
use cookc::runtime::random::{self, RunKey};

/// Words of the document.
pub const LENGTH: usize = 998;
/// Words of the question.
pub const QUOTE: usize = 4;
/// Words around it in the answer.
pub const MARGIN: usize = 5;
/// More ids than a sample has.
pub const TOKENS: usize = 1024;

/// The sampler: it draws into the text, and knows where the question stands.
pub struct ByHand {
    keys: [[u64; 4]; 2],
    vocab: u32,
    literals: [Vec<u32>; 3],
    marks: Vec<u8>,
}

impl ByHand {
    /// Of a run, and of what stands before the document, the question and the answer.
    pub fn new(run: &RunKey, vocab: u32, literals: [Vec<u32>; 3]) -> ByHand {
        let keys = ["document", "question"].map(|name| run.stream(name));
        ByHand { keys, vocab, literals, marks: vec![0; vocab as usize] }
    }

    /// Writes a sample, and gives how many ids it has.
    pub fn sample(&mut self, index: u64, out: &mut [u32; TOKENS]) -> usize {
        let document = self.literals[0].len();
        out[..document].copy_from_slice(&self.literals[0]);
        self.draw_document(index, &mut out[document..][..LENGTH]);
        let mut at = document + LENGTH;
        let mut put = |out: &mut [u32; TOKENS], start: usize, size: usize, literal: &[u32]| {
            out[at..at + literal.len()].copy_from_slice(literal);
            at += literal.len();
            out.copy_within(document + start..document + start + size, at);
            at += size;
        };
        let question =
            random::start(&self.keys[1], index).below((LENGTH - QUOTE + 1) as u32) as usize;
        put(out, question, QUOTE, &self.literals[1]);
        let start = question.saturating_sub(MARGIN);
        let end = (question + QUOTE + MARGIN).min(LENGTH);
        put(out, start, end - start, &self.literals[2]);
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

/// The three rules of `stdlib/document_qa.cook`.
pub fn judge(document: &[u32], question: &[u32], answer: &[u32]) -> [f64; 3] {
    let within =
        |xs: &[u32], ys: &[u32]| xs.is_empty() || ys.windows(xs.len()).any(|window| window == xs);
    let measured = (QUOTE + MARGIN..=QUOTE + 2 * MARGIN).contains(&answer.len());
    [within(answer, document), within(question, answer), measured]
        .map(|holds| f64::from(u8::from(holds)))
}
