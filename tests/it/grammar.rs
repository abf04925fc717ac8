//! The grammar of a template's replies: what it accepts is read, and what is written is accepted.

use cookc::Template;
use cookc::data::Split;
use cookc::data::grammar::{Dialect, Grammar};
use cookc::data::judge::Judge;
use cookc::data::layout::Part;
use cookc::data::vocab::Vocabulary;
use cookc::runtime::random::{self, RunKey};

use crate::laws::{at_every_level, make, pair, writer};
use crate::support::shipped;

/// Samples a level, and as many replies drawn from each grammar.
/// Of the corpus, which has every form of a reply; of each of the many built-in templates some.
const SAMPLES: [u64; 2] = [40, 6];
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
        for index in 0..SAMPLES[usize::from(!name.contains("tests/cook"))] {
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
    let words = sampler.inner().vocabulary();
    let reply = |count: u32| (0..count).map(|at| words.word(at)).collect::<Vec<_>>().join(" ");
    assert!(grammar.accepts(&reply(6)));
    let longer_word = reply(6) + "abcdefg";
    for other in ["", &reply(5), &reply(7), &reply(6).to_uppercase(), &longer_word] {
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
    let text = |words: u8| {
        let letter = |at: u8| char::from(b'a' + at % 10);
        let word = |at| format!("{}é{}", letter(at / 10), letter(at));
        let words = Vocabulary::new((0..words).map(word)).expect("words");
        let template = Template::builtin("reverse_words").expect("it is built in");
        let sampler = template.level("easy").vocabulary(words).compile().expect("it compiles");
        sampler.grammar(Dialect::Lark)
    };
    let (few, many) = (text(12), text(90));
    assert!(few.contains("WORD: \"aéa\" | \"aéb\" | "), "{few}");
    assert!(many.contains("// for 90 words, more than 64"), "{many}");
    assert!(many.contains("WORD: /[a-jé]/~3\n"), "{many}");
}

#[test]
fn every_kind_of_value_in_both_dialects() {
    let shipped = shipped().into_iter().find(|(source, _)| source.name.ends_with("replies.cook"));
    let sampler = pair(&shipped.expect("it is in the corpus").0, "").native;
    for dialect in Dialect::ALL {
        insta::assert_snapshot!(dialect.name(), Grammar::new(&sampler).text(dialect));
    }
}

fn sampler(name: &str, level: &str) -> cookc::Sampler {
    let template = Template::builtin(name).expect("it is built in");
    template.level(level).compile().expect("it compiles")
}
