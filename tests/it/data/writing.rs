//! What would be written, and what cannot be: full disks, closed pipes, manifests of other data.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{ENDINGS, cookc, done, folder, found, read, texts, write};

#[test]
fn a_dry_run_writes_nothing_and_says_what_would_be_written() {
    let folder = folder();
    let sizes = |out: &str| {
        out.lines().nth(1).expect("two lines").split(',').next().expect("a part").to_string()
    };
    let of = ["generate", "std:chain_sum", "-n", "200", "-o"];
    let out = done(&folder, &[&of[..], &["a.jsonl", "--dry-run"]].concat());
    assert!(out.starts_with("200 rows of chain_sum: a.jsonl\n"), "{out}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    done(&folder, &[&of[..], &["a.jsonl"]].concat());
    let bytes = fs::metadata(folder.path().join("a.jsonl")).expect("a file").len();
    assert_eq!(sizes(&out), indicatif_bytes(bytes), "{out}");
    let many = ["generate", "std:retrieval", "-n", "1000000", "-o", "data/", "--dry-run"];
    let out = done(&folder, &[&many[..], &["--shard", "1/3"]].concat());
    let wanted = "327680 rows of retrieval: data/: 5 files, data-00001.jsonl to data-00013.jsonl, \
                  and cookc-1-of-3.json\n";
    assert!(out.starts_with(wanted), "{out}");
    assert!(out.contains("at most 327680 unique prompts: the texts can show "), "{out}");
    assert!(!folder.path().join("data").exists());
    write(&folder, "few.cook", "n ~ uniform(1..8)\nprompt \"Say {n}.\"\nreply \"{n}\"\n");
    let out = done(&folder, &["generate", "few.cook", "-n", "20", "--dry-run"]);
    assert!(out.contains("at most 8 unique prompts: no fewer than 12 rows repeat one\n"), "{out}");
}

/// A size as the dry run writes one below a mebibyte.
fn indicatif_bytes(bytes: u64) -> String {
    format!("{:.2} KiB", bytes as f64 / 1024.0)
}

#[test]
fn what_cannot_be_written_is_refused_before_any_work() {
    let folder = folder();
    fs::create_dir(folder.path().join("mine")).expect("a folder");
    write(&folder, "mine/notes", "mine");
    write(&folder, "file", "mine");
    let of = |more: &[&'static str]| [&["generate", "std:retrieval"], more].concat();
    for (arguments, code, wanted) in [
        (of(&["-n", "0"]), 2, "invalid value '0' for '--samples"),
        (
            of(&["-n", "9", "-o", "a.parqet"]),
            2,
            "no format has the ending .parqet: write `.parquet`",
        ),
        (of(&["-n", "9", "--shape", "mesages"]), 2, "a similar value exists: 'messages'"),
        (of(&["-n", "9", "--format", "parket"]), 2, "a similar value exists: 'parquet'"),
        (of(&["-n", "9", "--format", "parquet"]), 2, "parquet is no text for standard output"),
        (of(&["-n", "9", "--format", "webdataset"]), 2, "name a file, such as `-o data.tar`"),
        (of(&["-n", "9", "--shard", "5/4", "-o", "x/"]), 2, "so the last is 3/4"),
        (of(&["-n", "9", "--shard", "1/0", "-o", "x/"]), 2, "write I/N, such as 0/4"),
        (of(&["-n", "9", "-o", "mine"]), 1, "mine holds other files: name an empty folder"),
        (of(&["-n", "9", "-o", "none/a.jsonl"]), 3, "there is no folder none"),
        (of(&["-n", "9", "-o", "file/"]), 3, "cannot write file/"),
    ] {
        let output = cookc(&folder, &arguments);
        let [_, err] = texts(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {err}");
        assert!(err.contains(wanted), "{wanted}: {err}");
    }
    let names = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!((names, read(&folder, "file")), (2, "mine".to_string()));
}

/// Limits the size of files that a shell's command writes, as a full disk does, in blocks of 512
/// bytes; the signal that comes with it is ignored.
#[cfg(unix)]
fn with_small_files(folder: &TempDir, command: &str) -> Output {
    let cookc = env!("CARGO_BIN_EXE_cookc");
    let line = format!("trap '' XFSZ; ulimit -f 200; {cookc} {command}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]).current_dir(folder.path()).output().expect("a shell")
}

/// The path of a file as the system has it.
#[cfg(unix)]
fn real(folder: &TempDir, name: &str) -> String {
    fs::canonicalize(folder.path().join(name)).expect("a file").display().to_string()
}

#[test]
#[cfg(unix)]
fn a_disk_that_is_full_leaves_nothing_half_written() {
    let folder = folder();
    for ending in ENDINGS {
        let file = format!("a.{ending}");
        write(&folder, &file, "before");
        let output =
            with_small_files(&folder, &format!("generate std:retrieval -n 9000 -o {file}"));
        let [_, err] = texts(&output);
        assert_eq!(output.status.code(), Some(3), "{err}");
        let wanted = format!("error: cannot write {}: File too large", real(&folder, &file));
        assert!(err.starts_with(&wanted), "{err}");
        assert_eq!(read(&folder, &file), "before");
        fs::remove_file(folder.path().join(file)).expect("it is there");
    }
    // Rows that the next run goes on with.
    for name in fs::read_dir(folder.path()).expect("a folder").flatten() {
        let name = name.file_name().to_string_lossy().into_owned();
        assert!(name.starts_with(".cookc-a.") && !name.contains("parquet"), "{name}");
    }
    let sharded = "generate std:retrieval -n 3000 -o data/ --format";
    for (format, sizes) in [("jsonl", "100"), ("parquet", "100")] {
        // Some files fit, and the disk is full at a larger one.
        let good = format!("{sharded} {format} --shard-size {sizes}");
        assert!(with_small_files(&folder, &good).status.success());
        fs::remove_dir_all(folder.path().join("data")).expect("it is there");
        let large = format!("{sharded} {format} --shard-size 3000");
        assert_eq!(with_small_files(&folder, &large).status.code(), Some(3));
        // The manifest comes first, so that whatever ends the work, it can be resumed.
        let data = fs::read_dir(folder.path().join("data")).expect("a folder").flatten();
        let names: Vec<_> = data.map(|entry| entry.file_name()).collect();
        assert_eq!(names, ["cookc.json"], "{format}");
        done(&folder, &large.split(' ').chain(["--resume"]).collect::<Vec<_>>());
        assert_eq!(found(&folder, &["data", "verify", "data"]).1["made_again"], 3000);
        fs::remove_dir_all(folder.path().join("data")).expect("it is there");
    }
}

#[test]
#[cfg(unix)]
fn a_reader_that_closes_the_pipe_ends_the_work_without_a_word() {
    let folder = folder();
    let cookc = env!("CARGO_BIN_EXE_cookc");
    let line = format!("{cookc} generate std:retrieval -n 100000 | head -1 | wc -l");
    let mut shell = Command::new("sh");
    let output = shell.args(["-c", &line]).current_dir(folder.path()).output().expect("a shell");
    assert_eq!(texts(&output), ["1\n".to_string(), String::new()]);
}

#[test]
fn a_manifest_of_another_data_set_or_of_none_is_told() {
    let folder = folder();
    done(&folder, &["generate", "std:retrieval", "-n", "9", "-o", "data/"]);
    let manifest: Value = serde_json::from_str(&read(&folder, "data/cookc.json")).expect("JSON");
    let changed = |name: &str, value: Value| {
        let mut manifest = manifest.clone();
        manifest[name] = value;
        write(&folder, "data/cookc.json", &manifest.to_string());
    };
    let resume = ["generate", "std:retrieval", "-n", "9", "-o", "data/", "--resume"];
    let says = |arguments: &[&str], wanted: &str| {
        let output = cookc(&folder, arguments);
        let [_, err] = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(err.contains(wanted), "{wanted}: {err}");
    };
    changed("cookc", json!("0.0.9"));
    says(&resume, "its version of cookc is 0.0.9, and ");
    changed("of", json!("other/0123456789abcdef/train/0/ as full in jsonl"));
    says(&resume, "data/ holds another data set: its data is other/");
    write(&folder, "data/cookc.json", "{\"of\": 1}");
    says(&resume, "data/cookc.json is no manifest of cookc");
    says(&["data", "verify", "data"], "data/cookc.json: ");
    says(&["data", "make", "data", "-o", "again/"], "it is no manifest of cookc");
    let mut unsafe_manifest = manifest.clone();
    unsafe_manifest["made"]["files"] = json!({"retrieval.cook": "prompt \"\"\n"});
    write(&folder, "data/cookc.json", &unsafe_manifest.to_string());
    says(&["data", "make", "data", "-o", "again/"], "retrieval");
    let mut without = manifest;
    without["made"] = Value::Null;
    write(&folder, "data/cookc.json", &without.to_string());
    says(&["data", "make", "data", "-o", "again/"], "it does not say what the data set was made");
    assert!(!Path::new(&folder.path().join("again")).exists());
}
