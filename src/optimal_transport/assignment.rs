//! Exact assignment of rows to columns by shortest augmenting paths (Jonker and Volgenant 1987).

use super::TransportError;
use super::matrix::{Matrix, check_shape};
use super::vectors::min;
use crate::ids::{Id, IdVec, id};
use crate::wide::wide;

id! {
    Row;
    Column;
}

/// Every row with a column of its own, at the least total cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// Column of each row.
    pub columns: Vec<u32>,
    /// Sum of the costs.
    pub cost: f64,
    /// Potentials that prove it least: `u_i + v_j <= C_ij`, with equality where assigned, to rounding error.
    pub row_potentials: Vec<f64>,
    /// See `row_potentials`.
    pub column_potentials: Vec<f64>,
}

/// The cheapest assignment for a square matrix of costs.
///
/// # Errors
/// [`TransportError::Shape`] for a matrix that is not square, [`TransportError::Nothing`] for an empty one,
/// [`TransportError::Cost`] where a cost is NaN or infinite.
pub fn assign(cost: &Matrix) -> Result<Assignment, TransportError> {
    let n = cost.rows();
    check_shape("a row of the square cost matrix", n, cost.columns())?;
    if n == 0 {
        return Err(TransportError::Nothing("the matrix is empty"));
    }
    if let Some(at) = cost.data().iter().position(|c| !c.is_finite()) {
        let (row, column, value) = (at / n, at % n, cost.data()[at]);
        return Err(TransportError::Cost { row, column, value });
    }
    let mut matching = Matching {
        cost,
        prices: IdVec::filled(0.0, n),
        column_of: IdVec::filled(Column::NONE, n),
        row_of: IdVec::filled(Row::NONE, n),
    };
    matching.reduce_columns();
    let unmatched = |&row: &Row| matching.column_of[row] == Column::NONE;
    let mut free: Vec<Row> = matching.column_of.ids().filter(unmatched).collect();
    for _ in 0..2 {
        free = matching.reduce_rows(free);
    }
    let mut search = Search::new(n);
    for row in free {
        matching.augment(row, &mut search);
    }
    Ok(matching.finish())
}

struct Matching<'a> {
    cost: &'a Matrix,
    /// Potentials of the columns.
    prices: IdVec<Column, f64>,
    column_of: IdVec<Row, Column>,
    row_of: IdVec<Column, Row>,
}

impl Matching<'_> {
    /// Each column's price is its cheapest cost; the row that offers it gets the column if it has none.
    fn reduce_columns(&mut self) {
        let n = self.prices.len();
        let mut cheapest: IdVec<Column, u64> = IdVec::filled(0, n);
        self.prices.copy_from_slice(self.cost.row(0));
        for i in 1..n {
            for ((price, row), &c) in self.prices.iter_mut().zip(&mut cheapest).zip(self.cost.row(i)) {
                let lower = c < *price;
                *row = if lower { i as u64 } else { *row };
                *price = if lower { c } else { *price };
            }
        }
        for column in cheapest.ids().rev() {
            let row = Row(cheapest[column] as u32);
            if self.column_of[row] == Column::NONE {
                self.column_of[row] = column;
                self.row_of[column] = row;
            }
        }
    }

    /// Augmenting row reduction: each free row takes its best column and lowers its price to what
    /// the second best would be worth; a row put out goes on at once where that made room. Returns the rows still free.
    fn reduce_rows(&mut self, free: Vec<Row>) -> Vec<Row> {
        let mut still_free = Vec::new();
        // Rounding could pass a price back and forth for ever.
        let mut patience = 20 * self.prices.len();
        for mut row in free {
            loop {
                let (best, first, second, runner_up) = self.two_best(row);
                let lowers = first < second;
                let column = if !lowers && self.row_of[best] != Row::NONE {
                    runner_up
                } else {
                    best
                };
                if lowers {
                    self.prices[best] -= second - first;
                }
                let put_out = std::mem::replace(&mut self.row_of[column], row);
                self.column_of[row] = column;
                if put_out == Row::NONE {
                    break;
                }
                self.column_of[put_out] = Column::NONE;
                patience = patience.saturating_sub(1);
                if !lowers || patience == 0 {
                    still_free.push(put_out);
                    break;
                }
                row = put_out;
            }
        }
        still_free
    }

    /// The cheapest column of a row after prices with that cost, and cost and column of the second.
    fn two_best(&self, row: Row) -> (Column, f64, f64, Column) {
        let (mut best, mut first) = (0, f64::INFINITY);
        let (mut runner_up, mut second) = (0, f64::INFINITY);
        for (j, (c, v)) in self.cost.row(row.index()).iter().zip(&self.prices).enumerate() {
            let reduced = c - v;
            if reduced < second {
                if reduced < first {
                    (runner_up, second) = (best, first);
                    (best, first) = (j, reduced);
                } else {
                    (runner_up, second) = (j, reduced);
                }
            }
        }
        let [best, runner_up] = [best, runner_up].map(Column::from_index);
        if second == f64::INFINITY {
            (best, first, first, best)
        } else {
            (best, first, second, runner_up)
        }
    }

    /// Assigns one more row along the shortest path of reduced costs to a column without a row.
    fn augment(&mut self, row: Row, search: &mut Search) {
        search.begin();
        let (mut at, mut offset) = (row, 0.0);
        let (end, distance) = loop {
            let (column, distance) = search.relax(at, offset, self.cost.row(at.index()), &self.prices);
            search.settle(column);
            match self.row_of[column] {
                Row::NONE => break (column, distance),
                next => {
                    at = next;
                    offset = distance - (self.cost.at(next.index(), column.index()) - self.prices[column]);
                }
            }
        };
        for &(column, settled) in &search.settled {
            self.prices[column] += settled - distance;
        }
        let mut column = end;
        loop {
            let from = Row(search.from[column] as u32);
            self.row_of[column] = from;
            let before = std::mem::replace(&mut self.column_of[from], column);
            if from == row {
                return;
            }
            column = before;
        }
    }

    fn finish(self) -> Assignment {
        let cost = |row: Row, column: Column| self.cost.at(row.index(), column.index());
        let matched = || self.column_of.entries().map(|(row, &column)| (row, column));
        Assignment {
            cost: matched().map(|(row, column)| cost(row, column)).sum(),
            row_potentials: matched()
                .map(|(row, column)| cost(row, column) - self.prices[column])
                .collect(),
            columns: self.column_of.iter().map(|column| column.0).collect(),
            column_potentials: self.prices.to_vec(),
        }
    }
}

