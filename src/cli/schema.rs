//! `fabricsim schema`.

use std::io::Write;

use super::failure::Failure;
use crate::experiment;

/// Prints the JSON Schema of the experiment file.
pub(super) fn print(out: &mut impl Write) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(&experiment::schema()).map_err(std::io::Error::from)?;
    Ok(writeln!(out, "{text}")?)
}
