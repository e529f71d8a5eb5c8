"""Beats drawn as images, as anti-aliased lines, some thousands a second.

A beat is a graph: one value at each position. A round pen that follows it covers, in a vertical
section, a single interval, from the lowest to the highest point that the pen reaches there: the
erosion and the dilation of the graph by the pen's half circle. So a line needs no distances to
segments: two running extremes give the interval's ends, an exact area in each pixel follows, and
difference and running sum fill the pixels between.
"""

import numpy as np
from numpy.typing import NDArray

from einthoven.no_arguments import no_arguments
from einthoven.training.command_line import one_line_errors

SIZE = 128
"""Pixels of a side, as the network takes them."""
DRAWN = 256
"""Pixels of the side that the pen is stated for: images are drawn so large and halved by mean."""
PEN = 2.0
"""Diameter of the pen, in pixels of `DRAWN`: at most the margin."""
MARGIN = 8
"""Pixels of `DRAWN` around the graph."""
SECTIONS = 4
"""Vertical sections per pixel of `SIZE`."""
CHUNK = 16
"""Beats drawn at once: their arrays stay in a core's cache."""

Images = NDArray[np.uint8]


def draw(beats: NDArray[np.float32]) -> Images:
    """[n, 128, 128] grey images (white paper 255, black line 0) of beats [n, length] in [0, 1].

    The first sample is at the left, 1 at the top. Values outside of [0, 1] are drawn at the edge.
    """
    images = np.empty((len(beats), SIZE, SIZE), dtype=np.uint8)
    for start in range(0, len(beats), CHUNK):
        images[start : start + CHUNK] = _draw_chunk(beats[start : start + CHUNK])
    return images


def _draw_chunk(beats: NDArray[np.float32]) -> Images:
    low, high = _section_ends(beats)
    # Signed steps, pixel row by row: the running sum down a column is the area that ink covers.
    n = len(beats)
    column = np.arange(SIZE * SECTIONS) // SECTIONS
    base = (np.arange(n)[:, np.newaxis] * SIZE + column) * (SIZE + 2)
    at, steps = [], []
    for end, sign in ((high, 1.0), (low, -1.0)):
        row = np.floor(end).astype(np.int64)
        part = end - row
        at += [base + row, base + row + 1]
        steps += [sign * (part - 1), -sign * part]
    flat = np.bincount(
        np.concatenate([a.ravel() for a in at]),
        np.concatenate([s.ravel() for s in steps]),
        minlength=n * SIZE * (SIZE + 2),
    ).reshape(n, SIZE, SIZE + 2)
    ink = np.cumsum(flat, axis=2)[:, :, :SIZE] / SECTIONS
    paper: Images = np.rint(255 * (1 - np.clip(ink, 0, 1))).astype(np.uint8)
    return paper.transpose(0, 2, 1)


def _section_ends(beats: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Top and bottom of the ink in each section, [n, 512], in pixels of SIZE from the top."""
    per_pixel = SECTIONS * SIZE / DRAWN  # sections per pixel that the pen is stated in
    reach = int(np.ceil(PEN / 2 * per_pixel))
    sections = np.arange(-reach, SIZE * SECTIONS + reach)
    x = (sections + 0.5) / per_pixel
    inner = DRAWN - 2 * MARGIN
    length = beats.shape[1]
    position = np.clip((x - MARGIN) / inner, 0, 1) * (length - 1)
    left = np.minimum(position.astype(np.int64), length - 2)
    share = position - left
    y = MARGIN + (1 - np.clip(beats.astype(np.float64), 0, 1)) * inner  # of DRAWN, downwards
    graph = y[:, left] * (1 - share) + y[:, left + 1] * share
    # The graph ends at the margins: beyond them the pen reaches no section.
    drawn = (x >= MARGIN) & (x <= DRAWN - MARGIN)
    low = np.ascontiguousarray(np.where(drawn, graph, np.inf))
    high = np.ascontiguousarray(np.where(drawn, graph, -np.inf))
    # A peak between the sections' middles would lose its tip.
    corner = MARGIN + np.linspace(0, 1, length) * inner
    section = np.minimum((corner * per_pixel).astype(np.int64), SIZE * SECTIONS - 1) + reach
    flat = (np.arange(len(beats))[:, np.newaxis] * len(sections) + section).ravel()
    np.minimum.at(low.reshape(-1), flat, y.ravel())
    np.maximum.at(high.reshape(-1), flat, y.ravel())
    n = SIZE * SECTIONS
    top, bottom = np.full((len(beats), n), np.inf), np.full((len(beats), n), -np.inf)
    for shift in range(-reach, reach + 1):
        across = shift / per_pixel
        if abs(across) > PEN / 2:
            continue
        half = np.sqrt((PEN / 2) ** 2 - across**2)
        there = slice(reach + shift, reach + shift + n)
        np.minimum(top, low[:, there] - half, out=top)
        np.maximum(bottom, high[:, there] + half, out=bottom)
    empty = ~np.isfinite(top)
    top[empty] = bottom[empty] = 0
    scale = SIZE / DRAWN
    return top * scale, bottom * scale


@one_line_errors("docs/")
def main() -> None:
    """Draw made-up beats of the shapes that matter: no record is shown."""
    from matplotlib.figure import Figure

    from einthoven.training.studies.shared.results import FOLDER

    t = np.arange(187)

    def wave(at: float, width: float, height: float) -> NDArray[np.float64]:
        shape: NDArray[np.float64] = height * np.exp(-(((t - at) / width) ** 2))
        return shape

    shapes = {
        "narrow": wave(0, 3, 0.9) + wave(30, 9, 0.3) + wave(88, 6, 0.15) + wave(108, 3, 0.9),
        "wide": wave(0, 12, 0.8) + wave(40, 16, 0.35) + wave(105, 12, 0.8),
        "steep": wave(20, 1, 1.0) + wave(60, 1, 1.0) + wave(100, 1, 1.0),
    }
    beats = np.array([0.1 + 0.9 * shape for shape in shapes.values()], dtype=np.float32)
    beats[:2, 125:] = 0  # the padding
    figure = Figure(figsize=(6.6, 2.4), layout="constrained")
    for axes, image, name in zip(figure.subplots(1, 3), draw(beats), shapes, strict=True):
        axes.imshow(image, cmap="gray", vmin=0, vmax=255)
        axes.set(title=name, xticks=[], yticks=[])
    figure.savefig(FOLDER / "vgg16_beats.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    no_arguments(__doc__)
    main()
