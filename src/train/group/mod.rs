//! The processes of one run, as one group: what they meet by, sum together and fail together by.

mod frame;
mod links;
mod meeting;
mod place;
mod reception;
mod secret;
mod sums;
mod tensors;

use std::fmt;
use std::ops::Range;
use std::sync::atomic::AtomicBool;

use anyhow::Result;

use links::Links;
pub use place::{Place, SECRET};
pub use secret::Secret;
pub use sums::Number;
pub(super) use tensors::{Exchange, expect_same};

/// The processes of a run, seen from one of them. A group of one has no connection and costs
/// nothing. In a larger one, each calls the same operations in the same order.
#[derive(Debug)]
pub struct Group {
    place: Place,
    links: Option<Links>,
}

/// What a process does about the loss of another.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// Set when a rank is lost, so that every loop that looks at it ends; and looked at while an
    /// operation waits, so that a process which is to end does.
    pub cancel: &'static AtomicBool,
    /// Ends a process that did not end by itself some 15 s after the loss.
    pub stuck: fn(&Lost),
}

/// A rank that the others cannot go on without.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Lost {
    /// Which one.
    pub rank: usize,
    /// Why: a clause of which the rank is the subject.
    pub why: String,
    /// Whether somebody stopped it, by Ctrl-C or so.
    pub interrupted: bool,
}

/// Why there is no group.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub enum Refusal {
    /// The processes are not of one run: what differs, and where.
    Different(String),
    /// They did not come together.
    Apart(String),
    /// One of them was to end.
    Interrupted,
}

impl Group {
    /// The group of one process.
    pub fn alone() -> Group {
        Group { place: Place::alone(), links: None }
    }

    /// Meets the other processes, and checks that `settings`, lines of `key = value`, are the
    /// same for all. What differs is reported to all.
    ///
    /// # Errors
    /// If another process cannot be reached in time, has other settings, or does not know the
    /// secret.
    pub fn join(place: Place, settings: &str, watch: Watch) -> Result<Group, Refusal> {
        let links = match &place.meeting {
            Some((host, port)) => {
                let met = meeting::meet(&place, (host, *port), settings, watch.cancel)?;
                Some(Links::new(&place, met, watch).map_err(|error| {
                    Refusal::Apart(format!("the connections cannot be used: {error}"))
                })?)
            }
            None => None,
        };
        Ok(Group { place, links })
    }

    /// This process's number, from 0.
    pub fn rank(&self) -> usize {
        self.place.rank
    }

    /// The number of processes.
    pub fn size(&self) -> usize {
        self.place.size
    }

    /// Whether this is the process that writes, and speaks for all.
    pub fn is_first(&self) -> bool {
        self.place.rank == 0
    }

    /// This process's share of a step's samples: one stretch, in the order of the ranks, as long
    /// as the others' or one longer.
    pub fn share(&self, samples: Range<u64>) -> Range<u64> {
        let count = u128::from(samples.end - samples.start);
        let bound =
            |rank: usize| samples.start + (count * rank as u128 / self.place.size as u128) as u64;
        bound(self.place.rank)..bound(self.place.rank + 1)
    }

    /// Sums each number over all ranks. Each sum is made in the order of the ranks, ((0 + 1) + 2)
    /// and so on, and all ranks get the same bits: those that one process gets which adds up the
    /// ranks' parts in turn.
    ///
    /// # Errors
    /// If a process of the group is lost.
    pub fn all_reduce<N: Number>(&self, numbers: &mut [N]) -> Result<()> {
        self.links.as_ref().map_or(Ok(()), |links| sums::all_reduce(links, numbers))
    }

    /// Gives all ranks the bytes that rank 0 has.
    ///
    /// # Errors
    /// If a process of the group is lost.
    pub fn broadcast(&self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        match &self.links {
            Some(links) => sums::broadcast(links, bytes),
            None => Ok(bytes),
        }
    }

    /// Waits, as long as it takes, until all ranks are here.
    ///
    /// # Errors
    /// If a process of the group is lost.
    pub fn barrier(&self) -> Result<()> {
        self.all_reduce(&mut [1_u64])
    }

    /// The rank that is lost, if one is.
    pub fn lost(&self) -> Option<Lost> {
        self.links.as_ref().and_then(Links::lost)
    }

    /// Tells the others why this process ends before its work is done. They end as well.
    pub fn leave(&self, why: &str, interrupted: bool) {
        if let Some(links) = &self.links {
            links.lose(Lost { rank: self.place.rank, why: why.to_string(), interrupted });
        }
    }

    /// Waits until all ranks are done, and takes leave of them.
    ///
    /// # Errors
    /// If a process of the group is lost.
    pub fn close(&self) -> Result<()> {
        self.barrier()?;
        if let Some(links) = &self.links {
            links.close();
        }
        Ok(())
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.interrupted {
            true => write!(f, "rank {} was interrupted", self.rank),
            false => write!(f, "rank {} is lost: it {}", self.rank, self.why),
        }
    }
}

impl std::error::Error for Lost {}
