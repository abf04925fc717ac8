//! Models of the hub, without one: a cache laid out as hf-hub lays it out, and a small server.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use cookc::model::hub::Hub;
use cookc::model::{Tokenizer, io};

use super::{data, distance, row, tensors, tiny};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn a_model_is_fetched_once_and_then_used_from_the_cache() -> Result<()> {
    let (folder, home) = (tempfile::tempdir()?, tempfile::tempdir()?);
    sharded(folder.path())?;
    fs::write(folder.path().join("pytorch_model.bin"), "not needed")?;
    let server = Server::start(folder.path(), Mode::Whole)?;
    let hub = server.hub(home.path(), None);
    let found = hub.locate("org/tiny")?;
    assert_eq!(found, home.path().join(format!("models--org--tiny/snapshots/{COMMIT}")));
    let model = io::load(&found, DType::F32, &Device::Cpu)?;
    let inputs = row(&[1, 2, 3]);
    assert_eq!(distance(&model.logits(&inputs)?, &tiny()?.logits(&inputs)?)?, 0.0);
    Tokenizer::load(&found)?;
    let asked = server.asked();
    assert!(!asked.iter().any(|line| line.contains("pytorch_model")), "{asked:?}");

    for name in ["org/tiny", "org/tiny@main", &format!("org/tiny@{COMMIT}")] {
        assert_eq!(Hub { offline: true, ..hub.clone() }.locate(name)?, found);
        assert_eq!(hub.locate(name)?, found);
    }
    assert_eq!(server.asked().len(), asked.len(), "nothing is asked for twice");
    Ok(())
}

#[test]
fn one_file_of_weights_is_fetched_before_an_index_of_shards() -> Result<()> {
    let (folder, home) = (tempfile::tempdir()?, tempfile::tempdir()?);
    sharded(folder.path())?;
    fs::copy(data("model/model.safetensors"), folder.path().join("model.safetensors"))?;
    let server = Server::start(folder.path(), Mode::Whole)?;
    let found = server.hub(home.path(), None).locate("org/tiny")?;
    let model = io::load(&found, DType::F32, &Device::Cpu)?;
    let inputs = row(&[1, 2, 3]);
    assert_eq!(distance(&model.logits(&inputs)?, &tiny()?.logits(&inputs)?)?, 0.0);
    let asked = server.asked();
    assert!(!asked.iter().any(|line| line.contains("index.json")), "{asked:?}");
    Ok(())
}

#[test]
fn a_model_that_is_not_whole_in_the_cache_is_refused_without_a_network() -> Result<()> {
    let home = tempfile::tempdir()?;
    let cached = home.path().join("models--org--tiny");
    let snapshot = cached.join("snapshots").join(COMMIT);
    fs::create_dir_all(cached.join("refs"))?;
    fs::create_dir_all(&snapshot)?;
    fs::write(cached.join("refs/main"), COMMIT)?;
    sharded(&snapshot)?;
    let hub = Hub {
        cache: home.path().into(),
        // No one listens on port 9 here, and nothing is asked where `offline` is set.
        endpoint: "http://127.0.0.1:9".into(),
        token: None,
        offline: true,
    };
    assert_eq!(hub.locate("org/tiny")?, snapshot);
    fs::remove_file(snapshot.join("model-2.safetensors"))?;
    let cache = home.path().display().to_string();
    let told = [&*cache, "config.json, *.safetensors and tokenizer.json", "models/tiny"];
    expect(&hub, "org/tiny", &[&["HF_HUB_OFFLINE"][..], &told[..]].concat());
    let online = Hub { offline: false, ..hub };
    expect(&online, "org/tiny", &[&["127.0.0.1:9"][..], &told[..]].concat());
    Ok(())
}

