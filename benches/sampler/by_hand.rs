//! Samples of one shape written by hand, with the vectors of AVX-512 where the machine has them:
//! the same bytes as the template, without its checks.
//!
//! A sample is 1,000 words, drawn with or without repeats, and after them its reply, the first
//! word.

use std::io::Write;

use cookc::runtime::random::{self, RunKey, Stream};

/// Words of a sample.
pub const LENGTH: usize = 1000;
/// More ids than a sample has, and room for a whole vector after the last.
pub const ROOM: usize = LENGTH + 64;

/// Ids and texts of the words.
pub struct ByHand {
    key: [u64; 4],
    vocab: u32,
    is_distinct: bool,
    /// The id of each word with a space before it, and of the first, which has none.
    ids: [Vec<u32>; 2],
    slots: Vec<[u8; 16]>,
    lengths: Vec<u32>,
    marks: Vec<u8>,
    symbols: Vec<u32>,
}

impl ByHand {
    /// Of a template's run.
    pub fn new(run: &RunKey, words: &[&str], ids: [Vec<u32>; 2], is_distinct: bool) -> ByHand {
        let slot = |word: &&str| {
            let mut slot = [b' '; 16];
            slot[..word.len()].copy_from_slice(word.as_bytes());
            slot
        };
        ByHand {
            key: run.stream("words_"),
            vocab: words.len() as u32,
            is_distinct,
            ids,
            slots: words.iter().map(slot).collect(),
            lengths: words.iter().map(|word| word.len() as u32).collect(),
            marks: vec![0; words.len()],
            symbols: vec![0; ROOM],
        }
    }

    /// Draws the words of a sample.
    fn draw(&mut self, index: u64) {
        let mut stream = random::start(&self.key, index);
        stream.word();
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
            // SAFETY: the processor has AVX-512 F and DQ; there is room for a vector more.
            unsafe { self.draw_in_vectors(&stream) };
            return;
        }
        let vocab = self.vocab;
        self.keep(&mut Plain::new(&stream, vocab));
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512dq")]
    unsafe fn draw_in_vectors(&mut self, stream: &Stream) {
        let mut vectors = Vectors::new(stream, self.vocab);
        if self.is_distinct {
            let (mut have, marks) = (0, self.marks.as_mut_ptr());
            let symbols = self.symbols.as_mut_ptr();
            let mut sixteen = [0_u32; 16];
            while have < LENGTH {
                vectors.sixteen(sixteen.as_mut_ptr());
                // The last vector may have more than are missing: the rest is not kept.
                for &symbol in &sixteen {
                    // SAFETY: a symbol is below the number of words, and there is room.
                    unsafe {
                        let mark = marks.add(symbol as usize);
                        *symbols.add(have) = symbol;
                        have += (*mark ^ 1) as usize;
                        *mark = 1;
                    }
                }
            }
            self.marks.fill(0);
        } else {
            for sixteen in
                self.symbols[..ROOM / 16 * 16].chunks_exact_mut(16).take(LENGTH.div_ceil(16))
            {
                vectors.sixteen(sixteen.as_mut_ptr());
            }
        }
    }

    fn keep(&mut self, words: &mut Plain) {
        let mut have = 0;
        while have < LENGTH {
            let symbol = words.next();
            self.symbols[have] = symbol;
            have += usize::from(!self.is_distinct || self.marks[symbol as usize] == 0);
            self.marks[symbol as usize] = 1;
        }
        self.marks.fill(0);
    }

    /// Writes a sample as ids, and gives how many there are.
    pub fn ids(&mut self, index: u64, out: &mut [u32; ROOM]) -> usize {
        self.draw(index);
        let [spaced, first] = &self.ids;
        for (id, &symbol) in out.iter_mut().zip(&self.symbols[..LENGTH]) {
            // SAFETY: a symbol is below the number of words.
            *id = unsafe { *spaced.get_unchecked(symbol as usize) };
        }
        out[0] = first[self.symbols[0] as usize];
        out[LENGTH] = spaced[self.symbols[0] as usize];
        LENGTH + 1
    }

    /// Appends a sample's words as text.
    pub fn text(&mut self, index: u64, out: &mut Vec<u8>) {
        self.draw(index);
        self.words(out);
        let first = self.symbols[0] as usize;
        out.extend_from_slice(&self.slots[first][..self.lengths[first] as usize]);
    }

