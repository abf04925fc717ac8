//! Accuracies without labels: against numpy's values, where they are refused, and what is said.

use std::path::Path;
use std::process::{Command, Output};

use cookc::mix::accuracy::{Agreement, Estimates, Options, Refusal, Rows, estimate};
use cookc::runtime::random::{Stream, start};
use serde_json::{Value, json};

/// Seven voters, three options, 500 items, one vote in twenty missing: 0, 1 and 4 copy a source
/// with the probability 0.7. `benches/votes/reference.py` writes it, and prints the values below.
const SHARED: &str = "tests/votes/shared.jsonl";

fn file() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SHARED);
    std::fs::read_to_string(path).expect("the votes are there")
}

fn rows(lines: &str) -> Rows {
    let mut rows = Rows::default();
    lines.lines().for_each(|line| rows.add(line).expect("a row"));
    rows
}

fn estimated(lines: &str, options: Options) -> Estimates {
    let sets = rows(lines).votes(Agreement::Exact, None).expect("votes");
    estimate(&sets[0].1, options)
}

/// Those of this copying model: `own` accuracies, and which voters copy with which probability.
fn drawn(options: u64, items: u64, own: &[f64], copies: &[f64], seed: u64) -> String {
    let one = |stream: &mut Stream| (stream.word() >> 11) as f64 / (1u64 << 53) as f64;
    let mut lines = String::new();
    for item in 0..items {
        let mut stream = start(&[seed, 1, 2, 3], item);
        let right = stream.word() % options;
        let mut vote = |accuracy: f64| match one(&mut stream) < accuracy {
            true => right,
            false => (right + 1 + stream.word() % (options - 1)) % options,
        };
        let source = vote(0.6);
        let mut votes: Vec<u64> = own.iter().map(|accuracy| vote(*accuracy)).collect();
        for (vote, chance) in votes.iter_mut().zip(copies) {
            if one(&mut stream) < *chance {
                *vote = source;
            }
        }
        votes.push(source);
        let each = votes.iter().enumerate().map(|(at, vote)| (format!("v{at}"), json!(vote)));
        let each: serde_json::Map<String, Value> = each.collect();
        lines.push_str(&format!("{}\n", json!({ "votes": each, "gold": right })));
    }
    lines
}

/// The same without the last voter, which is the source.
fn without_source(lines: &str) -> String {
    let line = |line: &str| {
        let mut row: Value = serde_json::from_str(line).expect("JSON");
        row["votes"].as_object_mut().expect("votes").pop();
        format!("{row}\n")
    };
    lines.lines().map(line).collect()
}

trait Pop {
    fn pop(&mut self);
}

impl Pop for serde_json::Map<String, Value> {
    fn pop(&mut self) {
        let last = self.keys().next_back().cloned().expect("a voter");
        self.remove(&last);
    }
}

