"""Power cuts of the log in the pages of an STM32F103: N cuts, 0 records lost?

    python -m einthoven.hil_tests.chips.stm32f103.cuts [CUTS] [--board blue_pill] [--seed 1]

Boot after boot of the unchanged image on one flash (`flash`): a host tells the time,
each time a record, until the power goes at an operation that is drawn, a half-word or a page, which
leaves what such a cut may leave. What the log held before must be there afterwards, with its bytes,
boots and times, but for the record that was being written and sectors that one says were given up.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from elftools.elf.elffile import ELFFile

from einthoven.boards.board import Board, build, load_board
from einthoven.device_log.copy import LogCopy, Place
from einthoven.device_log.description import Device
from einthoven.errors import EinthovenError, UsageError
from einthoven.hil_tests.chips.line import Line
from einthoven.hil_tests.chips.stm32f103.chip import FLASH, Chip
from einthoven.hil_tests.chips.stm32f103.flash import (
    ERASE,
    HALF_WORD_BYTES,
    PAGE_BYTES,
    WRITE,
    PowerCutError,
)
from einthoven.hil_tests.harness.cuts import Cuts, Records, missing, outcome, records_of, tell
from einthoven.native import log as native

BOARD = "blue_pill"
DEFAULT_CUTS = 300
OPERATIONS_MOST = 600
"""A record of the time is 8 half-words, a sector some 40 of them: less than two sectors, or who
told that one is given up could be gone, too."""
ERASES = 6
"""Of so many cuts one is at the erase of a page."""


class Life:
    """A board with the image of a chip that keeps a log; `pages`: where, in the flash."""

    def __init__(self, board: Board) -> None:
        """Raises UsageError for a board whose log does not lie in such pages, BuildError."""
        program = build(board)
        with program.open("rb") as file:
            table: Any = ELFFile(file).get_section_by_name(".symtab")
            found = [table.get_symbol_by_name(name) for name in ("_log", "_slot")]
        if None in found:
            raise UsageError(f"{board.name} keeps no log in pages of an STM32F103: choose {BOARD}")
        begin, end = (symbol["st_value"] - FLASH for (symbol,) in found)
        self.chip = Chip(program)
        self.pages = slice(begin, end)

    def log(self) -> bytes:
        """The log's pages as they are."""
        size = self.pages.stop - self.pages.start
        return bytes(self.chip.uc.mem_read(FLASH + self.pages.start, size))

    def fetched(self, line: Line) -> Records:
        """Each record of the log, as the board gives it."""
        copy, at = LogCopy(Device()), Place(0, 0)
        while True:
            reply = line.ask("log_read", log_sequence=at.sequence, offset=at.offset, most=240)
            if not reply["bytes"]:
                break
            place = Place(reply["log_sequence"], reply["offset"])
            copy.add(place, reply["bytes"])
            at = Place(place.sequence, place.offset + len(reply["bytes"]))
        return {
            (sequence, record.offset): record
            for sequence, content in copy.sectors.items()
            if (sector := native.scan(bytes(content)))
            for record in sector.records
        }


class Torn:
    """The records that were being written when the power went: nobody had answered for them, and
    what reads well of them today need not tomorrow.
    """

    def __init__(self) -> None:
        self._places: set[tuple[int, int]] = set()

    def add(self, cut: PowerCutError, pages: slice) -> None:
        """A cut, with the log in these pages of the flash."""
        page, offset = divmod(cut.place, PAGE_BYTES)
        found = native.scan(cut.before[page * PAGE_BYTES : (page + 1) * PAGE_BYTES])
        if cut.operation == WRITE and pages.start <= cut.place < pages.stop and found:
            self._places.add((found.sequence, offset))

    def without(self, records: Records) -> Records:
        """Those that were answered for."""
        return {
            (sequence, offset): record
            for (sequence, offset), record in records.items()
            if not any(
                (sequence, at) in self._places
                for at in range(offset, offset + _size(record), HALF_WORD_BYTES)
            )
        }


def _size(record: native.Record) -> int:
    return native.HEAD_BYTES + len(record.payload) + native.TAIL_BYTES


def cut_power(
    cuts: int, board: Board, seed: int = 1, told: Callable[[Cuts], None] | None = None
) -> Cuts:
    """Cut the power so many times; told: called after each. Raises as Life does."""
    found, draw, life = Cuts(), random.Random(seed), Life(board)
    chip, flash = life.chip, life.chip.flash
    flash.random.seed(seed)
    known, torn = Records(), Torn()
    for number in range(cuts):
        at_erase = number % ERASES == ERASES - 1
        flash.cut_of = (ERASE,) if at_erase else (WRITE, ERASE)
        flash.cut_at = draw.randint(1, 2 if at_erase else OPERATIONS_MOST)
        try:
            line = Line(chip)
            now = life.fetched(line)
            found.lost += [f"cut {number}: {text}" for text in missing(known, now)]
            for second in range(1_000_000_000, 2_000_000_000):
                line.ask("device_time", unix_s=second, ms=0)
        except PowerCutError as cut:
            found.operations[cut.operation] += 1
            torn.add(cut, life.pages)
            before = records_of(cut.before[life.pages])
        found.cuts += 1
        found.records += len(before.keys() - known.keys())
        found.given_up += len(known.keys() - before.keys())
        found.lost += [f"before cut {number + 1}: {text}" for text in missing(known, before)]
        known = torn.without(before)
        chip.power_on()
        if told is not None:
            told(found)
    found.lost += [f"cut {cuts}: {text}" for text in missing(known, life.fetched(Line(chip)))]
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: exit code 1 when a record was lost, 2 for a mistake."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.hil_tests.chips.stm32f103.cuts",
        description=__doc__.splitlines()[0],
    )
    parser.add_argument("cuts", nargs="?", type=int, default=DEFAULT_CUTS)
    parser.add_argument("--board", default=BOARD)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    try:
        if args.cuts < 1:
            raise UsageError(f"{args.cuts} cuts: 1 or more")
        begin = time.monotonic()
        found = cut_power(args.cuts, load_board(args.board), args.seed, tell)
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return outcome(args.board, found, time.monotonic() - begin)


if __name__ == "__main__":
    sys.exit(main())
