//! The grammar of a template's replies: what its layout and its bounds allow, for engines that
//! decode under a grammar.
//!
//! A reply that the grammar accepts can be read, and every reply that the template writes is
//! accepted. The grammar is narrower than what [`Reader`](super::read::Reader) reads: it has one
//! way to write white space and numbers, sizes within the bounds, and words like those of the
//! template. It is regular, so that every engine can compile it.

mod build;
mod dialect;
mod numbers;

use std::collections::BTreeSet;

pub use dialect::Dialect;

use super::Sampler;
use crate::runtime::Memory;
use crate::runtime::random::Stream;

/// A set of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    /// This text.
    Text(String),
    /// One character within these ranges.
    Letter(Vec<(char, char)>),
    /// One after the other.
    Sequence(Vec<Node>),
    /// One of them.
    Choice(Vec<Node>),
    /// From the first number of times to the second.
    Repeat(Box<Node>, u64, u64),
    /// The rule with this index.
    Rule(usize),
}

/// A named set of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// Lowercase letters, digits and `-`.
    name: String,
    /// What to know of it.
    comment: Option<String>,
    node: Node,
}

/// The replies of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grammar {
    title: String,
    /// The first is the reply.
    rules: Vec<Rule>,
}

impl Grammar {
    /// Of a template's replies to any prompt. Where the lines of a reply begin with what the prompt
    /// shows, any key is allowed, and only those of the sample can be read: a comment says so.
    pub fn new(sampler: &Sampler) -> Grammar {
        build::grammar(sampler, None)
    }

    /// Of the replies to the sample in a memory, whose keys they have.
    pub fn of_sample(sampler: &Sampler, memory: &Memory) -> Grammar {
        build::grammar(sampler, Some(memory))
    }

    /// Its text in a dialect.
    pub fn text(&self, dialect: Dialect) -> String {
        dialect::text(self, dialect)
    }

    /// True for a text that it accepts.
    pub fn accepts(&self, text: &str) -> bool {
        self.ends(&self.rules[0].node, text, &BTreeSet::from([0])).contains(&text.len())
    }

    /// A text that it accepts, drawn at random.
    pub fn draw(&self, stream: &mut Stream) -> String {
        let mut text = String::new();
        self.draw_node(&self.rules[0].node, stream, &mut text);
        text
    }

    /// Where the texts of a node end that begin at one of these places.
    fn ends(&self, node: &Node, text: &str, starts: &BTreeSet<usize>) -> BTreeSet<usize> {
        match node {
            Node::Text(wanted) => {
                let is_here = |&&at: &&usize| text[at..].starts_with(wanted.as_str());
                starts.iter().filter(is_here).map(|at| at + wanted.len()).collect()
            }
            Node::Letter(ranges) => {
                let end = |&at: &usize| {
                    let letter = text[at..].chars().next()?;
                    let is_in = |&(low, high): &(char, char)| (low..=high).contains(&letter);
                    ranges.iter().any(is_in).then(|| at + letter.len_utf8())
                };
                starts.iter().filter_map(end).collect()
            }
            Node::Sequence(nodes) => {
                nodes.iter().fold(starts.clone(), |starts, node| self.ends(node, text, &starts))
            }
            Node::Choice(nodes) => {
                nodes.iter().flat_map(|node| self.ends(node, text, starts)).collect()
            }
            Node::Repeat(node, low, high) => {
                let (mut here, mut all) = (starts.clone(), BTreeSet::new());
                for times in 0..=*high {
                    if times >= *low {
                        all.extend(&here);
                    }
                    if here.is_empty() {
                        break;
                    }
                    here = self.ends(node, text, &here);
                }
                all
            }
            Node::Rule(rule) => self.ends(&self.rules[*rule].node, text, starts),
        }
    }

    fn draw_node(&self, node: &Node, stream: &mut Stream, text: &mut String) {
        match node {
            Node::Text(own) => text.push_str(own),
            Node::Letter(ranges) => {
                let (low, high) = ranges[stream.below(ranges.len() as u32) as usize];
                let width = u32::from(high) - u32::from(low) + 1;
                let letter = char::from_u32(u32::from(low) + stream.below(width));
                text.push(letter.expect("no range goes over the surrogates"));
            }
            Node::Sequence(nodes) => {
                nodes.iter().for_each(|node| self.draw_node(node, stream, text));
            }
            Node::Choice(nodes) => {
                let chosen = stream.below(nodes.len() as u32) as usize;
                self.draw_node(&nodes[chosen], stream, text);
            }
            Node::Repeat(node, low, high) => {
                let times = low + stream.below_wide(high - low + 1);
                (0..times).for_each(|_| self.draw_node(node, stream, text));
            }
            Node::Rule(rule) => self.draw_node(&self.rules[*rule].node, stream, text),
        }
    }
}

/// These one after the other: neighbouring texts are one, and what is empty is left out.
fn sequence(nodes: impl IntoIterator<Item = Node>) -> Node {
    let mut all: Vec<Node> = Vec::new();
    let parts = nodes.into_iter().flat_map(|node| match node {
        Node::Sequence(parts) => parts,
        node => vec![node],
    });
    for node in parts {
        match (all.last_mut(), node) {
            (_, Node::Text(text)) if text.is_empty() => {}
            (Some(Node::Text(before)), Node::Text(text)) => before.push_str(&text),
            (_, node) => all.push(node),
        }
    }
    match all.len() {
        0 => Node::Text(String::new()),
        1 => all.remove(0),
        _ => Node::Sequence(all),
    }
}

/// One of these; the empty text among them makes the others optional.
fn choice(nodes: impl IntoIterator<Item = Node>) -> Node {
    let mut all: Vec<Node> = Vec::new();
    for node in nodes {
        match node {
            Node::Choice(more) => all.extend(more),
            node if all.contains(&node) => {}
            node => all.push(node),
        }
    }
    let nothing = Node::Text(String::new());
    if all.len() > 1 && all.contains(&nothing) {
        all.retain(|node| *node != nothing);
        return repeat(choice(all), 0, 1);
    }
    if all.len() == 1 { all.remove(0) } else { Node::Choice(all) }
}

/// A node repeated from the first number of times to the second.
fn repeat(node: Node, low: u64, high: u64) -> Node {
    match (low, high) {
        (_, 0) => Node::Text(String::new()),
        (1, 1) => node,
        _ => Node::Repeat(Box::new(node), low, high),
    }
}
