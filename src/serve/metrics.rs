//! What the server counts, in Prometheus's text format.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::template::Score;

/// The upper bounds of the histogram's buckets, in seconds.
const BUCKETS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];
/// What a reply may be.
const OUTCOMES: [&str; 3] = ["exact", "wrong", "unreadable"];

/// The counts.
pub struct Metrics {
    begun: Instant,
    /// By template, those of each outcome.
    scores: BTreeMap<String, [AtomicU64; 3]>,
    requests: Mutex<BTreeMap<(&'static str, u16), Requests>>,
    /// Requests that are worked on now.
    pub in_flight: AtomicI64,
    /// WebSockets that are open now.
    pub sockets: AtomicI64,
}

#[derive(Default)]
struct Requests {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

impl Metrics {
    /// For these templates.
    pub fn new(templates: impl Iterator<Item = String>) -> Metrics {
        Metrics {
            begun: Instant::now(),
            scores: templates.map(|name| (name, Default::default())).collect(),
            requests: Mutex::default(),
            in_flight: AtomicI64::new(0),
            sockets: AtomicI64::new(0),
        }
    }

    /// Counts a reply.
    pub fn scored(&self, template: &str, score: &Score) {
        let outcome = match score.exact() {
            true => 0,
            false if score.unreadable().is_none() => 1,
            false => 2,
        };
        if let Some(counts) = self.scores.get(template) {
            counts[outcome].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a request that was answered.
    pub fn answered(&self, route: &'static str, status: u16, took: Duration) {
        let mut all = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let requests = all.entry((route, status)).or_default();
        let seconds = took.as_secs_f64();
        if let Some(at) = BUCKETS.iter().position(|bound| seconds <= *bound) {
            requests.buckets[at] += 1;
        }
        requests.count += 1;
        requests.seconds += seconds;
    }

    /// All of them, with what is in memory now.
    pub fn text(&self, episodes: usize, samplers: usize) -> String {
        let mut out = String::new();
        let head = |out: &mut String, name: &str, kind: &str, about: &str| {
            let _ = writeln!(out, "# HELP cookc_{name} {about}\n# TYPE cookc_{name} {kind}");
        };
        head(&mut out, "scores_total", "counter", "Replies that were scored.");
        for (template, counts) in &self.scores {
            for (outcome, count) in OUTCOMES.iter().zip(counts) {
                let count = count.load(Ordering::Relaxed);
                let labels = format!("template=\"{template}\",outcome=\"{outcome}\"");
                let _ = writeln!(out, "cookc_scores_total{{{labels}}} {count}");
            }
        }
        head(&mut out, "request_seconds", "histogram", "Time from a request to its answer.");
        let all = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        for ((route, status), requests) in all.iter() {
            let labels = format!("route=\"{route}\",status=\"{status}\"");
            let mut below = 0;
            for (bound, count) in BUCKETS.iter().zip(requests.buckets) {
                below += count;
                let _ = writeln!(
                    out,
                    "cookc_request_seconds_bucket{{{labels},le=\"{bound}\"}} {below}"
                );
            }
            let Requests { count, seconds, .. } = requests;
            let _ = writeln!(
                out,
                "cookc_request_seconds_bucket{{{labels},le=\"+Inf\"}} {count}\n\
                 cookc_request_seconds_sum{{{labels}}} {seconds}\n\
                 cookc_request_seconds_count{{{labels}}} {count}"
            );
        }
        drop(all);
        let gauges = [
            ("in_flight", "Requests that are worked on.", self.in_flight.load(Ordering::Relaxed)),
            ("websockets", "WebSockets that are open.", self.sockets.load(Ordering::Relaxed)),
            ("episodes", "Episodes in memory.", episodes as i64),
            ("samplers", "Compiled samplers in memory.", samplers as i64),
        ];
        for (name, about, value) in gauges {
            head(&mut out, name, "gauge", about);
            let _ = writeln!(out, "cookc_{name} {value}");
        }
        head(&mut out, "uptime_seconds", "gauge", "Time since the start.");
        let _ = writeln!(out, "cookc_uptime_seconds {}", self.begun.elapsed().as_secs());
        out
    }
}
