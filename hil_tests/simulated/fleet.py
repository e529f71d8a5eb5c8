"""A fleet of simulated boards from the box to the label: flashed, checked, replayed.

    python -m einthoven.hil_tests.simulated.fleet [--out FOLDER] [--only NAME...]

Some boards are bad, as planned (`boards.py`). Ends with `30 boards: N passed, M failed as planned`
and code 0, or names what is not as planned and ends with 1.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from einthoven.boards.board import load_board
from einthoven.fleet import firmware, inventory
from einthoven.fleet.checked import BoardCheck, CheckReport
from einthoven.fleet.flashing import Flashing, plan
from einthoven.fleet.inventory import Entry, Fleet
from einthoven.fleet.keys import write_key
from einthoven.fleet.ledger import FLASHED, Flashed, Ledger
from einthoven.fleet.proof import new_key
from einthoven.hil_tests.check.run import check, of_fleet
from einthoven.hil_tests.harness.fleet_replay import FleetRun, of_run, replay_fleet
from einthoven.hil_tests.harness.introduce import introduce
from einthoven.hil_tests.harness.replay import Options
from einthoven.hil_tests.simulated.boards import Planned, planned
from einthoven.records.synth import make_record
from einthoven.report.labels import write_labels
from einthoven.report.schema import dump

RECORDS = 24
SECONDS = 600.0
JOBS = 10
"""At the same time: most of them wait for their signal, two of them keep two cores busy."""
TITLE = "simulated fleet"


@dataclass(frozen=True)
class Outcome:
    """What came of a fleet."""

    checks: list[BoardCheck]
    flashed: list[Flashed]
    run: FleetRun | None
    surprises: list[str]
    """What is not as planned, a line each."""


def lay_out(folder: Path, boards: Sequence[Planned]) -> Fleet:
    """The fleet file, the keys, and the signals that the boards have before them."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for number, one in enumerate(boards, 1):
        key = ""
        if one.has_key:
            write_key(folder / "keys" / f"{one.name}.key", new_key())
            key = f"file:keys/{one.name}.key"
        identity = f"51{number:022x}" if one.own_id else ""
        entries.append(Entry(one.name, id=identity, board=one.board, key=key, words=one.words))
    path = folder / "fleet.toml"
    path.write_text("".join(f"{inventory.toml(entry)}\n" for entry in entries), encoding="utf-8")
    return inventory.read(path)


