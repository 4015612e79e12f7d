//! The largest flow between two edges over their equal-cost paths.

use std::collections::VecDeque;

use crate::ids::{Id, IdVec, LinkId};
use crate::routes::{PathDag, Position};
use crate::units::Rate;

/// Shortest augmenting paths (Edmonds and Karp) in whole bits per second, on the part of the graph
/// that one source uses.
#[derive(Debug)]
pub(super) struct MaxFlow<'a> {
    dag: &'a PathDag,
    /// Bits per second of each hop.
    rates: Vec<u64>,
    /// The largest rate of a single path, by position.
    widest: IdVec<Position, u64>,
}

/// Working memory of one source, by hop or by position.
struct Residual {
    left: Vec<u64>,
    sent: Vec<u64>,
    /// The hops that lead to a position, with the position where they begin.
    incoming: IdVec<Position, Vec<(usize, Position)>>,
    reached_by: IdVec<Position, Option<Step>>,
}

#[derive(Clone, Copy)]
struct Step {
    hop: usize,
    from: Position,
    back: bool,
}

impl<'a> MaxFlow<'a> {
    /// With the rate that counts for each link.
    pub(super) fn new(dag: &'a PathDag, rate: impl Fn(LinkId) -> Rate) -> Self {
        let rates: Vec<u64> = dag.all_hops().iter().map(|hop| rate(hop.link).0).collect();
        let mut widest = dag.filled(0);
        widest[Position::END] = u64::MAX;
        for position in dag.rising() {
            let paths = dag.range(position).zip(dag.hops(position));
            let widths = paths.map(|(index, hop)| rates[index].min(widest[hop.to]));
            widest[position] = widths.max().unwrap_or(0);
        }
        Self { dag, rates, widest }
    }

    /// The rate at which a source can send over all its paths together; `enough` where it can send that.
    pub(super) fn from(&self, source: Position, enough: Rate) -> Rate {
        // Most often one path is enough.
        if self.widest[source] >= enough.0 || source == Position::END {
            return enough;
        }
        let mut residual = self.residual(source);
        let mut flow = 0;
        while flow < enough.0 {
            match self.augment(&mut residual, source, enough.0 - flow) {
                0 => break,
                more => flow += more,
            }
        }
        Rate(flow)
    }

    fn residual(&self, source: Position) -> Residual {
        let hops = self.dag.all_hops().len();
        let mut residual = Residual {
            left: vec![0; hops],
            sent: vec![0; hops],
            incoming: IdVec::filled(Vec::new(), source.index() + 1),
            reached_by: IdVec::filled(None, source.index() + 1),
        };
        let mut used = IdVec::filled(false, source.index() + 1);
        used[source] = true;
        for position in used.ids().skip(1).rev() {
            if !used[position] {
                continue;
            }
            for (index, hop) in self.dag.range(position).zip(self.dag.hops(position)) {
                residual.left[index] = self.rates[index];
                residual.incoming[hop.to].push((index, position));
                used[hop.to] = true;
            }
        }
        residual
    }

    /// Sends along one more path; 0 where there is none.
    fn augment(&self, residual: &mut Residual, source: Position, at_most: u64) -> u64 {
        residual.reached_by.fill(None);
        let mut open = VecDeque::from([source]);
        while let Some(at) = open.pop_front() {
            if at == Position::END {
                return residual.send(source, at_most);
            }
            let forwards = self.dag.range(at).zip(self.dag.hops(at));
            let forwards = forwards.filter(|&(hop, _)| residual.left[hop] > 0);
            let forwards = forwards.map(|(hop, far)| (far.to, hop, false));
            let backwards = residual.incoming[at].iter().filter(|&&(hop, _)| residual.sent[hop] > 0);
            let backwards = backwards.map(|&(hop, from)| (from, hop, true));
            for (next, hop, back) in forwards.chain(backwards) {
                if next != source && residual.reached_by[next].is_none() {
                    residual.reached_by[next] = Some(Step { hop, from: at, back });
                    open.push_back(next);
                }
            }
        }
        0
    }
}

impl Residual {
    fn steps(&self, source: Position) -> impl Iterator<Item = Step> + '_ {
        let last = self.reached_by[Position::END];
        std::iter::successors(last, move |step| {
            (step.from != source).then(|| self.reached_by[step.from]).flatten()
        })
    }

    fn send(&mut self, source: Position, at_most: u64) -> u64 {
        let room = |step: Step| {
            if step.back {
                self.sent[step.hop]
            } else {
                self.left[step.hop]
            }
        };
        let amount = self.steps(source).map(room).fold(at_most, u64::min);
        let steps: Vec<Step> = self.steps(source).collect();
        for step in steps {
            let (grows, shrinks) = match step.back {
                true => (&mut self.left, &mut self.sent),
                false => (&mut self.sent, &mut self.left),
            };
            grows[step.hop] += amount;
            shrinks[step.hop] -= amount;
        }
        amount
    }
}
