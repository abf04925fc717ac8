//! The templates that are served, their samplers, and which sample a request names.
//!
//! Only what was named when the server started is served: no text of a request is ever a path.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::fields::{Fields, quoted};
use super::refusal::Refusal;
use crate::data::vocab::Vocabulary;
use crate::data::{Answer, DEFAULT_LEVEL, SampleId, Split, level_name, said};
use crate::diagnostic::near_miss;
use crate::template::{Error, Sampler, Template};

/// The most samplers in memory; the one that was used the longest ago makes room.
const SAMPLERS_MAX: usize = 256;
/// Indices from here on are the streams of second tries.
const INDEX_END: u64 = 1 << 55;

/// A template as the server was told to serve it.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The template.
    pub template: Template,
    /// The level where a request names none; empty for the defaults.
    pub level: String,
    /// The parameters that are set at that level.
    pub set: Vec<(String, String)>,
    /// Its words; none for the built-in ones.
    pub words: Option<Vocabulary>,
    /// How answers are written.
    pub answer: Answer,
}

impl Offer {
    /// A template at its defaults.
    pub fn of(template: Template) -> Offer {
        let answer = Answer::default();
        Offer { template, level: String::new(), set: Vec::new(), words: None, answer }
    }
}

/// Which samplers a template has: it, a level, and what is set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    at: usize,
    level: String,
    set: BTreeMap<String, String>,
}

/// A sampler in the cache.
pub struct Compiled {
    /// What it was compiled for.
    pub key: Arc<Key>,
    /// The sampler.
    pub sampler: Sampler,
    /// The part of its samples' ids that tells it from other samplers.
    pub digest: String,
}

/// A sample that a request names.
#[derive(Clone)]
pub struct Named {
    /// Of which sampler.
    pub of: Arc<Compiled>,
    /// The split.
    pub split: Split,
    /// The seed.
    pub seed: u64,
    /// The index.
    pub index: u64,
}

/// What holds where a request does not say it, and what it may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// The seed.
    pub seed: u64,
    /// Whether held-out samples may be asked for.
    pub allow_eval: bool,
}

/// All that is served.
pub struct Catalog {
    offers: Vec<Offer>,
    access: Access,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    of: HashMap<Arc<Key>, Slot>,
    by_digest: HashMap<String, Arc<Key>>,
    /// Counts the uses.
    now: u64,
}

#[derive(Clone, Default)]
struct Slot {
    compiled: Arc<OnceLock<Result<Arc<Compiled>, Refusal>>>,
    used: u64,
}

impl Catalog {
    /// Of these templates, each compiled at the level that it is served at. Of several with one
    /// name, the first says the level where a request names none.
    ///
    /// # Errors
    /// [`Error::Input`] for two templates of one name that differ, and the errors of compiling one.
    pub fn new(offers: Vec<Offer>, access: Access) -> Result<Catalog, Error> {
        let mut kept: Vec<Offer> = Vec::new();
        for offer in offers {
            compile(&offer, &offer.level, &offer.set)?;
            let name = offer.template.name();
            match kept.iter().find(|other| other.template.name() == name) {
                None => kept.push(offer),
                Some(other) if is_same(other, &offer) => {}
                Some(other) => {
                    let (one, two) = (&other.template.source().name, &offer.template.source().name);
                    return Err(Error::Input(format!(
                        "{one} and {two} are two templates with the name `{name}`, or have two \
                         sets of words: rename one of the files, or start a server for each"
                    )));
                }
            }
        }
        Ok(Catalog { offers: kept, access, cache: Mutex::default() })
    }

    /// The templates that are served.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// How many samplers are in memory.
    pub fn samplers(&self) -> usize {
        self.cache().of.len()
    }

    /// The sample that a request names: by its `id`, or by `template`, `level`, `set`, `split`,
    /// `seed` and `index`. What both say must agree.
    ///
    /// # Errors
    /// [`Refusal`] for what is missing, unknown, contradictory, or held out.
    pub fn named(&self, fields: &Fields) -> Result<Named, Refusal> {
        let (id, index) = (self.id(fields)?, fields.integer("index")?);
        let index = match (&id, index) {
            (_, Some(index)) => index,
            (Some(id), None) => id.index,
            (None, None) => return Err(fields.missing("index")),
        };
        self.named_at(fields, id, index)
    }

    /// The same with this index, where a request says none.
    ///
    /// # Errors
    /// Those of [`Catalog::named`].
    pub fn named_or(&self, fields: &Fields, index: u64) -> Result<Named, Refusal> {
        let id = self.id(fields)?;
        let said = fields.integer("index")?.or(id.as_ref().map(|id| id.index));
        self.named_at(fields, id, said.unwrap_or(index))
    }