/// A Dijkstra search from a free row over all columns.
struct Search {
    /// Distance of each column; NaN once settled, which no comparison takes for smaller.
    distance: IdVec<Column, f64>,
    /// Row before each column on the way; as wide as a distance, so that both are written together.
    from: IdVec<Column, u64>,
    settled: Vec<(Column, f64)>,
}

impl Search {
    fn new(n: usize) -> Self {
        Self {
            distance: IdVec::filled(0.0, n),
            from: IdVec::filled(0, n),
            settled: Vec::new(),
        }
    }

    fn begin(&mut self) {
        self.distance.fill(f64::INFINITY);
        self.settled.clear();
    }

    /// Shortens ways through `row`; gives the nearest column that is not settled and its distance.
    fn relax(&mut self, row: Row, offset: f64, cost: &[f64], prices: &IdVec<Column, f64>) -> (Column, f64) {
        let (distances, from) = (self.distance.as_mut_slice(), self.from.as_mut_slice());
        let least = shorten(distances, from, u64::from(row.0), offset, cost, prices.as_slice());
        let column = distances.iter().position(|&d| d == least);
        (
            Column::from_index(column.expect("a square problem has a free column for every free row")),
            least,
        )
    }

    fn settle(&mut self, column: Column) {
        let distance = std::mem::replace(&mut self.distance[column], f64::NAN);
        self.settled.push((column, distance));
    }
}

wide! {
    /// Takes ways through a row, `offset + cost - price`, for all columns to which they are shorter; gives the least distance.
    fn shorten(distances: &mut [f64], from: &mut [u64], row: u64, offset: f64, cost: &[f64], prices: &[f64]) -> f64 {
        for (((distance, from), c), v) in distances.iter_mut().zip(from).zip(cost).zip(prices) {
            let way = offset + (c - v);
            let shorter = way < *distance;
            *from = if shorter { row } else { *from };
            *distance = if shorter { way } else { *distance };
        }
        min(distances)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimal_transport::tests::uniform;
    use crate::rng::stream;

    fn check(cost: &Matrix) -> Assignment {
        let found = assign(cost).unwrap();
        let n = cost.rows();
        let mut taken = vec![false; n];
        for &j in &found.columns {
            assert!(
                !std::mem::replace(&mut taken[j as usize], true),
                "column {j} is given twice"
            );
        }
        for i in 0..n {
            for j in 0..n {
                let slack = cost.at(i, j) - found.row_potentials[i] - found.column_potentials[j];
                assert!(slack > -1e-9, "({i}, {j}) would improve by {slack:e}");
            }
        }
        found
    }

    fn cheapest_by_trying_all(cost: &Matrix, row: usize, used: u32) -> f64 {
        if row == cost.rows() {
            return 0.0;
        }
        let free = (0..cost.rows()).filter(|j| used & (1 << j) == 0);
        free.map(|j| cost.at(row, j) + cheapest_by_trying_all(cost, row + 1, used | 1 << j))
            .fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn matches_brute_force_with_and_without_ties() {
        let mut random = stream(1, "assign", 0);
        for trial in 0..200 {
            let n = 1 + trial % 7;
            let levels = [2.0, 4.0, 1e6][trial % 3];
            let cost = Matrix::from_fn(n, n, |_, _| (levels * uniform(&mut random)).floor() - levels / 2.0);
            let found = check(&cost);
            assert!((found.cost - cheapest_by_trying_all(&cost, 0, 0)).abs() < 1e-9);
        }
    }

    #[test]
    fn larger_ones_match_the_hungarian_method() {
        let mut random = stream(2, "assign", 0);
        for (n, levels) in [(40, 3.0), (90, 50.0), (120, 1e9)] {
            let cost = Matrix::from_fn(n, n, |_, _| (levels * uniform(&mut random)).floor());
            let found = check(&cost);
            let weights = cost.data().iter().map(|&c| -(c as i64)).collect();
            let weights = pathfinding::matrix::Matrix::from_vec(n, n, weights).unwrap();
            assert_eq!(
                found.cost,
                -(pathfinding::kuhn_munkres::kuhn_munkres(&weights).0 as f64)
            );
        }
        check(&Matrix::zeros(30, 30));
        check(&Matrix::from_fn(30, 30, |i, j| (i as f64 - j as f64).abs()));
    }

    #[test]
    fn bad_problems_are_named() {
        assert!(matches!(
            assign(&Matrix::zeros(2, 3)),
            Err(TransportError::Shape { .. })
        ));
        assert!(matches!(assign(&Matrix::zeros(0, 0)), Err(TransportError::Nothing(_))));
        let infinite = Matrix::new(1, 1, vec![f64::NAN]).unwrap();
        assert!(matches!(assign(&infinite), Err(TransportError::Cost { .. })));
    }
}
