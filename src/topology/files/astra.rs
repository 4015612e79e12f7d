//! The `network.yml` of ASTRA-sim's analytical networks: what links the NPUs of every dimension.
//!
//! ```yaml
//! topology: [ Ring, Switch ]      # Ring, FullyConnected or Switch
//! npus_count: [ 4, 8 ]            # NPU n is at place n % 4 of dimension 0, n / 4 % 8 of dimension 1
//! bandwidth: [ 200.0, 50.0 ]      # of a link in each direction, GB/s; a GB is 2^30 bytes
//! latency: [ 50.0, 500.0 ]        # of a link, ns; a switch has two on its way
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::{Files, InputError};
use crate::topology::blueprint::{Blueprint, Cable, Routing};
use crate::topology::kind::Kind;
use crate::topology::sizes::check_size;
use crate::units::{Rate, Time};

/// A fabric from the `network.yml` of ASTRA-sim's analytical networks. NPUs are hosts by number, dimension 0 fastest; the switches of
/// dimension 1 are called `dim1.switch0`, ... Where there are rings, full meshes or several dimensions, NPUs pass packets on by
/// the fewest links, through the dimensions in any order (ASTRA-sim takes them in turn).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AstraSim {
    /// Path of the file.
    pub file: String,
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    topology: Vec<Shape>,
    npus_count: Vec<u32>,
    bandwidth: Vec<f64>,
    latency: Vec<f64>,
}

/// What links the NPUs that differ in one dimension alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Shape {
    Ring,
    FullyConnected,
    Switch,
}

/// One dimension, checked.
#[derive(Debug, Clone, Copy)]
struct Dimension {
    shape: Shape,
    npus: u32,
    cable: Cable,
}

/// Bits in the GB of these files.
const GIGABYTE: f64 = 8.0 * (1_u64 << 30) as f64;
/// Longer latencies, in ns, are a mistake: 106 days.
const LONGEST: f64 = 9e15;

impl Kind for AstraSim {
    fn draw(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        self.blueprint(files)
    }
}

impl AstraSim {
    /// Draws the fabric.
    ///
    /// # Errors
    /// A file that cannot be read, or describes no network.
    pub fn blueprint(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        let dimensions = self.read(&files.read(&self.file)?)?;
        let counts: Vec<u32> = dimensions.iter().map(|dimension| dimension.npus).collect();
        let wrong = |error: InputError| InputError::file(&self.file, error.to_string());
        check_size("NPUs", &counts).map_err(wrong)?;
        let meshed = |dimension: &&Dimension| dimension.shape == Shape::FullyConnected;
        for mesh in dimensions.iter().filter(meshed) {
            check_size("links", &[&counts[..], &[mesh.npus - 1]].concat()).map_err(wrong)?;
        }
        let one_switch = matches!(dimensions.as_slice(), [only] if only.shape == Shape::Switch);
        let mut drawing = Blueprint::new(match one_switch {
            true => Routing::Shortest,
            false => Routing::ShortestThroughHosts,
        });
        let hosts = drawing.add_hosts(counts.iter().product());
        let mut stride = 1;
        for (number, dimension) in dimensions.iter().enumerate() {
            let npus = dimension.npus as usize;
            // NPUs that differ in this dimension alone.
            let lines = (0..hosts.len()).filter(|host| host / stride % npus == 0);
            let lines: Vec<Vec<_>> = lines
                .map(|first| (0..npus).map(|place| hosts[first + place * stride]).collect())
                .collect();
            match dimension.shape {
                Shape::Switch => {
                    let switches = drawing.add_switches(&format!("dim{number}.switch"), lines.len() as u32, 1);
                    for (line, switch) in lines.iter().zip(switches) {
                        line.iter()
                            .for_each(|&host| drawing.connect(switch, host, dimension.cable));
                    }
                }
                Shape::Ring => {
                    for line in &lines {
                        // Two NPUs have one cable, not one each way round.
                        let cables = if npus == 2 { 1 } else { npus };
                        for place in 0..cables {
                            drawing.connect(line[place], line[(place + 1) % npus], dimension.cable);
                        }
                    }
                }
                Shape::FullyConnected => {
                    for line in &lines {
                        for (place, &one) in line.iter().enumerate() {
                            line[place + 1..]
                                .iter()
                                .for_each(|&other| drawing.connect(one, other, dimension.cable));
                        }
                    }
                }
            }
            stride *= npus;
        }
        Ok(drawing)
    }

    fn read(&self, text: &str) -> Result<Vec<Dimension>, InputError> {
        let network: Network = serde_yaml_ng::from_str(text).map_err(|error| {
            let line = error.location().map_or(1, |at| at.line());
            InputError::line(&self.file, line.max(1), error.to_string()).help(
                "a network has lists `topology` (Ring, FullyConnected, Switch), `npus_count`, `bandwidth` (GB/s) and `latency` (ns), \
                 with an entry for each dimension",
            )
        })?;
        let dimensions = network.topology.len();
        for (key, entries) in [
            ("npus_count", network.npus_count.len()),
            ("bandwidth", network.bandwidth.len()),
            ("latency", network.latency.len()),
        ] {
            if entries != dimensions || dimensions == 0 {
                let message = format!("`{key}` has {entries} entries, and `topology` has {dimensions}");
                return Err(self.wrong(text, key, message, "write one entry for each dimension"));
            }
        }
        let dimension = |place: usize| {
            let npus = network.npus_count[place];
            if npus < 2 {
                let message = format!("dimension {place} has {npus} NPUs");
                return Err(self.wrong(text, "npus_count", message, "every dimension has at least 2"));
            }
            let (bandwidth, latency) = (network.bandwidth[place], network.latency[place]);
            let rate = (bandwidth * GIGABYTE).round();
            if !(1.0..1e18).contains(&rate) {
                let message = format!("the bandwidth of dimension {place} is {bandwidth} GB/s");
                return Err(self.wrong(text, "bandwidth", message, "it must be above 0, and below 10^8"));
            }
            if !(0.0..=LONGEST).contains(&latency) {
                let message = format!("the latency of dimension {place} is {latency} ns");
                return Err(self.wrong(text, "latency", message, "it is at least 0, and at most 106 days"));
            }
            Ok(Dimension {
                shape: network.topology[place],
                npus,
                cable: Cable::new(Rate(rate as u64), Time((latency * 1e3).round() as u64)),
            })
        };
        (0..dimensions).map(dimension).collect()
    }

    /// An error at the line of a key.
    fn wrong(&self, text: &str, key: &str, message: String, help: &str) -> InputError {
        let line = text.lines().position(|line| line.trim_start().starts_with(key));
        InputError::line(&self.file, line.unwrap_or(0) + 1, message).help(help)
    }
}
