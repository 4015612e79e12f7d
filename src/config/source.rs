//! Texts by name, and the files they are read from.

use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::input::{Files, InputError, MAX_FILE_BYTES, open_file};
use crate::units::Bytes;

/// A text that values come from: a file, or an argument of the command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// As shown to the user.
    pub name: String,
    /// What it says.
    pub text: String,
    /// Folder that the file names in it are relative to.
    pub dir: PathBuf,
    /// Name of the file without folder and ending; `None` for arguments.
    pub stem: Option<String>,
}

impl Source {
    fn of_file(path: &Path, text: String) -> Self {
        Self {
            name: path.display().to_string(),
            text,
            dir: path.parent().map(Path::to_owned).unwrap_or_default(),
            stem: path.file_stem().map(|stem| stem.to_string_lossy().into_owned()),
        }
    }

    /// An argument of the command line, whose file names are relative to `dir`.
    pub fn argument(name: impl Into<String>, text: impl Into<String>, dir: &Path) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            text: text.into(),
            dir: dir.to_owned(),
            stem: None,
        })
    }

    /// The characters of a line, counted from 1, without the line break.
    pub fn line(&self, number: usize) -> Range<usize> {
        let mut start = 0;
        for (i, line) in self.text.split_inclusive('\n').enumerate() {
            if i + 1 == number {
                return start..start + line.trim_end().len();
            }
            start += line.len();
        }
        self.text.len()..self.text.len()
    }

    /// Line and column, both from 1, of a byte.
    pub fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (
            before.matches('\n').count() + 1,
            before[line_start..].chars().count() + 1,
        )
    }
}

/// The files of an experiment, each read once, so that all points see the same text.
#[derive(Debug, Default)]
pub struct FileStore {
    read: Mutex<HashMap<PathBuf, Result<Arc<Source>, String>>>,
    /// Hashes of files that are not kept.
    hashed: Mutex<HashMap<PathBuf, Result<blake3::Hash, String>>>,
    /// There are no files but those that were read.
    complete: bool,
}

impl FileStore {
    /// Texts by path, in the place of all files.
    pub fn of_texts(texts: impl IntoIterator<Item = (PathBuf, String)>) -> Self {
        let read = texts.into_iter().map(|(path, text)| {
            let path = tidy(&path);
            let source = Source::of_file(&path, text);
            (path, Ok(Arc::new(source)))
        });
        Self {
            read: Mutex::new(read.collect()),
            hashed: Mutex::default(),
            complete: true,
        }
    }

    /// The text of a file; an error says why it cannot be had, without its name.
    pub fn read(&self, path: &Path) -> Result<Arc<Source>, String> {
        let path = tidy(path);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if self.complete {
            let missing = || Err("there is no such file".to_owned());
            return read.get(&path).cloned().unwrap_or_else(missing);
        }
        let text = read.entry(path).or_insert_with_key(|path| load(path).map(Arc::new));
        text.clone()
    }

    /// The hash of the content of a file, which may be large and is not kept; an error as of [`read`](Self::read).
    pub fn hash(&self, path: &Path) -> Result<blake3::Hash, String> {
        let path = tidy(path);
        if self.complete {
            return self.read(&path).map(|source| blake3::hash(source.text.as_bytes()));
        }
        if let Some(source) = self.known(&path.display().to_string()) {
            return Ok(blake3::hash(source.text.as_bytes()));
        }
        let mut hashed = self.hashed.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = hashed.entry(path).or_insert_with_key(|path| {
            let hash = || -> std::io::Result<blake3::Hash> {
                let mut hasher = blake3::Hasher::new();
                std::io::copy(&mut open_file(path)?, &mut hasher)?;
                Ok(hasher.finalize())
            };
            hash().map_err(|error| why(&error))
        });
        hash.clone()
    }

    /// The paths of all files that were read.
    pub fn paths(&self) -> Vec<PathBuf> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let hashed = self.hashed.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = read.iter().filter(|(_, text)| text.is_ok()).map(|(path, _)| path);
        let others = hashed.iter().filter(|(_, hash)| hash.is_ok()).map(|(path, _)| path);
        let mut paths: Vec<_> = texts.chain(others).cloned().collect();
        paths.sort();
        paths.dedup();
        paths
    }

    /// The file among those that were read which this path names, if any.
    pub fn holds(&self, path: &Path) -> Option<PathBuf> {
        let path = std::fs::canonicalize(path).ok()?;
        self.paths()
            .into_iter()
            .find(|known| std::fs::canonicalize(known).is_ok_and(|known| known == path))
    }

    /// A source that was read before, by its path.
    pub fn known(&self, path: &str) -> Option<Arc<Source>> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.get(&tidy(Path::new(path)))?.clone().ok()
    }
}

