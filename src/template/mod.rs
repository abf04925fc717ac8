//! The front door: a template's text, the sampler that it compiles to, its samples, their scores.

#[cfg(feature = "arrow")]
mod batch;
mod error;
mod files;
mod origin;
mod rows;
mod sample;
mod sampler;
mod score;

use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "arrow")]
pub use batch::TokenRows;
pub use error::{Error, Findings};
pub use files::vocabulary;
pub(crate) use files::{
    COOK_BYTES_MAX, beside, decoded, examples, folder_of, missing, source_of, text_of, too_large,
};
pub use rows::Rows;
pub use sample::{Key, Message, Sample};
pub use sampler::{Sampler, Samples};
pub use score::Score;

use crate::check::{self, typed};
use crate::data::vocab::Vocabulary;
use crate::data::{self, Answer, Uncompiled, sink};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Source;
use crate::syntax::allow;
use crate::{stdlib, syntax};

/// How the name of a built-in template begins where a file's name is allowed too.
const BUILT_IN: &str = "std:";

/// A template: its text and what it means. It was checked and has no error; a clone costs nothing.
#[derive(Clone, Debug)]
pub struct Template {
    source: Source,
    typed: Arc<typed::Template>,
    lints: Arc<[Diagnostic]>,
    files: Arc<[Beside]>,
}

