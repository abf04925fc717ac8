//! What several tests need: a template's programs from its text.

use std::path::Path;
use std::sync::Arc;

use cookc::check::typed::Template;
use cookc::data::vocab::Vocabulary;
use cookc::diagnostic::{Severity, render};
use cookc::ir::{self, Choice, Program};
use cookc::source::Source;
use cookc::{check, syntax};

/// Words of `vocab` in tests, unless a test says otherwise.
pub const VOCABULARY: usize = 4096;

/// The words of `vocab` in tests.
pub fn vocabulary() -> Vocabulary {
    Vocabulary::embedded_part(VOCABULARY)
}

/// The checked template, or every error as the user would see it.
pub fn template(source: &Source) -> Result<Template, String> {
    let (file, errors) = syntax::parse(source);
    let (template, more) = check::check(&file, source, &|path| beside(source, path));
    let errors: Vec<_> =
        errors.into_iter().chain(more).filter(|it| it.severity == Severity::Error).collect();
    match template {
        Some(template) if errors.is_empty() => Ok(template),
        _ => Err(errors.iter().map(|error| render(error, source, false)).collect()),
    }
}

/// The text of a file beside a template that was read from a path, or in a folder `beside` there.
fn beside(source: &Source, path: &str) -> Result<String, String> {
    let folder = Path::new(&*source.name).parent().expect("a file stands in a folder");
    std::fs::read_to_string(folder.join(path))
        .or_else(|_| std::fs::read_to_string(folder.join("beside").join(path)))
        .map_err(|error| format!("{path}: {error}"))
}

/// The program of a template at a level.
pub fn program(source: &Source, level: &str) -> Result<Arc<Program>, String> {
    let template = template(source)?;
    let choice = Choice { level: level.into(), vocabulary: VOCABULARY, ..Choice::default() };
    let lowered = ir::lower(&template, &choice);
    lowered
        .map(Arc::new)
        .map_err(|errors| errors.iter().map(|error| render(error, source, false)).collect())
}

/// Every template of `stdlib/`, `examples/` and the corpus, with its levels; the defaults are
/// the level "".
pub fn shipped() -> Vec<(Source, Vec<String>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["stdlib", "examples", "tests/cook/ok"] {
        let entries = std::fs::read_dir(root.join(folder)).expect("the folder is there");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
        paths.sort();
        for path in paths {
            let is_cook = path.extension().is_some_and(|ending| ending == "cook");
            let text =
                if is_cook { std::fs::read_to_string(&path).expect("UTF-8") } else { continue };
            if !text.contains("\nprompt ") {
                continue;
            }
            let source = Source::new(path.to_string_lossy(), text);
            let template = template(&source).unwrap_or_else(|errors| panic!("{errors}"));
            let mut levels = vec![String::new()];
            levels.extend(template.levels.iter().map(|level| level.name.clone()));
            found.push((source, levels));
        }
    }
    assert!(found.len() >= 5, "the shipped templates are there");
    found
}
