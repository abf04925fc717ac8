//! `cookc check` and `cookc explain` as a user runs them: fixes, standard input, what tools read.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a command did.
struct Done {
    code: i32,
    out: String,
    err: String,
}

fn cookc(folder: &Path, arguments: &[&str], input: &str) -> Done {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cookc"))
        .args(arguments)
        .current_dir(folder)
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
    let code = output.status.code().expect("no signal ended it");
    Done { code, out: text(output.stdout), err: text(output.stderr) }
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// Four errors of three stages; a machine can fix the first three, which hide one another.
const FAULTY: &str = "\
param length in 8..64 = 16;
document ~ distinct(length vocab)
answer   = span(2, documnt)
rule verbatim: answer within passage
prompt \"{document}\"
reply \"{answer}\"
";

const MENDED: &str = "\
param length in 8..64 = 16
document ~ distinct(length, vocab)
answer   ~ span(2, document)
rule verbatim: answer within passage
prompt \"{document}\"
reply \"{answer}\"
";

#[test]
fn fix_mends_what_a_machine_can_says_so_and_shows_what_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.cook");
    fs::write(&path, FAULTY).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).expect("its owner may");
    let done = cookc(folder.path(), &["check", "a.cook", "--fix"], "");
    assert_eq!(fs::read_to_string(&path).expect("a file"), MENDED);
    assert_eq!(done.code, 1, "one error is left");
    assert!(done.out.contains("nothing is called `passage`"), "{}", done.out);
    assert!(done.err.contains("a.cook:1:27: E133: "), "{}", done.err);
    assert!(done.err.contains("a.cook: fixed 4 places\n"), "{}", done.err);
    assert!(done.err.contains("1 file: 1 error\n"), "{}", done.err);
    let mode = fs::metadata(&path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o664, "the permissions stay");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left over");
}

#[test]
fn fix_leaves_a_file_alone_that_it_cannot_mend() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.cook");
    fs::write(&path, MENDED).expect("a file");
    let before = fs::metadata(&path).expect("a file").modified().expect("a time");
    let done = cookc(folder.path(), &["check", "a.cook", "--fix"], "");
    assert_eq!(done.code, 1);
    assert!(!done.err.contains("fixed"), "{}", done.err);
    assert_eq!(fs::metadata(&path).expect("a file").modified().expect("a time"), before);
}

#[test]
fn fix_refuses_what_is_no_file() {
    for file in ["-", "std:retrieval"] {
        let done = cookc(Path::new("."), &["check", file, "--fix"], FAULTY);
        assert_eq!(done.code, 2, "{}", done.err);
        assert!(done.err.contains("leave out"), "{}", done.err);
        assert_eq!(done.out, "");
    }
}

#[test]
fn standard_input_is_checked_under_the_name_that_it_is_given() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("below")).expect("a folder");
    fs::write(folder.path().join("below/names.txt"), "Ada\n").expect("a file");
    let text = "words names = \"names.txt\"\nname ~ pick(names)\nrule known: name in names\n\
                prompt \"A name, please.\"\nreply \"{name}\"\n";
    let with_name = ["check", "-", "--stdin-name", "below/draft.cook"];
    let done = cookc(folder.path(), &with_name, text);
    assert_eq!((done.code, &*done.out), (0, ""), "{}", done.err);
    let done = cookc(folder.path(), &["check", "-", "--format", "json"], text);
    assert_eq!(lines(&done.out)[0]["file"], "standard input");
    assert_eq!(lines(&done.out)[0]["code"], "E213");
}

#[test]
fn json_has_a_line_for_each_fault_with_bytes_lines_columns_and_edits() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.cook"), "// ü\nanswer = 3;\n").expect("a file");
    let done = cookc(folder.path(), &["check", "a.cook", "--format", "json"], "");
    let error = &lines(&done.out)[0];
    let place = |text: &str| {
        serde_json::json!({
            "start": 16, "end": 17, "line": 2, "column": 11, "end_line": 2, "end_column": 12,
            "text": text,
        })
    };
    assert_eq!(error["code"], "E133");
    assert_eq!(error["labels"][0], place("not needed"));
    assert_eq!(error["fix"], serde_json::json!([place("")]));
}

