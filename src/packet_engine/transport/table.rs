//! The table of transports.

use super::control::{CongestionControl, CreditTarget, Feedback, HopReading, Loss, PathProperties, SenderState};
use super::dcqcn::Dcqcn;
use super::dctcp::Dctcp;
use super::eqds::Eqds;
use super::hpcc::Hpcc;
use super::ideal::Ideal;
use super::nscc::Nscc;
use super::spec::{Controlled, Spec};
use super::swift::Swift;
use super::udp::Udp;
use crate::input::InputError;
use crate::kinds::kinds;
use crate::packet_engine::ecn::Ecn;
use crate::units::{Rate, Time};

/// Declares [`Control`], the congestion control of a queue pair, of that of every transport.
macro_rules! controls {
    ($($(#[$attribute:meta])* $variant:ident($options:ty);)*) => {
        impl Transport {
            pub(in crate::packet_engine) fn control(&self, conditions: &PathProperties) -> Control {
                match self { $($(#[$attribute])* Self::$variant(options) => Control::$variant(options.control(conditions)),)* }
            }
        }

        /// The congestion control of one queue pair.
        #[derive(Debug, Clone)]
        pub(in crate::packet_engine) enum Control {
            $($(#[$attribute])* $variant(<$options as Controlled>::Control),)*
        }

        impl CongestionControl for Control {
            #[inline]
            fn window(&self) -> u64 {
                match self { $($(#[$attribute])* Self::$variant(control) => control.window(),)* }
            }

            fn largest_window(&self) -> u64 {
                match self { $($(#[$attribute])* Self::$variant(control) => control.largest_window(),)* }
            }

            #[inline(always)]
            fn may_send(&self, in_flight: u32, full: u64) -> bool {
                match self { $($(#[$attribute])* Self::$variant(control) => control.may_send(in_flight, full),)* }
            }

            #[inline]
            fn on_send(&mut self) {
                match self { $($(#[$attribute])* Self::$variant(control) => control.on_send(),)* }
            }

            fn on_credit(&mut self, number: u32) {
                match self { $($(#[$attribute])* Self::$variant(control) => control.on_credit(number),)* }
            }

            fn on_extra_credit(&mut self) {
                match self { $($(#[$attribute])* Self::$variant(control) => control.on_extra_credit(),)* }
            }

            fn credit_target(&mut self, backlog: u32) -> CreditTarget {
                match self { $($(#[$attribute])* Self::$variant(control) => control.credit_target(backlog),)* }
            }

            fn lacks_credit(&self) -> bool {
                match self { $($(#[$attribute])* Self::$variant(control) => control.lacks_credit(),)* }
            }

            fn expects_credit(&self) -> bool {
                match self { $($(#[$attribute])* Self::$variant(control) => control.expects_credit(),)* }
            }

            #[inline]
            fn pace(&self) -> Option<f64> {
                match self { $($(#[$attribute])* Self::$variant(control) => control.pace(),)* }
            }

            #[inline]
            fn catches_up(&self) -> bool {
                match self { $($(#[$attribute])* Self::$variant(control) => control.catches_up(),)* }
            }

            fn on_telemetry(&mut self, hops: &[HopReading]) {
                match self { $($(#[$attribute])* Self::$variant(control) => control.on_telemetry(hops),)* }
            }

            #[inline]
            fn on_ack(&mut self, ack: &Feedback) {
                match self { $($(#[$attribute])* Self::$variant(control) => control.on_ack(ack),)* }
            }

            fn on_loss(&mut self, loss: &Loss) {
                match self { $($(#[$attribute])* Self::$variant(control) => control.on_loss(loss),)* }
            }

            fn on_notification(&mut self, now: u64) {
                match self { $($(#[$attribute])* Self::$variant(control) => control.on_notification(now),)* }
            }

            fn on_timeout(&mut self, now: u64) {
                match self { $($(#[$attribute])* Self::$variant(control) => control.on_timeout(now),)* }
            }

            fn state(&self) -> SenderState {
                match self { $($(#[$attribute])* Self::$variant(control) => control.state(),)* }
            }
        }
    };
}

kinds! {
    /// A transport as an experiment file describes it: one table, named after its kind.
    pub enum Transport: Spec and controls {
        Ideal(Ideal) = "ideal", "a fixed window of one bandwidth-delay product and two packets over lossless queues";
        Dctcp(Dctcp) = "dctcp", "windows or rates cut in proportion to ECN marks (RFC 8257)";
        Dcqcn(Dcqcn) = "dcqcn", "rates cut by congestion notifications, recovered by timer and bytes (RoCE)";
        Swift(Swift) = "swift", "a window that follows the round-trip time against a target delay";
        Nscc(Nscc) = "nscc", "a window steered by ECN marks and queuing delay together (Ultra Ethernet)";
        Eqds(Eqds) = "eqds", "the receiver hands out credits at its line rate; switches trim (EQDS, NDP)";
        Hpcc(Hpcc) = "hpcc", "a window that follows the queue and load which every hop writes into packets (telemetry)";
        Udp(Udp) = "udp", "datagrams at line rate: not acknowledged, not sent again (RFC 768)";
        #[cfg(test)]
        StopAndWait(super::stop_and_wait::StopAndWait) = "stop-and-wait", "one packet at a time";
    }
}

impl Default for Transport {
    fn default() -> Self {
        Self::Dctcp(Dctcp::default())
    }
}

impl Transport {
    /// Refuses options that make no sense. Keys are relative to the transport's own table.
    pub fn check(&self) -> Result<(), InputError> {
        self.kind().check()
    }

    pub(in crate::packet_engine) fn ecn(&self, rate: Rate, bdp: u64) -> Option<Ecn> {
        self.kind().ecn(rate, bdp)
    }

    pub(in crate::packet_engine) fn paced(&self) -> bool {
        self.kind().paced()
    }

    pub(in crate::packet_engine) fn acknowledged(&self) -> bool {
        self.kind().acknowledged()
    }

    pub(in crate::packet_engine) fn limited_buffers(&self) -> bool {
        self.kind().limited_buffers()
    }

    pub(in crate::packet_engine) fn queue(&self, trimming: bool, bdp: u64, full: u64) -> Option<u64> {
        self.kind().queue(trimming, bdp, full)
    }

    pub(in crate::packet_engine) fn trimming(&self) -> bool {
        self.kind().trimming()
    }

    pub(in crate::packet_engine) fn needs_credits(&self) -> bool {
        self.kind().needs_credits()
    }

    pub(in crate::packet_engine) fn reads_hops(&self) -> bool {
        self.kind().reads_hops()
    }

    pub(in crate::packet_engine) fn paces_credits(&self) -> bool {
        self.kind().paces_credits()
    }

    pub(in crate::packet_engine) fn watches_fabric(&self) -> bool {
        self.kind().watches_fabric()
    }

    pub(in crate::packet_engine) fn credits(&self, conditions: &PathProperties) -> Option<u32> {
        self.kind().credits(conditions)
    }

    pub(in crate::packet_engine) fn notification_interval(&self) -> Option<Time> {
        self.kind().notification_interval()
    }

    pub(in crate::packet_engine) fn cycle(&self) -> Option<u64> {
        self.kind().cycle()
    }

    pub(in crate::packet_engine) fn rto(&self, rtt: u64, queue: Option<u64>) -> Time {
        self.kind().rto(rtt, queue)
    }
}
