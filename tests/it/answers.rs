//! Answers as models write them: right ones in thirty decorations are read, and stuffed replies
//! are not paid.

use cookc::{Answer, Sampler, Split, Template};

/// Ten kinds of replies: numbers, fractions, rows, words, sentences, lists, lines with keys.
const TASKS: [&str; 10] = [
    "std:chain_sum",
    "dice",
    "hanoi",
    "game_of_life",
    "shortest_path",
    "knights_knaves",
    "time_intervals",
    "list_functions",
    "graph_color",
    "cryptarithm",
];
/// The tasks of the standard library whose names these have.
const FULL_TASKS: [&str; 10] = [
    "std:chain_sum",
    "std:dice",
    "std:tower_of_hanoi",
    "std:game_of_life",
    "std:shortest_path",
    "std:knights_knaves",
    "std:time_intervals",
    "std:list_functions",
    "std:graph_color",
    "std:cryptarithm",
];
const SAMPLES: u64 = 3;

fn samplers(answer: Answer) -> impl Iterator<Item = (&'static str, Sampler)> {
    samplers_of(TASKS, answer)
}

fn samplers_of(
    tasks: [&'static str; 10],
    answer: Answer,
) -> impl Iterator<Item = (&'static str, Sampler)> {
    tasks.into_iter().map(move |task| {
        let template = match task.starts_with("std:") {
            true => Template::named(task),
            false => Template::open(format!("tests/data/answers/{task}.cook")),
        };
        let sampler = template.and_then(|it| it.level("").answer(answer).compile());
        (task, sampler.unwrap_or_else(|error| panic!("{task}: {error}")))
    })
}

/// A right answer as models write it: the name of the decoration, and the reply.
fn decorated(x: &str) -> Vec<(&'static str, String)> {
    let upper = x.to_uppercase();
    let mut letters = x.chars();
    let first = letters.next().map(|it| it.to_uppercase().to_string()).unwrap_or_default();
    let capitalized = first + letters.as_str();
    let thoughts = "I look at each step in turn.\n\nSo it is clear.";
    let by_lines = |between: &str| {
        let line = |line: &str| line.split(' ').collect::<Vec<_>>().join(between);
        x.lines().map(line).collect::<Vec<_>>().join("\n")
    };
    vec![
        ("bare", x.to_string()),
        ("spaces around", format!("  {x}  ")),
        ("blank lines around", format!("\n\n{x}\n\n")),
        ("full stop", format!("{x}.")),
        ("The answer is X.", format!("The answer is {x}.")),
        ("The answer is: X", format!("The answer is: {x}")),
        ("Answer: X", format!("Answer: {x}")),
        ("bold", format!("**{x}**")),
        ("code", format!("`{x}`")),
        ("formula", format!("${x}$")),
        ("double quotes", format!("\"{x}\"")),
        ("single quotes", format!("'{x}'")),
        ("brackets", format!("[{x}]")),
        ("fence", format!("```\n{x}\n```")),
        ("box", format!("\\boxed{{{x}}}")),
        ("box in a formula", format!("$\\boxed{{{x}}}$")),
        ("tags", format!("<answer>{x}</answer>")),
        ("thought, bare", format!("<think>Well.</think>\n{x}")),
        ("thought, tags", format!("<think>Well.</think>\n<answer>{x}</answer>")),
        ("text, Final answer", format!("{thoughts}\nFinal answer: {x}")),
        ("text, bold Answer", format!("{thoughts}\n**Answer:** {x}")),
        ("text, box", format!("{thoughts}\n\\boxed{{{x}}}")),
        ("text, bare last line", format!("{thoughts}\n{x}")),
        ("heading", format!("## Answer\n\n{x}")),
        ("bullet", format!("- {x}")),
        ("upper case", upper),
        ("capitalized", capitalized),
        ("commas", by_lines(", ")),
        ("semicolons", by_lines("; ")),
        ("answer, then why", format!("{x}\nThat is because of the rules.")),
    ]
}

/// A right answer hidden among wrong ones.
fn stuffed(right: &str, wrong: &str) -> Vec<String> {
    vec![
        format!("<answer>{wrong}</answer><answer>{right}</answer>"),
        format!("<answer>{right}</answer>\n<answer>{wrong}</answer>"),
        format!("\\boxed{{{wrong}}} \\boxed{{{right}}}"),
        format!("\\boxed{{{right}}} or \\boxed{{{wrong}}}"),
        format!("{wrong} or {right}"),
        format!("{right} or {wrong}"),
        format!("<think>{right}</think>{wrong}"),
        format!("<think>{right}"),
        format!("<!-- {right} --> {wrong}"),
        format!("<answer>{wrong}<answer>{right}</answer></answer>"),
        format!("The answer is {wrong}. No, the answer is {right}."),
        format!("Answer: {wrong}\n\\boxed{{{right}}}"),
        format!("The answer is {wrong}, \\boxed{{{right}}}"),
        format!("{wrong}\n\n{right}"),
        format!("<answer>{wrong}</answer>\nAnswer: {right}"),
    ]
}

/// How many of the replies are exact, by decoration.
fn read(answer: Answer) -> Vec<(&'static str, u64)> {
    read_of(TASKS, answer)
}

fn read_of(tasks: [&'static str; 10], answer: Answer) -> Vec<(&'static str, u64)> {
    let mut read: Vec<(&str, u64)> =
        decorated("x").into_iter().map(|(name, _)| (name, 0)).collect();
    let both = samplers_of(tasks, Answer::Strict).zip(samplers_of(tasks, answer));
    for ((_, sampler), (_, reader)) in both {
        for index in 0..SAMPLES {
            let sample = sampler.sample(Split::Train, 7, index).expect("a sample");
            for (at, (_, reply)) in decorated(&sample.reply).into_iter().enumerate() {
                let score = reader.score(Split::Train, 7, index, &reply).expect("a score");
                read[at].1 += u64::from(score.exact());
            }
        }
    }
    read
}

fn sampler_of(sampler: &Sampler, answer: Answer) -> Sampler {
    let mut all = samplers(answer);
    all.find(|(_, one)| one.name() == sampler.name()).expect("the same task").1
}

#[test]
fn right_answers_are_read_in_nearly_all_decorations() {
    let all = read(Answer::Any);
    println!("{all:?} {:?} {:?}", read(Answer::Bare), read(Answer::Strict));
    let sum: u64 = all.iter().map(|(_, count)| count).sum();
    assert!(sum >= 800, "{sum} of 900: {all:#?}");
    let full = read_of(FULL_TASKS, Answer::Any);
    let sum: u64 = full.iter().map(|(_, count)| count).sum();
    assert!(sum >= 800, "{sum} of 900: {full:#?}");
    let strict: u64 = read(Answer::Strict).iter().map(|(_, count)| count).sum();
    assert!(strict < 200, "{strict}: decoration has a meaning where nothing else is asked for");
    let of = |answer| {
        let of: std::collections::BTreeMap<&str, u64> = read(answer).into_iter().collect();
        of
    };
    assert_eq!(of(Answer::Tags)["tags"], 30);
    assert_eq!(of(Answer::Tags)["thought, tags"], 30);
    assert_eq!(of(Answer::Tags)["bare"], 0);
    assert_eq!(of(Answer::Boxed)["text, box"], 30);
    assert_eq!(of(Answer::Line)["text, bold Answer"], 30);
    assert!(of(Answer::Bare)["code"] == 30 && of(Answer::Bare)["Answer: X"] == 0);
}

#[test]
fn a_stuffed_reply_is_paid_in_no_form() {
    for (answer, tasks) in Answer::ALL.into_iter().flat_map(|it| [(it, TASKS), (it, FULL_TASKS)]) {
        let both = samplers_of(tasks, answer).zip(samplers_of(tasks, Answer::Strict));
        for ((task, sampler), (_, plain)) in both {
            for index in 0..SAMPLES {
                let own = |index| plain.sample(Split::Train, 7, index).expect("a sample").reply;
                let right = own(index);
                let wrong = (index + 1..).map(own).find(|other| *other != right);
                for reply in stuffed(&right, &wrong.expect("another answer")) {
                    let score = sampler.score(Split::Train, 7, index, &reply).expect("a score");
                    let is_committed = match answer {
                        // What stands in the one mark that is asked for is the answer.
                        Answer::Tags => {
                            reply.starts_with(&format!("<answer>{right}</answer>\nAns"))
                        }
                        Answer::Boxed => {
                            reply.contains("boxed") && reply.matches("boxed").count() == 1
                        }
                        Answer::Line => reply.ends_with(&format!("Answer: {right}")),
                        _ => false,
                    };
                    assert!(!score.exact() || is_committed, "{answer}, {task}: {reply:?}");
                }
            }
        }
    }
}

#[test]
fn a_cause_is_told_for_each_reply_that_cannot_be_read() {
    let template = Template::builtin("chain_sum").expect("a template");
    let cause = |answer, reply: &str| {
        let sampler = template.level("easy").answer(answer).compile().expect("a sampler");
        let score = sampler.score(Split::Train, 7, 0, reply).expect("a score");
        score.unreadable().map(|why| why.cause())
    };
    assert_eq!(cause(Answer::Tags, "7"), Some("no_answer"));
    assert_eq!(cause(Answer::Boxed, r"\boxed{1} \boxed{2}"), Some("two_answers"));
    assert_eq!(cause(Answer::Bare, "<think>7"), Some("open_thought"));
    assert_eq!(cause(Answer::Bare, "seven"), Some("value"));
    assert_eq!(cause(Answer::Tags, "<answer>7"), Some("form"));
    assert_eq!(
        cause(Answer::Tags, &format!("<answer>{}</answer>", "7 ".repeat(500))),
        Some("too_long")
    );
    assert_eq!(cause(Answer::Any, "The sum is **7**"), Some("value"));
    assert_eq!(cause(Answer::Any, "**7**"), None);
}

#[test]
fn what_is_asked_for_stands_in_prompt_and_reply_and_moves_no_sample() {
    for (task, plain) in samplers(Answer::Strict) {
        for answer in Answer::ALL {
            let asked = sampler_of(&plain, answer);
            for (split, index) in [(Split::Train, 0), (Split::Eval, 1), (Split::Train, 2)] {
                let one = plain.sample(split, 3, index).expect("a sample");
                let other = asked.sample(split, 3, index).expect("a sample");
                assert_eq!(one.fields, other.fields, "{task}");
                assert!(other.prompt.ends_with(&one.prompt) && other.reply.contains(&one.reply));
                assert_eq!(answer.request().is_none(), one.prompt == other.prompt, "{task}");
                let score = asked.score(split, 3, index, &other.reply).expect("a score");
                assert!(score.exact(), "{task}, {answer}: {}", other.reply);
            }
        }
    }
}

#[test]
fn a_form_that_a_template_has_itself_is_refused() {
    let text = "word ~ pick(vocab)\nprompt \"{word}\"\nreply \"Answer: {word}\"\n";
    let template = Template::parse("own.cook", text).expect("a template");
    let error = template.level("").answer(Answer::Line).compile().expect_err("two marks");
    assert!(error.to_string().contains("write another form"), "{error}");
    let sampler = template.level("").answer(Answer::Any).compile().expect("a sampler");
    let sample = sampler.sample(Split::Train, 0, 0).expect("a sample");
    assert!(sampler.score(Split::Train, 0, 0, &sample.reply).expect("a score").exact());
}

#[test]
fn a_layer_is_peeled_where_it_encloses_all_and_the_layout_has_it_not() {
    let reads = |reply: &str, text: &str, written: &str| {
        let source = format!(
            "word ~ pick(vocab)\nanswer = if word == word then \"(a)\" else \"b.\"\n\
             number ~ uniform(-9..9)\nprompt \"{{word}} {{answer}} {{number}}\"\nreply \"{reply}\"\n"
        );
        let template = Template::parse("a.cook", &source).unwrap_or_else(|it| panic!("{it}"));
        let sampler = template.level("").answer(Answer::Bare).compile().expect("a sampler");
        let sample = sampler.sample(Split::Train, 5, 0).expect("a sample");
        let written = written.replace('@', text.strip_prefix('=').unwrap_or(&sample.reply));
        let score = sampler.score(Split::Train, 5, 0, &written).expect("a score");
        (score.exact(), written)
    };
    for dressed in [
        "@",
        " @\n",
        "**@**",
        "`@`",
        "$@$",
        "\"@\"",
        "'@'",
        "[@]",
        "```\n@\n```",
        "```text\n@\n```",
        "@.",
        "**`@`**.",
        "- @",
        r"$\text{@}$",
        "“@”",
        r"\(@\)",
        "***@***",
        "(@)",
        "[(@)]",
    ] {
        let (is_read, written) = reads("{word}", "", dressed);
        assert!(is_read, "{written:?}");
    }
    for odd in ["\"@\" and \"@\"", "(@) (@)", "@..", "[]", "``` ```", "<b>@</b>", "@ @"] {
        let (is_read, written) = reads("{word}", "", odd);
        assert!(!is_read, "{written:?}");
    }
    // A text may begin and end with brackets itself: they are no decoration, and bold is.
    assert!(reads("{answer}", "", "@").0 && reads("{answer}", "", "**@**").0);
    assert!(!reads("{answer}", "=a", "@").0);
    // A dash before a number that may be negative is its sign.
    assert!(!reads("{number}", "=- 5", "@").0);
    assert!(reads("[{word}]", "", "`@`").0);
}

#[test]
fn a_full_stop_is_no_decoration_of_texts_that_may_end_with_it() {
    let reads = |kinds: &str, prompt: &str| {
        let source = format!(
            "word ~ pick(vocab)\nkind ~ pick([{kinds}])\nclaim = \"{{word}} is a {{kind}}.\"\n\
             prompt \"{prompt}\"\nreply \"{{kind}}\"\n"
        );
        let template = Template::parse("a.cook", &source).unwrap_or_else(|it| panic!("{it}"));
        let sampler = template.level("").answer(Answer::Bare).compile().expect("a sampler");
        let own = |index| sampler.sample(Split::Train, 0, index).expect("a sample").reply;
        let index = (0..).find(|&index| !own(index).ends_with('.')).expect("one of them");
        let reply = format!("{}.", own(index));
        sampler.score(Split::Train, 0, index, &reply).expect("a score").exact()
    };
    // That a part of another text is a full stop says nothing of this one.
    assert!(reads("\"knight\", \"knave\"", "{claim}"));
    assert!(!reads("\"a knight\", \"a knight.\"", "{word} {kind}"));
}

#[test]
fn keys_may_be_in_any_case_where_no_two_differ_in_it_alone() {
    let reads = |keys: &str, written: fn(&str) -> String| {
        let source = format!(
            "keys = [{keys}]\nvalues ~ shuffle([1, 2])\nprompt \"{{keys}} {{values}}\"\n\
             reply \"{{lines(\"{{keys}}: {{values}}\")}}\"\n"
        );
        let template = Template::parse("a.cook", &source).unwrap_or_else(|it| panic!("{it}"));
        let scored = |answer| {
            let sampler = template.level("").answer(answer).compile().expect("a sampler");
            let sample = sampler.sample(Split::Train, 0, 0).expect("a sample");
            let score = sampler.score(Split::Train, 0, 0, &written(&sample.reply));
            score.expect("a score").exact()
        };
        (scored(Answer::Bare), scored(Answer::Strict))
    };
    assert_eq!(reads("\"red\", \"blue\"", |it| it.to_uppercase()), (true, false));
    assert_eq!(reads("\"red\", \"Straße\"", |it| it.to_lowercase()), (true, false));
    let swapped = |it: &str| it.replace("a:", "b:").replace("A:", "a:").replace("b:", "A:");
    assert_eq!(reads("\"a\", \"A\"", swapped), (false, false));
    assert_eq!(reads("\"a\", \"A\"", |it| it.to_string()), (true, true));
}

#[test]
fn a_rule_that_runs_out_of_memory_is_told_and_holds_of_the_samples_own_reply() {
    let text = "n ~ uniform(2..9)\nanswer = n * 100000\n\n\
                rule right: size(1..answer) == n * 100000\n\n\
                prompt \"{n} times a hundred thousand\"\nreply \"{answer}\"\n";
    let template = Template::parse("long", text).expect("a template");
    let sampler = template.compile().expect("a sampler");
    let sample = sampler.sample(Split::Train, 7, 0).expect("a sample");
    let score = |reply: &str| sampler.score(Split::Train, 7, 0, reply).expect("a score");
    assert!(score(&sample.reply).exact(), "{}", sample.reply);
    let long = score("9999999999");
    assert_eq!(long.unreadable().map(|why| why.cause()), Some("memory"));
    assert_eq!(long.mean(), 0.0);
    assert!(score(&sample.reply).exact(), "what ran out is forgotten");
}