#[test]
fn what_the_hub_refuses_is_told_with_what_to_do() -> Result<()> {
    let (folder, home) = (tempfile::tempdir()?, tempfile::tempdir()?);
    sharded(folder.path())?;
    let server = Server::start(folder.path(), Mode::Token("secret"))?;
    expect(&server.hub(home.path(), None), "org/tiny", &["gated", "set HF_TOKEN"]);
    let wrong = server.hub(home.path(), Some("wrong"));
    expect(&wrong, "org/tiny", &["the token that was sent does not open it"]);
    server.hub(home.path(), Some("secret")).locate("org/tiny")?;

    let server = Server::start(folder.path(), Mode::Whole)?;
    let hub = server.hub(home.path(), None);
    expect(&hub, "org/other", &["no `org/other`", "`main`"]);
    expect(&hub, "org/tiny@v2", &["no `org/tiny`", "`v2`"]);
    fs::remove_file(folder.path().join("tokenizer.json"))?;
    let hub = server.hub(&home.path().join("empty"), None);
    expect(&hub, "org/tiny", &["has no tokenizer.json"]);
    for name in ["../../etc", "a/b/c", "org/tiny@../x", "", "org/ti ny"] {
        expect(&hub, name, &["write"]);
    }
    Ok(())
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_stopped() -> Result<()> {
    let (folder, home) = (tempfile::tempdir()?, tempfile::tempdir()?);
    sharded(folder.path())?;
    let server = Server::start(folder.path(), Mode::CutAlways)?;
    expect(&server.hub(home.path(), None), "org/tiny", &["model-1.safetensors"]);

    let server = Server::start(folder.path(), Mode::CutOnce(Mutex::new(false)))?;
    let found = server.hub(home.path(), None).locate("org/tiny")?;
    for name in ["model-1.safetensors", "model-2.safetensors"] {
        assert_eq!(fs::read(found.join(name))?, fs::read(folder.path().join(name))?);
    }
    Ok(())
}

#[test]
fn a_recipe_may_name_a_model_of_the_hub() -> Result<()> {
    let (home, kitchen) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let recipe = "[model]\nbase = \"hf:org/tiny\"\n[[template]]\nfile = \"say.cook\"\n\
                  [data]\nvocab = 200\nsequence = 128\n[lora]\nrank = 2\n";
    fs::write(kitchen.path().join("hub.toml"), recipe)?;
    fs::write(
        kitchen.path().join("say.cook"),
        "words ~ distinct(2, vocab)\nsaid = words\nrule same: said == words\n\
         prompt \"Say {words} :\"\nreply \"{said}\"\n",
    )?;
    let dry_run = || -> Result<(bool, String, String)> {
        let mut run = assert_cmd::Command::cargo_bin("cookc")?;
        run.current_dir(kitchen.path()).env("HF_HOME", home.path()).env("HF_HUB_OFFLINE", "1");
        let done = run.args(["run", "--train", "hub.toml", "--dry-run"]).output()?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok((done.status.success(), text(done.stdout), text(done.stderr)))
    };
    let (done, _, err) = dry_run()?;
    assert!(!done && err.contains("E707") && err.contains("HF_HUB_OFFLINE"), "{err}");

    let cached = home.path().join("hub/models--org--tiny");
    let snapshot = cached.join("snapshots").join(COMMIT);
    fs::create_dir_all(cached.join("refs"))?;
    fs::create_dir_all(&snapshot)?;
    fs::write(cached.join("refs/main"), COMMIT)?;
    sharded(&snapshot)?;
    // Its words are the embedded ones, so that the tokenizer knows them.
    let words =
        include_str!("../../../src/data/words.txt").lines().take(200).chain(["true false Say"]);
    Tokenizer::words(&words.map(String::from).collect::<Vec<_>>())?.save(&snapshot)?;
    let (done, out, err) = dry_run()?;
    let pinned = format!("base = \"hf:org/tiny@{COMMIT}\"");
    assert!(done && out.contains(&pinned), "{out}{err}");
    Ok(())
}

fn expect(hub: &Hub, name: &str, parts: &[&str]) {
    let error = format!("{:#}", hub.locate(name).expect_err("no model"));
    for part in parts {
        assert!(error.contains(part), "`{error}` does not say `{part}`");
    }
}

/// The reference's model in two shards, with a tokenizer.
pub fn sharded(folder: &Path) -> Result<()> {
    fs::copy(data("model/config.json"), folder.join("config.json"))?;
    let names: Vec<String> = (0..220).map(|i| format!("w{i}")).collect();
    Tokenizer::words(&names)?.save(folder)?;
    let (mut map, mut shards) = (serde_json::Map::new(), [HashMap::new(), HashMap::new()]);
    for (name, tensor) in tensors("model/model.safetensors")? {
        let at = usize::from(name.contains("layers.1"));
        map.insert(name.clone(), format!("model-{}.safetensors", at + 1).into());
        shards[at].insert(name, tensor);
    }
    for (at, shard) in shards.iter().enumerate() {
        let shard: &HashMap<String, Tensor> = shard;
        candle_core::safetensors::save(
            shard,
            folder.join(format!("model-{}.safetensors", at + 1)),
        )?;
    }
    let index = serde_json::json!({ "metadata": {}, "weight_map": map });
    Ok(fs::write(folder.join("model.safetensors.index.json"), index.to_string())?)
}

enum Mode {
    Whole,
    Token(&'static str),
    /// Every download of a shard stops in its middle.
    CutAlways,
    /// The first one does.
    CutOnce(Mutex<bool>),
}

/// A hub of one model, `org/tiny`, whose files lie in a folder.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(folder: &Path, mode: Mode) -> Result<Server> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = format!("http://{}", listener.local_addr()?);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (folder, seen) = (folder.to_path_buf(), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that leaves early is what these tests are about.
                stream.and_then(|stream| answer(stream, &folder, &mode, &seen)).ok();
            }
        });
        Ok(Server { address, asked })
    }

    fn hub(&self, home: &Path, token: Option<&str>) -> Hub {
        Hub {
            cache: PathBuf::from(home),
            endpoint: self.address.clone(),
            token: token.map(String::from),
            offline: false,
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no test panics in it").clone()
    }
}

