//! A model's files: safetensors in and out, with or without a checksum, and JSON.

pub mod digest;
pub(crate) mod json;
pub(crate) mod keys;

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::BitAnd;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use bytemuck::Pod;
use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;
use safetensors::View;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};

use crate::disk::{self, Pending};
use crate::source;
use crate::wide::wide;

/// Tensors by name, and the file's own short description of itself.
pub(crate) type Tensors = BTreeMap<String, Tensor>;

/// Stands for the checksum of a file while it is computed, that itself included.
pub(crate) const UNSEALED: &str =
    "0000000000000000000000000000000000000000000000000000000000000000";

/// Writes a text file atomically.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<()> {
    replace(path, |file| Ok(file.write_all(text.as_bytes())?))
}

/// Writes tensors as safetensors, atomically.
pub(crate) fn write_tensors(path: &Path, tensors: &Tensors, about: (&str, &str)) -> Result<()> {
    replace(path, |file| put_tensors(file, tensors, about, &mut |_| {}).map(|_| ()))
}

/// The same with a checksum of all its bytes, which replaces [`UNSEALED`] in `about`.
pub(crate) fn write_sealed(path: &Path, tensors: &Tensors, about: (&str, &str)) -> Result<()> {
    replace(path, |file| {
        let mut hash = blake3::Hasher::new();
        let mut digest = |bytes: &[u8]| {
            hash.update(digest::of_bytes(bytes).as_bytes());
        };
        let mut header = put_tensors(file, tensors, about, &mut digest)?;
        let checksum = hash.finalize().to_hex();
        let at = place_of(&header, UNSEALED).context("the description has room for a checksum")?;
        header[at..at + UNSEALED.len()].copy_from_slice(checksum.as_bytes());
        file.seek(SeekFrom::Start(0))?;
        Ok(file.write_all(&header)?)
    })
}

/// Holds a sealed file against the checksum that its own description says it has.
pub(crate) fn expect_sealed(path: &Path, checksum: &str) -> Result<()> {
    let broken = || format!("{} is damaged", path.display());
    let file = TensorFile::open(path)?;
    let mut header = vec![0; file.start as usize];
    (&file.file).seek(SeekFrom::Start(0)).with_context(broken)?;
    (&file.file).read_exact(&mut header).with_context(broken)?;
    let at = place_of(&header, checksum).with_context(broken)?;
    header[at..at + UNSEALED.len()].copy_from_slice(UNSEALED.as_bytes());
    let mut hash = blake3::Hasher::new();
    hash.update(digest::of_bytes(&header).as_bytes());
    let mut bytes = Vec::new();
    for name in file.header.offset_keys() {
        let (from, to) = file.header.info(&name).with_context(broken)?.data_offsets;
        bytes.resize(to - from, 0);
        (&file.file).read_exact(&mut bytes).with_context(broken)?;
        hash.update(digest::of_bytes(&bytes).as_bytes());
    }
    let found = hash.finalize().to_hex();
    ensure!(found.as_str() == checksum, "{}: its checksum is not that of its bytes", broken());
    Ok(())
}

/// The offset of a checksum in a header.
fn place_of(header: &[u8], checksum: &str) -> Option<usize> {
    let wanted = checksum.as_bytes();
    let found = header.windows(UNSEALED.len()).position(|some| some == wanted);
    found.filter(|_| wanted.len() == UNSEALED.len())
}

