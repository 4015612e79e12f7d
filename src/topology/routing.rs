//! Forwarding tables: for every node that forwards and every destination, the equal-cost next links and
//! the number of paths behind them.
//!
//! Under [`Routing::UpDown`](super::blueprint::Routing::UpDown) a node that has a way down (each link to a lower tier) takes the
//! shortest such way; any other node goes up, towards the nearest that has one. The rule looks at
//! the node alone, not at where a packet came from, so every packet goes up, then down.
//!
//! Hosts whose cables all lead to switches are in no column, and those on the same switches share a row: the way to the
//! switches is the same, and the last link is the host's own. What a host itself may choose among, its ports, is
//! compared when somebody asks, and so is what a switch knows that joins such hosts alone, as those inside servers do. So a
//! fabric of eight planes needs tables for its leaves, not for its hosts and servers.
//!
//! Where a fabric has detours, a node has an entry for each stage at which packets pass it (see [`Stages`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use smallvec::SmallVec;

use super::link::Link;
use super::stages::{Stage, Stages};
use super::wiring::{ColumnId, FAR, HostEnd, Wiring};
use crate::ids::{Id, IdLists, IdVec, LinkId, NodeId, id};

id! {
    /// An entry of the tables among all that differ.
    pub(super) EntryId;
    /// A set of next links.
    pub(super) SetId;
    /// A row of the tables: hosts that are reached alike.
    pub(super) RowId;
}

/// Where there is no way.
pub(super) const FAR_AWAY: u32 = u32::MAX;

/// One entry of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    /// Number of equal-cost paths, at most 2^32 - 1.
    pub(super) count: u32,
    /// Length of these paths.
    pub(super) distance: u32,
    /// Which set of next links.
    pub(super) set: SetId,
    /// Whether all of them have equally many paths behind.
    pub(super) even: bool,
}

/// The set without links, and that of the links from a switch to the destination, which every host of a row has its own of.
pub(super) const EMPTY: SetId = SetId(0);
pub(super) const LAST: SetId = SetId(1);

/// A destination of a row: a node of the tables, or where the live cables to some hosts begin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Node(ColumnId),
    /// Columns of switches with the cost of the cable, by port.
    Ports(Vec<(u8, ColumnId)>),
}

/// The tables over the links that are up. Equal entries, and equal sets of next links, are kept once: in a Clos fabric
/// a leaf goes up by the same links whatever the destination.
#[derive(Debug, Clone)]
pub(super) struct Routes {
    pub(super) columns: usize,
    /// Cells of a row: all columns for one stage after the other.
    pub(super) width: usize,
    /// Number of the entry by row, stage and column.
    pub(super) cells: Vec<EntryId>,
    pub(super) entries: IdVec<EntryId, Entry>,
    sets: IdLists<SetId, LinkId>,
    /// By host.
    pub(super) row: Vec<RowId>,
    /// By host; the same number for those of one row that are on the same switches without a column, too.
    pub(super) way: Vec<u32>,
    /// Whether the only link of a host is up; true for hosts without a single one.
    pub(super) sends: Vec<bool>,
    pub(super) receives: Vec<bool>,
}

