"""Replay records through boards: check everything first, then one worker process a board.

A worker boots its board, takes the next record, replays it, and writes it into the run folder;
the parent shows progress. What is written is finished: Ctrl-C, a crash or a dead board costs
the records under way, and `resume` goes on with the rest.
"""

import dataclasses
import datetime
import json
import math
import os
import platform
import shlex
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import cast

from msgspec import UNSET
from msgspec.structs import asdict, replace
from rich.console import Console

from einthoven import __version__
from einthoven.boards.board import Board, build, load_board
from einthoven.boards.resources import measure
from einthoven.codegen.confidence import Calibration
from einthoven.components.words import number
from einthoven.errors import ModelError, RecordError, UsageError
from einthoven.hil_tests.harness.arithmetics import FloatNetwork, score_float
from einthoven.hil_tests.harness.heads import Fit
from einthoven.hil_tests.harness.own_model import use_model
from einthoven.hil_tests.harness.workers import run_workers
from einthoven.native import core
from einthoven.native.engine import HostModel
from einthoven.paths import SHIPPED_MODEL, cache_dir, model_c, runs_dir
from einthoven.provenance import seen_in_training
from einthoven.records.checksums import sha256_file
from einthoven.records.database import record_names
from einthoven.records.download import find_database
from einthoven.records.rates import rational_ratio
from einthoven.records.record import NOTHING_KNOWN, Known, read_record, record_files
from einthoven.report.description import (
    CountUnit,
    Data,
    Model,
    Plan,
    RunOptions,
    Sizes,
    TflmCheck,
)
from einthoven.report.judgement import read_reference
from einthoven.report.run import RunDir
from einthoven.report.schema import of_builtins

_LIBRARIES = ("numpy", "scipy", "wfdb", "edfio", "pandas", "tflite-micro")


@dataclass(frozen=True)
class Options:
    """What to replay, on what. `records` as `record_names` takes it; `port` any pyserial URL."""

    board: str
    records: str
    data: Path | None = None
    db: str = "mitdb"
    lead: str | None = None
    port: str | None = None
    tflm: TflmCheck = "sample"
    synthetic: bool = False
    model: Path = SHIPPED_MODEL
    """Folder of the int8 model in the firmware; another than the shipped one is built into it."""
    adapt: float | None = None
    """Minutes of each record on which a head for its patient is fitted; None: no heads."""
    gain: float | None = None
    units: str | None = None
    checksum: bool = True
    csv_rate: float | None = None
    csv_gain: float | None = None
    """What the user knows better than the files: `known`."""

    @property
    def known(self) -> Known:
        """As the reader of records takes it."""
        return Known(self.gain, self.units, self.checksum, self.csv_rate, self.csv_gain)

    def moved(self, data: Path | None, port: str | None) -> "Options":
        """The same with the records or the board found elsewhere."""
        return dataclasses.replace(self, data=data or self.data, port=port or self.port)


def new_run_path(board: str) -> Path:
    """`runs/<time>-<board>` below the folder that the user stands in."""
    return runs_dir() / f"{datetime.datetime.now():%Y%m%d-%H%M%S}-{board}"


def resume_options(out: Path) -> Options:
    """The options that the run in `out` was started with. Raises UsageError if there is none."""
    options = asdict(RunDir.open(out).plan.options)
    kept = {key: value for key, value in options.items() if value is not UNSET}
    if isinstance(kept["tflm"], bool):  # a run of 0.1
        kept["tflm"] = "all" if kept["tflm"] else "none"
    return Options(**{**kept, "data": Path(kept["data"]), "model": Path(kept["model"])})


def replay_run(
    options: Options,
    out: Path,
    jobs: int,
    console: Console,
    resume: bool = False,
    fit: Fit | None = None,
    network: FloatNetwork | None = None,
) -> RunDir:
    """Replay the records into the run folder `out`; returns it, with its reports written.

    `jobs` boards work at the same time; a board on a port is only one. With `resume` the
    records that are finished are kept, provided that board, model, pipeline and data are the
    same. `fit`: what fits heads, for options that ask for them; `network`: the float network, to
    be scored beside. Raises EinthovenError when
    something is missing or a board fails, KeyboardInterrupt on Ctrl-C, both with how to go on; what
    is finished stays.
    """
    if not resume:
        RunDir.require_new(out)
    if options.adapt is not None and options.known != NOTHING_KNOWN:
        raise UsageError(
            "--adapt reads gains and units from the files: leave --gain, --units, --csv-rate, "
            "--csv-gain and --no-checksum out"
        )
    if options.model != SHIPPED_MODEL:
        options = dataclasses.replace(options, model=use_model(options.model))
    board = load_board(options.board)
    folder = find_database(options.data, options.db, options.records)
    plan, samples, bad = plan_run(options, board, folder, console)
    kept = RunDir.open(out) if resume else None
    if kept is not None:
        kept.require_same(plan)
    if options.port is None:
        build(board)
    else:  # nothing is made before the board there has said who it is
        _ask(board, options.port, plan)
    run = kept or RunDir.create(out, _built(plan, board, options, network))
    with run.lock():
        run.write_bad(bad)
        finished = set(run.finished())
        todo = {name: n for name, n in samples.items() if name not in finished}
        if finished:
            console.print(f"{len(finished)} of {len(samples)} records were done before")
        if todo:
            jobs = (
                1
                if options.port or not board.command
                else min(jobs, len(todo), os.cpu_count() or 1)
            )
            bad |= run_workers(run, board, options.port, folder, todo, jobs, console, fit)
            run.write_bad(bad)
        if bad and not run.finished():
            raise RecordError(next(iter(bad.values())))
        if network is not None and run.plan.float_missing is None:
            score_float(run, board, folder, network)
        from einthoven.report.files import write_report  # with what draws it, a third of a second

        write_report(run)
    return run


