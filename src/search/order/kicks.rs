//! Local search again, from maps that a few random moves have changed.

use rand::Rng;

use super::climb::{climb, climb_from};
use super::neighborhood::Neighborhood;
use crate::ids::Id;
use crate::rng::Stream;

/// Maps from which it begins where all places are looked at.
const KICKS: usize = 300;
/// Changed places for each focus, at most, where only what is near them is.
const KICKS_EACH: usize = 60;
/// Trials near changed places, of which each is cheap, for one of those over all.
const TRIALS_NEARBY: usize = 8;
/// Moves that change a place.
const MOVES: usize = 3;
/// By how many times what a focus costs in the mean a map may be worse at first.
const WORSE: f64 = 2.0;

/// After some moves here and there, all places are looked at: what is most loaded may be anywhere.
pub(super) fn everywhere<N: Neighborhood>(state: &mut N, mut left: usize, random: &mut Stream) {
    let mut best = (state.key(), state.snapshot());
    let mut moves = Vec::new();
    for kick in 0..KICKS {
        if left == 0 {
            break;
        }
        for _ in 0..2 + kick % 4 {
            let focus = any_focus(state, random);
            any_move(state, focus, random, &mut moves);
        }
        state.keep();
        left = climb(state, left);
        if state.key().beats(&best.0) {
            best = (state.key(), state.snapshot());
        } else {
            state.begin_with(best.1.clone());
        }
    }
    state.begin_with(best.1);
}

/// Where costs add up place by place: after some moves around one, only what they touch is looked at, and many more places
/// have their turn. A map that is somewhat worse is gone on from, at first more than later (threshold accepting, Dueck and
/// Scheuer 1990).
pub(super) fn nearby<N: Neighborhood>(state: &mut N, trials: usize, random: &mut Stream) {
    let foci = f64::from(state.foci());
    let (all, kicks) = (trials * TRIALS_NEARBY, KICKS_EACH * state.foci() as usize);
    let mut left = all;
    let mut now = (state.key(), state.snapshot());
    let mut best = now.clone();
    let mut moves = Vec::new();
    for kick in 0..kicks {
        if left == 0 {
            break;
        }
        let mut touched = vec![any_focus(state, random)];
        for _ in 0..MOVES {
            let focus = touched[(random.next_u64() % touched.len() as u64) as usize];
            if let Some(step) = any_move(state, focus, random, &mut moves) {
                state.touched(step, &mut touched);
            }
        }
        state.keep();
        left = climb_from(state, touched, left);
        let to_go = (left as f64 / all as f64).min(1.0 - kick as f64 / kicks as f64);
        let key = state.key();
        if key.0[0] > now.0.0[0] * (1.0 + WORSE * to_go / foci) {
            state.begin_with(now.1.clone());
            continue;
        }
        now = (key, state.snapshot());
        if key.beats(&best.0) {
            best = now.clone();
        }
    }
    state.begin_with(best.1);
}

fn any_focus<N: Neighborhood>(state: &N, random: &mut Stream) -> N::Focus {
    N::Focus::from_index((random.next_u64() % u64::from(state.foci())) as usize)
}

/// Makes one of the moves around a place, if there are any.
fn any_move<N: Neighborhood>(
    state: &mut N,
    focus: N::Focus,
    random: &mut Stream,
    moves: &mut Vec<N::Move>,
) -> Option<N::Move> {
    moves.clear();
    state.propose(focus, moves);
    let &step = moves.get((random.next_u64() % moves.len().max(1) as u64) as usize)?;
    state.apply(step);
    Some(step)
}
