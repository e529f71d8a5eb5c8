"""Chips that no emulator has: an emulated core, and the registers that a board's image touches."""

NS_PER_S = 1_000_000_000
"""All of these chips keep their time in nanoseconds."""
