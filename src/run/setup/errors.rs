//! The errors of a recipe and of what it names, collected and shown together.

use super::super::observer::{Event, Observer};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::template::{Error, Findings};

/// Errors of the recipe, shown together.
pub struct Errors<'a> {
    observer: &'a Observer<'a>,
    source: Source,
    errors: Vec<Diagnostic>,
    /// Those of the templates themselves, which come first.
    of_templates: Vec<Findings>,
}

impl<'a> Errors<'a> {
    /// Those of the recipe's text.
    pub fn of(source: Source, errors: Vec<Diagnostic>, observer: &'a Observer<'a>) -> Errors<'a> {
        Errors { observer, source, errors, of_templates: Vec::new() }
    }

    /// Adds an error of the recipe.
    pub fn add(
        &mut self,
        code: &'static str,
        title: String,
        span: Span,
        label: &str,
        help: String,
    ) {
        self.errors.push(Diagnostic::error(code, title, span, label).help(help));
    }

    /// Takes in an error of the recipe.
    pub fn push(&mut self, error: Diagnostic) {
        self.errors.push(error);
    }

    /// Takes in the errors of a template, which are shown before those of the recipe.
    pub fn of_template(&mut self, error: Error) {
        if let Error::Invalid(found) = error {
            self.of_templates.extend(found);
        }
    }

    /// Whether there is an error with this code at this span.
    pub fn has(&self, code: &str, span: Span) -> bool {
        self.errors.iter().any(|error| error.span() == span && error.code == code)
    }

    /// Reports what happens meanwhile.
    pub fn tell(&self, event: Event) {
        self.observer.tell(event);
    }

    /// Reports a warning, which ends nothing.
    pub fn warn(&self, text: &str) {
        self.observer.note(text);
    }

    /// What was made, if nothing is invalid.
    pub fn all_well<Made>(&mut self, made: Option<Made>) -> Result<Made, Error> {
        self.errors.sort_by_key(Diagnostic::span);
        match made {
            Some(made) if self.errors.is_empty() => Ok(made),
            _ => {
                let mut all = std::mem::take(&mut self.of_templates);
                let diagnostics = std::mem::take(&mut self.errors);
                all.push(Findings { source: self.source.clone(), diagnostics });
                Err(Error::Invalid(all))
            }
        }
    }
}
