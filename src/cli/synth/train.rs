//! A model trained on the template that was found.

use std::path::Path;

use super::Synth;
use crate::cli::{Failure, run};
use crate::{recipe, source::Source, template};

/// Fails if the recipe does not name the file that the template goes to: before the search begins.
pub fn expect_named(command: &Synth) -> Result<(), Failure> {
    let (Some(recipe), Some(out)) = (&command.train, &command.out) else { return Ok(()) };
    let source = Source::new(recipe.to_string_lossy(), template::text_of(recipe)?);
    let (read, errors) = recipe::parse(&source);
    let Some(read) = read.filter(|_| errors.is_empty()) else {
        return Err(template::Error::invalid(&source, errors).into());
    };
    let folder = recipe.parent().unwrap_or(Path::new(""));
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let is_it = |path: &str| absolute(&folder.join(path)) == absolute(out);
    match read.templates.iter().any(|entry| is_it(&entry.file.path)) {
        true => Ok(()),
        false => Err(Failure::Input(format!(
            "{} does not name {}: write [[template]] with `file = \"{}\"`",
            recipe.display(),
            out.display(),
            out.display()
        ))),
    }
}

/// Carries the recipe out.
pub fn train(command: &Synth) -> Result<(), Failure> {
    command.train.as_deref().map_or(Ok(()), run::recipe)
}
