"""The chart of docs/history: what the firmware cost, commit by commit."""

import csv
from pathlib import Path

from einthoven.boards.resources import HISTORY

CHART = HISTORY.with_suffix(".svg")
PANELS = {
    "flash_bytes": "flash, thousand bytes",
    "ram_bytes": "RAM, stack included, thousand bytes",
    "stack_bound_bytes": "stack's bound, thousand bytes",
    "arena_bytes": "arena, thousand bytes",
    "instructions_per_inference": "instructions per inference, thousands",
    "instructions_per_sample": "instructions per sample",
}
"""What the budget holds, and how the chart names it."""


def draw(history: Path = HISTORY, chart: Path = CHART) -> None:
    """Draw `history` (see resources.record) as an SVG; the same rows give the same file."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with history.open(newline="") as file:
        rows = list(csv.DictReader(file))
    commits = list(dict.fromkeys(r["commit"] for r in rows))
    with mpl.rc_context({"svg.hashsalt": "einthoven", "svg.fonttype": "none", "font.size": 8}):
        figure = Figure(figsize=(9, 7), layout="constrained")
        for axes, (name, title) in zip(figure.subplots(3, 2).flat, PANELS.items(), strict=True):
            unit = 1 if name == "instructions_per_sample" else 1000
            for board in dict.fromkeys(r["board"] for r in rows):
                mine = [r for r in rows if r["board"] == board]
                at = [commits.index(r["commit"]) for r in mine]
                axes.plot(at, [int(r[name]) / unit for r in mine], marker="o", label=board)
            axes.set_title(title)
            axes.set_ylim(0, 1.15 * max(int(r[name]) for r in rows) / unit)
            axes.set_xticks(range(len(commits)), [c[:7] for c in commits], rotation=45)
            axes.grid(axis="y", alpha=0.3)
        figure.axes[0].legend()
        figure.savefig(chart, format="svg", metadata={"Date": None, "Creator": None})
