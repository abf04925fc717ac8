//! Files that appear under their names only when they are whole.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use safetensors::SafeTensors;

/// Tensors by name, and the file's own short description of itself.
pub(crate) type Tensors = BTreeMap<String, Tensor>;

/// Writes a text file whole, or leaves the old one.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<()> {
    replace(path, |temporary| Ok(fs::write(temporary, text)?))
}

/// Writes tensors as safetensors, whole, or leaves the old file.
pub(crate) fn write_tensors(path: &Path, tensors: &Tensors, about: (&str, &str)) -> Result<()> {
    // One entry only: the header is written in a hash map's order.
    let about = HashMap::from([(about.0.to_string(), about.1.to_string())]);
    replace(path, |temporary| {
        Ok(safetensors::serialize_to_file(tensors.iter(), Some(about), temporary)?)
    })
}

/// Reads those tensors of a safetensors file whose name is `wanted`, and its metadata.
pub(crate) fn read_tensors(
    path: &Path,
    device: &Device,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<(Tensors, HashMap<String, String>)> {
    use candle_core::safetensors::Load;
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let broken = || format!("{} is not a whole safetensors file", path.display());
    let (_, header) = SafeTensors::read_metadata(&bytes).with_context(broken)?;
    let file = SafeTensors::deserialize(&bytes).with_context(broken)?;
    let mut tensors = Tensors::new();
    for (name, view) in file.iter().filter(|(name, _)| wanted(name)) {
        let tensor = view
            .load(device)
            .with_context(|| format!("in {}: cannot use tensor `{name}`", path.display()))?;
        tensors.insert(name.to_string(), tensor);
    }
    Ok((tensors, header.metadata().clone().unwrap_or_default()))
}

/// Lets `write` fill a file beside `path`, then puts it in `path`'s place and waits for the disk.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let name = path.file_name().with_context(failed)?.to_string_lossy();
    let temporary = folder.join(format!(".{name}.tmp"));
    fs::create_dir_all(folder).with_context(failed)?;
    // Made here so that the user's umask says who may read it; safetensors would make it private.
    let permissions = File::create(&temporary).and_then(|file| file.metadata());
    let permissions = permissions.with_context(failed)?.permissions();
    let written = write(&temporary)
        .and_then(|()| Ok(fs::set_permissions(&temporary, permissions)?))
        .and_then(|()| Ok(File::open(&temporary)?.sync_all()?))
        .and_then(|()| Ok(fs::rename(&temporary, path)?));
    if written.is_err() {
        // What is left of a failed write helps nobody; the first error is the one to report.
        fs::remove_file(&temporary).ok();
    }
    written.with_context(failed)?;
    // The new name itself must reach the disk; some file systems cannot sync a folder.
    File::open(folder).and_then(|folder| folder.sync_all()).ok();
    Ok(())
}
