//! Files of a results folder: whole or not there.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes a file beside its place and moves it there when it is complete.
///
/// # Errors
/// A file that cannot be written.
pub fn replace(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    let draft = path.with_file_name(name);
    let done = (|| {
        let mut out = BufWriter::new(File::create(&draft)?);
        write(&mut out)?;
        out.flush()?;
        fs::rename(&draft, path)
    })();
    done.map_err(|error| {
        let _ = fs::remove_file(&draft);
        named(error, path)
    })
}

/// Writes a file in a folder that is a draft itself, and moved when it is complete.
///
/// # Errors
/// A file that cannot be written.
pub(super) fn write_draft(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let done = File::create(path).and_then(|file| {
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.flush()
    });
    done.map_err(|error| named(error, path))
}

/// The same error with the file's name.
pub fn named(error: io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The names in a folder, sorted.
///
/// # Errors
/// A folder that cannot be read.
pub fn names(dir: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(dir).map_err(|error| named(error, dir))?;
    let mut names: Vec<_> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}

/// Removes the plots of a results folder, and what is stale there with them.
///
/// # Errors
/// A file that cannot be removed.
pub fn remove_plots(dir: &Path) -> io::Result<()> {
    let dir = dir.join("plots");
    if !dir.is_dir() {
        return Ok(());
    }
    for name in names(&dir)? {
        if [".svg", ".png", ".csv"].iter().any(|kind| name.ends_with(kind)) {
            remove(&dir.join(name))?;
        }
    }
    // It stays where somebody keeps something else in it.
    let _ = fs::remove_dir(&dir);
    Ok(())
}

/// Removes a file or folder, if it is there.
///
/// # Errors
/// What cannot be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    let removed = match path.is_dir() && !path.is_symlink() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(error, path)),
        _ => Ok(()),
    }
}
