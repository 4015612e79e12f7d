//! A load balancing as somebody would add it: this file, and one line in the table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scheme::{Problem, Scheme};
use super::subflows::Placement;
use crate::input::InputError;
use crate::routes::Route;

/// Every flow on the last of its paths.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LastPath {}

impl Scheme for LastPath {
    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        let last = |src, dst| problem.fabric.path_count(src, dst) - 1;
        Ok(Placement::whole(problem.schedule, |transfer| {
            Route::pinned(last(transfer.src.node(), transfer.dst.node()))
        }))
    }
}
