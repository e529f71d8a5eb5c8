"""Is it the right board, with the firmware that would be built, in memory that holds it?"""

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from einthoven.boards.board import Board
from einthoven.errors import BoardError
from einthoven.fleet.checked import Item
from einthoven.fleet.reach import own_serial
from einthoven.hil_tests.check.expected import strips, tensors
from einthoven.hil_tests.harness.agreement import differing_beats
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.record import board_events
from einthoven.native import core
from einthoven.native.engine import header_macros
from einthoven.native.strip import symbol
from einthoven.paths import model_c

_CRC_BYTES = 4
"""Behind the image of a device's firmware."""


def identity(device: Device, board: Board, expected_id: str) -> Iterator[Item]:
    """Which board it is, and which model and pipeline it has."""
    who = device.hello
    serial = own_serial(board, who.serial)
    yield Item(
        name="board",
        passed=who.board == board.name and expected_id in ("", serial),
        measured=f"{who.board}, {f'id {serial}' if serial else 'without an id'}",
        limit=f"{board.name}{f', id {expected_id}' if expected_id else ''}",
    )
    macros = header_macros(model_c() / "ein_model.h")
    wanted, pipeline = macros["EIN_MODEL_SHA256"].strip('"'), core.pipeline_sha256()
    yield Item(
        name="model",
        passed=who.model_sha256 == wanted,
        measured=f"{who.model}, {who.model_sha256[:12]}…",
        limit=f"{wanted[:12]}…",
    )
    yield Item(
        name="pipeline",
        passed=who.pipeline_sha256 == pipeline,
        measured=f"{who.pipeline_sha256[:12]}…",
        limit=f"{pipeline[:12]}…",
    )
    yield Item(
        name="patient's head",
        passed=who.head in ("none", "unsupported"),
        measured=who.head,
        limit="none: it goes to another patient",
    )


def memory(device: Device, board: Board, runs: Path | None) -> Iterator[Item]:
    """The image in flash against the one that is built here, and the test of RAM.

    `runs`: the program file of a board that is a process.
    """
    try:
        reply = device.ask("memory", "memory_reply").fields
    except BoardError as error:
        if "unknown message" not in str(error):
            raise
        yield _program(board, runs)
        yield Item(name="RAM", passed=None, measured=_no_map(board))
        return
    built = board.program.with_suffix(".bin").read_bytes()
    image = built[:-_CRC_BYTES] if board.is_device else built
    wanted = len(image), zlib.crc32(image)
    found = reply["image_bytes"], reply["image_crc"]
    yield Item(
        name="flash",
        passed=found == wanted,
        measured=f"{found[0]:,} bytes, CRC-32 {found[1]:08x}",
        limit=f"as built here: {wanted[0]:,} bytes, CRC-32 {wanted[1]:08x}",
    )
    bad = reply["ram_bad"]
    yield Item(
        name="RAM",
        passed=bad == 0,
        measured=f"{reply['ram_bytes'] // 1024} KB marched over"
        + (f", the word at 0x{bad:08x} does not hold" if bad else ", every word holds"),
        limit="every word holds",
    )


def _program(board: Board, runs: Path | None) -> Item:
    if runs is None or not runs.exists():
        return Item(name="flash", passed=None, measured=_no_map(board))
    found, wanted = (zlib.crc32(path.read_bytes()) for path in (runs, board.program))
    return Item(
        name="flash",
        passed=found == wanted,
        measured=f"a process: its program's file, CRC-32 {found:08x}",
        limit=f"as built here: CRC-32 {wanted:08x}",
    )


def _no_map(board: Board) -> str:
    if board.mcu == "host":
        return "n/a: a process has neither flash nor RAM of its own"
    return "n/a: this board's port gives no map of its memory"


def engine(device: Device) -> Item:
    """The model on its golden tensors, against TFLite Micro."""
    who = device.hello
    golden = tensors(who.window_samples, who.channels, who.features)
    pairs = zip(golden.signal, golden.features, golden.logits, strict=True)
    right = [np.array_equal(device.bench(s, f).unadapted, row) for s, f, row in pairs]
    return Item(
        name="engine",
        passed=all(right),
        measured=f"{sum(right)} of {len(right)} golden tensors give TFLite Micro's logits",
        limit="all, to the bit",
    )


def rhythm(device: Device) -> Item:
    """Golden strips through signal path, engine, rhythm and verdict, against the same C here."""
    who = device.hello
    if who.head == "active":
        return Item(name="rhythm", passed=None, measured="n/a: a patient's head is active")
    beats = differ = 0
    verdicts = []
    golden = strips(who.gain_lsb_per_mv, (who.rail_lo, who.rail_hi))
    for strip in golden:
        replayed = device.replay(strip.samples)
        events = board_events(replayed.events)
        beats += len(events.beats)
        differ += len(differing_beats(events.beats, strip.events.beats))
        for ours, theirs in (
            (events.states, strip.events.states),
            (events.rhythm, strip.events.rhythm),
        ):
            differ += len(set(ours.tolist()) ^ set(theirs.tolist()))
        differ += replayed.verdict != strip.raw
        verdicts.append(symbol(replayed.verdict) or "none")
    wanted = [strip.verdict for strip in golden]
    return Item(
        name="rhythm",
        passed=differ == 0 and verdicts == wanted,
        measured=f"{beats} beats of {len(golden)} golden strips, {differ} events differ, "
        f"verdicts {', '.join(verdicts)}",
        limit=f"none differs, verdicts {', '.join(wanted)}",
    )
