//! From an experiment file to results on disk: parse, validate, sweep, run, record.

pub mod record;
