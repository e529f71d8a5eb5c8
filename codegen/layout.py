"""How a convolution's inputs lie in its scratch; see firmware/engine/ein_nn_conv.h."""

from dataclasses import dataclass

from codegen.graph import Conv

DEPTH_MULTIPLE = 8
"""Of the inner loops, which take eight values at a time."""
POSITIONS_MULTIPLE = 4
"""Positions that the inner loops compute at once (two on the Cortex-M4)."""
MAX_CHUNK = 36
SCRATCH_TARGET_BYTES = 1280
"""Scratch beyond this buys nothing: widening a row anew costs less than 3 % of using it."""


@dataclass(frozen=True)
class ConvLayout:
    """`chunk` positions at a time, `step` elements apart, `depth` elements each."""

    rows: bool
    depth: int
    step: int
    chunk: int
    wide: bool

    @property
    def scratch_bytes(self) -> int:
        """Room for `chunk` positions and two channels' weights, two bytes an element."""
        weights = 0 if self.wide else 2 * self.depth
        return 2 * ((self.chunk - 1) * self.step + self.depth + weights)


def conv_layout(op: Conv) -> ConvLayout:
    """Scratch layout of `op`: rows where windows follow each other at even distances."""
    channels, window = op.weights.shape[2], op.window
    depth = -(-window.kernel * channels // DEPTH_MULTIPLE) * DEPTH_MULTIPLE
    distance = window.stride * channels
    rows = window.dilation == 1 and distance % 2 == 0 and distance <= depth
    step = distance if rows else depth
    fitting = (SCRATCH_TARGET_BYTES // 2 - (depth if op.wide else 3 * depth)) // step + 1
    chunk = max(
        POSITIONS_MULTIPLE, min(MAX_CHUNK, fitting) // POSITIONS_MULTIPLE * POSITIONS_MULTIPLE
    )
    if fitting >= op.output.length <= MAX_CHUNK:
        chunk = op.output.length
    return ConvLayout(rows, depth, step, min(chunk, op.output.length), op.wide)
