//! `cookc serve`: each route, each bad input, and what a client must not be able to do to others.

mod bad;
mod client;
mod command;
mod trainers;

use std::io::Write;

use client::{Running, answer, offer, send, settings};
use cookc::serve::{Service, Settings};
use cookc::{Split, Template};
use serde_json::{Value, json};

/// A reply, and what the library says of it.
fn expected(template: &str, (split, seed, index): (Split, u64, u64), reply: &str) -> Value {
    let sampler = Template::builtin(template).expect("built in").compile().expect("it compiles");
    let score = sampler.score(split, seed, index, reply).expect("a sample");
    let rules: serde_json::Map<String, Value> =
        score.rules().map(|(rule, score)| (rule.to_string(), json!(score))).collect();
    let why = score.unreadable();
    json!({"score": score.mean(), "exact": score.exact(), "scores": rules,
        "unreadable": why.map(|why| why.to_string()), "cause": why.map(|why| why.cause())})
}

fn reply_of(template: &str, seed: u64, index: u64) -> String {
    let sampler = Template::builtin(template).expect("built in").compile().expect("it compiles");
    sampler.sample(Split::Train, seed, index).expect("a sample").reply
}

#[test]
fn every_route_of_the_document_is_there() {
    let server = Running::of(&["retrieval"], settings());
    let (status, document) = server.get("/openapi.json");
    assert_eq!((status, &document["openapi"]), (200, &json!("3.1.0")));
    let paths = document["paths"].as_object().expect("paths");
    assert!(paths.len() >= 20, "{paths:?}");
    for (path, methods) in paths {
        for method in methods.as_object().expect("methods").keys() {
            let (status, _) = server.text(&method.to_uppercase(), path, "", b"");
            assert!(![404, 405].contains(&status), "{method} {path}: {status}");
        }
    }
}

#[test]
fn a_batch_scores_as_the_library_does() {
    let names = ["retrieval", "chain_sum", "restore_order"];
    let server = Running::of(&names, settings());
    let mut replies = Vec::new();
    let mut all = Vec::new();
    for at in 0..60_u64 {
        let (template, seed, index) = (names[at as usize % 3], at % 2, at / 2);
        let reply = match at % 5 {
            0 => "a guess".to_string(),
            _ => reply_of(template, seed, index),
        };
        all.push(expected(template, (Split::Train, seed, index), &reply));
        replies.push(json!({"template": template, "seed": seed, "index": index, "reply": reply}));
    }
    let (status, scores) = server.post("/v1/score_batch", &json!({"replies": replies}));
    assert_eq!((status, &scores["scores"]), (200, &json!(all)));
    let exact = all.iter().filter(|one| one["exact"] == true).count();
    assert!(exact >= 40, "{exact} right ones");
}

#[test]
fn a_sample_is_named_by_its_id_alone() {
    let server = Running::of(&["retrieval", "chain_sum"], settings());
    let asked =
        json!({"template": "chain_sum", "level": "hard", "seed": 3, "start": 7, "count": 2});
    let (status, samples) = server.post("/v1/samples", &asked);
    assert_eq!(status, 200, "{samples}");
    let row = &samples["samples"][1];
    assert_eq!((&row["index"], &row["level"]), (&json!(8), &json!("hard")));
    let sampler = Template::builtin("chain_sum").expect("built in").level("hard").compile();
    let sampler = sampler.expect("it compiles");
    let sample = sampler.sample(Split::Train, 3, 8).expect("a sample");
    let (status, score) =
        server.post("/v1/score", &json!({"id": row["id"], "reply": sample.reply}));
    assert_eq!((status, &score["exact"], &score["id"]), (200, &json!(true), &row["id"]));
    // Settings that no level has are said once; then the id is known.
    let set = json!({"template": "retrieval", "set": "length=12", "count": 1});
    let (_, samples) = server.post("/v1/samples", &set);
    let row = &samples["samples"][0];
    assert_eq!(row["set"], "length=12");
    let (status, _) = server.post("/v1/score", &json!({"id": row["id"], "reply": ""}));
    assert_eq!(status, 200);
}

