//! Files and folders that are written atomically, and locks that are released by a kill.
//!
//! An incomplete file lies beside its path as `.cookc-RANDOM.part`, created by this process alone
//! (`O_EXCL`, so no link is followed) and locked by it. A process that starts to write into the
//! same folder sweeps the unlocked ones: their writers were killed.

mod guard;
mod system;

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile, TempDir};

pub(crate) use guard::guard;
pub use system::sync_folder;
use system::{is_at, open_folder};

/// How the name of an incomplete file begins and ends.
const START: &str = ".cookc-";
const END: &str = ".part";
/// Random letters between them.
const RANDOM: usize = 10;

/// A sweeper may take a name in the moment between its making and its locking.
const TRIES: usize = 16;

/// A file that is being written. Dropped before its end, it is removed.
#[derive(Debug)]
pub struct Pending {
    file: NamedTempFile,
    path: PathBuf,
}

impl Pending {
    /// Begins a file that will replace what lies at `path`. A link is replaced, not followed. Who
    /// may read it is decided by the file that is replaced, or else by the user's umask.
    ///
    /// # Errors
    /// `IsADirectory` for a folder, and what the file system says of a new file beside the path.
    pub fn create(path: &Path) -> io::Result<Pending> {
        let there = fs::symlink_metadata(path).ok();
        if there.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(ErrorKind::IsADirectory.into());
        }
        let replaced = there.filter(fs::Metadata::is_file).map(|file| file.permissions());
        for _ in 0..TRIES {
            let builder = builder(replaced.as_ref(), false);
            let file = builder.tempfile_in(folder_of(path)).map_err(plain)?;
            if is_claimed(file.as_file(), file.path())? {
                if let Some(permissions) = replaced {
                    // The umask took away what the file that is replaced has.
                    file.as_file().set_permissions(permissions)?;
                }
                return Ok(Pending { file, path: path.to_path_buf() });
            }
        }
        Err(ErrorKind::ResourceBusy.into())
    }

    /// The file, to write, seek and read.
    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Completes the file: its bytes reach the disk, then it gets its name, then the name reaches
    /// the disk. The file stays open to append to.
    ///
    /// # Errors
    /// If the disk does not take the bytes or the name.
    pub fn finish(self) -> io::Result<File> {
        self.file.as_file().sync_all()?;
        let file = self.file.persist(&self.path).map_err(|error| error.error)?;
        sync_folder(folder_of(&self.path))?;
        Ok(file)
    }

    /// The same for a path where nothing lies.
    ///
    /// # Errors
    /// `AlreadyExists` if something lies at the path by now; those of [`Pending::finish`].
    pub fn finish_new(self) -> io::Result<File> {
        self.file.as_file().sync_all()?;
        let file = self.file.persist_noclobber(&self.path).map_err(|error| error.error)?;
        sync_folder(folder_of(&self.path))?;
        Ok(file)
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

/// Replaces a file's bytes atomically; its link is replaced, not followed.
///
/// # Errors
/// Those of [`Pending::create`] and [`Pending::finish`].
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut pending = Pending::create(path)?;
    pending.write_all(bytes)?;
    pending.finish().map(|_| ())
}

/// A folder that is being filled. Dropped before its end, it is removed with its files.
#[derive(Debug)]
pub struct PendingFolder {
    folder: TempDir,
    /// Held open: a sweeper sees that it is being filled.
    _lock: Option<File>,
    path: PathBuf,
}

impl PendingFolder {
    /// Begins a folder that will lie at `path`, where nothing lies or an empty folder.
    ///
    /// # Errors
    /// What the file system says of a new folder beside the path.
    pub fn create(path: &Path) -> io::Result<PendingFolder> {
        for _ in 0..TRIES {
            let folder = builder(None, true).tempdir_in(folder_of(path)).map_err(plain)?;
            let opened = open_folder(folder.path())?;
            if opened.as_ref().map_or(Ok(true), |lock| is_claimed(lock, folder.path()))? {
                return Ok(PendingFolder { folder, _lock: opened, path: path.to_path_buf() });
            }
        }
        Err(ErrorKind::ResourceBusy.into())
    }

    /// Where its files go until it is complete.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Completes the folder, which gets its name.
    ///
    /// # Errors
    /// `DirectoryNotEmpty` if files lie at its path by now.
    pub fn finish(self) -> io::Result<()> {
        sync_folder(self.folder.path())?;
        fs::rename(self.folder.path(), &self.path)?;
        // It has moved: nothing is to be removed.
        let _ = self.folder.keep();
        sync_folder(folder_of(&self.path))
    }
}

/// A folder that this process alone writes to, as long as this lives.
#[derive(Debug)]
pub struct Lock {
    _folder: Option<File>,
}

/// Takes the lock of a folder; none if another process holds it, or removed the folder. Without
/// locks in the file system, several processes take it.
///
/// # Errors
/// If the folder cannot be opened.
pub fn lock(folder: &Path) -> io::Result<Option<Lock>> {
    let opened = open_folder(folder)?;
    let claimed = opened.as_ref().map_or(Ok(true), |file| is_claimed(file, folder))?;
    Ok(claimed.then_some(Lock { _folder: opened }))
}

/// Opens a file to write, or makes one, for this process alone; none if another process has it. A
/// link is not followed.
///
/// # Errors
/// What the file system says of the file, also where it knows no locks.
pub fn claim(path: &Path) -> io::Result<Option<File>> {
    for _ in 0..TRIES {
        if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) if is_at(&file, path) => return Ok(Some(file)),
            // Its writer has given it another name in between.
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(ErrorKind::ResourceBusy.into())
}