impl Files for FileStore {
    /// `name` is a path, as [`Entry::read`](super::Entry::read) makes of every key `file`.
    fn read(&self, name: &str) -> Result<String, InputError> {
        let source = self.read(Path::new(name)).map_err(|why| InputError::file(name, why))?;
        Ok(source.text.clone())
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read>, InputError> {
        if self.complete {
            return Ok(Box::new(Cursor::new(Files::read(self, name)?.into_bytes())));
        }
        let file = open_file(&tidy(Path::new(name))).map_err(|error| InputError::file(name, why(&error)))?;
        Ok(Box::new(file))
    }

    fn exists(&self, name: &str) -> bool {
        match self.complete {
            true => self.read(Path::new(name)).is_ok(),
            false => tidy(Path::new(name)).exists(),
        }
    }
}

/// The key of a file.
const FILE_KEY: &str = "file";
/// The key of what the names of several files begin with.
const PREFIX_KEY: &str = "prefix";

/// Whether a text under a key is a path, relative to the file that it was written in.
pub fn names_a_file(key: &str) -> bool {
    key == FILE_KEY || key == PREFIX_KEY
}

/// The files that a text under a key names: one, or, of a prefix, that of every rank, the first of which must be there.
pub fn files_of(key: &str, name: &str, files: &FileStore) -> Vec<String> {
    if key != PREFIX_KEY {
        return vec![name.to_owned()];
    }
    let of_rank = |rank: usize| format!("{name}.{rank}.et");
    let there = (1..).map(of_rank).take_while(|name| files.exists(name));
    std::iter::once(of_rank(0)).chain(there).collect()
}

fn load(path: &Path) -> Result<Source, String> {
    let bytes = read(path, MAX_FILE_BYTES).map_err(|error| why(&error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let bad = error.as_bytes()[good.len()];
        format!("it is not UTF-8 text: byte 0x{bad:02x} in line {line}")
    })?;
    // Some editors put a byte-order mark in front.
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    Ok(Source::of_file(path, text))
}

/// Why a file cannot be had.
fn why(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::FileTooLarge => format!("it is larger than {}", Bytes(MAX_FILE_BYTES)),
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder, not a file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        std::io::ErrorKind::InvalidInput => error.to_string(),
        _ => format!("it cannot be read: {error}"),
    }
}

/// The bytes of a file of at most `limit` bytes.
fn read(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = open_file(path)?;
    if file.take(limit + 1).read_to_end(&mut bytes)? as u64 > limit {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// A path without `.` and, where a folder is left again, without `..`; `.` if nothing is left.
pub(super) fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(tidied.components().next_back(), Some(Component::Normal(_))) => {
                tidied.pop();
            }
            part => tidied.push(part),
        }
    }
    if tidied.as_os_str().is_empty() {
        tidied.push(Component::CurDir);
    }
    tidied
}

/// A path that means the same from any folder, as text.
pub fn absolute(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    tidy(&path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_too_large_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.cm");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(read(&path, 4).unwrap_err().kind(), std::io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn lines_and_columns_count_from_one() {
        let source = Source::argument("x", "ab\nčd\n", Path::new(""));
        assert_eq!(source.line_and_column(0), (1, 1));
        assert_eq!(source.line_and_column(5), (2, 2));
        assert_eq!(source.line(2), 3..6);
        assert_eq!(source.line(9), 7..7);
    }

    #[test]
    fn paths_are_tidied() {
        for (path, tidied) in [
            ("experiments/../topologies/x.toml", "topologies/x.toml"),
            ("../x", "../x"),
            (".", "."),
            ("x/..", "."),
            ("../../x", "../../x"),
            ("/a/./b/../c", "/a/c"),
        ] {
            assert_eq!(tidy(Path::new(path)), Path::new(tidied));
        }
    }
}
