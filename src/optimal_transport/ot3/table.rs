//! The problem: demands, cells, capacities.

use crate::ids::{Id, IdLists, id};
use crate::optimal_transport::TransportError;
use crate::optimal_transport::matrix::{Matrix, check_masses, check_positive, check_shape};

id! {
    DemandId;
    CellId;
    CapacityId;
}

/// Demands that divide over cells, each of which counts in some capacities.
#[derive(Debug, Clone, PartialEq)]
pub struct CellTable {
    demands: Vec<f64>,
    capacities: Vec<f64>,
    /// The demand of each cell, those of one demand together.
    owners: IdLists<DemandId, DemandId>,
    /// Capacities that each cell counts in, and the other way round.
    members: IdLists<CellId, CapacityId>,
    cells: IdLists<CapacityId, CellId>,
    /// Preference of each cell, at least 0; empty where there is none.
    costs: Vec<f64>,
}

impl CellTable {
    /// From the amount of each demand with its cells, each a list of capacities that it counts in.
    ///
    /// # Errors
    /// [`TransportError::Mass`] for bad demands or capacities (capacities must be positive: leave dead links out),
    /// [`TransportError::Unreachable`] for a positive demand without cells.
    pub fn new<C: AsRef<[u32]>>(
        demands: impl IntoIterator<Item = (f64, Vec<C>)>,
        capacities: Vec<f64>,
    ) -> Result<Self, TransportError> {
        check_masses("capacity", &capacities)?;
        for &capacity in &capacities {
            check_positive("a capacity", capacity)?;
        }
        let mut table = Self {
            demands: Vec::new(),
            capacities,
            owners: IdLists::new(),
            members: IdLists::new(),
            cells: IdLists::new(),
            costs: Vec::new(),
        };
        let mut count = 0;
        for (amount, cells) in demands {
            let demand = table.demands.len();
            table.demands.push(amount);
            if amount > 0.0 && cells.is_empty() {
                return Err(TransportError::Unreachable { demand });
            }
            fits(table.owners.values().len() + cells.len())?;
            fits(demand)?;
            let owner = DemandId(demand as u32);
            table.owners.push(std::iter::repeat_n(owner, cells.len()));
            for cell in &cells {
                count += cell.as_ref().len();
                fits(count)?;
                table.members.push(cell.as_ref().iter().map(|&e| CapacityId(e)));
            }
        }
        check_masses("demand", &table.demands)?;
        let known = table.capacities.len();
        if let Some(beyond) = table.members.values().iter().find(|e| e.index() >= known) {
            check_shape("the capacities", beyond.index() + 1, known)?;
        }
        let pairs = table
            .members
            .ids()
            .flat_map(|cell| table.members[cell].iter().map(move |&e| (e, cell)));
        table.cells = IdLists::grouped(known, pairs);
        Ok(table)
    }

    /// The planar three-index problem of a leaf-spine fabric: `demand[l, l']`, `up[l, s]`, `down[s, l']`.
    /// A cell exists where both capacities are positive; demands follow row after row, without empty ones. Capacity
    /// `l * S + s` is up-link (l, s), and `(L + l') * S + s` down-link (s, l').
    ///
    /// # Errors
    /// As [`CellTable::new`]; [`TransportError::Shape`] where the matrices do not fit together.
    pub fn planar(demand: &Matrix, up: &Matrix, down: &Matrix) -> Result<Self, TransportError> {
        let (leaves, spines) = (up.rows(), up.columns());
        check_shape("the demands' rows", leaves, demand.rows())?;
        check_shape("the demands' columns", leaves, demand.columns())?;
        check_shape("the down-links' rows", spines, down.rows())?;
        check_shape("the down-links' columns", leaves, down.columns())?;
        check_masses("up-link capacity", up.data())?;
        check_masses("down-link capacity", down.data())?;
        let mut capacities = up.data().to_vec();
        capacities.extend((0..leaves * spines).map(|e| down.at(e % spines, e / spines)));
        let cells = |a: usize, b: usize| -> Vec<[u32; 2]> {
            let alive = (0..spines).filter(|&s| up.at(a, s) > 0.0 && down.at(s, b) > 0.0);
            alive
                .map(|s| [(a * spines + s) as u32, ((leaves + b) * spines + s) as u32])
                .collect()
        };
        let pairs = (0..leaves).flat_map(|a| (0..leaves).map(move |b| (a, b)));
        let demands: Vec<_> = pairs
            .filter(|&(a, b)| demand.at(a, b) != 0.0)
            .map(|(a, b)| (demand.at(a, b), cells(a, b)))
            .collect();
        // A dead link has no cells: its capacity never binds.
        for capacity in &mut capacities {
            if *capacity == 0.0 {
                *capacity = 1.0;
            }
        }
        Self::new(demands, capacities)
    }

    /// The same problem with a preference for each cell, in any unit: among plans of the same
    /// congestion those of small cost are favored, by [`super::Ot3::epsilon`].
    ///
    /// # Errors
    /// [`TransportError::Shape`], and [`TransportError::Mass`] for a cost that is NaN, infinite or negative.
    pub fn with_costs(mut self, costs: Vec<f64>) -> Result<Self, TransportError> {
        check_shape("the costs", self.cell_count(), costs.len())?;
        check_masses("cost of cell", &costs)?;
        self.costs = costs;
        Ok(self)
    }

