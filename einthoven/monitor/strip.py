"""A piece of signal drawn in characters: braille, eight dots each, or plain ASCII."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

DOTS_X, DOTS_Y = 2, 4
"""Of a braille character."""
_BRAILLE = 0x2800
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""By row and column, as Unicode numbers the dots."""
_ASCII = np.array([list(" '"), list(".|")])
"""By dots in the lower half, in the upper half."""


def dots(
    values: NDArray[np.floating], columns: int, rows: int, low: float, high: float
) -> NDArray[np.bool_]:
    """[rows, columns] the curve of `values` [n] from `low` (bottom) to `high`.

    Each column holds all its samples from the least to the largest, joined to the column before;
    what lies outside is drawn at the edge, and a NaN not at all.
    """
    canvas = np.zeros((rows, columns), dtype=bool)
    edges = np.linspace(0, len(values), columns + 1).round().astype(int)
    scaled = (high - values) / (high - low) * (rows - 1)
    places = np.clip(np.rint(scaled), 0, rows - 1)
    for column, (first, last) in enumerate(pairwise(edges.tolist())):
        here = places[max(first - 1, 0) : last]
        if last > first and not np.isnan(places[first:last]).all():
            canvas[int(np.nanmin(here)) : int(np.nanmax(here)) + 1, column] = True
    return canvas


def characters(canvas: NDArray[np.bool_], plain: bool = False) -> list[str]:
    """The lines of a canvas whose size is a whole number of characters; `plain`: in ASCII."""
    rows, columns = canvas.shape[0] // DOTS_Y, canvas.shape[1] // DOTS_X
    cells = canvas.reshape(rows, DOTS_Y, columns, DOTS_X)
    if plain:
        upper = cells[:, : DOTS_Y // 2].any(axis=(1, 3)).astype(int)
        lower = cells[:, DOTS_Y // 2 :].any(axis=(1, 3)).astype(int)
        return ["".join(line) for line in _ASCII[lower, upper]]
    codes = _BRAILLE + (cells * _BITS[None, :, None, :]).sum(axis=(1, 3))
    return ["".join(map(chr, line)) for line in codes]


def span_mv(values: NDArray[np.floating]) -> tuple[float, float]:
    """(low, high) in mV that hold `values` [n]: a whole number of half millivolts, 1 mV at least.

    Of the middle 99.5 %, so that a spike does not flatten the rest; NaNs do not count.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return -0.5, 0.5
    least, most = np.percentile(known, [0.25, 99.75])
    height = max(1.0, np.ceil((most - least) / 0.5 + 0.2) * 0.5)
    middle = (least + most) / 2
    return float(middle - height / 2), float(middle + height / 2)
