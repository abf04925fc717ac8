//! Eight interleaved streams for bulk draws, with the widest vectors that the processor has.
//!
//! There are eight lanes on every machine, so all of them give the same bytes. The bodies below
//! are compiled three times; which of them run is decided while running.

use crate::runtime::random::{Stream, mix};

const LANES: usize = 8;
/// Words made at once: enough to hide the choice of the body, little enough to waste few.
const WORDS: usize = 64;
/// Tells the lanes apart; not the step that tells samples apart.
const LANE_STEP: u64 = 0xd134_2543_de82_ef95;

/// A source of words of 32 bits: word *t* is the high half of what lane *t* mod 8 returns next.
pub struct Lanes {
    /// Word *j* of lane *l*'s state is `state[j][l]`.
    state: [[u64; LANES]; 4],
    words: [u32; WORDS],
    /// The words that were taken.
    taken: usize,
    body: Body,
}

/// A compiled form of [`seed`] and [`refill`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Lanes {
    /// Lanes that depend on the stream's state, which moves on by one word.
    pub fn new(stream: &mut Stream) -> Lanes {
        Lanes::with_body(stream, Body::best())
    }

    fn with_body(stream: &mut Stream, body: Body) -> Lanes {
        stream.word();
        let mut lanes = Lanes { state: [[0; LANES]; 4], words: [0; WORDS], taken: WORDS, body };
        let (state, words) = (&mut lanes.state, stream.state);
        match body {
            Body::Portable => seed(state, words),
            // SAFETY: `Body::best` chose this body because the processor has AVX2.
            #[cfg(target_arch = "x86_64")]
            Body::Avx2 => unsafe { seed_avx2(state, words) },
            // SAFETY: `Body::best` chose this body because the processor has AVX-512 F and DQ.
            #[cfg(target_arch = "x86_64")]
            Body::Avx512 => unsafe { seed_avx512(state, words) },
        }
        lanes
    }

    /// Lanes whose third word is 0, which every range that is no power of two draws again.
    #[cfg(test)]
    pub(crate) fn with_zero_word() -> Lanes {
        let mut lanes = Lanes::new(&mut Stream::from_state([1, 2, 3, 4]));
        (lanes.state[0][2], lanes.state[3][2]) = (0, 0);
        lanes
    }

    /// The next words: at least one, at most `most`.
    #[inline]
    pub fn take(&mut self, most: usize) -> &[u32] {
        if self.taken == WORDS {
            self.refill();
        }
        let start = self.taken;
        self.taken = (start + most).min(WORDS);
        &self.words[start..self.taken]
    }

    /// A number below `range`, all equally likely, like [`Stream::below`].
    #[inline]
    pub fn below(&mut self, range: u32) -> u32 {
        let mut product = self.word() as u64 * range as u64;
        if (product as u32) < range {
            let threshold = range.wrapping_neg() % range;
            while (product as u32) < threshold {
                product = self.word() as u64 * range as u64;
            }
        }
        (product >> 32) as u32
    }

    #[inline]
    fn word(&mut self) -> u32 {
        self.take(1)[0]
    }

    fn refill(&mut self) {
        self.taken = 0;
        match self.body {
            Body::Portable => refill(&mut self.state, &mut self.words),
            // SAFETY: `Body::best` chose this body because the processor has AVX2.
            #[cfg(target_arch = "x86_64")]
            Body::Avx2 => unsafe { refill_avx2(&mut self.state, &mut self.words) },
            // SAFETY: `Body::best` chose this body because the processor has AVX-512 F and DQ.
            #[cfg(target_arch = "x86_64")]
            Body::Avx512 => unsafe { refill_avx512(&mut self.state, &mut self.words) },
        }
    }
}

