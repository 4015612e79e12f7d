//! EQDS (NSDI 2022), NDP (SIGCOMM 2017) and the receiver credit control of Ultra Ethernet 1.0 (RCCC): the receiver
//! hands out credits at its line rate.
//!
//! A sender begins with credits for one bandwidth-delay product. Every packet that it sends states how many credits
//! it wants in all, so that what is lost on the way, whole or with its credit, is asked for again by the next.
//! A credit carries the number of all so far, so that the next one makes good a lost one. A sender
//! without credits that hears nothing for a timeout sends a credit request.
//!
//! With `rccc` receivers of an oversubscribed fabric lower the rate of their credits when marks, or packets trimmed before the last hop,
//! tell of congestion in it, and senders give up what is left of their first credits when they hear from the receiver.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::control::{CongestionControl, CreditTarget, Feedback, Loss, PathProperties, SenderState};
use super::nscc::{self, Nscc};
use super::spec::{Controlled, Spec, check_positive};
use crate::input::InputError;
use crate::packet_engine::ecn::Ecn;
use crate::units::{Rate, Time};

/// Packets that a port holds where switches trim.
const QUEUE_PACKETS: u64 = 8;

/// At which rate receivers hand out credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EqdsMode {
    /// Always at the rate at which they can receive (NDP, EQDS).
    #[default]
    Credits,
    /// At 99 % of that; in an oversubscribed fabric less, where marks and packets trimmed before the last hop show that it is
    /// congested (RCCC of Ultra Ethernet).
    Rccc,
}

/// Options of `eqds`. Switches trim, unless `[switch]` says otherwise. With `credits` their ports hold 8 packets; with `rccc` they
/// mark and hold as much as for `nscc`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Eqds {
    /// At which rate receivers hand out credits. Default `credits`.
    pub mode: EqdsMode,
    /// Credits that a sender begins with, and the most that it asks for at a time, in bandwidth-delay products. Default 1.
    pub initial_window: f64,
    /// With `rccc`: senders keep the window of NSCC as well, with these options; a packet needs a credit and room in the
    /// window, which takes care of congestion in the fabric, so that credits keep their rate. `{}` takes the defaults. Default: no window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nscc: Option<Nscc>,
}

impl Default for Eqds {
    fn default() -> Self {
        Self {
            mode: EqdsMode::Credits,
            initial_window: 1.0,
            nscc: None,
        }
    }
}

impl Eqds {
    /// What `nscc` asks of switches, where `rccc` asks the same.
    fn as_nscc(&self) -> Option<Nscc> {
        (self.mode == EqdsMode::Rccc).then(|| self.nscc.clone().unwrap_or_default())
    }
}

impl Spec for Eqds {
    fn check(&self) -> Result<(), InputError> {
        check_positive("initial_window", self.initial_window)?;
        let Some(nscc) = &self.nscc else { return Ok(()) };
        if self.mode != EqdsMode::Rccc {
            return Err(InputError::key(
                "nscc",
                "a window at the sender goes with receivers that watch the fabric",
            )
            .help("add `mode = \"rccc\"`, or remove `nscc`"));
        }
        nscc.check().map_err(|error| error.under("nscc"))
    }

    fn ecn(&self, rate: Rate, bdp: u64) -> Option<Ecn> {
        self.as_nscc()?.ecn(rate, bdp)
    }

    fn trimming(&self) -> bool {
        true
    }

    fn queue(&self, trimming: bool, bdp: u64, full: u64) -> Option<u64> {
        match self.as_nscc() {
            Some(nscc) => nscc.queue(trimming, bdp, full),
            None => trimming.then_some(QUEUE_PACKETS * full),
        }
    }

    fn rto(&self, _rtt: u64, _queue: Option<u64>) -> Time {
        Time::from_us(100)
    }

    fn needs_credits(&self) -> bool {
        true
    }

    fn paces_credits(&self) -> bool {
        self.mode == EqdsMode::Rccc
    }

    fn watches_fabric(&self) -> bool {
        self.mode == EqdsMode::Rccc && self.nscc.is_none()
    }

    fn credits(&self, conditions: &PathProperties) -> Option<u32> {
        let packets = conditions.bdp as f64 / conditions.full as f64 * self.initial_window;
        Some((packets as u32).max(1))
    }
}

impl Controlled for Eqds {
    type Control = State;

    fn control(&self, conditions: &PathProperties) -> State {
        let most = self.credits(conditions).unwrap_or(1);
        State {
            initial: most,
            credited: 0,
            spent: 0,
            expected: 0,
            most,
            lapses: self.mode == EqdsMode::Rccc,
            full: conditions.full,
            window: self.nscc.as_ref().map(|nscc| Box::new(nscc.control(conditions))),
        }
    }
}

/// What a sender may send, in packets.
#[derive(Debug, Clone)]
pub(in crate::packet_engine) struct State {
    /// Credits that it began with.
    initial: u32,
    /// Credits that the receiver has sent in all, as far as is known.
    credited: u32,
    /// Packets sent, each for one credit.
    spent: u32,
    /// How many credits the receiver will send by what it knows.
    expected: u32,
    /// The most credits that it asks for at a time.
    most: u32,
    /// What is left of the first credits lapses as soon as the receiver is heard of.
    lapses: bool,
    full: u64,
    window: Option<Box<nscc::State>>,
}

