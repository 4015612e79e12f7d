//! OT3 against its closed forms, the linear programme and its own certificates.

use super::*;
use crate::optimal_transport::matrix::Matrix;
use crate::optimal_transport::tests::uniform;
use crate::rng::stream;

/// A random leaf-spine problem: demands of density `dense`, capacities of {1, 2, 4}, some links dead.
fn random_table(leaves: usize, spines: usize, dense: f64, dead: f64, seed: u64) -> (CellTable, Vec<Vec<u32>>) {
    let mut random = stream(seed, "ot3", 0);
    let demand = Matrix::from_fn(leaves, leaves, |a, b| {
        if a != b && uniform(&mut random) < dense {
            1.0 + 9.0 * uniform(&mut random)
        } else {
            0.0
        }
    });
    let capacity = |random: &mut _| {
        if uniform(random) < dead {
            0.0
        } else {
            [1.0, 2.0, 4.0][(3.0 * uniform(random)) as usize]
        }
    };
    // The last spine never fails, so that every pair has a way.
    let mut up = Matrix::from_fn(leaves, spines, |_, _| capacity(&mut random));
    let mut down = Matrix::from_fn(spines, leaves, |_, _| capacity(&mut random));
    for l in 0..leaves {
        up.row_mut(l)[spines - 1] = 1.0;
        down.row_mut(spines - 1)[l] = 1.0;
    }
    let table = CellTable::planar(&demand, &up, &down).unwrap();
    let alive = |e: usize| table.cells_of(e).len() > 0;
    let cuts = (0..2 * leaves)
        .map(|l| {
            (l * spines..(l + 1) * spines)
                .filter(|&e| alive(e))
                .map(|e| e as u32)
                .collect()
        })
        .collect();
    (table, cuts)
}

#[test]
fn one_pair_divides_by_capacity() {
    let demand = Matrix::new(2, 2, vec![0.0, 6.0, 0.0, 0.0]).unwrap();
    let up = Matrix::new(2, 3, vec![1.0, 2.0, 0.0, 1.0, 1.0, 1.0]).unwrap();
    let down = Matrix::new(3, 2, vec![1.0, 4.0, 1.0, 1.0, 1.0, 1.0]).unwrap();
    let table = CellTable::planar(&demand, &up, &down).unwrap();
    // Spine 0 passes min(1, 4), spine 1 min(2, 1), spine 2 is dead: theta = 6 / 2.
    let found = least_congestion(
        &table,
        &[[0_u32]; 0],
        &Ot3 {
            tolerance: 1e-6,
            ..Ot3::default()
        },
    )
    .unwrap();
    let exact = exact_least_congestion(&table).unwrap();
    for answer in [&found, &exact] {
        assert!(
            (answer.theta - 3.0).abs() < 1e-5 && (answer.bound - 3.0).abs() < 1e-5,
            "{answer:?}"
        );
    }
}

/// Random dense and sparse problems, up to rings with dead links, where the cuts are far from tight.
#[test]
fn ot3_meets_the_linear_programme_and_never_passes_below_it() {
    let (mut open, mut ratios) = (0, Vec::new());
    for seed in 0..40 {
        let (dense, dead) = [(1.0, 0.0), (0.8, 0.2), (0.25, 0.3), (0.15, 0.4)][seed as usize % 4];
        let (table, cuts) = random_table(8, 5, dense, dead, seed);
        let exact = exact_least_congestion(&table).unwrap();
        assert!(
            exact.theta <= exact.bound * (1.0 + 1e-6),
            "{} over {}",
            exact.theta,
            exact.bound
        );
        let found = least_congestion(&table, &cuts, &Ot3::default()).unwrap();
        assert!(found.theta >= exact.theta * (1.0 - 1e-6), "below the optimum");
        assert!(found.bound <= exact.theta * (1.0 + 1e-6), "a bound above the optimum");
        assert!((table.congestion(&table.loads(&found.plan)) - found.theta).abs() < 1e-12 * found.theta);
        ratios.push(found.theta / exact.theta);
        open += usize::from(found.theta > found.bound * 1.0011);
    }
    let worst = ratios.iter().copied().fold(0.0, f64::max);
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    assert!(worst <= 1.005 && mean <= 1.002, "mean {mean}, worst {worst}");
    assert!(open <= 2, "{open} of 40 certificates stay open");
}

#[test]
fn a_vertex_keeps_the_congestion_with_few_cells() {
    for seed in 0..12 {
        let (table, cuts) = random_table(8, 5, 0.9, 0.1, 100 + seed);
        let fractional = least_congestion(&table, &cuts, &Ot3::default()).unwrap();
        let vertex = to_vertex(&table, &fractional.plan, fractional.theta).unwrap();
        let loads = table.loads(&vertex);
        assert!(table.congestion(&loads) <= fractional.theta * (1.0 + 1e-9));
        let support = |plan: &[f64]| plan.iter().filter(|&&x| x > 0.0).count();
        let binding = (loads.iter().zip(table.capacities()))
            .filter(|(load, capacity)| *load > &(*capacity * fractional.theta * (1.0 - 1e-9)))
            .count();
        let extra = support(&vertex) - table.demands().len();
        assert!(extra <= binding, "{extra} extra cells for {binding} binding capacities");
        assert!(support(&vertex) < support(&fractional.plan));
    }
}

#[test]
fn costs_choose_among_plans_of_equal_congestion() {
    // Two demands over two equal capacities: either may go either way.
    let table = || CellTable::new([(1.0, vec![[0_u32], [1]]), (1.0, vec![[0], [1]])], vec![1.0, 1.0]).unwrap();
    let options = Ot3 {
        epsilon: 0.02,
        tolerance: 1e-6,
        ..Ot3::default()
    };
    let plan = least_congestion(&table(), &[[0_u32, 1]], &options).unwrap().plan;
    assert!((plan[0] - 0.5).abs() < 1e-6);
    let moved = table().with_costs(vec![0.0, 1.0, 1.0, 0.0]).unwrap();
    let found = least_congestion(&moved, &[[0_u32, 1]], &options).unwrap();
    assert!(found.plan[0] > 0.999 && found.plan[3] > 0.999, "{:?}", found.plan);
    assert!(found.theta <= 1.000_001);
}

#[test]
fn bad_tables_are_named() {
    let error = |demands: Vec<(f64, Vec<[u32; 1]>)>, capacities: Vec<f64>| {
        CellTable::new(demands, capacities).unwrap_err().to_string()
    };
    insta::assert_snapshot!(error(vec![(1.0, vec![])], vec![1.0]), @"demand 0 cannot be met: none of its cells has capacity");
    insta::assert_snapshot!(error(vec![(1.0, vec![[0]])], vec![0.0]), @"a capacity is 0: it must be positive and finite");
    insta::assert_snapshot!(error(vec![(f64::NAN, vec![[0]])], vec![1.0]), @"demand 0 is NaN: it must be finite and not negative");
    insta::assert_snapshot!(error(vec![(1.0, vec![[3]])], vec![1.0]), @"the capacities has 1 entries where 4 are needed");
    let empty = CellTable::new(Vec::<(f64, Vec<[u32; 1]>)>::new(), vec![]).unwrap();
    assert_eq!(exact_least_congestion(&empty).unwrap().theta, 0.0);
    assert_eq!(
        least_congestion(&empty, &[[0_u32; 0]], &Ot3::default()).unwrap().theta,
        0.0
    );
}
