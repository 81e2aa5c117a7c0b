//! Files that nobody else may read, written so that a crash leaves the old one or the new one, never half.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// What stands in a file.
pub(crate) struct Contents {
    pub(crate) text: Zeroizing<String>,
    /// Whether others than its owner may read or write it.
    pub(crate) is_exposed: bool,
}

/// Reads a file; nothing when it is not there.
pub(crate) fn read(path: &Path) -> io::Result<Option<Contents>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    // Asked of the open file, so that nobody can put another one there in between.
    let is_exposed = is_exposed(&file.metadata()?);
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text)?;
    Ok(Some(Contents { text, is_exposed }))
}

/// Whether others than the owner have any right to it.
pub(crate) fn is_exposed(metadata: &fs::Metadata) -> bool {
    metadata.permissions().mode() & 0o077 != 0
}

/// Opens a file to write to, and makes it where it is not there. What stands in it stays.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Where a file is written before it has its name.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

/// Writes what `path` will hold under its [`unfinished`] name, down to the disk.
pub(crate) fn write_unfinished(path: &Path, contents: &[u8]) -> io::Result<()> {
    let unfinished = unfinished(path);
    // Anew, because the mode of a file that is there already would stay what it is.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(contents)?;
    file.sync_all()?;
    sync_directory(path)
}

/// Gives the file its name.
pub(crate) fn finish(path: &Path) -> io::Result<()> {
    fs::rename(unfinished(path), path)?;
    sync_directory(path)
}

/// Writes a file, all of it or nothing.
pub(crate) fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    write_unfinished(path, contents)?;
    finish(path)
}

/// Makes the directory's entry for `path` last.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_file_is_private_whatever_lay_in_its_way() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(unfinished(&path), "left over").unwrap();
        fs::set_permissions(unfinished(&path), fs::Permissions::from_mode(0o666)).unwrap();
        write(&path, b"secret").unwrap();
        let read = read(&path).unwrap().unwrap();
        assert_eq!((read.text.as_str(), read.is_exposed), ("secret", false));
        assert!(!unfinished(&path).exists());
    }

    #[test]
    fn a_file_that_others_may_read_is_exposed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        write(&path, b"secret").unwrap();
        for (mode, is_exposed) in
            [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o602, true)]
        {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(&path).unwrap().unwrap().is_exposed, is_exposed, "{mode:o}");
        }
    }

    #[test]
    fn what_is_not_there_is_nothing() {
        assert!(read(&tempfile::tempdir().unwrap().path().join("file")).unwrap().is_none());
    }
}
