//! Packet spraying: the bytes of every flow on all paths alike.

use super::{Placement, Route};
use crate::workload::Schedule;

pub(super) fn place(schedule: &Schedule) -> Placement {
    Placement::whole(schedule, |_, _, _| Route::Even)
}
