//! An experiment as it is written: the keys of the file, for one point of the sweep.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fleet::FleetOptions;
use super::tuning::TuneOptions;
use crate::congestion::Framing;
use crate::flow_engine::FlowOptions;
use crate::input::InputError;
use crate::outcome::Observe;
use crate::packet_engine::{PacketOptions, SwitchOptions, Transport};
use crate::placement::LoadBalancing;
use crate::results::PARQUET_REMEDY;
use crate::topology::{Fault, Topology};
use crate::units::Time;
use crate::workload::{Demand, Job, Workload};

/// An experiment: a fabric, a workload, how it is balanced and by what it is simulated. With
/// `sweep`, one for every combination of the swept values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = add_file_keys)]
pub struct Experiment {
    /// Names the results folder; by default the name of the file.
    #[serde(default)]
    pub name: String,
    /// What simulates it.
    #[serde(default)]
    pub engine: Engine,
    /// Which paths the bytes of a flow take: a name, or a table with options.
    #[serde(default = "default_load_balancing")]
    #[schemars(with = "NameOr<LoadBalancing>")]
    pub load_balancing: LoadBalancing,
    /// Seeds all random choices, up to 2^64 - 1; beyond 2^63 - 1 TOML needs it in quotes.
    #[serde(default = "one", with = "super::seed")]
    #[schemars(with = "super::seed::Seed")]
    pub seed: u64,
    /// The fabric: a table, or the path of a file with that table.
    #[schemars(with = "TableOrFile<Topology>")]
    pub topology: Topology,
    /// Links that are slower than built, or down. Those that the topology's file lists come first.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// What is sent: a table, or the path of a file with that table. Instead of it, there may be several `jobs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "TableOrFile<Workload>")]
    pub workload: Option<Workload>,
    /// Several workloads that share the fabric, each on hosts of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<Job>,
    /// How senders react to congestion: a name, or a table with options; packet engine.
    #[serde(default = "default_transport")]
    #[schemars(with = "NameOr<Transport>")]
    pub transport: Transport,
    /// Packets, hosts and recovery; packet engine.
    #[serde(default)]
    pub packet: PacketOptions,
    /// Buffers, marking and flow control; packet engine.
    #[serde(default)]
    pub switch: SwitchOptions,
    /// Sharing of links; flow engine.
    #[serde(default)]
    pub flow: FlowOptions,
    /// What is written for every point besides its row in results.csv.
    #[serde(default)]
    pub output: Output,
}

impl Experiment {
    /// Refuses options that make no sense on any fabric, or not together.
    pub fn check(&self) -> Result<(), InputError> {
        match (&self.workload, self.jobs.as_slice()) {
            (None, []) => {
                return Err(InputError::key("workload", "the experiment says nowhere what is sent")
                    .help("add a table such as [workload.all-to-all], or [[jobs]]; docs/workloads.md describes them"));
            }
            (Some(_), [_, ..]) => {
                return Err(
                    InputError::key("jobs", "there is a `workload` already: `jobs` cannot stand beside it")
                        .help("make the workload one of the jobs"),
                );
            }
            _ => {}
        }
        if self.output.alone && self.jobs.is_empty() {
            return Err(InputError::key("output.alone", "there are no jobs that could be alone").help("take it out"));
        }
        if self.output.parquet && !cfg!(feature = "parquet") {
            return Err(InputError::key("output.parquet", "this build writes no Parquet")
                .help(format!("take it out, or {PARQUET_REMEDY}")));
        }
        let scheme = &self.load_balancing;
        scheme
            .check()
            .map_err(|error| error.under(&format!("load_balancing.{}", scheme.name())))?;
        self.flow.check().map_err(|error| error.under("flow"))?;
        let packets_only = |key: &str, what: String| {
            Err(InputError::key(key, format!("{what}, and the flow engine knows none"))
                .help("write `engine = \"packet\"`, or take this out"))
        };
        match self.engine {
            Engine::Flow if scheme.needs_packets() => packets_only(
                "load_balancing",
                format!("`{}` chooses a path packet by packet", scheme.name()),
            ),
            Engine::Flow if self.output.series.is_some() => {
                packets_only("output.series", "a series samples queues of packets".into())
            }
            Engine::Flow if self.output.senders.is_some() => {
                packets_only("output.senders", "senders have windows and rates of packets".into())
            }
            _ => Ok(()),
        }
    }

    /// All that is sent.
    pub fn demand(&self) -> Demand<'_> {
        match &self.workload {
            Some(workload) => Demand::Whole(workload),
            None => Demand::Jobs(&self.jobs),
        }
    }

    /// Threads that a run is divided among.
    pub fn threads(&self) -> u32 {
        match self.engine {
            Engine::Flow => 1,
            Engine::Packet => self.packet.threads.max(1),
        }
    }

    /// How payload becomes bytes on the wire.
    pub fn framing(&self) -> Framing {
        match self.engine {
            Engine::Flow => Framing::Fluid,
            Engine::Packet => Framing::Packets {
                payload: self.packet.payload.0,
                header: self.packet.header.0,
            },
        }
    }
}

/// What simulates an experiment.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Flows as fluids that share links max-min fairly.
    #[default]
    Flow,
    /// Every packet.
    Packet,
}

