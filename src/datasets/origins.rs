//! Which template a row is of, found by its id.

use std::collections::HashMap;

use crate::Vocabulary;
use crate::data::sink::{self, settings};
use crate::data::{Answer, DEFAULT_LEVEL, Origin, SampleId};
use crate::template::{Error, Template};

/// A template that rows may be of.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The template.
    pub template: Template,
    /// The level; none for any of them.
    pub level: Option<String>,
    /// The parameters that are set; none where rows may say it.
    pub set: Vec<(String, String)>,
    /// The text of the words; none for those that are built in.
    pub words: Option<String>,
    /// The form of answers; none for any of them.
    pub answer: Option<Answer>,
}

impl Attempt {
    /// That of a manifest, from the texts in it.
    ///
    /// # Errors
    /// Those of [`Template::parse`]; [`Error::Input`] if a text is missing or the words are none.
    pub fn of(origin: &Origin) -> Result<Attempt, Error> {
        let text = |name: &str| {
            origin.files.get(name).ok_or_else(|| {
                Error::Input(format!("the manifest has no text of `{name}` among its files"))
            })
        };
        let template =
            Template::with_files(&origin.template, text(&origin.file())?, &origin.files)?;
        let words = match &origin.vocab {
            None => None,
            Some(name) => Some(text(name)?.clone()),
        };
        // Where no level was chosen, it is the defaults' one.
        let level = Some(origin.level.clone().unwrap_or_default());
        let answer = origin.answer.as_deref().unwrap_or(Answer::Strict.name()).parse();
        let answer = Some(answer.map_err(Error::Input)?);
        Ok(Attempt { template, level, set: origin.set.clone(), words, answer })
    }

    /// The same as a manifest has it, of rows in this shape and format.
    pub fn origin(&self, id: &SampleId, shape: &str, format: &str) -> Origin {
        let (level, words) = (self.level.as_deref(), self.words.as_deref());
        let answer = self.answer.and_then(Answer::asked).map(String::from);
        let split = (id.split, id.seed);
        Origin { answer, ..self.template.origin(level, &self.set, words, split, (shape, format)) }
    }

    /// The template at this level with answers in this form, if it has the id's digest.
    fn at(
        &self,
        (level, answer): (&str, Answer),
        set: &[(String, String)],
        digest: &str,
    ) -> Result<Option<sink::Template>, Error> {
        let words = match &self.words {
            Some(text) => {
                let wrong = |why| Error::Input(format!("the words: {why}"));
                Some(Vocabulary::parse(text).map_err(wrong)?)
            }
            None => None,
        };
        let compile = |interpreted: bool| {
            let level = self.template.level(level).answer(answer);
            let compile = set.iter().fold(level, |one, (name, value)| one.set(name, value));
            let compile = match &words {
                Some(words) => compile.vocabulary(words.clone()),
                None => compile,
            };
            if interpreted { compile.interpreted().compile() } else { compile.compile() }
        };
        // Settings of another level may not fit this one.
        let Ok(tried) = compile(true) else { return Ok(None) };
        if tried.inner().digest() != digest {
            return Ok(None);
        }
        let sampler = compile(false)?.inner().clone();
        let set = settings(self.template.typed(), set);
        Ok(Some(sink::Template { sampler, set }))
    }
}

/// The templates that rows are of, compiled once each.
#[derive(Default)]
pub struct Origins {
    attempts: Vec<Attempt>,
    /// By name and digest.
    known: HashMap<(String, String), Known>,
}

/// A template that rows are of.
struct Known {
    compiled: sink::Template,
    /// What it was compiled from, with its level and settings; none for that of a recipe.
    made: Option<Attempt>,
}

impl Origins {
    /// Of these templates, and of those that are built in.
    pub fn new(attempts: Vec<Attempt>) -> Origins {
        Origins { attempts, known: HashMap::new() }
    }

    /// Adds templates that are compiled already, such as those of a recipe.
    pub fn know(&mut self, templates: Vec<sink::Template>) {
        for template in templates {
            let name = template.sampler.program().name.clone();
            let key = (name, template.sampler.digest().to_string());
            self.known.insert(key, Known { compiled: template, made: None });
        }
    }

    /// The template of an id; `set` is what the row says of settings, such as `length=8 quote=4`.
    ///
    /// # Errors
    /// What to write, if no template has the digest; and if this machine has no machine code.
    pub fn find(&mut self, id: &SampleId, set: &str) -> Result<sink::Template, Error> {
        let key = (id.template.clone(), id.digest.clone());
        if let Some(known) = self.known.get(&key) {
            return Ok(known.compiled.clone());
        }
        let named = self.attempts.iter().filter(|one| one.template.name() == id.template);
        let mut attempts: Vec<Attempt> = named.cloned().collect();
        if attempts.is_empty()
            && let Ok(template) = Template::builtin(&id.template)
        {
            attempts.push(Attempt {
                template,
                level: None,
                set: Vec::new(),
                words: None,
                answer: None,
            });
        }
        let row_set: Vec<(String, String)> = set
            .split_whitespace()
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        for attempt in &attempts {
            let set = if attempt.set.is_empty() { &row_set } else { &attempt.set };
            let levels: Vec<&str> = match &attempt.level {
                Some(level) => vec![level],
                None => std::iter::once("").chain(attempt.template.levels()).collect(),
            };
            // Forms that ask for nothing have the same samples.
            let asked = Answer::ALL.into_iter().filter(|it| it.asked().is_some());
            let answers = match attempt.answer {
                Some(answer) => vec![answer],
                None => std::iter::once(Answer::Strict).chain(asked).collect(),
            };
            let tries = answers.iter().flat_map(|it| levels.iter().map(|level| (*level, *it)));
            for (level, answer) in tries {
                if let Some(found) = attempt.at((level, answer), set, &id.digest)? {
                    let (set, answer) = (set.clone(), Some(answer));
                    let level = Some(level.to_string()).filter(|level| !level.is_empty());
                    let made = Attempt { level, set, answer, ..attempt.clone() };
                    self.known.insert(key, Known { compiled: found.clone(), made: Some(made) });
                    return Ok(found);
                }
            }
        }
        Err(unknown(id, &attempts))
    }
}

impl Origins {
    /// What the template of an id was compiled from, if it was found and is of no recipe.
    pub fn made(&self, id: &SampleId) -> Option<&Attempt> {
        self.known.get(&(id.template.clone(), id.digest.clone()))?.made.as_ref()
    }
}

/// The error of an id that no template has.
fn unknown(id: &SampleId, tried: &[Attempt]) -> Error {
    let SampleId { template, digest, .. } = id;
    let write = "write `--template FILE` with the `--level`, `--set` and `--vocab` that it was \
                 made with";
    let Some(first) = tried.first() else {
        return Error::Input(format!(
            "the samples are of `{template}`, which is not built in: {write}"
        ));
    };
    let levels: Vec<&str> = match &first.level {
        Some(level) if level.is_empty() => vec![DEFAULT_LEVEL],
        Some(level) => vec![level],
        None => std::iter::once(DEFAULT_LEVEL).chain(first.template.levels()).collect(),
    };
    Error::Input(format!(
        "the samples are of `{template}` with the digest {digest}, which {} has at no level of \
         {}: {write}; after a change of the template, or with another version of cookc, they \
         cannot be made again",
        first.template.source().name,
        levels.join(", "),
    ))
}
