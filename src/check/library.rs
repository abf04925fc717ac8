//! The files that a template uses: found, checked once each, cycles reported.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::function;
use super::scope::Functions;
use super::typed::{Pool, Template};
use super::{Neighbour, checked};
use crate::diagnostic::{Diagnostic, Severity, is_sure_miss, near_miss};
use crate::source::Source;
use crate::stdlib;
use crate::syntax::{self, ast};

/// More files within one another than anyone writes; each takes a part of the stack.
const DEPTH_MAX: usize = 32;

/// What a file offers to those that use it.
pub struct Home {
    /// Its text.
    pub source: Source,
    /// The functions that it defines, or takes from elsewhere.
    pub functions: Functions,
    /// The files that define those which it takes, by their names.
    pub definers: BTreeMap<String, Source>,
    /// Its pools; the first is `vocab`.
    pub pools: Vec<Pool>,
    /// What it makes, unless it only holds functions and words.
    pub template: Option<Arc<Template>>,
}

/// What `use` looks for in a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// `use tokens: overlap`
    Module,
    /// `use template copy_first`
    Template,
}

/// The files that were read, and those that are being checked.
pub struct Library<'a> {
    /// The functions of the runtime.
    pub natives: Functions,
    read: Neighbour<'a>,
    /// Each uses the next.
    trail: Vec<String>,
    /// By the names that the trail has.
    files: BTreeMap<String, Result<Arc<Home>, Broken>>,
}

/// A file with errors, as others report it.
#[derive(Clone)]
struct Broken {
    errors: usize,
    line: usize,
    first: String,
    /// Told by every file on the way to it.
    cycle: Option<Diagnostic>,
}

