//! Broken inputs and the exact messages they give.
