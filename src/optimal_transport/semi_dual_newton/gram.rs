//! Sums of outer products, which make up the Hessian.

use super::super::matrix::Matrix;

/// Rows that are multiplied at a time.
const PANEL: usize = 128;
/// Entries below this part of their row's sum do not count.
const NEGLIGIBLE: f64 = 1e-6;
/// Rows with fewer entries than the size over this are added entry by entry.
const SPARSE: usize = 4;
/// Sizes of the blocks of the sum kept in registers.
const TILE: (usize, usize) = (4, 8);
/// In lanes of four, which the compiler then keeps together.
type Tile = [[[f32; 4]; TILE.1 / 4]; TILE.0];

/// Sum of the outer products of vectors with themselves, in `f32`: the Hessian only has to point the way. Sparse vectors are
/// multiplied one by one, dense ones a panel at a time in tiles that fit registers.
pub(super) struct Gram {
    size: usize,
    /// `size` rounded up to whole tiles.
    stride: usize,
    panel: Vec<f32>,
    filled: usize,
    /// Places and values of one row that count.
    found: Vec<(u32, f32)>,
    totals: Vec<f64>,
}

impl Gram {
    pub(super) fn new(size: usize) -> Self {
        let stride = size.next_multiple_of(TILE.1);
        Self {
            size,
            stride,
            panel: vec![0.0; PANEL * stride],
            filled: 0,
            found: vec![(0, 0.0); size + 1],
            totals: vec![0.0; stride * stride],
        }
    }

    /// Adds the outer product of `factor * entries * weights`, whose entries sum to about `sum`.
    pub(super) fn add(&mut self, factor: f64, entries: &[f64], weights: &[f64], sum: f64) {
        let least = NEGLIGIBLE * sum;
        let row = &mut self.panel[self.filled * self.stride..][..self.size];
        for ((out, &entry), &weight) in row.iter_mut().zip(entries).zip(weights) {
            let value = factor * (entry * weight);
            *out = if value > least { value as f32 } else { 0.0 };
        }
        let mut count = 0;
        for (place, &value) in (0..).zip(&*row) {
            // Written always and counted only where it is one: no branch to mispredict.
            self.found[count] = (place, value);
            count += usize::from(value > 0.0);
        }
        if count * SPARSE <= self.size {
            self.scatter(count);
        } else {
            self.filled += 1;
            if self.filled == PANEL {
                self.multiply();
            }
        }
    }

    /// Adds the products of the first `count` entries found.
    fn scatter(&mut self, count: usize) {
        let found = &self.found[..count];
        for (last, &(i, value)) in found.iter().enumerate() {
            let totals = &mut self.totals[i as usize * self.stride..][..self.stride];
            for &(j, other) in &found[..=last] {
                totals[j as usize] += f64::from(value * other);
            }
        }
    }

    /// Adds the products of the panel's rows, and empties it.
    fn multiply(&mut self) {
        for i in (0..self.stride).step_by(TILE.0) {
            for j in (0..=i).step_by(TILE.1) {
                let tile = self.tile(i, j);
                for (r, sums) in tile.iter().enumerate() {
                    let totals = &mut self.totals[(i + r) * self.stride + j..][..TILE.1];
                    for (total, &sum) in totals.iter_mut().zip(sums.as_flattened()) {
                        *total += f64::from(sum);
                    }
                }
            }
        }
        self.filled = 0;
    }

    /// Never inlined: beside the conversion to `f64` the compiler would use half of each register.
    #[inline(never)]
    fn tile(&self, i: usize, j: usize) -> Tile {
        let mut tile = Tile::default();
        for row in self.panel[..self.filled * self.stride].chunks_exact(self.stride) {
            let left: &[f32; TILE.0] = row[i..].first_chunk().expect("a whole tile");
            let right: &[f32; TILE.1] = row[j..].first_chunk().expect("a whole tile");
            for (sums, &l) in tile.iter_mut().zip(left) {
                for (half, lanes) in sums.iter_mut().enumerate() {
                    for (lane, sum) in lanes.iter_mut().enumerate() {
                        *sum += l * right[4 * half + lane];
                    }
                }
            }
        }
        tile
    }

    /// The sum; its lower triangle is complete.
    pub(super) fn finish(mut self) -> Matrix {
        self.multiply();
        Matrix::from_fn(self.size, self.size, |i, j| self.totals[i * self.stride + j])
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::rng::stream;

    #[test]
    fn sparse_and_dense_rows_add_up() {
        for size in [1, 5, 8, 20] {
            let mut random = stream(1, "gram", size as u64);
            let mut gram = Gram::new(size);
            let mut expected = Matrix::zeros(size, size);
            let weights: Vec<f64> = (0..size).map(|_| 0.5 + random.random::<f64>()).collect();
            for row in 0..300 {
                let filled = [0.05, 1.0][row % 2];
                let mut entry = || {
                    if random.random::<f64>() < filled {
                        random.random::<f64>()
                    } else {
                        1e-9
                    }
                };
                let entries: Vec<f64> = (0..size).map(|_| entry()).collect();
                gram.add(1.5, &entries, &weights, 1.0);
                for i in 0..size {
                    for j in 0..size {
                        expected.row_mut(i)[j] += 2.25 * entries[i] * weights[i] * entries[j] * weights[j];
                    }
                }
            }
            let sum = gram.finish();
            for i in 0..size {
                for j in 0..=i {
                    let (found, expected) = (sum.at(i, j), expected.at(i, j));
                    assert!(
                        (found - expected).abs() <= 1e-5 * expected.abs() + 1e-4,
                        "{found} against {expected}"
                    );
                }
            }
        }
    }
}
