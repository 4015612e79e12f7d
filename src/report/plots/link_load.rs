//! How even the links are loaded: lower switch by upper switch, upwards and downwards.

use std::collections::BTreeMap;

use super::axes::TimeUnit;
use super::heat::{Maps, Panel};
use super::links::LinkName;
use super::series::{cell, note_on_one, of_largest_size, series};
use super::{Figure, NoFigure, missing};
use crate::experiment::record::LinkRow;
use crate::report::folder::{Folder, Subject};

pub(super) fn draw(folder: &Folder, subject: &Subject<'_>) -> Result<Figure, NoFigure> {
    let points = of_largest_size(&subject.points);
    let (mut maps, mut rows) = (Vec::new(), Vec::new());
    let mut named = true;
    for series in series(folder, &points) {
        // One seed: the mean over several would hide how uneven each is.
        let Some(first) = series.points.first() else { continue };
        let Some(links) = folder.detail::<LinkRow>(first, "links.csv")? else {
            continue;
        };
        let stages = stages(&links);
        named &= !stages.is_empty();
        let panels: Vec<Panel> = stages.iter().flat_map(Stage::panels).collect();
        rows.extend(stages.iter().flat_map(|stage| stage.rows(&series.label)));
        if !panels.is_empty() {
            maps.push((series.label, panels));
        }
    }
    if !named {
        return missing("the nodes' names do not tell their tiers");
    }
    if maps.is_empty() {
        return missing("it needs links.csv: write `links = true` under [output]");
    }
    let any_down = maps
        .iter()
        .flat_map(|(_, panels)| panels)
        .any(|p| p.values.contains(&None));
    let down = if any_down { "; crossed out: down" } else { "" };
    let loads = || maps.iter().flat_map(|(_, panels): &(String, Vec<Panel>)| panels);
    let highest = loads()
        .flat_map(|panel| panel.values.iter().flatten().copied())
        .fold(0.0, f64::max);
    let unit = TimeUnit::for_us(highest);
    for panel in maps.iter_mut().flat_map(|(_, panels)| panels) {
        panel.values.iter_mut().flatten().for_each(|load| *load /= unit.us);
    }
    let maps = Maps {
        title: &format!("Link load: {}", subject.title()),
        subtitle: &format!("{}{down}", note_on_one(&points)),
        rows: maps,
        scale: &format!("Load: bytes / rate ({})", unit.name),
        size: (210.0, 210.0),
    };
    Ok(Figure {
        scene: maps.draw(),
        headings: &["series", "link", "load_us"],
        rows,
    })
}

/// All links between two tiers.
struct Stage<'a> {
    /// Kinds of the lower and the upper switches.
    kinds: (&'a str, &'a str),
    /// Up-links of each lower switch, in the fabric's order.
    uplinks: BTreeMap<u32, Vec<Cable<'a>>>,
}

struct Cable<'a> {
    name: &'a str,
    upper: u32,
    /// Load in both directions; `None` where it is down.
    up: Option<f64>,
    down: Option<f64>,
}

fn stages(links: &[LinkRow]) -> Vec<Stage<'_>> {
    let by_name: BTreeMap<&str, &LinkRow> = links.iter().map(|row| (row.link.as_str(), row)).collect();
    let mut stages: Vec<Stage<'_>> = Vec::new();
    for row in links {
        let Some(name) = LinkName::parse(&row.link).filter(|name| name.is_inside() && name.leads_up()) else {
            continue;
        };
        let kinds = (name.from.kind, name.to.kind);
        let known = stages.iter().position(|stage| stage.kinds == kinds);
        let at = known.unwrap_or_else(|| {
            let uplinks = BTreeMap::new();
            stages.push(Stage { kinds, uplinks });
            stages.len() - 1
        });
        stages[at].uplinks.entry(name.from.number).or_default().push(Cable {
            name: &row.link,
            upper: name.to.number,
            up: load_us(row),
            down: by_name.get(name.reverse().as_str()).and_then(|row| load_us(row)),
        });
    }
    stages
}

/// Time that the bytes take at the link's rate.
fn load_us(row: &LinkRow) -> Option<f64> {
    let rate = row.rate_gbps.value();
    (rate > 0.0).then(|| row.bytes.value() * 8.0 / (rate * 1e3))
}

impl Stage<'_> {
    fn panels(&self) -> [Panel; 2] {
        let (lower, upper) = self.kinds;
        [
            self.panel(format!("{lower} to {upper}"), |cable| cable.up),
            self.panel(format!("{upper} to {lower}"), |cable| cable.down),
        ]
    }

    fn panel(&self, title: String, load: impl Fn(&Cable<'_>) -> Option<f64>) -> Panel {
        let columns = self.uplinks.values().map(Vec::len).max().unwrap_or(0);
        let mut values = Vec::with_capacity(self.uplinks.len() * columns);
        for cables in self.uplinks.values() {
            values.extend(cables.iter().map(&load));
            values.extend((cables.len()..columns).map(|_| None));
        }
        // With the same upper switches everywhere, columns are these; else just the first, the second, ...
        let regular = self
            .uplinks
            .values()
            .all(|cables| cables.iter().enumerate().all(|(c, cable)| cable.upper as usize == c));
        Panel {
            title,
            rows: self.uplinks.len(),
            y_ticks: Panel::numbered(self.uplinks.len()),
            columns,
            values,
            y_title: self.kinds.0.to_owned(),
            x_title: if regular {
                self.kinds.1.to_owned()
            } else {
                format!("link to {}", self.kinds.1)
            },
            x_ticks: Panel::numbered(columns),
        }
    }

    fn rows(&self, series: &str) -> Vec<Vec<String>> {
        let value = |load: Option<f64>| load.map_or(String::new(), cell);
        let mut rows = Vec::new();
        for cable in self.uplinks.values().flatten() {
            rows.push(vec![series.to_owned(), cable.name.to_owned(), value(cable.up)]);
            let reverse = LinkName::parse(cable.name).map_or(String::new(), |name| name.reverse());
            rows.push(vec![series.to_owned(), reverse, value(cable.down)]);
        }
        rows
    }
}
