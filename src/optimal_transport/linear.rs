//! Dense symmetric linear systems.

use super::matrix::Matrix;

/// Cholesky factor of a symmetric positive definite matrix.
#[derive(Debug, Clone)]
pub(super) struct Cholesky {
    /// Lower triangle, row after row.
    factor: Matrix,
}

impl Cholesky {
    /// Factorises the lower triangle of `matrix` with `ridge` added to its diagonal; `None` where that is
    /// not positive definite.
    pub(super) fn new(matrix: &Matrix, ridge: f64) -> Option<Self> {
        let n = matrix.rows();
        let mut factor = matrix.clone();
        for i in 0..n {
            for j in 0..=i {
                let (upper, lower) = (factor.row(j), factor.row(i));
                let inner = super::vectors::dot(&upper[..j], &lower[..j]);
                let rest = lower[j] - inner;
                if i == j {
                    let pivot = rest + ridge;
                    if !(pivot > 0.0 && pivot.is_finite()) {
                        return None;
                    }
                    factor.row_mut(i)[i] = pivot.sqrt();
                } else {
                    let pivot = upper[j];
                    factor.row_mut(i)[j] = rest / pivot;
                }
            }
        }
        Some(Self { factor })
    }

    /// Factorises with a ridge of at least `damping` times the largest diagonal entry: the smallest, in steps of 100 from
    /// 1e-15, that works.
    pub(super) fn with_ridge(matrix: &Matrix, damping: f64) -> Option<Self> {
        let largest = (0..matrix.rows()).map(|i| matrix.at(i, i).abs()).fold(0.0, f64::max);
        let ridges = std::iter::successors(Some(1e-15), |ridge| Some(ridge * 100.0)).take(8);
        ridges
            .into_iter()
            .find_map(|ridge| Self::new(matrix, largest * (damping + ridge)))
    }

    /// Solves for a right-hand side.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let n = self.factor.rows();
        let mut x = right.to_vec();
        for i in 0..n {
            let row = self.factor.row(i);
            x[i] = (x[i] - super::vectors::dot(&row[..i], &x[..i])) / row[i];
        }
        for i in (0..n).rev() {
            let row = self.factor.row(i);
            x[i] /= row[i];
            let value = x[i];
            super::vectors::add_scaled(&mut x[..i], -value, &row[..i]);
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_a_system_and_refuses_an_indefinite_one() {
        let matrix = Matrix::from_fn(5, 5, |i, j| if i == j { 7.0 } else { 1.0 / (1 + i + j) as f64 });
        let x = [1.0, -2.0, 3.0, 0.5, 4.0];
        let right: Vec<f64> = (0..5).map(|i| (0..5).map(|j| matrix.at(i, j) * x[j]).sum()).collect();
        let found = Cholesky::new(&matrix, 0.0).unwrap().solve(&right);
        assert!(found.iter().zip(&x).all(|(a, b)| (a - b).abs() < 1e-14), "{found:?}");
        assert!(Cholesky::new(&Matrix::from_fn(2, 2, |i, j| if i == j { 1.0 } else { 2.0 }), 0.0).is_none());
    }
}
