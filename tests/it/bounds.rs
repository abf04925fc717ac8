//! What a stranger's file may cost: time, memory and threads have a most, and nothing in it steers
//! the terminal or is waited for without end.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Far more than any of these takes, and far less than what does not end.
const SOON: Duration = Duration::from_secs(60);

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command
}

/// What a command says that ends soon, with its exit code.
#[track_caller]
fn run(folder: &Path, arguments: &[&str], code: i32) -> String {
    let start = Instant::now();
    let Output { status, stdout, stderr } =
        command(folder, arguments).output().expect("cookc starts");
    assert!(start.elapsed() < SOON, "{arguments:?}: {:?}", start.elapsed());
    let text = String::from_utf8([stdout, stderr].concat()).expect("UTF-8");
    assert_eq!(status.code(), Some(code), "{arguments:?}: {text}");
    text
}

const END: &str = "prompt \"{a}\"\nreply \"{a}\"\n";

/// Lists in one another, each around two of the one before.
fn nested(name: &str, depth: usize) -> String {
    let lists = (0..depth).map(|at| format!("{name}{} = [{name}{at}, {name}{at}]\n", at + 1));
    format!("{name}0 = [1]\n{}", lists.collect::<String>())
}

#[test]
fn lists_in_one_another_cost_no_more_than_their_number() {
    let (one, two) = (nested("n", 50), nested("m", 50));
    for rule in ["size(n50) > 0", "n50 == m50", "m50 in [n50]", "n50 != [m49, m49] or true"] {
        let text = format!("{one}{two}a ~ pick(vocab)\nrule q: {rule}\n{END}");
        let folder = folder(&[("nested.cook", &text)]);
        let said = run(folder.path(), &["test", "nested.cook", "-n", "20", "--allow", "all"], 0);
        assert!(said.contains("passed nested"), "{said}");
        run(folder.path(), &["check", "nested.cook", "--audit"], 0);
        run(folder.path(), &["generate", "nested.cook", "-n", "20"], 0);
    }
}

#[test]
fn a_text_that_no_memory_holds_is_refused_before_it_is_made() {
    for shown in ["{n50}", "{numbered(n50)}", "{join(\"; \", n50)}"] {
        let text = format!(
            "{}a ~ pick(vocab)\nprompt \"\"\"\n  {shown}\n  {{a}}\n  \"\"\"\nreply \"{{a}}\"\n",
            nested("n", 50)
        );
        let folder = folder(&[("long.cook", &text)]);
        let said = run(folder.path(), &["check", "long.cook"], 1);
        assert!(said.contains("E505") || said.contains("E4"), "{said}");
    }
}

#[test]
fn thousands_of_rules_are_audited_in_time_that_grows_with_their_number() {
    let rules: String = (0..2000).map(|at| format!("rule q{at}: size(a) == 3\n")).collect();
    let text = format!("a ~ distinct(3, vocab)\n{rules}{END}");
    let folder = folder(&[("rules.cook", &text)]);
    run(folder.path(), &["test", "rules.cook", "-n", "30"], 1);
}

#[test]
fn many_threads_are_no_more_than_the_machine_has_use_for() {
    let folder = folder(&[]);
    let few = run(folder.path(), &["generate", "std:retrieval", "-n", "10"], 0);
    let many = ["generate", "std:retrieval", "-n", "10", "--threads", "60000"];
    let said = run(folder.path(), &many, 0);
    assert!(said.starts_with(&few), "{said}");
    assert!(said.contains("--threads is 60000; ") && said.contains("the most here"), "{said}");
    let mut limited = command(folder.path(), &["generate", "std:retrieval", "-n", "10"]);
    let limited = limited.env("RAYON_NUM_THREADS", "60000").output().expect("cookc starts");
    assert_eq!(limited.stdout, few.as_bytes());
}

