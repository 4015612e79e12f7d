//! Text to values: experiment files with what they inherit, override and refer to, as one tree in
//! which every value knows the file and the characters it came from.
//!
//! ```text
//! source   a text and its name            error   what is wrong, and the characters it is about
//! tree     values with their origin       draft   extends, --set, file names
//! de       tree to structs                suggest what a misspelt word may have meant
//! ```

mod de;
mod draft;
mod error;
mod source;
mod suggest;
mod tree;

pub use draft::{ConfigDraft, Layer, Opened, Setting, split_path, too_deep};
pub use error::{ConfigError, Location};
pub use source::{FileStore, Source, absolute, files_of, names_a_file};
pub use suggest::closest;
pub use tree::{ConfigValue, Entry, MAX_DEPTH, Origin};
