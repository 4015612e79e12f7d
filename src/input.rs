//! What the user wrote, as the modules below the experiment see it: texts of files, and the error
//! that says which part of an input cannot be used and what would be valid instead.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::Path;

/// Where in its input an error lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A key of the table being read, dotted and relative to it, such as `leaves` or `host_link.rate`;
    /// empty for the table itself.
    Key(String),
    /// A place in a text file: its name as the user wrote it, and a line counted from 1.
    Line {
        /// Its name.
        file: String,
        /// Counted from 1.
        line: usize,
    },
    /// A file as a whole.
    File(String),
}

/// An input that cannot be used: what is wrong, where, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError {
    /// Where it is wrong.
    pub place: Place,
    /// What is wrong, as one sentence without a full stop.
    pub message: String,
    /// What would be valid; empty where the message says it all.
    pub help: String,
}

/// Default of the counts that are 1 unless written.
pub(crate) const fn one() -> u32 {
    1
}

impl InputError {
    /// An error at a key of the table being read.
    pub fn key(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self::at(Place::Key(key.into()), message)
    }

    /// An error in line `line` (from 1) of a file.
    pub fn line(file: &str, line: usize, message: impl Into<String>) -> Self {
        let file = file.to_owned();
        Self::at(Place::Line { file, line }, message)
    }

    /// An error of a whole file.
    pub fn file(file: &str, message: impl Into<String>) -> Self {
        Self::at(Place::File(file.to_owned()), message)
    }

    fn at(place: Place, message: impl Into<String>) -> Self {
        Self {
            place,
            message: message.into(),
            help: String::new(),
        }
    }

    /// The same error with its remedy.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// The same error as seen from the table that holds this one under `prefix`.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        if let Place::Key(key) = &mut self.place {
            *key = match key.as_str() {
                "" => prefix.to_owned(),
                inner => format!("{prefix}.{inner}"),
            };
        }
        self
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Key(key) if key.is_empty() => write!(f, "{}", self.message)?,
            Place::Key(key) => write!(f, "{key}: {}", self.message)?,
            Place::Line { file, line } => write!(f, "{file}:{line}: {}", self.message)?,
            Place::File(file) => write!(f, "{file}: {}", self.message)?,
        }
        if !self.help.is_empty() {
            write!(f, " ({})", self.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for InputError {}

/// Most bytes that a file may have: ten million flows in the longest form.
pub const MAX_FILE_BYTES: u64 = 1 << 30;

/// Opens a file for reading. A pipe would wait for whoever writes, a device may never end, and neither can be
/// read again by the next point.
///
/// # Errors
/// A file that cannot be opened, or anything but a file or folder.
pub fn open_file(path: &Path) -> io::Result<File> {
    let kind = fs::metadata(path)?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        let why = "it is a pipe or a device, not a file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    File::open(path)
}

/// Texts by name. The experiment reads them from disk; tests keep them in memory.
pub trait Files {
    /// The text of the file that the input calls `name`.
    ///
    /// # Errors
    /// A file that cannot be read, is no UTF-8 text, or has more than [`MAX_FILE_BYTES`].
    fn read(&self, name: &str) -> Result<String, InputError>;

    /// The bytes of the file that the input calls `name`, which need be no text.
    ///
    /// # Errors
    /// A file that cannot be read.
    fn open(&self, name: &str) -> Result<Box<dyn Read>, InputError> {
        Ok(Box::new(Cursor::new(self.read(name)?.into_bytes())))
    }

    /// Whether there is a file that the input calls `name`.
    fn exists(&self, name: &str) -> bool {
        self.open(name).is_ok()
    }
}

/// No files at all: for inputs that name none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, name: &str) -> Result<String, InputError> {
        Err(InputError::file(name, "there is no such file"))
    }
}
