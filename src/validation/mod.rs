//! Engines, placements and bounds held against each other.
//!
//! For every point of a plan the analytic side, the flow engine and the packet engine are run, and
//! what they say is compared: each comparison is one [`Finding`] with both figures and the
//! tolerance it was held to. The packet engine runs with the transport `ideal` on queues without
//! limit, which isolates load balancing from congestion control. The transport of the experiment
//! itself has the largest transfer alone on the fabric to show that it fills what there is.
//!
//! What is compared comes through a [`SystemUnderTest`]. Users validate the [`House`] itself; tests pass subjects
//! that are wrong on purpose and see that validation catches them.

mod agreement;
mod bound;
mod completion;
mod conservation;
mod determinism;
mod evidence;
mod finding;
mod loads;
mod optimum;
mod path_by_path;
mod prediction;
mod skipping;
mod subject;
mod theorem;
mod transport;

use rayon::prelude::*;

pub use evidence::Evidence;
pub use finding::{Finding, Verdict};
pub use subject::{House, SystemUnderTest};

use crate::config::ConfigError;
use crate::experiment::{Point, Preparer};

/// A comparison: what it looks at, and the findings it adds.
type Check = fn(&Evidence, &mut Vec<Finding>);

/// All comparisons, in the order of the report.
const CHECKS: &[Check] = &[
    completion::check,
    bound::check,
    path_by_path::check,
    loads::check,
    theorem::check,
    optimum::check,
    prediction::check,
    agreement::check,
    transport::check,
    conservation::check,
    determinism::check,
    skipping::check,
];

/// Compares everything at every point of a plan; findings come in the plan's order.
///
/// # Errors
/// The first point that cannot be built.
pub fn validate(preparer: &Preparer<'_>, subject: &dyn SystemUnderTest) -> Result<Vec<Finding>, ConfigError> {
    let per_point: Vec<_> = preparer
        .plan()
        .points()
        .par_iter()
        .map(|&point| validate_point(preparer, point, subject))
        .collect::<Result<_, _>>()?;
    Ok(per_point.into_iter().flatten().collect())
}

fn validate_point(
    preparer: &Preparer<'_>,
    point: Point,
    subject: &dyn SystemUnderTest,
) -> Result<Vec<Finding>, ConfigError> {
    let evidence = Evidence::gather(preparer, point, subject)?;
    let mut findings = Vec::new();
    for check in CHECKS {
        check(&evidence, &mut findings);
    }
    for finding in &mut findings {
        finding.point = point.index;
        finding.load_balancing = evidence.experiment.load_balancing.label();
    }
    Ok(findings)
}
