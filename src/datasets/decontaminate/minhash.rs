//! Near-duplicates: MinHash signatures find candidates, the exact similarity decides.
//!
//! The similarity is Jaccard's of the sets of shingles, each [`SHINGLE`] consecutive words (Broder
//! 1997, "On the resemblance and containment of documents"). A signature has [`HASHES`] minima.
//! Two texts are candidates if any band of their signatures is equal; bands have as many minima as
//! leave a pair at the threshold out less than once in a million. Candidates are compared exactly.

use std::collections::HashMap;

use super::words::Words;
use crate::runtime::random;

/// The words of a shingle.
pub const SHINGLE: usize = 5;
/// The minima of a signature.
pub const HASHES: usize = 128;
/// How often a pair at the threshold may share no band.
const MISSED: f64 = 1e-6;
/// Standard deviations by which a signature may say less than the exact similarity.
const DEVIATIONS: f64 = 5.0;

/// The shingles of a text, in order, once each.
#[derive(Clone, Debug, Default)]
pub struct Shingles(Vec<u64>);

/// Texts by the bands of their signatures.
pub struct Index {
    threshold: f64,
    /// The minima of a band.
    width: usize,
    bands: HashMap<u64, Vec<u32>>,
    /// Of each text.
    texts: Vec<(u32, Vec<u32>, Shingles)>,
}

impl Shingles {
    pub fn of(words: &Words) -> Shingles {
        let mut all = words.grams(SHINGLE);
        all.sort_unstable();
        all.dedup();
        Shingles(all)
    }

    /// The share of those that both have, of those that either has.
    pub fn jaccard(&self, other: &Shingles) -> f64 {
        let (mut one, mut two) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut both = 0_usize;
        while let (Some(a), Some(b)) = (one.peek(), two.peek()) {
            match a.cmp(b) {
                std::cmp::Ordering::Less => _ = one.next(),
                std::cmp::Ordering::Greater => _ = two.next(),
                std::cmp::Ordering::Equal => {
                    both += 1;
                    (_, _) = (one.next(), two.next());
                }
            }
        }
        let either = self.0.len() + other.0.len() - both;
        if either == 0 { 0.0 } else { both as f64 / either as f64 }
    }

    /// The least of each hash function, `(a x + b) / 2^32` with an odd `a` (Dietzfelbinger et al.
    /// 1997), over all shingles.
    fn signature(&self) -> Vec<u32> {
        let mut minima = vec![u32::MAX; HASHES];
        for shingle in &self.0 {
            for (minimum, (a, b)) in minima.iter_mut().zip(&FUNCTIONS) {
                let hash = (a.wrapping_mul(*shingle).wrapping_add(*b) >> 32) as u32;
                *minimum = hash.min(*minimum);
            }
        }
        minima
    }
}

/// The hash functions.
static FUNCTIONS: [(u64, u64); HASHES] = {
    let mut all = [(0, 0); HASHES];
    let mut at = 0;
    while at < HASHES {
        let seed = 2 * at as u64 + 1;
        all[at] = (random::mix(seed) | 1, random::mix(seed + 1));
        at += 1;
    }
    all
};

impl Index {
    /// For pairs whose similarity is the threshold or more.
    pub fn new(threshold: f64) -> Index {
        let missed =
            |width: &usize| (1.0 - threshold.powi(*width as i32)).powi((HASHES / width) as i32);
        let widths = [16, 8, 4, 2];
        let width = widths.into_iter().find(|width| missed(width) <= MISSED).unwrap_or(1);
        Index { threshold, width, bands: HashMap::new(), texts: Vec::new() }
    }

    /// Adds a text under a number.
    pub fn add(&mut self, number: u32, shingles: Shingles) {
        if shingles.0.is_empty() {
            return;
        }
        let signature = shingles.signature();
        let place = self.texts.len() as u32;
        for band in bands(&signature, self.width) {
            self.bands.entry(band).or_default().push(place);
        }
        self.texts.push((number, signature, shingles));
    }

    /// The text that is most similar, if it is similar enough; the first one of several.
    pub fn nearest(&self, shingles: &Shingles) -> Option<(u32, f64)> {
        if shingles.0.is_empty() {
            return None;
        }
        let signature = shingles.signature();
        let candidates = bands(&signature, self.width).filter_map(|band| self.bands.get(&band));
        let mut candidates: Vec<u32> = candidates.flatten().copied().collect();
        candidates.sort_unstable();
        candidates.dedup();
        let deviation = (self.threshold * (1.0 - self.threshold) / HASHES as f64).sqrt();
        let least = HASHES as f64 * (self.threshold - DEVIATIONS * deviation);
        let mut nearest: Option<(u32, f64)> = None;
        for place in candidates {
            let (number, other, others) = &self.texts[place as usize];
            let equal = signature.iter().zip(other).filter(|(a, b)| a == b).count();
            if (equal as f64) < least {
                continue;
            }
            let jaccard = shingles.jaccard(others);
            let is_nearer = nearest.is_none_or(|(_, before)| jaccard > before);
            if jaccard >= self.threshold && is_nearer {
                nearest = Some((*number, jaccard));
            }
        }
        nearest
    }
}

/// The hash of each band, which no other band has.
fn bands(signature: &[u32], width: usize) -> impl Iterator<Item = u64> {
    let add = |hash: u64, minimum: &u32| random::mix(hash.rotate_left(7) ^ u64::from(*minimum));
    (1..).zip(signature.chunks(width)).map(move |(band, minima)| minima.iter().fold(band, add))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seed: u64, from: u64, to: u64) -> String {
        (from..to).map(|at| format!("w{} ", random::mix(seed << 32 | at) % 10_000)).collect()
    }

    fn shingles(text: &str) -> Shingles {
        Shingles::of(&Words::new(text))
    }

    #[test]
    fn every_text_that_is_similar_enough_is_found_and_no_other() {
        let mut index = Index::new(0.8);
        (0..300).for_each(|seed| index.add(seed as u32, shingles(&text(seed, 0, 200))));
        let mut near = 0;
        for seed in 0..300 {
            for changed in [0, 5, 20, 40, 150] {
                let other = text(seed, 0, 200 - changed) + &text(seed + 1000, 0, changed);
                let jaccard = shingles(&other).jaccard(&shingles(&text(seed, 0, 200)));
                let wanted = (jaccard >= 0.8).then_some((seed as u32, jaccard));
                assert_eq!(index.nearest(&shingles(&other)), wanted);
                near += usize::from(wanted.is_some());
            }
        }
        assert_eq!(near, 900);
    }

    #[test]
    fn bands_are_as_wide_as_the_threshold_allows() {
        let widths = [1.0, 0.95, 0.8, 0.5, 0.2].map(|threshold| Index::new(threshold).width);
        assert_eq!(widths, [16, 8, 4, 2, 1]);
    }
}
