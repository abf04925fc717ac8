//! `cookc synth`: rules found from examples, as a library and as a user runs it.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use cookc::Template;
use cookc::search::{self, Budget, Evaluator, Examples, Gate, Outcome, Width};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// As much as a test may take on a busy machine; what these look for is found in less.
const BUDGET: Budget = Budget { time: Duration::from_secs(120), megabytes: 256 };

fn rows(of: Value) -> Vec<Map<String, Value>> {
    serde_json::from_value(of).expect("rows are objects")
}

/// The examples of rows whose last column follows from the others.
fn examples(of: Value) -> Examples {
    let rows = rows(of);
    let names: Vec<String> = rows[0].keys().cloned().collect();
    let (output, inputs) = names.split_last().expect("a column");
    Examples::of(&rows, inputs, output).expect("rows that are examples")
}

fn explained(of: Value) -> (Examples, Outcome) {
    let examples = examples(of);
    let outcome = search::explain(&examples, BUDGET, &AtomicBool::new(false));
    assert_eq!(outcome.explained, examples.len(), "{outcome:?}");
    (examples, outcome)
}

fn rule(of: Value) -> String {
    let (examples, outcome) = explained(of);
    outcome.rule.expect("a rule").written(&examples.names())
}

#[test]
fn the_shortest_rule_is_found() {
    let element = json!([
        {"words": ["ada", "bo", "cy"], "n": 1, "answer": "bo"},
        {"words": ["x1", "bo", "zz", "q"], "n": 3, "answer": "q"},
        {"words": ["u", "k", "l"], "n": 0, "answer": "u"},
    ]);
    assert_eq!(rule(element), "at(n, words)");
    let doubled = json!([
        {"xs": [3, 1, 2], "out": [6, 2, 4]},
        {"xs": [5, 5], "out": [10, 10]},
        {"xs": [7, 1, 9, 2], "out": [14, 2, 18, 4]},
    ]);
    assert_eq!(rule(doubled), "for x in xs: x + x");
    let turned = json!([
        {"text": "the cat sat", "output": "sat cat the"},
        {"text": "a b c d", "output": "d c b a"},
    ]);
    assert_eq!(rule(turned), "reverse(text)");
    let long = json!([
        {"words": ["ada", "bo", "cyan"], "n": 2, "out": ["ada", "cyan"]},
        {"words": ["a", "bcd", "efg", "hi"], "n": 2, "out": ["bcd", "efg"]},
        {"words": ["abc", "de", "fghij"], "n": 3, "out": ["fghij"]},
    ]);
    assert_eq!(rule(long), "for x in words where n < size(letters(x)): x");
    let even = json!([
        {"xs": [1, 2, 3, 8], "out": [20, 80]},
        {"xs": [4, 5], "out": [40]},
        {"xs": [7, 1], "out": []},
        {"xs": [6, 9, 1, 2], "out": [60, 20]},
    ]);
    assert_eq!(rule(even), "for x in xs where x % 2 == 0: x * 10");
    let value = json!([
        {"keys": ["a", "b", "c"], "values": [4, 5, 6], "key": "b", "out": 5},
        {"keys": ["k", "l"], "values": [9, 1], "key": "k", "out": 9},
        {"keys": ["q", "r", "s", "t"], "values": [3, 2, 8, 7], "key": "t", "out": 7},
    ]);
    assert_eq!(rule(value), "at(position(key, keys), values)");
}

#[test]
fn a_number_that_is_carried_over_a_list_is_found() {
    let alternating = json!([
        {"xs": [3, 1, 2], "out": 4},
        {"xs": [9, 7], "out": -2},
        {"xs": [5, 1, 8, 2], "out": -10},
        {"xs": [1, 6], "out": 5},
        {"xs": [4], "out": 4},
        {"xs": [2, 2, 2, 2, 7], "out": 7},
        {"xs": [8, 3, 9, 1, 1], "out": 14},
        {"xs": [6, 2, 5, 7, 4, 3], "out": -3},
    ]);
    assert_eq!(rule(alternating), "fold so_far = 0 over x in xs: x - so_far");
}

