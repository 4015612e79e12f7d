//! How busy the links between switches are over time.

use std::collections::BTreeMap;

use super::axes::{Axis, TimeUnit};
use super::figure::{Figure, NoFigure, missing};
use super::heat::{Maps, Panel};
use super::series::{cell, note_on_one, of_largest_size, series};
use crate::report::folder::{Folder, Subject};
use crate::report::math::Intervals;
use crate::results::{Direction, LinkRow, SeriesRow};

/// Cells of a panel at most; those between are means.
const MOMENTS: usize = 100;
const LINKS: usize = 64;

pub(super) fn draw(folder: &Folder, subject: &Subject<'_>) -> Result<Figure, NoFigure> {
    let points = of_largest_size(&subject.points);
    let (mut films, mut maps, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    let (mut kept, mut tiers) = (false, false);
    for series in series(folder, &points) {
        let Some(first) = series.points.first() else { continue };
        let samples = folder.detail::<SeriesRow>(first, "series.csv")?;
        let links = folder.detail::<LinkRow>(first, "links.csv")?;
        let (Some(samples), Some(links)) = (samples, links) else {
            continue;
        };
        kept = true;
        tiers |= links.iter().any(|link| link.direction().is_some());
        films.extend(Film::of(&samples, &links).map(|film| (series.label, film)));
    }
    // All panels have one time axis: who is done early is idle to its end.
    let end_us = films.iter().map(|(_, film)| film.end_us()).fold(0.0, f64::max);
    for (label, film) in &mut films {
        film.intervals = (end_us / film.interval_us).round() as usize;
        let mut panels = Vec::new();
        for (name, direction) in DIRECTIONS {
            if let Some(panel) = film.panel(&format!("{name}-links"), direction) {
                rows.extend(film.rows(label, (name, direction), &panel));
                panels.push(panel);
            }
        }
        if !panels.is_empty() {
            maps.push((label.clone(), panels));
        }
    }
    if kept && !tiers {
        return missing("links.csv has no tiers: an earlier version wrote it; run the experiment again");
    }
    if maps.is_empty() {
        return missing(
            "it needs series.csv and links.csv: write `series = \"1us\"` and `links = true` under [output] (packet engine)",
        );
    }
    let maps = Maps {
        title: &format!("Link utilisation: {}", subject.title()),
        subtitle: &format!("{}; links in the fabric's order", note_on_one(&points)),
        rows: maps,
        scale: "Utilisation (share of rate)",
        size: (330.0, 170.0),
    };
    Ok(Figure {
        drawing: maps.draw(),
        headings: &["series", "direction", "links_from", "time_us", "utilisation"],
        rows,
    })
}

/// Which way links between switches lead, each in a panel of its own.
const DIRECTIONS: [(&str, Direction); 3] = [
    ("up", Direction::Up),
    ("level", Direction::Level),
    ("down", Direction::Down),
];

struct Link {
    direction: Direction,
    /// Bytes per interval at full rate, and those of every interval.
    full: f64,
    sent: BTreeMap<usize, u64>,
}

/// Bytes of every link in every interval.
struct Film {
    interval_us: f64,
    intervals: usize,
    /// Links between switches.
    links: Vec<Link>,
}

impl Film {
    fn of(samples: &[SeriesRow], links: &[LinkRow]) -> Option<Self> {
        let intervals = Intervals::of(samples)?;
        let interval_us = intervals.us;
        let mut film = Self {
            interval_us,
            intervals: intervals.count,
            links: Vec::new(),
        };
        let mut position = BTreeMap::new();
        for row in links {
            let between = row
                .direction()
                .filter(|way| DIRECTIONS.iter().any(|(_, known)| known == way));
            if let Some(direction) = between {
                position.insert(row.link.as_str(), film.links.len());
                film.links.push(Link {
                    direction,
                    full: row.rate_gbps.value() * 1e3 / 8.0 * interval_us,
                    sent: BTreeMap::new(),
                });
            }
        }
        for sample in samples {
            if let Some(&at) = position.get(sample.link.as_str()) {
                *film.links[at]
                    .sent
                    .entry(intervals.index(sample.at_us.value()))
                    .or_default() += sample.sent_bytes;
            }
        }
        Some(film)
    }

    fn end_us(&self) -> f64 {
        self.intervals as f64 * self.interval_us
    }

    fn panel(&self, title: &str, direction: Direction) -> Option<Panel> {
        let links: Vec<_> = self.links.iter().filter(|link| link.direction == direction).collect();
        if links.is_empty() || self.intervals == 0 {
            return None;
        }
        let (per_row, per_column) = (links.len().div_ceil(LINKS), self.intervals.div_ceil(MOMENTS));
        let columns = self.intervals.div_ceil(per_column);
        let mut values = Vec::new();
        for group in links.chunks(per_row) {
            let full: f64 = group.iter().map(|link| link.full).sum();
            for column in 0..columns {
                let span = column * per_column..((column + 1) * per_column).min(self.intervals);
                let sent = |link: &&Link| link.sent.range(span.clone()).map(|(_, bytes)| *bytes).sum::<u64>() as f64;
                let sent: f64 = group.iter().map(sent).sum();
                values.push((full > 0.0).then(|| sent / (full * span.len() as f64)));
            }
        }
        let end_us = self.end_us();
        let unit = TimeUnit::for_us(end_us);
        let axis = Axis::linear("", 0.0, end_us / unit.us);
        Some(Panel {
            title: title.to_owned(),
            rows: values.len() / columns,
            columns,
            values,
            y_title: match per_row {
                1 => "link".to_owned(),
                several => format!("link, {several} per row"),
            },
            y_ticks: Panel::numbered(links.len()),
            x_title: format!("Time ({})", unit.name),
            x_ticks: axis
                .ticks()
                .iter()
                .map(|(value, label)| (value * unit.us / end_us, label.clone()))
                .collect(),
        })
    }

    fn rows(&self, series: &str, (name, direction): (&str, Direction), panel: &Panel) -> Vec<Vec<String>> {
        let of_direction = self.links.iter().filter(|link| link.direction == direction);
        let per_row = of_direction.count().div_ceil(LINKS);
        let per_column = self.intervals.div_ceil(MOMENTS);
        let row = |(i, value): (usize, &Option<f64>)| {
            let (link, moment) = (i / panel.columns * per_row, i % panel.columns * per_column);
            vec![
                series.to_owned(),
                name.to_owned(),
                link.to_string(),
                cell(moment as f64 * self.interval_us),
                value.map_or(String::new(), cell),
            ]
        };
        panel.values.iter().enumerate().map(row).collect()
    }
}
