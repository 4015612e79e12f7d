//! A tree search over sequences of moves, for what no single move finds: each node knows the moves around one of the
//! worst places, and is tried the more often the better what lies below it turned out (UCT, Kocsis and Szepesvári 2006).

use rand::Rng;

use super::key::Key;
use super::neighborhood::Neighborhood;
use crate::math::ln;
use crate::rng::Stream;

/// Most moves in a sequence.
const DEPTH: usize = 6;
/// Most moves out of a node.
const WIDTH: usize = 12;
/// How much a branch that was seldom tried is preferred.
const CURIOSITY: f64 = 0.5;

struct Branch<M> {
    step: M,
    visits: f64,
    /// Sum of what its visits came to: 1 and more where the map became better.
    value: f64,
    child: Option<usize>,
}

/// Tries so many sequences of moves; takes the first that makes the map better, and says whether there was one.
pub(super) fn deepen<N: Neighborhood>(state: &mut N, random: &mut Stream, trials: usize) -> bool {
    let root = state.key();
    let mut nodes: Vec<Vec<Branch<N::Move>>> = Vec::new();
    for _ in 0..trials {
        let (mut path, mut moves) = (Vec::new(), Vec::new());
        let mut at = if nodes.is_empty() {
            grow(state, random, &mut nodes)
        } else {
            0
        };
        let mut best = state.key();
        while moves.len() < DEPTH && !nodes[at].is_empty() {
            let branch = choose(&nodes[at]);
            let step = nodes[at][branch].step;
            state.apply(step);
            path.push((at, branch));
            moves.push(step);
            if state.key().beats(&root) {
                state.keep();
                return true;
            }
            if moves.len() == 1 || state.key().beats(&best) {
                best = state.key();
            }
            match nodes[at][branch].child {
                Some(child) => at = child,
                None => {
                    let child = grow(state, random, &mut nodes);
                    nodes[at][branch].child = Some(child);
                    break;
                }
            }
        }
        let value = worth(&best, &root);
        for &(node, branch) in &path {
            nodes[node][branch].visits += 1.0;
            nodes[node][branch].value += value;
        }
        while let Some(step) = moves.pop() {
            state.take_back(step);
        }
    }
    false
}

/// Makes a node for the map as it is.
fn grow<N: Neighborhood>(state: &mut N, random: &mut Stream, nodes: &mut Vec<Vec<Branch<N::Move>>>) -> usize {
    let focus = state.worst_focus(random.next_u64());
    let mut moves = Vec::new();
    state.propose(focus, &mut moves);
    crate::rng::shuffle(random, &mut moves);
    moves.truncate(WIDTH);
    let branch = |step| Branch {
        step,
        visits: 0.0,
        value: 0.0,
        child: None,
    };
    nodes.push(moves.into_iter().map(branch).collect());
    nodes.len() - 1
}

fn choose<M>(branches: &[Branch<M>]) -> usize {
    let all: f64 = branches.iter().map(|branch| branch.visits).sum();
    let promise = |branch: &Branch<M>| {
        if branch.visits == 0.0 {
            return f64::INFINITY;
        }
        branch.value / branch.visits + CURIOSITY * (ln(all) / branch.visits).sqrt()
    };
    let mut best = 0;
    for index in 1..branches.len() {
        if promise(&branches[index]) > promise(&branches[best]) {
            best = index;
        }
    }
    best
}

/// 1 where nothing became worse, less by how much it did.
fn worth(reached: &Key, root: &Key) -> f64 {
    let part = |k: usize| {
        if reached.0[k] > 0.0 {
            (root.0[k] / reached.0[k]).min(1.0)
        } else {
            1.0
        }
    };
    0.8 * part(0) + 0.15 * part(1) + 0.05 * part(2)
}
