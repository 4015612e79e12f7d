//! Which paths a flow's bytes take, decided before they are sent.
//!
//! A scheme looks at the schedule batch by batch (the transfers of one step), with the knowledge it
//! may have: one source, all hosts under one leaf, or the whole step. It yields one [`Placement`],
//! the same for the analytic side and for both engines. Schemes that decide while packets travel
//! place everything on [`Route::Dynamic`](crate::routes::Route::Dynamic) and only describe themselves here; the packet engine acts
//! by their options.

mod adaptive;
mod bipartite;
mod bitmap;
mod cut_line;
mod ecmp;
mod ecmp_split;
mod edge_coloring;
mod ethereal;
mod evaluation;
mod flowlet;
mod greedy;
mod groups;
mod hop_names;
mod label;
mod least_bytes;
mod link_loads;
mod optimal_transport;
mod plan;
mod plan_file;
mod plb;
mod reps;
mod spray;
mod subflows;
#[cfg(test)]
mod tests;
mod weighted_spray;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use adaptive::Adaptive;
pub use bitmap::Bitmap;
pub use cut_line::CutLine;
pub use ecmp::{Ecmp, Hash};
pub use ecmp_split::EcmpSplit;
pub use edge_coloring::EdgeColoring;
pub use ethereal::Ethereal;
pub use evaluation::{Evaluation, StepJudgement, judge};
pub use flowlet::Flowlet;
pub use greedy::Greedy;
pub use groups::Group;
pub use least_bytes::LeastBytes;
pub use optimal_transport::{OptimalTransport, Prefer, Scope, Solver};
pub use plan::PlannedPaths;
pub use plan_file::{PlanFile, PlannedFlow, PlannedPath, PlannedSubflow, Spread};
pub use plb::Plb;
pub use reps::{Reps, RepsVariant};
pub use spray::{Choose, Spray};
pub use subflows::{Placement, Subflow};
pub use weighted_spray::WeightedSpray;

use crate::ids::TaskId;
use crate::input::{Files, InputError};
use crate::topology::Fabric;
use crate::workload::{Schedule, Transfer};

load_balancings! {
    Ecmp(Ecmp): "ecmp", "one path per connection, by a salted hash in every switch";
    EcmpSplit(EcmpSplit): "ecmp-split", "every flow as a few equal queue pairs over ECMP";
    Spray(Spray): "spray", "every packet on another path";
    WeightedSpray(WeightedSpray): "weighted-spray", "every packet on another path, in proportion to the paths' capacities";
    Reps(Reps): "reps", "spraying that reuses the paths whose acknowledgements came back unmarked";
    Bitmap(Bitmap): "bitmap", "spraying that skips the entropies whose packets came back marked (STrack)";
    Adaptive(Adaptive): "adaptive", "every packet on the least-loaded up-link of the switch";
    Flowlet(Flowlet): "flowlet", "a new random path after every pause of a flow";
    Plb(Plb): "plb", "a new random path after some congested round-trip times";
    Ethereal(Ethereal): "ethereal", "whole flows round robin, left-over flows split evenly (the paper's rule)";
    CutLine(CutLine): "cut-line", "the same balance as ethereal with the fewest sub-flows";
    EdgeColoring(EdgeColoring): "edge-coloring", "whole flows, a color of the flow multigraph per spine (central view, equal sizes)";
    Greedy(Greedy): "greedy", "whole flows by falling size onto the least-loaded path (central view)";
    LeastBytes(LeastBytes): "least-bytes", "whole flows onto the up-link with the fewest bytes of their host (the paper's v1)";
    OptimalTransport(OptimalTransport): "optimal-transport", "the least congestion that paths allow, in few sub-flows (central view)";
    Plan(PlannedPaths): "plan", "the sub-flows of a plan.json, as `fabricsim place` writes it";
}

/// The most equal-cost paths of one pair: more than any Clos fabric has, fewer than a large mesh.
const MOST_PATHS: u32 = 1 << 16;

/// What a scheme is asked to place. Every transfer joins two different hosts with at least one path.
struct Problem<'a> {
    fabric: &'a Fabric,
    schedule: &'a Schedule,
    files: &'a dyn Files,
    seed: u64,
}

