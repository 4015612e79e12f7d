//! Benchmarks of placement.

#[path = "calibration/mod.rs"]
mod calibration;

fn main() {
    println!("hold model: {:.1} ns per operation", calibration::hold_ns());
}