impl Engine {
    /// As in the experiment file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Packet => "packet",
        }
    }
}

/// Files written for every point.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Output {
    /// Write flows.csv: every flow.
    pub flows: bool,
    /// Write links.csv: every link.
    pub links: bool,
    /// Write series.csv: queues and rates sampled at this interval; packet engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<Time>,
    /// Write senders.csv: window, rate, alpha, round trip and credits of every sender, sampled at this interval; packet engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub senders: Option<Time>,
    /// Write ops.csv: every operation of a program, for each of its groups.
    pub ops: bool,
    /// Simulate each of several jobs alone, too, for `alone_us` and `slowdown` in jobs.csv.
    pub alone: bool,
    /// Write results.parquet beside results.csv, in builds with the feature `parquet`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub parquet: bool,
}

impl Output {
    /// As the engines take it.
    pub fn observe(self) -> Observe {
        Observe {
            flows: self.flows,
            links: self.links,
            series: self.series,
            senders: self.senders,
            tasks: false,
        }
    }
}

fn one() -> u64 {
    1
}

fn default_load_balancing() -> LoadBalancing {
    serde_json::from_value(serde_json::json!({ "ecmp": {} })).expect("ecmp needs no options")
}

fn default_transport() -> Transport {
    serde_json::from_value(serde_json::json!({ "dctcp": {} })).expect("dctcp needs no options")
}

/// JSON Schema of the experiment file. What a table must have in the end is `x-required`: no key is
/// `required` of one file, as the file that it extends or the sweep may be what sets it.
pub fn schema() -> Schema {
    let mut schema = schema_for!(Experiment);
    add_table(&mut schema, "tune", schema_for!(TuneOptions));
    add_table(&mut schema, "fleet", schema_for!(FleetOptions));
    let soften = |table: &mut Map<String, Value>| {
        if let Some(keys) = table.remove("required") {
            table.insert("x-required".into(), keys);
        }
    };
    schema.as_object_mut().into_iter().for_each(soften);
    // Choices between tables are required to have the name of one; they lie deeper, in `oneOf`.
    let definitions = schema.get_mut("$defs").and_then(Value::as_object_mut);
    let tables = definitions.into_iter().flat_map(Map::values_mut);
    tables.filter_map(Value::as_object_mut).for_each(soften);
    schema
}

/// A table that is used up before an experiment is read.
fn add_table(schema: &mut Schema, key: &str, table: Schema) {
    let (Some(schema), Some(mut table)) = (schema.as_object_mut(), Schema::as_object(&table).cloned()) else {
        return;
    };
    table.remove("$schema");
    let title = table
        .remove("title")
        .and_then(|title| title.as_str().map(str::to_owned));
    let title = title.unwrap_or_else(|| key.to_owned());
    let inner = table.remove("$defs");
    let reference = json_schema!({ "$ref": format!("#/$defs/{title}") });
    let definitions = schema.entry("$defs").or_insert_with(|| Value::Object(Map::new()));
    if let (Some(definitions), inner) = (definitions.as_object_mut(), inner) {
        definitions.extend(inner.and_then(|inner| inner.as_object().cloned()).into_iter().flatten());
        definitions.insert(title, Value::Object(table));
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(key.into(), reference.into());
    }
}

/// The keys that are used up before an experiment is read.
fn add_file_keys(schema: &mut Schema) {
    let Some(properties) = schema.get_mut("properties").and_then(|p| p.as_object_mut()) else {
        return;
    };
    let extends = json_schema!({
        "type": "string",
        "description": "Another experiment file, relative to this one, whose keys hold unless this file sets them. Its `name` is not inherited.",
    });
    let sweep = json_schema!({
        "type": "object",
        "description": "Lists of values by key, such as `seed = [1, 2]` or `\"workload.all-to-all.message\" = [\"8KiB\", \"1MiB\"]`. Every combination is a point; the last key varies fastest. At most 1000000 points.",
        "additionalProperties": { "type": ["array", "object"] },
    });
    properties.insert("extends".into(), extends.into());
    properties.insert("sweep".into(), sweep.into());
}

/// For the schema: a table, or the path of a file with that table.
struct TableOrFile<T>(PhantomData<T>);

impl<T: JsonSchema> JsonSchema for TableOrFile<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}OrFile", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                generator.subschema_for::<T>(),
                { "type": "string", "description": "Path of a file with this table, relative to the file that names it." },
            ],
        })
    }
}

/// For the schema: one of several tables, or the name of one that needs no options.
struct NameOr<T>(PhantomData<T>);

impl<T: JsonSchema> JsonSchema for NameOr<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("NameOr{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<T>();
        let names: Vec<_> = generator
            .definitions()
            .get(T::schema_name().as_ref())
            .and_then(|definition| definition.get("oneOf"))
            .and_then(|choices| choices.as_array())
            .into_iter()
            .flatten()
            .filter_map(|choice| choice.get("required")?.get(0).cloned())
            .collect();
        json_schema!({
            "anyOf": [table, { "type": "string", "enum": names, "description": "The name alone: all options at their defaults." }],
        })
    }
}
