"""Records through all boards of a fleet: each takes the next one, and one that dies costs nothing.

What a run of it holds is what one board's run holds, to the bit; `fleet.json` says which board
computed which record, and which boards were given up.
"""

import dataclasses
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console

from einthoven.boards.board import Board, build, load_board
from einthoven.errors import BoardError, EinthovenError, RecordError, UsageError
from einthoven.fleet import inventory, reach
from einthoven.fleet.inventory import Entry, Fleet
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.host import SAMPLE_EVERY, Host
from einthoven.hil_tests.harness.progress import ReplayProgress
from einthoven.hil_tests.harness.record import BadRecordError, replay_record
from einthoven.hil_tests.harness.replay import Options, plan_run
from einthoven.jobs import Fell, Lane, share
from einthoven.records.download import find_database
from einthoven.records.record import NOTHING_KNOWN, record_files
from einthoven.report.description import Plan, Result
from einthoven.report.files import write_report
from einthoven.report.run import RunDir, write_json
from einthoven.report.schema import of_json, to_builtins
from einthoven.scoring.strips import LABELS

BOARD = "fleet"
"""What stands for a board's name in the run of more than one kind."""
FILE = "fleet.json"


class Lost(Struct, frozen=True, kw_only=True):
    """A board that was given up, at which record, and why."""

    board: str
    record: str
    why: str


class FleetRun(Struct, frozen=True, kw_only=True):
    """`fleet.json` of a run: the board that computed each record, and those that were given up."""

    schema: str = "einthoven-fleet-run/1"
    fleet: str
    records: dict[str, str]
    lost: list[Lost]


@dataclass(frozen=True)
class _Seat:
    """A device of the fleet, as a lane's value; can be pickled."""

    fleet: Fleet
    entry: Entry
    board: Board
    """As its board.toml has it: what answers is held to that."""


@dataclass(frozen=True)
class _Parcel:
    """A record on its way to a board; can be pickled. `files`: where there is no `folder`."""

    plan: Plan
    record: str
    folder: Path
    files: dict[str, bytes]


@dataclass(frozen=True)
class _Outcome:
    """What a board made of a record: the run folder's files; or why the record is bad."""

    files: dict[str, bytes]
    bad: str = ""


def replay_fleet(
    options: Options,
    path: Path,
    names: Sequence[str],
    out: Path,
    console: Console,
    resume: bool = False,
    cluster: str | None = None,
) -> RunDir:
    """Replay records on the devices `names` (none: all) of the fleet file; returns the run.

    A board that cannot (another model, no answer, another ADC) is left out or given up, and said
    so. Raises EinthovenError when something is missing, or no board is left.
    """
    if options.adapt is not None or options.known != NOTHING_KNOWN:
        raise UsageError("--fleet replays plain records: leave --adapt, --gain and the like out")
    if not resume:
        RunDir.require_new(out)
    fleet = inventory.read(path)
    if cluster is not None and not any(device.host for device in fleet.choose(names)):
        raise UsageError(f"--cluster is for devices that {path} gives a 'host', and none has one")
    seats = _seats(fleet, fleet.choose(names), console)
    kinds = sorted({seat.board.name for seat in seats.values()})
    units = {seat.board.count_unit for seat in seats.values()}
    stands_for = dataclasses.replace(
        next(iter(seats.values())).board,
        name=kinds[0] if len(kinds) == 1 else BOARD,
        title=f"{len(seats)} boards of {path.name}: {', '.join(kinds)}",
        count_unit=units.pop() if len(units) == 1 else "none",
    )
    options = dataclasses.replace(options, board=stands_for.name)
    folder = find_database(options.data, options.db, options.records)
    plan, samples, bad = plan_run(options, stands_for, folder, console)
    run = RunDir.open(out) if resume else RunDir.create(out, plan)
    if resume:
        run.require_same(plan)
    with run.lock():
        made = _read(run, fleet)
        finished = set(run.finished())
        todo = {name: n for name, n in samples.items() if name not in finished}
        lanes = {n: Lane(seat, seat.entry.host) for n, seat in seats.items()}
        made = _share(run, made, folder, todo, lanes, cluster, console, bad)
        run.write_bad(bad)
        missing = set(samples) - set(run.finished()) - set(bad)
        if missing:
            why = f": {made.lost[-1].board}: {made.lost[-1].why}" if made.lost else ""
            raise BoardError(f"no board is left for {len(missing)} records{why}")
        if bad and not run.finished():
            raise RecordError(next(iter(bad.values())))
        write_report(run)
    return run


def of_run(run: RunDir) -> FleetRun | None:
    """Which board computed what; None for a run on one board."""
    path = run.path / FILE
    if not path.is_file():
        return None
    try:
        return of_json(path.read_text(encoding="utf-8"), FleetRun)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is damaged ({error}): replay again") from None


def _read(run: RunDir, fleet: Fleet) -> FleetRun:
    return of_run(run) or FleetRun(fleet=fleet.name or fleet.path.stem, records={}, lost=[])


