//! How much memory there is, and how much a point takes.

use std::fs;
use std::path::{Path, PathBuf};

use super::spec::Engine;
use crate::topology::Fabric;
use crate::workload::Room;

/// Bytes that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory(pub u64);

impl Memory {
    /// As if it never ran out.
    pub const UNLIMITED: Self = Self(u64::MAX);

    /// What the machine has to give now: the least of what is available, what the control group of the process
    /// leaves, and what its address space leaves. Without limit where the system tells none of them.
    pub fn free() -> Self {
        let limits = [available(), in_control_group(), in_address_space()];
        Self(limits.into_iter().flatten().min().unwrap_or(u64::MAX))
    }

    /// What is left until the system ends programs that have what they were promised: swap space counts, too, and the address
    /// space does not, in which promises are kept.
    pub(crate) fn before_the_end() -> Self {
        let swap = || number_after(&fs::read_to_string("/proc/meminfo").ok()?, "SwapFree:");
        let machine = available().map(|bytes| bytes.saturating_add(swap().unwrap_or(0).saturating_mul(1_024)));
        let limits = [machine, in_control_group()];
        Self(limits.into_iter().flatten().min().unwrap_or(u64::MAX))
    }

    /// What this process has in memory now.
    pub(crate) fn resident() -> Option<Self> {
        of_process("VmRSS:")
    }

    /// The most that this process has had in memory.
    pub(crate) fn peak() -> Option<Self> {
        of_process("VmHWM:")
    }

    /// How many points that take `point` bytes fit at a time, at least one.
    pub fn points(self, point: u64) -> usize {
        usize::try_from(self.0 / point.max(1)).unwrap_or(usize::MAX).max(1)
    }

    /// The most tasks of a schedule, and what they take in an engine.
    pub fn room(self, engine: Engine) -> Room {
        let costs = Costs::of(engine);
        Room {
            free: self.0,
            task: costs.task + costs.subflow,
            dependency: costs.dependency,
            active: costs.active,
        }
    }
}

/// What a point is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub engine: Engine,
    pub fabric: &'a Fabric,
    pub tasks: u64,
    pub dependencies: u64,
    pub subflows: u64,
    /// Of them, those that are there at the same time.
    pub active: u64,
    /// Samples of a series.
    pub samples: u64,
    /// Threads, each of which has the state of its own part in tables for the whole network.
    pub threads: u64,
}

impl Parts<'_> {
    /// Bytes that a point takes in memory while it is simulated, about.
    pub(super) fn bytes(&self) -> u64 {
        let costs = Costs::of(self.engine);
        let counts = [
            (self.tasks.saturating_mul(self.threads), costs.task),
            (self.dependencies, costs.dependency),
            (self.subflows.saturating_mul(self.threads), costs.subflow),
            (self.active, costs.active),
            (
                (self.fabric.links().len() as u64).saturating_mul(self.threads),
                costs.link,
            ),
            (self.fabric.table_size().saturating_mul(self.threads), costs.table),
            // A list that grows is there twice while it moves.
            (self.samples, 2 * size_of::<crate::outcome::Sample>() as u64),
        ];
        let each = counts.into_iter().map(|(count, bytes)| count.saturating_mul(bytes));
        each.fold(0, u64::saturating_add)
    }
}

/// Bytes of each part in an engine with all that comes before it (drawing up the schedule, placing, judging), as
/// docs/limits.md tells how they were found.
struct Costs {
    task: u64,
    dependency: u64,
    subflow: u64,
    active: u64,
    link: u64,
    /// Of each entry of the forwarding tables.
    table: u64,
}

impl Costs {
    fn of(engine: Engine) -> Self {
        match engine {
            Engine::Flow => Self {
                task: 40,
                dependency: 25,
                subflow: 45,
                active: 100,
                link: 200,
                table: 10,
            },
            Engine::Packet => Self {
                task: 40,
                dependency: 25,
                subflow: 45,
                active: 430,
                link: 370,
                table: 40,
            },
        }
    }
}