/// A file beside a template that it uses: a module, or words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// As the template names it.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl Template {
    /// Checks the text of a template, under the name that its errors are shown with; the
    /// template's name is that without folder and ending. No file is read: `use` finds what is
    /// built in, and `words` finds nothing. [`Template::open`] reads the files beside it.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every error of the text, and [`Error::Input`] for a module, which
    /// only holds functions and words.
    ///
    /// # Examples
    /// ```
    /// let error = cookc::Template::parse("echo.cook", "prompt \"A word:\"").unwrap_err();
    /// assert!(error.to_string().contains("write `reply"));
    /// ```
    pub fn parse(name: &str, text: &str) -> Result<Template, Error> {
        Template::read(Source::new(name, text), &|_| Err("no files are read here".to_string()))
    }

    /// The same with the files that it uses: those of [`Template::files`], from a template that was
    /// opened elsewhere. No other file is read.
    ///
    /// # Errors
    /// Those of [`Template::parse`].
    pub fn parse_with(name: &str, text: &str, files: &[Beside]) -> Result<Template, Error> {
        Template::read(Source::new(name, text), &|name| {
            let found = files.iter().find(|file| file.name == name);
            found.map(|file| file.text.clone()).ok_or_else(|| "it was not given".to_string())
        })
    }

    /// Reads and checks a template, and the files beside it that it uses.
    ///
    /// # Errors
    /// Those of [`Template::parse`]; [`Error::Input`] for a file that is not there, too large, or
    /// not UTF-8, and [`Error::Io`] for one that cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Template, Error> {
        let path = path.as_ref();
        Template::checked(Source::new(path.to_string_lossy(), text_of(path)?))
    }

    /// A template that is built in, such as `retrieval`.
    ///
    /// # Errors
    /// [`Error::Input`] if there is none of this name.
    pub fn builtin(name: &str) -> Result<Template, Error> {
        Template::named(&format!("{BUILT_IN}{name}"))
    }

    /// The template of a name as commands and recipes write it: a path, or `std:NAME`.
    ///
    /// # Errors
    /// Those of [`Template::open`] and [`Template::builtin`].
    pub fn named(name: &str) -> Result<Template, Error> {
        Template::checked(source_of(name)?)
    }

    /// Checks a source, and the files beside it that it uses.
    pub(crate) fn checked(source: Source) -> Result<Template, Error> {
        let folder = folder_of(&source);
        Template::read(source, &|path| beside(folder.as_deref(), path))
    }

    fn read(source: Source, read: check::Neighbour) -> Result<Template, Error> {
        let files = RefCell::new(Vec::new());
        let read = |name: &str| {
            let text = read(name)?;
            let file = Beside { name: name.to_string(), text: text.clone() };
            let mut files = files.borrow_mut();
            if !files.contains(&file) {
                files.push(file);
            }
            Ok(text)
        };
        let checked = checked_with(&source, &read);
        let template = Template::of(source, checked)?;
        Ok(Template { files: files.into_inner().into(), ..template })
    }

    /// What checking a source gave, as a template.
    pub(crate) fn of(source: Source, (typed, found): Checked) -> Result<Template, Error> {
        match typed {
            Some(typed) => {
                let (typed, files) = (Arc::new(typed), Arc::default());
                Ok(Template { source, typed, lints: found.into(), files })
            }
            None if found.iter().all(|one| one.severity == Severity::Warning) => {
                let advice = "write the name of a template: it has a prompt and a reply";
                Err(Error::Input(format!("`{}` only holds functions; {advice}", source.name)))
            }
            None => Err(Error::invalid(&source, allow::kept(&source, found))),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.typed.name
    }

    /// Its text.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The files beside it that it uses, as they were read: with them [`Template::parse_with`]
    /// makes the same template in another process, on another machine.
    pub fn files(&self) -> &[Beside] {
        &self.files
    }

    /// The lints of its text: it can be used, and something is probably not what was meant.
    pub fn lints(&self) -> &[Diagnostic] {
        &self.lints
    }

    /// The names of its levels, from the text; the defaults have none.
    pub fn levels(&self) -> impl ExactSizeIterator<Item = &str> {
        self.typed.levels.iter().map(|level| level.name.as_str())
    }

    /// Chooses a level to compile at: one of [`Template::levels`], or `default` for the
    /// parameters' defaults.
    ///
    /// # Examples
    /// ```
    /// use cookc::Template;
    ///
    /// let template = Template::builtin("retrieval")?;
    /// assert_eq!(template.levels().collect::<Vec<_>>(), ["easy", "hard"]);
    /// let sampler = template.level("easy").set("length", 4).compile()?;
    /// assert_eq!(sampler.level(), "easy");
    /// # Ok::<(), cookc::Error>(())
    /// ```
    pub fn level(&self, name: impl Into<String>) -> Compile<'_> {
        self.defaults().level(name)
    }

    /// Sets a parameter to compile with: see [`Compile::set`].
    pub fn set(&self, name: impl Into<String>, value: impl fmt::Display) -> Compile<'_> {
        self.defaults().set(name, value)
    }

    /// Compiles at the parameters' defaults, for the built-in words.
    ///
    /// # Errors
    /// Those of [`Compile::compile`].
    pub fn compile(&self) -> Result<Sampler, Error> {
        self.defaults().compile()
    }

    /// What it means.
    pub(crate) fn typed(&self) -> &typed::Template {
        &self.typed
    }

    fn defaults(&self) -> Compile<'_> {
        let (level, set, words) = (String::new(), Vec::new(), None);
        let answer = Answer::default();
        Compile { template: self, level, set, words, answer, runs: Runs::Adaptive }
    }
}

/// How a template is to be compiled: see [`Template::level`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Compile<'a> {
    template: &'a Template,
    level: String,
    set: Vec<(String, String)>,
    words: Option<Vocabulary>,
    answer: Answer,
    runs: Runs,
}

/// What runs a template.
#[derive(Clone, Copy, Debug)]
enum Runs {
    Adaptive,
    Native,
    Interpreter,
}

