//! Digests of large byte strings and files, on all cores: what tells two models apart.

use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result};
use blake3::{Hash, Hasher};
use rayon::prelude::*;

use crate::model::files;

/// Bytes that one thread takes at a time. The digest of a whole is that of its pieces' digests.
const PIECE: usize = 1 << 20;

/// The digest of bytes.
pub fn of_bytes(bytes: &[u8]) -> Hash {
    of_pieces(bytes.par_chunks(PIECE).map(blake3::hash).collect())
}

/// The digest of a file, equal to that of its bytes.
pub fn of_file(path: &Path) -> Result<Hash> {
    let failed = || format!("cannot read {}", path.display());
    let file = files::open(path)?;
    let size = file.metadata().with_context(failed)?.len();
    let starts: Vec<u64> = (0..size).step_by(PIECE).collect();
    let piece = |buffer: &mut Vec<u8>, start: &u64| -> std::io::Result<Hash> {
        buffer.resize((size - start).min(PIECE as u64) as usize, 0);
        file.read_exact_at(buffer, *start)?;
        Ok(blake3::hash(buffer))
    };
    let pieces: std::io::Result<Vec<Hash>> =
        starts.par_iter().map_init(Vec::new, |buffer, start| piece(buffer, start)).collect();
    Ok(of_pieces(pieces.with_context(failed)?))
}

fn of_pieces(pieces: Vec<Hash>) -> Hash {
    let mut hasher = Hasher::new();
    pieces.iter().for_each(|piece| {
        hasher.update(piece.as_bytes());
    });
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_digest_of_its_bytes_and_each_bit_of_it_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("weights");
        for length in [0, 1, PIECE - 1, PIECE, 3 * PIECE + 17] {
            let mut bytes: Vec<u8> = (0..length).map(|at| (at * 31 % 251) as u8).collect();
            std::fs::write(&path, &bytes).expect("a file");
            let whole = of_bytes(&bytes);
            assert_eq!(of_file(&path).expect("it can be read"), whole, "{length} bytes");
            for at in [0, length / 2, length.saturating_sub(1)].into_iter().filter(|_| length > 0) {
                bytes[at] ^= 4;
                assert_ne!(of_bytes(&bytes), whole, "byte {at} of {length}");
                bytes[at] ^= 4;
            }
        }
    }
}
