//! The command: where it listens, its manifest, its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use serde_json::{Value, json};

fn cookc() -> Command {
    Command::cargo_bin("cookc").expect("it is built")
}

#[test]
fn the_manifest_names_the_environment() {
    let arguments = ["serve", "std:retrieval", "--port", "9000", "--openenv-yaml"];
    let output = cookc().args(arguments).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    for line in ["spec_version: 1", "name: cookc_retrieval", "port: 9000"] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    let found = text.lines().find_map(|line| line.strip_prefix("validation: "));
    let validation: Value = serde_json::from_str(found.expect("a line")).expect("JSON");
    assert_eq!(validation["reward"]["range"], json!([0.0, 1.0]));
    assert_eq!(validation["types"]["tags"], json!(["retrieval"]));
}

#[test]
fn a_recipe_says_levels_and_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let recipe = folder.path().join("recipe.toml");
    let text = "[[template]]\nfile = \"std:retrieval\"\nlevel = \"hard\"\n\
                [[template]]\nfile = \"std:chain_sum\"\n";
    std::fs::write(&recipe, text).expect("it is written");
    let output = cookc().args(["serve", "--openenv-yaml", "--recipe"]).arg(recipe).output();
    let output = output.expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("retrieval, chain_sum"), "{text}{output:?}");
}

#[cfg(unix)]
#[test]
fn sigterm_ends_it_in_order() {
    let mut server = cookc()
        .args(["serve", "std:retrieval", "--port", "0", "--log", "json"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(server.stderr.take().expect("it is piped")).lines();
    let mut next = || -> Value {
        let line = lines.next().expect("a line").expect("UTF-8");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"))
    };
    let address = next()["address"].as_str().expect("an address").to_string();
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    let mut stream = TcpStream::connect(&address).expect("it listens");
    let request = b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(request).expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.ends_with("{\"status\":\"healthy\"}"), "{answer}");
    let line = next();
    assert_eq!((line["route"].as_str(), line["status"].as_u64()), (Some("/health"), Some(200)));
    let id = server.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().expect("it is sent").success());
    assert_eq!(server.wait().expect("it ends").code(), Some(0));
}