#[test]
fn explain_shows_a_page_lists_all_and_knows_a_near_miss() {
    let here = Path::new(".");
    let done = cookc(here, &["explain", "e201"], "");
    assert_eq!(done.code, 0);
    assert!(done.out.starts_with("E201: a name that nothing binds\n\n"), "{}", done.out);
    assert!(done.out.contains("\nWrong\n\n    document ~ "), "{}", done.out);
    let all = cookc(here, &["explain"], "").out;
    assert!(all.contains("E101") && all.contains("L603"), "{all}");
    let json = cookc(here, &["explain", "--format", "json"], "").out;
    let codes = cookc(here, &["list", "--format", "json"], "").out;
    assert_eq!(lines(&json).len(), lines(&codes)[0]["codes"].as_array().map_or(0, Vec::len));
    let wrong = cookc(here, &["explain", "E999"], "");
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("there is no code E999: did you mean E"), "{}", wrong.err);
}

#[test]
fn a_run_points_to_the_explanation_once() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.cook"), "answer = 3;\nother = 4;\n").expect("a file");
    for command in [["check", "a.cook"], ["sample", "a.cook"], ["fmt", "a.cook"]] {
        let done = cookc(folder.path(), &command, "");
        assert_eq!(done.err.matches("`cookc explain E133` tells more").count(), 1, "{}", done.err);
    }
}

#[test]
fn sarif_has_what_the_standard_asks_for() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("my templates")).expect("a folder");
    fs::write(folder.path().join("my templates/a.cook"), FAULTY).expect("a file");
    let files = ["./my templates/a.cook", "std:retrieval", "missing.cook"];
    let done = cookc(folder.path(), &[&["check", "--format", "sarif"], &files[..]].concat(), "");
    assert_eq!(done.code, 1);
    let log: Value = serde_json::from_str(&done.out).expect("a log is JSON");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "cookc");
    let (rules, results) = (&run["tool"]["driver"]["rules"], &run["results"]);
    let first = &results[0];
    assert_eq!(first["ruleId"], "E133");
    let rule = first["ruleIndex"].as_u64().expect("an index") as usize;
    assert_eq!(rules[rule]["id"], "E133");
    assert!(rules[rule]["help"]["markdown"].as_str().is_some_and(|help| help.contains("```cook")));
    let place = &first["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "my%20templates/a.cook");
    let region = serde_json::json!({
        "startLine": 1, "startColumn": 27, "endLine": 1, "endColumn": 28,
    });
    assert_eq!(place["region"], region);
    let replacement = &first["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(replacement["deletedRegion"], region);
    assert_eq!(replacement["insertedContent"]["text"], "");
    let notes = &run["invocations"][0]["toolExecutionNotifications"];
    assert!(notes[0]["message"]["text"].as_str().is_some_and(|it| it.contains("missing.cook")));
    for result in results.as_array().expect("results") {
        is_result(result);
    }
}

/// What the schema of SARIF 2.1.0 asks of a result, and no other key.
fn is_result(result: &Value) {
    let keys = |value: &Value| -> Vec<String> {
        value.as_object().expect("an object").keys().cloned().collect()
    };
    let known = [
        "ruleId",
        "ruleIndex",
        "level",
        "message",
        "locations",
        "relatedLocations",
        "fixes",
        "properties",
    ];
    assert!(keys(result).iter().all(|key| known.contains(&key.as_str())), "{result}");
    assert!(result["message"]["text"].is_string() && result["ruleIndex"].is_u64(), "{result}");
    assert!(["error", "warning"].contains(&result["level"].as_str().expect("a level")));
    for place in ["locations", "relatedLocations"].map(|key| &result[key]) {
        for place in place.as_array().expect("a list") {
            assert_eq!(keys(place), ["physicalLocation", "message"]);
            is_region(&place["physicalLocation"]["region"]);
        }
    }
    for fix in result["fixes"].as_array().into_iter().flatten() {
        assert_eq!(keys(fix), ["description", "artifactChanges"]);
        for change in fix["artifactChanges"].as_array().expect("a list") {
            assert_eq!(keys(change), ["artifactLocation", "replacements"]);
            let replacements = change["replacements"].as_array().expect("a list");
            assert!(!replacements.is_empty(), "a change has at least one");
            replacements.iter().for_each(|one| is_region(&one["deletedRegion"]));
        }
    }
}

fn is_region(region: &Value) {
    for key in ["startLine", "startColumn", "endLine", "endColumn"] {
        assert!(region[key].as_u64().is_some_and(|number| number >= 1), "{region}");
    }
}
