//! A schedule as Chakra execution traces.

use prost::Message;

use super::by_rank::{Operation, What, by_rank};
use super::exported::{Exported, Inexpressible};
use crate::ids::HostId;
use crate::workload::Schedule;
use crate::workload::import::CHAKRA_MARK;
use crate::workload::import::messages::{Attribute, GlobalMetadata, Node, Value, kind};

/// What the names of the files begin with.
const PREFIX: &str = "trace";

/// A file for each host. Nodes have the numbers of tasks, and tell their step and connection.
pub(super) fn write(schedule: &Schedule, hosts: u32) -> Result<Exported, Inexpressible> {
    let all = by_rank(schedule, hosts)?;
    let file = |(rank, operations): (usize, &Vec<Operation>)| {
        let metadata = GlobalMetadata {
            version: "1.0.0".to_owned(),
            attr: vec![attribute(CHAKRA_MARK, Value::Int64(1))],
        };
        let mut bytes = metadata.encode_length_delimited_to_vec();
        for operation in operations {
            bytes.extend(node(operation).encode_length_delimited_to_vec());
        }
        (format!("{PREFIX}.{rank}.et"), bytes)
    };
    Ok(Exported {
        files: all.iter().enumerate().map(file).collect(),
        warnings: Vec::new(),
    })
}

fn attribute(name: &str, value: Value) -> Attribute {
    Attribute {
        name: name.to_owned(),
        value: Some(value),
    }
}

fn node(operation: &Operation) -> Node {
    let id = operation.task.0;
    let number = |number: u32| Value::Int32(i32::try_from(number).unwrap_or(i32::MAX));
    let mut attr = vec![attribute("is_cpu_op", Value::Bool(false))];
    let mut message = |end: &str, peer: HostId, bytes: u64| {
        attr.push(attribute(
            "comm_size",
            Value::Int64(i64::try_from(bytes).unwrap_or(i64::MAX)),
        ));
        attr.push(attribute(end, number(peer.0)));
        attr.push(attribute("comm_tag", number(id)));
    };
    let (name, kind, duration) = match operation.what {
        What::Send {
            to,
            bytes,
            step,
            connection,
        } => {
            message("comm_dst", to, bytes);
            attr.push(attribute("step", Value::Int64(step.into())));
            attr.push(attribute("connection", Value::Int64(connection.0.into())));
            ("send", kind::SEND, 0)
        }
        What::Receive { from, bytes } => {
            message("comm_src", from, bytes);
            ("receive", kind::RECEIVE, 0)
        }
        What::Compute(time) => {
            attr.push(attribute("duration_ps", Value::Uint64(time.0)));
            ("compute", kind::COMPUTE, time.0 / 1_000_000)
        }
    };
    Node {
        id: id.into(),
        name: format!("{name} {id}"),
        kind,
        ctrl_deps: Vec::new(),
        data_deps: operation.after.iter().map(|before| before.0.into()).collect(),
        duration_micros: duration,
        attr,
    }
}
