//! A topology as somebody would add it: this file, and one line in the table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blueprint::{Blueprint, Cable, Routing};
use super::kind::Kind;
use crate::input::{Files, InputError};

/// Two switches, a cable between them, and hosts on both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dumbbell {
    pub hosts_per_side: u32,
    pub link: Cable,
}

impl Kind for Dumbbell {
    fn draw(&self, _: &dyn Files) -> Result<Blueprint, InputError> {
        let mut drawing = Blueprint::new(Routing::UpDown);
        let hosts = drawing.add_hosts(2 * self.hosts_per_side);
        let sides = drawing.add_switches("side", 2, 1);
        let middle = drawing.add_switches("middle", 1, 2);
        for (host, index) in hosts.iter().zip(0..) {
            drawing.connect(sides[(index / self.hosts_per_side) as usize], *host, self.link);
        }
        for side in &sides {
            drawing.connect(*side, middle[0], self.link);
        }
        Ok(drawing)
    }
}
