//! Replies that no environment may pay for, beside the shortcut baselines of the audit.

use crate::data::Sampler;
use crate::data::grammar::Grammar;
use crate::runtime::random::Stream;

/// The canaries of a sample, in the order of [`NAMES`].
pub const NAMES: [&str; 5] = [
    "random words",
    "random text in the form of a reply",
    "the right reply and another sample's",
    "the replies of four samples, a line each",
    "the prompt and the right reply",
];

/// Replies that a reward must be defined on as on any other.
pub const ODD: [&str; 6] = [
    "\u{0}\u{1}\u{7f}\u{202e}",
    "9223372036854775808 -9223372036854775809 1e999 NaN",
    "((((((((((((((((((((((((((((((((",
    "<answer></answer>\n\\boxed{}\n```\n",
    "\u{1f600}\u{301}\u{85}\u{a0}\u{feff}",
    "null",
];

/// What the canaries of a sample are made of.
pub struct Known<'a> {
    /// The text that a model reads.
    pub prompt: &'a str,
    /// The right reply.
    pub own: &'a str,
    /// The replies of other samples.
    pub others: &'a [String],
}

/// The canaries of a sample; none of one that would be the right reply.
pub fn replies(
    sampler: &Sampler,
    grammar: &Grammar,
    known: &Known,
    stream: &mut Stream,
) -> [Option<String>; NAMES.len()] {
    let Known { prompt, own, others } = known;
    let vocabulary = sampler.vocabulary();
    let words = own.split_whitespace().count().max(1);
    let word = |_| vocabulary.word(stream.below(vocabulary.len() as u32));
    let random = (0..words).map(word).collect::<Vec<_>>().join(" ");
    let form = grammar.draw(stream);
    let other = others.iter().find(|other| other != own && !other.is_empty());
    let both = other.filter(|_| !own.is_empty()).map(|other| format!("{own} {other}"));
    let mut four: Vec<&str> = others.iter().map(String::as_str).filter(|one| one != own).collect();
    four.dedup();
    four.push(own);
    let stuffed = (four.len() > 1 && !own.is_empty()).then(|| four.join("\n"));
    [Some(random), Some(form), both, stuffed, Some(format!("{prompt}\n{own}"))]
}