def _built(plan: Plan, board: Board, options: Options, network: FloatNetwork | None) -> Plan:
    """The plan with what is known when the firmware is built."""
    sizes = _sizes(board, options.port is None)
    if network is None or options.adapt is not None:
        return replace(plan, sizes=sizes)
    return replace(plan, sizes=sizes, float_missing=network.missing)


def _ask(board: Board, port: str, plan: Plan) -> None:
    """Raise an error unless that very board answers on `port`, with the model and pipeline."""
    from einthoven.hil_tests.harness.device import Device

    model, pipeline = plan.model.sha256, plan.pipeline_sha256
    with Device(port, board.baud, model, pipeline, expect_board=board):
        pass


def plan_run(
    options: Options, board: Board, folder: Path, console: Console
) -> tuple[Plan, dict[str, int], dict[str, str]]:
    """What run.json holds, the records' lengths in samples of the board, and the bad ones' faults.

    Reads every record now, not when its turn comes, and one at a time: what can be known before
    the first sample is known then, and a bad record costs nobody else's. Raises RecordError if
    all are bad.
    """
    samples: dict[str, int] = {}
    files: dict[str, dict[str, str]] = {}
    bad: dict[str, str] = {}
    unchecked: list[str] = []
    for name in record_names(folder, options.records):
        try:
            record = read_record(folder, name, options.lead, known=options.known)
            read_reference(folder, name)
            files[name] = {
                os.path.relpath(path, folder): sha256_file(path)
                for path in record_files(folder, name)
            }
        except RecordError as error:
            bad[name] = str(error)
            continue
        except OSError as error:
            bad[name] = f"record {name}: {error.filename or name}: {error.strerror or error}"
            continue
        ratio = rational_ratio(core.rate_hz(), record.rate_hz)
        samples[name] = math.ceil(record.n_samples * ratio)
        if record.unchecked:
            unchecked.append(name)
    if not samples:
        first = next(iter(bad.values()))
        others = f" (none of the {len(bad)} records can be read)" if len(bad) > 1 else ""
        raise RecordError(f"{first}{others}")
    if unchecked:
        console.print(
            f"No checksum (0) in the headers of {number(len(unchecked), 'record')}: their samples "
            "are not checked.",
            soft_wrap=True,
        )
    model = model_facts(options.model)
    plan = Plan(
        board=board.name,
        board_title=board.title,
        count_unit=cast(CountUnit, board.count_unit),  # held against its type when it is written
        model=model,
        pipeline_sha256=core.pipeline_sha256(),
        rate_hz=core.rate_hz(),
        data=Data(
            db=options.db,
            lead=options.lead,
            synthetic=options.synthetic,
            records=list(samples),
            in_training=seen_in_training(
                model.training_records, [options.db, folder.name], samples
            ),
            files=files,
        ),
        adapt_minutes=options.adapt,
        options=RunOptions(
            **{
                **dataclasses.asdict(options),
                "data": str(folder.resolve()),
                "model": str(options.model.resolve()),
            }
        ),
        command=shlex.join(["einthoven", *sys.argv[1:]]),
        created=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %z"),
        versions={
            "einthoven": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in _LIBRARIES},
        },
    )
    return plan, samples, bad


def _sizes(board: Board, built: bool) -> Sizes:
    """Sizes of the image that was built; None for a process, or if a board runs an older one."""
    image = measure(board) if built else None
    return Sizes(
        flash_bytes=getattr(image, "flash_bytes", None),
        ram_bytes=getattr(image, "ram_bytes", None),
        stack_bytes=getattr(image, "stack_bytes", None),
        stack_bound_bytes=getattr(image, "stack_bound_bytes", None),
    )


def model_facts(folder: Path = SHIPPED_MODEL) -> Model:
    """`name`, `sha256`, `params`, `macs`, `training_records` of the model in the firmware.

    Raises ModelError when it is not there, not the generated one, or for another pipeline.
    """
    path = folder / "model.json"
    try:
        model = json.loads(path.read_text(encoding="utf-8"))
        digest = sha256_file(folder / "model.tflite")
        kept = of_builtins(model, Model)
        pipeline = model["pipeline_sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"the model in {folder} cannot be read ({error})") from None
    if digest != kept.sha256:
        raise ModelError(f"{folder}/model.tflite is not the file that model.json describes")
    if pipeline != core.pipeline_sha256():
        raise ModelError(
            f"model {kept.name} was made for another pipeline ({pipeline[:12]}…; this "
            f"checkout's is {core.pipeline_sha256()[:12]}…): train it anew for this one"
        )
    if HostModel().macros["EIN_MODEL_SHA256"].strip('"') != digest:
        raise ModelError(
            f"{model_c()} holds another model than {folder}: name that one's folder with --model, "
            f"or put this one back (`einthoven export {folder}`)"
        )
    return replace(kept, calibrated=Calibration.of(model).unsure_below > 0)


def synthetic_database() -> Path:
    """A folder with the seeded synthetic record, made when it is not there yet."""
    from einthoven.records import synth

    folder = cache_dir() / "synthetic"
    synth.demo_record().write(folder, "synth")
    return folder


def synthetic_strips() -> Path:
    """A folder with three synthetic strips, made when they are not there yet."""
    from einthoven.records import synth

    folder = cache_dir() / "synthetic-strips"
    for name, record in synth.demo_strips().items():
        record.write(folder, name)
    return folder
