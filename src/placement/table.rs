//! The table of load balancings.

use super::cut_line::CutLine;
use super::ecmp::Ecmp;
use super::ecmp_split::EcmpSplit;
use super::edge_coloring::EdgeColoring;
use super::entropic_weights::PathWeights;
use super::ethereal::Ethereal;
use super::greedy::Greedy;
use super::hash::Hash;
use super::label::label;
use super::least_bytes::LeastBytes;
use super::optimal_transport::OptimalTransport;
use super::plan::PlannedPaths;
use super::port_stripe::PortStripe;
use super::qp_stripe::QpStripe;
use super::scheme::{Problem, Scheme};
use super::subflows::Placement;
use super::weighted_spray::WeightedSpray;
use crate::input::{Files, InputError};
use crate::kinds::kinds;
use crate::path_selection::{Adaptive, Bitmap, DynamicScheme, Flowlet, Learned, Mrc, Plb, Reps, Spray};
use crate::routes::Route;
use crate::topology::Fabric;
use crate::workload::Schedule;

kinds! {
    /// A load balancing as an experiment file describes it: a table named after it, with its options.
    pub enum LoadBalancing: Scheme {
        Ecmp(Ecmp) = "ecmp", "one path per connection, by a salted hash in every switch";
        EcmpSplit(EcmpSplit) = "ecmp-split", "every flow as a few equal queue pairs over ECMP";
        QpStripe(QpStripe) = "qp-stripe", "a few queue pairs per connection, message by message or an equal part each (NCCL)";
        PortStripe(PortStripe) = "port-stripe", "one queue pair for every port of the host, with equal parts or by rate";
        Spray(Spray) = "spray", "every packet on another path";
        WeightedSpray(WeightedSpray) = "weighted-spray", "every packet on another path, in proportion to the paths' capacities, or to an entropic plan";
        Reps(Reps) = "reps", "spraying that reuses the paths whose acknowledgements came back unmarked";
        Bitmap(Bitmap) = "bitmap", "spraying that skips the entropies whose packets came back marked (STrack)";
        Mrc(Mrc) = "mrc", "spraying over all planes that gives up paths which lose packets, and tries them again (MRC)";
        Adaptive(Adaptive) = "adaptive", "every packet on the least-loaded up-link of the switch";
        Flowlet(Flowlet) = "flowlet", "a new random path after every pause of a flow";
        Plb(Plb) = "plb", "a new random path after some congested round-trip times";
        Learned(Learned) = "learned", "every packet on another path, by weights that iterations before have learned from marks";
        Ethereal(Ethereal) = "ethereal", "whole flows round robin, left-over flows split evenly (the paper's rule)";
        CutLine(CutLine) = "cut-line", "the same balance as ethereal with the fewest sub-flows";
        EdgeColoring(EdgeColoring) = "edge-coloring", "whole flows, a color of the flow multigraph per spine (central view, equal sizes)";
        Greedy(Greedy) = "greedy", "whole flows by falling size onto the least-loaded path (central view)";
        LeastBytes(LeastBytes) = "least-bytes", "whole flows onto the up-link with the fewest bytes of their host (the paper's v1)";
        OptimalTransport(OptimalTransport) = "optimal-transport", "the least congestion that paths allow, in few sub-flows (central view)";
        Plan(PlannedPaths) = "plan", "the sub-flows of a plan.json, as `fabricsim place` writes it";
        #[cfg(test)]
        LastPath(super::last_path::LastPath) = "last-path", "every flow on the last of its paths";
        #[cfg(test)]
        Alternating(crate::path_selection::Alternating) = "alternating", "the first path and the second in turn";
    }
}

impl LoadBalancing {
    /// The name with its non-default options, as in results: `ecmp-split(ways=4)`.
    pub fn label(&self) -> String {
        label(self.name(), self)
    }

    /// Refuses options that make no sense on any fabric, such as `ways = 0`. Keys in errors are
    /// relative to the scheme's own table.
    pub fn check(&self) -> Result<(), InputError> {
        self.kind().check()
    }

    /// What chooses paths while packets travel, if anything does.
    pub(crate) fn dynamic(&self) -> Option<&DynamicScheme> {
        self.kind().dynamic()
    }

    /// Whether paths are chosen while packets travel in a way that only the packet engine can simulate.
    pub fn needs_packets(&self) -> bool {
        self.dynamic().is_some_and(|scheme| scheme.route() == Route::Dynamic)
    }

    /// Whether paths are chosen by what acknowledgements tell.
    pub fn needs_acknowledgements(&self) -> bool {
        self.dynamic().is_some_and(|scheme| scheme.needs_acknowledgements())
    }

    /// Runs that are simulated to learn from before the one that counts.
    pub fn rehearsals(&self) -> u32 {
        self.dynamic().map_or(0, |scheme| scheme.rehearsals())
    }

    /// Whether steps with the same transfers over the same connections are placed alike.
    pub fn repeats(&self) -> bool {
        self.kind().repeats()
    }

    /// What takes a path by a hash of its own, if paths are hashed, so that another seed is another draw.
    pub fn hashes(&self) -> Option<Hash> {
        self.kind().hashes()
    }

    /// Places every transfer of a schedule between hosts (see [`Schedule::on_hosts`]).
    ///
    /// # Errors
    /// Where the options make no sense, the scheme does not fit the fabric or the schedule, a file
    /// of the scheme cannot be used, or a transfer joins hosts between which there is no path. Keys
    /// are relative to the scheme's own table.
    pub fn place(
        &self,
        fabric: &Fabric,
        schedule: &Schedule,
        files: &dyn Files,
        seed: u64,
    ) -> Result<Placement, InputError> {
        self.check()?;
        let problem = Problem {
            fabric,
            schedule,
            files,
            seed,
        };
        problem.check()?;
        self.kind().place(&problem)
    }

    /// The tables of weights that switches need for it, if any.
    ///
    /// # Errors
    /// As [`LoadBalancing::place`].
    pub fn tables(
        &self,
        fabric: &Fabric,
        schedule: &Schedule,
        files: &dyn Files,
        seed: u64,
    ) -> Result<Option<Vec<PathWeights>>, InputError> {
        let Self::WeightedSpray(spray) = self else {
            return Ok(None);
        };
        self.check()?;
        let problem = Problem {
            fabric,
            schedule,
            files,
            seed,
        };
        problem.check()?;
        spray.tables(&problem)
    }
}
