//! The template that a data set's rows are of, where it is not built in.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::Context;
use clap::Args;

use crate::cli::{Failure, options, recipe_templates};
use crate::data::Origin;
use crate::data::shards::{self, Manifest};
use crate::datasets::{Attempt, Origins};
use crate::template::{self, Template};

/// The options that name it.
#[derive(Clone, Debug, Args)]
pub struct Of {
    /// The template of the rows, where it is not built in and no manifest has it: a .cook file, or
    /// a recipe
    #[arg(long, value_name = "FILE")]
    template: Option<String>,
    /// The level that they were made at [default: the one that fits]
    #[arg(long, value_name = "NAME", requires = "template")]
    level: Option<String>,
    /// A parameter's value, such as length=128, where the rows do not say it
    #[arg(long, value_name = "NAME=NUMBER", value_parser = options::setting, requires = "template")]
    set: Vec<(String, String)>,
    /// The words that they were made with
    #[arg(long, value_name = "FILE", requires = "template")]
    vocab: Option<PathBuf>,
}

impl Of {
    /// The templates to try: those of the manifest beside the data, and the one that is named.
    pub fn origins(&self, data: &Path) -> Result<Origins, Failure> {
        let mut attempts = Vec::new();
        let Some(name) = &self.template else {
            let mut compiled = Vec::new();
            for origin in manifests(data).iter().filter_map(|one| one.made.as_ref()) {
                match is_recipe(&origin.template) {
                    true => compiled.extend(recipe_templates(&Unpacked::of(origin)?.recipe)?),
                    false => attempts.push(Attempt::of(origin)?),
                }
            }
            let mut origins = Origins::new(attempts);
            origins.know(compiled);
            return Ok(origins);
        };
        if is_recipe(name) {
            let mut origins = Origins::new(attempts);
            origins.know(recipe_templates(Path::new(name))?);
            return Ok(origins);
        }
        let words = self.vocab.as_deref().map(template::text_of).transpose()?;
        let (level, set) = (self.level.clone(), self.set.clone());
        let template = Template::named(name)?;
        attempts.push(Attempt { template, level, set, words, answer: None });
        Ok(Origins::new(attempts))
    }
}

/// Whether it is the name of a recipe.
pub fn is_recipe(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|ending| ending == "toml")
}

/// The files of a manifest's recipe, as files, until this is dropped.
pub struct Unpacked {
    /// The path of the recipe.
    pub recipe: PathBuf,
    _folder: tempfile::TempDir,
}

impl Unpacked {
    /// Writes them into a new folder.
    pub fn of(origin: &Origin) -> Result<Unpacked, Failure> {
        let folder = tempfile::tempdir().context("cannot write into the temporary folder")?;
        for (name, text) in &origin.files {
            let is_inside = |part: Component| matches!(part, Component::Normal(_));
            if !Path::new(name).components().all(is_inside) {
                return Err(Failure::Input(format!(
                    "the manifest names a file `{name}`, which leads out of its folder"
                )));
            }
            let path = folder.path().join(name);
            let written = fs::create_dir_all(crate::disk::folder_of(&path))
                .and_then(|()| fs::write(&path, text));
            written.with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(Unpacked { recipe: folder.path().join(&origin.template), _folder: folder })
    }
}

/// The manifests of a folder; those of a file's folder that list the file.
pub fn manifests(data: &Path) -> Vec<Manifest> {
    let is_folder = data.is_dir();
    let folder = match data.parent() {
        _ if is_folder => data,
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = data.file_name().unwrap_or_default().to_string_lossy();
    let lists = |one: &Manifest| is_folder || one.shards.iter().any(|shard| shard.file == name);
    let found = shards::manifests(folder).unwrap_or_default();
    found.into_iter().map(|(_, manifest)| manifest).filter(lists).collect()
}
