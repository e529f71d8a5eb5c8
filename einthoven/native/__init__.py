"""The device's C, compiled once for the host and called from Python."""
