//! The grammar of a template's replies: what it accepts is read, and what is written is accepted.

use cookc::Template;
use cookc::data::Split;
use cookc::data::grammar::{Dialect, Grammar};
use cookc::data::judge::Judge;
use cookc::data::layout::Part;
use cookc::data::vocab::Vocabulary;
use cookc::runtime::random::{self, RunKey};

use crate::laws::{at_every_level, make, writer};

/// Samples a level, and as many replies drawn from each grammar.
const SAMPLES: u64 = 40;
const SEED: u64 = 3;

#[test]
fn replies_of_every_shipped_template_are_accepted_and_what_is_accepted_is_read() {
    at_every_level(|name, _, _, pair| {
        let sampler = &pair.native;
        let (writer, judge) = (writer(sampler), Judge::new(sampler));
        let any = Grammar::new(sampler);
        let has_keys = any.text(Dialect::Gbnf).contains("are of the prompt");
        let key = RunKey::new(name, "", "grammar", SEED).stream("draws");
        let mut memory = sampler.memory(Split::Train, SEED);
        for index in 0..SAMPLES {
            make(sampler, &mut memory, index);
            let reply = writer.text(Part::Reply, &memory);
            let own = Grammar::of_sample(sampler, &memory);
            assert!(own.accepts(&reply) && any.accepts(&reply), "{name}: {reply:?}");
            let mut stream = random::start(&key, index);
            for grammar in if has_keys { vec![&own] } else { vec![&own, &any] } {
                let drawn = grammar.draw(&mut stream);
                assert!(grammar.accepts(&drawn), "{name}: {drawn:?}");
                let verdict = judge.judge(&drawn, &mut memory);
                assert_eq!(verdict.unreadable, None, "{name}: {drawn:?}");
            }
        }
    });
}

#[test]
fn a_reply_outside_of_the_bounds_is_not_accepted() {
    let sampler = sampler("retrieval", "easy");
    let grammar = Grammar::new(sampler.inner());
    assert!(grammar.accepts("one two three four five six"));
    for other in ["", "one two", "one two three four five SIX", " one two three four five six"] {
        assert!(!grammar.accepts(other), "{other:?}");
    }
}

#[test]
fn the_grammar_of_a_sample_has_its_keys() {
    let sampler = sampler("abduct", "easy");
    let grammars = [0, 1, 2].map(|index| {
        let text = sampler.sample_grammar(Split::Eval, SEED, index, Dialect::Gbnf);
        text.expect("it can be drawn")
    });
    assert!(grammars[0] != grammars[1] || grammars[1] != grammars[2]);
    let any = sampler.grammar(Dialect::Gbnf);
    assert!(any.contains("# `keys` are of the prompt: only those of the sample can be read"));
}

#[test]
fn words_are_written_one_by_one_only_where_they_are_few() {
    let text = |words: usize| {
        let letters = (0..words)
            .map(|at| format!("w{}é", "abcdefghij".repeat(7).get(at..=at).unwrap_or("z")));
        let unique: std::collections::BTreeSet<String> = letters.collect();
        let many = (0..words - unique.len()).map(|at| format!("x{at}"));
        let words = Vocabulary::new(unique.iter().cloned().chain(many)).expect("words");
        let template = Template::builtin("reverse_words").expect("it is built in");
        let sampler = template.level("easy").vocabulary(words).compile().expect("it compiles");
        sampler.grammar(Dialect::Lark)
    };
    assert!(text(12).contains("WORD: \"waé\" | \"wbé\""), "{}", text(12));
    let many = text(90);
    assert!(many.contains("// for 90 words, more than 64"), "{many}");
    assert!(many.contains("WORD: /[0-9a-jwxé]/~2..3"), "{many}");
}

#[test]
fn every_kind_of_value_in_both_dialects() {
    let text = std::fs::read_to_string("tests/cook/ok/replies.cook").expect("the file is there");
    let template = Template::open("tests/cook/ok/replies.cook");
    let template = template.unwrap_or_else(|error| panic!("{text}\n{error}"));
    let sampler = template.compile().expect("it compiles");
    for dialect in Dialect::ALL {
        insta::assert_snapshot!(dialect.name(), sampler.grammar(dialect));
    }
}

fn sampler(name: &str, level: &str) -> cookc::Sampler {
    let template = Template::builtin(name).expect("it is built in");
    template.level(level).compile().expect("it compiles")
}