impl Body {
    fn best() -> Body {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                return Body::Avx512;
            }
            if is_x86_feature_detected!("avx2") {
                return Body::Avx2;
            }
        }
        Body::Portable
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn refill_avx2(state: &mut [[u64; LANES]; 4], words: &mut [u32; WORDS]) {
    refill(state, words);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq")]
fn refill_avx512(state: &mut [[u64; LANES]; 4], words: &mut [u32; WORDS]) {
    refill(state, words);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn seed_avx2(state: &mut [[u64; LANES]; 4], words: [u64; 4]) {
    seed(state, words);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq")]
fn seed_avx512(state: &mut [[u64; LANES]; 4], words: [u64; 4]) {
    seed(state, words);
}

/// Makes each lane's first state from the stream's; the one that never changes is replaced.
#[inline(always)]
fn seed(state: &mut [[u64; LANES]; 4], words: [u64; 4]) {
    let steps: [u64; LANES] = std::array::from_fn(|lane| LANE_STEP.wrapping_mul(lane as u64 + 1));
    let mut any = [0; LANES];
    for (into, word) in state.iter_mut().zip(words) {
        for lane in 0..LANES {
            into[lane] = mix(word.wrapping_add(steps[lane]));
            any[lane] |= into[lane];
        }
    }
    for (first, any) in state[0].iter_mut().zip(any) {
        *first = if any == 0 { LANE_STEP } else { *first };
    }
}

/// Makes the next words: each lane goes on as xoshiro256++.
#[inline(always)]
fn refill(state: &mut [[u64; LANES]; 4], words: &mut [u32; WORDS]) {
    let [mut a, mut b, mut c, mut d] = *state;
    for block in words.as_chunks_mut::<LANES>().0 {
        for lane in 0..LANES {
            let word = a[lane].wrapping_add(d[lane]).rotate_left(23).wrapping_add(a[lane]);
            block[lane] = (word >> 32) as u32;
            let shifted = b[lane] << 17;
            c[lane] ^= a[lane];
            d[lane] ^= b[lane];
            b[lane] ^= c[lane];
            a[lane] ^= d[lane];
            c[lane] ^= shifted;
            d[lane] = d[lane].rotate_left(45);
        }
    }
    *state = [a, b, c, d];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_gives_the_same_words_as_eight_single_streams() {
        let mut bodies = vec![Body::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            bodies.extend(is_x86_feature_detected!("avx2").then_some(Body::Avx2));
            bodies.extend((Body::best() == Body::Avx512).then_some(Body::Avx512));
        }
        for body in bodies {
            let mut stream = Stream::from_state([1, 2, 3, 4]);
            let mut lanes = Lanes::with_body(&mut stream, body);
            let mut singles: Vec<Stream> = (0..LANES)
                .map(|lane| Stream { state: std::array::from_fn(|j| lanes.state[j][lane]) })
                .collect();
            for (lane, single) in (1..).zip(&singles) {
                let step = LANE_STEP.wrapping_mul(lane);
                assert_eq!(single.state, stream.state.map(|word| mix(word.wrapping_add(step))));
            }
            for t in 0..1000 {
                assert_eq!(lanes.word() as u64, singles[t % LANES].word() >> 32, "{body:?}");
            }
        }
    }

    #[test]
    fn a_word_that_would_favour_some_numbers_is_drawn_again() {
        let words = Lanes::with_zero_word().take(WORDS).to_vec();
        assert_eq!(words[2], 0);
        let mut lanes = Lanes::with_zero_word();
        let drawn: Vec<u32> = (0..9).map(|_| lanes.below(100)).collect();
        let kept = words.iter().enumerate().filter(|&(place, _)| place != 2);
        let meant = kept.map(|(_, &word)| ((word as u64 * 100) >> 32) as u32);
        assert_eq!(drawn, meant.take(9).collect::<Vec<_>>());
    }

    #[test]
    fn lanes_move_the_stream_on() {
        let mut stream = Stream::from_state([1, 2, 3, 4]);
        let first = Lanes::new(&mut stream).word();
        assert_ne!(first, Lanes::new(&mut stream).word());
    }
}
