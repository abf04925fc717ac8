//! Runs that are killed, or whose disk is full, and go on as if nothing had been.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::{RECIPE, command, kitchen, text, trained, untimed};

/// A hundred steps of adapters, with noise, shots, and several micro-batches.
fn recipe() -> String {
    RECIPE
        .replace(
            "steps = 20",
            "steps = 100\ngradient_accumulation_steps = 2\nneftune_noise_alpha = 5.0",
        )
        .replace("micro_batch_size = 8", "micro_batch_size = 4\nsave_total_limit = 2")
        .replace("vocab = 16", "vocab = 16\nshots = 1")
        .replace("every = 10\n[eval]", "every = 7\n[eval]")
        .replace("every = 10\n", "every = 10\npatience = 100\n")
        .replace("[train]", "[lora]\nrank = 4\n[train]")
}

/// Starts a run, and gives the lines that it says.
fn started(folder: &Path, arguments: &[&str]) -> (Child, Lines<BufReader<ChildStderr>>) {
    let mut child = command(folder, arguments).stderr(Stdio::piped()).spawn().expect("it starts");
    let lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    (child, lines)
}

/// Waits for a line that begins so.
fn wait_for(lines: &mut Lines<BufReader<ChildStderr>>, start: &str) {
    let found = lines.any(|line| line.is_ok_and(|line| line.starts_with(start)));
    assert!(found, "no line `{start}`");
}

/// All that a run leaves, times apart.
fn left(run: &Path) -> Vec<(String, Vec<u8>)> {
    let mut report: Value = serde_json::from_str(&text(run.join("report.json"))).expect("JSON");
    let times = [
        "tokens_per_second",
        "samples_per_second",
        "train_seconds",
        "seconds",
        "peak_memory_bytes",
    ];
    for key in times {
        assert!(report.as_object_mut().expect("an object").remove(key).is_some(), "{key}");
    }
    let mut files = vec![
        ("report.json".to_string(), report.to_string().into_bytes()),
        ("metrics.jsonl".to_string(), untimed(run).into_bytes()),
    ];
    for folder in ["adapter", "best/adapter"] {
        let name = format!("{folder}/adapter_model.safetensors");
        files.push((name.clone(), fs::read(run.join(&name)).expect("an adapter")));
    }
    files.push(("samples.jsonl".to_string(), text(run.join("samples.jsonl")).into_bytes()));
    files
}

#[test]
fn a_run_that_is_killed_at_any_moment_ends_like_one_that_never_was() {
    let folder = kitchen(&recipe());
    trained(folder.path(), &["--train", "tiny.toml", "--out", "straight"]);
    let straight = left(&folder.path().join("straight"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").subsec_nanos();
    // After the line of a judgement it goes on at once: saving, sampling, or in a step.
    for (number, step) in [10, 10 * (2 + now as usize % 7), 90].into_iter().enumerate() {
        let out = format!("killed-{number}");
        let arguments = ["run", "--train", "tiny.toml", "--out", &out];
        let (mut child, mut lines) = started(folder.path(), &arguments);
        wait_for(&mut lines, &format!("step {step}: "));
        child.kill().expect("it can be killed");
        assert!(!child.wait().expect("it ends").success(), "it was killed");
        assert!(!folder.path().join(&out).join("report.json").exists());
        trained(folder.path(), &["--resume", &out]);
        let found = left(&folder.path().join(&out));
        for ((name, found), (_, expected)) in found.iter().zip(&straight) {
            assert!(found == expected, "{name} differs after a kill at step {step}");
        }
        let checkpoints = fs::read_dir(folder.path().join(&out).join("checkpoints"));
        assert_eq!(checkpoints.expect("a folder").count(), 2, "the last two are kept");
    }
}

#[test]
fn ctrl_c_before_a_judgement_that_is_due_does_not_lose_it() {
    let folder = kitchen(&recipe());
    trained(folder.path(), &["--train", "tiny.toml", "--out", "straight"]);
    let (mut child, mut lines) =
        started(folder.path(), &["run", "--train", "tiny.toml", "--out", "stopped"]);
    wait_for(&mut lines, "step 40: ");
    let process = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &process]).status().expect("kill is there");
    assert!(sent.success());
    lines.for_each(drop);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    trained(folder.path(), &["--resume", "stopped"]);
    let runs = ["straight", "stopped"].map(|run| left(&folder.path().join(run)));
    assert!(runs[0] == runs[1]);
}

#[test]
fn a_disk_without_room_is_found_before_the_first_step() {
    let folder = kitchen(&recipe());
    // No file may have more than 16 blocks; the signal is ignored, so that the call fails.
    let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" run --train tiny.toml --out run";
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_cookc")])
        .current_dir(folder.path())
        .output()
        .expect("a shell");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert!(err.contains("no room for 3 checkpoints of"), "{err}");
    assert!(!folder.path().join("run/metrics.jsonl").exists(), "no step was done");
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_leaves_the_last_checkpoint_whole_and_says_how_to_go_on() {
    let folder = kitchen(&recipe());
    trained(folder.path(), &["--train", "tiny.toml", "--out", "straight"]);
    let script = "trap '' XFSZ; exec \"$0\" run --train tiny.toml --out run";
    let mut child = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_cookc")])
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    wait_for(&mut lines, "step 20: ");
    let limit = ["--fsize=16384", "--pid", &child.id().to_string()];
    assert!(Command::new("prlimit").args(limit).status().expect("prlimit is there").success());
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(child.wait().expect("it ends").code(), Some(3), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("cookc run --resume run")), "{rest:?}");
    let run = folder.path().join("run");
    let names = fs::read_dir(run.join("checkpoints")).expect("a folder");
    let names: Vec<String> =
        names.map(|one| one.expect("an entry").file_name().to_string_lossy().into()).collect();
    assert!(!names.is_empty() && names.iter().all(|name| name.starts_with("step-")), "{names:?}");
    trained(folder.path(), &["--resume", "run"]);
    assert!(left(&run) == left(&folder.path().join("straight")));
}
