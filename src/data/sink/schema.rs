//! What a data set is of: its templates, split and seed, and the shape of its rows.

use std::sync::Arc;

use super::ids::Ids;
use super::shape::{Columns, Of, SHAPES, Shape};
use super::template::Template;
use crate::check::typed;
use crate::check::types::Type;
use crate::data::{SampleId, Sampler, Split};

/// The columns of the samples of one split and seed: of one template, or of several that are mixed.
#[derive(Clone)]
pub struct Schema {
    /// The templates; a row names its own by its number.
    pub templates: Vec<Template>,
    /// Training samples, or held-out ones.
    pub split: Split,
    /// The seed.
    pub seed: u64,
    /// Which columns there are.
    pub shape: &'static Shape,
    /// What makes ids of samples, where rows are of ids.
    pub ids: Option<Arc<Ids>>,
}

impl Schema {
    /// The columns of one of its templates' rows.
    pub fn columns(&self, template: &Template) -> Columns {
        let Schema { split, seed, .. } = *self;
        let has_system = self.templates.iter().any(|one| one.texts().count() > 2);
        self.shape.columns(Of { template, split, seed, has_system })
    }

    /// What tells its rows, written in a format, from all others: the same text, the same bytes.
    pub fn text(&self, format: &str) -> String {
        let Schema { templates, split, seed, shape, ids } = self;
        let keys = templates.iter().map(|one| SampleId::first(&one.sampler, *split, *seed).key());
        let shape = match ids {
            Some(ids) => format!("{}, {}", shape.name, ids.text()),
            None => shape.name.to_string(),
        };
        format!("{} as {shape} in {format}", keys.collect::<Vec<_>>().join(" "))
    }

    /// That of one template's samples, in the first of the shapes.
    pub fn one(sampler: Sampler, set: String, split: Split, seed: u64) -> Schema {
        let templates = vec![Template { sampler, set }];
        Schema { templates, split, seed, shape: &SHAPES[0], ids: None }
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
