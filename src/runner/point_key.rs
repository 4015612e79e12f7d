//! The cells that name a point of a plan.

use crate::config::ConfigValue;
use crate::experiment::{Engine, Plan, Point, Resolved};
use crate::results::PointKey;

/// What names a point in every row about it.
///
/// Where the sweep sets a whole table of topology, workload or transport, its text stands in their columns: the name
/// alone would not tell points apart.
pub(super) fn key_of(plan: &Plan, point: Point, resolved: &Resolved) -> PointKey {
    let (experiment, opened) = (&resolved.experiment, &resolved.opened);
    let swept_table = |key: &str| {
        let mut values = plan.sweep().values(point.index as usize).into_iter();
        let (_, value) =
            values.find(|(axis, value)| axis.path == [key] && matches!(value.node, ConfigValue::Table(_)))?;
        Some(value.to_string())
    };
    let named = |key: &str, file: &Option<String>, kind: &str| {
        let table = swept_table(key).or_else(|| file.clone());
        table.unwrap_or_else(|| kind.to_owned())
    };
    PointKey {
        point: point.index,
        engine: experiment.engine.name().to_owned(),
        topology: named("topology", &opened.topology, experiment.topology.name()),
        workload: named("workload", &opened.workload, experiment.demand().name()),
        size_bytes: experiment.demand().size().map(|size| size.0),
        load_balancing: experiment.load_balancing.label(),
        transport: match experiment.engine {
            Engine::Flow => None,
            Engine::Packet => Some(named("transport", &None, experiment.transport.name())),
        },
        seed: experiment.seed,
    }
}
