//! A trace as a schedule: its nodes in an order in which causes come first.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use smallvec::SmallVec;

use super::collective::How;
use super::matching::{Collectives, InstanceId, collectives, messages};
use super::trace::{ANY, OpId, Trace, What};
use crate::ids::{IdLists, IdVec, RankId, TaskId};
use crate::input::{Files, InputError};
use crate::quick_map::QuickMap;
use crate::rng::mix;
use crate::units::{Bytes, Time};
use crate::workload::program::Communicators;
use crate::workload::purpose::Purpose;
use crate::workload::schedule_writer::{Extent, ScheduleWriter};
use crate::workload::scope::{When, join};
use crate::workload::short_lists::ShortLists;
use crate::workload::{Action, Milestone, Span};

/// Draws what all ranks of a trace do.
///
/// # Errors
/// More ranks than there are, messages and collectives that do not fit together, and nodes that wait for themselves.
pub(super) fn draw(
    mut trace: Trace,
    draft: &mut ScheduleWriter,
    how: &How,
    files: &dyn Files,
    seed: u64,
) -> Result<(), InputError> {
    let ranks = draft.ranks();
    if trace.ranks() > ranks {
        let message = format!("it has {} ranks, and there are {ranks}", trace.ranks());
        return Err(InputError::file(&trace.file, message).help("take a larger fabric, or more `ranks`"));
    }
    check_peers(&trace)?;
    let partner = messages(&trace)?;
    let collectives = collectives(&trace)?;
    expect(&trace, draft)?;
    let spans = trace.nodes().iter().any(|node| match node.what {
        What::Compute { time, .. } => !time.is_zero(),
        What::Collective { .. } => true,
        _ => false,
    });
    let graph = Graph::of(trace.nodes().len(), &std::mem::take(&mut trace.dependencies));
    let mut drawing = Drawing {
        state: State {
            exits: IdVec::filled(None, trace.nodes().len()),
            steps: IdVec::filled(0, trace.nodes().len()),
            starts: HashMap::new(),
            busy: QuickMap::default(),
            connections: QuickMap::default(),
            communicators: Communicators::default(),
            missing: collectives
                .instances
                .iter()
                .map(|instance| instance.members.len() as u32)
                .collect(),
            names: trace.names.iter().map(|name| Arc::from(name.as_str())).collect(),
            kinds: Vec::new(),
            lists: ShortLists::default(),
            drawn: 0,
            self_messages: 0,
            empty_messages: 0,
            lonely: 0,
        },
        trace: &trace,
        graph,
        partner,
        collectives,
        spans,
    };
    drawing.run(draft, how, files, seed)?;
    let State {
        self_messages,
        empty_messages,
        lonely,
        ..
    } = drawing.state;
    let Trace { file, mut notes, .. } = trace;
    notes.count_many("messages of a rank to itself take no time", self_messages);
    notes.count_many("collectives of one rank take no time", lonely);
    notes.count_many("messages of 0 bytes are sent as 1 byte", empty_messages);
    notes.tell(&file, &mut draft.schedule);
    Ok(())
}

/// Refuses messages to and from ranks that are not there.
fn check_peers(trace: &Trace) -> Result<(), InputError> {
    for (node, what) in trace.nodes().entries().map(|(node, at)| (node, at.what)) {
        let (What::Send { to: peer, .. } | What::Receive { from: peer, .. }) = what else {
            continue;
        };
        if peer >= trace.ranks() && !matches!(what, What::Receive { from: ANY, .. }) {
            let last = trace.ranks() - 1;
            let error = trace.error(node, &format!("there is no rank {peer}"));
            return Err(error.help(format!("ranks are numbered 0 to {last}")));
        }
    }
    Ok(())
}

/// Makes room for what is known of the schedule.
fn expect(trace: &Trace, draft: &mut ScheduleWriter) -> Result<(), InputError> {
    let (mut transfers, mut joins, mut bytes) = (0_u128, 0_u128, 0_u128);
    for node in trace.nodes() {
        match node.what {
            What::Send { bytes: size, .. } => {
                transfers += 1;
                bytes += u128::from(size.max(1));
            }
            What::Compute { .. } => joins += 1,
            _ => {}
        }
    }
    if bytes > u128::from(crate::workload::MAX_BYTES) {
        return Err(InputError::file(&trace.file, "all messages together exceed 2^62 bytes"));
    }
    let extent = Extent {
        transfers,
        joins,
        edges: trace.dependencies.len() as u128,
        bytes,
    };
    draft.expect("file", Bytes(1), &extent)
}

