//! What the choice of a host is asked, one for each queue pair.

/// An acknowledgement as a host's choice sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AckInfo {
    /// How long after its packet, in ps.
    pub rtt: u64,
    pub path: u16,
    pub marked: bool,
    /// Number of the acknowledged packet, and of the first packet not sent yet.
    pub seq: u32,
    pub next: u32,
}

#[cfg(test)]
impl AckInfo {
    /// Of a packet on a path; for choices that look at nothing else.
    pub(super) fn of(path: u16, marked: bool) -> Self {
        Self {
            rtt: 0,
            path,
            marked,
            seq: 0,
            next: 0,
        }
    }
}

/// A row of the table: the choice of one queue pair that has several paths.
pub(crate) trait Select {
    /// The path of the next packet; numbers from the count of paths on start over.
    fn choose(&mut self, now: u64) -> u16;

    /// An acknowledgement came back.
    fn on_ack(&mut self, _ack: AckInfo) {}

    /// A packet on this path was trimmed.
    fn on_trimmed(&mut self, _path: u16, _now: u64) {}

    /// Nothing was heard for a retransmission timeout: all that was waited for is lost.
    fn on_timeout(&mut self, _now: u64) {}

    /// A path that was named is not taken after all.
    fn give_back(&mut self, _path: u16) {}

    /// Whether packets take paths of any port, one by one.
    fn sprays(&self) -> bool {
        true
    }

    /// Whether the paths that it names are found out, so that none is to be thrown away.
    fn learns(&self) -> bool {
        false
    }
}