#[test]
fn texts_are_put_together_of_what_is_given() {
    let titles = json!([
        {"first": "ada", "last": "lovelace", "age": 12, "output": "Dr. lovelace, ada (12)"},
        {"first": "bo", "last": "k", "age": 3, "output": "Dr. k, bo (3)"},
    ]);
    assert_eq!(rule(titles), r#""Dr. {last}, {first} ({age})""#);
}

#[test]
fn cascades_of_replacements_are_found() {
    let cascade = json!([
        {"input": "xbu", "output": "xhu"},
        {"input": "uxwkkg", "output": "uxwkkvzw"},
        {"input": "kib", "output": "kih"},
        {"input": "fjze", "output": "fjxwye"},
        {"input": "cv", "output": "cv"},
    ]);
    let (examples, outcome) = explained(cascade);
    let rule = outcome.rule.expect("a rule");
    let fresh = rows(json!([{"input": "zbg"}]));
    let filled = search::filled(&rule, &examples, &fresh[0], &mut Evaluator::new());
    assert_eq!(filled, Ok(json!("xwyhvzw")));
}

#[test]
fn a_loop_over_nothing_has_a_value() {
    let joined = json!([
        {"words": ["ab", "cd"], "out": "b-d"},
        {"words": ["xyz"], "out": "y"},
        {"words": ["kl", "mn", "op"], "out": "l-n-p"},
        {"words": ["qr", "zz"], "out": "r-z"},
    ]);
    let (examples, outcome) = explained(joined);
    let rule = outcome.rule.expect("a rule");
    let empty = rows(json!([{"words": []}]));
    let filled = search::filled(&rule, &examples, &empty[0], &mut Evaluator::new());
    assert_eq!(filled, Ok(json!("")), "{rule:?}");
}

#[test]
fn a_found_template_draws_inputs_whose_outputs_the_rule_gives() {
    let of = [
        json!([{"a": 3, "b": 4, "c": 7}, {"a": 1, "b": 1, "c": 2}, {"a": 9, "b": 2, "c": 11}]),
        json!([{"x": [[1, 2], [3, 4]], "out": 2}, {"x": [[5, 6]], "out": 1}]),
        json!([{"name": "ada", "out": "<ada>"}, {"name": "bo", "out": "<bo>"}]),
        json!([
            {"words": "k b z", "pick": "b", "out": "yes"},
            {"words": "u v w", "pick": "q", "out": "no"},
            {"words": "a l", "pick": "l", "out": "yes"},
            {"words": "t n i", "pick": "g", "out": "no"},
        ]),
    ];
    for of in of {
        let (examples, outcome) = explained(of);
        let rule = outcome.rule.expect("a rule");
        let text = search::template(&examples, &rule, Width::OWN);
        let template = Template::parse("found.cook", &text);
        let template = template.unwrap_or_else(|error| panic!("{error}\n{text}"));
        for level in std::iter::once("default").chain(template.levels()) {
            let sampler = template.level(level).compile();
            let sampler = sampler.unwrap_or_else(|error| panic!("{error}\n{text}"));
            for sample in sampler.samples(cookc::Split::Train, 1, 0..50) {
                let sample = sample.unwrap_or_else(|error| panic!("{error}\n{text}"));
                let score = sampler.score(cookc::Split::Train, 1, sample.key.index, &sample.reply);
                assert!(score.expect("a sample's index").exact(), "{}\n{text}", sample.reply);
            }
        }
    }
}

#[test]
fn a_built_in_template_whose_rules_hold_is_named() {
    let sampler = Template::builtin("list_difference").expect("built in").compile().expect("sound");
    let samples = sampler.samples(cookc::Split::Train, 3, 0..8);
    let rows: Vec<Map<String, Value>> =
        samples.map(|sample| sample.expect("a sample").fields).collect();
    let inputs = ["left".to_string(), "right".to_string()];
    let examples = Examples::of(&rows, &inputs, "rest").expect("rows that are examples");
    let stop = AtomicBool::new(false);
    let known = |without: &[String]| -> Vec<String> {
        let known = search::known(&examples, &|name| !without.iter().any(|one| one == name), &stop);
        known.into_iter().map(|known| known.template).collect()
    };
    assert!(known(&[]).contains(&"std:list_difference".to_string()));
    assert!(!known(&["list_difference".to_string()]).contains(&"std:list_difference".to_string()));
}

#[test]
fn a_template_whose_rule_is_built_in_is_not_new() {
    let turned = json!([
        {"given": ["a", "b", "c"], "answer": ["c", "b", "a"]},
        {"given": ["k", "l"], "answer": ["l", "k"]},
        {"given": ["q", "r", "s", "t"], "answer": ["t", "s", "r", "q"]},
    ]);
    let (examples, outcome) = explained(turned);
    let rule = outcome.rule.expect("a rule");
    let (text, verdicts) = search::fitted("turned", &rule, &examples, 100, &AtomicBool::new(false));
    let new = verdicts.iter().find(|(gate, _)| *gate == Gate::New).expect("all gates are passed");
    let refusal = new.1.as_ref().unwrap_or_else(|| panic!("it is new:\n{text}"));
    assert!(refusal.why.contains("std:reverse_words"), "{refusal:?}");
}

fn synth(folder: &TempDir, lines: &str, arguments: &[&str]) -> Output {
    fs::write(folder.path().join("rows.jsonl"), lines).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
    command.args(["synth", "rows.jsonl"]).args(arguments).current_dir(folder.path());
    command.output().expect("cookc runs")
}

#[test]
fn what_is_wrong_with_rows_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    for (lines, arguments, said) in [
        (
            "{\"a\": 1, \"b\": 2}\n{\"a\": 1, \"b\": 3}\n",
            &[][..],
            "rows 1 and 2 have the same inputs and different outputs",
        ),
        (
            "{\"a\": 1, \"b\": 2}\n{\"a\": \"x\", \"b\": 3}\n",
            &[],
            "row 2: `a` is Text; expected Int",
        ),
        ("{\"a\": 1, \"b\": 2}\n{\"a\": 1}\n", &[], "row 2 has no column `b`; it has a"),
        ("{\"count\": 1, \"b\": 2}\n", &["--inputs", "cuont"], "write `count`"),
        ("{\"a\": 1}\n", &[], "a rule needs one that is given"),
        ("{\"a\": 1.5, \"b\": 2}\n", &[], "1.5, which is no integer"),
    ] {
        let output = synth(&folder, lines, arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains(said), "{said}: {error}");
    }
}

