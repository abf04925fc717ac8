//! The episodes of OpenEnv that clients without a WebSocket have begun: the only state between
//! requests, and bounded.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::catalog::Key;
use crate::data::Split;

/// The most episodes in memory; the oldest makes room.
const EPISODES_MAX: usize = 65_536;

/// An episode: a sample, and the one reply to it.
#[derive(Clone)]
pub struct Episode {
    /// Its name.
    pub id: String,
    /// Of which sampler the sample is: the sampler may be gone from memory.
    pub key: Arc<Key>,
    /// The sample.
    pub sample: (Split, u64, u64),
    /// The reward of the reply, once there is one.
    pub reward: Option<f64>,
}

/// The episodes by name.
#[derive(Default)]
pub struct Episodes {
    all: Mutex<All>,
    begun: AtomicU64,
    drawn: AtomicU64,
    names: RandomState,
}

#[derive(Default)]
struct All {
    by_id: HashMap<String, (u64, Episode)>,
    /// In the order of their beginning, with what tells two of one name apart.
    order: VecDeque<(u64, String)>,
}

impl Episodes {
    /// The index of the next sample, for those who name none.
    pub fn next(&self) -> u64 {
        self.drawn.fetch_add(1, Ordering::Relaxed)
    }

    /// A name that no other episode has.
    pub fn name(&self) -> String {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        // Whoever guesses a name can only end an episode.
        format!("{:016x}-{number}", self.names.hash_one(number))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all().by_id.len()
    }

    /// Keeps an episode that begins, in place of one of its name.
    pub fn begin(&self, episode: Episode) {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let mut all = self.all();
        all.order.push_back((number, episode.id.clone()));
        all.by_id.insert(episode.id.clone(), (number, episode));
        while all.order.len() > EPISODES_MAX {
            let Some((number, id)) = all.order.pop_front() else { break };
            if all.by_id.get(&id).is_some_and(|(of, _)| *of == number) {
                all.by_id.remove(&id);
            }
        }
    }

    /// The episode of a name.
    pub fn get(&self, id: &str) -> Option<Episode> {
        Some(self.all().by_id.get(id)?.1.clone())
    }

    /// Ends an episode; false if another request has done it.
    pub fn end(&self, id: &str, reward: f64) -> bool {
        match self.all().by_id.get_mut(id) {
            Some((_, episode)) if episode.reward.is_none() => {
                episode.reward = Some(reward);
                true
            }
            _ => false,
        }
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
