//! Shapes of rows: which columns a row has, as one trainer or another reads them.

use std::fmt;

use super::template::Template;
use crate::data::layout::Part;
use crate::data::{SampleId, Sampler, Split};
use crate::diagnostic::near_miss;

/// The shapes, the first of them where none is chosen.
pub const SHAPES: &[Shape] = &[
    Shape {
        name: "full",
        about: "Texts and values, and what the sample is made again from",
        row: full,
    },
    Shape {
        name: "prompt-completion",
        about: "\"prompt\" and \"completion\": TRL",
        row: prompt_completion,
    },
    Shape {
        name: "messages",
        about: "\"messages\" of role and content: TRL, axolotl, chat models",
        row: |of| Row::new(of).with("messages", messages(of.template, true)),
    },
    Shape {
        name: "alpaca",
        about: "\"instruction\", \"input\" and \"output\": LLaMA-Factory, axolotl",
        row: alpaca,
    },
    Shape {
        name: "sharegpt",
        about: "\"conversations\" of from and value: LLaMA-Factory, axolotl",
        row: sharegpt,
    },
    Shape {
        name: "text",
        about: "\"text\", all of a sample: pretraining",
        row: |of| Row::new(of).with("text", Value::Texts(whole(of.template))),
    },
    Shape { name: "verl", about: "Rows of verl, with the reply as ground truth", row: verl },
    Shape {
        name: "nemo-gym",
        about: "Rows of NeMo Gym, with the fields that its server takes along",
        row: nemo_gym,
    },
];

/// Rows of token ids, which are of no sample alone: see [`Ids`](super::Ids).
pub const IDS: Shape = Shape {
    name: "ids",
    about: "Token ids, packed: \"input_ids\", \"labels\", \"position_ids\", \"seq_lengths\"",
    row: Row::new,
};

/// What a row of a data set is.
#[derive(Clone, Copy)]
pub struct Shape {
    /// What commands call it.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    row: fn(Of) -> Row,
}

/// The columns of a template's rows by name.
pub type Columns = Vec<(&'static str, Value)>;

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Texts one after the other.
    Texts(Vec<Bit>),
    /// The same number in every row.
    Number(u64),
    /// The sample's index.
    Index,
    /// The values that the texts show by name, as the text of a JSON object: templates differ in
    /// them, and readers want one type a column.
    Fields,
    /// No text.
    Null,
    /// As many values in every row of the template.
    List(Vec<Value>),
    /// Values by name.
    Object(Columns),
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Bit {
    /// The same in every row.
    Literal(String),
    /// The sample's index.
    Index,
    /// One of the sample's texts.
    Part(Part),
    /// The same with a space before it, unless it is empty.
    Spaced(Part),
}

/// Whose rows a shape lays out.
#[derive(Clone, Copy)]
pub struct Of<'a> {
    /// The template.
    pub template: &'a Template,
    /// The data set's split.
    pub split: Split,
    /// The data set's seed.
    pub seed: u64,
    /// Whether any of the data set's templates has a system text.
    pub has_system: bool,
}

/// A row in the making.
struct Row(Columns);

impl Row {
    /// With the text that tells its sample from all others.
    fn new(of: Of) -> Row {
        let first = SampleId::first(&of.template.sampler, of.split, of.seed);
        Row(vec![("id", Value::Texts(vec![Bit::Literal(first.key()), Bit::Index]))])
    }

    fn with(mut self, name: &'static str, value: Value) -> Row {
        self.0.push((name, value));
        self
    }

    /// What says which sample it is, in a column each.
    fn with_key(self, of: Of) -> Row {
        let row = self.with_names(of);
        row.with("seed", Value::Number(of.seed)).with("index", Value::Index)
    }

    /// What says whose samples it is one of, in a column each.
    fn with_names(mut self, of: Of) -> Row {
        let shared = of.template.shared().into_iter().chain([("split", of.split.name())]);
        self.0.extend(shared.map(|(name, text)| (name, literal(text))));
        self
    }

    /// The system text, if any of the templates has one.
    fn with_system(self, of: Of) -> Row {
        match of.has_system {
            true if has_system(&of.template.sampler) => self.with("system", part(Part::System)),
            true => self.with("system", Value::Null),
            false => self,
        }
    }
}

