//! The server under load: clients on loopback, in this process, that send batches of replies to
//! `/v1/score_batch` one after the other for some seconds. Every score is compared with the
//! library's.
//!
//! `cargo bench --bench serve -- [seconds] [clients] [replies a batch] [template]`

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cookc::serve::{Access, Limits, Offer, Reward, Service, Settings, serve};
use cookc::{Sampler, Split, Template};
use serde_json::{Value, json};

/// Batches of a client, which it sends in turn.
const BATCHES: u64 = 16;

/// A request, and what the scores have to be.
struct Batch {
    request: Vec<u8>,
    exact: Vec<(f64, bool)>,
}

/// What a client saw.
#[derive(Default)]
struct Seen {
    seconds: Vec<f64>,
    scores: u64,
    wrong: u64,
}

fn main() {
    let given: Vec<String> =
        std::env::args().skip(1).filter(|given| !given.starts_with("--")).collect();
    let number = |at: usize, default: u64| {
        given.get(at).map_or(default, |text| text.parse().expect("a number"))
    };
    let (seconds, clients, replies) = (number(0, 5), number(1, 100), number(2, 64));
    let name = given.get(3).map_or("retrieval", String::as_str);
    let template = Template::builtin(name).expect("it is built in");
    let sampler = template.compile().expect("it compiles");
    let batches: Vec<Arc<[Batch]>> =
        (0..clients).map(|at| batches(&sampler, at, replies)).collect();
    let offer = Offer::of(template);
    let access = Access { seed: 0, allow_eval: false };
    let (reward, limits) = (Reward::Mean, Limits::default());
    let settings = Settings { access, reward, token: None, limits };
    let service = Arc::new(Service::new(vec![offer], settings).expect("it compiles"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("an address");
    let stop = AtomicBool::new(false);
    let (seen, begin) = std::thread::scope(|scope| {
        scope.spawn(|| serve(service, listener, &stop, Arc::new(|_| {})).expect("it serves"));
        // What is allocated once is allocated before the first figure.
        run(address, &batches, Duration::from_secs(1));
        let begin = memory();
        let seen = run(address, &batches, Duration::from_secs(seconds));
        stop.store(true, Ordering::Relaxed);
        (seen, begin)
    });
    let end = memory();
    let mut times: Vec<f64> = seen.iter().flat_map(|one| &one.seconds).map(|it| it * 1e3).collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let scores: u64 = seen.iter().map(|one| one.scores).sum();
    let line = json!({
        "template": name,
        "seconds": seconds,
        "clients": clients,
        "replies_a_batch": replies,
        "requests": times.len(),
        "scores": scores,
        "scores_a_second": scores / seconds,
        "wrong": seen.iter().map(|one| one.wrong).sum::<u64>(),
        "p50_ms": at(0.5),
        "p99_ms": at(0.99),
        "max_ms": at(1.0),
        "memory_begin_mib": begin,
        "memory_end_mib": end,
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
    });
    println!("{line}");
}

/// Every second reply is right, every fourth is that of the next sample, the others are no replies.
fn batches(sampler: &Sampler, client: u64, replies: u64) -> Arc<[Batch]> {
    let batch = |number: u64| {
        let (mut all, mut exact) = (Vec::new(), Vec::new());
        for at in 0..replies {
            let index = (client * BATCHES + number) * replies + at;
            let of = index + u64::from(at % 4 == 1);
            let reply = match at % 4 {
                3 => "I do not know.".to_string(),
                _ => sampler.sample(Split::Train, 0, of).expect("a sample").reply,
            };
            let score = sampler.score(Split::Train, 0, index, &reply).expect("a sample");
            exact.push((score.mean(), score.exact()));
            all.push(json!({"index": index, "reply": reply}));
        }
        let body = json!({"replies": all}).to_string();
        let head = format!(
            "POST /v1/score_batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        Batch { request: [head.into_bytes(), body.into_bytes()].concat(), exact }
    };
    (0..BATCHES).map(batch).collect()
}

/// All clients at once, for this long.
fn run(address: SocketAddr, batches: &[Arc<[Batch]>], time: Duration) -> Vec<Seen> {
    let end = Instant::now() + time;
    std::thread::scope(|scope| {
        let clients =
            batches.iter().map(|batches| scope.spawn(move || client(address, batches, end)));
        let clients: Vec<_> = clients.collect();
        clients.into_iter().map(|client| client.join().expect("no panic")).collect()
    })
}

fn client(address: SocketAddr, batches: &[Batch], end: Instant) -> Seen {
    let mut seen = Seen::default();
    let mut stream = BufReader::new(TcpStream::connect(address).expect("it listens"));
    stream.get_ref().set_nodelay(true).expect("an option of TCP");
    for batch in batches.iter().cycle() {
        let begun = Instant::now();
        if begun >= end {
            break;
        }
        stream.get_mut().write_all(&batch.request).expect("it is sent");
        let answer = answer(&mut stream);
        seen.seconds.push(begun.elapsed().as_secs_f64());
        let scores = answer["scores"].as_array().expect("scores");
        assert_eq!(scores.len(), batch.exact.len());
        seen.scores += scores.len() as u64;
        let is_wrong = |(score, (mean, exact)): &(&Value, &(f64, bool))| {
            score["score"] != json!(mean) || score["exact"] != json!(exact)
        };
        seen.wrong += scores.iter().zip(&batch.exact).filter(is_wrong).count() as u64;
    }
    seen
}

fn answer(stream: &mut BufReader<TcpStream>) -> Value {
    let (mut length, mut line) = (0, String::new());
    let mut is_first = true;
    loop {
        line.clear();
        stream.read_line(&mut line).expect("an answer");
        assert!(!is_first || line.starts_with("HTTP/1.1 200"), "{line}");
        is_first = false;
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().expect("a number");
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("a body");
    serde_json::from_slice(&body).expect("JSON")
}

/// The resident memory of this process in MiB, where Linux says it.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}
