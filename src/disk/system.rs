//! What the operating system decides: who may read a new file, which file a path leads to, and
//! whether a folder can be opened.

use std::fs::{File, Permissions};
use std::io;
use std::path::Path;

use tempfile::Builder;

/// Gives what is built the permissions of the file that it replaces, or those of something new.
#[cfg(unix)]
pub fn permit(builder: &mut Builder, replaced: Option<&Permissions>, is_folder: bool) {
    use std::os::unix::fs::PermissionsExt;
    let new = || Permissions::from_mode(if is_folder { 0o777 } else { 0o666 });
    builder.permissions(replaced.cloned().unwrap_or_else(new));
}

/// Elsewhere the folder decides who may read what lies in it.
#[cfg(not(unix))]
pub fn permit(_: &mut Builder, _: Option<&Permissions>, _: bool) {}

/// Whether an open file is the one that lies at the path.
#[cfg(unix)]
pub fn is_at(file: &File, path: &Path) -> bool {
    use std::fs::{Metadata, metadata};
    use std::os::unix::fs::MetadataExt;
    let same =
        |one: Metadata, other: Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
    file.metadata().is_ok_and(|one| metadata(path).is_ok_and(|other| same(one, other)))
}

/// Elsewhere files have no number that can be compared: another file of the name counts as this
/// one.
#[cfg(not(unix))]
pub fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Opens a folder, to lock it; none where folders cannot be opened.
#[cfg(unix)]
pub fn open_folder(path: &Path) -> io::Result<Option<File>> {
    File::open(path).map(Some)
}

/// Elsewhere folders are not locked.
#[cfg(not(unix))]
pub fn open_folder(path: &Path) -> io::Result<Option<File>> {
    std::fs::read_dir(path).map(|_| None)
}

/// Waits until a folder's names are on the disk.
///
/// # Errors
/// If the disk does not take them.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    let synced = open_folder(folder).and_then(|folder| folder.map_or(Ok(()), |it| it.sync_all()));
    match synced {
        // Some file systems cannot sync a folder, and some folders can be written and not read.
        Err(error) if matches!(error.kind(), InvalidInput | Unsupported | PermissionDenied) => {
            Ok(())
        }
        done => done,
    }
}
