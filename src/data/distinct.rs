//! How many different prompts a template can have at most, from what is known of the values that
//! they show.

use crate::check::types::Type;
use crate::ir::{Bound, Piece};

use super::Sampler;

/// No fewer than the bits that tell a prompt from all others (base-2 logarithm of how many there
/// are); none if nothing is known of a value that they show.
pub fn prompts_bits(sampler: &Sampler) -> Option<f64> {
    let layout = &sampler.program().layout;
    let pieces = layout.system.iter().flatten().chain(&layout.prompt);
    let shown = pieces.flat_map(Piece::shown);
    let mut slots: Vec<usize> = shown.map(|(slot, _)| slot as usize).collect();
    slots.sort_unstable();
    slots.dedup();
    let slots = slots.into_iter().map(|slot| &sampler.program().slots[slot]);
    slots.map(|slot| bits(sampler, &slot.bound, &slot.kind)).sum()
}

fn bits(sampler: &Sampler, bound: &Bound, kind: &Type) -> Option<f64> {
    Some(match bound {
        Bound::Int { low, high } => (high.saturating_sub(*low) as f64 + 1.0).log2(),
        Bound::Text(text) => match &text.literals {
            Some(texts) => (texts.len().max(1) as f64).log2(),
            // A byte each, and no more than all lengths together.
            None => 8.0 * (text.bytes.max(0) as f64 + 1.0),
        },
        Bound::Token(pool) => {
            let words = sampler.pools().tokens.get(*pool as usize)?.len();
            (words.max(1) as f64).log2()
        }
        Bound::List { low, high, element } => {
            let of = match kind.element() {
                Some(element) => element,
                None => kind,
            };
            // All lengths from the least on: no more than as many as the longest has, each.
            let lengths = (high - low + 1) as f64;
            *high as f64 * bits(sampler, element, of)? + lengths.log2()
        }
        Bound::Any if *kind == Type::Bool => 1.0,
        Bound::Any if *kind == Type::Real => 64.0,
        Bound::Any => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Compile;
    use crate::data::vocab::Vocabulary;
    use crate::source::Source;
    use crate::{check, syntax};

    fn of(text: &str) -> Option<f64> {
        let source = Source::new("t.cook", text);
        let (file, _) = syntax::parse(&source);
        let (template, _) = check::check(&file, &source, &|_| Err("no file".into()));
        let template = template.expect("it has no error");
        let compile = Compile::level(&template, "", Vocabulary::embedded_part(16));
        prompts_bits(&compile.interpreted().expect("it can be lowered"))
    }

    #[test]
    fn prompts_are_counted_by_the_values_that_they_show() {
        assert_eq!(of("n ~ uniform(1..1024)\nprompt \"Say {n}.\"\nreply \"{n}\"\n"), Some(10.0));
        let two = "a ~ uniform(1..4)\nb ~ uniform(1..8)\nprompt \"{a} {b} {a}\"\nreply \"{b}\"\n";
        assert_eq!(of(two), Some(5.0));
        let words = "w ~ draw(3, vocab)\nf = at(0, w)\nprompt \"{w}\"\nreply \"{f}\"\n";
        assert_eq!(of(words), Some(12.0));
    }
}
