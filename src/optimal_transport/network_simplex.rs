//! Exact transport of integer masses: the network simplex method on the transportation problem.

use super::matrix::check_shape;
use super::{Matrix, Problem, SemiDualNewton, TransportError};
use crate::ids::{Id, IdVec, id};
use crate::wide::wide;

/// An exact plan of integer masses under integer costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExactPlan {
    /// Row, column and mass of every entry that is not 0, by row, then column: at most n + m - 1.
    pub entries: Vec<(u32, u32, u64)>,
    /// Sum of cost times mass.
    pub cost: i128,
    /// Potentials that prove it least: `u_i + v_j <= C_ij`, with equality where mass moves.
    pub row_potentials: Vec<i64>,
    /// See `row_potentials`.
    pub column_potentials: Vec<i64>,
    /// Pivots used.
    pub pivots: usize,
}

/// Integer costs for [`network_simplex`] from real ones: `scale * cost` rounded, with the power of two that gives the
/// largest 40 bits (of costs above 1e-280). The plan is then optimal to 1e-12 of the largest cost per unit of mass.
/// Returns them with `scale`.
///
/// # Errors
/// [`TransportError::Cost`] where a cost is NaN or infinite.
pub fn integer_costs(cost: &Matrix) -> Result<(Vec<i64>, f64), TransportError> {
    let (low, high) = cost.range();
    let largest = low.abs().max(high.abs());
    if let Some(at) = cost.data().iter().position(|c| !c.is_finite()) {
        let (row, column) = (at / cost.columns(), at % cost.columns());
        let value = cost.data()[at];
        return Err(TransportError::Cost { row, column, value });
    }
    let exponent = if largest > 0.0 {
        ((largest.to_bits() >> 52) as i32) - 1022
    } else {
        0
    };
    let scale = f64::from_bits(((1023 + (40 - exponent).clamp(-1000, 1000)) as u64) << 52);
    Ok((cost.data().iter().map(|c| (c * scale).round() as i64).collect(), scale))
}

/// The cheapest way to move the masses of `rows` to `columns` at `cost` (n x m, row after row) per unit:
/// exact in integers, ties and degenerate problems included. Only a short list of cheap arcs is pivoted on; all others are
/// priced against its optimum and join it until none would improve the plan.
///
/// # Errors
/// [`TransportError::Shape`], [`TransportError::UnequalTotals`], [`TransportError::Nothing`], and
/// [`TransportError::Overflow`] where `(n + m) * max |cost|` or the total mass would not fit 62 bits.
pub fn network_simplex(cost: &[i64], rows: &[u64], columns: &[u64]) -> Result<ExactPlan, TransportError> {
    check(cost, rows, columns)?;
    let mut simplex = Simplex::new(cost, rows, columns);
    loop {
        simplex.optimize();
        if simplex.admit() == 0 {
            return Ok(simplex.plan());
        }
    }
}

fn check(cost: &[i64], rows: &[u64], columns: &[u64]) -> Result<(), TransportError> {
    let (n, m) = (rows.len(), columns.len());
    if n == 0 || m == 0 {
        return Err(TransportError::Nothing("the matrix is empty"));
    }
    check_shape("the cost matrix", n.saturating_mul(m), cost.len())?;
    let total = |masses: &[u64]| masses.iter().map(|&mass| u128::from(mass)).sum::<u128>();
    let (supply, demand) = (total(rows), total(columns));
    if supply != demand {
        return Err(TransportError::UnequalTotals {
            rows: supply as f64,
            columns: demand as f64,
        });
    }
    if supply > 1 << 62 {
        return Err(TransportError::Overflow("the masses"));
    }
    let largest = cost.iter().map(|c| c.unsigned_abs()).max().unwrap_or(0);
    if u128::from(largest) * (n + m) as u128 >= 1 << 61 || n + m >= 1 << 31 {
        return Err(TransportError::Overflow("the costs"));
    }
    Ok(())
}

id! {
    /// A node of the tree: rows first, then columns, then the root.
    NodeId;
    /// An arc of the short list.
    ArcId;
}

