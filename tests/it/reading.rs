//! What a reply says is what it is read as: written replies of many layouts, with empty lists and
//! with white space around them, and replies with keys of their own.

use cookc::data::judge::{Judge, Verdict};
use cookc::data::layout::Part;
use cookc::data::{Sampler, Split};
use cookc::source::Source;

use crate::laws::{Pair, make, pair, writer};
use crate::support::{program, template};

/// A stream of small numbers, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % end.max(1)
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

/// The statements that bind an output, and how the reply shows it.
fn output(numbers: &mut Numbers, at: usize) -> (String, String) {
    let (x, n) = (format!("x{at}"), format!("n{at}"));
    let count = numbers.one_of(&["0..3", "1..3", "0..1", "2..2"]);
    let many = format!("{n} ~ uniform({count})\n");
    let words = format!("{many}{x} ~ distinct({n}, vocab)\n");
    let rows = format!("{many}{x} ~ repeat({n}, distinct(2, vocab))\n");
    let ints = format!("{many}{x} ~ draw({n}, -9..99)\n");
    let texts = format!("{many}{x} ~ draw({n}, [\"a b\", \"yes\", \"it is so\"])\n");
    let keys = numbers.one_of(&["distinct", "draw"]);
    let source = numbers.one_of(&["vocab", "1..40", "[\"a key\", \"b\"]"]);
    let keys = if source.starts_with('[') { "draw" } else { keys };
    let keyed = |values: &str| format!("{values}k{at} ~ {keys}({n}, {source})\n");
    let lists = [&words, &rows, &ints];
    let list = lists[numbers.below(3)].clone();
    match numbers.below(10) {
        0 => (format!("{x} ~ pick(vocab)\n"), format!("{{{x}}}")),
        1 => (format!("{x} ~ uniform(-5..500)\n"), format!("{{{x}}}")),
        2 => (words, format!("{{{x}}}")),
        3 => (rows, format!("{{{x}}}")),
        4 => (words, format!("{{join(\", \", {x})}}")),
        5 => (texts, format!("{{join(\"{}\", {x})}}", numbers.one_of(&["; ", " | ", "\\n"]))),
        6 => (list, format!("{{numbered({x})}}")),
        7 => (keyed(&list), format!("{{lines(\"{{k{at}}}. {{{x}}}\")}}")),
        8 => (keyed(&texts), format!("{{lines(\"{{k{at}}} => {{{x}}}\")}}")),
        _ => (keyed(&list), format!("{{lines(\"{{k{at}}}: {{{x}}}\")}}")),
    }
}

/// A template with some outputs, of which the prompt shows all or only their numbers.
fn any(numbers: &mut Numbers) -> String {
    let count = 1 + numbers.below(3);
    let (mut statements, mut reply) =
        (String::new(), numbers.one_of(&["", "", "So: "]).to_string());
    for at in 0..count {
        let (bound, shown) = output(numbers, at);
        statements += &bound;
        if at > 0 {
            reply += numbers.one_of(&["\\n--\\n", " ; ", "\\n\\n== ", " || ", "\\n", "\\n\\n"]);
        }
        reply += &shown;
    }
    reply += numbers.one_of(&["", "", "\\nEnd", " !", "\\n"]);
    format!("{statements}seen ~ distinct(4, vocab)\nprompt \"Of {{seen}}:\"\nreply \"{reply}\"\n")
}

#[test]
fn a_written_reply_is_read_back_whatever_its_layout_and_the_white_space_around_it() {
    let mut numbers = Numbers(11);
    let (mut fit, mut empty) = (0, 0);
    for _ in 0..600 {
        let text = any(&mut numbers);
        let source = Source::new("any.cook", &*text);
        if template(&source).is_err() || program(&source, "").is_err() {
            continue;
        }
        fit += 1;
        let Pair { interpreter: sampler, .. } = pair(&source, "");
        let (judge, texts) = (Judge::new(&sampler), writer(&sampler));
        let mut memory = sampler.memory(Split::Train, 1);
        for index in 0..12 {
            make(&sampler, &mut memory, index);
            let reply = texts.text(Part::Reply, &memory);
            empty += usize::from(reply.trim().is_empty());
            for end in ["", "\n", " \n", "\n\n"] {
                let reply = format!("{reply}{end}");
                assert!(judge.reads_back(&reply, &mut memory), "{text}\n{reply:?}");
            }
        }
    }
    assert!(fit > 200 && empty > 20, "{fit} layouts fit, {empty} replies are empty");
}