impl Routes {
    pub(super) fn compute(wiring: &Wiring, links: &[Link]) -> Self {
        let is_up = |link: &LinkId| !links[link.index()].rate.is_zero();
        let only_is_up = |link: Option<&LinkId>| link.is_none_or(is_up);
        let hosts = (0..wiring.hosts.len()).map(NodeId::from);
        let mut rows: BTreeMap<Target, RowId> = BTreeMap::new();
        let mut ways: BTreeMap<(RowId, Vec<NodeId>), u32> = BTreeMap::new();
        let mut targets: IdVec<RowId, Target> = IdVec::new();
        let row = hosts.clone().map(|host| {
            let target = match &wiring.hosts[host.index()] {
                HostEnd::Switch(attachment) => Target::Node(wiring.column[attachment.switch]),
                HostEnd::Node => Target::Node(wiring.column[host]),
                HostEnd::Ports { .. } => {
                    let live = wiring.ports(host).filter(|(port, _)| is_up(&port.down));
                    let live = live.filter(|(port, _)| wiring.column[port.switch] != ColumnId::NONE);
                    Target::Ports(live.map(|(port, cost)| (cost, wiring.column[port.switch])).collect())
                }
            };
            *rows
                .entry(target)
                .or_insert_with_key(|target| targets.push(target.clone()))
        });
        let row: Vec<RowId> = row.collect();
        let way = hosts.clone().zip(&row).map(|(host, &row)| {
            let live = wiring.ports(host).filter(|(port, _)| is_up(&port.down));
            let switches = live.map(|(port, _)| port.switch);
            let apart = switches
                .filter(|switch| wiring.column[*switch] == ColumnId::NONE)
                .collect();
            let next = ways.len() as u32;
            *ways.entry((row, apart)).or_insert(next)
        });
        let mut routes = Self {
            columns: wiring.forwards.len(),
            width: wiring.forwards.len() * wiring.stage_count(),
            way: way.collect(),
            row,
            cells: Vec::with_capacity(targets.len() * wiring.forwards.len() * wiring.stage_count()),
            entries: IdVec::new(),
            sets: IdLists::new(),
            sends: hosts.clone().map(|h| only_is_up(wiring.first_link(h))).collect(),
            receives: hosts.map(|h| only_is_up(wiring.last_link(h))).collect(),
        };
        assert_eq!(
            [EMPTY, LAST],
            [0, 1].map(|_| routes.sets.push([])),
            "the first two sets"
        );
        let mut known = Known::default();
        let mut search = Search::new(wiring, links);
        for target in &targets {
            search.run(target);
            for &stage in &Stage::ALL[..wiring.stage_count()] {
                for column in wiring.forwards.ids() {
                    let cell = match search.goes_astray(stage, column) {
                        true => routes.fill(&search, stage, column, &mut known),
                        // As on the shortest way.
                        false => routes.cells[routes.cells.len() - stage as usize * routes.columns],
                    };
                    routes.cells.push(cell);
                }
            }
        }
        routes
    }

    /// The number of the entry of a column in the row that was searched.
    fn fill(&mut self, search: &Search<'_>, stage: Stage, column: ColumnId, known: &mut Known) -> EntryId {
        // The row before most often holds the same in this column.
        let above = self.cells.len().checked_sub(self.width).map(|c| self.cells[c]);
        if let (Stage::Shortest, true, Some(cell)) = (stage, search.is_kept[column], above) {
            return cell;
        }
        let mut first = None;
        let mut even = true;
        let mut hops = SmallVec::<[LinkId; 64]>::new();
        let last = search.is_last[column];
        let mut add = |link: LinkId, behind: u32| {
            even &= *first.get_or_insert(behind) == behind;
            hops.push(link);
        };
        let (count, distance) = match stage {
            Stage::Shortest => {
                search.next(column, &mut add);
                (search.count[column], search.distance[column])
            }
            Stage::Leaving | Stage::Starting => search.detours(stage, column, add),
        };
        even &= count < u32::MAX;
        let same = above.map(|cell| self.entries[cell].set);
        let set = match same.filter(|&set| set > LAST && self.set(set) == hops.as_slice()) {
            Some(set) => set,
            None if last => LAST,
            None if hops.is_empty() => EMPTY,
            None => *known
                .sets
                .entry(hops.as_slice().into())
                .or_insert_with(|| self.sets.push(hops)),
        };
        let entry = Entry {
            count,
            distance,
            set,
            even,
        };
        match above.filter(|&cell| self.entries[cell] == entry) {
            Some(cell) => cell,
            None => *known.entries.entry(entry).or_insert_with(|| self.entries.push(entry)),
        }
    }

    /// Entries of the tables.
    pub(super) fn size(&self) -> u64 {
        self.cells.len() as u64
    }

    pub(super) fn set(&self, set: SetId) -> &[LinkId] {
        &self.sets[set]
    }

    /// Number of the ways to a host. Hosts of one number are reached alike from anywhere, but for the last link.
    pub(super) fn way(&self, host: NodeId) -> u32 {
        self.way[host.index()]
    }

