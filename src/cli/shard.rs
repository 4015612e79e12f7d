//! Which part of the points a process of a job array runs.

use std::str::FromStr;

use crate::config::ConfigError;
use crate::runner::Shard;

/// The value of `--shard`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShardArg {
    /// `I/N`.
    Given(Shard),
    /// `auto`: what the scheduler says.
    Auto,
}

impl FromStr for ShardArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let parts = text.split_once('/');
        let numbers = parts.and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match numbers {
            Some((index, count)) => shard(index, count).map(Self::Given),
            None => Err("a part such as 0/8, the first of eight, or `auto` is expected".into()),
        }
    }
}

impl ShardArg {
    /// The part, from the variables that schedulers set where it is theirs to say.
    pub(super) fn resolve(self) -> Result<Shard, ConfigError> {
        match self {
            Self::Given(shard) => Ok(shard),
            Self::Auto => {
                let number = |name: &str| std::env::var(name).ok()?.parse().ok();
                from_scheduler(&number)
                    .unwrap_or_else(|| Err("no variable of a scheduler says which part this is".into()))
                    .map_err(|why| {
                        ConfigError::new(format!("--shard auto: {why}")).help(
                            "set SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT as Slurm does, or JOB_COMPLETION_INDEX or \
                             HQ_TASK_ID with FABRICSIM_SHARDS, or write --shard I/N",
                        )
                    })
            }
        }
    }
}

/// What Slurm, Kubernetes or HyperQueue say, the first of them that says something.
fn from_scheduler(number: &dyn Fn(&str) -> Option<u32>) -> Option<Result<Shard, String>> {
    if let Some(task) = number("SLURM_ARRAY_TASK_ID") {
        let first = number("SLURM_ARRAY_TASK_MIN").unwrap_or(0);
        let count = number("SLURM_ARRAY_TASK_COUNT").or_else(|| number("FABRICSIM_SHARDS"));
        return Some(match count {
            Some(count) => shard(task.wrapping_sub(first), count),
            None => Err("SLURM_ARRAY_TASK_COUNT is not set".into()),
        });
    }
    let index = number("JOB_COMPLETION_INDEX").or_else(|| number("HQ_TASK_ID"))?;
    Some(match number("FABRICSIM_SHARDS") {
        Some(count) => shard(index, count),
        None => Err("FABRICSIM_SHARDS, the number of parts, is not set".into()),
    })
}

fn shard(index: u32, count: u32) -> Result<Shard, String> {
    if index < count {
        Ok(Shard { index, count })
    } else if count == 0 {
        Err("there are 0 parts: at least 1 is needed".into())
    } else {
        Err(format!(
            "there is no part {index} of {count}: they are numbered from 0 to {}",
            count - 1
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_numbered_from_0() {
        let given = |index, count| Ok(ShardArg::Given(Shard { index, count }));
        assert_eq!("0/8".parse(), given(0, 8));
        assert_eq!("7/8".parse(), given(7, 8));
        assert_eq!("auto".parse(), Ok(ShardArg::Auto));
        for wrong in ["8/8", "0/0", "1", "-1/4", "a/b", ""] {
            assert!(wrong.parse::<ShardArg>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn schedulers_say_which_part_it_is() {
        let with = |variables: &[(&str, u32)]| {
            let number = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, n)| *n);
            from_scheduler(&number)
        };
        let slurm = [
            ("SLURM_ARRAY_TASK_ID", 12),
            ("SLURM_ARRAY_TASK_MIN", 10),
            ("SLURM_ARRAY_TASK_COUNT", 4),
        ];
        assert_eq!(with(&slurm), Some(Ok(Shard { index: 2, count: 4 })));
        let kubernetes = [("JOB_COMPLETION_INDEX", 3), ("FABRICSIM_SHARDS", 5)];
        assert_eq!(with(&kubernetes), Some(Ok(Shard { index: 3, count: 5 })));
        assert!(matches!(with(&[("HQ_TASK_ID", 3)]), Some(Err(_))));
        assert_eq!(with(&[]), None);
    }
}
