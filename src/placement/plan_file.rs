//! A placement as a file: plan.json.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hop_names::HopNames;
use super::{Placement, Subflow};
use crate::ids::{NodeId, TaskId};
use crate::input::InputError;
use crate::routes::Route;
use crate::topology::Fabric;
use crate::workload::{Action, Schedule, Transfer};

/// The content of plan.json.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// Every transfer of the schedule, in order of `flow` when written, in any order when read.
    pub flows: Vec<PlannedFlow>,
    /// Largest bytes / capacity over the links, in microseconds; for the reader, not read back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub congestion: Option<f64>,
    /// The least congestion that any plan can have, in microseconds; for the reader, not read back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// The Monge gap of the plan; for the reader, not read back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monge_gap: Option<f64>,
}

/// One transfer and its sub-flows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedFlow {
    /// Id of the transfer, as in flows.csv.
    pub flow: u32,
    /// Source host.
    pub src: u32,
    /// Destination host.
    pub dst: u32,
    /// Size of the transfer.
    pub bytes: u64,
    /// Its sub-flows; their bytes add up to the transfer's.
    #[serde(rename = "pieces")]
    pub subflows: Vec<PlannedSubflow>,
}

/// One sub-flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedSubflow {
    /// The way of its bytes.
    pub path: PlannedPath,
    /// Bytes on it, at least 1.
    pub bytes: u64,
}

/// The way of a sub-flow's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a path is a list of switches such as [\"leaf0\", \"spine3\", \"leaf1\"], or \"even\" or \"weighted\""
)]
pub enum PlannedPath {
    /// The switches along one path, from the source to the destination. Where several links join
    /// two switches, `spine3#1` is spine3 by the second of them.
    Through(Vec<String>),
    /// All paths at once.
    Over(Spread),
}

/// How a sub-flow is spread over all paths of its pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// The same on every path.
    Even,
    /// In proportion to the paths' capacities.
    Weighted,
}

/// What a plan looks like, for whoever gets it wrong.
const FORM: &str = r#"`fabricsim place` writes plans: {"flows": [{"flow": 0, "src": 0, ...}]}"#;

impl PlanFile {
    /// Writes a placement down.
    ///
    /// # Errors
    /// Where paths are chosen while packets travel: there is nothing to write.
    pub fn from_placement(fabric: &Fabric, schedule: &Schedule, placement: &Placement) -> Result<Self, InputError> {
        let names = HopNames::new(fabric);
        let planned = |Transfer { task, src, dst, bytes }: Transfer| {
            let path = |subflow: &Subflow| match subflow.route {
                Route::Pinned(index) => Ok(PlannedPath::Through(names.of(&fabric.path(
                    src.node(),
                    dst.node(),
                    index,
                )))),
                Route::Even => Ok(PlannedPath::Over(Spread::Even)),
                Route::Weighted => Ok(PlannedPath::Over(Spread::Weighted)),
                Route::Dynamic => Err(
                    InputError::key("", "this load balancing chooses paths while packets travel")
                        .help("a plan needs one that places flows before they are sent"),
                ),
            };
            let subflows = placement.of(task).iter().map(|subflow| {
                Ok(PlannedSubflow {
                    path: path(subflow)?,
                    bytes: subflow.bytes,
                })
            });
            Ok(PlannedFlow {
                flow: task.0,
                src: src.0,
                dst: dst.0,
                bytes,
                subflows: subflows.collect::<Result<_, _>>()?,
            })
        };
        Ok(Self {
            flows: schedule.transfers().map(planned).collect::<Result<_, _>>()?,
            ..Self::default()
        })
    }

