//! Several workloads on one fabric, each on hosts of its own.

use std::collections::BTreeSet;
use std::fmt;

use rand::seq::SliceRandom;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ranks::strided;
use super::{Collective, EqualSteps, Hosts, Room, Schedule, Workload};
use crate::ids::{HostId, IdVec};
use crate::input::{Files, InputError};
use crate::rng;
use crate::units::{Bytes, Time};

/// One of several workloads that share a fabric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// What results call it; no two have the same name.
    pub name: String,
    /// The hosts it has for itself; its rank r lives on the r-th of them.
    pub hosts: JobHosts,
    /// It does nothing before.
    #[serde(default)]
    pub start: Time,
    /// What it sends.
    pub workload: Workload,
}

/// The hosts of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobHosts {
    /// The first so many that no other job has.
    Packed(u32),
    /// So many of those that no other job has, neighbors far apart, as with a strided rank map.
    Strided(u32),
    /// So many of those that no other job has, drawn from the seed.
    Random(u32),
    /// These, as they are written: numbers, and ranges such as "0-63".
    Listed(Vec<HostRange>),
}

/// Hosts in a row: the first and the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostRange(pub u32, pub u32);

/// Where a workload lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seats {
    /// The hosts that it has, which its rank map counts.
    pub hosts: Vec<u32>,
    /// The host of each rank.
    pub ranks: Vec<u32>,
}

/// All that is sent over a fabric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Demand<'a> {
    /// One workload on all hosts.
    Whole(&'a Workload),
    /// Several, each on its hosts.
    Jobs(&'a [Job]),
}

impl Demand<'_> {
    /// The schedule between hosts. Keys in errors are those of the experiment.
    ///
    /// # Errors
    /// As [`Workload::schedule`]; hosts that are not there, or that two jobs want.
    pub fn schedule_within(
        self,
        hosts: Hosts,
        files: &dyn Files,
        seed: u64,
        room: Room,
    ) -> Result<Schedule, InputError> {
        match self {
            Self::Whole(workload) => workload
                .schedule_within(hosts, files, seed, room)
                .map_err(|error| error.under(&format!("workload.{}", workload.name()))),
            Self::Jobs(jobs) => schedule_jobs(jobs, hosts, files, seed, room),
        }
    }

    /// As [`Workload::equal_steps`], if it is one workload. Keys in errors are those of the experiment.
    ///
    /// # Errors
    /// As [`Workload::equal_steps`].
    pub fn equal_steps(
        self,
        hosts: Hosts,
        files: &dyn Files,
        seed: u64,
        few: u64,
    ) -> Result<Option<EqualSteps>, InputError> {
        let Some(workload) = self.whole() else {
            return Ok(None);
        };
        workload
            .equal_steps(hosts, files, seed, few)
            .map_err(|error| error.under(&format!("workload.{}", workload.name())))
    }

    /// Whether the schedule depends on the seed.
    pub fn is_drawn(self) -> bool {
        match self {
            Self::Whole(workload) => workload.is_drawn(),
            Self::Jobs(jobs) => jobs
                .iter()
                .any(|job| job.workload.is_drawn() || matches!(job.hosts, JobHosts::Random(_))),
        }
    }

    /// What results call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole(workload) => workload.name(),
            Self::Jobs(_) => "jobs",
        }
    }

    /// Its `size` or `message`, if it is one workload with either.
    pub fn size(self) -> Option<Bytes> {
        self.whole()?.size()
    }

    /// As [`Workload::algorithm_bytes`] and [`Workload::bus_factor`], if it is one workload with them, on a fabric of so
    /// many hosts.
    pub fn bandwidth(self, hosts: u32, files: &dyn Files) -> Option<(Bytes, Option<f64>)> {
        let workload = self.whole()?;
        let ranks = workload.ranks(hosts, files).ok()?;
        Some((workload.algorithm_bytes(ranks)?, workload.bus_factor(ranks)))
    }

    /// The hosts of each workload, and the host of each of its ranks.
    ///
    /// # Errors
    /// As [`Demand::schedule_within`].
    pub fn seats(self, hosts: u32, files: &dyn Files, seed: u64) -> Result<Vec<Seats>, InputError> {
        let of = |workload: &Workload, hosts: Vec<u32>| {
            let ranks = workload.seats(&hosts, files, seed);
            ranks.map(|ranks| Seats { hosts, ranks })
        };
        match self {
            Self::Whole(workload) => {
                let seats = of(workload, (0..hosts).collect());
                Ok(vec![seats.map_err(|error| {
                    error.under(&format!("workload.{}", workload.name()))
                })?])
            }
            Self::Jobs(jobs) => {
                let places = allot(jobs, hosts, seed)?;
                let each = jobs.iter().zip(places).enumerate().map(|(index, (job, places))| {
                    let name = job.workload.name();
                    of(&job.workload, places).map_err(|error| error.under(&format!("jobs.{index}.workload.{name}")))
                });
                each.collect()
            }
        }
    }

    /// As [`Workload::collective`].
    pub fn collective(self, hosts: u32, files: &dyn Files, seed: u64) -> Option<Collective> {
        self.whole()?.collective(hosts, files, seed)
    }

    /// As [`Workload::least_time_us`].
    pub fn least_time_us(self) -> Option<f64> {
        self.whole()?.least_time_us()
    }

    fn whole<'w>(self) -> Option<&'w Workload>
    where
        Self: 'w,
    {
        match self {
            Self::Whole(workload) => Some(workload),
            Self::Jobs(_) => None,
        }
    }
}