/// What waits for what, in both directions.
struct Graph {
    /// What a node waits for, each with whether its start counts.
    before: IdLists<OpId, (OpId, bool)>,
    after: IdLists<OpId, OpId>,
}

impl Graph {
    fn of(nodes: usize, edges: &[(OpId, OpId, bool)]) -> Self {
        let before = edges.iter().map(|&(before, after, start)| (after, (before, start)));
        let after = edges.iter().map(|&(before, after, _)| (before, after));
        Self {
            before: IdLists::grouped(nodes, before),
            after: IdLists::grouped(nodes, after),
        }
    }
}

/// How far the drawing has come.
struct State {
    /// By node, when it is done.
    exits: IdVec<OpId, Option<When>>,
    /// By node, the first step that comes after it.
    steps: IdVec<OpId, u32>,
    /// When nodes start, of those whose start something waits for.
    starts: HashMap<OpId, Option<When>>,
    /// By rank and unit, its last computation.
    busy: QuickMap<(u32, u8), When>,
    /// The first transfer between two ranks, perhaps of each tag.
    connections: QuickMap<(u32, u32, u32), TaskId>,
    communicators: Communicators,
    /// By collective, members that have not come to it.
    missing: IdVec<InstanceId, u32>,
    names: Vec<Arc<str>>,
    /// What nodes without a name are called.
    kinds: Vec<(&'static str, Arc<str>)>,
    lists: ShortLists<RankId>,
    drawn: usize,
    self_messages: u64,
    empty_messages: u64,
    lonely: u64,
}

impl State {
    /// What a node without a name is called: one of a few words.
    fn kind(&mut self, word: &'static str) -> Arc<str> {
        if let Some((_, kind)) = self.kinds.iter().find(|(known, _)| *known == word) {
            return Arc::clone(kind);
        }
        let kind: Arc<str> = word.into();
        self.kinds.push((word, Arc::clone(&kind)));
        kind
    }
}

/// What a node waits for; few nodes wait for more than these.
type Causes = SmallVec<[When; 4]>;

struct Drawing<'t> {
    trace: &'t Trace,
    graph: Graph,
    partner: IdVec<OpId, OpId>,
    collectives: Collectives,
    /// Whether operations are told of.
    spans: bool,
    state: State,
}

