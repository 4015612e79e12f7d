//! Adaptive routing: the switch takes the next link with the shortest queue.

use crate::placement::Adaptive as Spec;
use crate::rng::{index_below, mix};

/// The rule of all switches, with the draws that decide ties.
#[derive(Debug, Clone)]
pub(in crate::packet_engine) struct Adaptive {
    /// Queue lengths in bytes between which queues look alike; none: to the byte.
    levels: Vec<u64>,
    salt: u64,
    drawn: u64,
}

impl Adaptive {
    pub fn new(spec: &Spec, salt: u64) -> Self {
        Self {
            levels: spec.quantise.iter().map(|level| level.0).collect(),
            salt,
            drawn: 0,
        }
    }

    /// A position among links with these queues (in bytes; `None`: the link is down). Ties are random.
    pub fn choose(&mut self, queues: impl Iterator<Item = Option<u64>>) -> u32 {
        self.drawn += 1;
        let hash = mix(self.salt ^ self.drawn);
        let (mut best, mut chosen, mut ties) = (u64::MAX, 0, 0);
        for (position, queue) in queues.enumerate() {
            let seen = match queue {
                None => u64::MAX,
                Some(queue) if self.levels.is_empty() => queue,
                Some(queue) => self.levels.partition_point(|&level| level <= queue) as u64,
            };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    #[test]
    fn the_shortest_queue_wins_and_ties_are_even() {
        let mut adaptive = Adaptive::new(&Spec::default(), 1);
        assert_eq!(adaptive.choose([Some(3), None, Some(1), Some(2)].into_iter()), 2);
        let mut counts = [0_u32; 4];
        let queues = [Some(5), Some(0), Some(0), Some(0)];
        (0..30_000).for_each(|_| counts[adaptive.choose(queues.into_iter()) as usize] += 1);
        assert_eq!(counts[0], 0);
        assert!(counts[1..].iter().all(|&c| c.abs_diff(10_000) < 400), "{counts:?}");
    }

    #[test]
    fn quantised_queues_look_alike_between_levels() {
        let quantise = vec![Bytes(100), Bytes(200)];
        let mut adaptive = Adaptive::new(&Spec { quantise }, 1);
        let mut counts = [0_u32; 3];
        let queues = [Some(99), Some(0), Some(100)];
        (0..1_000).for_each(|_| counts[adaptive.choose(queues.into_iter()) as usize] += 1);
        assert!(counts[0] > 400 && counts[1] > 400 && counts[2] == 0, "{counts:?}");
    }
}