#[test]
fn decimals_that_are_integers_are_these_and_what_is_right_decides_nothing() {
    let lines = drawn(3, 200, &[0.7, 0.6, 0.8, 0.5], &[0.0; 4], 1);
    let changed = |change: &dyn Fn(&mut Value)| -> String {
        let line = |line: &str| {
            let mut row: Value = serde_json::from_str(line).expect("JSON");
            change(&mut row);
            format!("{row}\n")
        };
        lines.lines().map(line).collect()
    };
    let known = estimated(&lines, Options::default());
    let decimal = changed(&|row| {
        let vote = row["votes"]["v0"].as_u64().expect("a vote");
        row["votes"]["v0"] = json!(vote as f64);
    });
    let told = |of: &Estimates| -> Vec<_> {
        of.voters.iter().map(|it| (it.votes, it.accuracy, it.labelled.map(|it| it.0))).collect()
    };
    assert_eq!(told(&estimated(&decimal, Options::default())), told(&known));
    let unlike = changed(&|row| row["gold"] = json!("of no voter"));
    let unlike = estimated(&unlike, Options::default());
    assert_eq!((unlike.options, unlike.voters.len()), (known.options, known.voters.len()));
    for (one, other) in unlike.voters.iter().zip(&known.voters) {
        assert_eq!(one.accuracy, other.accuracy);
        assert_eq!(one.labelled.map(|labelled| labelled.0), Some(0.0));
    }
    let large = Rows::default().add(r#"{"item": 1, "votes": {"a": 18446744073709551617}}"#);
    assert!(large.is_err_and(|why| why.contains("write it as a text")));
}

#[test]
fn a_voter_without_a_label_is_told_of() {
    let mut lines = drawn(3, 200, &[0.7, 0.6, 0.8, 0.5], &[0.0; 4], 1);
    lines.push_str("{\"votes\": {\"silent\": null, \"v0\": 1}}\n");
    let found = estimated(&lines, Options::default());
    let silent = found.voters.iter().find(|voter| voter.name == "silent").expect("it is there");
    assert!(silent.votes == 0 && silent.refusal.is_some(), "{silent:?}");
}

fn near(found: &[f64], wanted: &[f64], by: f64) {
    let close = found.iter().zip(wanted).all(|(a, b)| (a - b).abs() <= by);
    assert!(close && found.len() == wanted.len(), "{found:.4?} for {wanted:.4?}");
}

fn values(estimates: &Estimates) -> Vec<f64> {
    let each = estimates.voters.iter();
    each.map(|voter| voter.accuracy.expect("an estimate").value).collect()
}

fn labelled(estimates: &Estimates) -> Vec<f64> {
    estimates.voters.iter().map(|voter| voter.labelled.expect("gold").0).collect()
}

#[test]
fn accuracies_are_those_of_the_same_models_in_numpy() {
    let found = estimated(&file(), Options::default());
    let independent: Vec<f64> =
        found.voters.iter().map(|voter| voter.independent.expect("a fit")).collect();
    near(&independent, &[0.7999, 0.8106, 0.5392, 0.5601, 0.8123, 0.4777, 0.5108], 3e-4);
    let rank_one: Vec<f64> =
        found.voters.iter().map(|voter| voter.rank_one.expect("a fit")).collect();
    near(&rank_one, &[0.5419, 0.5304, 0.7325, 0.7989, 0.5245, 0.5885, 0.6902], 1e-4);
    // A mean over three structures, of which that of the file has nearly all weight.
    near(&values(&found), &[0.5487, 0.5385, 0.7258, 0.7997, 0.5344, 0.581, 0.6936], 4e-3);
    near(&labelled(&found), &[0.5325, 0.5332, 0.7046, 0.7962, 0.5064, 0.5987, 0.7073], 1e-4);
}

#[test]
fn voters_that_share_errors_are_found() {
    let found = estimated(&file(), Options::default());
    assert_eq!(found.groups.len(), 1);
    let (members, copied) = &found.groups[0];
    assert_eq!(*members, [0, 1, 4]);
    assert!((copied - 0.7).abs() < 0.05, "{copied}");
}

#[test]
fn an_interval_holds_its_estimate_and_the_labelled_accuracy() {
    for voter in estimated(&file(), Options::default()).voters {
        let it = voter.accuracy.expect("an estimate");
        assert!(it.low < it.value && it.value < it.high, "{voter:?}");
        let (right, items) = voter.labelled.expect("gold");
        assert!(it.low <= right && right <= it.high && items == voter.votes, "{voter:?}");
    }
}

#[test]
fn estimates_do_not_depend_on_the_number_of_threads() {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| format!("{:?}", estimated(&file(), Options::default())))
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn independent_errors_are_not_taken_for_shared_ones() {
    let own = [0.5, 0.6, 0.65, 0.7, 0.8];
    let lines = without_source(&drawn(4, 600, &own, &[0.0; 5], 1));
    let found = estimated(&lines, Options::default());
    assert!(found.groups.is_empty() && !found.has_confusions);
    near(&values(&found), &labelled(&found), 0.04);
}

#[test]
fn a_preference_for_a_label_is_no_shared_error() {
    // Each is right on `yes` and on `no` with different probabilities.
    let right = [[0.4, 0.9], [0.5, 0.85], [0.3, 0.95], [0.7, 0.7], [0.6, 0.8], [0.8, 0.55]];
    let mut lines = String::new();
    for item in 0..800 {
        let mut stream = start(&[7, 8, 9, 10], item);
        let mut below = |chance: f64| (stream.word() >> 11) as f64 / (1u64 << 53) as f64 <= chance;
        let gold = below(0.62);
        let each = right.iter().enumerate().map(|(at, chances)| {
            let is_right = below(chances[usize::from(gold)]);
            (format!("v{at}"), json!(if is_right == gold { "yes" } else { "no" }))
        });
        let each: serde_json::Map<String, Value> = each.collect();
        let gold = if gold { "yes" } else { "no" };
        lines.push_str(&format!("{}\n", json!({ "votes": each, "gold": gold })));
    }
    let found = estimated(&lines, Options::default());
    assert!(found.has_confusions && found.groups.is_empty(), "{:?}", found.groups);
    near(&values(&found), &labelled(&found), 0.06);
}

#[test]
fn a_source_that_all_copy_is_refused_and_solved_if_it_is_named() {
    let own = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8];
    let lines = drawn(4, 1000, &own, &[0.63; 7], 5);
    let refused = estimated(&lines, Options::default()).refusal.expect("a refusal");
    let is_shared = matches!(refused, Refusal::FewSources { .. } | Refusal::Majority { .. });
    assert!(is_shared, "{refused}");
    let found = estimated(&lines, Options { source: Some(7), ..Options::default() });
    near(&values(&found), &labelled(&found), 0.06);
    let independent = found.voters[0].independent.expect("a fit");
    assert!(independent > values(&found)[0] + 0.1, "{independent}");
}

