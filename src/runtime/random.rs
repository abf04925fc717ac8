//! The random streams: stream version 1, the same bytes on every machine for ever.
//!
//! A run has a key, and a draw's stream a key made of that and of the draw's name. From it, sample
//! *i* gets a state of its own without the samples before it; the state goes on as xoshiro256++.
//! So samples can be made in any order, and an edit moves only the draws that it renames.

/// The version of everything that decides which bytes a draw gives. Whoever changes any of it must
/// count this up: data sets name it.
pub const STREAM_VERSION: u32 = 1;

/// Weyl's step of the golden ratio, which tells the states of neighbouring samples apart.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a run's randomness hangs on, as a 256-bit hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunKey([u8; 32]);

impl RunKey {
    /// The key of a template at a level, for a split (`train`, `eval`) and a seed.
    pub fn new(template: &str, level: &str, split: &str, seed: u64) -> RunKey {
        let mut hasher = blake3::Hasher::new_derive_key("cookc run key");
        hasher.update(&STREAM_VERSION.to_le_bytes());
        for part in [template, level, split] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.update(&seed.to_le_bytes());
        RunKey(*hasher.finalize().as_bytes())
    }

    /// The key of the stream with this name.
    pub(crate) fn stream(&self, name: &str) -> [u64; 4] {
        let hash = blake3::keyed_hash(&self.0, name.as_bytes());
        let (words, _) = hash.as_bytes().as_chunks::<8>();
        std::array::from_fn(|j| u64::from_le_bytes(words[j]))
    }
}

/// The state with which a stream starts at a sample.
pub(crate) fn start(key: &[u64; 4], index: u64) -> Stream {
    let step = index.wrapping_mul(GOLDEN);
    Stream::from_state(key.map(|word| mix(word.wrapping_add(step))))
}

/// The finaliser of splitmix64: each word has one image and one origin.
pub(crate) fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// A stream of random words: xoshiro256++ by Blackman and Vigna.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Stream {
    pub(crate) state: [u64; 4],
}

impl Stream {
    /// The stream with this state; the one state that never changes is replaced.
    pub fn from_state(state: [u64; 4]) -> Stream {
        let state = if state == [0; 4] { [GOLDEN, 0, 0, 0] } else { state };
        Stream { state }
    }

    /// The next word.
    #[inline(always)]
    pub fn word(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let word = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        word
    }

    /// A number below `range`, all equally likely: Lemire's multiplication of a word's high half,
    /// drawn again in the rare case that would favour some numbers.
    #[inline(always)]
    pub fn below(&mut self, range: u32) -> u32 {
        debug_assert!(range > 0, "there is no number below zero");
        let product = (self.word() >> 32) * range as u64;
        if (product as u32) < range { self.settle(range, product) } else { (product >> 32) as u32 }
    }

    /// The rare rest of [`Stream::below`], for a product whose lower half is below `range`.
    #[cold]
    #[inline(never)]
    pub(crate) fn settle(&mut self, range: u32, mut product: u64) -> u32 {
        let threshold = range.wrapping_neg() % range;
        while (product as u32) < threshold {
            product = (self.word() >> 32) * range as u64;
        }
        (product >> 32) as u32
    }

    /// A number below `range`, of 64 bits: like [`Stream::below`] where that can hold it.
    pub fn below_wide(&mut self, range: u64) -> u64 {
        if let Ok(range) = u32::try_from(range) {
            return self.below(range) as u64;
        }
        let mut product = self.word() as u128 * range as u128;
        if (product as u64) < range {
            let threshold = range.wrapping_neg() % range;
            while (product as u64) < threshold {
                product = self.word() as u128 * range as u128;
            }
        }
        (product >> 64) as u64
    }
}
