//! Queues and rates over time, in few bytes: a byte for each link and step, and numbers for the links that matter most.

use std::collections::BTreeMap;

use serde::Serialize;

use super::fabric::Fabric;
use crate::report::math::Intervals;
use crate::results::SeriesRow;

/// Steps in time that a page has at most, and cells of all links.
const MOST_STEPS: usize = 120;
const MOST_CELLS: usize = 60_000;
/// Links with the longest queues, whose numbers are kept.
const TOP: usize = 8;
/// What a byte of utilisation counts: 200 make 1, as more than the rate may be sent in one interval.
const FULL: f64 = 200.0;

#[derive(Debug, Serialize)]
pub(super) struct Series {
    /// Ends of the steps, in microseconds.
    times: Vec<f64>,
    /// Links by number, and for each and every step bytes in base 64: utilisation in 200ths, queue in 255ths of `queue_max`.
    links: Vec<u32>,
    utilisation: String,
    queue: String,
    queue_max: u64,
    /// The links with the longest queues: the longest queue in every step, in bytes, and the share of the rate that was sent.
    top: Vec<Top>,
}

#[derive(Debug, Serialize)]
struct Top {
    link: u32,
    queue: Vec<u64>,
    utilisation: Vec<f64>,
}

/// A link over the steps.
#[derive(Clone, Default)]
struct Course {
    queue: Vec<u64>,
    sent: Vec<u64>,
}

impl Series {
    pub(super) fn of(rows: &[SeriesRow], fabric: &Fabric) -> Option<Self> {
        let intervals = Intervals::of(rows)?;
        let mut by_link: BTreeMap<u32, Vec<&SeriesRow>> = BTreeMap::new();
        for row in rows {
            if let Some(link) = fabric.number(&row.link) {
                by_link.entry(link).or_default().push(row);
            }
        }
        let room = (MOST_CELLS / by_link.len().max(1)).clamp(20, MOST_STEPS);
        let together = intervals.count.div_ceil(room);
        let steps = intervals.count.div_ceil(together);
        let course = |rows: Vec<&SeriesRow>| {
            let mut course = Course {
                queue: vec![0; steps],
                sent: vec![0; steps],
            };
            for row in rows {
                let step = intervals.index(row.at_us.value()) / together;
                course.queue[step] = course.queue[step].max(row.queue_bytes);
                course.sent[step] += row.sent_bytes;
            }
            course
        };
        let courses: Vec<(u32, Course)> = by_link.into_iter().map(|(link, rows)| (link, course(rows))).collect();
        let step_us = intervals.us * together as f64;
        let used = |link: u32, sent: u64| {
            // Gb/s are 125 bytes in a microsecond.
            let room = fabric.rates[link as usize].value() * 125.0 * step_us;
            if room > 0.0 { sent as f64 / room } else { 0.0 }
        };
        let queue_max = courses.iter().flat_map(|(_, course)| &course.queue).copied().max()?;
        let mut ranked: Vec<&(u32, Course)> = courses.iter().collect();
        ranked.sort_by_key(|(link, course)| {
            let sent: u64 = course.sent.iter().sum();
            (std::cmp::Reverse((course.queue.iter().max(), sent)), *link)
        });
        let top = ranked.into_iter().take(TOP).map(|(link, course)| Top {
            link: *link,
            queue: course.queue.clone(),
            utilisation: course.sent.iter().map(|&sent| rounded(used(*link, sent))).collect(),
        });
        let top = top.collect();
        let shade = |value: f64, full: f64| (value * full).round().clamp(0.0, 255.0) as u8;
        let utilisation = courses
            .iter()
            .flat_map(|(link, course)| course.sent.iter().map(|&sent| shade(used(*link, sent), FULL)))
            .collect::<Vec<u8>>();
        let of_longest = |queue: u64| shade(queue as f64 / queue_max.max(1) as f64, 255.0);
        let queue: Vec<u8> = courses
            .iter()
            .flat_map(|(_, course)| course.queue.iter().map(|&queue| of_longest(queue)))
            .collect();
        Some(Self {
            times: (1..=steps).map(|step| rounded(step as f64 * step_us)).collect(),
            links: courses.iter().map(|(link, _)| *link).collect(),
            utilisation: base64(&utilisation),
            queue: base64(&queue),
            queue_max,
            top,
        })
    }
}

/// In six digits or so behind the point.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            match digit <= three.len() {
                true => text.push(char::from(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize])),
                false => text.push('='),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::fabric::rows_of;
    use super::*;
    use crate::results::{LinkRow, Number};

    /// The test vectors of RFC 4648.
    #[test]
    fn base64_is_as_the_standard_has_it() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    /// A link of 8 Gb/s carries 1000 bytes in a microsecond.
    #[test]
    fn steps_keep_longest_queues_and_all_bytes() {
        let link = LinkRow {
            link: "a->b".into(),
            from: "a".into(),
            to: "b".into(),
            rate_gbps: Number::new(8.0),
            ..LinkRow::default()
        };
        let fabric = Fabric::of(&rows_of(&[link]));
        let row = |at: usize| SeriesRow {
            at_us: Number::new(at as f64),
            link: "a->b".into(),
            queue_bytes: at as u64,
            sent_bytes: 500,
            ..SeriesRow::default()
        };
        // 240 intervals in 120 steps; two of them idle.
        let rows: Vec<SeriesRow> = (1..=240).filter(|at| !(7..=8).contains(at)).map(row).collect();
        let series = Series::of(&rows, &fabric).unwrap();
        assert_eq!(
            (series.times.len(), series.times[0], series.times[119]),
            (120, 2.0, 240.0)
        );
        let top = &series.top[0];
        assert_eq!((top.queue[0], top.queue[3], top.queue[119]), (2, 0, 240));
        assert_eq!((top.utilisation[0], top.utilisation[3]), (0.5, 0.0));
        assert_eq!(series.queue_max, 240);
    }
}