#[test]
fn three_voters_are_refused_but_where_they_are_said_to_be_independent() {
    let lines = without_source(&drawn(4, 600, &[0.5, 0.6, 0.7], &[0.0; 3], 2));
    assert_eq!(estimated(&lines, Options::default()).refusal, Some(Refusal::Untestable));
    let found = estimated(&lines, Options { is_independent: true, ..Options::default() });
    near(&values(&found), &labelled(&found), 0.06);
}

#[test]
fn votes_that_determine_nothing_are_refused() {
    let four = [0.7, 0.7, 0.7, 0.7];
    let two = without_source(&drawn(2, 200, &[0.7, 0.8], &[0.0; 2], 3));
    assert_eq!(estimated(&two, Options::default()).refusal, Some(Refusal::FewVoters { found: 2 }));
    let few = without_source(&drawn(2, 12, &four, &[0.0; 4], 3));
    assert_eq!(estimated(&few, Options::default()).refusal, Some(Refusal::FewItems { found: 12 }));
    let chance = without_source(&drawn(4, 300, &[0.25; 5], &[0.0; 5], 4));
    assert_eq!(estimated(&chance, Options::default()).refusal, Some(Refusal::Chance));
    let pair = without_source(&drawn(2, 1000, &four, &[0.8, 0.8, 0.0, 0.0], 6));
    let refusal = estimated(&pair, Options::default()).refusal.expect("which pair is not clear");
    assert_eq!(refusal.name(), "ambiguous", "{refusal}");
}

#[test]
fn as_many_voters_worse_than_chance_as_better_are_no_votes_by_chance() {
    let lines = without_source(&drawn(2, 600, &[0.9, 0.9, 0.1, 0.1], &[0.0; 4], 5));
    assert_eq!(estimated(&lines, Options::default()).refusal, Some(Refusal::Mirrored));
}

#[test]
fn voters_that_always_vote_alike_are_named() {
    let plain = without_source(&drawn(4, 400, &[0.4, 0.7], &[0.0; 2], 5));
    let more = |line: &str| {
        let mut row: Value = serde_json::from_str(line).expect("JSON");
        for copy in ["a", "b"] {
            row["votes"][copy] = row["votes"]["v0"].clone();
        }
        format!("{row}\n")
    };
    let lines: String = plain.lines().map(more).collect();
    assert_eq!(estimated(&lines, Options::default()).same, [[0, 2, 3]]);
    let said = String::from_utf8_lossy(&cookc(&lines, &[]).stdout).into_owned();
    assert!(said.contains("the same vote on every item: v0, a, b"), "{said}");
}

#[test]
fn a_voter_that_never_varies_is_left_out_and_the_others_go_on() {
    let own = [0.6, 0.65, 0.7, 0.75, 0.8];
    let plain = without_source(&drawn(3, 500, &own, &[0.0; 5], 8));
    let more = |line: &str| {
        let mut row: Value = serde_json::from_str(line).expect("JSON");
        row["votes"]["same"] = json!(1);
        format!("{row}\n")
    };
    let lines: String = plain.lines().map(more).collect();
    let found = estimated(&lines, Options::default());
    let wanted = Refusal::Constant { label: "1".to_string() };
    assert_eq!(found.voters[5].refusal, Some(wanted));
    let others = estimated(&plain, Options::default());
    let five = Estimates { voters: found.voters[..5].to_vec(), ..found };
    assert_eq!(values(&five), values(&others));
}

