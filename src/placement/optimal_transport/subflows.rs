//! The sub-flows of one flow.

use smallvec::SmallVec;

/// Path indices with their bytes, at least 1 each; no path twice.
pub(super) type Subflows = SmallVec<[(u32, u64); 2]>;

/// Adds bytes (or takes them, where negative) to the sub-flow on a path; an empty sub-flow goes.
pub(super) fn change(subflows: &mut Subflows, path: u32, by: i64) {
    match subflows.iter().position(|&(p, _)| p == path) {
        Some(at) => {
            subflows[at].1 = subflows[at].1.wrapping_add_signed(by);
            if subflows[at].1 == 0 {
                subflows.remove(at);
            }
        }
        None => subflows.push((path, by.unsigned_abs())),
    }
}