/// A template whose values are reported apart by white space and by literals with much of it.
fn spaced(numbers: &mut Numbers) -> String {
    let count = 1 + numbers.below(3);
    let starts = ["", "", "So: ", "So:  ", "\\n", "A:\\n", " - "];
    let betweens = [
        "\\n",
        "\\n",
        "\\n\\n",
        "\\n--\\n",
        " ; ",
        "  ;  ",
        "\\n\\n== ",
        "\\nB: ",
        "\\nB:  ",
        "\\n  -  ",
        " \\n",
        ";",
        " ",
    ];
    let ends = ["", "", "\\nEnd", " !", "\\n", "  !", "\\n\\n"];
    let (mut statements, mut reply) = (String::new(), numbers.one_of(&starts).to_string());
    for at in 0..count {
        let (bound, shown) = output(numbers, at);
        statements += &bound;
        if at > 0 {
            reply += numbers.one_of(&betweens);
        }
        reply += &shown;
    }
    reply += numbers.one_of(&ends);
    format!("{statements}seen ~ distinct(4, vocab)\nprompt \"Of {{seen}}:\"\nreply \"{reply}\"\n")
}

/// What a reply becomes on its way from a model: each is as right as it was.
fn varied(reply: &str) -> Vec<String> {
    let each_line = |change: &dyn Fn(&str) -> String| {
        reply.split('\n').map(change).collect::<Vec<_>>().join("\n")
    };
    let mut single = reply.to_string();
    while single.contains("  ") {
        single = single.replace("  ", " ");
    }
    vec![
        reply.to_string(),
        reply.trim().to_string(),
        reply.trim_end().to_string(),
        format!("\n{reply}"),
        format!("\n\n{}\n", reply.trim()),
        format!("  {reply}\n\n"),
        reply.replace('\n', "\r\n"),
        format!("\r\n{}\r\n", reply.trim().replace('\n', "\r\n")),
        reply.trim().replace('\n', "\r"),
        each_line(&|line| format!("{line}  ")),
        each_line(&|line| format!("\t{line}")),
        each_line(&|line| line.trim().to_string()),
        reply.replace(' ', "  "),
        single,
    ]
}

#[test]
fn a_right_reply_is_right_however_its_white_space_came_out() {
    let mut numbers = Numbers(23);
    let (mut fit, mut empty) = (0, 0);
    for _ in 0..4000 {
        if fit == 500 {
            break;
        }
        let text = spaced(&mut numbers);
        let source = Source::new("any.cook", &*text);
        if template(&source).is_err() || program(&source, "").is_err() {
            continue;
        }
        fit += 1;
        let Pair { interpreter: sampler, .. } = pair(&source, "");
        let (judge, texts) = (Judge::new(&sampler), writer(&sampler));
        let mut memory = sampler.memory(Split::Train, 1);
        for index in 0..8 {
            make(&sampler, &mut memory, index);
            let reply = texts.text(Part::Reply, &memory);
            empty += usize::from(reply.starts_with('\n') || reply.ends_with('\n'));
            for reply in varied(&reply) {
                assert!(judge.reads_back(&reply, &mut memory), "{text}\n{reply:?}");
            }
        }
    }
    assert!(fit == 500 && empty > 200, "{fit} layouts fit, {empty} begin or end with a line break");
}

