//! Data sets in shards: the same bytes however many write them and whatever is killed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const MANY: [&str; 5] = ["generate", "std:retrieval", "-n", "3000", "--shard-size"];

fn cookc(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
    command.args(arguments).current_dir(folder).output().expect("it runs")
}

fn done(folder: &Path, arguments: &[&str]) {
    let output = cookc(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", err(&output));
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The data files of a folder with their bytes, in order.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry"))
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .filter(|(name, _)| name.starts_with("data-"))
        .map(|(name, path)| (name, fs::read(path).expect("a file")))
        .collect();
    found.sort();
    found
}

#[test]
fn shards_have_the_rows_of_one_file_and_a_manifest_with_their_checksums() {
    let folder = tempfile::tempdir().expect("a folder");
    done(folder.path(), &[&MANY[..], &["800", "-o", "data/"]].concat());
    done(folder.path(), &["generate", "std:retrieval", "-n", "3000", "-o", "all.jsonl"]);
    let found = files(&folder.path().join("data"));
    assert_eq!(found.len(), 4);
    let bytes: Vec<u8> = found.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    assert!(bytes == fs::read(folder.path().join("all.jsonl")).expect("a file"));
    let text = fs::read_to_string(folder.path().join("data/cookc.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&text).expect("JSON");
    for (shard, (name, bytes)) in manifest["shards"].as_array().expect("a list").iter().zip(&found)
    {
        assert_eq!(shard["file"], **name);
        assert_eq!(shard["bytes"], bytes.len());
        assert_eq!(shard["blake3"], blake3::hash(bytes).to_hex().to_string());
    }
    assert_eq!(manifest["shards"][3]["rows"], 600);
}

#[test]
fn what_is_missing_is_written_again_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    for format in ["jsonl", "jsonl.zst", "parquet", "arrow"] {
        let write = |out: &str, more: &[&str]| {
            let arguments = [&MANY[..], &["500", "--format", format, "-o", out], more].concat();
            cookc(folder.path(), &arguments)
        };
        let (whole, other) = (format!("whole-{format}/"), format!("other-{format}/"));
        assert!(write(&whole, &[]).status.success());
        let wanted = files(&folder.path().join(&whole));
        assert_eq!(wanted.len(), 6, "{format}");
        // Three writers, one of which is gone and comes back.
        for part in ["2/3", "0/3"] {
            assert!(write(&other, &["--shard", part]).status.success());
        }
        let there = files(&folder.path().join(&other));
        assert_eq!(there.len(), 4, "{format}");
        fs::write(folder.path().join(&other).join(&there[0].0), "cut").expect("a file");
        fs::remove_file(folder.path().join(&other).join(&there[3].0)).expect("it is there");
        let refused = write(&other, &["--shard", "0/3"]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(err(&refused).contains("add `--resume`"), "{}", err(&refused));
        for part in ["0/3", "1/3", "2/3"] {
            let output = write(&other, &["--shard", part, "--resume"]);
            assert!(output.status.success(), "{}", err(&output));
        }
        assert!(files(&folder.path().join(&other)) == wanted, "{format}");
    }
}

#[test]
fn a_writer_that_is_killed_at_any_moment_is_resumed_to_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = |out| {
        let many = ["generate", "std:document_qa", "-n", "20000", "--shard-size", "1000"];
        [&many[..], &["--resume", "-o", out]].concat()
    };
    done(folder.path(), &arguments("whole/"));
    let manifest = folder.path().join("killed/cookc.json");
    for shards in [0, 3, 9] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
        command.args(arguments("killed/")).current_dir(folder.path());
        let mut child = command.stderr(Stdio::null()).spawn().expect("it starts");
        let there =
            || fs::read_to_string(&manifest).map_or(0, |text| text.matches("blake3").count());
        while there() < shards && child.try_wait().expect("a child").is_none() {
            std::thread::yield_now();
        }
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }
    done(folder.path(), &arguments("killed/"));
    let [whole, killed] = ["whole", "killed"].map(|name| files(&folder.path().join(name)));
    assert!(whole == killed);
    let hidden = fs::read_dir(folder.path().join("killed")).expect("a folder").flatten();
    let left = hidden.filter(|entry| entry.file_name().to_string_lossy().ends_with(".part"));
    assert_eq!(left.count(), 0);
}

#[test]
fn a_folder_of_something_else_is_refused_and_two_writers_of_one_part_as_well() {
    let folder = tempfile::tempdir().expect("a folder");
    done(folder.path(), &[&MANY[..], &["800", "-o", "data/"]].concat());
    fs::create_dir(folder.path().join("mine")).expect("a folder");
    fs::write(folder.path().join("mine/notes"), "mine").expect("a file");
    let size = &[&MANY[..], &["700", "-o", "data/", "--resume"]].concat();
    let seed = &[&MANY[..], &["800", "-o", "data/", "--resume", "--seed", "1"]].concat();
    let shape = &[&MANY[..], &["800", "-o", "data/", "--resume", "--shape", "text"]].concat();
    let other = &[&MANY[..], &["800", "-o", "mine/", "--resume"]].concat();
    let stdout = &[&MANY[..], &["800"]].concat();
    let part = &[&MANY[..], &["800", "-o", "data/", "--shard", "4/4"]].concat();
    let none = &[&MANY[..], &["0", "-o", "data/"]].concat();
    for (arguments, code, wanted) in [
        (size, 1, "its shard size is 800, and 700 is asked for"),
        (seed, 1, "data/ holds another data set: its data is retrieval/"),
        (shape, 1, "as full in jsonl, and retrieval/"),
        (other, 1, "mine/ holds other files: name an empty folder"),
        (stdout, 2, "are for a folder of files: name one"),
        (part, 2, "4 is none of 4: they are counted from 0, so the last is 3/4"),
        (none, 2, "invalid value '0' for '--shard-size"),
    ] {
        let output = cookc(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", err(&output));
        assert!(err(&output).contains(wanted), "{wanted}: {}", err(&output));
    }
    let names = |name: &str| fs::read_dir(folder.path().join(name)).expect("a folder").count();
    assert_eq!((names("mine"), names("data")), (1, 5), "no lock stays");
    let lock = fs::File::create(folder.path().join("data/.cookc-0-of-1.lock")).expect("a lock");
    lock.lock().expect("no other has it");
    let busy = cookc(folder.path(), &[&MANY[..], &["800", "-o", "data/", "--resume"]].concat());
    assert!(err(&busy).contains("another cookc is writing 0 of 1"), "{}", err(&busy));
}

#[test]
fn a_folder_is_verified_file_by_file_and_row_by_row() {
    let folder = tempfile::tempdir().expect("a folder");
    for part in ["0/3", "1/3", "2/3"] {
        done(folder.path(), &[&MANY[..], &["500", "-o", "data/", "--shard", part]].concat());
    }
    let verified = || {
        let output = cookc(folder.path(), &["data", "verify", "data", "--json"]);
        let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (output.status.code(), found)
    };
    let (code, found) = verified();
    assert_eq!((code, &found["rows_there"]), (Some(0), &3000.into()));
    assert_eq!(found["problems"], Value::Array(Vec::new()));
    let data = folder.path().join("data");
    let bytes = fs::read(data.join("data-00001.jsonl")).expect("a file");
    let changed: Vec<u8> = bytes.iter().map(|byte| byte.to_ascii_uppercase()).collect();
    fs::write(data.join("data-00001.jsonl"), changed).expect("a file");
    fs::write(data.join("data-00004.jsonl"), &bytes[1..]).expect("a file");
    fs::remove_file(data.join("data-00003.jsonl")).expect("it is there");
    fs::remove_file(data.join("cookc-2-of-3.json")).expect("it is there");
    let (code, found) = verified();
    assert_eq!((code, &found["rows_there"]), (Some(1), &500.into()));
    let problems = found["problems"].to_string();
    for wanted in [
        "data-00001.jsonl has other bytes than were written",
        "data-00004.jsonl has ",
        "data-00003.jsonl cannot be read: No such file",
        "rows 1000 to 1499 are missing",
        "rows 2500 to 2999 are missing",
    ] {
        assert!(problems.contains(wanted), "{wanted}: {problems}");
    }
    let none = cookc(folder.path(), &["data", "verify", "."]);
    assert!(err(&none).contains("has no manifest of cookc"), "{}", err(&none));
}