/// A row of the table of schemes: how a load balancing behaves.
trait Scheme {
    /// Refuses options that make no sense on any fabric. Keys are relative to the scheme's table.
    fn check(&self) -> Result<(), InputError> {
        Ok(())
    }

    /// Whether paths are chosen while packets travel, which only the packet engine can simulate.
    fn needs_packets(&self) -> bool {
        false
    }

    /// Whether paths are chosen by what acknowledgements tell.
    fn needs_acknowledgements(&self) -> bool {
        false
    }

    /// What takes a path by a hash of its own, if paths are hashed.
    fn hashes(&self) -> Option<Hash> {
        None
    }

    /// Places every transfer.
    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError>;
}

impl LoadBalancing {
    /// The name with its non-default options, as in results: `ecmp-split(ways=4)`.
    pub fn label(&self) -> String {
        label::label(self)
    }

    /// Refuses options that make no sense on any fabric, such as `ways = 0`. Keys in errors are
    /// relative to the scheme's own table.
    pub fn check(&self) -> Result<(), InputError> {
        self.scheme().check()
    }

    /// Whether paths are chosen while packets travel, which only the packet engine can simulate.
    pub fn needs_packets(&self) -> bool {
        self.scheme().needs_packets()
    }

    /// Whether paths are chosen by what acknowledgements tell.
    pub fn needs_acknowledgements(&self) -> bool {
        self.scheme().needs_acknowledgements()
    }

    /// What takes a path by a hash of its own, if paths are hashed, so that another seed is another draw.
    pub fn hashes(&self) -> Option<Hash> {
        self.scheme().hashes()
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
        self.scheme().place(&problem)
    }
}

impl Problem<'_> {
    /// A task that is a transfer.
    fn transfer(&self, task: TaskId) -> Transfer {
        let transfer = self.schedule.transfer(task);
        transfer.unwrap_or_else(|| unreachable!("task {task} is no transfer"))
    }

    /// Refuses transfers that no path can carry.
    fn check(&self) -> Result<(), InputError> {
        let hosts = self.fabric.hosts();
        for Transfer { task, src, dst, .. } in self.schedule.transfers() {
            if src.max(dst).0 >= hosts {
                let message =
                    format!("transfer {task} goes from host {src} to host {dst}, but the fabric has {hosts} hosts");
                return Err(InputError::key("", message)
                    .help(format!("hosts are numbered from 0 to {}", hosts.saturating_sub(1))));
            }
            let (src, dst) = (src.node(), dst.node());
            let name = |node| &self.fabric.node(node).name;
            let paths = self.fabric.path_count(src, dst);
            if paths > MOST_PATHS {
                let message = format!("there are {paths} equal-cost paths from {} to {}", name(src), name(dst));
                return Err(InputError::key("", message).help(format!("at most {MOST_PATHS} can be told apart")));
            }
            if paths == 0 {
                let message = format!(
                    "transfer {task} goes from {} to {}, between which there is no path",
                    name(src),
                    name(dst)
                );
                return Err(
                    InputError::key("", message).help("a host cannot send to itself, nor over links that are down")
                );
            }
        }
        Ok(())
    }
}

/// Declares [`LoadBalancing`] from its table: variant, options, name and description of each scheme.
macro_rules! load_balancings {
    ($($variant:ident($spec:ty): $name:literal, $description:literal;)*) => {
        /// A load balancing as an experiment file describes it: a table named after it, with its options.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum LoadBalancing {
            $(#[doc = $description] $variant($spec),)*
        }

        impl LoadBalancing {
            /// Names and one-line descriptions, in the order of `fabricsim list`.
            pub const ALL: &[(&str, &str)] = &[$(($name, $description)),*];

            /// The name of this scheme, as in the experiment file.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            fn scheme(&self) -> &dyn Scheme {
                match self {
                    $(Self::$variant(spec) => spec,)*
                }
            }
        }

        $(impl From<$spec> for LoadBalancing {
            fn from(spec: $spec) -> Self {
                Self::$variant(spec)
            }
        })*
    };
}
use load_balancings;
