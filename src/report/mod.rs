//! Tables and plots from records.