fn schedule_jobs(jobs: &[Job], hosts: Hosts, files: &dyn Files, seed: u64, room: Room) -> Result<Schedule, InputError> {
    if jobs.is_empty() {
        return Err(InputError::key("jobs", "there is no job").help("add [[jobs]] with `name`, `hosts` and a workload"));
    }
    check_names(jobs)?;
    let places = allot(jobs, hosts.count, seed)?;
    let mut all = Vec::new();
    for (index, (job, places)) in jobs.iter().zip(places).enumerate() {
        let workload = &job.workload;
        // A job draws what it would draw alone.
        let schedule = workload
            .schedule_on(&places, hosts.per_server, files, seed, room)
            .map_err(|error| error.under(&format!("jobs.{index}.workload.{}", workload.name())))?;
        all.push((job.name.as_str(), places.len() as u32, job.start, schedule));
    }
    Ok(Schedule::of_jobs(all))
}

fn check_names(jobs: &[Job]) -> Result<(), InputError> {
    let mut seen = BTreeSet::new();
    for (index, job) in jobs.iter().enumerate() {
        let key = format!("jobs.{index}.name");
        if job.name.is_empty() {
            return Err(InputError::key(key, "the name is empty").help("results call the job by its name"));
        }
        if !seen.insert(&job.name) {
            return Err(InputError::key(key, format!("there is a job `{}` already", job.name))
                .help("every job has a name of its own"));
        }
    }
    Ok(())
}

/// The hosts of each job: first those that are listed, then the others in the order of the file.
fn allot(jobs: &[Job], hosts: u32, seed: u64) -> Result<Vec<Vec<u32>>, InputError> {
    let mut owner: IdVec<HostId, Option<usize>> = IdVec::filled(None, hosts as usize);
    let mut places = vec![Vec::new(); jobs.len()];
    for (index, job) in jobs.iter().enumerate() {
        if let JobHosts::Listed(ranges) = &job.hosts {
            for &HostRange(first, last) in ranges {
                for host in first..=last {
                    let wrong = |message: String| InputError::key(format!("jobs.{index}.hosts"), message);
                    let Some(slot) = owner.get_mut(HostId(host)) else {
                        return Err(wrong(format!("there is no host {host}"))
                            .help(format!("hosts are numbered 0 to {}", hosts - 1)));
                    };
                    match slot.replace(index) {
                        Some(first) if first == index => {
                            return Err(wrong(format!("host {host} is listed twice")).help("a job has a host once"));
                        }
                        Some(first) => {
                            return Err(wrong(format!("host {host} belongs to the job `{}`", jobs[first].name))
                                .help("every job has its hosts for itself"));
                        }
                        None => places[index].push(host),
                    }
                }
            }
        }
    }
    for (index, job) in jobs.iter().enumerate() {
        let (count, order): (u32, Vec<u32>) = match &job.hosts {
            JobHosts::Listed(_) => continue,
            JobHosts::Packed(count) => (*count, (0..hosts).collect()),
            JobHosts::Strided(count) => (*count, strided(hosts).collect()),
            JobHosts::Random(count) => {
                let mut order: Vec<u32> = (0..hosts).collect();
                order.shuffle(&mut rng::stream(seed, "jobs", index as u64));
                (*count, order)
            }
        };
        let free: Vec<u32> = order
            .into_iter()
            .filter(|&host| owner[HostId(host)].is_none())
            .collect();
        if count as usize > free.len() {
            let message = format!("{count} hosts are asked for, and {} of {hosts} are left", free.len());
            return Err(InputError::key(format!("jobs.{index}.hosts"), message)
                .help("make the jobs smaller, or take a larger fabric"));
        }
        places[index] = free[..count as usize].to_vec();
        places[index].iter().for_each(|&host| owner[HostId(host)] = Some(index));
    }
    for (index, places) in places.iter().enumerate() {
        if places.len() < 2 {
            let message = format!("a job needs at least 2 hosts, and has {}", places.len());
            return Err(InputError::key(format!("jobs.{index}.hosts"), message).help("give it more"));
        }
    }
    Ok(places)
}

