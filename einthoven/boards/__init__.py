"""Boards as the host sees them: built, run, weighed."""