impl State {
    fn credit(&self) -> u32 {
        self.initial.wrapping_add(self.credited).wrapping_sub(self.spent)
    }

    /// First credits are given up: the receiver knows of the sender.
    fn lapse(&mut self) {
        if self.lapses {
            self.lapses = false;
            self.initial = self.initial.min(self.spent);
        }
    }
}

impl CongestionControl for State {
    fn window(&self) -> u64 {
        self.window.as_ref().map_or(u64::MAX, |window| window.window())
    }

    fn state(&self) -> SenderState {
        SenderState {
            credits: Some(self.credit()),
            ..SenderState::of(self)
        }
    }

    fn may_send(&self, in_flight: u32, full: u64) -> bool {
        let room = self
            .window
            .as_ref()
            .is_none_or(|window| window.may_send(in_flight, full));
        room && self.credit() > 0
    }

    fn on_send(&mut self) {
        self.spent = self.spent.wrapping_add(1);
    }

    fn on_credit(&mut self, number: u32) {
        self.lapse();
        if number.wrapping_sub(self.credited).cast_signed() > 0 {
            self.credited = number;
        }
    }

    fn on_extra_credit(&mut self) {
        self.expected = self.expected.wrapping_add(1);
    }

    fn credit_target(&mut self, backlog: u32) -> CreditTarget {
        let window = self
            .window
            .as_ref()
            .map_or(u64::MAX, |window| window.window() / self.full + 1);
        let wanted = backlog.min(self.most).min(u32::try_from(window).unwrap_or(u32::MAX));
        let number = self.credited.wrapping_add(wanted.saturating_sub(self.credit()));
        if number.wrapping_sub(self.expected).cast_signed() > 0 {
            self.expected = number;
        }
        CreditTarget {
            number,
            bounded: wanted < backlog,
        }
    }

    fn expects_credit(&self) -> bool {
        self.expected.wrapping_sub(self.credited).cast_signed() > 0
    }

    fn lacks_credit(&self) -> bool {
        self.credit() == 0
    }

    fn on_ack(&mut self, ack: &Feedback) {
        if let Some(window) = &mut self.window {
            window.on_ack(ack);
        }
    }

    fn on_loss(&mut self, loss: &Loss) {
        self.lapse();
        if let Some(window) = &mut self.window {
            window.on_loss(loss);
        }
    }

    fn on_timeout(&mut self, now: u64) {
        self.lapse();
        if let Some(window) = &mut self.window {
            window.on_timeout(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 packets of bandwidth-delay product, by hand.
    fn state(options: &str) -> State {
        let options: Eqds = serde_json::from_str(options).unwrap();
        options.check().unwrap();
        options.control(&PathProperties::example())
    }

    fn target(number: u32, bounded: bool) -> CreditTarget {
        CreditTarget { number, bounded }
    }

    /// Credits are counted in all: a lost one comes with the next, one that was overtaken brings nothing.
    #[test]
    fn a_credit_makes_good_a_lost_one() {
        let mut state = state("{}");
        (0..100).for_each(|_| state.on_send());
        assert!(state.lacks_credit() && !state.may_send(0, 1_000));
        state.on_credit(3);
        assert_eq!(state.credit(), 3);
        state.on_credit(2);
        assert_eq!(state.credit(), 3);
    }

    /// The target is what has been sent while there is more than a window to send, else what is missing.
    #[test]
    fn targets_follow_what_is_to_send() {
        let mut state = state("{}");
        (0..40).for_each(|_| state.on_send());
        assert_eq!(state.credit_target(1_000), target(40, true));
        assert_eq!(state.credit_target(70), target(10, false));
        assert_eq!(state.credit_target(30), target(0, false));
        (0..60).for_each(|_| state.on_send());
        state.on_credit(5);
        assert_eq!(state.credit_target(7), target(7, false));
        assert_eq!(state.credit_target(1_000), target(100, true));
    }

    /// With `rccc` first credits last until something is heard, with `credits` until they are spent.
    #[test]
    fn first_credits_lapse() {
        for (options, left) in [("{}", 61), (r#"{"mode": "rccc"}"#, 1)] {
            let mut state = state(options);
            (0..40).for_each(|_| state.on_send());
            state.on_credit(1);
            assert_eq!(state.credit(), left, "{options}");
        }
    }

    /// With both, a packet needs a credit and room in the window, and no more is asked for than has room.
    #[test]
    fn a_window_beside_credits() {
        let mut state = state(r#"{"mode": "rccc", "initial_window": 1.5, "nscc": {"max_window": 0.5}}"#);
        assert!(state.may_send(49, 1_000) && !state.may_send(50, 1_000));
        (0..150).for_each(|_| state.on_send());
        assert!(!state.may_send(10, 1_000));
        assert_eq!(state.credit_target(1_000), target(51, true));
    }
}
