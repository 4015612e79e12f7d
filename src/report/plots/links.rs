//! What the name of a link tells: which kinds of nodes it joins, and whether it leads up or down.

/// A node by its name, such as `leaf3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NodeName<'a> {
    pub kind: &'a str,
    pub number: u32,
}

/// Kinds of nodes by their tier, as the topologies name them.
const TIERS: [&[&str]; 4] = [
    &["host"],
    &["leaf", "tor", "rail", "server"],
    &["spine", "agg"],
    &["core"],
];

impl<'a> NodeName<'a> {
    pub fn parse(name: &'a str) -> Option<Self> {
        let kind = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = name[kind.len()..].parse().ok()?;
        let node = Self { kind, number };
        node.tier().map(|_| node)
    }

    /// 0 for hosts; `None` for names that no topology but `graph` gives.
    pub fn tier(&self) -> Option<usize> {
        TIERS.iter().position(|kinds| kinds.contains(&self.kind))
    }
}

/// A direction of a link by its name, such as `leaf3->spine1#2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LinkName<'a> {
    pub from: NodeName<'a>,
    pub to: NodeName<'a>,
    /// What tells parallel links apart: `#2`.
    parallel: &'a str,
}

impl<'a> LinkName<'a> {
    pub fn parse(name: &'a str) -> Option<Self> {
        let (from, rest) = name.split_once("->")?;
        let (to, parallel) = rest.split_at(rest.find('#').unwrap_or(rest.len()));
        Some(Self {
            from: NodeName::parse(from)?,
            to: NodeName::parse(to)?,
            parallel,
        })
    }

    pub fn leads_up(&self) -> bool {
        self.from.tier() < self.to.tier()
    }

    /// Whether it joins two switches.
    pub fn is_inside(&self) -> bool {
        self.from.tier() > Some(0) && self.to.tier() > Some(0)
    }

    /// The name of the other direction.
    pub fn reverse(&self) -> String {
        let (from, to) = (self.from, self.to);
        format!(
            "{}{}->{}{}{}",
            to.kind, to.number, from.kind, from.number, self.parallel
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_direction() {
        let link = LinkName::parse("spine1->leaf12#2").unwrap();
        assert_eq!((link.from.kind, link.to.number), ("spine", 12));
        assert!(!link.leads_up() && link.is_inside());
        assert_eq!(link.reverse(), "leaf12->spine1#2");
        assert!(LinkName::parse("host3->tor0").unwrap().leads_up());
        for other in ["a->b", "leaf->spine1", "trunk:leaf0->spine1", "leaf0-spine1"] {
            assert_eq!(LinkName::parse(other), None, "{other}");
        }
    }
}