#[cfg(target_os = "linux")]
#[test]
fn samples_that_are_made_at_once_fit_into_the_memory_that_the_book_says() {
    let sums = (0..24).map(|at| format!("n{} = n{at} + n{at}\n", at + 1)).collect::<String>();
    let text = format!("n0 = [1]\n{sums}a ~ pick(vocab)\nrule q: size(n24) > 0\n{END}");
    let folder = folder(&[("big.cook", &text)]);
    for arguments in [
        &["generate", "big.cook", "-n", "16", "--threads", "16"][..],
        &["test", "big.cook", "-n", "2", "--threads", "16"],
    ] {
        let mut child = command(folder.path(), arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("cookc starts");
        let status = format!("/proc/{}/status", child.id());
        let mut most = 0;
        while child.try_wait().expect("it is ours").is_none() {
            let said = fs::read_to_string(&status).unwrap_or_default();
            let peak = said.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kilobytes = peak.and_then(|it| it.trim().split(' ').next()?.parse().ok());
            most = most.max(kilobytes.unwrap_or(0));
            std::thread::park_timeout(Duration::from_millis(20));
        }
        assert!(most > 0 && most < 1 << 20, "{arguments:?}: {most} KiB");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_an_audit_whose_samples_take_long() {
    let slow = "a ~ pick(vocab)\nn = sum(for x in 1..1000000: sum(for y in 1..200: x % 7))\n";
    let folder = folder(&[("slow.cook", &format!("{slow}{END}"))]);
    for (arguments, signal) in [
        (&["test", "slow.cook", "-n", "100000"][..], "-INT"),
        (&["check", "slow.cook", "--audit"], "-TERM"),
        (&["generate", "slow.cook", "-n", "100000"], "-INT"),
    ] {
        let mut child = command(folder.path(), arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("cookc starts");
        // Long enough that it is at work.
        std::thread::park_timeout(Duration::from_millis(1500));
        let process = child.id().to_string();
        let sent = Command::new("kill").args([signal, &process]).status().expect("kill is there");
        assert!(sent.success());
        let since = Instant::now();
        let status = child.wait().expect("it is ours");
        assert_eq!(status.code(), Some(130), "{arguments:?}");
        assert!(since.elapsed() < Duration::from_secs(10), "{arguments:?}: {:?}", since.elapsed());
    }
}

/// What the terminal would obey, and what would show a text as another.
const STEERING: [&str; 6] =
    ["\u{1b}]0;STRANGER\u{7}", "\u{9b}2J", "\rSTRANGER", "\u{202e}", "\u{2066}", "\u{200b}"];

/// Nothing but line breaks, tabs and our own colours.
#[track_caller]
fn steers_nothing(text: &str) {
    let hidden = |one: char| one.is_control() && !matches!(one, '\n' | '\t');
    let strange = text.chars().find(|&one| {
        hidden(one) || matches!(one, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}')
    });
    assert_eq!(strange, None, "{text:?}");
}

#[test]
fn nothing_that_a_stranger_wrote_steers_the_terminal() {
    for sign in STEERING {
        let comment = format!("// {sign}\na ~ pick(vocab)\n{END}");
        let text = format!("a ~ pick(vocab)\nprompt \"{{a}} {sign}\"\nreply \"{{b}}\"\n");
        let words = format!("good\n{sign}\n");
        let folder = folder(&[
            ("comment.cook", &comment),
            ("text.cook", &text),
            ("words.txt", &words),
            ("copy.cook", &format!("a ~ pick(vocab)\n{END}")),
            ("replies.jsonl", &format!("{{\"reply\": \"x\", \"level\": {sign:?}}}\n{sign}\n")),
        ]);
        let strange = format!("{}.cook", sign.replace('/', ""));
        fs::write(folder.path().join(&strange), "a ~ pcik(vocab)").expect("a file");
        for arguments in [
            &["check", "comment.cook"][..],
            &["check", "text.cook"],
            &["sample", "copy.cook", "--vocab", "words.txt"],
            &["check", &strange],
            &["fmt", &strange, "--check"],
            &["sample", &format!("{sign}none.cook")],
            &["judge", "copy.cook", "replies.jsonl"],
            &["new", sign],
            &["explain", sign],
            &["sample", "std:retrieval", "--level", sign],
            &["sample", "std:retrieval", "--set", &format!("{sign}=1")],
        ] {
            let mut command = command(folder.path(), arguments);
            let Output { stdout, stderr, .. } = command.output().expect("cookc starts");
            let said = String::from_utf8([stdout, stderr].concat()).expect("UTF-8");
            assert!(!said.is_empty(), "{arguments:?}");
            steers_nothing(&said);
        }
        // Wrong arguments are reported by another part of the program.
        let said = run(folder.path(), &["check", &format!("--{sign}")], 2);
        steers_nothing(&said);
    }
}

#[test]
fn what_programs_read_keeps_every_byte() {
    let name = "\u{202e}level";
    let folder = folder(&[("copy.cook", &format!("a ~ pick(vocab)\n{END}"))]);
    let path = format!("{name}.cook");
    fs::write(folder.path().join(&path), "a ~ pcik(vocab)").expect("a file");
    let said = run(folder.path(), &["check", &path, "--format", "json"], 1);
    assert!(said.contains(name), "{said}");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_by_its_name_and_never_waited_for() {
    let pool = |name: &str| format!("words names = \"{name}\"\na ~ pick(names)\n{END}");
    let recipe = "[model]\nbase = \"scratch:tiny\"\n[[template]]\nfile = \"pipe.cook\"\n";
    let folder = folder(&[
        ("pool.cook", &pool("pipe.txt")),
        ("module.cook", &format!("use pipe: f\na ~ pick(vocab)\n{END}")),
        ("copy.cook", &format!("a ~ pick(vocab)\n{END}")),
        ("recipe.toml", recipe),
    ]);
    for name in ["pipe.cook", "pipe.txt", "pipe.toml", "pipe.jsonl"] {
        let made = Command::new("mkfifo").arg(folder.path().join(name)).status();
        assert!(made.expect("mkfifo is there").success());
    }
    for (arguments, wanted) in [
        (&["check", "pipe.cook"][..], "pipe.cook is no file"),
        (&["fmt", "pipe.cook"], "pipe.cook is no file"),
        (&["check", "pool.cook"], "pipe.txt"),
        (&["check", "module.cook"], "pipe"),
        (&["sample", "copy.cook", "--vocab", "pipe.txt"], "pipe.txt is no file"),
        (&["sample", "copy.cook", "--vocab", "/dev/zero"], "/dev/zero is no file"),
        #[cfg(feature = "train")]
        (&["run", "--train", "recipe.toml", "--dry-run"], "pipe.cook is no file"),
        #[cfg(feature = "train")]
        (&["run", "--train", "pipe.toml", "--dry-run"], "pipe.toml is no file"),
    ] {
        let said = run(folder.path(), arguments, 1);
        assert!(said.contains(wanted), "{arguments:?}: {said}");
    }
    // What the shell has opened for this process is read.
    let mut piped = Command::new("sh");
    let line = "printf 'red\\ngreen\\n' | \"$0\" sample copy.cook --vocab /dev/stdin --json";
    piped.args(["-c", line, env!("CARGO_BIN_EXE_cookc")]).current_dir(folder.path());
    assert!(piped.stdout(Stdio::null()).status().expect("sh is there").success());
}
