//! Whoever watches a run hears how far it is, and can end it.

use super::*;

/// Enough packets for several reports.
fn long() -> Case {
    let shift = (0..32).map(|h| (h, (h + 8) % 32, 20_000_000));
    Case::new(leaf_spine(4, 8, 8, "400Gbps", "500ns"), flows(shift))
}

#[test]
fn fractions_rise_and_watching_changes_nothing() {
    long().setup(|setup| {
        let mut fractions = Vec::new();
        let watched = simulate_watched(setup, &mut |status| {
            fractions.push(status.fraction());
            Continue::Yes
        });
        assert!(!fractions.is_empty() && fractions.is_sorted(), "{fractions:?}");
        assert!(
            fractions[0] > 0.0 && fractions[fractions.len() - 1] <= 1.0,
            "{fractions:?}"
        );
        assert_eq!(watched, simulate(setup));
    });
}

#[test]
fn a_run_can_be_ended() {
    long().setup(|setup| {
        let stuck = simulate_watched(setup, &mut |_| Continue::No).unwrap_err();
        assert_eq!(stuck.unfinished.len(), 32);
        assert_eq!(stuck.unfinished[0].reason, "the run was ended");
    });
}
