//! Communicator groups: a JSON table of lists of ranks.

use std::collections::BTreeMap;

use super::super::trace::Communicator;
use crate::input::InputError;

/// The groups of a file, in order of their names.
pub(super) fn read(file: &str, text: &str) -> Result<Vec<Communicator>, InputError> {
    let groups: BTreeMap<String, Vec<u32>> = serde_json::from_str(text).map_err(|error| {
        let message = format!("it is no table of groups: {error}");
        InputError::line(file, error.line().max(1), message).help("it looks like {\"0\": [0, 1], \"1\": [2, 3]}")
    })?;
    let group = |(name, ranks): (String, Vec<u32>)| {
        let wrong = |message: String| InputError::file(file, format!("group {name}: {message}"));
        if ranks.is_empty() {
            return Err(wrong("it has no ranks".to_owned()).help("list them, or take it out"));
        }
        let mut sorted = ranks.clone();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(wrong(format!("rank {} is listed twice", pair[0])).help("a rank is in a group once"));
        }
        Ok(Communicator { name, ranks })
    };
    groups.into_iter().map(group).collect()
}

/// Refuses groups with ranks that are not there.
pub(super) fn check(file: &str, groups: &[Communicator], ranks: u32) -> Result<(), InputError> {
    for group in groups {
        if let Some(beyond) = group.ranks.iter().find(|&&rank| rank >= ranks) {
            let message = format!("group {}: there is no rank {beyond}", group.name);
            return Err(InputError::file(file, message).help(format!("ranks are numbered 0 to {}", ranks - 1)));
        }
    }
    Ok(())
}