/// An arc of the short list, from a row to a column.
#[derive(Debug, Clone, Copy)]
struct Arc {
    row: u32,
    column: u32,
    cost: i64,
}

/// A spanning tree over rows (0..n), columns (n..n+m) and a root, with children as linked lists.
/// Arcs to the root carry nothing and cost nothing; they only join parts of the tree. With many rows and few columns nearly all
/// rows are leaves: these stand in no list, and depth and potential of a row follow from its parent's, so that a pivot
/// costs as much as it moves columns.
struct Simplex<'a> {
    cost: &'a [i64],
    n: usize,
    m: usize,
    arcs: IdVec<ArcId, Arc>,
    parent: IdVec<NodeId, NodeId>,
    /// Flow on the arc to the parent, and its cost.
    flow: IdVec<NodeId, u64>,
    arc_cost: IdVec<NodeId, i64>,
    /// Of columns; see [`Simplex::depth`].
    depths: IdVec<NodeId, u32>,
    first_child: IdVec<NodeId, NodeId>,
    next: IdVec<NodeId, NodeId>,
    previous: IdVec<NodeId, NodeId>,
    /// Dual values of columns: the reduced cost of an arc is `cost - potential(row) - potential(column)`.
    potentials: IdVec<NodeId, i64>,
    /// Where the search for an entering arc goes on.
    cursor: usize,
    pivots: usize,
}

impl<'a> Simplex<'a> {
    fn new(cost: &'a [i64], rows: &[u64], columns: &[u64]) -> Self {
        let (n, m) = (rows.len(), columns.len());
        let nodes = n + m + 1;
        let mut simplex = Self {
            cost,
            n,
            m,
            arcs: IdVec::new(),
            parent: IdVec::filled(NodeId::NONE, nodes),
            flow: IdVec::filled(0, nodes),
            arc_cost: IdVec::filled(0, nodes),
            depths: IdVec::filled(0, nodes),
            first_child: IdVec::filled(NodeId::NONE, nodes),
            next: IdVec::filled(NodeId::NONE, nodes),
            previous: IdVec::filled(NodeId::NONE, nodes),
            potentials: IdVec::filled(0, nodes),
            cursor: 0,
            pivots: 0,
        };
        let prices = starting_prices(cost, rows, columns);
        let priced = shortlist(cost, &prices, n);
        simplex.start(priced, rows, columns);
        simplex
    }

