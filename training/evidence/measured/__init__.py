"""Figures: measured, kept as JSON in `docs/results/`, read again."""
