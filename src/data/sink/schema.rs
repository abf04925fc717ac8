//! The columns of a data set: their names, their types, and where a sample has their values.

use crate::check::typed;
use crate::check::types::Type;
use crate::data::layout::{Part, shown};
use crate::data::{Sampler, Split};
use crate::ir::{self, SlotId};

/// The columns of the samples of one split and seed: of one template, or of several that are mixed.
#[derive(Clone)]
pub struct Schema {
    /// The templates; a row names its own by its number.
    pub templates: Vec<Template>,
    /// Training samples, or held-out ones.
    pub split: Split,
    /// The seed.
    pub seed: u64,
}

/// The columns of the samples of a template.
#[derive(Clone)]
pub struct Template {
    /// Draws the samples.
    pub sampler: Sampler,
    /// What is set beside the level's parameters: see [`settings`].
    pub set: String,
}

/// A value that a template's texts show, by its name.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Its name in the template.
    pub name: &'a str,
    /// Its type.
    pub kind: &'a Type,
    /// Where a sample's memory has it: see [`Memory::slot`](crate::runtime::Memory::slot).
    pub slot: SlotId,
}

impl Schema {
    /// That of one template's samples.
    pub fn one(sampler: Sampler, set: String, split: Split, seed: u64) -> Schema {
        Schema { templates: vec![Template { sampler, set }], split, seed }
    }
}

impl Template {
    /// The columns of texts that all of its samples share, by name: `template`, `level`, `set`. The
    /// columns `split`, `seed` and `index` come after them.
    pub fn shared(&self) -> [(&'static str, &str); 3] {
        let level = self.sampler.level();
        let template = self.sampler.program().name.as_str();
        [("template", template), ("level", level), ("set", &self.set)]
    }

    /// The columns of a sample's texts: `system`, if the template has one, `prompt` and `reply`.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, Part)> {
        let system = self.sampler.program().layout.system.as_ref();
        let system = system.map(|_| ("system", Part::System));
        system.into_iter().chain([("prompt", Part::Prompt), ("reply", Part::Reply)])
    }

    /// The columns of the values that the texts show, in the order of the template.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        let field = |(slot, value)| {
            let ir::Slot { name, kind, .. }: &ir::Slot = value;
            Field { name, kind, slot }
        };
        shown(self.sampler.program()).map(field)
    }
}

/// The parameters that a user sets, as rows name them: `length=128 quote=4`, in the order of the
/// template.
pub fn settings(template: &typed::Template, set: &[(String, String)]) -> String {
    let mut all = Vec::new();
    for param in &template.params {
        if let Some((name, value)) = set.iter().rev().find(|(name, _)| *name == param.name) {
            let number = match param.kind {
                Type::Real => value.parse::<f64>().map(|number| number.to_string()).ok(),
                _ => value.parse::<i64>().map(|number| number.to_string()).ok(),
            };
            all.push(format!("{name}={}", number.as_deref().unwrap_or(value)));
        }
    }
    all.join(" ")
}
