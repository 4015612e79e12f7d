//! Adaptive routing: the switch takes the next link with the shortest queue, as coarsely as it sees queues.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::draws::Draws;
use super::dynamic::{Dynamic, Switches};
use super::select_link::{Hop, SelectLink};
use crate::ids::{Id, LinkId, NodeId};
use crate::input::InputError;
use crate::rng::{index_below, mix};
use crate::units::Bytes;

/// Options of `adaptive`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Adaptive {
    /// Queue lengths, rising, between which the switch cannot tell queues apart: it sees how many
    /// of them a queue has reached, and ties are random. Default: 5, 10 and 20 % of the limit of the port's queue, or of one
    /// bandwidth-delay product where it has none of its own, as in real switches. `[]`: queues are compared to the byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantise: Option<Vec<Bytes>>,
}

impl<H, S: From<AdaptiveState>> Dynamic<H, S> for Adaptive {
    fn check(&self) -> Result<(), InputError> {
        let levels = self.quantise.as_deref().unwrap_or_default();
        let rising = levels.windows(2).all(|pair| pair[0] < pair[1]);
        if !rising || levels.first().is_some_and(|level| level.is_zero()) {
            let error = InputError::key("quantise", "the queue levels do not rise from above zero");
            return Err(error.help("write them in rising order, such as [\"50KB\", \"100KB\", \"200KB\"]"));
        }
        Ok(())
    }

    fn in_switch(&self, switches: &Switches<'_>) -> Option<S> {
        let state = AdaptiveState::new(
            self,
            (switches.holds)().into_iter(),
            Draws::new(switches.nodes, switches.salt),
        );
        Some(state.into())
    }
}

/// Levels of a port where none are given, in percent of what it holds.
const LEVELS: [u64; 3] = [5, 10, 20];
/// More links than a path between groups has.
const LONGEST: u64 = 64;
/// The link of a queue that is seen to the byte.
const NONE: LinkId = LinkId::NONE;

/// The rule of all switches, with the draws that decide ties.
#[derive(Debug, Clone)]
pub(crate) struct AdaptiveState {
    /// For each link as many queue lengths in bytes, rising, between which queues look alike.
    levels: Vec<u64>,
    /// How many; none: queues are compared to the byte.
    per_link: usize,
    draws: Draws,
}

impl AdaptiveState {
    /// `holds`: what the port of each link holds, in bytes.
    pub(crate) fn new(spec: &Adaptive, holds: impl Iterator<Item = u64>, draws: Draws) -> Self {
        let levels = |holds: u64| match &spec.quantise {
            Some(levels) => levels.iter().map(|level| level.0).collect(),
            None => LEVELS
                .map(|percent| (u128::from(holds) * u128::from(percent) / 100) as u64)
                .to_vec(),
        };
        Self {
            levels: holds.flat_map(levels).collect(),
            per_link: spec.quantise.as_ref().map_or(LEVELS.len(), Vec::len),
            draws,
        }
    }

    /// What a switch sees of the queue of a link: its length, or how many levels it has reached.
    #[inline]
    fn seen(&self, link: LinkId, queue: u64) -> u64 {
        if self.per_link == 0 {
            return queue;
        }
        let first = link.index() * self.per_link;
        let levels = &self.levels[first..first + self.per_link];
        levels.iter().filter(|&&level| level <= queue).count() as u64
    }

    /// A position among links with these queues (in bytes; `None`: the link is down). Ties are random.
    /// A host knows the queues of its own ports to the byte.
    fn shortest(&mut self, node: NodeId, queues: impl Iterator<Item = (LinkId, Option<u64>)>, at_switch: bool) -> u32 {
        self.least(
            node,
            queues.map(|(link, queue)| match at_switch {
                true => (link, queue),
                false => (NONE, queue),
            }),
        )
    }

