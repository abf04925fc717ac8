//! Models of the Hugging Face hub: found in the local cache, or fetched into it first.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use hf_hub::api::sync::{Api, ApiBuilder, ApiError};
use hf_hub::{Cache, Repo, RepoType};

use crate::model::files;
use crate::model::io::stored;

/// What a model cannot be used without, beside its weights.
const NEEDED: [&str; 2] = ["config.json", "tokenizer.json"];
/// What is fetched too where it is there.
const WELCOME: [&str; 5] = [
    "generation_config.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "special_tokens_map.json",
    "added_tokens.json",
];
const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// Where models of the hub are kept and fetched from.
#[derive(Clone, Debug)]
pub struct Hub {
    /// The folder that holds `models--ORG--NAME`, as every Hugging Face library lays it out.
    pub cache: PathBuf,
    /// The hub's address.
    pub endpoint: String,
    /// Opens gated and private models.
    pub token: Option<String>,
    /// Whether the network is left alone.
    pub offline: bool,
}

impl Hub {
    /// What the environment says, under the names that `huggingface_hub` in Python reads:
    /// HF_HUB_CACHE, HF_HOME, HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH, HF_HUB_OFFLINE.
    pub fn from_env() -> Hub {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let yes = |name: &str| {
            let value = set(name).unwrap_or_default().to_uppercase();
            ["1", "ON", "YES", "TRUE"].contains(&value.as_str())
        };
        let user = || set("HOME").or_else(|| set("USERPROFILE")).map(PathBuf::from);
        let common = set("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .unwrap_or_else(|| user().unwrap_or_default().join(".cache"));
        let home = set("HF_HOME").map_or_else(|| common.join("huggingface"), PathBuf::from);
        let kept = set("HF_TOKEN_PATH").map_or_else(|| home.join("token"), PathBuf::from);
        let kept = || files::text_of(&kept, files::SETTINGS_MAX).ok();
        let token = set("HF_TOKEN").or_else(kept).map(|token| token.trim().to_string());
        Hub {
            cache: set("HF_HUB_CACHE").map_or_else(|| home.join("hub"), PathBuf::from),
            endpoint: set("HF_ENDPOINT").unwrap_or("https://huggingface.co".to_string()),
            token: token.filter(|token| !token.is_empty()),
            offline: yes("HF_HUB_OFFLINE") || yes("TRANSFORMERS_OFFLINE"),
        }
    }

    /// The folder of the model `ORG/NAME` or `ORG/NAME@REVISION`. One that is whole in the cache
    /// is used as it is, without a look at the network; else what is missing is fetched, with its
    /// progress on standard error.
    pub fn locate(&self, name: &str) -> Result<PathBuf> {
        let model = Name::parse(name)?;
        if let Some(folder) = self.cached(&model) {
            return Ok(folder);
        }
        let advice = self.advice(&model);
        if self.offline {
            bail!(
                "{} is not in {}, and HF_HUB_OFFLINE keeps the network off; {advice}",
                model.id,
                self.cache.display()
            );
        }
        let fetched = self.fetch(&model);
        fetched.map_err(|error| anyhow!("cannot fetch {}: {error:#}; {advice}", model.id))
    }

    /// The snapshot of the cache that has all that is needed.
    fn cached(&self, model: &Name) -> Option<PathBuf> {
        let cache = Cache::new(self.cache.clone()).repo(model.repo(&model.revision));
        let whole = |commit: &str| {
            let folder = cache.pointer_path(commit.trim());
            let files = stored::weight_files(&folder).ok()?;
            let needed = NEEDED.iter().map(|name| folder.join(name));
            let is_whole = needed.chain(files).all(|file| file.is_file());
            is_whole.then_some(folder)
        };
        let folder = self.cache.join(model.repo(&model.revision).folder_name());
        let named = folder.join("refs").join(&model.revision);
        let named = files::text_of(&named, files::SETTINGS_MAX);
        // A revision may be a commit itself.
        named.ok().and_then(|commit| whole(&commit)).or_else(|| whole(&model.revision))
    }

    fn fetch(&self, model: &Name) -> Result<PathBuf> {
        let api = self.api().context("cannot prepare the connection")?;
        let info = api.repo(model.repo(&model.revision)).info();
        let info = info.map_err(|error| self.refused(model, "the model", error))?;
        let listed: BTreeSet<&str> = info.siblings.iter().map(|file| &*file.rfilename).collect();
        for name in NEEDED {
            ensure!(listed.contains(name), "the model has no {name} on the hub");
        }
        ensure!(is_plain(&info.sha), "`{}` is no commit", info.sha);
        // All files are of the commit that was listed, also if there is a newer one meanwhile.
        let repo = api.repo(model.repo(&info.sha));
        let get = |name: &str| {
            let got = repo.get(name).map_err(|error| self.refused(model, name, error));
            got.with_context(|| format!("{name} is missing"))
        };
        let welcome = WELCOME.into_iter().filter(|name| listed.contains(name));
        for name in NEEDED.into_iter().chain(welcome) {
            get(name)?;
        }
        let folder = match (listed.contains(WEIGHTS), listed.contains(INDEX)) {
            (true, _) => parent(get(WEIGHTS)?),
            (false, true) => parent(get(INDEX)?),
            (false, false) => bail!("the model has no weights as safetensors on the hub"),
        };
        for file in stored::weight_files(&folder)? {
            get(&file.file_name().unwrap_or_default().to_string_lossy())?;
        }
        let cache = Cache::new(self.cache.clone()).repo(model.repo(&model.revision));
        cache.create_ref(&info.sha).context("cannot write to the cache")?;
        Ok(folder)
    }

    fn api(&self) -> Result<Api, ApiError> {
        /// A download goes on where it broke off, so many times.
        const RETRIES: usize = 3;
        ApiBuilder::from_cache(Cache::new(self.cache.clone()))
            .with_endpoint(self.endpoint.trim_end_matches('/').to_string())
            .with_token(self.token.clone())
            .with_retries(RETRIES)
            .with_user_agent("cookc", env!("CARGO_PKG_VERSION"))
            .build()
    }

    /// What a failed request means for the user.
    fn refused(&self, model: &Name, what: &str, error: ApiError) -> anyhow::Error {
        let text = error.to_string();
        let (id, revision, endpoint) = (&model.id, &model.revision, &self.endpoint);
        let status = |code: &str| text.contains(&format!("status: {code}"));
        if status("401") || status("403") {
            let token = match self.token {
                Some(_) => "the token that was sent does not open it",
                None => "set HF_TOKEN to a token of your account",
            };
            return anyhow!(
                "{endpoint} does not give {what} away: it is private, gated (accept its terms at \
                 {endpoint}/{id}) or not there; {token}"
            );
        }
        if status("404") {
            return anyhow!("{endpoint} has no `{id}` at revision `{revision}` ({what})");
        }
        anyhow!("{endpoint} did not give {what}: {error}")
    }

    /// The way without a network.
    fn advice(&self, model: &Name) -> String {
        let short = model.id.rsplit('/').next().unwrap_or_default();
        format!(
            "models are kept in {}; or put config.json, *.safetensors and tokenizer.json into a \
             folder of your own and write `base = \"models/{short}\"`",
            self.cache.display()
        )
    }
}

/// A model's name and which of its versions is meant.
struct Name {
    id: String,
    revision: String,
}

impl Name {
    fn parse(text: &str) -> Result<Name> {
        let (id, revision) = text.split_once('@').unwrap_or((text, "main"));
        ensure!(
            id.split('/').count() <= 2 && id.split('/').all(is_plain),
            "`{id}` is no model's name; write `hf:ORG/NAME`, such as `hf:Qwen/Qwen3-0.6B`"
        );
        ensure!(
            revision.split('/').all(is_plain),
            "`{revision}` is no revision; write a branch, a tag or a commit behind `@`"
        );
        Ok(Name { id: id.to_string(), revision: revision.to_string() })
    }

    fn repo(&self, revision: &str) -> Repo {
        Repo::with_revision(self.id.clone(), RepoType::Model, revision.to_string())
    }
}

/// Names become paths: nothing of them may lead out of the cache.
fn is_plain(part: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !part.is_empty() && part.chars().all(known) && !part.contains("..") && part != "."
}

fn parent(path: PathBuf) -> PathBuf {
    path.parent().map(Path::to_path_buf).unwrap_or_default()
}
