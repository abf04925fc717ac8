//! A template as the origin of a data set: with the texts of all files that it uses, and read from
//! them again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use super::files::{beside, folder_of};
use super::{BUILT_IN, Error, Template, checked_with};
use crate::data::{Origin, Split};
use crate::source::Source;

/// What a manifest calls the words: no file that a template uses has a name that ends so.
const WORDS: &str = "vocab.words";

impl Template {
    /// A data set of its samples: at a level and with settings, of these words, of a split and a
    /// seed, in rows of this shape and format.
    pub(crate) fn origin(
        &self,
        level: Option<&str>,
        set: &[(String, String)],
        words: Option<&str>,
        (split, seed): (Split, u64),
        (shape, format): (&str, &str),
    ) -> Origin {
        let name = &*self.source.name;
        let file_name = Path::new(name).file_name().unwrap_or_default().to_string_lossy();
        let template = if name.starts_with(BUILT_IN) { name } else { &*file_name };
        let mut origin = Origin {
            answer: None,
            template: template.to_string(),
            level: level.filter(|level| !level.is_empty()).map(str::to_string),
            set: set.to_vec(),
            vocab: words.map(|_| WORDS.to_string()),
            split: split.name().to_string(),
            seed,
            shape: shape.to_string(),
            format: format.to_string(),
            files: self.files_beside(),
        };
        origin.files.insert(origin.file(), self.source.text.to_string());
        if let Some(words) = words {
            origin.files.insert(WORDS.to_string(), words.to_string());
        }
        origin
    }

    /// Checks a text with the texts of the files beside it.
    pub(crate) fn with_files(
        name: &str,
        text: &str,
        files: &BTreeMap<String, String>,
    ) -> Result<Template, Error> {
        let source = Source::new(name, text);
        let read = |path: &str| files.get(path).cloned().ok_or("no such file".to_string());
        let checked = checked_with(&source, &read);
        Template::of(source, checked)
    }

    /// The texts of the files beside it that it uses, by their paths from its folder; what is built
    /// in is not among them.
    fn files_beside(&self) -> BTreeMap<String, String> {
        let folder = folder_of(&self.source);
        let found = RefCell::new(BTreeMap::new());
        let read = |path: &str| {
            let text = beside(folder.as_deref(), path)?;
            found.borrow_mut().insert(path.to_string(), text.clone());
            Ok(text)
        };
        checked_with(&self.source, &read);
        found.into_inner()
    }
}