/// The ways of writing hosts by number.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    packed: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    strided: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    random: Option<u32>,
}

impl HostRange {
    /// A number, or two with a dash.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first <= last).then_some(Self(first, last))
    }

    /// Several, with commas between.
    fn parse_all<E: de::Error>(text: &str) -> Result<Vec<Self>, E> {
        let parse = |part: &str| {
            Self::parse(part)
                .ok_or_else(|| E::custom(format!("`{part}` is no host or range of hosts, such as \"0-63\"")))
        };
        text.split(',').map(parse).collect()
    }
}

impl fmt::Display for HostRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self(first, last) if first == last => write!(f, "{first}"),
            Self(first, last) => write!(f, "{first}-{last}"),
        }
    }
}

/// A number or a text in a list of hosts.
struct Listed(Vec<HostRange>);

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Listed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a host, or a range of hosts such as \"0-63\"")
            }

            fn visit_i64<E: de::Error>(self, host: i64) -> Result<Listed, E> {
                let number = u32::try_from(host);
                let host = number.map_err(|_| E::invalid_value(de::Unexpected::Signed(host), &self))?;
                Ok(Listed(vec![HostRange(host, host)]))
            }

            fn visit_u64<E: de::Error>(self, host: u64) -> Result<Listed, E> {
                let number = u32::try_from(host);
                let host = number.map_err(|_| E::invalid_value(de::Unexpected::Unsigned(host), &self))?;
                Ok(Listed(vec![HostRange(host, host)]))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Listed, E> {
                HostRange::parse_all(text).map(Listed)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for JobHosts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let none = Counted {
            packed: None,
            strided: None,
            random: None,
        };
        match self {
            Self::Packed(count) => Counted {
                packed: Some(*count),
                ..none
            }
            .serialize(serializer),
            Self::Strided(count) => Counted {
                strided: Some(*count),
                ..none
            }
            .serialize(serializer),
            Self::Random(count) => Counted {
                random: Some(*count),
                ..none
            }
            .serialize(serializer),
            Self::Listed(ranges) => {
                let texts: Vec<String> = ranges.iter().map(HostRange::to_string).collect();
                serializer.serialize_str(&texts.join(","))
            }
        }
    }
}

