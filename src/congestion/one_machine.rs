//! The one-machine bound: work with heads and tails on a resource of fixed rate.
//!
//! A job is there after its head, keeps the machine busy for its work, and leaves a tail to be done
//! elsewhere. No order beats the largest of (smallest head + sum of work + smallest tail) over all
//! subsets of jobs, and the preemptive schedule of Jackson (largest tail first) meets it (Carlier,
//! "The one-machine sequencing problem", EJOR 11, 1982). A link, a NIC or a cut is such a machine,
//! fluid or packets alike: it moves bytes at its rate at most.

use std::collections::BinaryHeap;

/// Work for one machine; all in the same unit of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Job {
    pub head: f64,
    pub work: f64,
    pub tail: f64,
}

#[derive(PartialEq)]
struct ByTail(Job);

impl Eq for ByTail {}

impl Ord for ByTail {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.tail.total_cmp(&other.0.tail)
    }
}

impl PartialOrd for ByTail {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The earliest time at which all jobs, tails included, can be done; 0 without jobs. Sorts the jobs.
pub(super) fn earliest_end(jobs: &mut [Job]) -> f64 {
    jobs.sort_unstable_by(|a, b| a.head.total_cmp(&b.head));
    let mut waiting: BinaryHeap<ByTail> = BinaryHeap::with_capacity(jobs.len());
    let (mut now, mut end) = (0.0_f64, 0.0_f64);
    let mut next = 0;
    loop {
        let Some(ByTail(mut job)) = waiting.pop() else {
            let Some(&job) = jobs.get(next) else {
                return end;
            };
            now = now.max(job.head);
            waiting.push(ByTail(job));
            next += 1;
            continue;
        };
        // Until it is done or the next job arrives, which may have a larger tail.
        match jobs.get(next) {
            Some(&arriving) if arriving.head < now + job.work => {
                let worked = (arriving.head - now).max(0.0);
                job.work -= worked;
                now += worked;
                waiting.push(ByTail(job));
                waiting.push(ByTail(arriving));
                next += 1;
            }
            _ => {
                now += job.work;
                end = end.max(now + job.tail);
            }
        }
    }
}

/// Jobs of one resource as bytes; those of equal head and tail are one.
#[derive(Debug, Clone, Default)]
pub(super) struct Resource {
    /// Bytes in the place of work.
    jobs: Vec<Job>,
}

/// How many of the last jobs a new one is compared with.
const RECENT: usize = 4;

impl Resource {
    pub(super) fn add(&mut self, head: f64, bytes: f64, tail: f64) {
        let recent = self.jobs.iter_mut().rev().take(RECENT);
        for job in recent {
            if job.head == head && job.tail == tail {
                job.work += bytes;
                return;
            }
        }
        self.jobs.push(Job {
            head,
            work: bytes,
            tail,
        });
    }

    /// The bound at `rate` bytes per picosecond; leaves nothing behind.
    pub(super) fn take(&mut self, rate: f64) -> f64 {
        if self.jobs.is_empty() {
            return 0.0;
        }
        for job in &mut self.jobs {
            job.work /= rate;
        }
        let end = earliest_end(&mut self.jobs);
        self.jobs.clear();
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_subsets(jobs: &[Job]) -> f64 {
        (1..1_usize << jobs.len()).fold(0.0, |best, set| {
            let chosen = || (0..jobs.len()).filter(|i| set >> i & 1 == 1).map(|i| jobs[i]);
            let least = |of: fn(Job) -> f64| chosen().map(of).fold(f64::INFINITY, f64::min);
            let work: f64 = chosen().map(|j| j.work).sum();
            best.max(least(|j| j.head) + work + least(|j| j.tail))
        })
    }

    proptest! {
        #[test]
        fn equals_the_best_subset(raw in prop::collection::vec((0_u8..20, 1_u8..10, 0_u8..20), 1..9)) {
            let mut jobs: Vec<Job> = raw
                .iter()
                .map(|&(head, work, tail)| Job { head: head.into(), work: work.into(), tail: tail.into() })
                .collect();
            let expected = by_subsets(&jobs);
            prop_assert_eq!(earliest_end(&mut jobs), expected);
        }
    }

    #[test]
    fn equal_jobs_are_one() {
        let mut resource = Resource::default();
        for i in 0..1_000 {
            resource.add(f64::from(i % 3), 2.0, f64::from(i % 3));
        }
        assert_eq!(resource.jobs.len(), 3);
        assert_eq!(resource.take(2.0), 1_000.0);
        assert_eq!(resource.take(2.0), 0.0);
    }
}