fn of_process(name: &str) -> Option<Memory> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    Some(Memory(number_after(&text, name)?.saturating_mul(1_024)))
}

/// What Linux calls available: free, or given back when it is asked for.
fn available() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    Some(number_after(&text, "MemAvailable:")?.saturating_mul(1_024))
}

/// What the limits of the control group and of those around it leave, in either version of control groups.
fn in_control_group() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let left = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        match (fields.next()?, fields.next()?) {
            ("", path) => left_along("/sys/fs/cgroup", path, ["memory.max", "memory.current"]),
            (kinds, path) if kinds.split(',').any(|kind| kind == "memory") => left_along(
                "/sys/fs/cgroup/memory",
                path,
                ["memory.limit_in_bytes", "memory.usage_in_bytes"],
            ),
            _ => None,
        }
    });
    left.min()
}

/// The least that a group or one around it leaves. In a container the path may be that of the host, so that only
/// the root is there.
fn left_along(root: &str, path: &str, [limit, used]: [&str; 2]) -> Option<u64> {
    let own = PathBuf::from(root).join(path.trim_start_matches('/'));
    let around = own.ancestors().take_while(|folder| folder.starts_with(root));
    around.filter_map(|folder| left_in(folder, limit, used)).min()
}

fn left_in(folder: &Path, limit: &str, used: &str) -> Option<u64> {
    let number = |name: &str| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
    let cache = fs::read_to_string(folder.join("memory.stat"))
        .ok()
        .and_then(|text| number_after(&text, "inactive_file "));
    // Pages of files are given back when memory is asked for.
    let used = number(used)?.saturating_sub(cache.unwrap_or(0));
    Some(number(limit)?.saturating_sub(used))
}

/// What `ulimit -v` leaves.
fn in_address_space() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let limit = number_after(&limits, "Max address space")?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let used = number_after(&status, "VmSize:").unwrap_or(0).saturating_mul(1_024);
    Some(limit.saturating_sub(used))
}

/// The number behind a word at the beginning of a line; none where there is another word, such as `unlimited`.
fn number_after(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Bytes as they are told to people.
pub(super) fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_behind_their_names() {
        let text = "MemTotal:  24 kB\nMemAvailable:   12 kB\n";
        assert_eq!(number_after(text, "MemAvailable:"), Some(12));
        let limits = "Max address space         unlimited            unlimited            bytes\n";
        assert_eq!(number_after(limits, "Max address space"), None);
        let limits = "Max address space         4096000000           unlimited            bytes\n";
        assert_eq!(number_after(limits, "Max address space"), Some(4_096_000_000));
    }

    #[test]
    fn the_tightest_group_counts() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        let write = |folder: &Path, limit: &str, used: &str| {
            fs::write(folder.join("memory.max"), limit).unwrap();
            fs::write(folder.join("memory.current"), used).unwrap();
        };
        write(&inner, "max\n", "10\n");
        write(&root.path().join("a"), "100\n", "70\n");
        let left = || left_along(root.path().to_str().unwrap(), "/a/b", ["memory.max", "memory.current"]);
        assert_eq!(left(), Some(30));
        fs::write(root.path().join("a/memory.stat"), "anon 1\ninactive_file 20\n").unwrap();
        assert_eq!(left(), Some(50), "cache is given back");
        write(&inner, "25\n", "10\n");
        assert_eq!(left(), Some(15));
        assert_eq!(
            left_along(root.path().to_str().unwrap(), "/c", ["memory.max", "memory.current"]),
            None
        );
    }

    #[test]
    fn at_least_one_point_fits() {
        assert_eq!(Memory(100).points(30), 3);
        assert_eq!(Memory(100).points(300), 1);
        assert_eq!(Memory::UNLIMITED.points(0), usize::MAX);
    }
}