    pub(super) fn receives(&self, host: NodeId) -> bool {
        self.receives[host.index()]
    }
}

/// Entries and sets by what they hold, while tables are filled.
#[derive(Debug, Default)]
struct Known {
    entries: HashMap<Entry, EntryId>,
    sets: HashMap<Box<[LinkId]>, SetId>,
}

/// What a search has found, to be compared with by the next.
#[derive(Debug, Default)]
struct Before {
    edge: Option<ColumnId>,
    distance: IdVec<ColumnId, u32>,
    count: IdVec<ColumnId, u32>,
    descends: IdVec<ColumnId, bool>,
}

/// Search backwards from one destination on the links that are up; its arrays are by column.
struct Search<'a> {
    wiring: &'a Wiring,
    links: &'a [Link],
    /// The destination where it is a node of the tables.
    edge: Option<ColumnId>,
    /// Hops to the edge, FAR_AWAY where there is no way.
    distance: IdVec<ColumnId, u32>,
    /// Number of ways, saturating.
    count: IdVec<ColumnId, u32>,
    /// Up-down routing: whether the node has a way down.
    descends: IdVec<ColumnId, bool>,
    /// Whether the next link of the node leads to the destination, which has no column.
    is_last: IdVec<ColumnId, bool>,
    /// The links of a node that the search has come by, towards the destination.
    found: IdVec<ColumnId, SmallVec<[LinkId; 2]>>,
    /// Nodes that go up, as they did in the row before, and by the same links: nothing above them has changed.
    is_kept: IdVec<ColumnId, bool>,
    /// Nodes below one that has changed.
    is_stale: IdVec<ColumnId, bool>,
    /// What the row before found: the destination's node, and distance, number of ways and whether there is one down of each.
    before: Option<Before>,
    /// Nodes to go on from, by their distance modulo the number of these lists.
    open: Vec<Vec<ColumnId>>,
    /// Number of detours from a node by the next link, and of all from it; groups that have none. Empty without stages.
    leaving: IdVec<ColumnId, u32>,
    starting: IdVec<ColumnId, u32>,
    keep_straight: BTreeSet<u32>,
    /// Whether a host hangs on the node: paths begin at such nodes alone.
    has_hosts: IdVec<ColumnId, bool>,
}

impl<'a> Search<'a> {
    fn new(wiring: &'a Wiring, links: &'a [Link]) -> Self {
        let columns = wiring.forwards.len();
        let mut has_hosts = IdVec::filled(false, columns);
        for end in &wiring.hosts {
            if let HostEnd::Switch(attachment) = end {
                has_hosts[wiring.column[attachment.switch]] = true;
            }
        }
        let longest = wiring.arcs.values().iter().map(|arc| arc.cost).max().unwrap_or(1);
        Self {
            wiring,
            links,
            edge: None,
            distance: IdVec::new(),
            count: IdVec::new(),
            descends: IdVec::new(),
            is_last: IdVec::filled(false, columns),
            found: IdVec::filled(SmallVec::new(), columns),
            is_kept: IdVec::filled(false, columns),
            is_stale: IdVec::filled(false, columns),
            before: None,
            open: vec![Vec::new(); longest.max(u32::from(FAR)) as usize + 1],
            leaving: IdVec::new(),
            starting: IdVec::new(),
            keep_straight: BTreeSet::new(),
            has_hosts,
        }
    }

    fn run(&mut self, target: &Target) {
        let before = self.before.get_or_insert_default();
        before.edge = self.edge;
        std::mem::swap(&mut before.distance, &mut self.distance);
        std::mem::swap(&mut before.count, &mut self.count);
        std::mem::swap(&mut before.descends, &mut self.descends);
        let columns = self.wiring.columns();
        self.distance.resize(columns, FAR_AWAY);
        self.count.resize(columns, 0);
        self.descends.resize(columns, false);
        self.found.iter_mut().for_each(SmallVec::clear);
        self.is_kept.fill(false);
        self.distance.fill(FAR_AWAY);
        self.count.fill(0);
        self.descends.fill(false);
        self.is_last.fill(false);
        match target {
            Target::Node(edge) => {
                self.edge = Some(*edge);
                self.begin(*edge, 0);
            }
            Target::Ports(ports) => {
                self.edge = None;
                for &(cost, switch) in ports {
                    self.is_last[switch] = true;
                    self.begin(switch, u32::from(cost));
                }
            }
        }
        self.spread();
        if self.wiring.up_down {
            self.climb();
        }
        let wiring = self.wiring;
        if let Some(stages) = &wiring.stages {
            self.count_detours(stages);
        }
    }