/// Removes the incomplete files that killed writers left in a folder. What cannot be removed stays,
/// and does no harm.
pub fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.len() == START.len() + RANDOM + END.len()
            && name.starts_with(START)
            && name.ends_with(END)
        {
            remove_stale(&entry.path()).ok();
        }
    }
}

fn remove_stale(path: &Path) -> io::Result<()> {
    let there = fs::symlink_metadata(path)?;
    // Anything else is none of ours, and opening a pipe would wait for its other end.
    if !there.is_file() && !there.is_dir() {
        return Ok(());
    }
    let file = File::open(path)?;
    match file.try_lock() {
        Ok(()) if !is_at(&file, path) => Ok(()),
        Ok(()) if there.is_dir() => fs::remove_dir_all(path),
        Ok(()) => fs::remove_file(path),
        Err(_) => Ok(()),
    }
}

/// The folder that a path is in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn builder(replaced: Option<&Permissions>, is_folder: bool) -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(START).suffix(END).rand_bytes(RANDOM);
    system::permit(&mut builder, replaced, is_folder);
    builder
}

/// The error without the incomplete file's name, which tempfile puts into it.
fn plain(error: io::Error) -> io::Error {
    error.kind().into()
}

/// Locks a file or folder; false if another process has it, or it no longer lies at its path.
fn is_claimed(file: &File, path: &Path) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(is_at(file, path)),
        Err(TryLockError::WouldBlock) => Ok(false),
        // A file system without locks: no other process gets one either, so nothing is swept there.
        Err(TryLockError::Error(_)) => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder").flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_sweep_takes_what_nobody_holds_and_leaves_the_rest() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out");
        let mut held = Pending::create(&path).expect("a file");
        held.write_all(b"whole").expect("it can be written");
        let filled = PendingFolder::create(&folder.path().join("model")).expect("a folder");
        // What a kill leaves: the lock is gone, the name is there.
        let stale = folder.path().join(".cookc-0123456789.part");
        fs::write(&stale, "half").expect("a file");
        let stale_folder = folder.path().join(".cookc-abcdefghij.part");
        fs::create_dir(&stale_folder).expect("a folder");
        fs::write(stale_folder.join("config.json"), "{}").expect("a file");
        fs::write(folder.path().join(".cookc-notes"), "a user's own").expect("a file");
        sweep(folder.path());
        assert!(!stale.exists() && !stale_folder.exists());
        held.finish().expect("it is complete");
        fs::write(filled.path().join("a"), "1").expect("a file");
        filled.finish().expect("it is complete");
        assert_eq!(names(folder.path()), [".cookc-notes", "model", "out"]);
        assert_eq!(fs::read(&path).expect("a file"), b"whole");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_replaced_and_what_it_leads_to_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let [mine, link] = ["mine", "link"].map(|name| folder.path().join(name));
        fs::write(&mine, "mine").expect("a file");
        std::os::unix::fs::symlink(&mine, &link).expect("a link");
        write(&link, b"new").expect("it can be written");
        assert!(fs::symlink_metadata(&link).expect("a file").is_file());
        assert_eq!(fs::read(&mine).expect("a file"), b"mine");
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_is_locked_once_and_free_when_the_lock_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = lock(folder.path()).expect("a folder");
        assert!(first.is_some() && lock(folder.path()).expect("a folder").is_none());
        drop(first);
        assert!(lock(folder.path()).expect("a folder").is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_claimed_once_and_no_link_is_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let [mine, link] = ["mine", "link"].map(|name| folder.path().join(name));
        let mut first = claim(&mine).expect("a file").expect("nobody has it");
        assert!(claim(&mine).expect("a file").is_none());
        first.write_all(b"rows").expect("it can be written");
        drop(first);
        // The next one finds what is there.
        assert!(claim(&mine).expect("a file").is_some());
        assert_eq!(fs::read(&mine).expect("a file"), b"rows");
        std::os::unix::fs::symlink(&mine, &link).expect("a link");
        assert_eq!(claim(&link).expect_err("a link").kind(), ErrorKind::AlreadyExists);
    }

    #[test]
    fn a_new_file_never_replaces_one_and_a_new_folder_never_mixes_with_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mine");
        let pending = Pending::create(&path).expect("a file");
        fs::write(&path, "another's").expect("a file");
        let error = pending.finish_new().expect_err("it is there");
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        let model = folder.path().join("model");
        let pending = PendingFolder::create(&model).expect("a folder");
        fs::create_dir(&model).expect("a folder");
        fs::write(model.join("a"), "another's").expect("a file");
        let error = pending.finish().expect_err("files lie there");
        assert_eq!(error.kind(), ErrorKind::DirectoryNotEmpty);
        assert_eq!(names(folder.path()), ["mine", "model"]);
    }

    #[cfg(unix)]
    #[test]
    fn the_umask_says_who_may_read_a_new_file_and_a_replaced_one_keeps_its_own() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let [plain, ours, kept] = ["plain", "ours", "kept"].map(|name| folder.path().join(name));
        File::create(&plain).expect("a file");
        write(&ours, b"").expect("it can be written");
        let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode();
        assert_eq!(mode(&plain), mode(&ours));
        fs::write(&kept, "").expect("a file");
        fs::set_permissions(&kept, Permissions::from_mode(0o600)).expect("it is ours");
        write(&kept, b"new").expect("it can be written");
        assert_eq!(mode(&kept) & 0o777, 0o600);
    }
}