impl<'de> Deserialize<'de> for JobHosts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = JobHosts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a table with `packed`, `strided` or `random`, a list of hosts, or a range such as \"0-63\"",
                )
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<JobHosts, A::Error> {
                let counted = Counted::deserialize(MapAccessDeserializer::new(map))?;
                match (counted.packed, counted.strided, counted.random) {
                    (Some(count), None, None) => Ok(JobHosts::Packed(count)),
                    (None, Some(count), None) => Ok(JobHosts::Strided(count)),
                    (None, None, Some(count)) => Ok(JobHosts::Random(count)),
                    _ => Err(de::Error::custom(
                        "exactly one of `packed`, `strided` and `random` is expected",
                    )),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<JobHosts, A::Error> {
                let listed: Vec<Listed> = Vec::deserialize(SeqAccessDeserializer::new(items))?;
                Ok(JobHosts::Listed(listed.into_iter().flat_map(|hosts| hosts.0).collect()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<JobHosts, E> {
                HostRange::parse_all(text).map(JobHosts::Listed)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for JobHosts {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "JobHosts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let counted = |key: &str, meaning: &str| {
            json_schema!({
                "type": "object",
                "properties": { key: { "type": "integer", "minimum": 2 } },
                "required": [key],
                "additionalProperties": false,
                "description": meaning,
            })
        };
        json_schema!({
            "description": "The hosts of a job. Those that are listed are given out first, then the others in the order of the file.",
            "anyOf": [
                counted("packed", "The first so many that are left."),
                counted("strided", "So many of those that are left, neighbors far apart, as with a strided rank map."),
                counted("random", "So many of those that are left, drawn from the seed."),
                { "type": "string", "description": "Hosts and ranges of hosts, such as \"0-63,128-191\"." },
                { "type": "array", "items": { "type": ["integer", "string"] }, "description": "Hosts, and ranges of hosts." },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::NoFiles;

    fn jobs(text: &str) -> Vec<Job> {
        #[derive(Deserialize)]
        struct File {
            jobs: Vec<Job>,
        }
        let file: File = toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        file.jobs
    }

    /// Jobs on these hosts, each with a little to send.
    fn on(hosts: &[&str]) -> Vec<Job> {
        let job = |(index, hosts): (usize, &&str)| {
            format!("[[jobs]]\nname = 'job{index}'\nhosts = {hosts}\nworkload.all-to-all.message = 8\n")
        };
        jobs(&hosts.iter().enumerate().map(job).collect::<String>())
    }

    #[test]
    fn every_job_has_its_hosts() {
        let places = allot(
            &on(&[
                "{ packed = 3 }",
                "'1-2,7'",
                "{ strided = 2 }",
                "[4, '8-8']",
                "{ random = 2 }",
            ]),
            12,
            1,
        );
        let places = places.unwrap();
        assert_eq!(places[..4], [vec![0, 3, 5], vec![1, 2, 7], vec![9, 6], vec![4, 8]]);
        assert_eq!(places[4].len(), 2);
        assert!(places[4].iter().all(|host| [10, 11].contains(host)));
    }

    #[test]
    fn hosts_are_read_as_they_are_written() {
        for hosts in [
            JobHosts::Packed(3),
            JobHosts::Strided(4),
            JobHosts::Random(5),
            JobHosts::Listed(vec![HostRange(0, 63), HostRange(70, 70)]),
        ] {
            let text = serde_json::to_string(&hosts).unwrap();
            assert_eq!(serde_json::from_str::<JobHosts>(&text).unwrap(), hosts);
        }
    }

    #[test]
    fn jobs_that_cannot_be_are_refused() {
        let error = |jobs: &[Job]| {
            let demand = Demand::Jobs(jobs);
            demand
                .schedule_within(8.into(), &NoFiles, 1, Room::UNLIMITED)
                .unwrap_err()
                .to_string()
        };
        let mut messages = vec![error(&[])];
        for hosts in [
            &["{ packed = 5 }", "{ packed = 4 }"][..],
            &["'0-3'", "'3-4'"],
            &["'0-8'"],
            &["[0, 0]"],
            &["[0]"],
            &["{ packed = 1 }"],
        ] {
            messages.push(error(&on(hosts)));
        }
        let mut same = on(&["'0-1'", "'2-3'"]);
        same[1].name = "job0".into();
        messages.push(error(&same));
        same[1].name = String::new();
        messages.push(error(&same));
        messages.push(error(&jobs(
            "[[jobs]]\nname = 'a'\nhosts = '0-2'\nworkload.all-reduce = { size = 8, algorithm = 'halving-doubling' }",
        )));
        insta::assert_snapshot!(messages.join("\n"));
    }

    /// The schedule of each job is in that of all what it is alone.
    #[test]
    fn jobs_do_not_change_each_other() {
        let all = on(&["'0-3'", "{ random = 4 }"]);
        let schedule = |jobs: &[Job]| {
            Demand::Jobs(jobs)
                .schedule_within(8.into(), &NoFiles, 1, Room::UNLIMITED)
                .unwrap()
        };
        let (both, first) = (schedule(&all), schedule(&all[..1]));
        assert!(both.tasks().take(first.tasks().len()).eq(first.tasks()));
        assert_eq!(both.jobs().len(), 2);
        assert_eq!(both.transfer_count(), 2 * first.transfer_count());
        assert_eq!(
            both.only(0).transfers().collect::<Vec<_>>(),
            first.transfers().collect::<Vec<_>>()
        );
        let second: Vec<_> = both.transfers().skip(first.transfer_count()).collect();
        assert_eq!(both.only(1).transfers().collect::<Vec<_>>(), second);
    }
}
