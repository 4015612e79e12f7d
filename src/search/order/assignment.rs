//! Many ranks at once: those of a set that send each other nothing change places among themselves as is best for all,
//! which is an assignment problem, solved exactly by shortest augmenting paths.

use super::load_tracker::SeatId;
use super::map::Map;
use super::neighborhood::Neighborhood;
use crate::ids::RankId;
use crate::optimal_transport::{Matrix, assign};

/// Most ranks of a set.
const MOST: usize = 64;

/// Reassigns the ranks around every focus once; never makes a map worse.
pub(super) fn reassign(map: &mut Map<'_>, mut rounds: usize) {
    let ranks = map.foci();
    let stride = (ranks / rounds.max(1) as u32).max(1);
    let mut focus = 0;
    while focus < ranks && rounds > 0 {
        let set = independent_set(map, RankId(focus));
        if set.len() > 2 {
            reassign_set(map, &set);
        }
        focus += stride;
        rounds -= 1;
    }
}

/// Ranks near those that a rank has to do with, none of which has to do with another.
fn independent_set(map: &Map<'_>, focus: RankId) -> Vec<RankId> {
    let mut set = vec![focus];
    let mut barred: Vec<RankId> = map.partners(focus).iter().map(|partner| partner.rank).collect();
    let around = barred.clone();
    for rank in around {
        let near = map.neighbors().of(map.seats()[rank]);
        for other in near.iter().map(|&seat| map.rank_on(seat)) {
            if set.len() == MOST {
                return set;
            }
            if !set.contains(&other) && !barred.contains(&other) {
                set.push(other);
                barred.extend(map.partners(other).iter().map(|partner| partner.rank));
            }
        }
    }
    set
}

fn reassign_set(map: &mut Map<'_>, set: &[RankId]) {
    let seats: Vec<SeatId> = set.iter().map(|&rank| map.seats()[rank]).collect();
    let mut costs = Vec::with_capacity(set.len() * set.len());
    for &rank in set {
        let partners: Vec<_> = map
            .partners(rank)
            .iter()
            .map(|partner| (map.seats()[partner.rank], partner.bytes, partner.receives))
            .collect();
        for &seat in &seats {
            let tracker = map.tracker();
            let cost = partners.iter().map(|&(other, bytes, receives)| {
                let (from, to) = if receives { (seat, other) } else { (other, seat) };
                let (from, to) = (tracker.edge(from), tracker.edge(to));
                bytes * tracker.prints().of(from, to).hops
            });
            costs.push(cost.sum());
        }
    }
    let solved = Matrix::new(set.len(), set.len(), costs).and_then(|costs| assign(&costs));
    let Ok(assignment) = solved else { return };
    let mut seat_of = map.seats().clone();
    for (&rank, &column) in set.iter().zip(&assignment.columns) {
        seat_of[rank] = seats[column as usize];
    }
    map.move_to(&seat_of, set);
}
