//! Answer-position bias: how far the answer's positions are from equally likely.

use serde::Serialize;

/// Up to this many positions are counted one by one; more of them, or a changing number, in thirds.
const PLACES_MAX: usize = 8;
/// Positions are tested if at least this share of samples has one.
const KNOWN_BAR: f64 = 0.5;
/// The least χ² that is no chance: below 1 in 200 for 8 positions, below 1 in 20,000 for thirds.
const CHI_SQUARED_BAR: f64 = 20.0;
/// The most that the positions may differ from equally likely, as Cohen's w = √(χ²/samples), which
/// does not grow with the samples. Thirds of 43 %, 28.5 % and 28.5 % have 0.2.
pub const EFFECT_BAR: f64 = 0.2;

/// The answer's positions in a shown list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Places {
    /// The list.
    pub list: String,
    /// The samples in which the answer has one position.
    pub samples: u64,
    /// The share of each position, or of each third.
    pub shares: Vec<f64>,
    /// What each would have if all positions were equally likely.
    pub fair: Vec<f64>,
    /// Cohen's w.
    pub effect: f64,
    /// What it may be.
    pub bar: f64,
    /// True if it is above the bar, and not by chance.
    pub biased: bool,
}

impl Places {
    /// Of the positions in samples: which, and of how many. None if too few samples have one.
    pub fn new(list: &str, found: &[(u32, u32)], samples: u64) -> Option<Places> {
        if found.is_empty() || (found.len() as f64) < KNOWN_BAR * samples as f64 {
            return None;
        }
        let count = found[0].1 as usize;
        let alike = count <= PLACES_MAX && found.iter().all(|(_, one)| *one as usize == count);
        let parts = if alike { count } else { 3 };
        let part = |at: u32, of: u32| (2 * at as usize + 1) * parts / (2 * of as usize);
        let each = 1.0 / found.len() as f64;
        let (mut shares, mut fair) = (vec![0.0; parts], vec![0.0; parts]);
        for &(at, of) in found {
            shares[part(at, of)] += each;
            (0..of).for_each(|place| fair[part(place, of)] += each / f64::from(of));
        }
        let squares = shares.iter().zip(&fair).filter(|(_, fair)| **fair > 0.0);
        let effect: f64 = squares.map(|(share, fair)| (share - fair).powi(2) / fair).sum();
        let biased = effect * found.len() as f64 > CHI_SQUARED_BAR && effect.sqrt() > EFFECT_BAR;
        Some(Places {
            list: list.to_string(),
            samples: found.len() as u64,
            shares,
            fair,
            effect: effect.sqrt(),
            bar: EFFECT_BAR,
            biased,
        })
    }

    /// What a part is called.
    pub fn part(&self, at: usize) -> String {
        match (self.shares.len(), at) {
            (3, 0) => "at the start".to_string(),
            (3, 1) => "in the middle".to_string(),
            (3, _) => "at the end".to_string(),
            (count, _) => format!("at position {} of {count}", at + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counts: &[u32]) -> Places {
        let places = counts.iter().zip(0..).flat_map(|(&count, at)| {
            std::iter::repeat_n((at, counts.len() as u32), count as usize)
        });
        let places: Vec<_> = places.collect();
        Places::new("xs", &places, places.len() as u64).expect("all samples have a place")
    }

    #[test]
    fn more_samples_do_not_make_a_small_bias_a_large_one() {
        assert!(!of(&[360, 320, 320]).biased);
        assert!(!of(&[36_000, 32_000, 32_000]).biased);
        assert!(of(&[600, 200, 200]).biased);
        // By chance alone, with so few samples.
        assert!(!of(&[6, 2, 2]).biased);
    }

    #[test]
    fn thirds_of_lists_of_two_have_no_middle() {
        let mut places: Vec<(u32, u32)> = (0..500).map(|at| (at % 2, 2)).collect();
        places.extend((0..900).map(|at| (at % 9, 9)));
        let places = Places::new("xs", &places, 1400).expect("all samples have a place");
        assert_eq!(places.shares.len(), 3);
        assert!(places.effect < 0.01, "{places:?}");
    }
}
