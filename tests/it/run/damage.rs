//! Files of a run that were damaged or swapped before it goes on: each is right or refused.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{RECIPE, cookc, kitchen, text, trained, untimed};

/// The checkpoints of a run, oldest first.
fn checkpoints(run: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(run.join("checkpoints")).expect("a folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn weights(run: &Path) -> Vec<u8> {
    fs::read(run.join("model/model.safetensors")).expect("weights")
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        match path.is_dir() {
            true => copied(&path, &target),
            false => drop(fs::copy(&path, &target).expect("a copy")),
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_in_a_checkpoint_is_found() {
    let folder = kitchen(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "run"]);
    let run = folder.path().join("run");
    let path = checkpoints(&run).pop().expect("a checkpoint");
    let whole = fs::read(&path).expect("a file");
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().expect("8 bytes")) as usize;
    // The length, the description, its checksum, and each third of the numbers.
    let checksum = whole.windows(8).position(|some| some == b"checksum").expect("it has one");
    let inside = [0, 3, 7, 8, 9, 20, 30, checksum, checksum + 20, header - 1, header, header + 1];
    let steps = (1..24).map(|part| part * (whole.len() - 1) / 23);
    for (number, at) in inside.into_iter().chain(steps).enumerate() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (number % 8);
        fs::write(&path, bytes).expect("a file");
        let done = cookc(folder.path(), &["run", "--resume", "run"]);
        assert_eq!(done.code, 1, "byte {at}: {}", done.err);
        assert!(done.err.contains("step-000000000010.safetensors"), "byte {at}: {}", done.err);
    }
    fs::write(&path, &whole[..whole.len() - 1]).expect("a file");
    assert_eq!(cookc(folder.path(), &["run", "--resume", "run"]).code, 1, "it is cut off");
    fs::write(&path, &whole).expect("a file");
    trained(folder.path(), &["--resume", "run"]);
}

#[test]
fn an_older_whole_checkpoint_is_gone_on_from_and_ends_alike() {
    let recipe =
        RECIPE.replace("micro_batch_size = 8", "micro_batch_size = 8\nsave_total_limit = 2");
    let folder = kitchen(&recipe.replacen("save_steps = 10", "save_steps = 6", 1));
    trained(folder.path(), &["--train", "tiny.toml", "--out", "straight"]);
    let straight = folder.path().join("straight");
    for (name, cut) in [("flipped", None), ("torn", Some(100))] {
        let run = folder.path().join(name);
        copied(&straight, &run);
        let newest = checkpoints(&run).pop().expect("a checkpoint");
        let mut bytes = fs::read(&newest).expect("a file");
        match cut {
            Some(length) => bytes.truncate(length),
            None => *bytes.last_mut().expect("a byte") ^= 2,
        }
        fs::write(&newest, bytes).expect("a file");
        let done = trained(folder.path(), &["--resume", name]);
        assert!(done.err.contains("step-000000000018.safetensors"), "{}", done.err);
        assert!(weights(&run) == weights(&straight), "{name} ends otherwise");
        assert_eq!(untimed(&run), untimed(&straight));
        let names: Vec<String> = checkpoints(&run)
            .iter()
            .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
            .collect();
        let wanted = ["step-000000000012.safetensors", "step-000000000018.safetensors"];
        assert_eq!(names[..2], wanted, "{names:?}");
    }
}

#[test]
fn metrics_that_are_not_those_of_the_run_are_refused_with_the_line() {
    let folder = kitchen(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "run"]);
    let run = folder.path().join("run");
    let (path, whole) = (run.join("metrics.jsonl"), text(run.join("metrics.jsonl")));
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().concat();
    for (damaged, wanted) in [
        (whole[..900].to_string(), "line "),
        (lines[..6].concat(), "ends after step 5, and 10"),
        (String::new(), "ends after step 0, and 10"),
        (without(3), "line 4 is of step 4, not of step 3"),
        (without(0), "its lines are not those that the run wrote"),
        (format!("{}oops\n{}", lines[..4].concat(), lines[4..].concat()), "line 5 is no line"),
        (whole.replacen("\"samples\":8", "\"samples\":9", 1), "are not those"),
        (format!("{}{}", lines[1], whole), "line 3 is of step 1, not of step 2"),
    ] {
        fs::write(&path, &damaged).expect("a file");
        let done = cookc(folder.path(), &["run", "--resume", "run"]);
        assert_eq!(done.code, 1, "{wanted}: {}", done.err);
        let found = done.err.contains("metrics.jsonl") && done.err.contains(wanted);
        assert!(found, "no {wanted} in {}", done.err);
        assert_eq!(text(path.clone()), damaged, "it was written to");
    }
    fs::remove_file(&path).expect("it is there");
    let done = cookc(folder.path(), &["run", "--resume", "run"]);
    assert!(done.code == 1 && done.err.contains("it is gone"), "{}", done.err);
    trained(folder.path(), &["--resume", "run", "--force"]);
    assert!(text(run.join("report.json")).contains("metrics.jsonl: it is gone"));
}

#[test]
fn a_line_that_a_kill_cut_off_after_the_checkpoint_is_no_damage() {
    let folder = kitchen(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "run"]);
    let run = folder.path().join("run");
    let (straight, path) = (untimed(&run), run.join("metrics.jsonl"));
    let whole = text(path.clone());
    let at = whole.find("{\"step\":14,").expect("a line");
    fs::write(&path, &whole[..at + 9]).expect("a file");
    trained(folder.path(), &["--resume", "run"]);
    assert_eq!(untimed(&run), straight);
}

#[test]
fn no_link_in_a_run_folder_is_written_through() {
    let folder = kitchen(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "run"]);
    let [run, mine] = ["run", "mine"].map(|name| folder.path().join(name));
    let metrics = run.join("metrics.jsonl");
    fs::rename(&metrics, &mine).expect("it can be moved");
    symlink(&mine, &metrics).expect("a link");
    let before = text(mine.clone());
    let done = cookc(folder.path(), &["run", "--resume", "run"]);
    assert_eq!(done.code, 1, "{}", done.err);
    assert!(done.err.contains("metrics.jsonl is a link"), "{}", done.err);
    assert_eq!(text(mine.clone()), before);
    fs::remove_file(&metrics).expect("a link");
    fs::copy(&mine, &metrics).expect("a copy");
    // Any other file of the run takes the place of a link.
    for name in ["recipe.toml", "report.json", "model/config.json"] {
        let path = run.join(name);
        match name {
            "recipe.toml" => drop(fs::rename(&path, folder.path().join("kept.toml"))),
            _ => fs::remove_file(&path).expect("it is there"),
        }
        let target =
            if name == "recipe.toml" { folder.path().join("kept.toml") } else { mine.clone() };
        symlink(target, &path).expect("a link");
    }
    let kept = text(folder.path().join("kept.toml"));
    trained(folder.path(), &["--resume", "run"]);
    assert_eq!(text(mine), before);
    assert_eq!(text(folder.path().join("kept.toml")), kept);
}