    /// A feasible tree: arcs in order of priced cost, each filled as far as its ends allow, which empties
    /// one of them. What the short list leaves over goes along arcs of a north-west corner.
    fn start(&mut self, mut priced: Vec<(i64, Arc)>, rows: &[u64], columns: &[u64]) {
        let (mut supply, mut demand) = (rows.to_vec(), columns.to_vec());
        self.arcs = priced.iter().map(|(_, arc)| *arc).collect();
        priced.sort_unstable_by_key(|(price, arc)| (*price, arc.row, arc.column));
        let mut filled: Vec<(Arc, u64)> = Vec::new();
        for (_, arc) in priced {
            let amount = supply[arc.row as usize].min(demand[arc.column as usize]);
            if amount > 0 {
                supply[arc.row as usize] -= amount;
                demand[arc.column as usize] -= amount;
                filled.push((arc, amount));
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < self.n && j < self.m {
            let amount = supply[i].min(demand[j]);
            if amount > 0 {
                supply[i] -= amount;
                demand[j] -= amount;
                let arc = self.arc(i, j);
                self.arcs.push(arc);
                filled.push((arc, amount));
            }
            if supply[i] == 0 {
                i += 1;
            } else {
                j += 1;
            }
        }
        self.plant(&filled);
    }

    fn arc(&self, i: usize, j: usize) -> Arc {
        Arc {
            row: i as u32,
            column: j as u32,
            cost: self.cost[i * self.m + j],
        }
    }

    fn root(&self) -> NodeId {
        NodeId::from_index(self.n + self.m)
    }

    fn is_row(&self, node: NodeId) -> bool {
        node.index() < self.n
    }

    /// The two ends of an arc.
    fn ends(&self, arc: &Arc) -> (NodeId, NodeId) {
        (NodeId(arc.row), NodeId(self.n as u32 + arc.column))
    }

    /// Hangs the trees that arcs with flow form under the root, each by one empty arc towards it: a
    /// strongly feasible basis, on which pivots do not cycle.
    fn plant(&mut self, filled: &[(Arc, u64)]) {
        let root = self.root();
        let mut adjacent: IdVec<NodeId, Vec<(NodeId, u64, i64)>> = IdVec::filled(Vec::new(), self.n + self.m);
        for &(arc, amount) in filled {
            let (row, column) = self.ends(&arc);
            adjacent[row].push((column, amount, arc.cost));
            adjacent[column].push((row, amount, arc.cost));
        }
        let mut stack = Vec::new();
        for top in adjacent.ids() {
            if self.parent[top] != NodeId::NONE {
                continue;
            }
            self.attach(top, root, 0, 0);
            self.settle(top);
            stack.push(top);
            while let Some(at) = stack.pop() {
                for &(to, amount, cost) in &adjacent[at] {
                    if self.parent[to] == NodeId::NONE {
                        self.attach(to, at, amount, cost);
                        self.settle(to);
                        stack.push(to);
                    }
                }
            }
        }
    }

    fn attach(&mut self, node: NodeId, parent: NodeId, flow: u64, cost: i64) {
        self.parent[node] = parent;
        self.flow[node] = flow;
        self.arc_cost[node] = cost;
        if self.is_listed(node) {
            self.list(node);
        }
    }

    fn detach(&mut self, node: NodeId) {
        if self.is_listed(node) {
            self.unlist(node);
        }
    }

    /// Whether a node stands in its parent's list: all but rows without children.
    fn is_listed(&self, node: NodeId) -> bool {
        !self.is_row(node) || self.first_child[node] != NodeId::NONE
    }

    /// Puts a node in its parent's list; a parent that had no child joins its own parent's.
    fn list(&mut self, node: NodeId) {
        let parent = self.parent[node];
        let second = self.first_child[parent];
        self.next[node] = second;
        self.previous[node] = NodeId::NONE;
        if second != NodeId::NONE {
            self.previous[second] = node;
        }
        self.first_child[parent] = node;
        if self.is_row(parent) && second == NodeId::NONE && self.parent[parent] != NodeId::NONE {
            self.list(parent);
        }
    }

    fn unlist(&mut self, node: NodeId) {
        let (before, after) = (self.previous[node], self.next[node]);
        if after != NodeId::NONE {
            self.previous[after] = before;
        }
        if before != NodeId::NONE {
            self.next[before] = after;
            return;
        }
        let parent = self.parent[node];
        self.first_child[parent] = after;
        if self.is_row(parent) && after == NodeId::NONE {
            self.unlist(parent);
        }
    }

    /// Arcs between a node and the root.
    fn depth(&self, node: NodeId) -> u32 {
        match self.is_row(node) {
            true => self.depths[self.parent[node]] + 1,
            false => self.depths[node],
        }
    }

    /// Dual value of a node: those of the two ends of an arc add up to its cost; the root's is 0.
    fn potential(&self, node: NodeId) -> i64 {
        match self.is_row(node) {
            true => self.arc_cost[node] - self.potentials[self.parent[node]],
            false => self.potentials[node],
        }
    }

    /// Depth and potential of a column from its parent's.
    fn settle(&mut self, node: NodeId) {
        if !self.is_row(node) {
            self.depths[node] = self.depth(self.parent[node]) + 1;
            self.potentials[node] = self.arc_cost[node] - self.potential(self.parent[node]);
        }
    }

    fn reduced(&self, arc: &Arc) -> i64 {
        let (row, column) = self.ends(arc);
        arc.cost - self.potential(row) - self.potentials[column]
    }

    /// Pivots until no arc of the short list improves the plan. Arcs are searched in blocks, and the best
    /// of the first block that holds an improving one enters.
    fn optimize(&mut self) {
        let count = self.arcs.len();
        let block = ((count as f64).sqrt() as usize).max(16);
        let mut searched = 0;
        let mut best = (0_i64, ArcId::NONE);
        let mut left = block;
        while searched < count {
            if self.cursor >= count {
                self.cursor = 0;
            }
            let end = (self.cursor + left).min(count).min(self.cursor + count - searched);
            for arc in (self.cursor..end).map(ArcId::from_index) {
                let reduced = self.reduced(&self.arcs[arc]);
                if reduced < best.0 {
                    best = (reduced, arc);
                }
            }
            searched += end - self.cursor;
            left -= end - self.cursor;
            self.cursor = end;
            if left == 0 || searched >= count {
                if best.1 != ArcId::NONE {
                    self.pivot(best.1);
                    searched = 0;
                    best = (0, ArcId::NONE);
                }
                left = block;
            }
        }
    }

    /// Sends as much as possible around the cycle that an arc closes, and swaps it for an arc that ran empty.
    fn pivot(&mut self, entering: ArcId) {
        self.pivots += 1;
        let arc = self.arcs[entering];
        let (row, column) = self.ends(&arc);
        let (apex, amount, leaving, on_row_side) = self.ratio_test(row, column);
        if amount > 0 {
            self.augment(row, column, apex, amount);
        }
        // The part of the tree below the leaving arc hangs from the entering arc's end inside it.
        let (inside, outside) = if on_row_side { (row, column) } else { (column, row) };
        self.rehang(inside, leaving, outside, amount, arc.cost);
    }

    /// Whether the arc from `node` to its parent carries flow towards the parent.
    fn points_up(&self, node: NodeId) -> bool {
        self.is_row(node) || self.parent[node] == self.root()
    }

    /// The apex of the cycle, the amount that fits, and which arc blocks: the last one on the way from the apex along the
    /// direction of the flow, which keeps the basis strongly feasible.
    fn ratio_test(&self, row: NodeId, column: NodeId) -> (NodeId, u64, NodeId, bool) {
        // Flow goes apex -> ... -> row -> column -> ... -> apex: on the row's side arcs that point up
        // lose flow, on the column's side those that point down.
        let (mut x, mut y) = (row, column);
        let (mut amount_row, mut block_row) = (u64::MAX, NodeId::NONE);
        let (mut amount_column, mut block_column) = (u64::MAX, NodeId::NONE);
        while x != y {
            if self.depth(x) >= self.depth(y) {
                // Nearest the entering arc is last: ties keep the first one met.
                if self.points_up(x) && self.flow[x] < amount_row {
                    (amount_row, block_row) = (self.flow[x], x);
                }
                x = self.parent[x];
            } else {
                if !self.points_up(y) && self.flow[y] <= amount_column {
                    (amount_column, block_column) = (self.flow[y], y);
                }
                y = self.parent[y];
            }
        }
        if amount_column <= amount_row {
            (x, amount_column, block_column, false)
        } else {
            (x, amount_row, block_row, true)
        }
    }

    fn augment(&mut self, row: NodeId, column: NodeId, apex: NodeId, amount: u64) {
        for (end, gains_up) in [(row, false), (column, true)] {
            let mut node = end;
            while node != apex {
                if self.points_up(node) == gains_up {
                    self.flow[node] += amount;
                } else {
                    self.flow[node] -= amount;
                }
                node = self.parent[node];
            }
        }
    }

    /// Reverses the way from `inside` up to `leaving` and hangs it on `outside`.
    fn rehang(&mut self, inside: NodeId, leaving: NodeId, outside: NodeId, flow: u64, cost: i64) {
        let (mut node, mut parent) = (inside, outside);
        let (mut new_flow, mut new_cost) = (flow, cost);
        loop {
            let (old_parent, old_flow, old_cost) = (self.parent[node], self.flow[node], self.arc_cost[node]);
            self.detach(node);
            self.attach(node, parent, new_flow, new_cost);
            if node == leaving {
                break;
            }
            (parent, node) = (node, old_parent);
            (new_flow, new_cost) = (old_flow, old_cost);
        }
        self.resettle(inside);
    }

    /// Depths and potentials of a whole subtree.
    fn resettle(&mut self, top: NodeId) {
        let mut node = top;
        loop {
            self.settle(node);
            if self.first_child[node] != NodeId::NONE {
                node = self.first_child[node];
                continue;
            }
            while node != top && self.next[node] == NodeId::NONE {
                node = self.parent[node];
            }
            if node == top {
                return;
            }
            node = self.next[node];
        }
    }

    /// Puts the arcs that would improve the plan on the short list, the best few of each row; returns how many.
    fn admit(&mut self) -> usize {
        let before = self.arcs.len();
        let potential_of_columns = &self.potentials.as_slice()[self.n..];
        let mut found: Vec<(i64, u32)> = Vec::new();
        for (i, row) in self.cost.chunks_exact(self.m).enumerate() {
            let u = self.potential(NodeId(i as u32));
            if least_reduced(row, potential_of_columns) >= u {
                continue;
            }
            found.clear();
            let improving = row.iter().zip(potential_of_columns).enumerate();
            found.extend(
                improving
                    .filter(|(_, (c, v))| *c - *v < u)
                    .map(|(j, (c, v))| (c - v, j as u32)),
            );
            found.sort_unstable();
            found.truncate(ADMITTED);
            let arcs = found.iter().map(|&(_, j)| Arc {
                row: i as u32,
                column: j,
                cost: row[j as usize],
            });
            self.arcs.extend(arcs);
        }
        // The new arcs are tried first.
        self.cursor = before;
        self.arcs.len() - before
    }

    fn plan(self) -> ExactPlan {
        let mut entries = Vec::new();
        for (node, &parent) in self.parent.entries() {
            if self.flow[node] > 0 && parent != self.root() {
                let (row, column) = if self.is_row(node) {
                    (node, parent)
                } else {
                    (parent, node)
                };
                entries.push((row.0, column.0 - self.n as u32, self.flow[node]));
            }
        }
        entries.sort_unstable();
        let total = |(row, column, mass): &(u32, u32, u64)| {
            i128::from(self.cost[*row as usize * self.m + *column as usize]) * i128::from(*mass)
        };
        ExactPlan {
            cost: entries.iter().map(total).sum(),
            entries,
            row_potentials: (0..self.n as u32).map(|row| self.potential(NodeId(row))).collect(),
            column_potentials: self.potentials.as_slice()[self.n..self.n + self.m].to_vec(),
            pivots: self.pivots,
        }
    }
}

wide! {
    /// The least cost of a row after prices; [`i64::MAX`] of none.
    fn least_reduced(row: &[i64], prices: &[i64]) -> i64 {
        row.iter().zip(prices).fold(i64::MAX, |least, (c, v)| least.min(c - v))
    }

    /// Writes the costs of a row after prices.
    fn reduce(reduced: &mut [i64], row: &[i64], prices: &[i64]) {
        for ((reduced, c), v) in reduced.iter_mut().zip(row).zip(prices) {
            *reduced = c - v;
        }
    }
}

/// Improving arcs of one row that join the short list at a time.
const ADMITTED: usize = 8;

/// Cheapest arcs of a row, and of a column, that start on the short list.
const SHORT: usize = 12;

/// The cheapest arcs of every row and of every column after prices, by row, then column, each with its priced cost.
fn shortlist(cost: &[i64], prices: &[i64], n: usize) -> Vec<(i64, Arc)> {
    let m = prices.len();
    let mut of_columns = vec![Cheapest::default(); m];
    let mut limits = vec![i64::MAX; m];
    let mut chosen: Vec<(u32, u32)> = Vec::new();
    let mut priced = vec![0_i64; m];
    for (i, row) in cost.chunks_exact(m).enumerate() {
        reduce(&mut priced, row, prices);
        let mut of_row = Cheapest::default();
        let mut limit = i64::MAX;
        for (j, &c) in priced.iter().enumerate() {
            if c < limit {
                limit = of_row.insert(c, j as u32);
            }
            if c < limits[j] {
                limits[j] = of_columns[j].insert(c, i as u32);
            }
        }
        chosen.extend(of_row.indices().map(|j| (i as u32, j)));
    }
    for (j, column) in of_columns.iter().enumerate() {
        chosen.extend(column.indices().map(|i| (i, j as u32)));
    }
    chosen.sort_unstable();
    chosen.dedup();
    debug_assert!(chosen.iter().all(|&(i, _)| (i as usize) < n));
    let arc = |(row, column): (u32, u32)| {
        let cost = cost[row as usize * m + column as usize];
        (cost - prices[column as usize], Arc { row, column, cost })
    };
    chosen.into_iter().map(arc).collect()
}

/// The few smallest of a sequence with their positions, in order.
#[derive(Clone, Default)]
struct Cheapest {
    found: smallvec::SmallVec<[(i64, u32); SHORT + 1]>,
}

impl Cheapest {
    /// Adds one and returns the cost below which another would be of interest.
    fn insert(&mut self, cost: i64, index: u32) -> i64 {
        let at = self.found.iter().rposition(|f| f.0 <= cost).map_or(0, |p| p + 1);
        self.found.insert(at, (cost, index));
        self.found.truncate(SHORT);
        if self.found.len() < SHORT {
            i64::MAX
        } else {
            self.found[SHORT - 1].0
        }
    }

    fn indices(&self) -> impl Iterator<Item = u32> + '_ {
        self.found.iter().map(|f| f.1)
    }
}

/// Rows per column from which entropic prices of the columns are worth their time.
const TALL: usize = 16;

/// Prices of the columns to start from: those of a rough entropic plan for many rows and few columns,
/// else none. They decide how many pivots are needed, not what comes out.
fn starting_prices(cost: &[i64], rows: &[u64], columns: &[u64]) -> Vec<i64> {
    let (n, m) = (rows.len(), columns.len());
    let none = vec![0; m];
    let positive = |masses: &[u64]| masses.iter().all(|&mass| mass > 0);
    if n < TALL * m || m < 2 || !positive(rows) || !positive(columns) {
        return none;
    }
    let real = |masses: &[u64]| -> Vec<f64> { masses.iter().map(|&mass| mass as f64).collect() };
    let (rows, columns) = (real(rows), real(columns));
    let entropic = || -> Result<Vec<f64>, TransportError> {
        let cost = Matrix::new(n, m, cost.iter().map(|&c| c as f64).collect())?;
        let (low, high) = cost.range();
        let mut newton = SemiDualNewton::new((high - low).max(1.0) / 400.0);
        newton.tolerance = 1e-4;
        Ok(newton.potentials(&Problem::new(&cost, &rows, &columns)?)?.0)
    };
    entropic().map_or(none, |prices| prices.iter().map(|&p| p as i64).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimal_transport::tests::uniform;
    use crate::rng::{Stream, stream};

    fn masses(random: &mut Stream, count: usize, largest: u64) -> Vec<u64> {
        (0..count).map(|_| (uniform(random) * largest as f64) as u64).collect()
    }

    /// Makes the totals equal by topping up the first of the poorer side.
    fn balance(rows: &mut [u64], columns: &mut [u64]) {
        let (supply, demand): (u64, u64) = (rows.iter().sum(), columns.iter().sum());
        rows[0] += demand.saturating_sub(supply);
        columns[0] += supply.saturating_sub(demand);
    }

    fn check_optimal(cost: &[i64], rows: &[u64], columns: &[u64]) -> ExactPlan {
        let plan = network_simplex(cost, rows, columns).unwrap();
        let m = columns.len();
        let (mut left, mut wanted) = (rows.to_vec(), columns.to_vec());
        for &(i, j, mass) in &plan.entries {
            left[i as usize] -= mass;
            wanted[j as usize] -= mass;
        }
        assert!(
            left.iter().chain(&wanted).all(|&mass| mass == 0),
            "a marginal is missed"
        );
        // Complementary slackness with feasible potentials proves the plan optimal on its own.
        let mut dual = 0_i128;
        for (i, row) in cost.chunks_exact(m).enumerate() {
            for (j, c) in row.iter().enumerate() {
                assert!(plan.row_potentials[i] + plan.column_potentials[j] <= *c);
            }
            dual += i128::from(plan.row_potentials[i]) * i128::from(rows[i]);
        }
        dual += (plan.column_potentials.iter().zip(columns))
            .map(|(v, b)| i128::from(*v) * i128::from(*b))
            .sum::<i128>();
        assert_eq!(dual, plan.cost);
        assert!(plan.entries.len() < rows.len() + m);
        plan
    }

    #[test]
    fn plans_are_proven_optimal_ties_and_empty_rows_included() {
        let mut random = stream(1, "simplex", 0);
        for trial in 0..300_usize {
            let (n, m) = (1 + trial % 9, 1 + trial / 7 % 11);
            let spread = [1, 3, 1_000_000][trial % 3];
            let cost: Vec<i64> = (0..n * m)
                .map(|_| (uniform(&mut random) * spread as f64) as i64 - spread / 2)
                .collect();
            let largest = [1, 4, 1_000_000_000_000][trial / 3 % 3];
            let (mut rows, mut columns) = (masses(&mut random, n, largest), masses(&mut random, m, largest));
            balance(&mut rows, &mut columns);
            check_optimal(&cost, &rows, &columns);
        }
        for (n, m) in [(150, 120), (600, 12), (12, 300)] {
            let cost: Vec<i64> = (0..n * m).map(|_| (uniform(&mut random) * 1e9) as i64).collect();
            let (mut rows, mut columns) = (masses(&mut random, n, 1_000), masses(&mut random, m, 1_000));
            balance(&mut rows, &mut columns);
            check_optimal(&cost, &rows, &columns);
        }
    }

    /// Equal masses make every pivot a candidate for cycling.
    #[test]
    fn assignments_match_the_hungarian_method() {
        let mut random = stream(2, "simplex", 0);
        for (n, spread) in [(1, 5), (2, 2), (7, 3), (20, 10), (60, 1_000_000), (80, 4)] {
            let cost: Vec<i64> = (0..n * n)
                .map(|_| (uniform(&mut random) * spread as f64) as i64)
                .collect();
            let plan = check_optimal(&cost, &vec![1; n], &vec![1; n]);
            let weights = pathfinding::matrix::Matrix::from_vec(n, n, cost.iter().map(|c| -c).collect()).unwrap();
            let (best, _) = pathfinding::kuhn_munkres::kuhn_munkres(&weights);
            assert_eq!(plan.cost, i128::from(-best));
        }
    }

    #[test]
    fn tiny_masses_beside_huge_ones_are_moved() {
        let plan = check_optimal(&[3, 1, 1, 4], &[1, 1 << 60], &[1 << 60, 1]);
        assert_eq!(plan.entries, [(0, 1, 1), (1, 0, 1 << 60)]);
    }

    #[test]
    fn bad_problems_are_named() {
        let error =
            |cost: &[i64], rows: &[u64], columns: &[u64]| network_simplex(cost, rows, columns).unwrap_err().to_string();
        insta::assert_snapshot!(error(&[1], &[1], &[2]), @"the rows hold 1 and the columns 2: a balanced problem needs equal totals");
        insta::assert_snapshot!(error(&[], &[], &[]), @"there is nothing to transport: the matrix is empty");
        insta::assert_snapshot!(error(&[1, 2], &[1], &[1]), @"the cost matrix has 2 entries where 1 are needed");
        insta::assert_snapshot!(error(&[i64::MAX], &[1], &[1]), @"the costs are too large to be added up: scale them down");
        insta::assert_snapshot!(error(&[1], &[u64::MAX], &[u64::MAX]), @"the masses are too large to be added up: scale them down");
        let infinite = Matrix::new(1, 1, vec![f64::INFINITY]).unwrap();
        assert!(matches!(integer_costs(&infinite), Err(TransportError::Cost { .. })));
    }

    #[test]
    fn real_costs_keep_forty_bits() {
        for largest in [1e-250, 0.3, 1.0, 7e9, 1e300] {
            let (costs, scale) = integer_costs(&Matrix::new(1, 2, vec![largest, largest / 3.0]).unwrap()).unwrap();
            assert!((1 << 39..=1 << 40).contains(&costs[0]), "{largest}: {costs:?}");
            assert!((costs[1] as f64 / scale * 3.0 / largest - 1.0).abs() < 1e-11);
        }
        assert_eq!(integer_costs(&Matrix::zeros(2, 2)).unwrap().0, [0; 4]);
    }
}
