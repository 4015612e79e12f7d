//! Local search: every move that makes a map better is taken, until none does.

use std::collections::VecDeque;

use super::neighborhood::Neighborhood;
use crate::ids::Id;

/// Takes improving moves until there are none, or so many have been tried. Returns those that are left.
pub(super) fn climb<N: Neighborhood>(state: &mut N, mut trials: usize) -> usize {
    let mut moves = Vec::new();
    let (mut focus, mut unchanged) = (0, 0);
    while unchanged < state.foci() && trials > 0 {
        moves.clear();
        state.propose_better(N::Focus::from_index(focus as usize), &mut moves);
        let mut improved = false;
        for &step in &moves {
            let before = state.key();
            state.apply(step);
            trials = trials.saturating_sub(1);
            if state.key().beats(&before) {
                state.keep();
                improved = true;
                break;
            }
            state.take_back(step);
        }
        if improved {
            // The place may have more to give.
            unchanged = 0;
        } else {
            unchanged += 1;
            focus = (focus + 1) % state.foci();
        }
    }
    trials
}

/// The same from some places on, and from those that improving moves touch: others are not looked at.
pub(super) fn climb_from<N: Neighborhood>(state: &mut N, foci: Vec<N::Focus>, mut trials: usize) -> usize {
    let (mut queue, mut moves, mut touched) = (VecDeque::from(foci), Vec::new(), Vec::new());
    while let Some(focus) = queue.pop_front().filter(|_| trials > 0) {
        moves.clear();
        state.propose_better(focus, &mut moves);
        for &step in &moves {
            let before = state.key();
            touched.clear();
            state.touched(step, &mut touched);
            state.apply(step);
            trials = trials.saturating_sub(1);
            if state.key().beats(&before) {
                state.keep();
                touched.retain(|place| !queue.contains(place));
                queue.push_front(focus);
                queue.extend(touched.iter().copied());
                break;
            }
            state.take_back(step);
        }
    }
    trials
}