def _seats(fleet: Fleet, entries: Sequence[Entry], console: Console) -> dict[str, _Seat]:
    """The devices whose ADC is that of the first: only they can give the same bits."""
    seats: dict[str, _Seat] = {}
    for entry in entries:
        board = reach.board_of(fleet, entry)
        scale = board.adc_bits, board.gain_lsb_per_mv
        first = next(iter(seats.values()), None)
        if first is not None and scale != (first.board.adc_bits, first.board.gain_lsb_per_mv):
            console.print(f"{entry.name} is left out: its ADC is another", markup=False)
            continue
        seats[entry.name] = _Seat(fleet, entry, board)
    # A process that was flashed has a program of its own.
    kinds = {name: load_board(name) for name in {seat.board.name for seat in seats.values()}}
    for name, kind in kinds.items():
        plain = [
            s for s in seats.values() if s.board.name == name and s.board.program == kind.program
        ]
        if plain and kind.command is not None:
            build(kind)
    return seats


def _share(
    run: RunDir,
    made: FleetRun,
    folder: Path,
    todo: dict[str, int],
    lanes: dict[str, Lane],
    cluster: str | None,
    console: Console,
    bad: dict[str, str],
) -> FleetRun:
    away = any(lane.host for lane in lanes.values())
    parcels = {
        name: _Parcel(run.plan, name, folder, _packed(folder, name) if away else {})
        for name in todo
    }
    _stop.clear()
    with ReplayProgress(console, todo, len(lanes), float(run.plan.rate_hz)) as progress:
        shared = share(_replay, lanes, parcels, EinthovenError, cluster)
        try:
            for news in shared:
                if isinstance(news, Fell):
                    lost = Lost(board=news.lane, record=news.job, why=str(news.why))
                    made = replace(made, lost=[*made.lost, lost])
                elif news.result.bad:
                    bad[news.job] = news.result.bad
                else:
                    result = _kept(run, news.job, news.result.files)
                    made = replace(made, records={**made.records, news.job: news.lane})
                    agreement = result.agreement
                    differing = agreement.device_vs_host_int8 + (agreement.host_int8_vs_tflm or 0)
                    progress.done(news.job, result.beats, differing, result.link.seconds)
                write_json(run.path / FILE, to_builtins(made))
        except BaseException:
            _stop.set()  # what is under way ends at its next word
            raise
    return made


def _packed(folder: Path, name: str) -> dict[str, bytes]:
    """A record's files by their names, for a machine that need not have them."""
    files = [*record_files(folder, name), *(p for p in [folder / LABELS] if p.is_file())]
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def _unpacked(files: dict[str, bytes], folder: Path) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _kept(run: RunDir, name: str, files: dict[str, bytes]) -> Result:
    """A record's files into the run; its JSON, which says that it is finished, comes last."""
    last = f"records/{name}.json"
    _unpacked({k: v for k, v in files.items() if k != last}, run.path)
    result = of_json(files[last].decode(), Result)
    run.write_result(name, result)
    return result


# ---- in a lane: a thread here, or a Dask worker at the board's machine ----

_stop = threading.Event()
_one_host = threading.Lock()


class _SharedHost(Host):
    """The host's answer, one record at a time: its C keeps its state in one place."""

    def check(self, *arguments: Any, **named: Any) -> Any:
        """See Host."""
        with _one_host:
            return super().check(*arguments, **named)


@cache
def _host(tflite: Path | None, every: int) -> _SharedHost:
    return _SharedHost(tflite, every)


def _replay(seat: _Seat, parcel: _Parcel) -> _Outcome:
    plan, name = parcel.plan, parcel.record
    every = 1 if plan.options.tflm == "all" else SAMPLE_EVERY
    tflite = Path(plan.options.model) / "model.tflite" if plan.options.tflm != "none" else None
    with _one_host:
        host = _host(tflite, every)

    def tell(_: int) -> None:
        if _stop.is_set():
            raise KeyboardInterrupt

    with tempfile.TemporaryDirectory(prefix="einthoven-replay-") as scratch:
        run = RunDir(Path(scratch) / "run", plan)
        folder = parcel.folder
        if parcel.files:
            folder = Path(scratch) / "records"
            _unpacked(parcel.files, folder)
        with (
            reach.reached(seat.fleet, seat.entry, "replay") as url,
            Device(
                url,
                baud=seat.board.baud,
                expect_model_sha256=plan.model.sha256,
                expect_pipeline_sha256=plan.pipeline_sha256,
                expect_board=seat.board,
            ) as device,
        ):
            try:
                replay_record(run, device, host, folder, name, tell, by=seat.entry.name)
            except BadRecordError as error:
                return _Outcome({}, str(error))
        files = {
            str(path.relative_to(run.path)): path.read_bytes()
            for path in run.path.rglob("*")
            if path.is_file()
        }
    return _Outcome(files)
