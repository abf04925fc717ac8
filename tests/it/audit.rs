//! The auditor: each template of `tests/cook/audit` is bad in one way, and a snapshot says so.

use std::collections::BTreeSet;
use std::fmt::Write;

use cookc::data::Observer;
use cookc::data::audit::{CODES, Settings, affordable, audit, findings};
use cookc::diagnostic::render;
use cookc::source::Source;

use crate::corpus::files;
use crate::laws::pair;

/// Samples of each template.
const SAMPLES: u64 = 1000;

/// What the auditor finds in a template, as the user sees it, and the codes.
fn found(source: &Source) -> (String, Vec<&'static str>) {
    let pair = pair(source, "");
    let settings = Settings { samples: SAMPLES, seed: 0 };
    let audit = audit(source, &pair.native, settings, &Observer::none())
        .unwrap_or_else(|stopped| panic!("{}: {stopped:?}", source.name));
    let found = findings(&audit, pair.native.program());
    let mut shown = String::new();
    for finding in &found {
        assert!(!finding.help.is_empty(), "{} helps", finding.code);
        writeln!(shown, "{}", render(finding, source, false)).expect("a String takes all");
    }
    (shown, found.iter().map(|finding| finding.code).collect())
}

#[test]
fn each_bad_template_shows_its_finding_and_together_they_show_all() {
    let mut seen = BTreeSet::new();
    for path in files("audit") {
        let stem = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("the corpus is UTF-8");
        let source = Source::new(format!("audit/{stem}.cook"), text);
        let (shown, codes) = found(&source);
        assert!(!codes.is_empty(), "{stem} has a finding");
        seen.extend(codes);
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true,
            snapshot_path => "../cook/audit/snapshots" }, {
            insta::assert_snapshot!(stem.as_str(), shown);
        });
    }
    // What engines and bounds get wrong is an error of cookc: no template shows it.
    let ours = ["L612", "L613"];
    let all = CODES.iter().map(|(code, _)| *code).filter(|code| !ours.contains(code));
    assert_eq!(seen, all.collect());
}

#[test]
fn what_only_looks_like_a_shortcut_is_not_reported() {
    let of = |text: &str| found(&Source::new("t.cook", text));
    // A vote is the task: a random vote is right as often as there are votes for the winner.
    let (shown, codes) = of("winner ~ pick([\"red\", \"blue\", \"green\"])\n\
        others ~ draw(4, [\"red\", \"blue\", \"green\"])\n\
        votes ~ shuffle(others + for i in 1..5: winner)\n\
        rule right: (count vote in votes: vote == winner) > 4\n\
        prompt \"Votes: {votes}\"\nreply \"{winner}\"\n");
    assert_eq!(codes, [""; 0], "{shown}");
    // A count is no number of a list, and stands in a list of numbers by chance.
    let (shown, codes) = of("marks ~ repeat(7, coin(0.5))\n\
        facts = for mark in marks: if mark then \"yes\" else \"no\"\n\
        some ~ distinct(6, 0..9)\nnumbers = sort(some)\n\
        number = count mark in marks: mark\n\
        rule right: number == count mark in marks: mark\n\
        prompt \"\"\"\n  {numbers}\n  {numbered(facts)}\n  How many?\n  \"\"\"\nreply \"{number}\"\n");
    assert!(!codes.contains(&"L616") && !codes.contains(&"L620"), "{shown}");
    // One of three shown numbers is the largest.
    let (shown, codes) = of("a ~ uniform(2..99)\nb ~ uniform(2..99)\nc ~ uniform(2..99)\n\
        best = max([a, b, c])\nrule right: best == max([a, b, c])\n\
        prompt \"{a}, {b} or {c}?\"\nreply \"{best}\"\n");
    assert!(!codes.contains(&"L615"), "{shown}");
    // Where any element is right, it is not the first one that is.
    let (shown, codes) = of("xs ~ distinct(4, vocab)\nanswer ~ pick(xs)\n\
        rule one: answer in xs\nprompt \"One of {xs}\"\nreply \"{answer}\"\n");
    assert!(codes.contains(&"L616"), "{shown}");
    assert!(shown.contains("random element of xs") && !shown.contains("first element"), "{shown}");
}

#[test]
fn an_echo_is_no_chance_beside_a_value_that_is_guessed() {
    let text = "name ~ pick(vocab)\nother ~ pick(without([name], vocab))\nsame ~ coin(0.5)\n\
        shown = if same then name else other\n\
        verdict = if shown == name then \"yes\" else \"no\"\n\
        rule right: verdict == (if shown == name then \"yes\" else \"no\")\nrule named: shown in [name, other]\n\
        prompt \"Is {shown} {name}, or {other}?\"\nreply \"{shown}: {verdict}\"\n";
    let pair = pair(&Source::new("t.cook", text), "");
    let settings = Settings { samples: SAMPLES, seed: 0 };
    let source = Source::new("t.cook", text);
    let audit = audit(&source, &pair.native, settings, &Observer::none()).expect("samples");
    let joint =
        audit.cheats.iter().find(|one| one.cheat == "echo of shown and most frequent verdict");
    let joint = joint.expect("values are joined");
    assert!((0.55..0.6).contains(&joint.bar), "{joint:?}");
}

#[test]
fn where_a_sample_takes_long_there_is_time_for_fewer_of_them() {
    let settings = Settings { samples: SAMPLES, seed: 0 };
    let end = "rule q: n > 0\nprompt \"{a}\"\nreply \"{a}\"\n";
    let time_for = |most: u32| {
        let text = format!("a ~ pick(vocab)\nn = sum(for x in 1..{most}: x % 7)\n{end}");
        let pair = pair(&Source::new("slow.cook", text), "");
        affordable(&pair.native, settings).expect("they can be drawn")
    };
    assert_eq!(time_for(1000), SAMPLES);
    let few = time_for(300_000);
    assert!((16..SAMPLES / 4).contains(&few), "{few}");
}