#[test]
fn two_values_that_may_be_empty_with_white_space_between_them_are_refused() {
    let is_refused = |reply: &str, first: &str, second: &str| {
        let text = format!(
            "n ~ uniform({first})\nm ~ uniform({second})\na ~ distinct(n, vocab)\n\
             b ~ distinct(m, vocab)\nc ~ pick(vocab)\nr ~ repeat(2, distinct(2, vocab))\n\
             prompt \"{{n}} {{m}}\"\nreply \"{reply}\"\n"
        );
        let source = Source::new("alike.cook", &*text);
        let errors = program(&source, "").err().unwrap_or_default();
        assert!(errors.is_empty() || errors.starts_with("E404"), "{errors}");
        !errors.is_empty()
    };
    let (maybe, surely) = ("0..2", "1..2");
    assert!(is_refused("{a}\\n{b}", maybe, maybe));
    assert!(is_refused("{a}\\n\\n{b}\\n", maybe, maybe));
    assert!(!is_refused("So:\\n{a}\\n{b}", maybe, maybe));
    assert!(!is_refused("{a}\\n{b}", maybe, surely));
    assert!(!is_refused("{a}\\n{b}", surely, maybe));
    assert!(!is_refused("{a}\\n--\\n{b}", maybe, maybe));
    assert!(!is_refused("{a}\\n{b}\\n{c}", maybe, maybe));
    assert!(is_refused("{a}\\n{c}\\n{b}", maybe, maybe));
    assert!(!is_refused("{a}; {c}; {b}", maybe, maybe));
    assert!(is_refused("{a}\\n{r}", maybe, surely));
    assert!(!is_refused("{a}\\n{r}", surely, surely));
    assert!(!is_refused("{a}\\n--\\n{r}", maybe, surely));
    assert!(!is_refused("{a}\\n{numbered(b)}", maybe, surely));
}

/// What a reply to the first sample of a template gets.
fn verdict(text: &str, reply: impl Fn(&Sampler, &str) -> String) -> Verdict {
    let Pair { interpreter: sampler, .. } = pair(&Source::new("keys.cook", text), "");
    let mut memory = sampler.memory(Split::Train, 0);
    make(&sampler, &mut memory, 0);
    let own = writer(&sampler).text(Part::Reply, &memory);
    Judge::new(&sampler).judge(&reply(&sampler, &own), &mut memory)
}

/// Each word and how often it is there, in any order: the keys are the reply's to find.
const COUNTS: &str = "\
few ~ distinct(3, vocab)\ndocument ~ draw(12, few)\nfound = unique(document)\n\
counts = for word in found: count other in document: other == word\n\
rule each: all word in unique(document): word in found\n\
rule once: size(found) == size(unique(document)) and size(counts) == size(found)\n\
rule right: all i in 0..size(found) - 1: \
at(i, counts) == count other in document: other == at(i, found)\n\
prompt \"Count the words of {document}:\"\nreply \"{lines(\\\"{found}: {counts}\\\")}\"\n";

#[test]
fn keys_that_the_prompt_does_not_show_are_read_from_the_reply() {
    let text = COUNTS.replace("\\\"", "\"");
    assert!(verdict(&text, |_, own| own.to_string()).exact());
    let turned = |_: &Sampler, own: &str| own.lines().rev().collect::<Vec<_>>().join("\n") + "\n";
    assert!(verdict(&text, turned).exact(), "the lines in another order");
    let moved = |_: &Sampler, own: &str| {
        let keys: Vec<&str> = own.lines().filter_map(|line| line.split(": ").next()).collect();
        let values = own.lines().filter_map(|line| line.split(": ").nth(1));
        let lines = keys.iter().cycle().skip(1).zip(values);
        lines.map(|(key, value)| format!("{key}: {value}")).collect::<Vec<_>>().join("\n")
    };
    let moved = verdict(&text, moved);
    assert!(moved.unreadable.is_none() && !moved.exact(), "keys of other values: {moved:?}");
    let same = |_: &Sampler, own: &str| {
        let first = own.lines().next().unwrap_or_default();
        vec![first; own.lines().count()].join("\n")
    };
    assert!(!verdict(&text, same).exact(), "one key for all");
    let bare = verdict(&text, |_, own| own.replace(": ", " "));
    let why = bare.unreadable.map(|why| why.to_string()).unwrap_or_default();
    assert!(why.starts_with("`counts` must be rows of the form `…: …`"), "{why}");
}

#[test]
fn keys_that_the_prompt_shows_must_be_as_it_shows_them() {
    let text = "names ~ distinct(3, vocab)\nages ~ distinct(3, 10..99)\n\
                rule right: all i in 0..2: at(i, ages) in 10..99\n\
                prompt \"{names}\"\nreply \"{lines(\"{names}: {ages}\")}\"\n";
    assert!(verdict(text, |_, own| own.to_string()).exact());
    let other = verdict(text, |_, own| own.replacen(own.split(':').next().unwrap_or(""), "zzz", 1));
    assert!(other.unreadable.is_some(), "{other:?}");
}

