//! What an experiment file says about packets, hosts and switches: the tables `[packet]` and `[switch]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ecn::Ecn;
use super::fast_forward::FastForward;
use super::port_failover::PortFailover;
use super::transport::Transport;
use crate::input::InputError;
use crate::units::{Bytes, PS_PER_SECOND, Time};

/// Limits of a run, far beyond what anybody waits for: simulated time, and events.
const MOST_TIME: Time = Time(24 * 3_600 * PS_PER_SECOND);
const MOST_EVENTS: u64 = 10_000_000_000_000;
/// Each thread has tables for the whole network.
const MOST_THREADS: u32 = 1_024;

/// How packets that were lost are sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Recovery {
    /// Only missing packets are sent again; the receiver takes packets in any order and every
    /// acknowledgement names its packet and all before the first gap.
    #[default]
    SelectiveRepeat,
    /// The receiver takes packets in order only, asks once for the first missing one, and everything
    /// from there on is sent again, as RoCE network cards did. Not with spraying.
    GoBackN,
}

/// The `[packet]` table: packets, hosts and recovery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PacketOptions {
    /// Data bytes per packet. Default 4096.
    pub payload: Bytes,
    /// Header bytes of every data packet on the wire; a trimmed packet keeps only these. Default 64.
    pub header: Bytes,
    /// Bytes of an acknowledgement or credit on the wire. Default 64.
    pub ack: Bytes,
    /// Payload bytes after which a receiver acknowledges; the acknowledgement tells of all packets that have arrived and
    /// echoes the path of the one that brought it about. At once it acknowledges the last packet of a sub-flow, one
    /// that was there already, one that fills the sender's window, and a marked one, before which it acknowledges
    /// what came unmarked (RFC 8257, 3.2). Ultra Ethernet: 16 KiB. Default: every packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack_every: Option<Bytes>,
    /// Acknowledgements, NACKs and credits have a class of their own in every port, as trimmed headers have: they overtake data
    /// and take none of its room. Default: true where switches trim, else false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack_priority: Option<bool>,
    /// How lost packets are sent again. Default `selective-repeat`.
    pub recovery: Recovery,
    /// Shortest retransmission timeout, above the unloaded round trip of every transfer. The timeout is the smoothed
    /// round trip and four deviations (RFC 6298) where that is longer; it doubles with every timeout in a row, up
    /// to 64 times, and is longer by a random share: up to a sixteenth, and one more with every timeout in a row, up to
    /// half. Default: the transport's own, and three unloaded round trips at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rto: Option<Time>,
    /// Where packets of a flow take several paths and switches drop: a packet is lost when one that was sent so much later
    /// has been acknowledged (RFC 8985). Default: the smoothed round trip and four deviations, or twice the
    /// widest reordering that the sender has seen. Above the timeout it leaves losses to that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reordering: Option<Time>,
    /// Timeouts in a row, without any progress, after which a queue pair gives up. Default 64.
    pub retries: u32,
    /// Ends the run at this simulated time, which is no failure: flows that are not done have no completion time but a
    /// goodput, and the run has no `cct_us`. Endless transfers need it. Default: runs end when all flows are done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<Time>,
    /// Simulated time after which a run that is not done has failed. Default: 24 hours, or `stop`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_time: Option<Time>,
    /// Events after which a run that is not done has failed. Default 10^13: weeks of work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_events: Option<u64>,
    /// Queue pairs that a host serves at a time, round robin; the others wait. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_queue_pairs: Option<u32>,
    /// Queue pairs start after a delay drawn evenly from zero to this. Default 0.
    pub start_jitter: Time,
    /// Time until switches and hosts stop using a link that went down, or use one that came up.
    /// Default 100 ms (the paper's).
    pub convergence: Time,
    /// After a timeout, a sub-flow that its placement has pinned moves to another path at random, and the
    /// host avoids the old one for this long (the paper: 100 ms). Zero: it stays. Flows pinned by
    /// hashing always stay until routing has converged. Default 100 ms.
    pub path_penalty: Time,
    /// Hosts with several ports give up one on which a pinned queue pair times out, those pinned by hashing too, instead of
    /// leaving single paths. Default: off, as in NCCL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_failover: Option<PortFailover>,
    /// Skips what only repeats: where the rates of all flows stay the same, the clock moves on to the next change, with all that is
    /// counted. Default: every packet is simulated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fast_forward: Option<FastForward>,
    /// Threads that a run is divided among, by parts of the fabric. The results are the same to the bit for any number of them. One thread does
    /// it all where parts would have to know at once what others do: transfers that wait for what happens at other hosts, faults,
    /// series, `ack_every`, `fast_forward`, `max_events`, the transports `hpcc` and `udp`. Default 1.
    pub threads: u32,
}

