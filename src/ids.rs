//! Dense identifiers: indices into the arrays of a fabric or a schedule.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// As an array index.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl From<usize> for $name {
            fn from(index: usize) -> Self {
                Self(u32::try_from(index).expect("more than 2^32 of one kind"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A host or a switch of a fabric. Hosts come first: host `h` is node `h`.
    NodeId
}
id! {
    /// A host of a fabric: what sends and receives. Host `h` is node `h`.
    HostId
}

impl HostId {
    /// The host as a node.
    pub const fn node(self) -> NodeId {
        NodeId(self.0)
    }
}

impl From<HostId> for NodeId {
    fn from(host: HostId) -> Self {
        host.node()
    }
}

id! {
    /// A directed link of a fabric.
    LinkId
}
id! {
    /// A task of a schedule: a transfer, a delay or a join. A transfer's id is its flow's id.
    TaskId
}
