//! The random streams: stream version 2, the same bytes on every machine for ever.
//!
//! A run has a key, and a draw's stream a key made of that and of the draw's name. From it, sample
//! *i* gets its own state without the samples before it; the state goes on as xoshiro256++.
//! So samples can be made in any order, and an edit moves only the draws that it renames.

/// The version of everything that decides which bytes a draw returns. Whoever changes any of it
/// must count this up: data sets name it.
pub const STREAM_VERSION: u32 = 2;

/// Weyl's step of the golden ratio, which tells the states of neighbouring samples apart.
pub(crate) const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of splitmix64: how far a word is shifted right to be added to itself without
/// carries, and what it is multiplied by then.
pub(crate) const MIX: [(u32, u64); 3] =
    [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb), (31, 1)];

/// What a run's randomness depends on, as a 256-bit hash.
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
    pub fn stream(&self, name: &str) -> [u64; 4] {
        let hash = blake3::keyed_hash(&self.0, name.as_bytes());
        let (words, _) = hash.as_bytes().as_chunks::<8>();
        std::array::from_fn(|j| u64::from_le_bytes(words[j]))
    }
}

/// The state with which a stream starts at a sample.
pub fn start(key: &[u64; 4], index: u64) -> Stream {
    let step = index.wrapping_mul(GOLDEN);
    Stream::from_state(key.map(|word| mix(word.wrapping_add(step))))
}

/// The finaliser of splitmix64: each word has one image and one origin.
#[inline(always)]
pub(crate) const fn mix(word: u64) -> u64 {
    let [one, two, three] = MIX;
    let word = (word ^ (word >> one.0)).wrapping_mul(one.1);
    let word = (word ^ (word >> two.0)).wrapping_mul(two.1);
    (word ^ (word >> three.0)).wrapping_mul(three.1)
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

    /// Its state.
    pub fn state(&self) -> [u64; 4] {
        self.state
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

#[cfg(test)]
pub(crate) mod tests {
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::{Rng, SeedableRng};

    use super::*;

    /// The word that [`mix`] makes this of.
    fn unmix(word: u64) -> u64 {
        let word = word ^ (word >> 31) ^ (word >> 62);
        let word = word.wrapping_mul(0x3196_42b2_d24d_8ec3);
        let word = word ^ (word >> 27) ^ (word >> 54);
        let word = word.wrapping_mul(0x96de_1b17_3f11_9089);
        word ^ (word >> 30) ^ (word >> 60)
    }

    /// The key of a stream that starts in this state at the sample with this index.
    pub(crate) fn key_of(state: [u64; 4], index: u64) -> [u64; 4] {
        state.map(|word| unmix(word).wrapping_sub(index.wrapping_mul(GOLDEN)))
    }

    /// A state whose first word is this.
    pub(crate) fn state_before(word: u64) -> [u64; 4] {
        [0, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, word.rotate_right(23)]
    }

    #[test]
    fn a_start_can_be_chosen() {
        let state = state_before(0xdead_beef_0000_0001);
        assert_eq!(start(&key_of(state, 7), 7).state, state);
        assert_eq!(Stream::from_state(state).word(), 0xdead_beef_0000_0001);
    }

    #[test]
    fn streams_give_what_rand_xoshiro_gives() {
        let state = [1, 2, 3, u64::MAX];
        let seed: Vec<u8> = state.iter().flat_map(|word: &u64| word.to_le_bytes()).collect();
        let seed = seed.try_into().expect("four words are 32 bytes");
        let mut theirs = Xoshiro256PlusPlus::from_seed(seed);
        let mut ours = Stream::from_state(state);
        for _ in 0..1000 {
            assert_eq!(ours.word(), theirs.next_u64());
        }
    }

    #[test]
    fn the_state_that_never_changes_is_never_taken() {
        assert_ne!(start(&key_of([0; 4], 3), 3).state, [0; 4]);
    }

    #[test]
    fn a_run_key_hangs_on_each_of_its_parts() {
        let keys = [
            RunKey::new("ab", "c", "train", 42),
            RunKey::new("a", "bc", "train", 42),
            RunKey::new("ab", "", "train", 42),
            RunKey::new("ab", "c", "eval", 42),
            RunKey::new("ab", "c", "train", 43),
        ];
        for (place, key) in keys.iter().enumerate() {
            assert!(!keys[..place].contains(key));
        }
        assert_ne!(keys[0].stream("document"), keys[0].stream("question"));
    }

    #[test]
    fn wide_ranges_are_drawn_again_where_words_would_favour_some_numbers() {
        let range: u64 = (1 << 63) + 1;
        let mut stream = Stream::from_state(state_before(0));
        let mut model = stream;
        model.word();
        let kept = std::iter::repeat_with(|| model.word() as u128 * range as u128)
            .filter(|&product| product as u64 >= range.wrapping_neg() % range)
            .map(|product| (product >> 64) as u64);
        assert!(kept.take(99).eq((0..99).map(|_| stream.below_wide(range))));
    }
}
