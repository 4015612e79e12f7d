//! What a file has and the model has not: counted while it is read, and said once.

use std::collections::BTreeMap;

use crate::ids::RankId;
use crate::workload::ScheduleBuilder;

/// Remarks with how often each was made.
#[derive(Debug, Default)]
pub(super) struct Notes(BTreeMap<String, u64>);

impl Notes {
    /// Counts something, such as "memory nodes take no time".
    pub(super) fn count(&mut self, what: &str) {
        self.count_many(what, 1);
    }

    /// Counts something that was there so many times.
    pub(super) fn count_many(&mut self, what: &str, times: u64) {
        if times == 0 {
            return;
        }
        match self.0.get_mut(what) {
            Some(known) => *known += times,
            None => drop(self.0.insert(what.to_owned(), times)),
        }
    }

    /// Says all of them in one line.
    pub(super) fn tell(self, file: &str, schedule: &mut ScheduleBuilder<RankId>) {
        if self.0.is_empty() {
            return;
        }
        let parts: Vec<String> = self.0.iter().map(|(what, count)| format!("{what} ({count})")).collect();
        schedule.warn(format!("{file}: {}", parts.join("; ")));
    }
}