/// Writes a safetensors file, and returns its header. `seen` is called with that, and then with
/// each tensor's bytes. In the order of the format's own library: the widest type first, then by
/// name.
fn put_tensors(
    file: &mut File,
    tensors: &Tensors,
    about: (&str, &str),
    seen: &mut dyn FnMut(&[u8]),
) -> Result<Vec<u8>> {
    let mut sorted: Vec<(&String, &Tensor)> = tensors.iter().collect();
    let dtype = |tensor: &Tensor| View::dtype(tensor);
    sorted.sort_by(|(a, one), (b, other)| dtype(other).cmp(&dtype(one)).then(a.cmp(b)));
    let mut end = 0;
    let mut infos = Vec::new();
    for (name, tensor) in &sorted {
        let start = end;
        end += tensor.data_len();
        let (dtype, shape) = (dtype(tensor), tensor.dims().to_vec());
        infos.push(((*name).clone(), TensorInfo { dtype, shape, data_offsets: (start, end) }));
    }
    // One entry only: the header is written in a hash map's order.
    let about = HashMap::from([(about.0.to_string(), about.1.to_string())]);
    let mut text = serde_json::to_vec(&Metadata::new(Some(about), infos)?)?;
    text.resize(text.len().next_multiple_of(8), b' ');
    let header = [&(text.len() as u64).to_le_bytes()[..], &text].concat();
    seen(&header);
    let mut file = BufWriter::new(file);
    file.write_all(&header)?;
    for (_, tensor) in sorted {
        let bytes = tensor.data();
        seen(&bytes);
        file.write_all(&bytes)?;
    }
    file.flush()?;
    Ok(header)
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

/// Fails unless the tensor has the shape that the model's config sets.
pub(crate) fn expect_shape(
    tensor: &Tensor,
    shape: &[usize],
    name: &str,
    path: &Path,
) -> Result<()> {
    ensure!(
        tensor.dims() == shape,
        "{}: tensor `{name}` has shape {:?}, expected {shape:?}",
        path.display(),
        tensor.dims()
    );
    Ok(())
}

/// Whether two tensors have the same elements, whatever their types; some rows at a time.
pub(crate) fn are_equal(one: &Tensor, two: &Tensor) -> Result<bool> {
    /// Elements compared at a time.
    const PART: usize = 1 << 22;
    if one.dims() != two.dims() {
        return Ok(false);
    }
    let row = one.dims().last().copied().unwrap_or(1).max(1);
    let (one, two) = (one.reshape(((), row))?, two.reshape(((), row))?);
    let rows = one.dim(0)?;
    let at_once = (PART / row).max(1);
    for first in (0..rows).step_by(at_once) {
        let count = at_once.min(rows - first);
        let part = |matrix: &Tensor| matrix.narrow(0, first, count)?.to_dtype(DType::F32);
        let differ = part(&one)?.ne(&part(&two)?)?.to_dtype(DType::F32)?.sum_all()?;
        if differ.to_scalar::<f32>()? > 0.0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A safetensors file whose header is in memory. Its tensors stay on disk until each is read, so
/// that a model never lies in memory twice.
pub(crate) struct TensorFile {
    /// Its path.
    pub(crate) path: PathBuf,
    /// Names, types, shapes and offsets of its tensors; they fill the file without a gap.
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
        let mut file = open(path)?;
        let broken = || format!("{} is not a complete safetensors file", path.display());
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
    match dtype {
        Dtype::BF16 => none_has(bytes, 0x7f80_u16.to_le()),
        Dtype::F16 => none_has(bytes, 0x7c00_u16.to_le()),
        Dtype::F32 => none_has(bytes, 0x7f80_0000_u32.to_le()),
        _ => true,
    }
}

/// Whether no element has all of those bits.
fn none_has<Bits>(bytes: &[u8], all: Bits) -> bool
where
    Bits: Pod + Ord + Default + BitAnd<Output = Bits> + Sync,
{
    /// Bytes that one thread takes at a time.
    const PIECE: usize = 1 << 18;
    // The most of them in an element: a loop without a branch, which becomes vectors.
    let more = |most: Bits, bits: Bits| most.max(bits & all);
    let sound = |piece: &[u8]| match bytemuck::try_cast_slice(piece) {
        Ok(piece) => wide!(piece.iter().copied().fold(Bits::default(), more)) < all,
        // Memory that does not begin where elements may.
        Err(_) => {
            let elements = piece.chunks_exact(size_of::<Bits>()).map(bytemuck::pod_read_unaligned);
            elements.fold(Bits::default(), more) < all
        }
    };
    bytes.par_chunks(PIECE).all(sound)
}

/// The most bytes of a file of settings: `config.json`, an index of shards, a chat template. The
/// largest index that is published has a tenth.
pub(crate) const SETTINGS_MAX: u64 = 64 << 20;

/// The most bytes of a `tokenizer.json`: ten times what the largest vocabularies take.
pub(crate) const TOKENIZER_MAX: u64 = 512 << 20;

/// The text of an ordinary file of at most `most` bytes: a pipe, a device, a folder or a file
/// without an end is refused by its name.
pub(crate) fn text_of(path: &Path, most: u64) -> Result<String> {
    String::from_utf8(bytes_of(path, most)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        anyhow!("{} is not UTF-8: byte {at} is {:#04x}", path.display(), error.as_bytes()[at])
    })
}

/// The bytes of such a file.
pub(crate) fn bytes_of(path: &Path, most: u64) -> Result<Vec<u8>> {
    source::bytes_of(path, most).with_context(|| format!("cannot read {}", path.display()))
}

/// Opens such a file, of any size.
pub(crate) fn open(path: &Path) -> Result<File> {
    source::open(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Lets `write` fill a file that then replaces `path`; its folder is made if need be.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    fs::create_dir_all(disk::folder_of(path)).with_context(failed)?;
    let mut pending = Pending::create(path).with_context(failed)?;
    write(pending.file()).with_context(failed)?;
    pending.finish().with_context(failed)?;
    Ok(())
}
