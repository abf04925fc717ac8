//! Bad input: a status, a code, a message that says what to write; others are served meanwhile.

use std::io::Write;
use std::time::Duration;

use cookc::serve::{Access, Limits, Settings};
use serde_json::json;

use super::client::{Running, answer, send, settings};

/// A body, the status, the code, and what the message says.
type Case<'a> = (&'a str, &'a [u8], u16, &'a str, &'a [&'a str]);

#[test]
fn what_is_wrong_is_said() {
    let server = Running::of(&["retrieval", "chain_sum"], settings());
    let cases: &[Case] = &[
        ("/v1/score", b"\xff{}", 400, "not_utf8", &["byte 0"]),
        ("/v1/score", b"{", 400, "not_json", &["line 1, column 1"]),
        ("/v1/score", b"", 400, "not_json", &[]),
        ("/v1/score", b"[]", 422, "invalid_field", &["must be a JSON object", "a list"]),
        ("/v1/score", b"{\"index\":0}", 422, "missing_field", &["`reply` is missing", "`index`"]),
        (
            "/v1/score",
            b"{\"reply\":\"\",\"template\":\"retrieval\"}",
            422,
            "missing_field",
            &["`index`"],
        ),
        (
            "/v1/score",
            b"{\"reply\":\"\",\"indx\":1,\"template\":\"retrieval\"}",
            422,
            "missing_field",
            &["there is `indx`: write `index`"],
        ),
        (
            "/v1/score",
            b"{\"reply\":\"\",\"index\":0}",
            422,
            "missing_field",
            &["`template` is missing", "`chain_sum`"],
        ),
        (
            "/v1/score",
            b"{\"reply\":\"\",\"index\":0,\"template\":\"retreival\"}",
            404,
            "unknown_template",
            &["write `retrieval`"],
        ),
        (
            "/v1/score",
            b"{\"reply\":\"\",\"index\":0,\"template\":\"/etc/passwd\"}",
            404,
            "unknown_template",
            &["served are `retrieval`, `chain_sum`"],
        ),
        (
            "/v1/score",
            b"{\"reply\":\"\",\"index\":0,\"template\":\"std:retrieval\"}",
            404,
            "unknown_template",
            &["write `retrieval`"],
        ),
        (
            "/v1/score",
            b"{\"reply\":\"\",\"index\":0,\"template\":\"retrieval\",\"level\":\"hrad\"}",
            404,
            "unknown_level",
            &["write `hard`"],
        ),
        (
            "/v1/score",
            b"{\"reply\":\"\",\"index\":0,\"template\":\"retrieval\",\"set\":\"lenght=8\"}",
            422,
            "invalid_setting",
            &["length"],
        ),
        (
            "/v1/score",
            b"{\"reply\":\"\",\"index\":0,\"template\":\"retrieval\",\"set\":[1]}",
            422,
            "invalid_field",
            &["`set` must be an object"],
        ),
        (
            "/v1/score",
            b"{\"reply\":7,\"index\":0,\"template\":\"retrieval\"}",
            422,
            "invalid_field",
            &["`reply` must be a text, and is 7"],
        ),
        (
            "/v1/score",
            b"{\"reply\":\"\",\"index\":-1,\"template\":\"retrieval\"}",
            422,
            "invalid_field",
            &["`index` must be an integer from 0 on, and is -1"],
        ),
        (
            "/v1/score",
            b"{\"reply\":\"\",\"index\":36028797018963968,\"template\":\"retrieval\"}",
            422,
            "invalid_field",
            &["below 2^55"],
        ),
        (
            "/v1/score",
            b"{\"reply\":\"\",\"index\":0,\"template\":\"retrieval\",\"split\":\"test\"}",
            422,
            "invalid_field",
            &["there is no split `test`", "`train`"],
        ),
        (
            "/v1/score",
            b"{\"reply\":\"\",\"index\":0,\"template\":\"retrieval\",\"split\":\"eval\"}",
            403,
            "held_out",
            &["--allow-eval"],
        ),
        (
            "/v1/score",
            b"{\"reply\":\"\",\"id\":\"retrieval/0000000000000000/train/0/1\"}",
            409,
            "other_version",
            &["generate it again"],
        ),
        (
            "/v1/score",
            b"{\"reply\":\"\",\"id\":\"retrieval/0/train/0/1\",\"index\":2,\"level\":\"\"}",
            409,
            "other_version",
            &[],
        ),
        (
            "/v1/score",
            b"{\"reply\":\"\",\"id\":\"seven\"}",
            422,
            "invalid_field",
            &["`id` of a sample"],
        ),
        (
            "/v1/score_batch",
            b"{\"replies\":[{\"index\":0,\"reply\":\"\",\"template\":\"retrieval\"},{}]}",
            422,
            "missing_field",
            &["`replies[1].reply` is missing"],
        ),
        ("/v1/score_batch", b"{\"replies\":[3]}", 422, "invalid_field", &["`replies[0]`"]),
        (
            "/v1/samples",
            b"{\"template\":\"retrieval\",\"count\":5000}",
            422,
            "invalid_field",
            &["4096"],
        ),
        ("/v1/samples", b"{\"template\":\"retrieval\",\"split\":\"eval\"}", 403, "held_out", &[]),
        (
            "/step",
            b"{\"action\":{\"reply\":\"\"},\"episode_id\":\"none\"}",
            404,
            "no_session",
            &["POST /reset"],
        ),
        ("/step", b"{\"action\":{\"reply\":\"\"}}", 422, "missing_field", &["`episode_id`"]),
        ("/verify", b"{}", 422, "missing_field", &["`responses_create_params`"]),
        ("/verify", b"{\"responses_create_params\":{}}", 422, "missing_field", &["`response`"]),
        ("/slime", b"{\"response\":\"\",\"label\":\"42\"}", 422, "invalid_field", &["column `id`"]),
        (
            "/openrlhf",
            b"{\"query\":[\"a\"],\"prompts\":[],\"labels\":[]}",
            422,
            "invalid_field",
            &["as long as each other"],
        ),
        ("/v1/scores", b"{}", 404, "no_route", &["write `/v1/score`"]),
        ("/health", b"", 405, "other_method", &["GET"]),
    ];
    for (path, body, status, code, words) in cases {
        let (found, error) = server.ask("POST", path, "", body);
        let shown = String::from_utf8_lossy(body);
        assert_eq!(
            (found, error["error"]["code"].as_str()),
            (*status, Some(*code)),
            "{path} {shown}: {error}"
        );
        let message = error["error"]["message"].as_str().expect("a message");
        for word in *words {
            assert!(message.contains(word), "{path} {shown}: no {word} in {message}");
        }
    }
}