#[test]
fn keys_may_be_a_value_of_the_same_reply() {
    for prompt in ["{seen}", "{seen}, {names}"] {
        let text = format!(
            "names ~ distinct(2, vocab)\nages ~ distinct(2, 10..99)\nseen ~ pick(vocab)\n\
             rule two: size(names) == 2 and size(ages) == 2\n\
             prompt \"{prompt}\"\nreply \"{{lines(\"{{names}}: {{ages}}\")}}\\n## {{names}}\"\n"
        );
        assert!(verdict(&text, |_, own| own.to_string()).exact());
        // Unknown words are words as well.
        let of = |reply: &'static str| verdict(&text, |_, _| reply.to_string());
        assert!(of("ada: 10\nbo: 11\n## ada bo").exact());
        let why = of("ada: 10\nbo: 11\n## bo ada").unreadable.map(|why| why.to_string());
        let wanted = "`names` must be the same wherever the reply shows it, and is `ada`";
        assert_eq!(why.as_deref(), Some(wanted));
    }
}

#[test]
fn a_word_with_a_symbol_is_no_word_and_an_unknown_one_is_one() {
    let text = "words_ ~ distinct(3, vocab)\nanswer = take(2, words_)\n\
                rule two: size(answer) == 2\nprompt \"{words_}\"\nreply \"{answer}\"\n";
    let why = |reply: &'static str| {
        verdict(text, |_, _| reply.to_string()).unreadable.map(|why| why.to_string())
    };
    assert_eq!(why("never-seen 42nd"), None);
    let wanted =
        "`tuslu.` is not a word: `answer` holds words of letters, digits, `-`, `'` and `_`";
    assert_eq!(why("kelbo tuslu.").as_deref(), Some(wanted));
    assert!(why("kelbo, tuslu").is_some_and(|why| why.starts_with("`kelbo,` is not a word")));
}

#[test]
fn rows_of_several_lists_are_read_back_and_what_the_prompt_shows_must_be_in_them() {
    let text = r#"
names ~ distinct(3, vocab)
ages ~ draw(3, 1..99)
few ~ uniform(0..1)
owned = for age in ages: 2..3
rest = take(few, ages)
same = ages
rule right: ages == same and (all xs in owned: xs == [2, 3]) and size(rest) == few
prompt "{lines("{names}. {same}")} {few}"
reply "{lines("{names} ({ages} of {join("/", owned)})")} == {rest or "none"}"
"#;
    let source = Source::new("rows.cook", text);
    let Pair { interpreter: sampler, .. } = pair(&source, "");
    let (judge, texts) = (Judge::new(&sampler), writer(&sampler));
    let mut memory = sampler.memory(Split::Train, 1);
    let mut seen = [false; 2];
    for index in 0..20 {
        make(&sampler, &mut memory, index);
        let own = texts.text(Part::Reply, &memory);
        seen[usize::from(own.ends_with("none"))] = true;
        let mut is_exact = |reply: &str| judge.judge(reply, &mut memory).exact();
        assert!(is_exact(&own), "{own}");
        assert!(is_exact(&own.replace(" (", "  ( ").replace("2/3", "2 / 3")), "{own}");
        let turned = own.replacen("2/3", "3/2", 1);
        let renamed = format!("ix{own}");
        let (rows, end) = own.split_once(" == ").expect("it has one");
        let fewer = rows.rsplit_once('\n').expect("three rows").0.to_string() + " == " + end;
        for wrong in [turned, renamed, fewer, own.replacen(" of ", " or ", 1)] {
            assert!(!is_exact(&wrong), "{wrong}");
        }
    }
    assert_eq!(seen, [true; 2], "an empty list, and one that is not");
}

