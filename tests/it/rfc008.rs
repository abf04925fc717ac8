//! OpenEnv's RFC 008 report: what good templates get, and what each bad one fails.

use cookc::data::audit::Settings;
use cookc::data::rfc008::{Criterion, Report, Status, Subject, report};
use cookc::data::{Observer, Sampler};
use cookc::source::Source;
use cookc::stdlib;

use crate::laws::pair;

const SETTINGS: Settings = Settings { samples: 100, seed: 4 };

/// What needs no model, by the RFC's numbers.
const MEASURED: [u8; 10] = [23, 25, 28, 30, 36, 37, 39, 40, 42, 44];

fn examine(name: &str, text: &str) -> Report {
    let source = Source::new(name, text);
    let [sampler, again] = [(), ()].map(|()| pair(&source, "").native);
    against(&source, &sampler, &again)
}

fn against(source: &Source, sampler: &Sampler, again: &Sampler) -> Report {
    let subject = Subject { source, sampler, again };
    report(&subject, SETTINGS, &Observer::none()).expect("all samples are drawn")
}

fn of(report: &Report, policy: u8) -> &Criterion {
    report.criteria.iter().find(|one| one.policy == policy).expect("it is in the report")
}

fn failed(report: &Report) -> Vec<u8> {
    let failed = report.criteria.iter().filter(|one| one.status == Status::Fail);
    failed.map(|one| one.policy).collect()
}

/// A template of eight words, five of which are asked for in the order of the eight.
fn sorting(more: &str, rules: &str, prompt: &str) -> String {
    format!(
        "xs ~ distinct(8, vocab)\nchosen ~ distinct(5, xs)\n{more}\n\
         sorted = intersect(xs, chosen)\n\
         {rules}\nprompt \"{prompt}\"\nreply \"{{sorted}}\"\n"
    )
}

const ORDERED: &str = "rule in_order: sorted == intersect(xs, chosen)";
const PROMPT: &str = "Order: {xs}. Sort: {chosen}";

#[test]
fn two_small_templates_pass_and_what_needs_a_model_is_said_to_be_unmeasured() {
    for name in ["reverse_words", "boolean_expression"] {
        let source = stdlib::template(name).expect("it is built in");
        let report = examine(&source.name, &source.text);
        assert_eq!((failed(&report), report.passed), (vec![], true), "{report:#?}");
        for criterion in &report.criteria {
            let is_run = MEASURED.contains(&criterion.policy);
            assert_eq!(criterion.passed, is_run.then_some(true), "{criterion:#?}");
            assert_eq!(criterion.status == Status::NotMeasured, !is_run);
        }
        let unmeasured = report.criteria.iter().filter(|one| one.passed.is_none());
        let unmeasured: Vec<u8> = unmeasured.map(|one| one.policy).collect();
        assert_eq!(unmeasured, [13, 14, 15, 16, 26, 27]);
    }
}

#[test]
fn a_rule_that_pays_for_every_reply_is_no_reward() {
    let rule = "rule some: size(sorted) >= 0 or sorted == intersect(xs, chosen)";
    let report = examine("a.cook", &sorting("", rule, PROMPT));
    // Replies that cannot be read have no reward, so that it is not constant.
    assert!(failed(&report).contains(&25) && failed(&report).contains(&28), "{report:#?}");
    let constant = "x ~ pick(vocab)\ny = x\nrule never: y == x and y != x\n\
                    prompt \"{x}?\"\nreply \"{y}\"\n";
    let report = examine("a.cook", constant);
    assert!(failed(&report).contains(&23), "{report:#?}");
    assert!(of(&report, 23).details.contains("write a rule that wrong replies break"));
}

#[test]
fn a_template_that_pays_for_the_empty_reply_fails_at_its_floor() {
    let rule = "rule chosen_alone: all x in sorted: x in xs and x in chosen";
    let report = examine("a.cook", &sorting("", rule, PROMPT));
    assert!(failed(&report).starts_with(&[25, 28]), "{:?}", failed(&report));
    for policy in [25, 28] {
        let details = &of(&report, policy).details;
        assert!(details.contains("empty reply"), "{details}");
        assert!(details.contains("write a rule"), "{details}");
    }
}

