//! InfraGraph's own data model (version 3.1), as far as it describes a fabric; what else a file has is passed over.

use serde::{Deserialize, Serialize};

/// What begins the descriptions that our own files have.
pub(super) const OURS: &str = "fabricsim:";

/// A whole file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Infrastructure {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub devices: Vec<Device>,
    pub links: Vec<Link>,
    pub instances: Vec<Instance>,
    pub edges: Vec<Edge>,
}

/// A kind of box, with what is inside.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Device {
    pub name: String,
    pub components: Vec<Component>,
    pub links: Vec<Link>,
    pub edges: Vec<Edge>,
}

/// Parts of a device that are alike.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Component {
    pub name: String,
    pub count: u32,
    pub choice: String,
}

/// A kind of link.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Link {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical: Option<Physical>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Physical {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<Bandwidth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// One of its values, in the unit that names it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Bandwidth {
    pub choice: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gigabits_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gigabytes_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gigatransfers_per_second: Option<f64>,
}

/// One of its values, in the unit that names it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Latency {
    pub choice: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ns: Option<f64>,
}

/// Boxes of one kind.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Instance {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub device: String,
    pub count: u32,
}

/// Links of one kind between two sets of nodes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Edge {
    pub ep1: Endpoint,
    pub ep2: Endpoint,
    pub scheme: String,
    pub link: String,
}

/// A set of nodes: `host[0:4]` and `nic[0]`; without brackets, all.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Endpoint {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    pub component: String,
}
