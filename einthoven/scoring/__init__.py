"""Beats and rhythms compared with a reference, as ANSI/AAMI EC57 asks."""
