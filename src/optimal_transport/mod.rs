//! Optimal transport between discrete measures: mathematics on matrices and vectors, with no network in it.