fn answer(
    mut stream: TcpStream,
    folder: &Path,
    mode: &Mode,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let headers: Vec<String> =
        lines.map_while(|line| line.ok().filter(|line| !line.is_empty())).collect();
    asked.lock().expect("no test panics in it").push(first.clone());
    let header = |name: &str| {
        headers.iter().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_string())
        })
    };
    if let Mode::Token(token) = mode
        && header("authorization") != Some(format!("Bearer {token}"))
    {
        return refuse(&mut stream, "401 Unauthorized");
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    if path == "/api/models/org/tiny/revision/main" {
        let names =
            fs::read_dir(folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let siblings: Vec<_> = names.map(|name| serde_json::json!({ "rfilename": name })).collect();
        let body = serde_json::json!({ "sha": COMMIT, "siblings": siblings }).to_string();
        let length = body.len();
        return write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        );
    }
    let name = path.strip_prefix(&format!("/org/tiny/resolve/{COMMIT}/")).unwrap_or("none");
    let Ok(bytes) = fs::read(folder.join(name)) else {
        return refuse(&mut stream, "404 Not Found");
    };
    let range = header("range").unwrap_or_default();
    let (start, end) = range.trim_start_matches("bytes=").split_once('-').unwrap_or(("0", ""));
    let start: usize = start.parse().unwrap_or(0);
    let end = end.parse().map_or(bytes.len(), |end: usize| end + 1);
    let (size, last) = (bytes.len(), end.saturating_sub(1));
    write!(
        stream,
        "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nETag: \"{name}\"\r\n\
         X-Repo-Commit: {COMMIT}\r\nContent-Range: bytes {start}-{last}/{size}\r\n\
         Connection: close\r\n\r\n",
        end - start
    )?;
    let cut = name.starts_with("model-")
        && end - start > 1
        && match mode {
            Mode::CutAlways => true,
            Mode::CutOnce(done) => !std::mem::replace(&mut *done.lock().expect("alive"), true),
            Mode::Whole | Mode::Token(_) => false,
        };
    let end = if cut { start + (end - start) / 2 } else { end };
    stream.write_all(&bytes[start..end])
}

fn refuse(stream: &mut TcpStream, status: &str) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}