impl Shape {
    /// The shape of a name.
    ///
    /// # Errors
    /// A text that says which name may be meant, or which there are.
    pub fn named(name: &str) -> Result<&'static Shape, String> {
        let names = || SHAPES.iter().map(|shape| shape.name);
        SHAPES.iter().find(|shape| shape.name == name).ok_or_else(|| {
            let write = match near_miss(name, names()) {
                Some(near) => format!("write `{near}`"),
                None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
            };
            format!("there is no shape `{}`: {write}", name.escape_debug())
        })
    }

    /// The columns of a template's rows. Those of all templates of a data set have the same names
    /// and types.
    pub fn columns(&self, of: Of) -> Columns {
        (self.row)(of).0
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Shape").field("name", &self.name).finish_non_exhaustive()
    }
}

fn full(of: Of) -> Row {
    let row = Row::new(of).with_key(of).with_system(of);
    row.with("prompt", part(Part::Prompt))
        .with("reply", part(Part::Reply))
        .with("fields", Value::Fields)
}

fn prompt_completion(of: Of) -> Row {
    let (before, reply) = halves(of.template);
    Row::new(of).with("prompt", Value::Texts(before)).with("completion", Value::Texts(vec![reply]))
}

fn alpaca(of: Of) -> Row {
    let row = Row::new(of).with_system(of).with("instruction", part(Part::Prompt));
    row.with("input", literal("")).with("output", part(Part::Reply))
}

fn sharegpt(of: Of) -> Row {
    let turn = |(_, part): (&str, Part)| {
        let from = match part {
            Part::System => "system",
            Part::Prompt => "human",
            Part::Reply => "gpt",
        };
        said("from", from, "value", part)
    };
    Row::new(of).with("conversations", Value::List(of.template.texts().map(turn).collect()))
}

fn verl(of: Of) -> Row {
    let name = &of.template.sampler.program().name;
    let truth = vec![("style", literal("rule")), ("ground_truth", part(Part::Reply))];
    let Row(extra) = Row::new(of).with_key(of).with("fields", Value::Fields);
    let row = Row::new(of).with("data_source", literal(&format!("cookc/{name}")));
    row.with("prompt", messages(of.template, false))
        .with("ability", literal(name))
        .with("reward_model", Value::Object(truth))
        .with("extra_info", Value::Object(extra))
}

/// Without seed and index, which the id has: NeMo Gym would take each number of a row for a metric.
fn nemo_gym(of: Of) -> Row {
    let input = Value::Object(vec![("input", messages(of.template, false))]);
    let row = Row::new(of).with("responses_create_params", input).with_names(of);
    row.with("reply", part(Part::Reply)).with("fields", Value::Fields)
}

/// The texts as messages, the reply among them or not.
fn messages(template: &Template, with_reply: bool) -> Value {
    let texts = template.texts().filter(|(_, part)| with_reply || *part != Part::Reply);
    Value::List(texts.map(|(_, part)| said("role", part.role(), "content", part)).collect())
}

fn said(who: &'static str, role: &str, what: &'static str, of: Part) -> Value {
    Value::Object(vec![(who, literal(role)), (what, part(of))])
}

/// What a model reads, and what it writes, so that one after the other they are the sample's plain
/// text: see [`TokenIds`](crate::data::layout::TokenIds).
fn halves(template: &Template) -> (Vec<Bit>, Bit) {
    let sampler = &template.sampler;
    let mut before = Vec::new();
    if has_system(sampler) {
        before = vec![Bit::Part(Part::System), Bit::Literal("\n".to_string())];
    }
    before.push(Bit::Part(Part::Prompt));
    let reply = match template.prompt_ends_with_space() {
        true => Bit::Part(Part::Reply),
        false => Bit::Spaced(Part::Reply),
    };
    (before, reply)
}

fn whole(template: &Template) -> Vec<Bit> {
    let (mut whole, reply) = halves(template);
    whole.push(reply);
    whole
}

fn part(part: Part) -> Value {
    Value::Texts(vec![Bit::Part(part)])
}

fn literal(text: &str) -> Value {
    Value::Texts(vec![Bit::Literal(text.to_string())])
}

fn has_system(sampler: &Sampler) -> bool {
    sampler.program().layout.system.is_some()
}