impl<'a> Library<'a> {
    /// For the file that everything starts from.
    pub fn new(source: &Source, read: Neighbour<'a>) -> Library<'a> {
        let prefix = if source.name.starts_with(BUILT_IN) { BUILT_IN } else { "" };
        let trail = vec![format!("{prefix}{}", source.stem())];
        Library { natives: function::builtins(), read, trail, files: BTreeMap::new() }
    }

    /// The file that a `use` names: what is beside the template comes before what is built in.
    pub fn find(&mut self, name: &ast::Name, wanted: Wanted) -> Result<Arc<Home>, Diagnostic> {
        let beside = match self.in_built_in() {
            true => Err("no such file is built in".to_string()),
            // It is there, and need not be read to see that this ends nowhere.
            false if self.trail.contains(&name.text) => Ok(String::new()),
            false => self.beside(&format!("{}.cook", name.text)),
        };
        let built_in = match wanted {
            Wanted::Module => stdlib::module(&name.text),
            Wanted::Template => stdlib::template(&name.text),
        };
        let (key, source) = match (beside, built_in) {
            (Ok(text), _) => (name.text.clone(), Source::new(format!("{}.cook", name.text), text)),
            (Err(_), Some(source)) => (format!("{BUILT_IN}{}", name.text), source),
            (Err(error), None) => return Err(missing(name, wanted, &error)),
        };
        if let Some(at) = self.trail.iter().position(|user| *user == key) {
            let steps = self.trail[at..].iter().chain([&key]).map(|file| format!("`{file}`"));
            let uses_itself = at + 1 == self.trail.len();
            return Err(cycle(name, steps.collect::<Vec<_>>().join(" uses "), uses_itself));
        }
        if self.trail.len() >= DEPTH_MAX {
            return Err(too_deep(name));
        }
        let home = match self.files.get(&key) {
            Some(known) => known.clone(),
            None => {
                let home = self.home(key.clone(), source);
                self.files.insert(key, home.clone());
                home
            }
        };
        home.map_err(|broken| has_errors(name, &broken))
    }

    /// The text of a file beside the one that is being checked.
    pub fn beside(&self, path: &str) -> Result<String, String> {
        if !self.in_built_in() {
            return (self.read)(path);
        }
        let text = stdlib::neighbour(path).map(str::to_string);
        text.ok_or_else(|| "no such file is built in".to_string())
    }

    fn in_built_in(&self) -> bool {
        self.trail.last().is_some_and(|user| user.starts_with(BUILT_IN))
    }

    fn home(&mut self, key: String, source: Source) -> Result<Arc<Home>, Broken> {
        let parsed = parsed(&source);
        let (file, mut errors) = (&parsed.0, parsed.1.clone());
        let mut home = None;
        if errors.is_empty() {
            self.trail.push(key);
            let survey = checked(file, &source, self);
            self.trail.pop();
            errors = survey.diagnostics;
            errors.retain(|error| error.severity == Severity::Error);
            let mut functions = survey.index.functions;
            functions.retain(|name, _| !self.natives.contains_key(name));
            let (pools, is_sound) = (survey.template.pools.clone(), survey.is_sound);
            let template = is_sound.then(|| Arc::new(survey.template));
            let (source, definers) = (source.clone(), survey.index.modules);
            home = Some(Home { source, functions, definers, pools, template });
        }
        match (home, errors.first()) {
            (Some(home), None) => Ok(Arc::new(home)),
            (_, first) => Err(Broken {
                errors: errors.len(),
                line: first.map_or(1, |error| source.position(error.span().start).0),
                first: first.map_or(String::new(), |error| error.title.clone()),
                cycle: first.filter(|error| error.code == CYCLE).cloned(),
            }),
        }
    }
}

/// A file's tree and its errors.
type Parsed = Arc<(ast::File, Vec<Diagnostic>)>;

/// Many templates use the same modules, and an editor checks at every key: what a thread has parsed
/// it keeps, by name, until the text changes.
fn parsed(source: &Source) -> Parsed {
    /// The most files that are kept; few templates use more.
    const KNOWN_MAX: usize = 64;
    type Known = BTreeMap<String, (Arc<str>, Parsed)>;
    thread_local!(static KNOWN: RefCell<Known> = RefCell::default());
    KNOWN.with_borrow_mut(|known| {
        if let Some((text, parsed)) = known.get(&*source.name)
            && *text == source.text
        {
            return parsed.clone();
        }
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        let parsed = Arc::new(syntax::parse(source));
        known.insert(source.name.to_string(), (source.text.clone(), parsed.clone()));
        parsed
    })
}

/// What the names of built-in files begin with.
const BUILT_IN: &str = "std:";

fn missing(name: &ast::Name, wanted: Wanted, error: &str) -> Diagnostic {
    let text = &name.text;
    let (code, what, part) = match wanted {
        Wanted::Module => ("E206", "module", "its functions"),
        Wanted::Template => ("E212", "template", "it"),
    };
    let error = Diagnostic::error(code, format!("there is no {what} `{text}`"), name.span, error);
    let known = match wanted {
        Wanted::Module => stdlib::MODULES,
        Wanted::Template => stdlib::TEMPLATES,
    };
    let names = || known.iter().map(|(name, _)| *name);
    match near_miss(text, names()) {
        Some(near) => {
            let is_sure = is_sure_miss(text, near, names());
            error.help(format!("write `{near}`")).fix(name.span, near).sure_if(is_sure)
        }
        None => error.help(format!("put {part} into `{text}.cook` beside this file")),
    }
}

const CYCLE: &str = "E222";

fn cycle(name: &ast::Name, steps: String, uses_itself: bool) -> Diagnostic {
    let error = |title| Diagnostic::error(CYCLE, title, name.span, steps);
    match uses_itself {
        true => error("a file that uses itself").help("delete this line"),
        false => error("these files use each other without end")
            .help("move what both need into a file that uses neither: `use shared: name`"),
    }
}

fn too_deep(name: &ast::Name) -> Diagnostic {
    let title = format!("more than {DEPTH_MAX} files use one another in a row");
    Diagnostic::error(CYCLE, title, name.span, "one file too many")
        .help("use what is needed from the last of them: `use last: name`")
}

fn has_errors(name: &ast::Name, broken: &Broken) -> Diagnostic {
    if let Some(mut cycle) = broken.cycle.clone() {
        cycle.labels.iter_mut().for_each(|label| label.span = name.span);
        return cycle;
    }
    let errors = match broken.errors {
        1 => "an error".to_string(),
        many => format!("{many} errors"),
    };
    let title = format!("`{}` has {errors} of its own", name.text);
    let label = format!("line {}: {}", broken.line, broken.first);
    Diagnostic::error("E214", title, name.span, label)
        .help(format!("run `cookc check {}.cook` and fix it first", name.text))
}
