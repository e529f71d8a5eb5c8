"""Chips that no emulator has: an emulated core, and the registers that a board's image touches."""