    /// The same where the ways by some links are longer: a queue counts for each link that is left (UGAL-L), and among equal
    /// ones the shortest way wins. Queues are compared to the byte: where they look alike, the length alone would decide.
    fn least_delayed(
        &mut self,
        node: NodeId,
        queues: impl Iterator<Item = (LinkId, Option<u64>)>,
        lengths: impl Iterator<Item = u32>,
    ) -> u32 {
        self.least(
            node,
            queues.zip(lengths).map(|((_, queue), length)| {
                let weighed = |queue: u64| {
                    (queue.saturating_mul(u64::from(length)).saturating_mul(LONGEST))
                        .saturating_add(u64::from(length).min(LONGEST - 1))
                };
                (NONE, queue.map(weighed))
            }),
        )
    }

    /// The position of the least; of a link that is named, as coarsely as it is seen.
    fn least(&mut self, node: NodeId, queues: impl Iterator<Item = (LinkId, Option<u64>)>) -> u32 {
        let hash = self.draws.next(node);
        let (mut best, mut chosen, mut ties) = (u64::MAX, 0, 0);
        for (position, (link, queue)) in queues.enumerate() {
            let seen = queue.map_or(u64::MAX, |queue| match link {
                NONE => queue,
                link => self.seen(link, queue),
            });
            if seen < best || ties == 0 {
                (best, chosen, ties) = (seen, position as u32, 1);
            } else if seen == best {
                // Each of n equal links stays with chance 1/n.
                ties += 1;
                if index_below(mix(hash ^ position as u64), ties) == 0 {
                    chosen = position as u32;
                }
            }
        }
        chosen
    }
}

impl SelectLink for AdaptiveState {
    fn choose(&mut self, hop: &Hop<'_, impl Fn(LinkId) -> Option<u64>>) -> u32 {
        let queues = hop.links.iter().map(|&link| (link, (hop.queue)(link)));
        match hop.lengths {
            [] => self.shortest(hop.node, queues, hop.at_switch),
            lengths => self.least_delayed(hop.node, queues, lengths.iter().copied()),
        }
    }

    fn sees_queues(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    /// How often each of links 0, 1, ... with these queues is chosen, of 30 000 times.
    fn chosen(quantise: Option<Vec<Bytes>>, holds: &[u64], queues: &[Option<u64>]) -> Vec<u32> {
        let mut adaptive = AdaptiveState::new(&Adaptive { quantise }, holds.iter().copied(), Draws::new(1, 1));
        let mut counts = vec![0; queues.len()];
        for _ in 0..30_000 {
            counts[adaptive.shortest(NodeId(0), (0..).map(LinkId).zip(queues.iter().copied()), true) as usize] += 1;
        }
        counts
    }

    #[test]
    fn without_levels_the_shortest_queue_wins_and_ties_are_even() {
        let exact = Some(Vec::new());
        let holds = [1_000; 4];
        assert_eq!(
            chosen(exact.clone(), &holds, &[Some(3), None, Some(1), Some(2)]),
            [0, 0, 30_000, 0]
        );
        let counts = chosen(exact, &holds, &[Some(5), Some(0), Some(0), Some(0)]);
        assert_eq!(counts[0], 0);
        assert!(counts[1..].iter().all(|&c| c.abs_diff(10_000) < 400), "{counts:?}");
    }

    #[test]
    fn quantised_queues_look_alike_between_levels() {
        let levels = Some(vec![Bytes(100), Bytes(200)]);
        let counts = chosen(levels, &[1_000; 3], &[Some(99), Some(0), Some(100)]);
        assert!(counts[0] > 14_000 && counts[1] > 14_000 && counts[2] == 0, "{counts:?}");
    }

    /// 5, 10 and 20 % of what each port holds: 50, 100, 200 bytes and twice that.
    #[test]
    fn levels_are_shares_of_the_port_by_default() {
        let holds = [1_000, 2_000, 1_000];
        let alike = |queues: [u64; 3]| chosen(None, &holds, &queues.map(Some));
        let counts = alike([49, 99, 50]);
        assert!(counts[0] > 14_000 && counts[1] > 14_000 && counts[2] == 0, "{counts:?}");
        assert_eq!(alike([100, 199, 100]), [0, 30_000, 0]);
        assert_eq!(alike([200, 399, 200]), [0, 30_000, 0]);
        let counts = alike([200, 400, 1_000_000]);
        assert!(counts.iter().all(|&c| c > 9_000), "{counts:?}");
    }
}
