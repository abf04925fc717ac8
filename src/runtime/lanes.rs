//! Eight interleaved streams for bulk draws, with the widest vectors that the processor has.
//!
//! There are eight lanes on every machine, so all of them give the same bytes. Callers run what
//! takes many words below `wide!`, which compiles it for each kind of vectors.

use crate::runtime::random::{Stream, mix};

const LANES: usize = 8;
/// Words of 32 bits that the lanes make at a time: a word of 64 bits each.
const STEP: usize = 2 * LANES;
/// Words that are made before they are used: they stay in the nearest cache.
pub const WORDS: usize = 8 * STEP;
/// Tells the lanes apart; not the step that tells samples apart.
const LANE_STEP: u64 = 0xd134_2543_de82_ef95;

/// A source of words of 32 bits: word *t* is from lane *t*/2 mod 8, the lower half of what that
/// returns next, and then its upper half.
pub struct Lanes {
    /// Word *j* of lane *l*'s state is `state[j][l]`.
    state: [[u64; LANES]; 4],
    /// In the order of their bytes, lower halves first, whatever the machine's order is.
    words: [u64; WORDS / 2],
    /// Which of them, in halves, are made and not taken.
    taken: usize,
    made: usize,
}

impl Lanes {
    /// Lanes that depend on the stream's state, which moves on by one word.
    #[inline(always)]
    pub fn new(stream: &mut Stream) -> Lanes {
        stream.word();
        let state = seed(stream.state);
        Lanes { state, words: [0; WORDS / 2], taken: 0, made: 0 }
    }

    /// Lanes whose fifth word is 0, which every range that is no power of two draws again.
    #[cfg(test)]
    pub(crate) fn with_zero_word() -> Lanes {
        let mut lanes = Lanes::new(&mut Stream::from_state([1, 2, 3, 4]));
        (lanes.state[0][2], lanes.state[3][2]) = (0, 0);
        lanes
    }

    /// The next words: at least one, at most `most`. Which words come next does not depend on how
    /// many are asked for at a time.
    #[inline(always)]
    pub fn take(&mut self, most: usize) -> &[u32] {
        if self.taken == self.made {
            self.refill(most);
        }
        let start = self.taken;
        self.taken = (start + most).min(self.made);
        &bytemuck::cast_slice(&self.words)[start..self.taken]
    }

    /// Makes the next words, for at most this many: each lane goes on as xoshiro256++.
    #[inline(always)]
    fn refill(&mut self, most: usize) {
        let steps = most.div_ceil(STEP).clamp(1, WORDS / STEP);
        (self.taken, self.made) = (0, steps * STEP);
        let [mut a, mut b, mut c, mut d] = self.state;
        for words in &mut self.words.as_chunks_mut::<LANES>().0[..steps] {
            for lane in 0..LANES {
                let word = a[lane].wrapping_add(d[lane]).rotate_left(23).wrapping_add(a[lane]);
                words[lane] = if cfg!(target_endian = "big") { word.rotate_left(32) } else { word };
                let shifted = b[lane] << 17;
                c[lane] ^= a[lane];
                d[lane] ^= b[lane];
                b[lane] ^= c[lane];
                a[lane] ^= d[lane];
                c[lane] ^= shifted;
                d[lane] = d[lane].rotate_left(45);
            }
        }
        self.state = [a, b, c, d];
    }
}

/// Each lane's first state from the stream's; the one that never changes is replaced.
#[inline(always)]
fn seed(words: [u64; 4]) -> [[u64; LANES]; 4] {
    let mut state = [[0; LANES]; 4];
    let mut any = [0; LANES];
    for (into, word) in state.iter_mut().zip(words) {
        for lane in 0..LANES {
            into[lane] = mix(word.wrapping_add(LANE_STEP.wrapping_mul(lane as u64 + 1)));
            any[lane] |= into[lane];
        }
    }
    for (first, any) in state[0].iter_mut().zip(any) {
        *first = if any == 0 { LANE_STEP } else { *first };
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide::wide;

    /// The first words, taken by this many at a time.
    fn words(lanes: &mut Lanes, most: usize) -> Vec<u32> {
        let mut words = Vec::new();
        while words.len() < 1000 {
            words.extend_from_slice(lanes.take(most.min(1000 - words.len())));
        }
        words
    }

    #[test]
    fn lanes_give_the_words_of_eight_single_streams_in_halves() {
        let mut stream = Stream::from_state([1, 2, 3, 4]);
        let lanes = Lanes::new(&mut stream);
        let mut singles: Vec<Stream> = (0..LANES)
            .map(|lane| Stream { state: std::array::from_fn(|j| lanes.state[j][lane]) })
            .collect();
        for (lane, single) in (1..).zip(&singles) {
            let step = LANE_STEP.wrapping_mul(lane);
            assert_eq!(single.state, stream.state.map(|word| mix(word.wrapping_add(step))));
        }
        let meant: Vec<u32> = (0..500)
            .flat_map(|t| {
                let word = singles[t % LANES].word();
                [word as u32, (word >> 32) as u32]
            })
            .collect();
        for most in [1, 3, 16, 100, WORDS, 1000] {
            let new = || Lanes::new(&mut Stream::from_state([1, 2, 3, 4]));
            assert_eq!(words(&mut new(), most), meant, "{most} at a time");
            assert_eq!(wide!(words(&mut new(), most)), meant, "{most} at a time, in wide vectors");
        }
    }

    #[test]
    fn lanes_move_the_stream_on() {
        let mut stream = Stream::from_state([1, 2, 3, 4]);
        let first = words(&mut Lanes::new(&mut stream), 1);
        assert_ne!(first, words(&mut Lanes::new(&mut stream), 1));
    }
}