#[test]
fn white_space_beside_the_signs_between_elements_says_nothing() {
    let text = r#"
names ~ distinct(3, vocab)
ages ~ draw(3, 1..99)
same = ages
lists = for age in ages: [age, age]
rule right: ages == same and (all xs in lists: size(xs) == 2) and size(names) == 3
prompt "{same}"
reply "{join("; ", "{names}: {ages}")} == [[{join("], [", join(", ", lists))}]]"
"#;
    let source = Source::new("signs.cook", text);
    let Pair { interpreter: sampler, .. } = pair(&source, "");
    let (judge, texts) = (Judge::new(&sampler), writer(&sampler));
    let mut memory = sampler.memory(Split::Train, 1);
    make(&sampler, &mut memory, 0);
    let own = texts.text(Part::Reply, &memory);
    for (from, to) in [(", ", ","), ("], [", "],["), ("], [", "] , ["), ("; ", ";"), ("; ", " ;")] {
        let reply = own.replace(from, to);
        assert!(judge.judge(&reply, &mut memory).exact(), "{reply}");
    }
    for (from, to) in [(", ", " "), ("], [", "] ["), ("; ", ", ")] {
        let reply = own.replace(from, to);
        assert!(!judge.judge(&reply, &mut memory).exact(), "{reply}");
    }
}

/// Layouts whose parts white space or nothing tells apart, and the code of those that are refused.
const CLOSE: [(&str, &str, &str); 14] = [
    ("o = for i in 1..3: 1..i", r#"{join(" \n", join("\n", o))}"#, "E406"),
    ("o = for i in 1..3: i\nq = o", r#"{join("\n ", "{o}\n{q}")}"#, "E406"),
    (r#"o ~ draw(2, ["x\ny", "z"])"#, r#"{join(" \n", o)}"#, "E406"),
    (r#"o ~ draw(2, ["ab", "c"])"#, r#"{join("", o)}"#, "E406"),
    (r#"o ~ repeat(2, draw(2, ["ab", "c"]))"#, r#"{lines("{join("", o)}")}"#, "E406"),
    (r#"o ~ draw(n, ["", "b"])"#, r#"{join(", ", o)}"#, "E406"),
    ("o = for i in 1..3: 1..i", r#"{join(" ", join("\n", o))}"#, ""),
    ("o ~ draw(3, 1..9)\nq = o", r#"{join("\t", "{o}: {q}")}"#, ""),
    (r#"o ~ repeat(2, draw(2, ["a b", "c"]))"#, r#"{join("\t", join("; ", o))}"#, ""),
    ("o ~ for i in 1..2: draw(n, vocab)\nq ~ draw(2, 0..9)", r#"{lines("{o} = {q}")}"#, ""),
    (
        "o ~ for i in 1..2: draw(n, vocab)\nq ~ repeat(2, draw(n, 0..9))",
        r#"{lines("{q} , {o}")}"#,
        "",
    ),
    ("a ~ for i in 1..2: draw(i % 2, vocab)\no ~ draw(2, 0..9)", r#"{lines("w {a} - {o}")}"#, ""),
    ("o = 1..n", r#"{o or "none"}"#, ""),
    ("o ~ draw(n, vocab)", r#"{join(", ", o) or "no words"}"#, ""),
];

#[test]
fn parts_that_nothing_tells_apart_are_refused_and_all_others_are_read_back() {
    for (values, reply, code) in CLOSE {
        let shown = if values.starts_with("a ") { "{lines(\"w {a}\")}" } else { "{n}" };
        let text =
            format!("n ~ uniform(0..2)\n{values}\nprompt \"{shown} {{n}}\"\nreply \"{reply}\"\n");
        let source = Source::new("close.cook", &*text);
        let refused =
            template(&source).err().or_else(|| program(&source, "").err().map(|it| it.to_string()));
        if !code.is_empty() {
            assert!(refused.is_some_and(|why| why.contains(code)), "{text}");
            continue;
        }
        let Pair { interpreter: sampler, .. } = pair(&source, "");
        let (judge, texts) = (Judge::new(&sampler), writer(&sampler));
        let mut memory = sampler.memory(Split::Train, 1);
        for index in 0..60 {
            make(&sampler, &mut memory, index);
            let own = texts.text(Part::Reply, &memory);
            assert!(judge.reads_back(&own, &mut memory), "{text}\n{own}");
            let is_exact = judge.judge("", &mut memory).exact();
            assert!(!reply.contains("or \"") || !is_exact, "an empty reply to {text}");
        }
    }
}