    /// Counts the ways out of every group but the destination's. One with a switch that has hosts and no way
    /// out keeps to the shortest ways.
    fn count_detours(&mut self, stages: &Stages) {
        let columns = self.wiring.forwards.ids();
        let sum = |search: &Self, stage: Stage, column: ColumnId| {
            let mut count = 0_u32;
            search.detours(stage, column, |_, behind| count = count.saturating_add(behind));
            count
        };
        self.leaving = columns.clone().map(|c| sum(self, Stage::Leaving, c)).collect();
        self.starting = columns.clone().map(|c| sum(self, Stage::Starting, c)).collect();
        let without = columns.filter(|&c| self.has_hosts[c] && self.distance[c] != FAR_AWAY && self.starting[c] == 0);
        self.keep_straight = without.map(|c| self.wiring.group(stages, c)).collect();
        if let Some(edge) = self.edge {
            self.keep_straight.insert(self.wiring.group(stages, edge));
        }
    }

    /// Whether ways from a column are others at a stage than the shortest.
    fn goes_astray(&self, stage: Stage, column: ColumnId) -> bool {
        match (&self.wiring.stages, stage) {
            (_, Stage::Shortest) | (None, _) => true,
            (Some(stages), Stage::Leaving) => self.leaving[column] > 0 && !self.keeps_straight(stages, column),
            (Some(stages), Stage::Starting) => !self.keeps_straight(stages, column),
        }
    }

    fn keeps_straight(&self, stages: &Stages, column: ColumnId) -> bool {
        self.keep_straight.contains(&self.wiring.group(stages, column))
    }

    /// Visits the links by which detours leave a column at a stage, with the ways behind each. The number of all ways and the
    /// least length.
    fn detours(&self, stage: Stage, column: ColumnId, mut visit: impl FnMut(LinkId, u32)) -> (u32, u32) {
        let Some(stages) = &self.wiring.stages else {
            return (0, FAR_AWAY);
        };
        let group = |column: ColumnId| self.wiring.group(stages, column);
        let target = self.edge.map(group);
        let (mut count, mut least) = (0_u32, FAR_AWAY);
        for arc in self.wiring.arcs(column) {
            let (there, own) = (arc.to, group(arc.to) == group(column));
            if !self.is_up(arc.link) || !self.passes(arc.to) {
                continue;
            }
            let [left, most] = [there, column].map(|column| stages.crossings(self.distance[column]));
            let direct = left <= most && (stages.straight || Some(group(arc.to)) != target);
            let (behind, length) = match (own, stage) {
                (false, _) if direct => (self.count[there], self.distance[there]),
                (true, Stage::Starting) => (self.leaving[there], self.distance[there]),
                _ => (0, FAR_AWAY),
            };
            if behind > 0 {
                visit(arc.link, behind);
                count = count.saturating_add(behind);
                least = least.min(length.saturating_add(arc.cost));
            }
        }
        (count, least)
    }

    /// A node from which one more link, or none, leads to the destination.
    fn begin(&mut self, column: ColumnId, distance: u32) {
        self.reach(column, distance);
        self.count[column] += 1;
    }

    /// A node is at most so far from the destination.
    fn reach(&mut self, column: ColumnId, distance: u32) {
        if distance < self.distance[column] {
            self.distance[column] = distance;
            self.count[column] = 0;
            self.found[column].clear();
            let lists = self.open.len();
            self.open[distance as usize % lists].push(column);
        }
    }

