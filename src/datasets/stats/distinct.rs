//! How many values differ: exactly as long as their hashes fit into a budget, then by HyperLogLog.
//!
//! HyperLogLog (Flajolet, Fusy, Gandouet and Meunier 2007) with the estimator of Ertl (2017,
//! arXiv:1702.01284, algorithm 6), which needs no table of corrections and is right for few values
//! as for many. It is these few lines because the crates that have it estimate by such tables, or
//! keep formats of other programs.

use std::collections::HashSet;

/// Bits of a hash that choose a register.
const BITS: u32 = 16;
/// How many registers there are.
const REGISTERS: usize = 1 << BITS;
/// Bytes of a hash in a set: 8, a byte of the table, and its free places.
const BYTES_EACH: u64 = 20;

/// Counts different hashes.
#[derive(Clone, Debug)]
pub struct Distinct {
    /// All hashes, as long as there are no more than fit.
    exact: Option<HashSet<u64>>,
    most: usize,
    registers: Vec<u8>,
}

/// How many there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count {
    /// How many.
    pub value: u64,
    /// Whether all of them were kept.
    pub is_exact: bool,
    /// The standard error, as a share of the value.
    pub error: f64,
}

impl Distinct {
    /// In this many bytes of memory, beside the 64 KiB of HyperLogLog.
    pub fn new(memory: u64) -> Distinct {
        let most = usize::try_from(memory / BYTES_EACH).unwrap_or(usize::MAX);
        Distinct { exact: Some(HashSet::new()), most, registers: vec![0; REGISTERS] }
    }

    /// Counts a hash, of which all 64 bits are random.
    pub fn add(&mut self, hash: u64) {
        let register = (hash >> (64 - BITS)) as usize;
        // The position of the first 1 in the other bits.
        let rank = (hash << BITS | 1 << (BITS - 1)).leading_zeros() as u8 + 1;
        self.registers[register] = self.registers[register].max(rank);
        if let Some(all) = &mut self.exact {
            all.insert(hash);
            if all.len() > self.most {
                self.exact = None;
            }
        }
    }

    /// How many there are.
    pub fn count(&self) -> Count {
        match &self.exact {
            Some(all) => Count { value: all.len() as u64, is_exact: true, error: 0.0 },
            None => Count {
                value: self.estimate().round() as u64,
                is_exact: false,
                error: 1.04 / (REGISTERS as f64).sqrt(),
            },
        }
    }

    fn estimate(&self) -> f64 {
        let most = (64 - BITS) as usize;
        let mut with_rank = vec![0_u64; most + 2];
        for &rank in &self.registers {
            with_rank[rank as usize] += 1;
        }
        let registers = REGISTERS as f64;
        let mut sum = registers * tau(1.0 - with_rank[most + 1] as f64 / registers);
        for count in with_rank[1..=most].iter().rev() {
            sum = 0.5 * (sum + *count as f64);
        }
        sum += registers * sigma(with_rank[0] as f64 / registers);
        registers * registers / (2.0 * std::f64::consts::LN_2 * sum)
    }
}

/// Ertl's σ: what registers that no hash has reached say.
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

/// Ertl's τ: what registers that are full say.
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::random;

    #[test]
    fn few_values_are_counted_exactly_and_many_within_four_standard_errors() {
        for values in [0, 1, 1000, 50_000, 300_000, 2_000_000] {
            let mut distinct = Distinct::new(1000 * BYTES_EACH);
            for value in 0..values {
                // Twice: the same value is one.
                distinct.add(random::mix(value));
                distinct.add(random::mix(value));
            }
            let Count { value, is_exact, error } = distinct.count();
            assert_eq!(is_exact, values <= 1000, "{values}");
            let off = (value as f64 - values as f64).abs();
            assert!(off <= 4.0 * error * values as f64, "{values}: {value}");
        }
    }
}
