//! What is known of one document: its tokens, its tree, its check and its levels.

use std::cell::{OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use lsp_types::Uri;

use super::text::Text;
use crate::check::index::Definition;
use crate::check::{self, Survey};
use crate::data::preview::{self, Levels};
use crate::data::vocab::Vocabulary;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Source, Span};
use crate::syntax::tokens::{self, Token};
use crate::syntax::{self, allow, ast};

/// One state of a document, and all that is known of it.
pub struct Analysis {
    /// Which document.
    pub uri: Uri,
    /// Its text.
    pub text: Text,
    /// Words, symbols and texts, right or wrong.
    pub tokens: Vec<Token>,
    /// What could be read.
    pub file: ast::File,
    /// What could be understood.
    pub survey: Survey,
    /// The files that it looked at.
    pub reads: Vec<PathBuf>,
    /// True where the syntax has no error, so that the tree is whole.
    pub is_whole: bool,
    syntax: Vec<Diagnostic>,
    /// Of a file that is not whole, the errors of names and types that are certain.
    certain: Vec<Diagnostic>,
    levels: OnceCell<Levels>,
    told: OnceCell<Vec<Diagnostic>>,
    words: Rc<Vocabulary>,
}

impl Analysis {
    /// Reads and checks a text. `read` returns the files beside it.
    pub fn new(
        uri: Uri,
        text: Text,
        folder: Option<&Path>,
        words: Rc<Vocabulary>,
        read: &dyn Fn(&str) -> Result<String, String>,
    ) -> Analysis {
        let reads = RefCell::new(Vec::new());
        let noted = |path: &str| {
            reads.borrow_mut().extend(folder.map(|folder| folder.join(path)));
            read(path)
        };
        let (file, syntax) = syntax::parse(&text.source);
        let survey = check::survey(&file, &text.source, &noted);
        let (tokens, _) = tokens::scan(&text.source, tokens::start(&text.source));
        let is_whole = !syntax.iter().any(|one| one.severity == Severity::Error);
        let (reads, levels, told) = (reads.into_inner(), OnceCell::new(), OnceCell::new());
        let certain = match is_whole {
            true => Vec::new(),
            false => {
                let found = survey.diagnostics.clone();
                check::partial::certain(&text.source, &file, found)
            }
        };
        Analysis {
            uri,
            text,
            tokens,
            file,
            survey,
            reads,
            is_whole,
            syntax,
            certain,
            levels,
            told,
            words,
        }
    }

    /// Every error and lint that `cookc check` reports. What is left after an error of the syntax
    /// has errors that mean nothing, and some that are certain.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        self.told.get_or_init(|| {
            let mut all = self.syntax.clone();
            if self.is_whole {
                all.extend(self.survey.diagnostics.iter().cloned());
                all.extend(self.levels().iter().flat_map(|levels| levels.errors.clone()));
                if self.levels().is_some() {
                    all.extend(preview::warnings(
                        &self.survey.template,
                        self.source(),
                        &self.words,
                    ));
                }
            } else {
                all.extend(self.certain.iter().cloned());
            }
            allow::checked(self.source(), all)
        })
    }

    /// What is known at each level; none where there is no template.
    pub fn levels(&self) -> Option<&Levels> {
        let is_sound = self.is_whole && self.survey.is_sound;
        is_sound.then(|| {
            self.levels.get_or_init(|| preview::levels(&self.survey.template, self.words.own_len()))
        })
    }

    /// The text and its name.
    pub fn source(&self) -> &Source {
        &self.text.source
    }

    /// The name at a byte, and what it means.
    pub fn name_at(&self, byte: usize) -> Option<(Span, usize)> {
        self.survey.index.at(byte)
    }

    /// What a name means.
    pub fn definition(&self, id: usize) -> &Definition {
        &self.survey.index.definitions[id]
    }

    /// The text of a token.
    pub fn token(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| self.source().slice(token.span))
    }
}