#[test]
fn free_text_agrees_when_normalised_or_by_its_words() {
    let mut lines = String::new();
    for item in 0..200 {
        let mut stream = start(&[9, 8, 7, 6], item);
        let mut text = || format!("w{} w{} w{}", stream.word() % 500, stream.word() % 500, item);
        let gold = text();
        let each: Vec<String> = (0..4).map(|_| text()).collect();
        let mut stream = start(&[10, 8, 7, 6], item);
        let vote = |at: usize| match stream.word() % 10 < [4, 5, 6, 8][at] {
            true if at == 0 => format!("The {}!", gold.to_uppercase()),
            true => gold.clone(),
            false => each[at].clone(),
        };
        let votes: Vec<String> = (0..4).map(vote).collect();
        let each = votes.iter().enumerate().map(|(at, vote)| (format!("v{at}"), json!(vote)));
        let each: serde_json::Map<String, Value> = each.collect();
        lines.push_str(&format!("{}\n", json!({ "votes": each, "gold": gold })));
    }
    for agreement in [Agreement::Normalised, Agreement::F1] {
        let sets = rows(&lines).votes(agreement, None).expect("votes");
        let found = estimate(&sets[0].1, Options::default());
        assert_eq!(found.refusal, None, "{agreement:?}");
        near(&values(&found), &labelled(&found), 0.06);
    }
}

fn cookc(votes: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("votes.jsonl"), votes).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cookc"));
    command.current_dir(folder.path()).args(["mix", "--estimate", "votes.jsonl"]);
    command.args(arguments).output().expect("it runs")
}

#[test]
fn a_row_that_is_none_is_reported_with_its_line_and_what_to_write() {
    let good = r#"{"item": 1, "votes": {"a": "x"}}"#;
    for (bad, wanted) in [
        ("votes", "it is no JSON"),
        ("[1]", "expected an object, found a list: write {\"item\""),
        (r#"{"item": 1, "vots": {}}"#, "it has the key \"vots\", and a row has \"item\""),
        (r#"{"item": 1, "vots": {}}"#, "did you mean \"votes\"?"),
        (r#"{"item": 1, "votes": ["x"]}"#, "\"votes\" is a list: write \"votes\": {\"NAME\""),
        (r#"{"item": 1, "votes": {"a": "y"}}"#, "`a` votes `y`, and voted `x` on the same item"),
        (r#"{"item": 1, "voter": "b"}"#, "it has no \"label\""),
        (r#"{"item": 1, "label": "b"}"#, "it has no \"voter\""),
        (r#"{"voter": "b", "label": "x"}"#, "a row of one vote needs its item"),
        (r#"{"item": 2, "votes": {"a": {}}}"#, "\"a\" is an object: write a text, a number"),
        (r#"{"item": 2}"#, "it has no votes: write {\"item\""),
    ] {
        let done = cookc(&format!("{good}\n\n{bad}\n"), &[]);
        let text = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(1), "{text}");
        assert!(text.contains("votes.jsonl line 3: ") && text.contains(wanted), "{bad}: {text}");
    }
}

#[test]
fn options_that_do_not_fit_the_votes_say_what_to_write() {
    for (votes, arguments, wanted) in [
        (file(), vec!["--options", "2"], "there are 3 labels (`a`, `b`, `c`): write `--options 3`"),
        (file(), vec!["--source", "v9"], "did you mean `v0`?"),
        (String::new(), vec![], "it has no rows: write {\"item\""),
    ] {
        let done = cookc(&votes, &arguments);
        let text = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.code() == Some(1) && text.contains(wanted), "{text}");
    }
    let each: Vec<String> = (0..257).map(|at| format!("\"v{at}\":1")).collect();
    let done = cookc(&format!("{{\"votes\":{{{}}}}}", each.join(",")), &[]);
    let text = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(text.contains("there are 257 voters, and at most 256"), "{text}");
    let many: String = (0..99).map(|at| format!("{{\"votes\":{{\"a\":\"x{at}\"}}}}\n")).collect();
    let done = cookc(&many, &[]);
    let text = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(text.contains("write `--agreement normalised`"), "{text}");
}

#[test]
fn json_has_a_line_a_set_and_a_refusal_as_data() {
    let set = |lines: &str, name: &str| -> String {
        let each =
            lines.lines().map(|line| line.replacen('{', &format!("{{\"set\":\"{name}\","), 1));
        each.map(|line| format!("{line}\n")).collect()
    };
    let two = without_source(&drawn(2, 200, &[0.7, 0.8], &[0.0; 2], 3));
    let done = cookc(&format!("{}{}", set(&file(), "one"), set(&two, "two")), &["--json"]);
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((lines.len(), done.status.code()), (2, Some(0)), "{text}");
    assert_eq!(lines[0]["groups"][0]["voters"], json!(["v0", "v1", "v4"]));
    assert_eq!(lines[0]["refusal"], Value::Null);
    assert_eq!(lines[1]["refusal"]["reason"], "few_voters");
    assert_eq!(lines[1]["voters"][0]["accuracy"], Value::Null);
    let done = cookc(&two, &[]);
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        done.status.code() == Some(1) && text.contains("no estimate: 2 of the voters"),
        "{text}"
    );
}