#[test]
fn no_template_sends_its_answer() {
    let names: Vec<&str> = cookc::template::builtin().collect();
    let server = Running::of(&names, settings());
    let known = [
        "id",
        "template",
        "level",
        "set",
        "split",
        "seed",
        "index",
        "system",
        "prompt",
        "messages",
        "episode_id",
    ];
    for name in names {
        let (status, samples) = server.post("/v1/samples", &json!({"template": name, "count": 3}));
        assert_eq!(status, 200, "{name}: {samples}");
        let (_, reset) = server.post("/reset", &json!({"template": name, "index": 0}));
        let sampler = Template::builtin(name).expect("built in").compile().expect("it compiles");
        let rows = samples["samples"].as_array().expect("rows").iter();
        for (row, index) in rows.zip(0..).chain([(&reset["observation"], 0)]) {
            let sample = sampler.sample(Split::Train, 0, index).expect("a sample");
            let keys = row.as_object().expect("a row").keys();
            assert!(keys.clone().all(|key| known.contains(&key.as_str())), "{name}: {keys:?}");
            assert_eq!(row["prompt"], sample.prompt.as_str(), "{name}");
            assert_eq!(row["system"], json!(sample.system), "{name}");
            let turns = row["messages"].as_array().expect("messages");
            let roles: Vec<_> = turns.iter().map(|turn| turn["role"].as_str()).collect();
            assert!(!roles.contains(&Some("assistant")), "{name}: {roles:?}");
            assert_eq!(turns.last().expect("a prompt")["content"], sample.prompt.as_str());
        }
    }
}

#[test]
fn templates_are_listed_with_their_levels() {
    let server = Running::of(&["retrieval"], settings());
    let (_, listed) = server.get("/v1/templates");
    let all = json!([{"name": "retrieval", "levels": ["easy", "hard"], "level": "default",
        "set": {}}]);
    assert_eq!(listed["templates"], all);
}

#[test]
fn a_token_is_asked_for() {
    let settings = Settings { token: Some("a secret".to_string()), ..settings() };
    let server = Running::of(&["retrieval"], settings);
    let status = |headers: &str| server.ask("GET", "/v1/templates", headers, b"").0;
    assert_eq!(status(""), 401);
    assert_eq!(status("Authorization: Bearer another\r\n"), 401);
    assert_eq!(status("Authorization: Bearer a secret\r\n"), 200);
    // `user:a secret`, as an address has it.
    assert_eq!(status("Authorization: Basic dXNlcjphIHNlY3JldA==\r\n"), 200);
    assert_eq!(status("Authorization: Basic dXNlcg==\r\n"), 401);
    assert_eq!(server.get("/health"), (200, json!({"status": "healthy"})));
}

#[test]
fn requests_are_counted_and_logged() {
    let server = Running::of(&["retrieval"], settings());
    server.post("/v1/score", &json!({"index": 0, "reply": reply_of("retrieval", 0, 0)}));
    server.post("/v1/score", &json!({"index": 0}));
    let (status, text) = server.text("GET", "/metrics", "", b"");
    assert_eq!(status, 200);
    let lines = [
        "cookc_scores_total{template=\"retrieval\",outcome=\"exact\"} 1",
        "cookc_request_seconds_count{route=\"/v1/score\",status=\"422\"} 1",
        "cookc_in_flight 1",
        "cookc_samplers 1",
    ];
    for line in lines {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    let handled = server.handled.lock().expect("no panic");
    assert_eq!((handled[0].route, handled[0].status, handled[0].replies), ("/v1/score", 200, 1));
    let refused = handled[1].refused.as_ref().expect("refused");
    assert!(
        refused.0 == "missing_field" && refused.1.contains("`reply` is missing"),
        "{refused:?}"
    );
}

#[test]
fn a_request_that_is_there_is_answered_when_the_server_ends() {
    let mut server = Running::of(&["retrieval"], settings());
    let body = json!({"index": 0, "reply": "a guess"}).to_string();
    let mut stream = server.connected();
    send(&mut stream, "POST", "/v1/score", "", body.len());
    stream.write_all(&body.as_bytes()[..5]).expect("it is sent");
    // Another request shows that the first one's head has arrived.
    assert_eq!(server.get("/health").0, 200);
    server.stop();
    stream.write_all(&body.as_bytes()[5..]).expect("it is sent");
    let (status, text) = answer(&mut stream);
    assert_eq!(status, 200, "{text}");
    server.join();
    assert!(std::net::TcpStream::connect(server.address).is_err(), "it listens no more");
}

#[test]
fn two_templates_of_one_name_are_refused() {
    let mut other = offer("retrieval");
    other.template = Template::parse(
        "retrieval.cook",
        "a ~ draw(1, 0..9)\nrule same: a == a\nprompt \"{a}\"\nreply \"{a}\"",
    )
    .expect("it is sound");
    let error = Service::new(vec![offer("retrieval"), other], settings()).err().expect("an error");
    assert!(error.to_string().contains("two templates with the name `retrieval`"), "{error}");
    let mut hard = offer("retrieval");
    hard.level = "hard".to_string();
    assert!(Service::new(vec![offer("retrieval"), hard], settings()).is_ok());
}
