//! Designs that no other beats in both cost and time.

use super::catalogue::{Bill, Design};

/// A design whose least time is known.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluatedDesign {
    /// What is built.
    pub design: Design,
    /// What it takes.
    pub bill: Bill,
    /// Sum over the workloads of weight times least time, in microseconds.
    pub time_us: f64,
    /// The same under the worst of the failures that it must survive.
    pub failed_us: Option<f64>,
}

/// Times that rounding explains.
const ALIKE: f64 = 1e-9;

/// Those that none other beats, by rising price.
pub(super) fn front(mut judged: Vec<EvaluatedDesign>) -> Vec<EvaluatedDesign> {
    judged.sort_by(|a, b| {
        a.bill
            .price
            .total_cmp(&b.bill.price)
            .then(a.time_us.total_cmp(&b.time_us))
            .then(a.design.cmp(&b.design))
    });
    let mut front: Vec<EvaluatedDesign> = Vec::new();
    for one in judged {
        if front
            .last()
            .is_none_or(|last| one.time_us < last.time_us * (1.0 - ALIKE))
        {
            front.push(one);
        }
    }
    front
}

/// The area that a front covers up to a reference price and time.
pub fn hypervolume(front: &[EvaluatedDesign], price: f64, time_us: f64) -> f64 {
    let mut area = 0.0;
    for (index, one) in front.iter().enumerate() {
        let next = front.get(index + 1).map_or(price, |next| next.bill.price.min(price));
        area += (next - one.bill.price).max(0.0) * (time_us - one.time_us).max(0.0);
    }
    area
}
