//! How even the links are loaded: lower switch by upper switch, upwards and downwards.

use std::collections::{BTreeMap, VecDeque};

use super::axes::TimeUnit;
use super::figure::{Figure, NoFigure, missing};
use super::heat::{Maps, Panel};
use super::series::{cell, note_on_one, of_largest_size, series};
use crate::report::folder::{Folder, Subject};
use crate::results::{Direction, LinkRow};

pub(super) fn draw(folder: &Folder, subject: &Subject<'_>) -> Result<Figure, NoFigure> {
    let points = of_largest_size(&subject.points);
    let (mut maps, mut rows) = (Vec::new(), Vec::new());
    let mut tiers = true;
    for series in series(folder, &points) {
        // One seed: the mean over several would hide how uneven each is.
        let Some(first) = series.points.first() else { continue };
        let Some(links) = folder.detail::<LinkRow>(first, "links.csv")? else {
            continue;
        };
        let stages = stages(&links);
        tiers &= links.iter().any(|link| link.direction().is_some());
        let panels: Vec<Panel> = stages.iter().flat_map(Stage::panels).collect();
        rows.extend(stages.iter().flat_map(|stage| stage.rows(&series.label)));
        if !panels.is_empty() {
            maps.push((series.label, panels));
        }
    }
    if !tiers {
        return missing("links.csv has no tiers: an earlier version wrote it; run the experiment again");
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
        drawing: maps.draw(),
        headings: &["series", "link", "load_us"],
        rows,
    })
}

/// All links between two tiers, or of one.
struct Stage<'a> {
    tiers: (u32, u32),
    /// Names of the lower switches and of the upper ones.
    names: (String, String),
    /// Up-links of each lower switch, in the fabric's order.
    uplinks: Vec<Vec<Cable<'a>>>,
}

struct Cable<'a> {
    lower: &'a str,
    upper: &'a str,
    /// Names of both directions, and their loads; `None` where one is down.
    names: [&'a str; 2],
    up: Option<f64>,
    down: Option<f64>,
}

fn stages(links: &[LinkRow]) -> Vec<Stage<'_>> {
    let mut by_ends: BTreeMap<(&str, &str), VecDeque<&LinkRow>> = BTreeMap::new();
    for row in links {
        by_ends.entry((&row.from, &row.to)).or_default().push_back(row);
    }
    let mut stages: Vec<Stage<'_>> = Vec::new();
    for row in links {
        let is_up = match row.direction() {
            Some(Direction::Up) => true,
            // Between switches of a tier, one of the two directions counts as up.
            Some(Direction::Level) => row.from < row.to,
            _ => false,
        };
        let (Some(from), Some(to), true) = (row.from_tier, row.to_tier, is_up) else {
            continue;
        };
        // The first of parallel links one way belongs to the first the other way.
        let back = by_ends.get_mut(&(row.to.as_str(), row.from.as_str()));
        let back = back.and_then(VecDeque::pop_front);
        let known = stages.iter().position(|stage| stage.tiers == (from, to));
        let at = known.unwrap_or_else(|| {
            stages.push(Stage::between(from, to));
            stages.len() - 1
        });
        stages[at].add(Cable {
            lower: &row.from,
            upper: &row.to,
            names: [&row.link, back.map_or("", |back| &back.link)],
            up: load_us(row),
            down: back.and_then(load_us),
        });
    }
    stages.iter_mut().for_each(Stage::name);
    stages
}

/// What all these nodes are called but for their numbers, such as `leaf`; else their tier.
fn common_name<'a>(mut nodes: impl Iterator<Item = &'a str>, tier: u32) -> String {
    let kind = |node: &'a str| node.trim_end_matches(|c: char| c.is_ascii_digit());
    let first = nodes.next().map_or("", kind);
    match !first.is_empty() && nodes.all(|node| kind(node) == first) {
        true => first.to_owned(),
        false => format!("tier {tier}"),
    }
}

/// Time that the bytes take at the link's rate.
fn load_us(row: &LinkRow) -> Option<f64> {
    let rate = row.rate_gbps.value();
    (rate > 0.0).then(|| row.bytes.value() * 8.0 / (rate * 1e3))
}

impl<'a> Stage<'a> {
    fn between(lower: u32, upper: u32) -> Self {
        Self {
            tiers: (lower, upper),
            names: Default::default(),
            uplinks: Vec::new(),
        }
    }

    /// Adds a cable behind those of the same lower switch.
    fn add(&mut self, cable: Cable<'a>) {
        match self.uplinks.iter_mut().rfind(|cables| cables[0].lower == cable.lower) {
            Some(cables) => cables.push(cable),
            None => self.uplinks.push(vec![cable]),
        }
    }

    fn name(&mut self) {
        let cables = || self.uplinks.iter().flatten();
        self.names = (
            common_name(cables().map(|cable| cable.lower), self.tiers.0),
            common_name(cables().map(|cable| cable.upper), self.tiers.1),
        );
    }

    fn panels(&self) -> [Panel; 2] {
        let (lower, upper) = &self.names;
        [
            self.panel(format!("{lower} to {upper}"), |cable| cable.up),
            self.panel(format!("{upper} to {lower}"), |cable| cable.down),
        ]
    }

    fn panel(&self, title: String, load: impl Fn(&Cable<'_>) -> Option<f64>) -> Panel {
        let columns = self.uplinks.iter().map(Vec::len).max().unwrap_or(0);
        let mut values = Vec::with_capacity(self.uplinks.len() * columns);
        for cables in &self.uplinks {
            values.extend(cables.iter().map(&load));
            values.extend((cables.len()..columns).map(|_| None));
        }
        // With the same upper switches everywhere, columns are these; else just the first, the second, ...
        let uppers = |cables: &[Cable<'a>]| cables.iter().map(|cable| cable.upper).collect::<Vec<_>>();
        let regular = self
            .uplinks
            .iter()
            .all(|cables| uppers(cables) == uppers(&self.uplinks[0]));
        Panel {
            title,
            rows: self.uplinks.len(),
            y_ticks: Panel::numbered(self.uplinks.len()),
            columns,
            values,
            y_title: self.names.0.clone(),
            x_title: if regular {
                self.names.1.clone()
            } else {
                format!("link to {}", self.names.1)
            },
            x_ticks: Panel::numbered(columns),
        }
    }

    fn rows(&self, series: &str) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for cable in self.uplinks.iter().flatten() {
            for (name, load) in cable.names.into_iter().zip([cable.up, cable.down]) {
                rows.push(vec![
                    series.to_owned(),
                    name.to_owned(),
                    load.map_or(String::new(), cell),
                ]);
            }
        }
        rows
    }
}
