//! `cookc run` as several processes: started in each way, and ended in each way.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::run::untimed;

const TEMPLATE: &str = "\
words ~ distinct(2, vocab)
said  = words
rule same: said == words
prompt \"Say {words} :\"
reply \"{said}\"
";

const RECIPE: &str = "\
[model]
base = \"scratch:tiny\"
hidden_size = 16
[[template]]
file = \"say.cook\"
[data]
vocab = 16
max_length = 32
[train]
steps = 6
micro_batch_size = 8
learning_rate = 1e-2
[eval]
samples = 4
";

/// Makes rank 0 say where it is.
const JUDGED: (&str, &str) = ("samples = 4", "samples = 4\nevery = 5");

/// A run that lasts until it is ended.
const LONG: [(&str, &str); 2] = [("steps = 6", "steps = 100000"), JUDGED];

/// How the message about a killed rank goes on.
const ENDED: &str = "is lost: it ended, or its machine did; go on with `cookc run --resume";

/// What a process said and how it ended.
#[derive(Clone, Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub err: String,
}

pub fn kitchen(changes: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let recipe = changes.iter().fold(RECIPE.to_string(), |text, (a, b)| text.replace(a, b));
    fs::write(folder.path().join("say.cook"), TEMPLATE).expect("a file");
    fs::write(folder.path().join("tiny.toml"), recipe).expect("a file");
    folder
}

/// `cookc run` with variables, and none of those that may be set where the tests run.
pub fn command(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let of_launcher = ["SLURM_", "OMPI_", "MASTER_", "COOKC_"];
        let is_one = of_launcher.iter().any(|start| name.starts_with(start));
        if is_one || ["RANK", "WORLD_SIZE", "LOCAL_RANK"].contains(&&*name) {
            command.env_remove(&*name);
        }
    }
    command.current_dir(folder).arg("run").args(arguments).args(["--threads", "1"]);
    command.envs(variables.iter().copied()).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn done(mut command: Command) -> Done {
    let output = command.stdout(Stdio::piped()).output().expect("the command starts");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    Done { code: output.status.code(), err }
}

/// The processes of a run, started one by one as a launcher does.
pub struct Ranks {
    children: Vec<Child>,
    said: Vec<Lines<BufReader<ChildStderr>>>,
}

impl Ranks {
    pub fn start(size: usize, command: impl Fn(usize) -> Command) -> Ranks {
        let start = |rank| command(rank).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut children: Vec<Child> = (0..size).map(start).collect();
        let lines =
            |child: &mut Child| BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let said = children.iter_mut().map(lines).collect();
        Ranks { children, said }
    }

    /// As torchrun would, at a port of its own.
    fn of_torchrun(folder: &Path, arguments: &[&str], size: usize, timeout: &str) -> Ranks {
        let port = free_port().to_string();
        Ranks::start(size, |rank| {
            let (rank, size) = (rank.to_string(), size.to_string());
            let variables = [
                ("RANK", &*rank),
                ("WORLD_SIZE", &size),
                ("LOCAL_RANK", &rank),
                ("MASTER_ADDR", "127.0.0.1"),
                ("COOKC_PORT", &port),
                ("COOKC_TIMEOUT", timeout),
            ];
            command(folder, arguments, &variables)
        })
    }

    /// Waits until rank 0 is at a step.
    pub fn await_step(&mut self, step: u64) {
        let start = format!("step {step}");
        let found = self.said[0].find(|line| line.as_ref().is_ok_and(|it| it.starts_with(&start)));
        assert!(found.is_some(), "rank 0 comes to step {step}");
    }

    /// The process of a rank.
    pub fn id(&self, rank: usize) -> u32 {
        self.children[rank].id()
    }

    pub fn signal(&self, rank: usize, signal: &str) {
        let process = self.children[rank].id().to_string();
        let sent = Command::new("kill").args([signal, &process]).status().expect("kill is there");
        assert!(sent.success());
    }

    pub fn end(self) -> Vec<Done> {
        let pairs = self.children.into_iter().zip(self.said);
        let end = |(mut child, said): (Child, Lines<BufReader<ChildStderr>>)| {
            let lines: Vec<String> = said.map_while(Result::ok).collect();
            Done { code: child.wait().expect("it ends").code(), err: lines.join("\n") }
        };
        pairs.map(end).collect()
    }
}

