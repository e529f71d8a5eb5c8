"""Worker processes, one a board, and the parent that watches them."""

import multiprocessing
import os
import queue
import shlex
import signal
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import UNSET
from rich.console import Console

from einthoven.boards.board import Board, running
from einthoven.errors import BoardError, EinthovenError
from einthoven.hil_tests.harness.heads import Fit
from einthoven.hil_tests.harness.progress import ReplayProgress
from einthoven.report.run import RunDir

_POLL_S = 0.5
_STOP_S = 10.0
_TELL_SAMPLES = 1800
"""Progress is told every so many samples (10 s of ECG): often enough, and no flood."""


@dataclass(frozen=True)
class _Task:
    """What a worker is given; all of it can be pickled."""

    run: RunDir
    board: Board
    port: str | None
    folder: Path
    fit: Fit | None


@dataclass(frozen=True)
class _At:
    """A worker's board has acknowledged `acked` samples of `record`."""

    record: str
    acked: int


@dataclass(frozen=True)
class _Done:
    """A record is finished and written."""

    record: str
    beats: int
    differing: int
    board_seconds: float


@dataclass(frozen=True)
class _Bad:
    """A record turned out to be bad; the worker goes on with the next one."""

    record: str
    reason: str


@dataclass(frozen=True)
class _Failed:
    """A worker gave up; `message` is for the user, `bug` a traceback that is not."""

    message: str
    bug: str = ""


def run_workers(
    run: RunDir,
    board: Board,
    port: str | None,
    folder: Path,
    todo: Mapping[str, int],
    jobs: int,
    console: Console,
    fit: Fit | None,
) -> dict[str, str]:
    """Replay the records `todo` (name to length in samples) of `folder`, on `jobs` boards.

    `fit`: what fits heads, for a run that has them.

    When one board fails the others go on with what is left; a record that turns out to be bad is
    left out. Returns the bad ones and their faults. Raises BoardError with the first
    failure and KeyboardInterrupt on Ctrl-C, with how to resume.
    """
    # A fresh interpreter each: threads and the compiled engine do not survive a fork.
    context = multiprocessing.get_context("spawn")
    names: Any = context.Queue()
    news: Any = context.Queue()
    for name in [*todo, *[None] * jobs]:
        names.put(name)
    task = _Task(run, board, port, folder, fit)
    workers = [context.Process(target=_work, args=(task, names, news)) for _ in range(jobs)]
    failures: list[_Failed] = []
    bad: dict[str, str] = {}
    try:
        with ReplayProgress(console, todo, jobs, float(run.plan.rate_hz)) as progress:
            _start(workers)
            _watch(workers, news, progress, failures, bad)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_how_to_resume(run)) from None
    finally:
        _stop(workers)
    for failure in failures:
        if failure.bug:
            raise RuntimeError(f"a worker failed unexpectedly:\n{failure.bug}")
        raise BoardError(f"{failure.message} ({_how_to_resume(run)})")
    missing = set(todo) - set(run.finished()) - set(bad)
    if missing:
        raise BoardError(f"a worker was killed during a record ({_how_to_resume(run)})")
    return bad


def _start(workers: list[Any]) -> None:
    """Start them with Ctrl-C blocked, which they inherit: it is the parent's to handle.

    One that comes meanwhile counts when all are started: half of an interpreter's start-up
    would end in that one's traceback. Another thread may get it, so the mask alone is no cure.
    """
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        for worker in workers:
            worker.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def _how_to_resume(run: RunDir) -> str:
    done = f"{len(run.finished())} of {len(run.records)} records are done"
    return f"{done}; go on with: einthoven replay --resume --out {shlex.quote(str(run.path))}"


def _watch(
    workers: list[Any],
    news: Any,
    progress: ReplayProgress,
    failures: list[_Failed],
    bad: dict[str, str],
) -> None:
    """Show what the workers tell until all have ended."""
    while True:
        alive = any(worker.is_alive() for worker in workers)
        try:
            message = news.get(timeout=_POLL_S if alive else 0.1)
        except queue.Empty:
            if not alive:
                return
            continue
        if isinstance(message, _At):
            progress.at(message.record, message.acked)
        elif isinstance(message, _Bad):
            bad[message.record] = message.reason
        elif isinstance(message, _Done):
            progress.done(message.record, message.beats, message.differing, message.board_seconds)
        else:
            failures.append(message)


def _stop(workers: list[Any]) -> None:
    """End what still runs; SIGTERM lets a worker shut its board down."""
    for worker in workers:
        if worker.is_alive():
            worker.terminate()
    for worker in workers:
        if worker.pid is not None:
            worker.join(_STOP_S)
            if worker.is_alive():
                worker.kill()
                worker.join()


def _work(task: _Task, names: Any, news: Any) -> None:
    """A worker's life: boot the board, replay what is next until nothing is."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        _replay_records(task, names, news)
    except SystemExit:  # told to stop: what was not told yet does not matter any more
        news.cancel_join_thread()
        raise
    except EinthovenError as error:
        news.put(_Failed(str(error)))
    except Exception:
        news.put(_Failed("", bug=traceback.format_exc()))
    news.close()
    news.join_thread()


def _leave(_signal: int, _frame: Any) -> None:
    raise SystemExit(0)


def _replay_records(task: _Task, names: Any, news: Any) -> None:
    from einthoven.hil_tests.harness.device import Device
    from einthoven.hil_tests.harness.heads import Adapter
    from einthoven.hil_tests.harness.host import SAMPLE_EVERY, Host
    from einthoven.hil_tests.harness.record import BadRecordError, replay_record

    plan = task.run.plan
    options = plan.options
    parent = os.getppid()
    model = Path(options.model)
    with_tflm = options.tflm != "none"
    every = 1 if options.tflm == "all" else SAMPLE_EVERY
    host = Host(model / "model.tflite" if with_tflm else None, every)
    adapter = None
    if task.fit is not None and options.adapt is not None:
        adapter = Adapter(model, options.adapt, host.model, with_tflm, task.fit)
    with (
        running(task.board, task.port) as url,
        Device(
            url,
            baud=task.board.baud,
            expect_model_sha256=plan.model.sha256,
            expect_pipeline_sha256=plan.pipeline_sha256,
            expect_board=task.board,
        ) as device,
    ):
        while (name := names.get()) is not None:
            told = 0

            def tell(acked: int, name: str = name) -> None:
                nonlocal told
                if os.getppid() != parent:  # killed: nobody would ever stop this board
                    raise SystemExit(1)
                if acked - told >= _TELL_SAMPLES or acked < told:
                    told = acked
                    news.put(_At(name, acked))

            try:
                result = replay_record(task.run, device, host, task.folder, name, tell, adapter)
            except BadRecordError as error:
                news.put(_Bad(name, str(error)))
                continue
            except EinthovenError as error:
                where = f"record {name}: "
                raise type(error)(where + str(error).removeprefix(where)) from error
            agreement = result.agreement
            differing = agreement.device_vs_host_int8 + (agreement.host_int8_vs_tflm or 0)
            differing += result.verdict is not UNSET and result.verdict.differs
            news.put(_Done(name, result.beats, differing, result.link.seconds))
