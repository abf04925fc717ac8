//! A run on disk: trainable parameters, the optimizer's moments and the step, in one file with a
//! checksum of all its bytes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use candle_core::Tensor;
use serde_json::{Map, Value, json};

use crate::model::files::{self, TensorFile, Tensors, UNSEALED};
use crate::model::{Model, Parameter};
use crate::train::Settings;
use crate::train::optimizer::AdamW;

/// The key of the file's metadata that holds [`Saved::about`].
const ABOUT: &str = "cookc";

/// The newest format: one with slots. The second has none, and is written where none is filled, so
/// that older builds read it; the first had no checksum, and nothing said which run it was of.
const FORMAT: u64 = 3;
const FORMAT_WITHOUT_SLOTS: u64 = 2;

/// The prefixes of a parameter's three tensors.
const PARTS: [&str; 3] = ["value/", "first_mean/", "second_mean/"];

/// Room for the names, shapes and settings of a checkpoint, and for each of its tensors.
const HEADER_BYTES: u64 = 16 * 1024;
const NAME_BYTES: u64 = 256;

/// About how many bytes a checkpoint of the model has, and not less.
pub fn bytes(model: &Model) -> u64 {
    let of_one = |parameter: &&Parameter| parameter.value.elem_count() as u64 * 4 + NAME_BYTES;
    HEADER_BYTES + PARTS.len() as u64 * model.trainable().iter().map(of_one).sum::<u64>()
}

/// What others than the trainer keep in a checkpoint.
#[derive(Clone, Debug, Default)]
pub struct Others {
    /// Which run it is of.
    pub run: Value,
    /// Their state by name; null is none. Whoever resumes must know each name that is filled.
    pub slots: Map<String, Value>,
}

/// Writes a checkpoint atomically.
pub(super) fn save(
    model: &Model,
    optimizer: &AdamW,
    (settings, others): (&Settings, &Others),
    path: &Path,
) -> Result<()> {
    let mut tensors = Tensors::new();
    for (parameter, [first, second]) in model.trainable().iter().zip(&optimizer.moments) {
        for (part, tensor) in PARTS.iter().zip([&parameter.value, first, second]) {
            tensors.insert(format!("{part}{}", parameter.name), tensor.clone());
        }
    }
    let filled = others.slots.iter().filter(|(_, state)| !state.is_null());
    let slots: Map<String, Value> = filled.map(|(name, it)| (name.clone(), it.clone())).collect();
    let format = if slots.is_empty() { FORMAT_WITHOUT_SLOTS } else { FORMAT };
    let mut about = json!({
        "format": format, "checksum": UNSEALED, "steps": optimizer.steps, "settings": settings,
        "run": others.run,
    });
    if !slots.is_empty() {
        about["slots"] = Value::Object(slots);
    }
    files::write_sealed(path, &tensors, (ABOUT, &about.to_string()))
}

/// A checkpoint whose bytes are those that were written.
#[derive(Clone, Debug)]
pub struct Saved {
    /// Its path.
    pub path: PathBuf,
    /// Steps done.
    pub steps: u64,
    /// Which run it is of, as the caller of [`Trainer::save`](super::Trainer::save) said; null in
    /// a file of an older cookc, which has no checksum either.
    pub run: Value,
    settings: Value,
    slots: Map<String, Value>,
}

impl Saved {
    /// Reads what a checkpoint says of itself, and compares all its bytes with its checksum.
    ///
    /// # Errors
    /// If the file cannot be read, is no checkpoint, is damaged, or has a newer format.
    pub fn open(path: &Path) -> Result<Saved> {
        let wrong = || format!("{} is no checkpoint of a run", path.display());
        let file = TensorFile::open(path)?;
        let metadata = file.header.metadata().as_ref().with_context(wrong)?;
        let about = metadata.get(ABOUT).with_context(wrong)?;
        let mut about: Value = serde_json::from_str(about).with_context(wrong)?;
        match (about["format"].as_u64(), about["checksum"].as_str()) {
            (Some(1), None) => about["run"] = Value::Null,
            (Some(FORMAT_WITHOUT_SLOTS..=FORMAT), Some(checksum)) => {
                files::expect_sealed(path, checksum)?;
            }
            (Some(newer), _) if newer > FORMAT => {
                bail!("{} has the newer format {newer}", path.display())
            }
            _ => bail!(wrong()),
        }
        let steps = about["steps"].as_u64().with_context(wrong)?;
        let [run, settings, slots] = ["run", "settings", "slots"].map(|key| about[key].take());
        let slots = match slots {
            Value::Object(slots) => slots,
            _ => Map::new(),
        };
        Ok(Saved { path: path.to_path_buf(), steps, run, settings, slots })
    }

    /// What another than the trainer keeps under a name; null if nothing.
    pub fn slot(&self, name: &str) -> &Value {
        self.slots.get(name).unwrap_or(&Value::Null)
    }

    /// Fails if a slot is filled whose name is none of these: without its state, the run would go
    /// on differently.
    ///
    /// # Errors
    /// If there is such a slot.
    pub fn expect_slots(&self, known: &[&str]) -> Result<()> {
        match self.slots.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => bail!(
                "{} keeps the state of `{name}`, which this cookc does not know: go on with the \
                 version of cookc that wrote it",
                self.path.display()
            ),
            None => Ok(()),
        }
    }

    /// Fails unless it was made with these settings: else it would go on differently from how it
    /// began.
    ///
    /// # Errors
    /// If a setting differs; the text names it with both values.
    pub fn expect_settings(&self, settings: &Settings) -> Result<()> {
        let now = serde_json::to_value(settings)?;
        for (key, value) in now.as_object().into_iter().flatten() {
            if self.settings.get(key) != Some(value) {
                let was = self.settings.get(key).unwrap_or(&Value::Null);
                bail!("{} was made with {key} = {was}, not {value}", self.path.display());
            }
        }
        Ok(())
    }

    /// Loads it into the model, and returns the optimizer. The model must have the parameters
    /// that were trained, and no others.
    pub(super) fn restore(&self, model: &mut Model) -> Result<AdamW> {
        let path = &self.path;
        let (mut tensors, _) = files::read_tensors(path, &model.device)?;
        let mut take = |name: String, shape: &[usize]| -> Result<Tensor> {
            let tensor = tensors.remove(&name);
            let tensor = tensor
                .with_context(|| format!("{}: tensor `{name}` is missing", path.display()))?;
            files::expect_shape(&tensor, shape, &name, path)?;
            Ok(tensor)
        };
        let (mut values, mut means) = (Vec::new(), Vec::new());
        for parameter in model.trainable() {
            let shape = parameter.value.dims();
            let [value, first, second] =
                PARTS.map(|part| take(format!("{part}{}", parameter.name), shape));
            values.push(value?);
            means.push([first?, second?]);
        }
        let left = tensors.keys().next();
        ensure!(
            left.is_none(),
            "{}: the model has no parameter `{}`, which was trained",
            path.display(),
            left.map_or("", |name| name)
        );
        for (parameter, value) in model.trainable_mut().into_iter().zip(values) {
            parameter.value = value;
        }
        Ok(AdamW { steps: self.steps, moments: means })
    }
}
