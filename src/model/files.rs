//! Files that appear under their names only when they are whole.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;
use safetensors::tensor::{Dtype, Metadata};

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

/// Reads all tensors of a safetensors file, and its metadata.
pub(crate) fn read_tensors(
    path: &Path,
    device: &Device,
) -> Result<(Tensors, HashMap<String, String>)> {
    let file = TensorFile::open(path)?;
    let mut tensors = Tensors::new();
    for name in file.header.offset_keys() {
        let tensor = file.read(&name, device)?;
        tensors.insert(name, tensor);
    }
    Ok((tensors, file.header.metadata().clone().unwrap_or_default()))
}

/// A safetensors file whose header is in memory. Its tensors stay on disk until each is read, so
/// that a model never lies in memory twice.
pub(crate) struct TensorFile {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// Names, types, shapes and places of its tensors; they fill the file without a gap.
    pub(crate) header: Metadata,
    file: File,
    /// Where the first tensor begins.
    start: u64,
}

impl TensorFile {
    /// Reads the header, and holds it against the file's length.
    pub(crate) fn open(path: &Path) -> Result<TensorFile> {
        /// The format's own limit.
        const HEADER_MAX: u64 = 100_000_000;
        let mut file =
            File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let broken = || format!("{} is not a whole safetensors file", path.display());
        let size = file.metadata().with_context(broken)?.len();
        let mut length = [0; 8];
        file.read_exact(&mut length).with_context(broken)?;
        let length = u64::from_le_bytes(length);
        let fits = length <= HEADER_MAX.min(size);
        ensure!(fits, "{}: its header is said to have {length} bytes", broken());
        let mut header = vec![0; length as usize];
        file.read_exact(&mut header).with_context(broken)?;
        let header: Metadata = serde_json::from_slice(&header).with_context(broken)?;
        let start = 8 + length;
        let expected = start.saturating_add(header.data_len() as u64);
        ensure!(expected == size, "{}: {size} bytes instead of {expected}", broken());
        Ok(TensorFile { path: path.to_path_buf(), header, file, start })
    }

    /// Reads one tensor, of which there is no second copy afterwards.
    pub(crate) fn read(&self, name: &str, device: &Device) -> Result<Tensor> {
        let failed = || format!("in {}: cannot read tensor `{name}`", self.path.display());
        let info = self.header.info(name).with_context(failed)?;
        let (from, to) = info.data_offsets;
        let mut bytes = vec![0; to - from];
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.start + from as u64)).with_context(failed)?;
        file.read_exact(&mut bytes).with_context(failed)?;
        ensure!(is_finite(&bytes, info.dtype), "{}: it has a NaN or infinite element", failed());
        let tensor = DType::try_from(info.dtype)
            .and_then(|dtype| Tensor::from_raw_buffer(&bytes, dtype, &info.shape, device));
        tensor.with_context(failed)
    }
}

/// Whether every element of those bytes is a finite number: in one that is not, all bits of the
/// exponent are set.
fn is_finite(bytes: &[u8], dtype: Dtype) -> bool {
    /// Bytes that one thread takes at a time.
    const PIECE: usize = 1 << 18;
    let (width, exponent) = match dtype {
        Dtype::BF16 => (2, 0x7f80),
        Dtype::F16 => (2, 0x7c00),
        Dtype::F32 => (4, 0x7f80_0000),
        _ => return true,
    };
    let strange = |element: &[u8]| {
        let mut bits = [0; 4];
        bits[..width].copy_from_slice(element);
        u32::from_le_bytes(bits) & exponent == exponent
    };
    // Every element of a piece is looked at, without a branch: so the loop becomes vectors.
    let sound = |piece: &[u8]| !piece.chunks_exact(width).fold(false, |any, x| any | strange(x));
    bytes.par_chunks(PIECE).all(sound)
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
