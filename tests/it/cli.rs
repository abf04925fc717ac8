//! The commands as a user runs them: output, errors, exit codes, and what bad input gets.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A template whose reply is not to be found in its prompt by a cheat.
const GOOD: &str = "\
/// Give the words in the other order.
param length in 2..9 = 5
level long: length = 9
words  ~ distinct(length, vocab)
turned = reverse(words)
rule complete: turned == reverse(words)
prompt \"\"\"
  Words: {words}
  \"\"\"
reply \"{turned}\"
";

/// What a command did.
struct Done {
    code: i32,
    out: String,
    err: String,
}

fn cookc(arguments: &[&str]) -> Done {
    done(Command::new(env!("CARGO_BIN_EXE_cookc")).args(arguments))
}

fn done(command: &mut Command) -> Done {
    let output = command.output().expect("the command starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    let code = output.status.code().expect("no signal ended it");
    Done { code, out: text(output.stdout), err: text(output.stderr) }
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().expect("a UTF-8 path").to_string()
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect()
}

#[track_caller]
fn fails(arguments: &[&str], code: i32, wanted: &str) {
    let done = cookc(arguments);
    assert_eq!(done.code, code, "{arguments:?}: {}{}", done.out, done.err);
    assert!(done.err.contains(wanted), "{wanted:?} in {}", done.err);
    assert!(!done.err.contains("panicked"), "{}", done.err);
}

#[test]
fn every_built_in_template_has_no_error() {
    let done = cookc(&["check", "std:retrieval", "std:document_qa", "std:entity_match"]);
    assert_eq!((done.code, done.out.as_str()), (0, ""), "{}", done.err);
    assert_eq!(done.err, "3 files: no errors\n");
}

#[test]
fn check_shows_faults_for_people_and_for_tools() {
    let folder = folder(&[("bad.cook", &GOOD.replace("~ distinct", "= distinct"))]);
    let file = path(&folder, "bad.cook");
    let readable = cookc(&["check", &file]);
    assert_eq!(readable.code, 1);
    assert!(readable.out.contains("write `words ~ distinct(length, vocab)`"), "{}", readable.out);
    let tools = cookc(&["check", &file, "--format", "json"]);
    assert_eq!(tools.code, 1);
    let error = &json_lines(&tools.out)[0];
    assert_eq!(error["level"], "error");
    assert_eq!(error["labels"][0]["line"], 4);
    assert!(error["code"].as_str().is_some_and(|code| code.starts_with('E')));
    assert!(error["help"].as_str().is_some_and(|help| !help.is_empty()));
}

#[test]
fn check_names_the_level_that_alone_is_at_error() {
    let folder = folder(&[("bad.cook", &GOOD.replace("length = 9\n", "length = 10\n"))]);
    let done = cookc(&["check", &path(&folder, "bad.cook")]);
    assert_eq!(done.code, 1);
    assert!(done.out.contains("at level `long`: `length` = 10 is outside 2..9"), "{}", done.out);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = folder(&[("good.cook", GOOD)]);
    let bad = path(&folder, "bytes.cook");
    fs::write(&bad, b"words \xff").expect("a file");
    for command in ["check", "sample", "test", "inspect", "bench"] {
        fails(&[command, &path(&folder, "godo.cook")], 1, "good.cook?");
        fails(&[command, &path(&folder, "none.cook")], 1, "there is no file");
        fails(&[command, &path(&folder, "")], 1, "is a folder");
        fails(&[command, &bad], 1, "is not UTF-8: byte 6 is 0xff");
        fails(&[command, "std:retreival"], 1, "did you mean std:retrieval?");
    }
}

#[test]
fn a_setting_outside_its_range_or_misspelled_is_reported() {
    fails(&["sample", "std:retrieval", "--set", "length=65"], 1, "is outside 4..64");
    fails(&["sample", "std:retrieval", "--set", "length=x"], 1, "is an integer, not `x`");
    fails(&["sample", "std:retrieval", "--set", "lenght=8"], 1, "write `length`");
    fails(&["sample", "std:retrieval", "--level", "esy"], 1, "write `easy`");
    fails(&["sample", "std:retrieval", "--set", "length"], 2, "write NAME=NUMBER");
    fails(&["sample", "std:retrieval", "--threads", "0"], 2, "at least 1");
    fails(&["smaple", "std:retrieval"], 2, "sample");
    assert_eq!(cookc(&["sample", "std:retrieval", "--level", "default"]).code, 0);
}

#[test]
fn the_words_of_a_run_come_from_a_file() {
    let words = ["zero", "one", "two", "three", "four", "five", "six"].join("\n");
    let folder = folder(&[("good.cook", GOOD), ("words.txt", &words), ("twice.txt", "a\nb\na\n")]);
    let good = path(&folder, "good.cook");
    let vocab = |name: &str| path(&folder, name);
    let done = cookc(&["sample", &good, "--vocab", &vocab("words.txt"), "--json", "-n", "20"]);
    for row in json_lines(&done.out) {
        let reply = row["reply"].as_str().expect("a reply");
        assert!(reply.split(' ').all(|word| words.contains(word)), "{reply}");
    }
    fails(&["sample", &good, "--vocab", &vocab("twice.txt")], 1, "line 3: `a` is on line 1");
    fails(&["sample", &good, "--vocab", &vocab("none.txt")], 1, "there is no file");
}

#[test]
fn a_pool_is_read_from_beside_the_template_and_from_nowhere_else() {
    let pool = |path: &str| {
        format!(
            "words names = \"{path}\"\nwho ~ pick(names)\nrule same: who == who\n\
             prompt \"\"\"\n  Who?\n  \"\"\"\nreply \"{{who}}\"\n"
        )
    };
    let folder = folder(&[("names.txt", "ada\nbob\n"), ("good.cook", &pool("names.txt"))]);
    let done = cookc(&["sample", &path(&folder, "good.cook"), "--json", "-n", "9"]);
    let rows = json_lines(&done.out);
    assert!(rows.iter().all(|row| row["reply"] == "ada" || row["reply"] == "bob"), "{}", done.err);
    for outside in ["../names.txt", "/etc/passwd", "link.txt"] {
        fs::write(folder.path().join("bad.cook"), pool(outside)).expect("a file");
        let _ = std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link.txt"));
        fails(&["sample", &path(&folder, "bad.cook")], 1, "cannot be read");
    }
}

#[test]
fn data_is_the_same_bytes_with_any_threads_engine_and_cut() {
    let generate = |more: &[&str]| {
        let arguments = ["generate", "std:retrieval", "--seed", "7"].iter().chain(more).copied();
        let done = cookc(&arguments.collect::<Vec<_>>());
        assert_eq!(done.code, 0, "{}", done.err);
        done.out
    };
    let all = generate(&["-n", "3000"]);
    assert_eq!(all.lines().count(), 3000);
    assert!(all == generate(&["-n", "3000", "--threads", "1"]));
    assert!(all == generate(&["-n", "3000", "--threads", "8"]));
    assert!(all == generate(&["-n", "3000", "--engine", "interpreter"]));
    let mut limited = Command::new(env!("CARGO_BIN_EXE_cookc"));
    limited.env("RAYON_NUM_THREADS", "3");
    let limited = done(limited.args(["generate", "std:retrieval", "--seed", "7", "-n", "3000"]));
    assert!(all == limited.out);
    let parts = generate(&["-n", "1000"]) + &generate(&["-n", "2000", "--first", "1000"]);
    assert!(all == parts);
    let rows = json_lines(&all);
    let keys: Vec<&String> = rows[0].as_object().expect("a row").keys().collect();
    assert_eq!(
        keys,
        ["id", "template", "level", "set", "split", "seed", "index", "prompt", "reply", "fields"]
    );
}

#[test]
fn a_data_set_that_cannot_be_written_leaves_no_file() {
    let folder = folder(&[("file", "")]);
    let generate_as = |out: &str, more: &[&str]| -> (i32, String) {
        let words = [&["generate", "std:retrieval", "-n", "9", "-o", out], more].concat();
        let done = cookc(&words);
        (done.code, done.err)
    };
    let generate = |out: &str| generate_as(out, &[]);
    let (code, err) = generate(&path(&folder, "none/out.jsonl"));
    assert!(code == 3 && err.contains("there is no folder"), "{err}");
    let (code, err) = generate(&path(&folder, "file/out.jsonl"));
    assert!(code == 3 && err.starts_with("error: cannot write"), "{err}");
    let (code, err) = generate(&path(&folder, ""));
    assert!(code == 1 && err.contains("holds other files"), "{err}");
    for format in ["jsonl", "jsonl.zst", "parquet", "arrow", "webdataset"] {
        let (code, err) = generate_as("/dev/full", &["--format", format]);
        assert_eq!(err.matches("No space left").count(), 1, "{format}: {err}");
        assert_eq!(code, 3, "{format}");
    }
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn a_file_keeps_its_bytes_until_the_new_ones_are_complete() {
    let folder = folder(&[("out.jsonl", "before")]);
    let out = path(&folder, "out.jsonl");
    let bad = ["generate", "std:retrieval", "-n", "9", "-o", &out, "--set", "length=1"];
    assert_eq!(cookc(&bad).code, 1);
    assert_eq!(fs::read_to_string(&out).expect("a file"), "before");
    assert_eq!(cookc(&["generate", "std:retrieval", "-n", "9", "-o", &out]).code, 0);
    assert_eq!(fs::read_to_string(&out).expect("a file").lines().count(), 9);
    assert_eq!(names(folder.path()), ["out.jsonl"]);
}

#[test]
fn ctrl_c_ends_with_130_and_leaves_no_half_file() {
    let folder = folder(&[]);
    let out = path(&folder, "out.jsonl");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_cookc"))
        .args(["generate", "std:document_qa", "-n", "1000000000", "-o", &out])
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the command starts");
    // The temporary file is created after the handler of Ctrl-C is in place.
    while names(folder.path()).is_empty() {
        std::thread::yield_now();
    }
    let killed =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.expect("kill runs").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let left = names(folder.path());
    assert!(left.iter().all(|name| name.starts_with(".cookc-out.jsonl.")), "{left:?}");
}

#[test]
fn replies_are_judged_line_by_line() {
    let folder = folder(&[("good.cook", GOOD)]);
    let (good, replies) = (path(&folder, "good.cook"), path(&folder, "replies.jsonl"));
    let rows = cookc(&["generate", &good, "-n", "4", "-o", &replies]);
    assert_eq!(rows.code, 0, "{}", rows.err);
    let done = cookc(&["judge", &good, &replies]);
    assert!(done.out.contains("4 replies: mean 1.0000, exact 100.0 %"), "{}", done.out);

    let rows = json_lines(&fs::read_to_string(&replies).expect("a file"));
    let reply = rows[1]["reply"].as_str().expect("a reply");
    let mixed = format!("{{\"reply\":\"no\"}}\n\n{{\"index\":1,\"reply\":\" {reply}\\n\"}}\n");
    fs::write(&replies, mixed).expect("a file");
    let done = cookc(&["judge", &good, &replies, "--format", "json"]);
    let lines = json_lines(&done.out);
    assert_eq!((lines[0]["exact"].clone(), lines[0]["index"].clone()), (false.into(), 0.into()));
    assert_eq!(lines[1]["scores"]["complete"], 1.0);
    assert_eq!(lines[2]["summary"]["exact"], 0.5);
    let out = path(&folder, "scores.jsonl");
    assert_eq!(cookc(&["judge", &good, &replies, "-o", &out]).code, 0);
    assert_eq!(fs::read_to_string(&out).expect("a file"), done.out);
}

#[test]
fn a_reply_line_that_is_malformed_is_named() {
    let good = r#"{"index":0,"reply":"a"}"#;
    let judge = |bad: &str| {
        let folder = folder(&[("replies.jsonl", &format!("{good}\n{bad}\n{good}\n"))]);
        let done = cookc(&["judge", "std:retrieval", &path(&folder, "replies.jsonl")]);
        assert_eq!(done.code, 1, "{}{}", done.out, done.err);
        assert!(done.err.contains("replies.jsonl line 2"), "{}", done.err);
        done.err
    };
    assert!(judge(r#"{"index":0,"#).contains("EOF"));
    assert!(judge(r#"{"index":0}"#).contains("missing field `reply`"));
    assert!(judge(r#"{"reply":7}"#).contains("must be a text, and is 7"));
    assert!(
        judge(r#"{"index":-1,"reply":""}"#).contains("must be an integer from 0 on, and is -1")
    );
    assert!(judge(r#"{"seed":5,"reply":""}"#).contains("its seed is 5, and --seed 0 is judged"));
    fails(&["judge", "std:retrieval", "/nowhere.jsonl"], 1, "there is no file");
    fails(&["judge", "std:retrieval", "/tmp"], 1, "is a folder");
}

#[test]
fn the_audit_passes_a_good_template_and_stops_a_cheat() {
    let cheap = GOOD.replace("turned == reverse(words)", "size(turned) <= length");
    let files = [
        ("good.cook", GOOD.to_string()),
        ("cheap.cook", cheap.clone()),
        ("allowed.cook", format!("{cheap}// allow L614: a reply may be empty\n")),
    ];
    let folder = folder(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
    let test = |name: &str, more: &[&str]| {
        let file = path(&folder, name);
        cookc(&[&["test", &file, "-n", "200"], more].concat())
    };
    let done = test("good.cook", &[]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert!(done.out.contains("passed good at 2 levels"), "{}", done.out);
    let done = test("cheap.cook", &[]);
    assert!(done.code == 1 && done.out.contains("failed cheap at 2 levels"), "{}", done.out);

    let done = test("cheap.cook", &["--format", "json"]);
    assert_eq!((done.code, json_lines(&done.out).len()), (1, 2));
    let codes = |name: &str, more: &[&str]| {
        let done = test(name, &[more, &["--format", "json", "--level", "long"]].concat());
        let findings = json_lines(&done.out)[0]["findings"].clone();
        let keep = |state: &str| -> Vec<String> {
            let all = findings.as_array().expect("a list").iter();
            let all = all.filter(|one| one[state] == true);
            all.map(|one| one["code"].as_str().expect("a code").to_string()).collect()
        };
        (done.code, keep("denied"), keep("allowed"))
    };
    let (code, denied, allowed) = codes("cheap.cook", &["--deny", "all"]);
    assert_eq!((code, allowed.len()), (1, 0));
    assert_eq!(denied, ["L614", "L615", "L616", "L622", "L623"]);
    let (code, denied, allowed) = codes("allowed.cook", &["--allow", "L615", "--allow", "L616"]);
    assert_eq!((code, denied.len()), (0, 0));
    assert_eq!(allowed, ["L614", "L615", "L616"]);
    let (code, denied, _) =
        codes("allowed.cook", &["--allow", "L615", "--allow", "L616", "--deny", "L614"]);
    assert_eq!((code, denied), (1, vec!["L614".to_string()]));
    fails(&["test", "std:retrieval", "--deny", "L999"], 2, "a code from L610 to L626");
}

#[test]
fn test_runs_the_examples_of_a_module_and_counts_the_levels_that_fail() {
    let module = "/// Turned round.\n///\n///     turn([1, 2]) == [1, 2]\n\
                  fn turn(xs: [T]) -> [T] = reverse(xs)\n";
    let user = GOOD.replace("param", "use turning: turn\nparam").replace("reverse", "turn");
    // At the long level alone, the reply of another sample is right.
    let one = GOOD.replace("turned == reverse(words)", "length == 9 or turned == reverse(words)");
    let folder = folder(&[("turning.cook", module), ("user.cook", &user), ("one.cook", &one)]);
    let test = |name: &str| cookc(&["test", &path(&folder, name), "-n", "200"]);
    let done = test("user.cook");
    assert_eq!(done.code, 1, "{}", done.err);
    assert!(
        done.out.contains("E602") && done.out.contains("failed turning: 1 example"),
        "{}",
        done.out
    );
    assert!(done.out.contains("passed user at 2 levels"), "{}", done.out);
    let done = test("one.cook");
    assert!(done.code == 1 && done.out.contains("failed one at 1 of 2 levels"), "{}", done.out);
}

#[test]
fn check_audits_a_few_samples_if_asked_to() {
    let cheap = GOOD.replace("turned == reverse(words)", "size(turned) <= length");
    let folder = folder(&[("good.cook", GOOD), ("cheap.cook", &cheap)]);
    let (good, cheap) = (path(&folder, "good.cook"), path(&folder, "cheap.cook"));
    let done = cookc(&["check", &good, &cheap]);
    assert_eq!((done.code, done.out.as_str()), (0, ""), "{}", done.err);
    let done = cookc(&["check", &good, &cheap, "--audit", "--format", "json"]);
    let codes: Vec<_> = json_lines(&done.out).into_iter().map(|one| one["code"].clone()).collect();
    assert_eq!(
        (done.code, codes),
        (0, vec!["L614", "L615", "L616", "L622", "L623"].into_iter().map(Value::from).collect()),
        "{}",
        done.err
    );
}

#[test]
fn inspect_shows_each_stage() {
    for (what, wanted) in [
        ("roles", "parent"),
        ("types", "[Token]"),
        ("ir", "program retrieval"),
        ("clif", "block0"),
        ("asm", "mov"),
    ] {
        let done = cookc(&["inspect", "std:retrieval", "--emit", what]);
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(done.out.contains(wanted), "{what}: {}", done.out);
    }
    let done = cookc(&["inspect", "std:retrieval", "--format", "json"]);
    assert_eq!(json_lines(&done.out)[0]["values"][0]["role"], "parent");
    fails(&["inspect", "std:retrieval", "--emit", "asm", "--format", "json"], 2, "roles and types");
}

#[test]
fn fmt_lays_out_files_and_leaves_faulty_ones() {
    let messy = GOOD.replace("param length in", "param   length in");
    let files = [("good.cook", GOOD), ("messy.cook", &messy), ("bad.cook", "words ~ ~ 5\n")];
    let folder = folder(&files);
    let [good, messy, bad] = files.map(|(name, _)| path(&folder, name));
    let checked = cookc(&["fmt", "--check", &good, &messy]);
    assert_eq!((checked.code, checked.out), (1, format!("{messy}\n")));
    assert_eq!(cookc(&["fmt", &good, &messy]).code, 0);
    assert_eq!(fs::read_to_string(&messy).expect("a file"), GOOD);
    assert_eq!(cookc(&["fmt", &bad]).code, 1);
    assert_eq!(fs::read_to_string(&bad).expect("a file"), "words ~ ~ 5\n");
    let mut piped = Command::new(env!("CARGO_BIN_EXE_cookc"));
    let piped = done(piped.args(["fmt", "-"]).write_stdin(GOOD));
    assert_eq!(piped.out, GOOD);
}

#[test]
fn colours_are_for_terminals_only_unless_asked_for() {
    let escape = |arguments: &[&str]| cookc(arguments).out.contains('\u{1b}');
    assert!(!escape(&["sample", "std:retrieval"]));
    assert!(escape(&["sample", "std:retrieval", "--color", "always"]));
    assert!(!escape(&["sample", "std:retrieval", "--color", "never"]));
}

#[test]
fn bench_and_list_have_the_keys_that_tools_read() {
    let done = cookc(&["bench", "std:retrieval", "--format", "json"]);
    let speeds = &json_lines(&done.out)[0];
    for engine in ["native", "interpreter"] {
        for key in [
            "ids_tokens_per_second",
            "text_tokens_per_second",
            "jsonl_bytes_per_second",
            "judgements_per_second",
            "compile_seconds",
        ] {
            assert!(speeds[engine][key].as_f64().is_some_and(|speed| speed > 0.0), "{speeds}");
        }
    }
    let list = cookc(&["list", "--format", "json"]);
    assert_eq!(json_lines(&list.out)[0]["templates"][0]["name"], "std:abduct");
}

#[test]
fn every_help_has_examples() {
    let help = cookc(&["--help"]).out;
    let commands = help.split("Commands:").nth(1).and_then(|rest| rest.split("Options:").next());
    for line in commands.expect("commands").lines() {
        let Some(command) = line.split_whitespace().next() else { continue };
        if command != "help" {
            let help = cookc(&[command, "--help"]).out;
            assert!(help.contains("Examples:\n  cookc "), "{command}: {help}");
        }
    }
}

#[test]
fn the_report_of_rfc_008_has_its_own_exit_codes() {
    let bad = GOOD.replace("turned == reverse(words)", "all word in turned: word in words");
    let files = [("good.cook", GOOD), ("bad.cook", &bad), ("part.cook", "fn one() -> Int = 1\n")];
    let folder = folder(&files);
    let [good, bad, part] = ["good", "bad", "part"].map(|it| path(&folder, &format!("{it}.cook")));
    let test =
        |files: &[&str]| cookc(&[&["test", "--format", "rfc008", "-n", "60"], files].concat());
    let done = test(&[&good]);
    let lines = json_lines(&done.out);
    assert_eq!((done.code, lines.len()), (0, 2), "{}{}", done.out, done.err);
    assert_eq!((&lines[1]["target"], &lines[1]["level"]), (&good.as_str().into(), &"long".into()));
    assert_eq!(lines[0]["summary"]["required_passed_count"], 10);
    let done = test(&[&bad, &good]);
    assert_eq!((done.code, json_lines(&done.out).len()), (1, 4), "{}", done.err);
    assert_eq!(json_lines(&done.out)[0]["summary"]["failed_criteria"][0], "oracle_and_floor_gap");
    let done = test(&[&part, &good]);
    assert_eq!((done.code, json_lines(&done.out).len()), (2, 2), "{}", done.err);
    assert!(done.err.contains("only holds functions"), "{}", done.err);
    assert_eq!(test(&[&part, &bad]).code, 1);
}

#[test]
fn a_grammar_is_shown_in_either_dialect_and_for_one_sample() {
    let inspect = |more: &[&str]| {
        let start = ["inspect", "std:abduct", "--level", "easy", "--emit", "grammar"];
        let done = cookc(&[&start, more].concat());
        assert_eq!((done.code, done.err.as_str()), (0, ""));
        done.out
    };
    let any = inspect(&[]);
    assert!(any.contains("root ::= case") && any.contains("# `keys` are of the prompt"), "{any}");
    let lark = inspect(&["--grammar", "lark", "--index", "3", "--seed", "1", "--split", "eval"]);
    assert!(lark.contains("start: ROOT") && !lark.contains("of the prompt"), "{lark}");
    fails(&["inspect", "std:abduct", "--emit", "grammar", "--grammar", "ebnf"], 2, "gbnf, lark");
}