    /// Amount of each demand.
    pub fn demands(&self) -> &[f64] {
        &self.demands
    }

    /// The capacities.
    pub fn capacities(&self) -> &[f64] {
        &self.capacities
    }

    /// Number of cells of all demands.
    pub fn cell_count(&self) -> usize {
        self.members.len()
    }

    /// Cells of a demand.
    pub fn cells(&self, demand: usize) -> std::ops::Range<usize> {
        self.owners.range(DemandId(demand as u32))
    }

    /// The demand that a cell belongs to.
    pub fn demand_of(&self, cell: usize) -> usize {
        self.owners.values()[cell].index()
    }

    /// Capacities that a cell counts in.
    pub fn members(&self, cell: usize) -> impl ExactSizeIterator<Item = usize> + DoubleEndedIterator + Clone + '_ {
        self.members[CellId(cell as u32)].iter().map(|e| e.index())
    }

    /// Cells that count in a capacity.
    pub fn cells_of(&self, capacity: usize) -> impl ExactSizeIterator<Item = usize> + DoubleEndedIterator + Clone + '_ {
        self.cells[CapacityId(capacity as u32)].iter().map(|cell| cell.index())
    }

    /// Preference of a cell.
    pub fn cost(&self, cell: usize) -> f64 {
        self.costs.get(cell).copied().unwrap_or(0.0)
    }

    /// What a plan (an amount per cell) puts on each capacity.
    pub fn loads(&self, plan: &[f64]) -> Vec<f64> {
        let mut loads = vec![0.0; self.capacities.len()];
        for (cell, &amount) in plan.iter().enumerate() {
            for e in self.members(cell) {
                loads[e] += amount;
            }
        }
        loads
    }

    /// Largest quotient of load and capacity.
    pub fn congestion(&self, loads: &[f64]) -> f64 {
        let quotients = loads
            .iter()
            .zip(&self.capacities)
            .map(|(load, capacity)| load / capacity);
        quotients.fold(0.0, f64::max)
    }

    /// The lower bound on the congestion that non-negative prices on the capacities prove:
    /// `sum_p D_p min_cells(price of the cell) / sum_e price_e capacity_e`. With prices of 1 on the links out of a leaf
    /// it is that leaf's cut.
    pub fn bound(&self, prices: &[f64]) -> f64 {
        let cheapest = |p: usize| {
            self.cells(p)
                .map(|cell| self.members(cell).map(|e| prices[e]).sum::<f64>())
                .fold(f64::INFINITY, f64::min)
        };
        let paid: f64 = (0..self.demands.len())
            .filter(|&p| self.demands[p] > 0.0)
            .map(|p| self.demands[p] * cheapest(p))
            .sum();
        let worth: f64 = prices.iter().zip(&self.capacities).map(|(y, c)| y * c).sum();
        if worth > 0.0 { paid / worth } else { 0.0 }
    }

    /// The same bound for prices of 1 on the capacities of a set (each named once) and 0 on all others, without a
    /// look at the rest of the table.
    pub fn cut_bound(&self, cut: &[u32]) -> f64 {
        let cells = cut.iter().flat_map(|&e| self.cells_of(e as usize));
        let mut hits: Vec<usize> = cells.collect();
        hits.sort_unstable();
        // Demands all of whose cells are hit pay for the least of them.
        let mut paid = 0.0;
        for of_demand in hits.chunk_by(|&a, &b| self.demand_of(a) == self.demand_of(b)) {
            let demand = self.demand_of(of_demand[0]);
            let counts = of_demand.chunk_by(|a, b| a == b).map(<[usize]>::len);
            if counts.clone().count() == self.cells(demand).len() {
                paid += self.demands[demand] * counts.min().unwrap_or(0) as f64;
            }
        }
        let worth: f64 = cut.iter().map(|&e| self.capacities[e as usize]).sum();
        if worth > 0.0 { paid / worth } else { 0.0 }
    }

    /// Refuses a plan that misses a demand by more than `tolerance` of it; gives the largest miss.
    pub fn check(&self, plan: &[f64], tolerance: f64) -> Result<f64, TransportError> {
        check_shape("the plan", self.cell_count(), plan.len())?;
        check_masses("plan entry", plan)?;
        let miss = |(p, &demand): (usize, &f64)| {
            let sum: f64 = plan[self.cells(p)].iter().sum();
            if demand > 0.0 {
                (sum - demand).abs() / demand
            } else {
                sum
            }
        };
        let error = self.demands.iter().enumerate().map(miss).fold(0.0, f64::max);
        if error <= tolerance {
            Ok(error)
        } else {
            let iterations = 0;
            Err(TransportError::NotConverged { iterations, error })
        }
    }
}

fn fits(count: usize) -> Result<(), TransportError> {
    u32::try_from(count)
        .map(|_| ())
        .map_err(|_| TransportError::Overflow("the cells of the table"))
}