impl Default for PacketOptions {
    fn default() -> Self {
        Self {
            payload: Bytes(4_096),
            header: Bytes(64),
            ack: Bytes(64),
            ack_every: None,
            ack_priority: None,
            recovery: Recovery::default(),
            rto: None,
            reordering: None,
            retries: 64,
            stop: None,
            max_time: None,
            max_events: None,
            active_queue_pairs: None,
            start_jitter: Time::ZERO,
            convergence: Time::from_us(100_000),
            path_penalty: Time::from_us(100_000),
            port_failover: None,
            fast_forward: None,
            threads: 1,
        }
    }
}

impl PacketOptions {
    /// Refuses sizes that are zero or larger than a packet can be.
    pub fn check(&self) -> Result<(), InputError> {
        for (key, size) in [("payload", self.payload), ("header", self.header), ("ack", self.ack)] {
            if size.is_zero() {
                return Err(InputError::key(key, format!("`{key}` is 0")).help("it must be at least 1 byte"));
            }
        }
        let largest = u64::from(u16::MAX);
        if self.payload.0.saturating_add(self.header.0) > largest {
            return Err(InputError::key("payload", "payload and header exceed a packet")
                .help(format!("together they can have {largest} bytes")));
        }
        if self.ack.0 > largest {
            return Err(InputError::key(
                "ack",
                format!("an acknowledgement has at most {largest} bytes"),
            ));
        }
        if self.ack_every.is_some_and(Bytes::is_zero) {
            return Err(
                InputError::key("ack_every", "`ack_every` is 0").help("leave it out to acknowledge every packet")
            );
        }
        if self.rto.is_some_and(Time::is_zero) {
            return Err(InputError::key("rto", "the retransmission timeout is zero"));
        }
        for (key, time) in [("stop", self.stop), ("max_time", self.max_time)] {
            if time.is_some_and(Time::is_zero) {
                return Err(InputError::key(key, format!("`{key}` is 0: nothing would be sent")));
            }
        }
        if self.max_events == Some(0) {
            return Err(InputError::key("max_events", "`max_events` is 0: nothing would happen"));
        }
        if let Some(fast_forward) = &self.fast_forward {
            fast_forward.check()?;
        }
        if self.threads == 0 {
            return Err(InputError::key("threads", "no thread would do anything").help("write 1, or leave it out"));
        }
        if self.threads > MOST_THREADS {
            let message = format!("{} threads are more than {MOST_THREADS}", self.threads);
            return Err(InputError::key("threads", message).help("as many as there are processors are enough"));
        }
        if self.active_queue_pairs == Some(0) {
            return Err(InputError::key("active_queue_pairs", "no queue pair would ever send")
                .help("leave it out to serve all of them"));
        }
        Ok(())
    }

    /// Whether control packets have a class of their own: as `ack_priority` says, else where switches trim.
    pub fn control_first(&self, transport: &Transport, switch: &SwitchOptions) -> bool {
        self.ack_priority.unwrap_or_else(|| switch.trims(transport))
    }

    /// Simulated time at which a run ends at the latest.
    pub(super) fn end(&self) -> Time {
        let most = self.max_time.or(self.stop).unwrap_or(MOST_TIME);
        most.min(self.stop.unwrap_or(Time::LATEST)).min(Time::LATEST)
    }

