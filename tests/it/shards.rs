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
    let lock = fs::File::open(folder.path().join("data/.cookc-0-of-1.lock")).expect("a lock");
    lock.lock().expect("no other has it");
    let busy = cookc(folder.path(), &[&MANY[..], &["800", "-o", "data/", "--resume"]].concat());
    assert!(err(&busy).contains("another cookc is writing 0 of 1"), "{}", err(&busy));
}
