//! Draws training: the operations of a step, as often as there are steps.

use super::Training;
use super::step::Step;
use crate::input::{Files, InputError};
use crate::workload::kind::Kind;
use crate::workload::program::assemble;
use crate::workload::ranks::Ranked;
use crate::workload::schedule_writer::ScheduleWriter;

impl Kind for Training {
    fn draw(&self, draft: &mut ScheduleWriter, files: &dyn Files, seed: u64) -> Result<(), InputError> {
        self.check()?;
        let step = Step::of(self);
        assemble(draft, &step.operations(), self.steps, files, seed)
    }

    fn check_alone(&self) -> Result<(), InputError> {
        self.check()
    }

    /// What the model's own operations would take at the peak.
    fn least_time_us(&self) -> Option<f64> {
        let tokens = f64::from(self.global_batch) * self.sequence as f64;
        let shape = self.model.shape();
        let forward = shape.matrix_operations() + shape.attention_operations(self.sequence);
        let all = 3.0 * forward * tokens * f64::from(self.steps);
        Some(all / (f64::from(self.ranks()?) * self.peak.0 as f64) * 1e6)
    }
}
