"""A second network in a board's firmware: built in, fed over the wire, held to TFLite Micro's bits.

The firmware's model stays in it, and is what samples go through; bench runs the second one.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from einthoven.boards.board import Board, build, running, with_network
from einthoven.codegen import network
from einthoven.codegen.engine.lower import Goal
from einthoven.errors import ModelError, TooLargeError
from einthoven.hil_tests.harness.device import TIMEOUTS_S, Device
from einthoven.native.tflm import run_tflm

GOALS: tuple[Goal, ...] = get_args(Goal)
"""How weights are stored: the faster first."""
SLOWEST = 5_000_000
"""Multiply-adds a second that any board does: an emulator on a machine with other work."""


@dataclass(frozen=True)
class Carried:
    """A network and the board that carries it: built, with weights stored for `goal`."""

    board: Board
    name: str
    tflite: bytes
    goal: Goal

    @property
    def sha256(self) -> str:
        """Of the .tflite, in hex."""
        return hashlib.sha256(self.tflite).hexdigest()


@dataclass(frozen=True)
class Answers:
    """What a board made of [n] inputs."""

    outputs: NDArray[np.int8]
    """[n, outputs]"""
    counts: NDArray[np.int64]
    """[n] what each took, in the board's unit."""
    differing: NDArray[np.bool_]
    """[n] whether any output is not TFLite Micro's."""
    arena_bytes: int
    stack_used_bytes: int
    """Deepest use; 0 where the board cannot tell."""
    retries: int
    """What the link had to repeat."""


def build_in(
    board: Board, name: str, tflite: bytes, folder: Path, goals: tuple[Goal, ...] = GOALS
) -> Carried:
    """Build the board's firmware with the network in it, for the first of `goals` that fits.

    `folder` gets the generated C and the build. Raises ModelError when the engine lacks an op,
    TooLargeError with the bytes that are missing when none fits, BuildError.
    """
    for goal in goals:
        made = Carried(with_network(board, folder / goal), name, tflite, goal)
        (folder / goal).mkdir(parents=True, exist_ok=True)
        for file, text in network.files(tflite, name, made.sha256, goal).items():
            (folder / goal / file).write_text(text)
        try:
            build(made.board)
            return made
        except TooLargeError as error:
            refused = TooLargeError(f"{name}: {error}", error.missing)
    raise refused


def answers(
    carried: Carried,
    inputs: NDArray[np.int8],
    port: str | None = None,
    tell: Callable[[int], None] = lambda done: None,
) -> Answers:
    """Send [n, ...] inputs to the board; `tell` hears after each how many are done.

    `port`: a board that runs already, on any URL of pyserial. Raises ModelError when it carries
    another network, BoardError, LinkError.
    """
    graph = network.graph_of(carried.tflite, carried.goal)
    expected = run_tflm(carried.tflite, [inputs], 1)[0]
    outputs = np.empty_like(expected)
    counts = np.empty(len(inputs), dtype=np.int64)
    patience = tuple(seconds + graph.macs / SLOWEST for seconds in TIMEOUTS_S)
    baud = carried.board.baud
    with (
        running(carried.board, port) as url,
        Device(url, baud, timeouts_s=patience, expect_board=carried.board) as device,
    ):
        found = device.network()
        if found is None or found.sha256 != carried.sha256:
            other = f"the network {found.name} ({found.sha256[:12]}…)" if found else "no network"
            raise ModelError(
                f"the board on {url} carries {other} beside its model, not {carried.name} "
                f'({carried.sha256[:12]}…): flash a firmware with it (docs/boards.md, "A second '
                'network")'
            )
        for i, values in enumerate(inputs):
            result = device.infer(found, values)
            outputs[i], counts[i] = result.logits, result.count
            tell(i + 1)
        return Answers(
            outputs,
            counts,
            (outputs != expected).any(axis=1),
            found.arena_bytes,
            device.info()["stack_used_bytes"],
            device.link.retries,
        )