impl Drawing<'_> {
    fn run(&mut self, draft: &mut ScheduleWriter, how: &How, files: &dyn Files, seed: u64) -> Result<(), InputError> {
        let trace = self.trace;
        for &(before, start) in self.graph.before.values() {
            if start {
                self.state.starts.insert(before, None);
            }
        }
        let mut waiting: IdVec<OpId, u32> = trace.nodes().ids().map(|node| self.waits_for(node)).collect();
        let order = |node: OpId| Reverse((trace.nodes()[node].order, node));
        let mut free: BinaryHeap<_> = trace.nodes().ids().filter(|&n| waiting[n] == 0).map(order).collect();
        let mut done = Vec::new();
        while let Some(Reverse((_, node))) = free.pop() {
            done.clear();
            match trace.nodes()[node].what {
                What::Collective { .. } => {
                    let instance = self.collectives.of[node];
                    let missing = &mut self.state.missing[instance];
                    *missing -= 1;
                    if *missing > 0 {
                        continue;
                    }
                    let seed = mix(seed ^ u64::from(instance.0));
                    self.collective(draft, instance, how, (files, seed))?;
                    done.extend_from_slice(&self.collectives.instances[instance].members);
                }
                _ => {
                    self.node(draft, node);
                    done.push(node);
                }
            }
            self.state.drawn += done.len();
            for &node in &done {
                let received = match trace.nodes()[node].what {
                    What::Send { .. } => Some(self.partner[node]),
                    _ => None,
                };
                for next in self.graph.after[node].iter().copied().chain(received) {
                    waiting[next] -= 1;
                    if waiting[next] == 0 {
                        free.push(order(next));
                    }
                }
            }
        }
        if self.state.drawn < trace.nodes().len() {
            return Err(self.circle(&waiting));
        }
        Ok(())
    }

    /// How many nodes must be drawn before one.
    fn waits_for(&self, node: OpId) -> u32 {
        let receives = matches!(self.trace.nodes()[node].what, What::Receive { .. });
        self.graph.before[node].len() as u32 + u32::from(receives)
    }

    /// When all that a node waits for has happened, each once, and the step after it.
    fn causes(&self, node: OpId) -> (Causes, u32) {
        let mut causes = Causes::new();
        let mut step = 0;
        for &(before, start) in &self.graph.before[node] {
            let when = match start {
                true => self.state.starts.get(&before).copied().flatten(),
                false => self.state.exits[before],
            };
            step = step.max(self.state.steps[before]);
            causes.extend(when.filter(|when| !causes.contains(when)));
        }
        (causes, step)
    }

    fn node(&mut self, draft: &mut ScheduleWriter, node: OpId) {
        let (mut causes, mut step) = self.causes(node);
        let rank = self.trace.rank_of(node);
        let what = self.trace.nodes()[node].what;
        if let What::Compute { time, unit } = what
            && !time.is_zero()
        {
            let busy = self.state.busy.get(&(rank, unit)).copied();
            causes.extend(busy.filter(|busy| !causes.contains(busy)));
        }
        if let Some(start) = self.state.starts.get_mut(&node) {
            *start = join(&mut draft.schedule, &causes);
        }
        let exit = match what {
            What::Send { to, tag, bytes } if to != rank => {
                let transfer = self.transfer(draft, node, (rank, to, tag), bytes, step, &causes);
                step += 1;
                Some((transfer, Milestone::Sent))
            }
            What::Receive { from, .. } if self.state.exits[self.partner[node]].is_some() => {
                let send = self.partner[node];
                step = step.max(self.state.steps[send]);
                let from = if from == ANY { self.trace.rank_of(send) } else { from };
                match (from == rank, self.state.exits[send]) {
                    (false, Some((transfer, _))) => causes.push((transfer, Milestone::Delivered)),
                    (_, when) => causes.extend(when),
                }
                join(&mut draft.schedule, &causes)
            }
            What::Compute { time, unit } if !time.is_zero() => {
                let delay = draft.schedule.delay(time);
                for &(task, milestone) in &causes {
                    draft.schedule.depend(task, milestone, delay);
                }
                let end = (delay, Milestone::Delivered);
                self.state.busy.insert((rank, unit), end);
                self.span(
                    draft,
                    node,
                    "compute",
                    Some(time),
                    &[RankId(rank)],
                    delay.0..delay.0 + 1,
                );
                Some(end)
            }
            What::Send { .. } => {
                self.state.self_messages += 1;
                join(&mut draft.schedule, &causes)
            }
            _ => join(&mut draft.schedule, &causes),
        };
        self.state.exits[node] = exit;
        self.state.steps[node] = step;
    }

    fn transfer(
        &mut self,
        draft: &mut ScheduleWriter,
        node: OpId,
        (src, dst, tag): (u32, u32, u32),
        bytes: u64,
        step: u32,
        causes: &[When],
    ) -> TaskId {
        self.state.empty_messages += u64::from(bytes == 0);
        let bytes = bytes.max(1);
        let hint = self.trace.hints.get(node);
        let step = hint.map_or(step, |hint| hint.step);
        let transfer = draft.schedule.transfer(src, dst, bytes, step);
        let first = match hint {
            Some(hint) => earlier_connection(draft, hint.connection, (transfer, src, dst)),
            None => {
                let tag = if self.trace.tags_are_connections { tag } else { 0 };
                *self.state.connections.entry((src, dst, tag)).or_insert(transfer)
            }
        };
        draft.schedule.connect(transfer, first);
        for &(task, milestone) in causes {
            draft.schedule.depend(task, milestone, transfer);
        }
        self.span(
            draft,
            node,
            "send",
            None,
            &[src, dst].map(RankId),
            transfer.0..transfer.0 + 1,
        );
        transfer
    }

    fn collective(
        &mut self,
        draft: &mut ScheduleWriter,
        instance: InstanceId,
        how: &How,
        context: (&dyn Files, u64),
    ) -> Result<(), InputError> {
        let members = self.collectives.instances[instance].members.clone();
        let communicator = self.collectives.instances[instance].communicator;
        let group = self.trace.communicators[communicator]
            .ranks
            .iter()
            .copied()
            .map(RankId)
            .collect::<Vec<_>>();
        let What::Collective { collective, .. } = self.trace.nodes()[members[0]].what else {
            return Ok(());
        };
        let own: Vec<(Causes, u32)> = members.iter().map(|&member| self.causes(member)).collect();
        let step = own.iter().map(|&(_, step)| step).max().unwrap_or(0);
        let mut entries = Vec::with_capacity(members.len());
        if let [alone] = members.as_slice() {
            self.state.lonely += 1;
            let exit = join(&mut draft.schedule, &own[0].0);
            self.state.exits[*alone] = exit;
            self.state.steps[*alone] = step;
            return Ok(());
        }
        let mut entry = |draft: &mut ScheduleWriter, place: usize, last: Option<When>| {
            let mut causes = own[place].0.clone();
            causes.extend(last.filter(|last| !causes.contains(last)));
            let entry = join(&mut draft.schedule, &causes);
            entries.push(entry);
            entry
        };
        let kind = collective.kind(group.len() as u32, how);
        let communicators = &mut self.state.communicators;
        let closed = communicators.draw(draft, &*kind, &group, step, &mut entry, context)?;
        for ((&member, exit), entry) in members.iter().zip(&closed.exits).zip(entries) {
            self.state.exits[member] = *exit;
            self.state.steps[member] = closed.next_step;
            if let Some(start) = self.state.starts.get_mut(&member) {
                *start = entry;
            }
        }
        self.span(draft, members[0], collective.name.text(), None, &group, closed.tasks);
        Ok(())
    }

    /// Tells of an operation, where that is asked for.
    fn span(
        &mut self,
        draft: &mut ScheduleWriter,
        node: OpId,
        otherwise: &'static str,
        compute: Option<Time>,
        ranks: &[RankId],
        tasks: std::ops::Range<u32>,
    ) {
        if !self.spans {
            return;
        }
        let name = self.state.names.get(self.trace.nodes()[node].name as usize);
        let name = match name.filter(|name| !name.is_empty()) {
            Some(name) => Arc::clone(name),
            None => self.state.kind(otherwise),
        };
        let bytes = draft.schedule.bytes(tasks.clone());
        draft.schedule.span(Span {
            name,
            group: 0,
            ranks: self.state.lists.get(ranks),
            purpose: match compute {
                Some(_) => Purpose::Compute,
                None => Purpose::Communication,
            },
            compute,
            bytes,
            tasks,
        });
    }

    /// The error for nodes that wait for one another.
    fn circle(&self, waiting: &IdVec<OpId, u32>) -> InputError {
        let stuck = |node: OpId| match self.trace.nodes()[node].what {
            What::Collective { .. } => self.state.missing[self.collectives.of[node]] > 0,
            _ => waiting[node] > 0,
        };
        // Whoever waits in vain waits for another that does: going back must end in a circle.
        let back = |node: OpId| {
            let what = self.trace.nodes()[node].what;
            let sent = matches!(what, What::Receive { .. }).then(|| self.partner[node]);
            let own = self.graph.before[node].iter().map(|&(before, _)| before).chain(sent);
            let members: &[OpId] = match what {
                What::Collective { .. } => &self.collectives.instances[self.collectives.of[node]].members,
                _ => &[],
            };
            let others = members.iter().copied().filter(|&other| waiting[other] > 0);
            own.chain(others).find(|&before| before != node && stuck(before))
        };
        let Some(start) = waiting.ids().find(|&node| stuck(node) && waiting[node] > 0) else {
            return InputError::file(&self.trace.file, "some of its operations never start");
        };
        let mut seen: HashMap<OpId, usize> = HashMap::new();
        let (mut path, mut node) = (Vec::new(), start);
        while seen.insert(node, path.len()).is_none() {
            path.push(node);
            node = back(node).unwrap_or(node);
        }
        path.drain(..path.iter().position(|&first| first == node).unwrap_or(0));
        let first = (0..path.len()).min_by_key(|&place| path[place]).unwrap_or(0);
        path.rotate_left(first);
        let others: Vec<String> = path[1..].iter().take(5).map(|&node| self.trace.mention(node)).collect();
        let message = match others.len() {
            0 => "it waits for itself".to_owned(),
            shown if shown < path.len() - 1 => format!("it waits for itself, by way of {}, ...", others.join(", ")),
            _ => format!("it waits for itself, by way of {}", others.join(", ")),
        };
        self.trace
            .error(path[0], &message)
            .help("take one of these dependencies out")
    }
}

/// The first transfer on a connection that a file names by its number, if it is one between the same ranks.
fn earlier_connection(draft: &ScheduleWriter, connection: u64, (transfer, src, dst): (TaskId, u32, u32)) -> TaskId {
    let Ok(first) = u32::try_from(connection).map(TaskId) else {
        return transfer;
    };
    let fits = first < transfer
        && matches!(draft.schedule.task(first).action, Action::Transfer { src: s, dst: d, .. } if (s.0, d.0) == (src, dst));
    if fits { first } else { transfer }
}
