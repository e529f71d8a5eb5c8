"""Build every board and renew the table of what each costs: `make boards`.

    python -m einthoven.hil_tests.board_table [BOARD …] [--beats 2000]

Without names all boards that the system's compilers build. Each is built and its flash and RAM are
measured; one that is a process, or whose chip has a model (`simulated/`), also replays a synthetic
record of `--beats` beats or more, of which every event must be the host's to the bit. The figures
go to `docs/results/boards.json`, a row a board; boards that were not named keep theirs.
docs/boards.md shows them between two marks.
Exit code 1 if a board differs from the host or has outgrown `firmware/budget.toml`, 2 if one cannot
be built or run.
"""

import argparse
import fcntl
import json
import shutil
import sys
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from einthoven.boards import resources
from einthoven.boards.board import Board, build, list_boards, load_board, running
from einthoven.errors import BoardError, EinthovenError, UsageError
from einthoven.hil_tests.chips.models import MODELS
from einthoven.hil_tests.chips.served import serving
from einthoven.hil_tests.harness.alike import replayed_alike
from einthoven.hil_tests.harness.bench import bench_board
from einthoven.hil_tests.harness.device import Device
from einthoven.paths import ROOT
from einthoven.records.synth import make_record

RESULTS = ROOT / "docs" / "results" / "boards.json"
PAGE = ROOT / "docs" / "boards.md"
BEGIN, END = "<!-- begin: board table -->", "<!-- end: board table -->"
BEATS = 2000
_BPM = 72.0
_INFERENCES = 10
_TIMEOUTS_S = (60.0, 60.0)
"""A good link, and perhaps a busy machine."""


@dataclass(frozen=True)
class Row:
    """A board's figures. Of one that runs nowhere here, what only a run tells is 0; so is what it
    costs on a model of its chip, which has no time of its own.
    """

    board: str
    core: str
    flash_bytes: int
    ram_bytes: int
    unit: str
    """What its counter counts."""
    per_inference: int
    per_sample: int
    beats: int
    """Replayed, every event as the host's."""
    model: str

    def counts(self) -> dict[str, int]:
        """What only a run tells, by the names of `firmware/budget.toml`; empty where none did."""
        if not self.per_inference:
            return {}
        return {
            f"{self.unit}_per_inference": self.per_inference,
            f"{self.unit}_per_sample": self.per_sample,
        }


def wanted() -> list[str]:
    """The boards of the table: those with a flash that a compiler on this system builds for."""
    boards = map(load_board, list_boards())
    return [b.name for b in boards if b.compiler[0] and b.mcu != "host"]


def measure(board: Board, beats: int) -> Row:
    """Build, measure, run. Raises EinthovenError, and BoardError where an event differs or where
    a figure has outgrown the budget.
    """
    build(board)
    image = resources.measure(board)
    if image is None:
        raise BoardError(f"{board.name} has no flash to measure: name another board")
    row = Row(
        board=board.name,
        core=board.mcu,
        flash_bytes=image.flash_bytes,
        ram_bytes=image.ram_bytes,
        unit=board.count_unit,
        per_inference=0,
        per_sample=0,
        beats=0,
        model="",
    )
    if board.command is not None:
        bench = bench_board(board, None, _INFERENCES)
        if bench.differing:
            raise BoardError(f"{board.name}: {bench.differing} inferences are not the host's")
        row = replace(
            row,
            per_inference=int(bench.inferences.min()),
            per_sample=round(bench.per_sample_mean),
        )
    if board.command is not None or board.name in MODELS:
        count, model = replayed_beats(board, beats)
        row = replace(row, beats=count, model=model)
    if problems := resources.image_problems(board, **row.counts()):
        raise BoardError("; ".join(problems))
    return row


def replayed_beats(board: Board, beats: int) -> tuple[int, str]:
    """Replay a record with at least `beats` beats; returns how many there were, and the model.

    Raises BoardError if the board does not say what the host says.
    """
    seconds = 60.0 + 1.1 * beats * 60.0 / _BPM
    samples = make_record(11, seconds, 180.0, heart_rate_bpm=_BPM).samples
    with _line(board) as url, Device(url, timeouts_s=_TIMEOUTS_S) as device:
        told = replayed_alike(device, samples)[1]
    if len(told.beats) < beats:
        raise BoardError(f"the record has {len(told.beats)} beats, {beats} are wanted")
    return len(told.beats), device.hello.model


def _line(board: Board) -> AbstractContextManager[str]:
    if board.name in MODELS:
        return serving(MODELS[board.name](board.program))
    return running(board)


def read(path: Path = RESULTS) -> list[Row]:
    """The rows that were measured last; none where there is no file."""
    written = path.read_text() if path.exists() else ""
    return [Row(**row) for row in json.loads(written or "[]")]


def keep(row: Row, path: Path = RESULTS) -> None:
    """Put the row into the file; others may measure at the same time."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        rows = {r.board: r for r in read(path)} | {row.board: row}
        known = [asdict(rows[name]) for name in wanted() if name in rows]
        path.write_text(json.dumps(known, indent=1) + "\n")


def text(rows: list[Row]) -> str:
    """The table in Markdown."""
    lines = [
        "| board | core or chip | flash | RAM | an inference | a sample | beats as the host's |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        counted = row.per_inference > 0
        cost = f"{row.per_inference:,} {row.unit} | {row.per_sample:,}" if counted else "– | –"
        beats = f"{row.beats:,}" if row.beats else "waits for silicon"
        lines.append(
            f"| `{row.board}` | {row.core} | {row.flash_bytes:,} | {row.ram_bytes:,} "
            f"| {cost} | {beats} |"
        )
    return "\n".join(lines)


def shown(page: str, rows: list[Row]) -> str:
    """The page with the table between its marks. Raises UsageError where it has none."""
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise UsageError(f"docs/boards.md needs one '{BEGIN}' and one '{END}'")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{text(rows)}\n{END}{after}"


def main(argv: list[str] | None = None) -> int:
    """Measure the boards and renew file and page."""
    parser = argparse.ArgumentParser(prog="python -m einthoven.hil_tests.board_table")
    parser.add_argument("boards", nargs="*", metavar="BOARD")
    parser.add_argument("--beats", type=int, default=BEATS)
    parser.add_argument("--show", action="store_true", help="only renew the page from the file")
    args = parser.parse_args(argv)
    differing = 0
    try:
        names = [] if args.show else args.boards or wanted()
        for name in names:
            board = load_board(name)
            if shutil.which(board.compiler[0]) is None:
                raise BoardError(
                    f"no '{board.compiler[0]}', which {name} needs (./setup.sh dev brings it)"
                )
            try:
                row = measure(board, args.beats)
            except BoardError as error:
                differing += 1
                print(f"error: {error}", file=sys.stderr)
                continue
            keep(row)
            print(f"{name}: {row.beats or 'no'} beats replayed", flush=True)
        PAGE.write_text(shown(PAGE.read_text(), read()))
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
