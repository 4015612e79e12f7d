//! Fluid simulation: flows share links max-min fairly.
