//! What a placement costs: link loads, bounds, certificates and predictions.