    /// A sampler again, by its key.
    ///
    /// # Errors
    /// Those of compiling it.
    pub fn compiled(&self, key: &Arc<Key>) -> Result<Arc<Compiled>, Refusal> {
        let slot = self.cache().slot(key);
        let found = slot.get_or_init(|| {
            let (offer, set) =
                (&self.offers[key.at], key.set.clone().into_iter().collect::<Vec<_>>());
            let sampler = compile(offer, &key.level, &set)?;
            let digest = sampler.inner().digest().to_string();
            Ok(Arc::new(Compiled { key: key.clone(), sampler, digest }))
        });
        let mut cache = self.cache();
        match found {
            Ok(compiled) if cache.of.contains_key(key) => {
                cache.by_digest.insert(compiled.digest.clone(), key.clone());
            }
            Ok(_) => {}
            Err(_) => _ = cache.of.remove(key),
        }
        found.clone()
    }

    fn named_at(
        &self,
        fields: &Fields,
        id: Option<SampleId>,
        index: u64,
    ) -> Result<Named, Refusal> {
        let of = self.of(fields, id.as_ref())?;
        let split = match (fields.text("split")?, &id) {
            (Some(split), _) => split.parse().map_err(|why: String| {
                Refusal::invalid(format!("{}: {why}", fields.place("split")))
            })?,
            (None, Some(id)) => id.split,
            (None, None) => Split::Train,
        };
        let seed = fields.integer("seed")?.or(id.as_ref().map(|id| id.seed));
        let seed = seed.unwrap_or(self.access.seed);
        if let Some(id) = &id
            && (id.split, id.seed, id.index) != (split, seed, index)
        {
            let message = format!(
                "{} is {id}, and the fields beside it name split {split}, seed {seed}, index \
                 {index}: leave one of both out",
                fields.place("id")
            );
            return Err(Refusal::new(409, "two_samples", message));
        }
        if split == Split::Eval && !self.access.allow_eval {
            let message = format!(
                "{} names a held-out sample, and this server is for training: ask for the split \
                 `train`, or start a server with --allow-eval",
                fields.place("split")
            );
            return Err(Refusal::new(403, "held_out", message));
        }
        if index >= INDEX_END {
            let message = format!("{} must be below 2^55, and is {index}", fields.place("index"));
            return Err(Refusal::invalid(message));
        }
        Ok(Named { of, split, seed, index })
    }

    /// The id of a request. One that is no id of a sample is the client's own, if there is an
    /// index.
    fn id(&self, fields: &Fields) -> Result<Option<SampleId>, Refusal> {
        let own = fields.get("index").is_some();
        match fields.get("id") {
            None => Ok(None),
            Some(found) => match found.as_str().and_then(|text| text.parse().ok()) {
                Some(id) => Ok(Some(id)),
                None if own => Ok(None),
                None => Err(fields.wrong("id", "the `id` of a sample", found)),
            },
        }
    }

    /// The sampler that a request names.
    fn of(&self, fields: &Fields, id: Option<&SampleId>) -> Result<Arc<Compiled>, Refusal> {
        let template = fields.text("template")?.or(id.map(|id| id.template.as_str()));
        let at = match template {
            Some(name) => self.template(name, fields)?,
            None if self.offers.len() == 1 => 0,
            None => {
                let Refusal { status, code, .. } = fields.missing("template");
                let message = format!(
                    "{} is missing: several are served, {}",
                    fields.place("template"),
                    self.names()
                );
                return Err(Refusal::new(status, code, message));
            }
        };
        let (level, set) = (fields.text("level")?, settings(fields)?);
        if let (Some(id), None, None) = (id, level, &set) {
            return self.by_digest(at, id, fields);
        }
        let compiled = self.compiled(&Arc::new(self.key(at, level, set, fields)?))?;
        if let Some(id) = id
            && (id.digest != compiled.digest || id.template != *compiled.sampler.name())
        {
            return Err(self.other_version(id, fields));
        }
        Ok(compiled)
    }

    /// The template of a name.
    fn template(&self, name: &str, fields: &Fields) -> Result<usize, Refusal> {
        let found = self.offers.iter().position(|offer| offer.template.name() == name);
        found.ok_or_else(|| {
            let names = self.offers.iter().map(|offer| offer.template.name());
            // The command line knows what is built in by another name.
            let bare = name.strip_prefix("std:").unwrap_or(name);
            let write = match near_miss(bare, names) {
                Some(near) => format!("write `{near}`"),
                None => format!("served are {}", self.names()),
            };
            let (place, name) = (fields.place("template"), quoted(name));
            let message = format!("{place}: there is no template {name} here; {write}");
            Refusal::new(404, "unknown_template", message)
        })
    }

