//! A template of a data set, and what its rows have of it.

use crate::data::Sampler;
use crate::data::layout::{self, Part};

/// A template whose samples are rows.
#[derive(Clone)]
pub struct Template {
    /// Draws the samples.
    pub sampler: Sampler,
    /// What is set beside the level's parameters: see [`settings`](super::settings).
    pub set: String,
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

    /// Whether no space is needed between prompt and reply.
    pub fn prompt_ends_with_space(&self) -> bool {
        layout::prompt_ends_with_space(self.sampler.program())
    }
}
