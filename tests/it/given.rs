//! What rules are given: values that no reply changes, loaded from a sample and made of a record.

use std::cell::Cell;

use cookc::check::typed::Template as Typed;
use cookc::data::Split;
use cookc::data::judge::Judge;
use cookc::data::layout::{Fields, Part};
use cookc::ir::{self, Choice, Op, Program};
use cookc::source::Source;
use serde_json::{Map, Value};

use crate::laws::{at_every_level, make, writer};
use crate::support::{VOCABULARY, template};

/// Samples of each template at each level.
const SAMPLES: u64 = 12;

#[test]
fn rules_say_the_same_of_a_sample_and_of_a_record_of_its_values() {
    let (fit, unfit) = (Cell::new(0), Cell::new(0));
    at_every_level(|name, _, _, pair| {
        let samplers = [&pair.native, &pair.interpreter];
        let judges = samplers.map(Judge::new);
        let program = pair.native.program();
        let fields = Fields::new(program, pair.native.vocabulary().clone());
        let writer = writer(&pair.native);
        let mut memories = samplers.map(|sampler| sampler.memory(Split::Train, 5));
        let mut records = samplers.map(|sampler| sampler.memory(Split::Train, 5));
        let mut other = String::from("no reply yet");
        for index in 0..SAMPLES {
            let mut object = Vec::new();
            for at in 0..2 {
                make(samplers[at], &mut memories[at], index);
            }
            fields.write(&memories[0], &mut object);
            let record: Map<String, Value> = serde_json::from_slice(&object).expect("an object");
            let own = writer.text(Part::Reply, &memories[0]);
            for reply in [&*own, &*other, "", "1 2 3"] {
                for at in 0..2 {
                    let sample = judges[at].judge(reply, &mut memories[at]);
                    records[at].clear();
                    match judges[at].judge_record(&record, reply, &mut records[at]) {
                        Ok(of_record) => {
                            assert_eq!(sample, of_record, "{name}, sample {index}: {reply}");
                            fit.set(fit.get() + 1);
                        }
                        Err(_) => unfit.set(unfit.get() + 1),
                    }
                }
            }
            other = own;
        }
    });
    let (fit, unfit) = (fit.get(), unfit.get());
    assert!(fit > 20_000, "many templates have rules about what is shown: {fit}, {unfit}");
}

fn typed(text: &str) -> Typed {
    template(&Source::new("given.cook", text)).unwrap_or_else(|errors| panic!("{errors}"))
}

fn program(text: &str) -> Program {
    let choice = Choice { vocabulary: VOCABULARY, ..Choice::default() };
    ir::lower(&typed(text), &choice).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// The steps of the only rule that do more than to load and to compare.
fn work(program: &Program) -> usize {
    let steps = program.rules[0].steps.clone();
    let steps = &program.steps[steps.start as usize..steps.end as usize];
    let is_work = |op: &Op| {
        let is_same = matches!(op, Op::Call(ir::Builtin::Same, _));
        !is_same && !matches!(op, Op::Load(_) | Op::Compare(..) | Op::Constant(_))
    };
    steps.iter().filter(|step| is_work(&step.op)).count()
}

#[test]
fn what_a_binding_has_computed_is_loaded() {
    let with = |rule: &str| {
        program(&format!(
            "fn most(xs: [Int]) -> Int = fold best = 0 over x in xs:\n\
                 if x > best then x else best\n\
             xs ~ draw(5, 1..9)\n\
             doubled = for x in xs: x + x\n\
             answer = most(doubled) + size(xs)\n\
             parts = [sort(xs)]\n\
             rule right: {rule}\n\
             prompt \"{{xs}}\"\n\
             reply \"{{answer}} of {{parts}}\"\n"
        ))
    };
    // A hidden name, an equal expression, one with a name written out, and with other loop names.
    for rule in [
        "answer == most(doubled) + size(xs)",
        "answer == most(for y in xs: y + y) + size(xs)",
        "doubled == (for other in xs: other + other)",
    ] {
        assert_eq!(work(&with(rule)), 0, "{rule}");
    }
    let [short, long] = ["answer > most(doubled)", "answer > most(for y in xs: y + y)"];
    assert_eq!(work(&with(short)), work(&with(long)));
    // Another expression is computed.
    assert!(work(&with("doubled == (for other in xs: other * 2)")) > 0);
    // What is computed from the reply is computed again.
    assert!(work(&with("sort(at(0, parts)) == at(0, parts)")) > 0);
}
