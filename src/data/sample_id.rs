//! The id of a sample: one text that tells it from all others.

use std::fmt;
use std::str::FromStr;

use super::{Sampler, Split};

/// `retrieval/5db9cf1903384f54/train/0/17`: the template, the digest of what decides its samples,
/// the split, the seed and the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleId {
    /// The template's name.
    pub template: String,
    /// See [`Sampler::digest`].
    pub digest: String,
    /// Training samples, or held-out ones.
    pub split: Split,
    /// The seed.
    pub seed: u64,
    /// The index.
    pub index: u64,
}

impl SampleId {
    /// Of the first sample of a split and seed.
    pub fn first(sampler: &Sampler, split: Split, seed: u64) -> SampleId {
        let template = sampler.program().name.clone();
        SampleId { template, digest: sampler.digest().to_string(), split, seed, index: 0 }
    }

    /// The text up to the index.
    pub fn key(&self) -> String {
        let SampleId { template, digest, split, seed, .. } = self;
        format!("{template}/{digest}/{}/{seed}/", split.name())
    }
}

impl fmt::Display for SampleId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}{}", self.key(), self.index)
    }
}

impl FromStr for SampleId {
    type Err = ();

    fn from_str(text: &str) -> Result<SampleId, ()> {
        let parts: Vec<&str> = text.split('/').collect();
        let [template, digest, split, seed, index] = parts[..] else { return Err(()) };
        let split = split.parse().map_err(|_: String| ())?;
        let number = |text: &str| text.parse().map_err(|_| ());
        Ok(SampleId {
            template: template.to_string(),
            digest: digest.to_string(),
            split,
            seed: number(seed)?,
            index: number(index)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let text = "retrieval/5db9cf1903384f54/eval/18446744073709551615/17";
        let id: SampleId = text.parse().expect("an id");
        assert_eq!((id.seed, id.index, id.split), (u64::MAX, 17, Split::Eval));
        assert_eq!(id.to_string(), text);
        for other in ["", "17", "a/b/train/0", "a/b/other/0/1", "a/b/train/x/1", "a/b/train/0/-1"] {
            assert!(other.parse::<SampleId>().is_err(), "{other}");
        }
    }
}
