//! Engines, placements and bounds held against each other.