    /// What a level and settings ask for; without both, what the template is served at.
    fn key(
        &self,
        at: usize,
        level: Option<&str>,
        set: Option<Vec<(String, String)>>,
        fields: &Fields,
    ) -> Result<Key, Refusal> {
        let offer = &self.offers[at];
        let level = level.map(|level| if level == DEFAULT_LEVEL { "" } else { level });
        let served = level.is_none_or(|level| level == offer.level);
        let set = set.unwrap_or_else(|| if served { offer.set.clone() } else { Vec::new() });
        let level = level.unwrap_or(&offer.level);
        let mut levels = offer.template.levels();
        if !level.is_empty() && !levels.any(|known| known == level) {
            return Err(unknown_level(&offer.template, level, fields));
        }
        Ok(Key { at, level: level.to_string(), set: set.into_iter().collect() })
    }

    /// The sampler of an id, which says neither level nor settings: one that is in memory, or that
    /// of a level.
    fn by_digest(
        &self,
        at: usize,
        id: &SampleId,
        fields: &Fields,
    ) -> Result<Arc<Compiled>, Refusal> {
        let known = |digest: &str| self.cache().by_digest.get(digest).cloned();
        if let Some(key) = known(&id.digest).filter(|key| key.at == at) {
            return self.compiled(&key);
        }
        let offer = &self.offers[at];
        let served = self.key(at, None, None, fields)?;
        let levels = std::iter::once("").chain(offer.template.levels());
        let levels = levels.map(|level| self.key(at, Some(level), Some(Vec::new()), fields));
        for key in std::iter::once(Ok(served)).chain(levels) {
            // A level that has no samples with these words has no ids either.
            if let Ok(compiled) = self.compiled(&Arc::new(key?))
                && compiled.digest == id.digest
            {
                return Ok(compiled);
            }
        }
        Err(self.other_version(id, fields))
    }

    fn other_version(&self, id: &SampleId, fields: &Fields) -> Refusal {
        let message = format!(
            "{} is {}, of another version of the template, another level, other settings or \
             other words: send the `level` and the `set` that it was generated with, or generate \
             it again",
            fields.place("id"),
            quoted(&id.to_string())
        );
        Refusal::new(409, "other_version", message)
    }

    fn names(&self) -> String {
        const SHOWN: usize = 20;
        let names = self.offers.iter().map(|offer| format!("`{}`", offer.template.name()));
        let shown: Vec<String> = names.take(SHOWN).collect();
        match self.offers.len().saturating_sub(SHOWN) {
            0 => shown.join(", "),
            more => format!("{} and {more} more: see /v1/templates", shown.join(", ")),
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    /// The slot of a key, which is now the last that was used.
    fn slot(&mut self, key: &Arc<Key>) -> Arc<OnceLock<Result<Arc<Compiled>, Refusal>>> {
        self.now += 1;
        if !self.of.contains_key(key) && self.of.len() >= SAMPLERS_MAX {
            let oldest = self.of.iter().min_by_key(|(_, slot)| slot.used);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.of.remove(&oldest);
                self.by_digest.retain(|_, key| **key != *oldest);
            }
        }
        let slot = self.of.entry(key.clone()).or_default();
        slot.used = self.now;
        slot.compiled.clone()
    }
}

impl Named {
    /// The id of the sample.
    pub fn id(&self) -> SampleId {
        self.of.sampler.id(self.split, self.seed, self.index)
    }
}

fn compile(offer: &Offer, level: &str, set: &[(String, String)]) -> Result<Sampler, Error> {
    let level = offer.template.level(level).answer(offer.answer);
    let compile = set.iter().fold(level, |compile, (name, value)| compile.set(name, value));
    match &offer.words {
        Some(words) => compile.vocabulary(words.clone()),
        None => compile,
    }
    .compile()
}

/// Whether two offers are of one template, at levels that may differ.
fn is_same(one: &Offer, other: &Offer) -> bool {
    let words = |offer: &Offer| -> Option<Vec<String>> {
        Some(offer.words.as_ref()?.words().map(|word| word.to_string()).collect())
    };
    one.template.source().text == other.template.source().text
        && one.template.files() == other.template.files()
        && one.answer == other.answer
        && words(one) == words(other)
}

/// The settings of a request.
fn settings(fields: &Fields) -> Result<Option<Vec<(String, String)>>, Refusal> {
    let Some(found) = fields.get("set") else { return Ok(None) };
    let expected = "an object such as {\"length\": 8}, or a text such as \"length=8\"";
    said::settings(found).map(Some).ok_or_else(|| fields.wrong("set", expected, found))
}

fn unknown_level(template: &Template, level: &str, fields: &Fields) -> Refusal {
    let write = match near_miss(level, template.levels()) {
        Some(near) => format!("write `{near}`"),
        None => {
            let levels = std::iter::once(level_name("")).chain(template.levels());
            let levels: Vec<String> = levels.map(|level| format!("`{level}`")).collect();
            format!("there are {}", levels.join(", "))
        }
    };
    let (place, name) = (fields.place("level"), template.name());
    let message = format!("{place}: `{name}` has no level {}; {write}", quoted(level));
    Refusal::new(404, "unknown_level", message)
}