    /// Reads the text of a file called `name`.
    pub fn parse(name: &str, text: &str) -> Result<Self, InputError> {
        let mut json = serde_json::Deserializer::from_str(text);
        let plan = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            let error = error.into_inner();
            // The position is in the error's place; without it the message is the reason alone.
            let reason = error.to_string();
            let reason = reason.split(" at line ").next().unwrap_or_default();
            let at = |message| InputError::line(name, error.line().max(1), message);
            match path.as_str() {
                "." => at(reason.to_owned()).help(FORM),
                path => at(format!("{path}: {reason}")),
            }
        })?;
        json.end()
            .map_err(|error| InputError::line(name, error.line(), "there is more text behind the plan"))?;
        Ok(plan)
    }

    /// The placement of a schedule that this plan describes. `name` is the file's, for errors.
    ///
    /// # Errors
    /// Where the plan does not fit the schedule (another flow, size or host; a flow twice or not at all) or
    /// the fabric (an unknown switch, a link that is down, a way that is not among the shortest).
    pub fn placement(&self, name: &str, fabric: &Fabric, schedule: &Schedule) -> Result<Placement, InputError> {
        let reader = Reader {
            fabric,
            schedule,
            names: HopNames::new(fabric),
        };
        let tasks = schedule.tasks().len();
        let mut planned = vec![false; tasks];
        let mut placed = Vec::new();
        for (i, flow) in self.flows.iter().enumerate() {
            let error = |at: &str, message: String| InputError::file(name, format!("flows[{i}]{at}: {message}"));
            reader.check(flow).map_err(|message| error("", message))?;
            let seen = &mut planned[flow.flow as usize];
            if std::mem::replace(seen, true) {
                return Err(error("", format!("flow {} is planned twice", flow.flow)));
            }
            for (k, subflow) in flow.subflows.iter().enumerate() {
                let route = reader
                    .route(flow, subflow)
                    .map_err(|message| error(&format!(".pieces[{k}]"), message))?;
                placed.push((
                    TaskId(flow.flow),
                    Subflow {
                        route,
                        bytes: subflow.bytes,
                    },
                ));
            }
        }
        match schedule
            .transfers()
            .find(|Transfer { task, .. }| !planned[task.index()])
        {
            Some(Transfer { task, src, dst, .. }) => {
                let message = format!("flow {task} (host {src} to host {dst}) is not in the plan");
                Err(InputError::file(name, message).help("make the plan again for this workload"))
            }
            None => Ok(Placement::from_scattered(tasks, &placed)),
        }
    }
}

/// Holds what is planned against the schedule and the fabric.
struct Reader<'a> {
    fabric: &'a Fabric,
    schedule: &'a Schedule,
    names: HopNames<'a>,
}

impl Reader<'_> {
    fn check(&self, flow: &PlannedFlow) -> Result<(), String> {
        let id = flow.flow;
        let there = (id as usize) < self.schedule.tasks().len();
        let action = there.then(|| self.schedule.action(TaskId(id)));
        let Some(Action::Transfer { src, dst, bytes }) = action else {
            return Err(format!("the workload has no flow {id}"));
        };
        if (flow.src, flow.dst) != (src.0, dst.0) {
            return Err(format!(
                "flow {id} goes from host {src} to host {dst}, but is planned from {} to {}",
                flow.src, flow.dst
            ));
        }
        let subflows = flow
            .subflows
            .iter()
            .try_fold(0_u64, |sum, subflow| sum.checked_add(subflow.bytes));
        if flow.bytes != bytes {
            return Err(format!(
                "flow {id} has {bytes} bytes, but is planned with {}",
                flow.bytes
            ));
        }
        if subflows != Some(bytes) {
            let sum = subflows.map_or("too many".to_owned(), |sum| sum.to_string());
            return Err(format!("flow {id} has {bytes} bytes, but its pieces have {sum}"));
        }
        Ok(())
    }

    fn route(&self, flow: &PlannedFlow, subflow: &PlannedSubflow) -> Result<Route, String> {
        if subflow.bytes == 0 {
            return Err("a piece of 0 bytes".to_owned());
        }
        match &subflow.path {
            PlannedPath::Over(Spread::Even) => Ok(Route::Even),
            PlannedPath::Over(Spread::Weighted) => Ok(Route::Weighted),
            PlannedPath::Through(switches) => {
                let (src, dst) = (NodeId(flow.src), NodeId(flow.dst));
                let path = self.names.path(src, dst, switches)?;
                let index = self.fabric.path_index(src, dst, &path);
                index.map(Route::Pinned).ok_or_else(|| {
                    format!(
                        "{} is not among the shortest ways to {}",
                        switches.join(" "),
                        self.fabric.node(dst).name
                    )
                })
            }
        }
    }
}
