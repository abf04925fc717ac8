//! The forms in which trainers ask: NeMo Gym, OpenEnv, slime, OpenRLHF.

use serde_json::{Value, json};
use tungstenite::Message;

use super::client::{Running, settings};
use super::reply_of;

fn id(server: &Running, index: u64) -> Value {
    let (_, samples) = server.post("/v1/samples", &json!({"start": index}));
    samples["samples"][0]["id"].clone()
}

#[test]
fn nemo_gym_verifies_the_rows_that_generate_writes() {
    let server = Running::of(&["retrieval"], settings());
    let generate = ["generate", "std:retrieval", "--shape", "nemo-gym", "-n", "2", "--seed", "5"];
    let output = assert_cmd::Command::cargo_bin("cookc")
        .expect("it is built")
        .args(generate)
        .args(["-o", "-"])
        .output()
        .expect("it runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let rows: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows.len(), 2, "{text}");
    assert_eq!(server.post("/seed_session", &json!({})), (200, json!({})));
    let session = json!({"resources_session_id": "s"});
    assert_eq!(server.post("/seed_session", &session), (200, session.clone()));
    assert_eq!(server.post("/close_session", &session), (200, session));
    assert_eq!(server.get("/reverify_mode"), (200, json!("stateless")));
    for (right, reward) in [(true, 1.0), (false, 0.0)] {
        let mut body = rows[1].clone();
        let text = if right { rows[1]["reply"].as_str().expect("a reply") } else { "?" };
        body["response"] = json!({"id": "r", "output": [
            {"type": "reasoning", "summary": []},
            {"type": "message", "role": "assistant", "content": [
                {"type": "output_text", "text": text, "annotations": []}]},
        ]});
        body["_ng_task_index"] = json!(3);
        // With observability, NeMo Gym's client puts the rollout before the path.
        for path in ["/verify", "/ng-rollout/3-0/verify"] {
            let (status, answer) = server.post(path, &body);
            assert_eq!((status, &answer["reward"]), (200, &json!(reward)), "{answer}");
            for (name, value) in body.as_object().expect("an object") {
                assert_eq!(&answer[name], value, "{name}");
            }
        }
    }
}

#[test]
fn nemo_gym_is_told_what_rollouts_are_on_average() {
    let server = Running::of(&["retrieval"], settings());
    let rollout = |task: u64, rollout: u64, reward: f64| {
        json!({"_ng_task_index": task, "_ng_rollout_index": rollout, "reward": reward,
            "exact": reward == 1.0, "response": {"usage": {"output_tokens": 4}}})
    };
    let mut all = vec![rollout(0, 0, 1.0), rollout(0, 1, 0.0), rollout(1, 0, 1.0)];
    all.push(json!({"_ng_task_index": 2, "reward": 0.0, "mask_sample": true}));
    let (status, metrics) = server.post("/aggregate_metrics", &json!({"verify_responses": all}));
    assert_eq!(status, 200);
    let agent = &metrics["agent_metrics"];
    assert_eq!(agent["mean/reward"], json!(2.0 / 3.0));
    assert_eq!((&agent["num_repeats"], &agent["coverage/masked_rollouts"]), (&json!(2), &json!(1)));
    let group = &metrics["group_level_metrics"][0];
    assert_eq!((&group["_ng_task_index"], &group["mean/reward"]), (&json!(0), &json!(0.5)));
    assert_eq!(group["std/reward"], json!(0.5_f64.sqrt()));
    assert_eq!(metrics["key_metrics"]["mean/output_tokens"], json!(4.0));
    let (status, none) = server.post("/aggregate_metrics", &json!({"verify_responses": []}));
    assert_eq!((status, &none["agent_metrics"]), (200, &json!({})));
}

#[test]
fn an_episode_of_openenv_is_a_sample_and_its_reply() {
    let server = Running::of(&["retrieval"], settings());
    let (status, reset) = server.post("/reset", &json!({"seed": 4, "episode_id": "one"}));
    assert_eq!((status, &reset["done"], &reset["reward"]), (200, &json!(false), &Value::Null));
    assert_eq!(reset["observation"]["seed"], 4);
    let (_, state) = server.get("/state?episode_id=one");
    assert_eq!((&state["episode_id"], &state["step_count"]), (&json!("one"), &json!(0)));
    let action = json!({"action": {"reply": reply_of("retrieval", 4, 0)}, "episode_id": "one"});
    let (status, step) = server.post("/step", &action);
    assert_eq!((status, &step["done"], &step["reward"]), (200, &json!(true), &json!(1.0)));
    assert_eq!(server.get("/state?episode_id=one").1["step_count"], 1);
    let (status, error) = server.post("/step", &action);
    assert_eq!((status, &error["error"]["code"]), (409, &json!("episode_over")));
    assert_eq!(server.get("/state?episode_id=two").0, 404);
    assert_eq!(server.get("/state").1["step_count"], 0);
    // Without an index, each episode has another sample.
    let prompts: Vec<Value> = (0..3)
        .map(|_| server.ask("POST", "/reset", "", b"").1["observation"]["prompt"].clone())
        .collect();
    assert!(prompts[0] != prompts[1] && prompts[1] != prompts[2], "{prompts:?}");
    let stateless = json!({"action": {"reply": reply_of("retrieval", 0, 7), "index": 7}});
    assert_eq!(server.post("/step", &stateless).1["reward"], 1.0);
    let (_, metadata) = server.get("/metadata");
    assert_eq!(metadata["name"], "cookc_retrieval");
    let (_, schema) = server.get("/schema");
    assert_eq!(schema["action"]["required"], json!(["reply"]));
    let (_, tools) = server.post("/mcp", &json!({"id": 1, "method": "tools/list"}));
    assert_eq!(tools["result"]["tools"], json!([]));
}

#[test]
fn a_websocket_is_a_session() {
    let mut server = Running::of(&["retrieval"], settings());
    let address = format!("ws://{}/ws", server.address);
    let (mut socket, _) = tungstenite::connect(address.as_str()).expect("it opens");
    let mut ask = |text: String| -> Value {
        socket.send(Message::text(text)).expect("it is sent");
        let answer = socket.read().expect("an answer");
        serde_json::from_str(answer.to_text().expect("a text")).expect("JSON")
    };
    let early = ask(json!({"type": "step", "data": {"reply": ""}}).to_string());
    assert_eq!(
        (&early["type"], &early["data"]["code"]),
        (&json!("error"), &json!("EXECUTION_ERROR"))
    );
    assert_eq!(ask("{".to_string())["data"]["code"], "INVALID_JSON");
    assert_eq!(ask(json!({"type": "fly"}).to_string())["data"]["code"], "UNKNOWN_TYPE");
    assert_eq!(ask(json!({"data": {}}).to_string())["data"]["code"], "VALIDATION_ERROR");
    for index in 0..3 {
        let reset = ask(json!({"type": "reset", "data": {"index": index}}).to_string());
        assert_eq!(reset["type"], "observation", "{reset}");
        assert_eq!(reset["data"]["observation"]["index"], index);
        let reply = reply_of("retrieval", 0, index);
        let step = ask(json!({"type": "step", "data": {"reply": reply}}).to_string());
        assert_eq!((&step["data"]["reward"], &step["data"]["done"]), (&json!(1.0), &json!(true)));
    }
    assert_eq!(ask(json!({"type": "state"}).to_string())["data"]["step_count"], 1);
    // The server says goodbye when it ends.
    server.join();
    let goodbye = socket.read();
    assert!(!matches!(goodbye, Ok(Message::Text(_))), "{goodbye:?}");
}

#[test]
fn slime_gets_a_number() {
    let server = Running::of(&["retrieval"], settings());
    let right = format!("{}<|im_end|>", reply_of("retrieval", 0, 2));
    for (response, reward) in [(right.as_str(), 1.0), ("?", 0.0)] {
        let body = json!({"prompt": "…", "response": response, "label": id(&server, 2)});
        assert_eq!(server.post("/slime", &body), (200, json!(reward)));
    }
    let label = json!({"index": 2, "split": "eval"});
    let (status, _) = server.post("/slime", &json!({"response": "", "label": label.to_string()}));
    assert_eq!(status, 403);
}

#[test]
fn openrlhf_gets_a_reward_a_query() {
    let server = Running::of(&["retrieval"], settings());
    let (prompt, right) = ("<|im_start|>user\nQ<|im_end|>\n", reply_of("retrieval", 0, 1));
    let body = json!({
        "query": [format!("{prompt}{right}<|im_end|>"), format!("<s>{prompt}?</s>")],
        "prompts": [prompt, prompt],
        "labels": [id(&server, 1), id(&server, 1)],
    });
    let all = json!({"rewards": [1.0, 0.0], "scores": [1.0, 0.0]});
    assert_eq!(server.post("/openrlhf", &body), (200, all));
}
