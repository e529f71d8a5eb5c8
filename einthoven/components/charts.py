"""Matplotlib figures as inline SVG whose colours are CSS variables.

Figures are drawn in placeholder colours; `render` turns each into `var(--name)`, so that one
drawing follows the page from light to dark and to paper.
"""

import html
import io
import re
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK = {
    "ink": "#010101",
    "muted": "#020202",
    "rule": "#030303",
    "trace": "#040404",
    "paper-fine": "#050505",
    "paper-bold": "#060606",
    "accent": "#070707",
    "N": "#080808",
    "S": "#090909",
    "V": "#0a0a0a",
    "F": "#0b0b0b",
    "Q": "#0c0c0c",
    "bad": "#0d0d0d",
}
_VARIABLE = {
    value: f"var(--{'class-' + key if len(key) == 1 else key})" for key, value in INK.items()
}
_EDGE = 0.08
"""Of the width of an axis: nearer to its end than this a label is not centred on its tick."""
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: searchable, and in the page's own font
    "svg.hashsalt": "einthoven",  # same figure, same bytes
    "path.simplify": True,
    "path.simplify_threshold": 0.2,
    "font.size": 9.0,
    "axes.edgecolor": INK["rule"],
    "axes.linewidth": 0.8,
    "text.color": INK["ink"],
    "axes.labelcolor": INK["muted"],
    "xtick.color": INK["muted"],
    "ytick.color": INK["muted"],
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
}


def keep_inside(figure: Figure, axes: Axes) -> None:
    """Hang the first and the last label of the x axis inwards where they would leave the picture.

    The page has another font than matplotlib measures with, so what is near an edge counts.
    """
    figure.draw_without_rendering()  # now the ticks are where they will be
    low, high = axes.get_xlim()
    for tick in axes.xaxis.get_major_ticks():
        at = (tick.get_loc() - low) / (high - low)
        if at < _EDGE:
            tick.label1.set_horizontalalignment("left")
        elif at > 1 - _EDGE:
            tick.label1.set_horizontalalignment("right")


def render(figure: Figure, title: str) -> str:
    """Render to an `<svg>` element with a title for screen readers."""
    text = io.StringIO()
    FigureCanvasSVG(figure)
    figure.savefig(
        text,
        format="svg",
        transparent=True,
        metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
    )
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)
    svg = re.sub(r'(<svg\b[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg\b[^>]*?) height="[^"]*"', r'\1 role="img"', svg, count=1)
    svg = re.sub(r"\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}", svg)
    svg = re.sub(r"\s*\n\s*", "\n", svg)
    for placeholder, variable in _VARIABLE.items():
        svg = svg.replace(placeholder, variable)
    return svg.replace(">", f"><title>{html.escape(title)}</title>", 1)


def bare(axes: Axes) -> None:
    """Leave of the frame only the x axis."""
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def caption(axes: Axes, text: str, size: float = 9.0) -> None:
    """What a chart shows, in bold above its left edge."""
    axes.set_title(text, loc="left", size=size, color=INK["ink"], weight="bold", pad=3)
