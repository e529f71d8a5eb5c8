"""A device's own log: read, joined to wall time, and exported for people and their programs."""
