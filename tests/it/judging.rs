//! `cookc judge` as a user runs it: rows are judged against their own samples or not at all, and
//! nothing that is read holds it up.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const TEMPLATE: &str = "\
param length in 2..9 = 5
param chance in 0.0..1.0 = 0.5
level long: length = 9
words_ ~ distinct(length, vocab)
kept   ~ coin(chance)
answer = if kept then words_ else reverse(words_)
rule right: answer == words_ or answer == reverse(words_)
prompt \"Words, {kept}: {words_}\"
reply \"{answer}\"
";

struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

fn cookc(folder: &TempDir, arguments: &[&str], input: &str) -> Done {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cookc"))
        .args(arguments)
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("cookc starts");
    // A command that reads no input may be gone before it is written.
    let _ = child.stdin.take().expect("it has an input").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("cookc ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    Done { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A folder with the template under two names, and rows drawn with these options.
fn rows(options: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["one.cook", "other.cook"] {
        fs::write(folder.path().join(name), TEMPLATE).expect("a file");
    }
    let arguments = ["generate", "one.cook", "-n", "3", "-o", "rows.jsonl"];
    let done = cookc(&folder, &[&arguments, options].concat(), "");
    assert_eq!(done.code, Some(0), "{}", done.err);
    folder
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("a file");
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn a_row_names_what_its_sample_is_drawn_with() {
    let options = ["--split", "eval", "--set", "length=07", "--set", "chance=0.50", "--seed", "3"];
    let folder = rows(&options);
    let row = lines(&folder.path().join("rows.jsonl")).swap_remove(0);
    let keys: Vec<&str> = row.as_object().expect("an object").keys().map(String::as_str).collect();
    let wanted =
        ["id", "template", "level", "set", "split", "seed", "index", "prompt", "reply", "fields"];
    assert_eq!(keys, wanted);
    assert_eq!((&row["set"], &row["split"]), (&"length=7 chance=0.5".into(), &"eval".into()));
    let judged = cookc(&folder, &[&["judge", "one.cook", "rows.jsonl"], &options[..]].concat(), "");
    assert!(judged.out.contains("exact 100.0 %"), "{}{}", judged.out, judged.err);
}

#[test]
fn rows_of_other_samples_are_not_scored_and_the_option_to_write_is_named() {
    let cases: [(&[&str], &str, &[&str], &str); 8] = [
        (&[], "one.cook", &["--split", "eval"], "its split is train, and --split eval is judged"),
        (&["--split", "eval"], "one.cook", &[], "write `--split eval`"),
        (
            &["--seed", "4"],
            "one.cook",
            &[],
            "its seed is 4, and --seed 0 is judged: write `--seed 4`",
        ),
        (&["--level", "long"], "one.cook", &[], "write `--level long`"),
        (&[], "one.cook", &["--level", "long"], "leave `--level` out"),
        (&["--set", "length=7"], "one.cook", &[], "write `--set length=7`"),
        (&[], "one.cook", &["--set", "length=7"], "its set is none, and length=7 is judged"),
        (&[], "other.cook", &[], "its template is one, and other is judged"),
    ];
    for (made, template, judged, wanted) in cases {
        let folder = rows(made);
        let done = cookc(&folder, &[&["judge", template, "rows.jsonl"], judged].concat(), "");
        assert_eq!(done.code, Some(1), "{made:?} {judged:?}: {}", done.out);
        assert!(
            done.err.contains("rows.jsonl line 1") && done.err.contains(wanted),
            "{}",
            done.err
        );
    }
}

#[test]
fn a_prompt_of_another_sample_is_found_without_any_other_key() {
    let folder = rows(&["--split", "eval"]);
    let rows = lines(&folder.path().join("rows.jsonl"));
    let bare = |keys: &[&str]| -> String {
        let line = |row: &Value| {
            let kept = keys.iter().map(|key| (key.to_string(), row[*key].clone()));
            format!("{}\n", Value::Object(kept.collect()))
        };
        rows.iter().map(line).collect()
    };
    let judge = |input: &str, options: &[&str]| {
        cookc(&folder, &[&["judge", "one.cook", "-"], options].concat(), input)
    };
    let done = judge(&bare(&["index", "prompt", "reply"]), &[]);
    assert_eq!(done.code, Some(1), "{}", done.out);
    let wanted = "standard input line 1: its prompt is not that of sample 0: expected `";
    assert!(done.err.contains(wanted) && done.err.contains("write `--split eval`"), "{}", done.err);
    let done = judge(&bare(&["index", "prompt", "reply"]), &["--split", "eval"]);
    assert!(done.out.contains("exact 100.0 %"), "{}{}", done.out, done.err);
    // What does not say of which sample it is, is taken for what was asked.
    let done = judge(&bare(&["index", "reply"]), &[]);
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(done.out.contains("exact 0.0 %"), "{}", done.out);
    let changed = TEMPLATE.replace("Words,", "The words,");
    fs::write(folder.path().join("one.cook"), changed).expect("a file");
    let done = judge(&bare(&["index", "prompt", "reply"]), &["--split", "eval"]);
    assert!(done.err.contains("found `Words, "), "{}", done.err);
}

#[test]
fn a_line_without_an_end_is_named() {
    let folder = rows(&[]);
    let mut text = fs::read_to_string(folder.path().join("rows.jsonl")).expect("a file");
    text += &format!("{{\"reply\":\"{}", "x".repeat(16 << 20));
    fs::write(folder.path().join("long.jsonl"), text).expect("a file");
    let done = cookc(&folder, &["judge", "one.cook", "long.jsonl"], "");
    assert_eq!(done.code, Some(1), "{}", done.err);
    let wanted = "long.jsonl line 4 has more than 16777216 bytes: no reply is so long";
    assert!(done.err.contains(wanted), "{}", done.err);
}

#[test]
fn a_signal_ends_it_while_it_waits_for_a_line() {
    for signal in ["-TERM", "-INT"] {
        let folder = rows(&[]);
        let mut child = Command::new(env!("CARGO_BIN_EXE_cookc"))
            .args(["judge", "one.cook", "-", "-o", "scores.jsonl"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("cookc starts");
        // Open until the end, and never written.
        let _input = child.stdin.take().expect("it has an input");
        // The temporary file of the scores is created after the handler of signals is in place.
        let count = || fs::read_dir(folder.path()).expect("a folder").count();
        while count() == 3 {
            std::thread::yield_now();
        }
        let id = child.id().to_string();
        let killed = Command::new("kill").args([signal, &id]).status().expect("kill runs");
        assert!(killed.success());
        assert_eq!(child.wait().expect("it ends").code(), Some(130), "{signal}");
        assert_eq!(count(), 3, "nothing is left of the scores");
    }
}

/// The rows of the template, each changed, as lines.
fn changed(folder: &TempDir, change: impl Fn(u64, &Value) -> Value) -> String {
    let rows = lines(&folder.path().join("rows.jsonl"));
    rows.iter().zip(0..).map(|(row, at)| format!("{}\n", change(at, row))).collect()
}

/// A row with these keys instead of its own.
fn with(row: &Value, keys: Value) -> Value {
    let mut row = row.as_object().expect("an object").clone();
    row.extend(keys.as_object().expect("an object").clone());
    Value::Object(row)
}

#[test]
fn what_a_row_says_is_compared_in_whichever_form_it_says_it() {
    let folder = rows(&["--set", "length=7", "--seed", "3"]);
    let same = ["--set", "length=7", "--seed", "3"];
    let judge = |keys: Value, options: &[&str]| {
        let input = changed(&folder, |_, row| with(row, keys.clone()));
        cookc(&folder, &[&["judge", "one.cook", "-"], options].concat(), &input)
    };
    let right = [
        json!({"set": {"length": 7}}),
        json!({"set": {"length": "7"}}),
        json!({"set": {"length": 7.0}}),
        json!({"set": ["length=7"]}),
        json!({"set": [["length", 7]]}),
        json!({"set": "{\"length\": 7}"}),
        json!({"set": {"length": 7, "chance": null}}),
        json!({"template": "", "split": " train "}),
        json!({"key": {"seed": 3, "split": "train"}, "seed": null, "split": null}),
        json!({"set": "length=7, chance=0.5"}),
        json!({"set": null, "level": null, "split": null, "seed": null}),
        json!({"seed": "3"}),
        json!({"seed": 3.0}),
        json!({"level": ""}),
        json!({"split": "TRAIN"}),
        json!({"template": "one.cook"}),
        json!({"template": "data/one.cook"}),
    ];
    for keys in right {
        let done = judge(keys.clone(), &same);
        assert!(done.out.contains("exact 100.0 %"), "{keys}: {}{}", done.out, done.err);
    }
    let wrong = [
        (
            json!({"set": {"length": 9}}),
            "its set is length=9, and length=7 is judged: write `--set",
        ),
        (json!({"set": {}}), "its set is none, and length=7 is judged: leave `--set` out"),
        (json!({"set": {"lenght": 7}}), "its set is lenght=7: "),
        (json!({"set": {"length": 99999}}), "its set is length=99999: "),
        (json!({"set": 7}), "its \"set\" must be a text such as"),
        (json!({"set": {"length": [7]}}), "its \"set\" must be a text such as"),
        (json!({"seed": "4"}), "its seed is 4, and --seed 3 is judged"),
        (json!({"seed": -1}), "its \"seed\" must be an integer"),
        (json!({"seed": "three"}), "its \"seed\" must be an integer"),
        (json!({"level": 2}), "its \"level\" must be a name"),
        (json!({"level": "hard"}), "the template has no level `hard`"),
        (json!({"split": "validation"}), "the splits are train and eval"),
        (json!({"metadata": {"seed": 4}, "seed": null}), "its seed is 4, and --seed 3 is judged"),
        (json!({"split": 0}), "its \"split\" must be a name"),
        (json!({"template": ["one"]}), "its \"template\" must be a name"),
        (json!({"prompt": 7}), "its \"prompt\" must be a text, or messages"),
        (json!({"prompt": {"text": "x"}}), "its \"prompt\" must be a text, or messages"),
        (json!({"messages": "x"}), "its \"messages\" must be a list of"),
        (json!({"index": -1}), "its \"index\" must be an integer"),
        (json!({"reply": 7}), "its \"reply\" must be a text"),
    ];
    for (keys, wanted) in wrong {
        let done = judge(keys.clone(), &same);
        assert_eq!(done.code, Some(1), "{keys}: {}", done.out);
        assert!(done.err.contains(wanted), "{keys}: {}", done.err);
    }
    let done = judge(json!({"level": ""}), &["--level", "long", "--seed", "3"]);
    let wanted = "its level is default, and --level long is judged: leave `--level` out";
    assert!(done.err.contains(wanted), "{}", done.err);
}

#[test]
fn settings_that_draw_the_same_samples_are_the_same() {
    let folder = rows(&[]);
    let done = cookc(&folder, &["judge", "one.cook", "rows.jsonl", "--set", "length=5"], "");
    assert!(done.out.contains("exact 100.0 %"), "{}{}", done.out, done.err);
    let folder = rows(&["--set", "length=5"]);
    let done = cookc(&folder, &["judge", "one.cook", "rows.jsonl"], "");
    assert!(done.out.contains("exact 100.0 %"), "{}{}", done.out, done.err);
}

#[test]
fn rows_of_a_chat_are_compared_and_their_ids_are_no_trap() {
    let folder = rows(&["--split", "eval"]);
    let chat = |row: &Value| {
        json!([
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": row["prompt"]},
            {"role": "assistant", "content": row["reply"]},
        ])
    };
    let judge = |input: &str, options: &[&str]| {
        cookc(&folder, &[&["judge", "one.cook", "-"], options].concat(), input)
    };
    let eval = ["--split", "eval"];
    let rows = changed(&folder, |at, row| json!({"messages": chat(row), "id": at}));
    let done = judge(&rows, &eval);
    assert!(done.out.contains("exact 100.0 %"), "{}{}", done.out, done.err);
    let done = judge(&rows, &[]);
    assert!(done.err.contains("its prompt is not that of sample 0"), "{}{}", done.out, done.err);
    assert!(done.err.contains("write `--split eval`"), "{}", done.err);
    let turned: String = rows.lines().rev().map(|line| format!("{line}\n")).collect();
    let done = judge(&turned, &eval);
    assert!(done.out.contains("exact 100.0 %"), "by their ids: {}{}", done.out, done.err);
    let by_place = changed(&folder, |at, row| json!({"messages": chat(row), "id": 100 + at}));
    let done = judge(&by_place, &eval);
    assert!(done.out.contains("exact 100.0 %"), "by their lines: {}{}", done.out, done.err);
    let prompts = changed(&folder, |at, row| {
        let prompt =
            json!([{"role": "user", "content": [{"type": "text", "text": row["prompt"]}]}]);
        json!({"prompt": prompt, "reply": row["reply"], "index": at.to_string()})
    });
    let done = judge(&prompts, &eval);
    assert!(done.out.contains("exact 100.0 %"), "{}{}", done.out, done.err);
    let shared = changed(&folder, |_, row| {
        let asked = json!({"from": "human", "value": row["prompt"]});
        json!({"conversations": [asked, {"from": "gpt", "value": row["reply"]}]})
    });
    let done = judge(&shared, &eval);
    assert!(done.out.contains("exact 100.0 %"), "{}{}", done.out, done.err);
    assert!(judge(&shared, &[]).err.contains("its prompt is not that of sample 0"));
    let bare = changed(&folder, |at, row| json!({"id": 2 - at, "reply": row["reply"]}));
    let done = judge(&bare, &eval);
    assert!(done.err.contains("its id is 2, and as line 0 from 0"), "{}{}", done.out, done.err);
    let named = changed(&folder, |at, row| json!({"id": format!("r{at}"), "reply": row["reply"]}));
    let done = judge(&named, &eval);
    assert!(done.out.contains("exact 100.0 %"), "{}{}", done.out, done.err);
}

#[test]
fn replies_that_the_pages_call_right_are_right() {
    for (page, figure) in [
        ("README.md", "exact 75.0 %"),
        ("docs/tutorial.md", "exact 33.3 %"),
        ("docs/commands/judge.md", "exact 50.0 %"),
    ] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
        let text = std::fs::read_to_string(path).expect("the page is there");
        assert!(text.contains(figure), "{page} has {figure}");
    }
}