def write_signals(folder: Path) -> None:
    """What the boards' front ends see: ECG, and an electrode amplifier that is stuck."""
    folder.mkdir(parents=True, exist_ok=True)
    ecg = make_record(11, 60.0, 180.0).samples
    (ecg // 2).astype("<i2").tofile(folder / "ecg.bin")
    ecg.astype("<i2").tofile(folder / "ecg_chip.bin")
    np.full(180, 37, dtype="<i2").tofile(folder / "flat.bin")


def write_records(folder: Path, records: int, seconds: float) -> None:
    """Synthetic recordings to replay."""
    for i in range(records):
        make_record(100 + i, seconds, 360.0).write(folder, f"r{i:02d}")


def from_box_to_label(
    folder: Path,
    boards: Sequence[Planned],
    console: Console,
    records: int = RECORDS,
    seconds: float = SECONDS,
    signal_s: float | None = None,
) -> Outcome:
    """Flash, check and replay on all boards in `folder`, and write `labels.html` there."""
    fleet = lay_out(folder, boards)
    began = time.monotonic()

    def stage(what: str) -> None:
        console.print(f"{time.monotonic() - began:6.0f} s  {what}", highlight=False)

    flashed = _flash(fleet, boards)
    good = sum(note.outcome == FLASHED for note in flashed)
    stage(f"{good} of {len(boards)} flashed, verified, given their keys")
    for one, entry in zip(boards, fleet.devices, strict=True):
        if one.spoil is not None:
            one.spoil(fleet.folder(entry), folder / "keys" / f"{one.name}.key", one.board)
    subjects = [of_fleet(fleet, entry) for entry in fleet.devices]
    checks = check(subjects, JOBS, signal_s, progress=lambda done: stage(_brief(done)))
    report = CheckReport.of(checks)
    write_labels(folder / "labels.html", report, TITLE)
    passed = [found.name for found in checks if found.passed]
    run = None
    if records:
        write_records(folder / "records", records, seconds)
        options = Options("", "all", folder / "records", tflm="none")
        quiet = Console(file=sys.stderr, quiet=True)
        run = of_run(replay_fleet(options, fleet.path, passed, folder / "run", quiet))
        assert run is not None
        stage(
            f"{len(run.records)} of {records} records replayed by "
            f"{len(set(run.records.values()))} boards, {len(run.lost)} given up meanwhile"
        )
    return Outcome(checks, flashed, run, _surprises(boards, flashed, checks, run))


def _flash(fleet: Fleet, boards: Sequence[Planned]) -> list[Flashed]:
    built = {name: firmware.built(load_board(name)) for name in sorted({b.board for b in boards})}
    plans = []
    for one, entry in zip(boards, fleet.devices, strict=True):
        if one.unflashable and not entry.id:
            place = fleet.folder(entry)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("not a folder\n")
        plans.append(plan(fleet, entry, load_board(one.board), built[one.board]))
    return Flashing(fleet, Ledger(fleet.path), introduce).run(plans, JOBS)


def _brief(found: BoardCheck) -> str:
    if found.passed:
        return f"{found.name} is good"
    return f"{found.name} is NOT good: " + "; ".join(
        f"{item.name}: {item.measured}" for item in found.failures
    )


def _surprises(
    boards: Sequence[Planned],
    flashed: Sequence[Flashed],
    checks: Sequence[BoardCheck],
    run: FleetRun | None,
) -> list[str]:
    found = []
    for one, note, checked in zip(boards, flashed, checks, strict=True):
        if (note.outcome == FLASHED) == one.unflashable:
            found.append(f"{one.name}: flashing ended with '{note.outcome}': {note.message}")
        failed = {item.name for item in checked.failures}
        if failed != one.fails:
            wanted = ", ".join(sorted(one.fails)) or "nothing"
            said = "; ".join(f"{i.name}: {i.measured}" for i in checked.failures) or "nothing"
            found.append(f"{one.name}: {wanted} should have failed, and did: {said}")
    if run is not None:
        lost = {gone.board for gone in run.lost}
        planned_lost = {one.name for one in boards if one.dies_in_replay}
        if not lost <= planned_lost:
            found += [f"{gone.board} was given up: {gone.why}" for gone in run.lost]
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see above."""
    parser = argparse.ArgumentParser(description="A fleet of simulated boards.")
    parser.add_argument("--out", type=Path, help="folder to keep (default: a temporary one)")
    parser.add_argument("--only", nargs="*", help="boards of these names")
    words = parser.parse_args(arguments)
    console = Console(width=200)
    if words.out and words.out.exists() and any(words.out.iterdir()):
        print(f"error: {words.out} is not empty: remove it first", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="einthoven-fleet-") as scratch:
        folder = words.out.absolute() if words.out else Path(scratch)
        write_signals(folder)
        boards = [b for b in planned(folder) if not words.only or b.name in words.only]
        outcome = from_box_to_label(folder, boards, console)
        (folder / "check.json").write_text(dump(CheckReport.of(outcome.checks)), encoding="utf-8")
        if words.out:
            console.print(f"page: {folder / 'labels.html'}, run: {folder / 'run'}", soft_wrap=True)
    for line in outcome.surprises:
        console.print(f"not as planned: {line}", markup=False, soft_wrap=True)
    failed = sum(not found.passed for found in outcome.checks)
    as_planned = "as planned" if not outcome.surprises else "NOT as planned"
    good = len(outcome.checks) - failed
    console.print(f"{len(outcome.checks)} boards: {good} passed, {failed} failed {as_planned}")
    return 1 if outcome.surprises else 0


if __name__ == "__main__":
    sys.exit(main())