/// A port that nobody listens at, and that is given to no other test: those that the system gives
/// out by itself lie above 32767.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + (std::process::id() % 200) as u16 * 100;
    let mut ports = std::iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed));
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a port is free")
}

fn metrics(run: &Path) -> String {
    fs::read_to_string(run.join("metrics.jsonl")).expect("metrics are there")
}

fn losses(run: &Path) -> Vec<f64> {
    let losses = metrics(run);
    let loss = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["loss"].as_f64();
    losses.lines().filter_map(loss).collect()
}

/// Samples, tokens and label tokens of each step.
fn counts(run: &Path) -> Vec<[Value; 3]> {
    let text = metrics(run);
    let count = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        ["samples", "tokens", "label_tokens"].map(|key| line[key].clone())
    };
    text.lines().map(count).collect()
}

fn trained(folder: &Path, arguments: &[&str]) {
    let done = done(command(folder, arguments, &[]));
    assert_eq!(done.code, Some(0), "{}", done.err);
}

#[test]
fn several_processes_learn_what_one_does_and_write_one_run() {
    let folder = kitchen(&[]);
    let of = |out: &str| folder.path().join(out);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "one"]);
    let alone = losses(&of("one"));
    for count in ["2", "4"] {
        let arguments = ["--train", "tiny.toml", "--processes", count, "--out", count];
        trained(folder.path(), &arguments);
        let together = losses(&of(count));
        assert_eq!(together.len(), alone.len());
        for (a, b) in alone.iter().zip(&together) {
            assert!((a - b).abs() < 1e-4 * a, "{count}: {alone:?} {together:?}");
        }
        assert_eq!(counts(&of("one")), counts(&of(count)));
        assert!(of(count).join("report.html").is_file());
    }
    trained(folder.path(), &["--train", "tiny.toml", "--processes", "4", "--out", "again"]);
    assert_eq!(untimed(&of("again")), untimed(&of("4")), "the same bits again");
}

#[test]
fn two_processes_give_the_bits_of_one_that_takes_their_shares_in_turn() {
    let halves = (
        "micro_batch_size = 8",
        "micro_batch_size = 4\ngradient_accumulation_steps = 2\nneftune_noise_alpha = 5",
    );
    let folder = kitchen(&[halves, ("[train]", "[lora]\nrank = 2\ndropout = 0.3\n[train]")]);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "one"]);
    trained(folder.path(), &["--train", "tiny.toml", "--processes", "2", "--out", "two"]);
    let of = |out: &str| untimed(&folder.path().join(out));
    assert_eq!(of("one"), of("two"));
    let adapter = |out: &str| {
        let path = folder.path().join(out).join("adapter/adapter_model.safetensors");
        fs::read(path).expect("an adapter")
    };
    assert_eq!(adapter("one"), adapter("two"));
}

#[test]
fn a_killed_rank_ends_all_and_the_run_goes_on_as_if_nothing_had_happened() {
    let changes = [("steps = 6", "steps = 300"), LONG[1]];
    let folder = kitchen(&changes);
    trained(folder.path(), &["--train", "tiny.toml", "--processes", "3", "--out", "whole"]);
    let arguments = ["--train", "tiny.toml", "--out", "killed"];
    let mut ranks = Ranks::of_torchrun(folder.path(), &arguments, 3, "60");
    ranks.await_step(10);
    let killed = Instant::now();
    ranks.signal(1, "-KILL");
    let ended = ranks.end();
    assert!(killed.elapsed() < Duration::from_secs(20), "{:?}", killed.elapsed());
    assert_eq!(ended[1].code, None);
    for rank in [0, 2] {
        let done = &ended[rank];
        assert_eq!(done.code, Some(3), "{}", done.err);
        assert!(done.err.contains(&format!("rank 1 {ENDED} killed`")), "{}", done.err);
    }
    trained(folder.path(), &["--resume", "killed", "--processes", "3"]);
    let of = |out: &str| untimed(&folder.path().join(out));
    assert_eq!(of("killed"), of("whole"));
}

