//! The pieces of one flow.

use smallvec::SmallVec;

/// Path indices with their bytes, at least 1 each; no path twice.
pub(super) type Pieces = SmallVec<[(u32, u64); 2]>;

/// Adds bytes (or takes them, where negative) to the piece on a path; an empty piece goes.
pub(super) fn change(pieces: &mut Pieces, path: u32, by: i64) {
    match pieces.iter().position(|&(p, _)| p == path) {
        Some(at) => {
            pieces[at].1 = pieces[at].1.wrapping_add_signed(by);
            if pieces[at].1 == 0 {
                pieces.remove(at);
            }
        }
        None => pieces.push((path, by.unsigned_abs())),
    }
}
