//! What ranks send each other.

use std::collections::{BTreeMap, HashMap};

use crate::ids::{HostId, RankId};
use crate::workload::{Schedule, Transfer};

/// The bytes from one rank to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// The rank that sends.
    pub src: RankId,
    /// The rank that receives.
    pub dst: RankId,
    /// How many bytes it sends.
    pub bytes: f64,
}

/// What is under way together, one flow for each pair of ranks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// In the order of their senders.
    pub flows: Vec<Flow>,
}

/// The traffic of a workload between its ranks. Steps in which the same pairs send the same are one.
#[derive(Debug, Clone, PartialEq)]
pub struct Traffic {
    /// How many there are.
    pub ranks: u32,
    /// What is under way together, one after the other.
    pub steps: Vec<Step>,
}

impl Traffic {
    /// Every rank sends to the next one.
    pub fn ring(ranks: u32, bytes: f64) -> Self {
        let flow = |src| Flow {
            src: RankId(src),
            dst: RankId((src + 1) % ranks),
            bytes,
        };
        let flows = (0..ranks).map(flow).collect();
        Self {
            ranks,
            steps: vec![Step { flows }],
        }
    }

    /// The steps of a schedule whose rank `r` lives on host `seats[r]`. Transfers of other hosts are left out.
    pub fn of_steps(schedule: &Schedule, seats: &[u32]) -> Self {
        let ranks = ranks_of(seats);
        let mut known: BTreeMap<Vec<(RankId, RankId)>, Vec<f64>> = BTreeMap::new();
        for tasks in schedule.transfers_by_step() {
            let transfers = tasks.into_iter().filter_map(|task| schedule.transfer(task));
            let step = sums(transfers, &ranks);
            let (pairs, bytes): (Vec<_>, Vec<_>) = step.into_iter().unzip();
            // Shares of a buffer differ by a byte: the largest stands for all.
            let largest = known.entry(pairs).or_insert_with(|| bytes.clone());
            largest.iter_mut().zip(bytes).for_each(|(a, b)| *a = a.max(b));
        }
        Self {
            ranks: seats.len() as u32,
            steps: known
                .into_iter()
                .map(|(pairs, bytes)| Step::of(pairs.into_iter().zip(bytes)))
                .collect(),
        }
    }

    /// All transfers of a schedule as one step.
    pub fn of_all(schedule: &Schedule, seats: &[u32]) -> Self {
        Self {
            ranks: seats.len() as u32,
            steps: vec![Step::of(sums(schedule.transfers(), &ranks_of(seats)))],
        }
    }

    /// The bytes of each flow, if the traffic is one ring in the order of the ranks.
    pub(super) fn as_ring(&self) -> Option<f64> {
        let [step] = self.steps.as_slice() else { return None };
        let first = step.flows.first()?.bytes;
        let next = |flow: &Flow| flow.dst.0 == (flow.src.0 + 1) % self.ranks && (flow.bytes - first).abs() <= 1.0;
        (step.flows.len() == self.ranks as usize && step.flows.iter().all(next)).then_some(first)
    }
}

impl Step {
    fn of(sums: impl IntoIterator<Item = ((RankId, RankId), f64)>) -> Self {
        let flow = |((src, dst), bytes)| Flow { src, dst, bytes };
        Self {
            flows: sums.into_iter().map(flow).collect(),
        }
    }
}

fn ranks_of(seats: &[u32]) -> HashMap<HostId, RankId> {
    seats.iter().copied().map(HostId).zip((0..).map(RankId)).collect()
}

/// Bytes by pair of ranks, in order.
fn sums(transfers: impl Iterator<Item = Transfer>, ranks: &HashMap<HostId, RankId>) -> Vec<((RankId, RankId), f64)> {
    let mut sums: HashMap<(RankId, RankId), f64> = HashMap::new();
    for Transfer { src, dst, bytes, .. } in transfers {
        if let (Some(&src), Some(&dst)) = (ranks.get(&src), ranks.get(&dst))
            && src != dst
        {
            *sums.entry((src, dst)).or_default() += bytes as f64;
        }
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_unstable_by_key(|&(pair, _)| pair);
    sums
}
