"""A board's own signal, live: JSON lines, and a record on the disk."""