#[test]
fn rank_0_killed_ends_all_too() {
    let folder = kitchen(&LONG);
    let mut ranks = Ranks::of_torchrun(folder.path(), &["--train", "tiny.toml"], 2, "60");
    ranks.await_step(5);
    ranks.signal(0, "-KILL");
    let ended = ranks.end();
    assert_eq!(ended[1].code, Some(3), "{}", ended[1].err);
    assert!(ended[1].err.contains(&format!("rank 0 {ENDED} runs/tiny`")), "{}", ended[1].err);
}

#[test]
fn a_rank_that_does_not_answer_ends_all() {
    let folder = kitchen(&LONG);
    let mut ranks = Ranks::of_torchrun(folder.path(), &["--train", "tiny.toml"], 3, "4");
    ranks.await_step(5);
    let stopped = Instant::now();
    ranks.signal(1, "-STOP");
    let silent = ranks.children.remove(1);
    let _ = ranks.said.remove(1);
    let ended = ranks.end();
    assert!(stopped.elapsed() < Duration::from_secs(25), "{:?}", stopped.elapsed());
    for done in ended {
        assert_eq!(done.code, Some(3), "{}", done.err);
        assert!(done.err.contains("rank 1 is lost: it did not answer for 4 s"), "{}", done.err);
    }
    let mut rest = Ranks { children: vec![silent], said: Vec::new() };
    rest.signal(0, "-KILL");
    rest.children[0].wait().expect("it ends");
}

#[test]
fn ctrl_c_on_one_rank_ends_all_and_leaves_a_checkpoint() {
    let folder = kitchen(&LONG);
    let mut ranks = Ranks::of_torchrun(folder.path(), &["--train", "tiny.toml"], 2, "60");
    ranks.await_step(5);
    ranks.signal(1, "-INT");
    let ended = ranks.end();
    assert_eq!((ended[0].code, ended[1].code), (Some(130), Some(130)), "{ended:?}");
    assert!(ended[0].err.contains("rank 1 was interrupted"), "{}", ended[0].err);
    let checkpoints = folder.path().join("runs/tiny/checkpoints");
    assert_eq!(fs::read_dir(checkpoints).expect("a folder").count(), 1);
}

#[test]
fn ctrl_c_on_the_launching_process_ends_all() {
    let folder = kitchen(&LONG);
    let arguments = ["--train", "tiny.toml", "--processes", "2"];
    let mut ranks = Ranks::start(1, |_| command(folder.path(), &arguments, &[]));
    ranks.await_step(5);
    ranks.signal(0, "-INT");
    let ended = ranks.end();
    assert_eq!(ended[0].code, Some(130), "{}", ended[0].err);
    assert!(ended[0].err.contains("cookc run --resume runs/tiny"), "{}", ended[0].err);
    assert!(folder.path().join("runs/tiny/checkpoints").is_dir());
}

#[test]
fn ranks_with_different_recipes_or_samples_are_refused_by_all() {
    let folder = kitchen(&[]);
    let other = RECIPE.replace("1e-2", "2e-2");
    fs::write(folder.path().join("other.toml"), other).expect("a file");
    let port = free_port().to_string();
    let ranks = Ranks::start(2, |rank| {
        let recipe = ["tiny.toml", "other.toml"][rank];
        let rank = rank.to_string();
        let variables = [
            ("RANK", &*rank),
            ("WORLD_SIZE", "2"),
            ("MASTER_ADDR", "localhost"),
            ("COOKC_PORT", &port),
            // Without one, anybody may have said it, and the rank itself would be waited for.
            ("COOKC_SECRET", "what only these ranks know"),
        ];
        command(folder.path(), &["--train", recipe], &variables)
    });
    for done in ranks.end() {
        assert_eq!(done.code, Some(1), "{}", done.err);
        let wanted = "rank 1 has another recipe than rank 0: `learning_rate = 0.02`, not \
                      `learning_rate = 0.01`";
        assert!(done.err.contains(wanted), "{}", done.err);
    }
    assert!(!folder.path().join("runs").exists(), "work was begun");
}

