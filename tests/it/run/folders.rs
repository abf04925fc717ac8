//! Run folders and outputs that several processes want at once, or that killed ones have left.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use super::{RECIPE, command, cookc, kitchen, text, trained};

/// What a killed process leaves half-written has such a name.
const HALF: &str = ".cookc-0123456789.part";

/// A run that does not end by itself, at work.
fn endless(folder: &Path, arguments: &[&str]) -> Child {
    let recipe = RECIPE.replace("steps = 20", "steps = 1000000");
    fs::write(folder.join("endless.toml"), recipe).expect("a file");
    let mut child = command(folder, &[&["run", "--train", "endless.toml"], arguments].concat())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let works = lines.any(|line| line.is_ok_and(|line| line.starts_with("step 10")));
    assert!(works, "it trains");
    child
}

fn kill(mut child: Child) {
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
}

/// Names below a folder that begin with a point.
fn hidden(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(path) = open.pop() {
        for entry in fs::read_dir(path).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
                found.push(path.display().to_string());
            }
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    found
}

#[test]
fn a_run_folder_is_written_by_one_process_at_a_time_and_free_after_a_kill() {
    let folder = kitchen(RECIPE);
    let child = endless(folder.path(), &["--out", "run"]);
    let into = ["run", "--train", "tiny.toml", "--out", "run"];
    for arguments in [&["run", "--resume", "run"][..], &into, &[&into[..], &["--force"]].concat()] {
        let done = cookc(folder.path(), arguments);
        assert_eq!(done.code, 1, "{arguments:?}: {}", done.err);
        assert!(done.err.contains("another cookc is writing to run"), "{}", done.err);
    }
    kill(child);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "run", "--force"]);
}

#[test]
fn of_two_runs_into_one_new_folder_one_has_it() {
    let folder = kitchen(RECIPE);
    let start = || {
        let mut command = command(folder.path(), &["run", "--train", "tiny.toml", "--out", "new"]);
        command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().expect("it starts")
    };
    let children = [start(), start()];
    let mut codes = children.map(|mut child| child.wait().expect("it ends").code());
    codes.sort();
    assert_eq!(codes, [Some(0), Some(1)]);
    let lines = text(folder.path().join("new/metrics.jsonl"));
    assert_eq!(lines.lines().filter(|line| line.contains("\"loss\"")).count(), 20);
}

#[test]
fn what_a_forced_run_replaces_is_gone_before_its_first_step_and_its_base_stays() {
    let folder = kitchen(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "run"]);
    kill(endless(folder.path(), &["--out", "run", "--force"]));
    let run = folder.path().join("run");
    for name in ["report.json", "report.html", "samples.jsonl", "model"] {
        assert!(!run.join(name).exists(), "{name} is of another run");
    }
    trained(folder.path(), &["--train", "tiny.toml", "--out", "run", "--force"]);
    let weights = || fs::read(run.join("model/model.safetensors")).expect("weights");
    let before = weights();
    let adapt = RECIPE
        .replace("base = \"scratch:tiny\"\nhidden_size = 16", "base = \"run/model\"")
        .replace("[train]", "[lora]\nrank = 2\n[train]");
    fs::write(folder.path().join("adapt.toml"), adapt).expect("a file");
    trained(folder.path(), &["--train", "adapt.toml", "--out", "run", "--force"]);
    assert!(weights() == before, "the base was deleted or written");
    // A folder that no run wrote keeps what is in it.
    let mine = folder.path().join("mine");
    fs::create_dir_all(mine.join("model")).expect("a folder");
    fs::write(mine.join("model/notes"), "mine").expect("a file");
    trained(folder.path(), &["--train", "tiny.toml", "--out", "mine", "--force"]);
    assert_eq!(text(mine.join("model/notes")), "mine");
}

#[test]
fn what_killed_processes_left_goes_at_the_next_start() {
    let folder =
        kitchen(&RECIPE.replace("save_steps = 10", "save_steps = 6\nsave_total_limit = 2"));
    trained(folder.path(), &["--train", "tiny.toml", "--out", "run"]);
    let run = folder.path().join("run");
    for name in ["", "checkpoints", "model", "best/model"] {
        fs::write(run.join(name).join(HALF), "half").expect("a file");
    }
    // A kill between a checkpoint and the deletion of the one before leaves one too many.
    let recipe =
        text(run.join("recipe.toml")).replace("save_total_limit = 2", "save_total_limit = 1");
    fs::write(run.join("recipe.toml"), recipe).expect("a file");
    assert_eq!(fs::read_dir(run.join("checkpoints")).expect("a folder").count(), 3);
    trained(folder.path(), &["--resume", "run"]);
    assert_eq!(hidden(&run), [""; 0]);
    assert_eq!(fs::read_dir(run.join("checkpoints")).expect("a folder").count(), 1);
}

#[test]
fn a_data_set_that_was_killed_leaves_nothing_after_the_next() {
    let folder = kitchen(RECIPE);
    let arguments = ["generate", "std:retrieval", "-n", "100000000", "-o", "out.jsonl"];
    let mut child = command(folder.path(), &arguments).spawn().expect("it starts");
    let begun = |name: &String| fs::metadata(name).is_ok_and(|file| file.len() > 0);
    while !hidden(folder.path()).iter().any(begun) {
        assert!(child.try_wait().expect("it can be asked").is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    // Another's half is not taken while it is at work.
    let small = ["generate", "std:retrieval", "-n", "10", "-o", "out.jsonl"];
    let second = cookc(folder.path(), &small);
    assert_eq!(second.code, 1, "two writers of one file");
    assert!(second.err.contains("another cookc is writing out.jsonl"), "{}", second.err);
    kill(child);
    assert!(!hidden(folder.path()).is_empty(), "a kill leaves what is written");
    assert_eq!(cookc(folder.path(), &small).code, 0);
    assert_eq!(hidden(folder.path()), [""; 0]);
    assert_eq!(text(folder.path().join("out.jsonl")).lines().count(), 10);
}

#[test]
fn a_merged_folder_appears_whole_and_what_a_kill_left_of_one_is_swept() {
    let folder = kitchen(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "base"]);
    let adapt = RECIPE
        .replace("base = \"scratch:tiny\"\nhidden_size = 16", "base = \"base/model\"")
        .replace("[train]", "[lora]\nrank = 2\n[train]");
    fs::write(folder.path().join("adapt.toml"), adapt).expect("a file");
    trained(folder.path(), &["--train", "adapt.toml", "--out", "run"]);
    let half = folder.path().join(HALF);
    fs::create_dir(&half).expect("a folder");
    fs::write(half.join("config.json"), "{}").expect("a file");
    let merge = ["merge", "base/model", "--adapter", "run/adapter", "--out", "merged"];
    let start = || command(folder.path(), &merge).stderr(Stdio::null()).spawn().expect("it starts");
    let mut codes = [start(), start()].map(|mut child| child.wait().expect("it ends").code());
    codes.sort();
    assert_eq!(codes, [Some(0), Some(1)], "two at once: one has it");
    assert_eq!(hidden(folder.path()), [""; 0]);
    let merged = folder.path().join("merged");
    for name in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"] {
        assert!(merged.join(name).is_file(), "{name}");
    }
    fs::create_dir(folder.path().join("empty")).expect("a folder");
    let done = cookc(folder.path(), &[&merge[..5], &["empty"]].concat());
    assert_eq!(done.code, 0, "{}", done.err);
    let same = |name: &str| fs::read(folder.path().join(name).join("model.safetensors"));
    assert!(same("empty").expect("weights") == same("merged").expect("weights"));
}
