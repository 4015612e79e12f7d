//! Loops over vectors in a fixed order of addition, with exponentials and logarithms of whole rows.

use crate::math::{exp, exp2, log2_of_normal};
use crate::wide::wide;

/// Lanes that partial sums are kept in: a fixed order of addition that vectorizes, whatever the width.
const LANES: usize = 8;

/// Sums of [`exp2_row`] within these bounds have lost no terms that matter.
pub(super) const SAFE: std::ops::Range<f64> = 1e-200..1e200;

#[inline(always)]
fn fold(s: [f64; LANES]) -> f64 {
    ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]))
}

wide! {
    /// Base-2 logarithms of positive normal numbers, in place.
    pub(super) fn log2_each(values: &mut [f64]) {
        for x in values {
            *x = log2_of_normal(*x);
        }
    }

    /// Inner product.
    pub(super) fn dot(x: &[f64], y: &[f64]) -> f64 {
        let (mut sums, n) = ([0.0; LANES], x.len().min(y.len()));
        let (x, y) = (&x[..n], &y[..n]);
        let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
        let rest: f64 = xs.remainder().iter().zip(ys.remainder()).map(|(a, b)| a * b).sum();
        for (a, b) in xs.zip(ys) {
            for lane in 0..LANES {
                sums[lane] += a[lane] * b[lane];
            }
        }
        fold(sums) + rest
    }

    /// Sum.
    pub(super) fn sum(x: &[f64]) -> f64 {
        let mut sums = [0.0; LANES];
        let xs = x.chunks_exact(LANES);
        let rest: f64 = xs.remainder().iter().sum();
        for a in xs {
            for lane in 0..LANES {
                sums[lane] += a[lane];
            }
        }
        fold(sums) + rest
    }

    /// Largest element; -infinity of none.
    pub(super) fn max(x: &[f64]) -> f64 {
        let mut best = [f64::NEG_INFINITY; LANES];
        let xs = x.chunks_exact(LANES);
        let rest = xs
            .remainder()
            .iter()
            .fold(f64::NEG_INFINITY, |m, &v| if v > m { v } else { m });
        for a in xs {
            for lane in 0..LANES {
                best[lane] = if a[lane] > best[lane] { a[lane] } else { best[lane] };
            }
        }
        best.iter().fold(rest, |m, &v| if v > m { v } else { m })
    }

    /// Smallest element that is a number; infinity of none.
    pub(super) fn min(x: &[f64]) -> f64 {
        let mut best = [f64::INFINITY; LANES];
        let xs = x.chunks_exact(LANES);
        let rest = xs.remainder().iter().fold(f64::INFINITY, |m, &v| if v < m { v } else { m });
        for a in xs {
            for lane in 0..LANES {
                best[lane] = if a[lane] < best[lane] { a[lane] } else { best[lane] };
            }
        }
        best.iter().fold(rest, |m, &v| if v < m { v } else { m })
    }

    /// Smallest and largest element; infinity and -infinity of none.
    pub(super) fn extremes(x: &[f64]) -> (f64, f64) {
        let (mut low, mut high) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
        let xs = x.chunks_exact(LANES);
        let rest = xs.remainder();
        for a in xs {
            for lane in 0..LANES {
                low[lane] = if a[lane] < low[lane] { a[lane] } else { low[lane] };
                high[lane] = if a[lane] > high[lane] { a[lane] } else { high[lane] };
            }
        }
        let least = low
            .iter()
            .chain(rest)
            .fold(f64::INFINITY, |m, &v| if v < m { v } else { m });
        let most = high
            .iter()
            .chain(rest)
            .fold(f64::NEG_INFINITY, |m, &v| if v > m { v } else { m });
        (least, most)
    }

    /// y += factor * x.
    pub(super) fn add_scaled(y: &mut [f64], factor: f64, x: &[f64]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y += factor * x;
        }
    }

    /// y += the sum of `factors[r]` times row r of `rows`, which has up to four of them: fewer passes over y.
    pub(super) fn add_scaled_rows(y: &mut [f64], factors: &[f64; 4], rows: &[f64]) {
        let n = y.len();
        if rows.len() < 4 * n {
            for (&factor, row) in factors.iter().zip(rows.chunks_exact(n)) {
                add_scaled(y, factor, row);
            }
            return;
        }
        let row = |r: usize| &rows[r * n..][..n];
        let (a, b, c, d) = (row(0), row(1), row(2), row(3));
        for i in 0..n {
            y[i] += (factors[0] * a[i] + factors[1] * b[i]) + (factors[2] * c[i] + factors[3] * d[i]);
        }
    }

    /// Writes exp(shift + g - c) into `out` and returns its sum: one row of a plan.
    pub(super) fn exp_row(out: &mut [f64], shift: f64, g: &[f64], c: &[f64]) -> f64 {
        for ((out, g), c) in out.iter_mut().zip(g).zip(c) {
            *out = exp(shift + (g - c));
        }
        sum(out)
    }

    /// Writes 2^(shift + g - scale * c) into `out` and returns its sum: one row of a plan, by [`exp2`].
    pub(super) fn exp2_row(out: &mut [f64], shift: f64, g: &[f64], c: &[f64], scale: f64) -> f64 {
        for ((out, g), c) in out.iter_mut().zip(g).zip(c) {
            *out = exp2(shift + (g - c * scale));
        }
        sum(out)
    }

    /// The same under the shift that makes the largest 1, where sums might overflow or lose all terms to underflow: returns the
    /// shift as well.
    pub(super) fn exp2_row_shifted(out: &mut [f64], g: &[f64], c: &[f64], scale: f64) -> (f64, f64) {
        for ((out, g), c) in out.iter_mut().zip(g).zip(c) {
            *out = g - c * scale;
        }
        let shift = -max(out);
        for x in out.iter_mut() {
            *x = exp2(shift + *x);
        }
        (sum(out), shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that a row can be asked, with every width: bit for bit the same.
    #[test]
    fn every_width_gives_the_same_bytes() {
        let mut random = crate::rng::stream(1, "widths", 0);
        let mut numbers = |n: usize| -> Vec<f64> {
            (0..n)
                .map(|_| 40.0 * crate::optimal_transport::tests::uniform(&mut random) - 20.0)
                .collect()
        };
        for n in (0..40).chain([64, 100, 1_000, 4_099]) {
            let (x, y, rows) = (numbers(n), numbers(n), numbers(4 * n));
            let positive: Vec<f64> = x.iter().map(|v| v.abs() + 1e-3).collect();
            let results = crate::wide::Width::each(|| {
                let mut all = vec![dot(&x, &y), sum(&x), max(&x), min(&x), extremes(&x).0, extremes(&x).1];
                let mut out = y.clone();
                add_scaled(&mut out, 0.3, &x);
                add_scaled_rows(&mut out, &[0.1, 0.7, -0.4, 1e-9], &rows);
                all.extend(&out);
                let mut logs = positive.clone();
                log2_each(&mut logs);
                all.extend(logs);
                all.push(exp_row(&mut out, 0.2, &x, &y));
                all.extend(&out);
                all.push(exp2_row(&mut out, 0.2, &x, &y, 1.7));
                all.extend(&out);
                let (sum, shift) = exp2_row_shifted(&mut out, &x, &y, 90.0);
                all.extend([sum, shift]);
                all.extend(&out);
                all.into_iter().map(f64::to_bits).collect::<Vec<_>>()
            });
            assert!(results.iter().all(|result| *result == results[0]), "{n} numbers");
        }
    }

    #[test]
    fn sums_of_any_length() {
        for n in 0..40_u32 {
            let x: Vec<f64> = (0..n).map(f64::from).collect();
            assert_eq!(sum(&x), f64::from(n * n.saturating_sub(1) / 2));
            assert_eq!(dot(&x, &x), x.iter().map(|v| v * v).sum::<f64>());
            assert_eq!(max(&x), x.last().copied().unwrap_or(f64::NEG_INFINITY));
        }
        for rows in 0..=4 {
            let x: Vec<f64> = (0..3 * rows).map(f64::from).collect();
            let mut y = [1.0, 2.0, 3.0];
            add_scaled_rows(&mut y, &[1.0, 10.0, 100.0, 1000.0], &x);
            let expected =
                |j: i32| f64::from(j + 1 + (0..rows).map(|r| (3 * r + j) * 10_i32.pow(r as u32)).sum::<i32>());
            assert_eq!(y, [expected(0), expected(1), expected(2)]);
        }
    }
}
