//! Rank maps in files, as `fabricsim order` writes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::{Files, InputError};

/// A file with the host of each rank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RankFile {
    /// JSON: a list of hosts, or an object with such a list under `hosts`.
    pub file: String,
}

/// What such a file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankFileContent {
    /// The host of each rank.
    pub hosts: Vec<u32>,
}

impl RankFile {
    /// The host of each rank.
    ///
    /// # Errors
    /// A file that cannot be read, or is no rank map.
    pub(super) fn read(&self, files: &dyn Files) -> Result<Vec<u32>, InputError> {
        let text = files.read(&self.file)?;
        let found = if text.trim_start().starts_with('[') {
            serde_json::from_str(&text)
        } else {
            serde_json::from_str(&text).map(|content: RankFileContent| content.hosts)
        };
        found.map_err(|error| {
            // The place that the text of the error ends with is the one of this error.
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            InputError::line(&self.file, error.line().max(1), message)
                .help("write {\"hosts\": [...]} with the host of each rank, as `fabricsim order` does")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Text(&'static str);

    impl Files for Text {
        fn read(&self, _: &str) -> Result<String, InputError> {
            Ok(self.0.to_owned())
        }
    }

    #[test]
    fn lists_and_objects_are_read_and_others_refused() {
        let file = RankFile {
            file: "map.json".into(),
        };
        assert_eq!(file.read(&Text("[3, 1]")).unwrap(), [3, 1]);
        assert_eq!(
            file.read(&Text("{\"hosts\": [3, 1], \"objective\": \"bytes\"}"))
                .unwrap(),
            [3, 1]
        );
        let error = |text| file.read(&Text(text)).unwrap_err().to_string();
        insta::assert_snapshot!(error("[3,\n -1]"), @r#"map.json:2: invalid value: integer `-1`, expected u32 (write {"hosts": [...]} with the host of each rank, as `fabricsim order` does)"#);
        insta::assert_snapshot!(error("{\"ranks\": []}"), @r#"map.json:1: missing field `hosts` (write {"hosts": [...]} with the host of each rank, as `fabricsim order` does)"#);
    }
}