    fn words(&self, out: &mut Vec<u8>) {
        out.reserve(17 * ROOM);
        let mut at = out.len();
        for &symbol in &self.symbols[..LENGTH] {
            // SAFETY: a symbol is below the number of words, and there is room for its slot.
            unsafe {
                let slot = *self.slots.get_unchecked(symbol as usize);
                out.as_mut_ptr().add(at).cast::<[u8; 16]>().write_unaligned(slot);
                at += *self.lengths.get_unchecked(symbol as usize) as usize + 1;
            }
        }
        // SAFETY: all up to here was written; the last space is none of the text.
        unsafe { out.set_len(at - 1) }
    }

    /// Appends a sample as a line of JSON. Words that were written once are copied.
    pub fn json(&mut self, index: u64, pieces: &[Piece], out: &mut Vec<u8>) {
        self.draw(index);
        let first = self.symbols[0] as usize;
        let mut written = 0..0;
        for piece in pieces {
            match piece {
                Piece::Bytes(bytes) => out.extend_from_slice(bytes),
                Piece::Index => write!(out, "{index}").expect("memory takes all"),
                Piece::First => {
                    out.extend_from_slice(&self.slots[first][..self.lengths[first] as usize])
                }
                Piece::Words if written.is_empty() => {
                    let start = out.len();
                    self.words(out);
                    written = start..out.len();
                }
                Piece::Words => out.extend_from_within(written.clone()),
            }
        }
    }
}

/// A piece of a line of JSON.
pub enum Piece {
    /// The same in all lines.
    Bytes(Vec<u8>),
    /// The sample's index.
    Index,
    /// The words.
    Words,
    /// The first of them.
    First,
}

/// Numbers below a power of two from eight lanes, one after the other.
struct Plain {
    lanes: [Stream; 8],
    vocab: u32,
    at: usize,
    word: u64,
}

impl Plain {
    fn new(stream: &Stream, vocab: u32) -> Plain {
        let start = |lane: u64| {
            let step = 0xd134_2543_de82_ef95_u64.wrapping_mul(lane + 1);
            Stream::from_state(stream.state().map(|word| mix(word.wrapping_add(step))))
        };
        Plain { lanes: std::array::from_fn(|lane| start(lane as u64)), vocab, at: 0, word: 0 }
    }

    fn next(&mut self) -> u32 {
        if self.at.is_multiple_of(2) {
            self.word = self.lanes[self.at / 2 % 8].word();
        }
        let half =
            if self.at.is_multiple_of(2) { self.word as u32 } else { (self.word >> 32) as u32 };
        self.at += 1;
        ((u64::from(half) * u64::from(self.vocab)) >> 32) as u32
    }
}

fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// The same in vectors of eight words of 64 bits.
#[cfg(target_arch = "x86_64")]
struct Vectors {
    state: [__m512i; 4],
    vocab: __m512i,
}

#[cfg(target_arch = "x86_64")]
impl Vectors {
    #[target_feature(enable = "avx512f,avx512dq")]
    fn new(stream: &Stream, vocab: u32) -> Vectors {
        let lanes = Plain::new(stream, vocab).lanes;
        let word = |j: usize| {
            let lanes: [i64; 8] = std::array::from_fn(|lane| lanes[lane].state()[j] as i64);
            // SAFETY: it reads eight words, and there are eight.
            unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) }
        };
        let state = [word(0), word(1), word(2), word(3)];
        Vectors { state, vocab: _mm512_set1_epi64(i64::from(vocab)) }
    }

    /// The next sixteen numbers.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn sixteen(&mut self, into: *mut u32) {
        let [a, b, c, d] = self.state;
        let word = _mm512_add_epi64(_mm512_rol_epi64::<23>(_mm512_add_epi64(a, d)), a);
        let (c, d) = (_mm512_xor_si512(c, a), _mm512_xor_si512(d, b));
        self.state = [
            _mm512_xor_si512(a, d),
            _mm512_xor_si512(b, c),
            _mm512_xor_si512(c, _mm512_slli_epi64::<17>(b)),
            _mm512_rol_epi64::<45>(d),
        ];
        let low = _mm512_srli_epi64::<32>(_mm512_mul_epu32(word, self.vocab));
        let high = _mm512_mul_epu32(_mm512_srli_epi64::<32>(word), self.vocab);
        let both = _mm512_mask_blend_epi32(0xaaaa, low, high);
        // SAFETY: the caller has room for sixteen numbers.
        unsafe { _mm512_storeu_si512(into.cast(), both) }
    }
}