#[test]
fn a_template_that_pays_for_stuffed_replies_fails_at_its_floor() {
    let rule = "rule has_them: all x in intersect(xs, chosen): x in sorted";
    let report = examine("a.cook", &sorting("", rule, PROMPT));
    assert!(failed(&report).contains(&28), "{:?}", failed(&report));
    let stuffed = of(&report, 28).actual.as_array().expect("a canary each");
    let named = stuffed.iter().find(|one| one["canary"] == "the right reply and another sample's");
    assert_eq!(named.expect("it is one")["exact"], 1.0);
}

#[test]
fn rules_that_the_oracle_breaks_fail() {
    let rule = format!("{ORDERED}\nrule first: at(0, sorted) == at(0, chosen)");
    let report = examine("a.cook", &sorting("", &rule, PROMPT));
    assert_eq!(failed(&report), [25]);
    assert!(of(&report, 25).details.contains("rule `first` does not hold on sample"));
}

#[test]
fn a_prompt_that_shows_the_solution_fails_with_and_without_a_name() {
    for prompt in ["{xs}; {chosen}; {sorted}", "{xs}; {chosen}; {intersect(xs, chosen)}"] {
        let report = examine("a.cook", &sorting("", ORDERED, prompt));
        assert!(failed(&report).contains(&30), "{prompt}: {:?}", failed(&report));
        let details = &of(&report, 30).details;
        assert!(details.contains("show what the answer follows from"), "{details}");
    }
    let report = examine("a.cook", &sorting("", ORDERED, PROMPT));
    assert_eq!(failed(&report), [0; 0]);
}

#[test]
fn prompts_of_both_splits_fail() {
    let text = "number ~ uniform(1..2)\nword = at(number - 1, [\"one\", \"two\"])\n\
                rule named: word == at(number - 1, [\"one\", \"two\"])\n\
                prompt \"Name {number}.\"\nreply \"{word}\"\n";
    let report = examine("a.cook", text);
    assert!(of(&report, 30).details.contains("held-out prompts"), "{report:#?}");
    // The few samples are also the same for many seeds.
    assert_eq!(of(&report, 36).status, Status::Warn);
}

#[test]
fn a_template_that_draws_nothing_has_no_seed() {
    let text = "word = at(0, [\"one\", \"two\"])\nrule named: word == at(0, [\"one\", \"two\"])\n\
                prompt \"The first number?\"\nreply \"{word}\"\n";
    let report = examine("a.cook", text);
    assert!(failed(&report).contains(&36), "{:?}", failed(&report));
}

#[test]
fn partial_reward_of_a_canary_and_missing_rules_warn() {
    let rules = format!(
        "{ORDERED}\nrule chosen_alone: all x in sorted: x in chosen\n\
                         rule of_list: all x in sorted: x in xs"
    );
    let report = examine("a.cook", &sorting("", &rules, PROMPT));
    assert_eq!((report.status, failed(&report)), (Status::Warn, vec![]), "{report:#?}");
    assert!(of(&report, 28).details.contains("train on `exact`"));
    let report = examine("a.cook", &sorting("", "", PROMPT));
    assert_eq!((report.status, of(&report, 23).status), (Status::Warn, Status::Warn));
    assert!(of(&report, 23).details.contains("write `rule right: …`"));
}

/// No template can fail these, so another one is passed off as the same.
#[test]
fn another_template_is_neither_replayed_nor_pinned_nor_judged_alike() {
    let texts = [
        sorting("", ORDERED, PROMPT),
        sorting(
            "more ~ distinct(9, vocab)",
            "rule in_order: size(sorted) > 9",
            "{xs}: {chosen} {more}",
        ),
    ];
    let sources = texts.map(|text| Source::new("a.cook", text));
    let [sampler, again] = [0, 1].map(|at: usize| pair(&sources[at], "").native);
    let report = against(&sources[0], &sampler, &again);
    assert_eq!(failed(&report), [37, 39, 42, 44]);
}
