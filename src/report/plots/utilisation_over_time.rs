//! How busy the links between switches are over time.

use std::collections::BTreeMap;

use super::axes::{Axis, TimeUnit};
use super::heat::{Maps, Panel};
use super::links::LinkName;
use super::series::{cell, note_on_one, of_largest_size, series};
use super::{Figure, NoFigure, missing};
use crate::experiment::record::{LinkRow, SeriesRow};
use crate::report::folder::{Folder, Subject};

/// Cells of a panel at most; those between are means.
const MOMENTS: usize = 100;
const LINKS: usize = 64;

pub(super) fn draw(folder: &Folder, subject: &Subject<'_>) -> Result<Figure, NoFigure> {
    let points = of_largest_size(&subject.points);
    let (mut maps, mut rows) = (Vec::new(), Vec::new());
    for series in series(folder, &points) {
        let Some(first) = series.points.first() else { continue };
        let samples = folder.detail::<SeriesRow>(first, "series.csv")?;
        let links = folder.detail::<LinkRow>(first, "links.csv")?;
        let (Some(samples), Some(links)) = (samples, links) else {
            continue;
        };
        let Some(film) = Film::of(&samples, &links) else {
            continue;
        };
        let panels: Vec<Panel> = [("up-links", true), ("down-links", false)]
            .into_iter()
            .filter_map(|(title, up)| film.panel(title, up))
            .collect();
        for (panel, direction) in panels.iter().zip(["up", "down"]) {
            rows.extend(film.rows(&series.label, direction, panel));
        }
        if !panels.is_empty() {
            maps.push((series.label, panels));
        }
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
        scene: maps.draw(),
        headings: &["series", "direction", "links_from", "time_us", "utilisation"],
        rows,
    })
}

/// Bytes of every link in every interval.
struct Film<'a> {
    interval_us: f64,
    intervals: usize,
    /// Links between switches: name, bytes per interval at full rate, bytes by interval.
    links: Vec<(LinkName<'a>, f64, BTreeMap<usize, u64>)>,
}

impl<'a> Film<'a> {
    fn of(samples: &[SeriesRow], links: &'a [LinkRow]) -> Option<Self> {
        let mut times: Vec<f64> = samples.iter().map(|s| s.at_us.value()).collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        // The last sample is taken when nothing is left to happen, between two intervals.
        let whole = &times[..times.len().saturating_sub(1).max(1).min(times.len())];
        let gaps = whole.windows(2).map(|pair| pair[1] - pair[0]);
        let interval_us = gaps.chain(times.first().copied()).fold(f64::INFINITY, f64::min);
        if !interval_us.is_finite() || interval_us <= 0.0 {
            return None;
        }
        let index = |us: f64| ((us / interval_us - 1e-6).ceil() as usize).saturating_sub(1);
        let mut film = Self {
            interval_us,
            intervals: times.last().map_or(0, |&us| index(us) + 1),
            links: Vec::new(),
        };
        let mut position = BTreeMap::new();
        for row in links {
            if let Some(name) = LinkName::parse(&row.link).filter(LinkName::is_inside) {
                position.insert(row.link.as_str(), film.links.len());
                let full = row.rate_gbps.value() * 1e3 / 8.0 * interval_us;
                film.links.push((name, full, BTreeMap::new()));
            }
        }
        for sample in samples {
            if let Some(&at) = position.get(sample.link.as_str()) {
                *film.links[at].2.entry(index(sample.at_us.value())).or_default() += sample.sent_bytes;
            }
        }
        Some(film)
    }

    fn panel(&self, title: &str, up: bool) -> Option<Panel> {
        let links: Vec<_> = self.links.iter().filter(|(name, ..)| name.leads_up() == up).collect();
        if links.is_empty() || self.intervals == 0 {
            return None;
        }
        let (per_row, per_column) = (links.len().div_ceil(LINKS), self.intervals.div_ceil(MOMENTS));
        let columns = self.intervals.div_ceil(per_column);
        let mut values = Vec::new();
        for group in links.chunks(per_row) {
            let full: f64 = group.iter().map(|(_, full, _)| full).sum();
            for column in 0..columns {
                let span = column * per_column..((column + 1) * per_column).min(self.intervals);
                let sent = |(_, _, sent): &&(LinkName<'_>, f64, BTreeMap<usize, u64>)| {
                    sent.range(span.clone()).map(|(_, bytes)| *bytes).sum::<u64>() as f64
                };
                let sent: f64 = group.iter().copied().map(|link| sent(&link)).sum();
                values.push((full > 0.0).then(|| sent / (full * span.len() as f64)));
            }
        }
        let end_us = self.intervals as f64 * self.interval_us;
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

    fn rows(&self, series: &str, direction: &str, panel: &Panel) -> Vec<Vec<String>> {
        let of_direction = self
            .links
            .iter()
            .filter(|(name, ..)| name.leads_up() == (direction == "up"));
        let per_row = of_direction.count().div_ceil(LINKS);
        let per_column = self.intervals.div_ceil(MOMENTS);
        let row = |(i, value): (usize, &Option<f64>)| {
            let (link, moment) = (i / panel.columns * per_row, i % panel.columns * per_column);
            vec![
                series.to_owned(),
                direction.to_owned(),
                link.to_string(),
                cell(moment as f64 * self.interval_us),
                value.map_or(String::new(), cell),
            ]
        };
        panel.values.iter().enumerate().map(row).collect()
    }
}
