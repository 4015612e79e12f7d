//! What a load balancing is asked, and what it answers.

use super::hash::Hash;
use super::subflows::Placement;
use crate::ids::TaskId;
use crate::input::{Files, InputError};
use crate::path_selection::{Dynamic, DynamicScheme, InSwitch, PathSelector};
use crate::topology::Fabric;
use crate::workload::{Schedule, Transfer};

/// The most equal-cost paths of one pair: more than any Clos fabric has, fewer than a large mesh.
const MOST_PATHS: u32 = 1 << 16;

/// What a scheme is asked to place. Every transfer joins two different hosts with at least one path.
pub(super) struct Problem<'a> {
    pub fabric: &'a Fabric,
    pub schedule: &'a Schedule,
    pub files: &'a dyn Files,
    pub seed: u64,
}

/// A row of the table of schemes: how a load balancing behaves.
pub(super) trait Scheme {
    /// Refuses options that make no sense on any fabric. Keys are relative to the scheme's table.
    fn check(&self) -> Result<(), InputError> {
        Ok(())
    }

    /// What chooses paths while packets travel, if anything does.
    fn dynamic(&self) -> Option<&DynamicScheme> {
        None
    }

    /// What takes a path by a hash of its own, if paths are hashed.
    fn hashes(&self) -> Option<Hash> {
        None
    }

    /// Whether steps with the same transfers over the same connections are placed alike, however many there are: what a
    /// scheme draws anew in each, or carries from one to the next, would differ.
    fn repeats(&self) -> bool {
        false
    }

    /// Places every transfer.
    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError>;
}

/// Where paths are chosen packet by packet there is nothing to place but whole flows.
impl<D: Dynamic<PathSelector, InSwitch> + 'static> Scheme for D {
    fn check(&self) -> Result<(), InputError> {
        Dynamic::check(self)
    }

    fn dynamic(&self) -> Option<&DynamicScheme> {
        Some(self)
    }

    fn repeats(&self) -> bool {
        true
    }

    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        Ok(Placement::whole(problem.schedule, |_| self.route()))
    }
}

impl Problem<'_> {
    /// A task that is a transfer.
    pub(super) fn transfer(&self, task: TaskId) -> Transfer {
        let transfer = self.schedule.transfer(task);
        transfer.unwrap_or_else(|| unreachable!("task {task} is no transfer"))
    }

    /// Refuses transfers that no path can carry.
    pub(super) fn check(&self) -> Result<(), InputError> {
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
