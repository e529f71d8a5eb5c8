"""Power cuts of the log on an emulated chip: N cuts, 0 records lost?

    python -m einthoven.hil_tests.harness.cuts [CUTS] [--board qemu_stm32f405_device] [--seed 1]

Boot after boot on one flash (`boards/beside_flash`): the device records strips until the power goes
at an operation that is drawn, a word or an erase, which leaves what such a cut may leave; the chip
executes nothing behind it, and QEMU is killed. What the log held before the cut must be there at
the next one, with its bytes, boots and times, but for sectors that a record says were given up.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from einthoven.boards.board import Board, build, load_board, running
from einthoven.boards.patience import watched
from einthoven.device_log.copy import sectors_of_image
from einthoven.errors import EinthovenError, LinkError, UsageError
from einthoven.hil_tests.harness.alone import set_mode, status
from einthoven.hil_tests.harness.beside import (
    Flash,
    compile_flash,
    image_for,
    with_file,
    with_flash,
)
from einthoven.hil_tests.harness.device import Device
from einthoven.native import log as native
from einthoven.native.log_spec import load
from einthoven.records.synth import make_record

BOARD = "qemu_stm32f405_device"
SECTORS, SECTOR_BYTES = 8, 2048
"""As small as may be, so that a sector is erased every other boot."""
OPERATIONS_MOST = 500
"""A boot writes some 20 words, a strip some 900."""
ERASES = 8
"""Of so many cuts one is at an erase, which is one operation in some 400."""
LOOK_S = 0.02
DEFAULT_CUTS = 300
WAIT_S = 60.0
"""For the flash's word on why the device is gone."""

Records = dict[tuple[int, int], native.Record]
"""By a sector's sequence and the offset in it, which a log never uses twice."""


@dataclass
class Cuts:
    """What so many cuts showed."""

    cuts: int = 0
    operations: Counter[str] = field(default_factory=Counter)
    """Cuts at a `write` and at an `erase`."""
    records: int = 0
    """Written in all."""
    given_up: int = 0
    """Of them, in sectors that were given up, as a record said."""
    lost: list[str] = field(default_factory=list)
    """What should be there and is not, a line each."""


def records_of(image: bytes) -> Records:
    """Each record in the image of a flash."""
    found: Records = {}
    for sequence, content in sectors_of_image(image)[0].items():
        sector = native.scan(bytes(content))
        for record in sector.records if sector else ():
            found[sequence, record.offset] = record
    return found


def given_up(records: Records) -> set[int]:
    """Sequences of the sectors that a record says are about to be erased."""
    kind = next(kind for kind in load().kinds if kind.name == "give_up")
    return {r.fields(kind)["sequence"] for r in records.values() if r.kind == kind.code}


def missing(before: Records, after: Records) -> list[str]:
    """A line for each record of `before` that `after` should have and has not as it was."""
    gone = given_up(before) | given_up(after)
    lines = []
    for (sequence, offset), record in before.items():
        if sequence not in gone and after.get((sequence, offset)) != record:
            lines.append(
                f"sector {sequence}, offset {offset}: a record of kind {record.kind}, boot "
                f"{record.boot}, {record.t_s} s"
            )
    return lines


def cut_power(
    cuts: int, name: str = BOARD, seed: int = 1, told: Callable[[Cuts], None] | None = None
) -> Cuts:
    """Cut the power so many times; told: called after each.

    Raises UsageError for a board that has no flash beside it, BuildError, BoardError when a device
    does not come back.
    """
    board = load_board(name)
    if not board.is_device or not any(w.startswith("enable=on") for w in board.command or ()):
        raise UsageError(f"{name} has no flash beside it: choose {BOARD}")
    board = image_for(board, None, flash=True)
    build(board)
    found, draw = Cuts(), random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_record(11, 40.0, 180.0).samples.astype("<i2").tofile(folder / "ecg")
        fed, program = with_file(board, folder / "ecg"), compile_flash(folder)
        image, known = folder / "log", Records()
        for number in range(cuts):
            at = -1 if number % ERASES == ERASES - 1 else draw.randint(1, OPERATIONS_MOST)
            flash = Flash(image, SECTORS, SECTOR_BYTES, cut=at, seed=seed + number)
            found.operations[_live(fed, flash, program)] += 1
            now = records_of(image.with_name("log.before").read_bytes())
            found.cuts += 1
            found.records += len(now.keys() - known.keys())
            found.given_up += len(known.keys() - now.keys())
            found.lost += [f"cut {number + 1}: {line}" for line in missing(known, now)]
            known = now
            if told is not None:
                told(found)
    return found


def _live(board: Board, flash: Flash, program: Path) -> str:
    """Switch the device on and let it record until the power goes; which operation it went at."""
    with (
        with_flash(board, flash, program) as process,
        running(board) as url,
        _killed_at_cut(process, url) as operation,
        Device(url) as device,
    ):
        while True:
            if status(device).mode == "ready":
                set_mode(device, "strip")
            time.sleep(LOOK_S)
    return operation[0]


@contextmanager
def _killed_at_cut(process: "subprocess.Popen[str]", url: str) -> Iterator[list[str]]:
    """For the block, QEMU is killed when the flash says that the power is gone.

    What that does to the link ends the block; yields the operation, once it is known.
    """
    board, operation = watched(url), list[str]()
    assert process.stdout is not None and board is not None
    lines = process.stdout

    def wait() -> None:
        for line in lines:
            operation.append(line.split()[1])
            os.kill(board.pid, signal.SIGKILL)

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    try:
        yield operation
    except LinkError:
        waiting.join(WAIT_S)
        if not operation:
            raise


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: exit code 1 when a record was lost, 2 for a mistake."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.hil_tests.harness.cuts", description=__doc__.splitlines()[0]
    )
    parser.add_argument("cuts", nargs="?", type=int, default=DEFAULT_CUTS)
    parser.add_argument("--board", default=BOARD)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    try:
        if args.cuts < 1:
            raise UsageError(f"{args.cuts} cuts: 1 or more")
        begin = time.monotonic()
        found = cut_power(args.cuts, args.board, args.seed, tell)
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return outcome(args.board, found, time.monotonic() - begin)


def outcome(board: str, found: Cuts, seconds: float) -> int:
    """Print what the cuts showed; the exit code."""
    for line in found.lost:
        print(f"lost: {line}")
    at = ", ".join(f"{n} at {'an' if what == 'erase' else 'a'} {what}"
                   for what, n in sorted(found.operations.items()))  # fmt: skip
    print(
        f"{board}: {found.records:,} records, {found.given_up:,} of them given up; "
        f"cuts: {at}; {seconds:.0f} s"
    )
    print(f"{found.cuts} cuts, {len(found.lost)} records lost")
    return 1 if found.lost else 0


def tell(found: Cuts) -> None:
    """Print how far it is, now and then."""
    if found.cuts % 50 == 0:
        print(f"{found.cuts} cuts, {len(found.lost)} records lost", flush=True)


if __name__ == "__main__":
    sys.exit(main())
