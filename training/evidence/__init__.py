"""Figures that are measured, and the pages that show them."""