    /// Events after which a run ends at the latest.
    pub(super) fn most_events(&self) -> u64 {
        self.max_events.unwrap_or(MOST_EVENTS)
    }

    /// Wire bytes of a full data packet.
    pub(super) fn full(&self) -> u64 {
        self.payload.0 + self.header.0
    }
}

/// The `[switch]` table: buffers, marking, flow control. Queues are counted in bytes still to be
/// sent, the packet on the wire included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SwitchOptions {
    /// Buffer that the ports of a switch share: a queue may grow to `alpha` times what is free.
    /// Default: 5 KB for each Gb/s of the switch's ports; without limit for the transport `ideal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer: Option<Bytes>,
    /// Share of the free buffer that one queue may take (dynamic thresholds). Default 1.
    pub alpha: f64,
    /// Limit of each queue, instead of a shared buffer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<Bytes>,
    /// Marking, at every rate the same. Default: the transport's own, scaled to the rate of the port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ecn: Option<Ecn>,
    /// Priority flow control: a switch pauses the ports that fill its buffer before it would drop.
    /// Default false.
    pub pfc: bool,
    /// With `pfc`: bytes from one incoming link at which that link is paused. Default: `alpha` times the
    /// free part of what headroom leaves of the buffer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pfc_pause: Option<Bytes>,
    /// With `pfc`: a paused link resumes when its bytes have fallen this far below the threshold.
    /// Default 2 full packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pfc_resume: Option<Bytes>,
    /// A packet that finds no room loses its payload: the header goes on in the
    /// priority class and the sender hears of it at once. Default: true for `nscc` and `eqds`, else false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trimming: Option<bool>,
}

impl Default for SwitchOptions {
    fn default() -> Self {
        Self {
            buffer: None,
            alpha: 1.0,
            queue: None,
            ecn: None,
            pfc: false,
            pfc_pause: None,
            pfc_resume: None,
            trimming: None,
        }
    }
}

impl SwitchOptions {
    /// Whether switches trim packets that find no room: as `trimming` says, else where the transport wants it.
    pub fn trims(&self, transport: &Transport) -> bool {
        self.trimming.unwrap_or_else(|| transport.trimming() && !self.pfc)
    }

    /// Refuses thresholds that contradict each other.
    pub fn check(&self) -> Result<(), InputError> {
        if self.buffer.is_some() && self.queue.is_some() {
            return Err(
                InputError::key("queue", "a queue has a limit of its own or shares the buffer, not both")
                    .help("remove `switch.buffer` or `switch.queue`"),
            );
        }
        if !(self.alpha.is_finite() && self.alpha > 0.0) {
            return Err(InputError::key("alpha", format!("`alpha` is {}", self.alpha)).help("it is above 0, often 1"));
        }
        if let Some(ecn) = self.ecn {
            if ecn.kmin > ecn.kmax {
                return Err(InputError::key("ecn.kmin", "`kmin` is above `kmax`"));
            }
            if !(0.0..=1.0).contains(&ecn.pmax) {
                return Err(
                    InputError::key("ecn.pmax", format!("`pmax` is {}", ecn.pmax)).help("it is a chance, from 0 to 1")
                );
            }
        }
        if self.pfc && self.trimming == Some(true) {
            return Err(InputError::key("trimming", "with `pfc` no packet is ever trimmed")
                .help("choose one of `pfc` and `trimming`"));
        }
        if self.pfc && self.queue.is_some() {
            return Err(
                InputError::key("queue", "with `pfc` ports share the buffer").help("write `switch.buffer` instead")
            );
        }
        for (key, value) in [("pfc_pause", self.pfc_pause), ("pfc_resume", self.pfc_resume)] {
            if value.is_some() && !self.pfc {
                return Err(
                    InputError::key(key, format!("`{key}` means nothing without flow control"))
                        .help("add `pfc = true`, or remove it"),
                );
            }
        }
        Ok(())
    }
}