impl Compile<'_> {
    /// At this level.
    pub fn level(mut self, name: impl Into<String>) -> Self {
        self.level = name.into();
        self
    }

    /// With a parameter at this number instead of the level's; the last one counts.
    pub fn set(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.set.push((name.into(), value.to_string()));
        self
    }

    /// With these words in place of the built-in ones.
    pub fn vocabulary(mut self, words: Vocabulary) -> Self {
        self.words = Some(words);
        self
    }

    /// With answers in this form: the prompt asks for it, the reply has it, and replies are read in
    /// it, in the usual spellings of values too.
    ///
    /// # Examples
    /// ```
    /// use cookc::{Answer, Split, Template};
    ///
    /// let template = Template::builtin("chain_sum")?;
    /// let sampler = template.level("easy").answer(Answer::Tags).compile()?;
    /// let sample = sampler.sample(Split::Train, 42, 0)?;
    /// assert!(sample.reply.starts_with("<answer>"));
    /// let reply = format!("<think>Let me see.</think> The sum: {}", sample.reply);
    /// assert!(sampler.score(Split::Train, 42, 0, &reply)?.exact());
    /// let score = sampler.score(Split::Train, 42, 0, "I don't know.")?;
    /// assert_eq!(score.unreadable().map(|why| why.cause()), Some("no_answer"));
    /// # Ok::<(), cookc::Error>(())
    /// ```
    pub fn answer(mut self, answer: Answer) -> Self {
        self.answer = answer;
        self
    }

    /// Run step by step, not as machine code: the same bytes, slower, and nothing is compiled. A
    /// build without the feature `jit` always does.
    pub fn interpreted(mut self) -> Self {
        self.runs = Runs::Interpreter;
        self
    }

    /// Run as machine code from the first sample on. Otherwise that is done once it pays: to make
    /// machine code takes as long as to make many samples step by step.
    pub fn native(mut self) -> Self {
        self.runs = Runs::Native;
        self
    }

    /// Compiles the template.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no such level or parameter, or no sample can be drawn at
    /// it; [`Error::Input`] if the template's own replies have the marks that answers are to stand
    /// in; [`Error::Failed`] if this machine has no machine code, and [`Compile::native`] asks for
    /// it.
    pub fn compile(self) -> Result<Sampler, Error> {
        let Template { source, typed, .. } = self.template;
        let words = self.words.unwrap_or_else(Vocabulary::embedded);
        let (level, set, answer) = (&self.level, &self.set, self.answer);
        let compile = data::Compile { template: typed, level, set, words, answer };
        let invalid = |diagnostics| Error::invalid(source, diagnostics);
        let inner = match self.runs {
            Runs::Adaptive => compile.adaptive().map_err(invalid)?,
            Runs::Interpreter => compile.interpreted().map_err(invalid)?,
            Runs::Native => compile.fastest().map_err(|why| match why {
                Uncompiled::Invalid(diagnostics) => invalid(diagnostics),
                Uncompiled::NoMachineCode(error) => Error::Failed(error),
            })?,
        };
        if let Some(why) = answer.clash(inner.own_program()) {
            return Err(Error::Input(why));
        }
        Ok(Sampler::new(source.clone(), inner, &sink::settings(typed, &self.set)))
    }
}

/// The template of a source, if it has no error, and all diagnostics.
pub(crate) type Checked = (Option<typed::Template>, Vec<Diagnostic>);

/// Checks a source; files beside it are read.
pub(crate) fn checked(source: &Source) -> Checked {
    let folder = folder_of(source);
    checked_with(source, &|path| beside(folder.as_deref(), path))
}

fn checked_with(source: &Source, read: check::Neighbour) -> Checked {
    let (file, mut diagnostics) = syntax::parse(source);
    let is_whole = !diagnostics.iter().any(|one| one.severity == Severity::Error);
    let (template, more) = check::check(&file, source, read);
    if !is_whole {
        diagnostics.extend(check::partial::certain(source, &file, more));
        diagnostics.sort_by_key(|one| one.span());
        return (None, diagnostics);
    }
    diagnostics.extend(more);
    (template, diagnostics)
}

/// The names of the templates that are built in.
pub fn builtin() -> impl ExactSizeIterator<Item = &'static str> {
    stdlib::TEMPLATES.iter().map(|(name, _)| *name)
}
