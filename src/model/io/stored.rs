//! A folder's weights on disk: which files hold them, and whether the model reads all of them.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use candle_core::{Device, Tensor};
use safetensors::Dtype;

use crate::model::config::Config;
use crate::model::files::json;
use crate::model::files::{self, TensorFile};

const EMBEDDING: &str = "model.embed_tokens.weight";
const HEAD: &str = "lm_head.weight";
/// Tables that older versions of transformers stored, and that are computed from the config.
const COMPUTED: [&str; 3] =
    ["rotary_emb.inv_freq", "rotary_emb.cos_cached", "rotary_emb.sin_cached"];

/// The weights of a folder, whose headers have been read.
pub(crate) struct Stored {
    folder: PathBuf,
    files: Vec<TensorFile>,
    /// The file of each tensor.
    holders: HashMap<String, usize>,
}

impl Stored {
    /// Reads the headers of a folder's weights.
    pub(crate) fn open(folder: &Path) -> Result<Stored> {
        let paths = weight_files(folder)?;
        let files = paths.iter().map(|path| TensorFile::open(path)).collect::<Result<Vec<_>>>()?;
        let mut holders = HashMap::new();
        for (at, file) in files.iter().enumerate() {
            for name in file.header.offset_keys() {
                if let Some(other) = holders.insert(name.clone(), at) {
                    let (one, two) = (files[other].path.display(), file.path.display());
                    bail!("tensor `{name}` is in two files: {one} and {two}");
                }
            }
        }
        Ok(Stored { folder: folder.to_path_buf(), files, holders })
    }

    /// A model whose config says that its head is the embedding table may have a head of its own
    /// in its files. As in transformers, one that differs from the table counts.
    pub(crate) fn settle_head(&self, config: &mut Config) -> Result<()> {
        let both = [EMBEDDING, HEAD].iter().all(|name| self.holders.contains_key(*name));
        if config.tie_word_embeddings && both {
            let device = Device::Cpu;
            config.tie_word_embeddings =
                files::are_equal(&self.read(EMBEDDING, &device)?, &self.read(HEAD, &device)?)?;
        }
        Ok(())
    }

    /// Fails unless the files have every tensor of those names and shapes, and no other that would
    /// be left out: what does not fit is found before anything large is read.
    pub(crate) fn expect(&self, shapes: &[(String, Vec<usize>)], config: &Config) -> Result<()> {
        for (name, shape) in shapes {
            self.expect_usable(name, shape)?;
        }
        let mut read: HashSet<&str> = shapes.iter().map(|(name, _)| name.as_str()).collect();
        if config.tie_word_embeddings {
            read.insert(HEAD);
        }
        let left = |name: &&String| {
            let is_computed = COMPUTED.iter().any(|computed| name.ends_with(computed));
            !is_computed && !read.contains(name.as_str())
        };
        let Some(name) = self.holders.keys().filter(left).min() else { return Ok(()) };
        let layers = config.num_hidden_layers;
        let layer = name.strip_prefix("model.layers.").and_then(|rest| rest.split('.').next());
        let beyond =
            layer.and_then(|layer| layer.parse().ok()).is_some_and(|at: usize| at >= layers);
        let path = self.files[self.holders[name]].path.display();
        match beyond {
            true => bail!(
                "{path}: tensor `{name}` belongs to a layer beyond the {layers} of config.json: \
                 correct `num_hidden_layers`, or leave those layers out of the weights"
            ),
            false => bail!(
                "{path}: a `{}` with this config.json has no place for tensor `{name}`, and would \
                 be computed without it",
                config.model_type
            ),
        }
    }

    /// Reads one tensor.
    pub(crate) fn read(&self, name: &str, device: &Device) -> Result<Tensor> {
        let (file, name) = self.holder(name)?;
        file.read(name, device)
    }

    fn holder<'a>(&self, name: &'a str) -> Result<(&TensorFile, &'a str)> {
        // The table may be stored under the name of the head that shares it.
        let shared = (name == EMBEDDING).then_some(HEAD);
        let found = [Some(name), shared].into_iter().flatten();
        let mut found = found.filter_map(|name| Some((*self.holders.get(name)?, name)));
        let (at, name) = found
            .next()
            .with_context(|| format!("{}: tensor `{name}` is missing", self.folder.display()))?;
        Ok((&self.files[at], name))
    }

    /// Fails unless the tensor has that shape, and a type that weights come in.
    fn expect_usable(&self, name: &str, shape: &[usize]) -> Result<()> {
        let (file, name) = self.holder(name)?;
        let info = file.header.info(name).context("the file has the tensor")?;
        let path = file.path.display();
        ensure!(
            info.shape == shape,
            "{path}: tensor `{name}` has shape {:?}, expected {shape:?}",
            info.shape
        );
        ensure!(
            matches!(info.dtype, Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16),
            "{path}: tensor `{name}` is {:?}; weights of F32, F16, BF16 and F64 can be read",
            info.dtype
        );
        Ok(())
    }
}

/// The files that hold a folder's weights: one, or the shards that its index names. Where both are
/// there, the one counts, as in transformers: an index is what a conversion left behind.
pub(crate) fn weight_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let whole = folder.join("model.safetensors");
    let index = folder.join("model.safetensors.index.json");
    if whole.is_file() || !index.exists() {
        return Ok(vec![whole]);
    }
    let wrong = || format!("{} is not an index of shards", index.display());
    let text = files::text_of(&index, files::SETTINGS_MAX).with_context(wrong)?;
    let value = json::parse(&text).with_context(wrong)?;
    let map = value.get("weight_map").and_then(|map| map.as_object()).with_context(wrong)?;
    let mut names: Vec<&str> = map.values().filter_map(|name| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    // A shard is a neighbour of its index; a path that leads elsewhere is no shard's name.
    let strange = names.iter().find(|name| Path::new(name).components().count() != 1);
    ensure!(strange.is_none(), "{}: `{}` is no file name", index.display(), strange.unwrap_or(&""));
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}
