//! A schedule as a graph in DOT, complete enough to be replayed elsewhere.

use petgraph::dot::{Config, Dot};
use petgraph::graph::DiGraph;

use super::schedule::{Milestone, Schedule};
use super::task_list::{Action, Task};
use crate::ids::TaskId;

/// The milestone of a dependency, and its place among what the same task releases.
type Dependency = (Milestone, usize);

impl Schedule {
    /// The tasks as nodes and their dependencies as edges: what each does and when it may start at the earliest are
    /// attributes. Nodes are numbered as tasks are; the edges of a task stand in the order in which it releases.
    pub fn dot(&self) -> String {
        let mut graph = DiGraph::<Task, Dependency>::with_capacity(self.tasks().len(), 0);
        let nodes: Vec<_> = self.tasks().map(|task| graph.add_node(task)).collect();
        for (before, &node) in nodes.iter().enumerate() {
            let released = self.successors(TaskId::from(before)).iter().enumerate();
            for (place, &(after, milestone)) in released {
                graph.add_edge(node, nodes[after.index()], (milestone, place));
            }
        }
        let options = [Config::NodeNoLabel, Config::EdgeNoLabel];
        let edge = |_, edge: petgraph::graph::EdgeReference<'_, Dependency>| edge_attributes(*edge.weight());
        let node = |_, (_, task): (_, &Task)| node_attributes(task);
        format!("{:?}", Dot::with_attr_getters(&graph, &options, &edge, &node))
    }
}

fn node_attributes(task: &Task) -> String {
    let action = match task.action {
        Action::Transfer { src, dst, bytes } => {
            let connection = task.connection;
            format!(
                "kind=transfer src={src} dst={dst} bytes={bytes} connection={connection} label=\"{src} -> {dst}\\n{bytes} B\""
            )
        }
        Action::Delay(time) => format!("kind=delay duration_ps={} label=\"{time}\"", time.0),
        Action::Trigger => "kind=relay label=relay".to_owned(),
    };
    format!("{action} step={} earliest_ps={} ", task.step, task.earliest.0)
}

fn edge_attributes((milestone, place): Dependency) -> String {
    let milestone = match milestone {
        Milestone::Begun => "begun",
        Milestone::Sent => "sent",
        Milestone::Delivered => "delivered",
        Milestone::Acked => "acked",
    };
    format!("moment={milestone} place={place} ")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::units::Time;
    use crate::workload::ScheduleBuilder;

    /// The number in front of ` [ ` or around ` -> `, and the attributes.
    fn line(text: &str) -> (&str, HashMap<&str, &str>) {
        let (head, rest) = text.trim().split_once(" [ ").unwrap();
        let words = rest.trim_end_matches(']').split_whitespace();
        (head, words.filter_map(|word| word.split_once('=')).collect())
    }

    /// The schedule that a text in DOT describes.
    fn read(text: &str) -> Schedule {
        let mut builder = ScheduleBuilder::default();
        let body = text.strip_prefix("digraph {\n").unwrap().strip_suffix("}\n").unwrap();
        for (head, attributes) in body.lines().map(line) {
            let number = |key: &str| attributes[key].parse::<u64>().unwrap();
            if let Some((before, after)) = head.split_once(" -> ") {
                let milestone = match attributes["moment"] {
                    "sent" => Milestone::Sent,
                    "delivered" => Milestone::Delivered,
                    "acked" => Milestone::Acked,
                    other => panic!("{other}"),
                };
                let [before, after] = [before, after].map(|id| TaskId(id.parse().unwrap()));
                builder.depend(before, milestone, after);
                continue;
            }
            let action = match attributes["kind"] {
                "transfer" => Action::transfer(number("src") as u32, number("dst") as u32, number("bytes")),
                "delay" => Action::Delay(Time(number("duration_ps"))),
                "relay" => Action::Trigger,
                other => panic!("{other}"),
            };
            let id = builder.add(action, Time(number("earliest_ps")), number("step") as u32);
            assert_eq!(id, TaskId(head.parse().unwrap()));
            if let Action::Transfer { .. } = action {
                builder.connect(id, TaskId(number("connection") as u32));
            }
        }
        builder.build()
    }

    #[test]
    fn a_schedule_comes_back_from_its_graph() {
        let mut builder = ScheduleBuilder::default();
        let first = builder.transfer(0, 3, 1 << 40, 0);
        let delay = builder.delay(Time::from_ns(700));
        let trigger = builder.trigger();
        let late = builder.add(Action::transfer(3, 1, 1), Time(123_456_789_012_345), 7);
        let last = builder.transfer(1, 0, 5, 8);
        let next = builder.transfer(0, 3, 6, 9);
        builder.connect(next, first);
        builder.depend(first, Milestone::Sent, next);
        // Twice between the same two, by both milestones; the trigger releases the later task first.
        builder.depend(first, Milestone::Delivered, delay);
        builder.depend(first, Milestone::Acked, trigger);
        builder.depend(delay, Milestone::Delivered, trigger);
        builder.depend(trigger, Milestone::Delivered, last);
        builder.depend(trigger, Milestone::Delivered, late);
        builder.depend(first, Milestone::Acked, last);
        builder.depend(first, Milestone::Delivered, last);
        let schedule = builder.build();
        assert_eq!(read(&schedule.dot()), schedule);
        assert_eq!(
            read(&ScheduleBuilder::default().build().dot()),
            ScheduleBuilder::default().build()
        );
    }
}