#[test]
fn an_input_on_which_rules_differ_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines = "{\"xs\": [4, 1, 2], \"out\": 4}\n{\"xs\": [9, 3], \"out\": 9}\n";
    let output = synth(&folder, lines, &["--json", "-o", "new.cook"]);
    assert_eq!(output.status.code(), Some(0));
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let outputs = found["question"]["outputs"].as_object().expect("a question");
    assert!(outputs.len() > 1, "{found}");
    let text = fs::read_to_string(folder.path().join("new.cook")).expect("the template");
    assert_eq!(found["template"], json!(text));
}

#[test]
fn answers_are_rows_that_the_search_goes_on_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines = "{\"xs\": [4, 1, 2], \"out\": 4}\n{\"xs\": [9, 3], \"out\": 9}\n";
    fs::write(folder.path().join("rows.jsonl"), lines).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
    command.args(["synth", "rows.jsonl", "--interactive", "-o", "new.cook"]);
    command.current_dir(folder.path()).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("cookc runs");
    // No such number, no such kind of value, the first element, and no more.
    let typed = "7\n=\"nothing\"\n2\n\n";
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(typed.as_bytes()).expect("cookc reads");
    drop(stdin);
    let output = child.wait_with_output().expect("cookc ends");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
    assert!(error.contains("`out` is Text; expected Int"), "{error}");
    assert!(error.contains("out = at(0, xs)\nexplains 3 examples"), "{error}");
    // The first element is a shortcut, and is told to be one.
    assert!(error.contains("test  fails at level default: L616"), "{error}");
}

#[test]
fn a_template_draws_more_than_its_examples_where_it_must_to_pass() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = "first;second;sum\n3;4;7\n1;1;2\n2;5;7\n4;4;8\n";
    fs::write(folder.path().join("rows.csv"), table).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
    let output = command
        .args(["synth", "rows.csv", "--json"])
        .current_dir(folder.path())
        .output()
        .expect("cookc runs");
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(found["rule"], "first + second", "{found}");
    let gates = found["gates"].as_array().expect("the gates");
    assert_eq!(gates.len(), 3, "{found}");
    assert!(gates.iter().take(2).all(|gate| gate["passes"] == true), "{found}");
    assert!(!found["template"].as_str().expect("a template").contains("uniform(1..4)"), "{found}");
}

#[test]
fn a_recipe_that_does_not_name_the_template_is_refused_before_the_search() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("r.toml"), "[[template]]\nfile = \"std:retrieval\"\n")
        .expect("a file");
    let lines = "{\"a\": 1, \"b\": 2}\n{\"a\": 2, \"b\": 3}\n";
    let output = synth(&folder, lines, &["-o", "new.cook", "--train", "r.toml"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("r.toml does not name new.cook"), "{error}");
    assert!(!folder.path().join("new.cook").exists());
}

#[test]
fn what_no_rule_explains_is_an_error_with_the_best() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines: String = [(1, 7), (2, 7), (3, 7), (4, -31), (5, 7_919), (6, 7), (7, 104_729)]
        .map(|(a, b)| format!("{{\"a\": {a}, \"b\": {b}}}\n"))
        .concat();
    let output = synth(&folder, &lines, &["--seconds", "0.3", "-o", "new.cook"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("no rule was found that explains all 7 examples"), "{error}");
    assert!(!folder.path().join("new.cook").exists());
}

#[test]
fn grown_templates_are_files_that_can_be_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
    command.args(["grow", "3", "-o", "grown", "-n", "60"]).current_dir(folder.path());
    let output = command.output().expect("cookc runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = fs::read_to_string(folder.path().join("grown/grown.json")).expect("the report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let templates = report["templates"].as_array().expect("templates");
    assert_eq!(templates.len(), 3);
    for one in templates {
        let name = one["name"].as_str().expect("a name");
        let template = Template::open(folder.path().join(format!("grown/{name}.cook")));
        let template = template.unwrap_or_else(|error| panic!("{error}"));
        let text = template.source().text.to_string();
        assert!(text.contains(one["rule"].as_str().expect("a rule")), "{text}");
        for level in template.levels() {
            let sampler = template.level(level).compile().expect("a sampler");
            let sample = sampler.sample(cookc::Split::Train, 0, 0).expect("a sample");
            let score = sampler.score(cookc::Split::Train, 0, 0, &sample.reply);
            assert!(score.expect("a sample's index").exact());
        }
    }
}