#[test]
fn held_out_samples_are_there_for_evaluation() {
    let access = Access { seed: 0, allow_eval: true };
    let server = Running::of(&["retrieval"], Settings { access, ..settings() });
    let (status, samples) = server.post("/v1/samples", &json!({"split": "eval"}));
    assert_eq!((status, &samples["samples"][0]["split"]), (200, &json!("eval")));
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let limits = Limits { body_bytes: 1000, ..Limits::default() };
    let server = Running::of(&["retrieval"], Settings { limits, ..settings() });
    for length in [1001, 3000] {
        let body = vec![b' '; length];
        let (status, error) = server.ask("POST", "/v1/score", "", &body);
        assert_eq!((status, &error["error"]["code"]), (413, &json!("too_large")));
    }
    let body = format!("{:1000}", "{\"index\":0,\"reply\":\"\"}");
    assert_eq!(server.ask("POST", "/v1/score", "", body.as_bytes()).0, 200);
}

#[test]
fn a_client_that_hangs_ends_alone() {
    let limits = Limits { time: Duration::from_secs(1), ..Limits::default() };
    let server = Running::of(&["retrieval"], Settings { limits, ..settings() });
    let mut hanging: Vec<_> = (0..50).map(|_| server.connected()).collect();
    for (at, stream) in hanging.iter_mut().enumerate() {
        match at % 2 {
            0 => send(stream, "POST", "/v1/score", "", 100),
            _ => stream.write_all(b"POST /v1/sc").expect("it is sent"),
        }
    }
    for _ in 0..20 {
        let (status, _) = server.post("/v1/score", &json!({"index": 0, "reply": ""}));
        assert_eq!(status, 200);
    }
    let (status, text) = answer(&mut hanging[0]);
    assert!(status == 408 && text.contains("within 1 seconds"), "{status} {text}");
}

#[test]
fn work_that_takes_too_long_is_stopped() {
    let limits = Limits { time: Duration::from_millis(100), ..Limits::default() };
    let server = Running::of(&["retrieval"], Settings { limits, ..settings() });
    let replies: Vec<_> = (0..60_000).map(|index| json!({"index": index, "reply": ""})).collect();
    let body = json!({"replies": replies}).to_string();
    let (status, text) = server.text("POST", "/v1/score_batch", "", body.as_bytes());
    // Which of the two limits comes first depends on the machine.
    assert!([408, 503].contains(&status), "{status} {text}");
}
