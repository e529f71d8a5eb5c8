"""A recipe to a quantized, calibrated network."""