#[test]
fn each_launcher_s_environment_makes_one_run() {
    // torchrun's own store listens at MASTER_PORT.
    let store = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let stored = store.local_addr().expect("it has one").port().to_string();
    let ports = [free_port().to_string(), free_port().to_string()];
    let folder = kitchen(&[]);
    // Rank, size and rank on the machine; then what says where rank 0 is.
    for (out, [rank_name, size_name, local_name], others) in [
        (
            "torchrun",
            ["RANK", "WORLD_SIZE", "LOCAL_RANK"],
            vec![("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", &*stored)],
        ),
        (
            "srun",
            ["SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"],
            vec![("SLURM_NNODES", "1"), ("SLURM_NODELIST", "x"), ("COOKC_PORT", &ports[0])],
        ),
        (
            "mpirun",
            ["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"],
            vec![("OMPI_COMM_WORLD_LOCAL_SIZE", "2"), ("COOKC_PORT", &ports[1])],
        ),
    ] {
        let ranks = Ranks::start(2, |rank| {
            let rank = rank.to_string();
            let own = [(rank_name, &*rank), (size_name, "2"), (local_name, &rank)];
            let variables = [&own[..], &others].concat();
            command(folder.path(), &["--train", "tiny.toml", "--out", out], &variables)
        });
        for done in ranks.end() {
            assert_eq!(done.code, Some(0), "{out}: {}", done.err);
        }
        assert_eq!(losses(&folder.path().join(out)).len(), 6);
    }
}

#[test]
fn what_cannot_become_a_group_is_told_before_any_work() {
    let folder = kitchen(&[]);
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let taken = taken.local_addr().map(|at| (taken, at.port().to_string())).expect("it has one");
    let (free, rank) = (free_port().to_string(), |rank: &'static str| ("RANK", rank));
    let (size, host) = (("WORLD_SIZE", "2"), ("MASTER_ADDR", "127.0.0.1"));
    let short = ("COOKC_TIMEOUT", "1");
    let few = ["--train", "tiny.toml"];
    for (arguments, variables, code, wanted) in [
        (&few[..], vec![rank("0")], 2, "RANK is set and WORLD_SIZE is not"),
        (&few, vec![rank("2"), size], 2, "RANK is 2, but WORLD_SIZE is 2"),
        (
            &["--train", "tiny.toml", "--processes", "2"],
            vec![rank("0"), size, host, ("COOKC_PORT", "5")],
            2,
            "the environment makes this rank 0 of 2 processes already",
        ),
        (
            &few,
            vec![rank("0"), size, host, ("COOKC_PORT", &taken.1)],
            3,
            "set COOKC_PORT to a free port",
        ),
        (
            &few,
            vec![rank("0"), size, host, ("COOKC_PORT", &free), short],
            3,
            "rank 1 of 2 did not come",
        ),
        (
            &few,
            vec![rank("1"), size, host, ("COOKC_PORT", &free), short],
            3,
            "rank 0 cannot be reached at 127.0.0.1:",
        ),
        (
            &few,
            vec![rank("0"), ("WORLD_SIZE", "9"), host, ("COOKC_PORT", &free)],
            1,
            "write `micro_batch_size = 9` or more",
        ),
    ] {
        let done = done(command(folder.path(), arguments, &variables));
        assert_eq!(done.code, Some(code), "{wanted}: {}", done.err);
        assert!(done.err.contains(wanted), "no {wanted} in\n{}", done.err);
    }
    assert!(!folder.path().join("runs").exists(), "work was begun");
}

#[test]
fn a_fault_of_the_recipe_is_shown_once_however_many_processes_are_asked_for() {
    let folder = kitchen(&[("micro_batch_size = 8", "micro_bacth_size = 8")]);
    let done = done(command(folder.path(), &["--train", "tiny.toml", "--processes", "3"], &[]));
    assert_eq!(done.code, Some(1));
    assert_eq!(done.err.matches("E702\n").count(), 1, "{}", done.err);
}

#[test]
fn what_another_rank_says_comes_with_its_rank() {
    let folder = kitchen(&[]);
    fs::write(folder.path().join("file"), "").expect("a file");
    let arguments = ["--train", "tiny.toml", "--processes", "2", "--out", "file/run"];
    let done = done(command(folder.path(), &arguments, &[]));
    assert_eq!(done.code, Some(3), "{}", done.err);
    let says = |start: &str| done.err.lines().any(|line| line.starts_with(start));
    let why = "rank 0 is lost: it ended with an error (cannot write file/run";
    assert!(says("error: cannot write file/run"), "{}", done.err);
    assert!(says(&format!("[rank 1] error: of 2 processes, {why}")), "{}", done.err);
}