    /// By rising distance: shortest ways, or shortest ways down under up-down routing.
    fn spread(&mut self) {
        let lists = self.open.len();
        let (mut distance, mut empty) = (0, 0);
        while empty < lists {
            let here = std::mem::take(&mut self.open[distance % lists]);
            empty = if here.is_empty() { empty + 1 } else { 0 };
            for at in here {
                // One that was reached again on a shorter way has been there before.
                if self.distance[at] == distance as u32 {
                    self.spread_from(at);
                }
            }
            distance += 1;
        }
    }

    fn spread_from(&mut self, at: ColumnId) {
        let wiring = self.wiring;
        self.descends[at] = true;
        if !self.passes(at) {
            return;
        }
        let (here, count) = (self.distance[at], self.count[at]);
        for arc in wiring.arcs_up(at) {
            let back = self.links[arc.link.index()].reverse;
            let (from, next) = (arc.to, here + arc.cost);
            // The last link of a way is the host's own, however near others lead.
            if !self.is_up(back) || self.is_last[from] {
                continue;
            }
            self.reach(arc.to, next);
            if self.distance[from] == next {
                self.count[from] = self.count[from].saturating_add(count);
                self.found[from].push(back);
            }
        }
    }

    /// Nodes with no way down go up; those above are settled first. What goes up as it did for the destination before is kept: in a
    /// large fabric that is nearly all.
    fn climb(&mut self) {
        let wiring = self.wiring;
        // A host that forwards nothing can be passed where it is the destination, and there alone.
        let plain = |edge: Option<ColumnId>| edge.is_none_or(|edge| wiring.forwards[edge]);
        let before = self.before.take().unwrap_or_default();
        let comparable = !before.distance.is_empty() && plain(before.edge) && plain(self.edge);
        self.is_stale.fill(!comparable);
        for &c in &wiring.falling {
            if self.distance[c] == FAR_AWAY {
                if !self.is_stale[c] && !before.descends[c] {
                    (self.distance[c], self.count[c]) = (before.distance[c], before.count[c]);
                    self.is_kept[c] = true;
                    continue;
                }
                self.climb_from(c);
            }
            let now = (self.distance[c], self.count[c], self.descends[c]);
            if comparable && now != (before.distance[c], before.count[c], before.descends[c]) {
                wiring.arcs_down(c).iter().for_each(|arc| self.is_stale[arc.to] = true);
            }
        }
        self.before = Some(before);
    }

    fn climb_from(&mut self, at: ColumnId) {
        let (mut nearest, mut count) = (FAR_AWAY, 0_u32);
        for arc in self.wiring.arcs_up(at) {
            let above = self.distance[arc.to];
            if above == FAR_AWAY || !self.is_up(arc.link) {
                continue;
            }
            if above < nearest {
                (nearest, count) = (above, 0);
            }
            if above == nearest {
                count = count.saturating_add(self.count[arc.to]);
            }
        }
        if nearest != FAR_AWAY {
            self.distance[at] = nearest + 1;
            self.count[at] = count;
        }
    }

    /// Visits the links from `at` that the ways take, by rising id, each with the number of ways behind it; not the last link.
    fn next(&self, at: ColumnId, mut visit: impl FnMut(LinkId, u32)) {
        let here = self.distance[at];
        if self.is_last[at] || here == FAR_AWAY {
            return;
        }
        if self.descends[at] {
            let mut found = self.found[at].clone();
            found.sort_unstable();
            for link in found {
                let to = self.wiring.column[self.links[link.index()].to];
                visit(link, self.count[to]);
            }
            return;
        }
        for arc in self.wiring.arcs_up(at) {
            let there = self.distance[arc.to];
            if there != FAR_AWAY && there + arc.cost == here && self.passes(arc.to) && self.is_up(arc.link) {
                visit(arc.link, self.count[arc.to]);
            }
        }
    }

    /// Whether ways may lead through (or end at) a node.
    fn passes(&self, at: ColumnId) -> bool {
        Some(at) == self.edge || self.wiring.forwards[at]
    }

    fn is_up(&self, link: LinkId) -> bool {
        !self.links[link.index()].rate.is_zero()
    }
}
