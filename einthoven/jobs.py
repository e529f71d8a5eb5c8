"""Many independent jobs: here, in processes beside, or on other machines through Dask.

`workers` does jobs that anybody can do. `share` is for jobs that need something of which there are
a few, each in one place, and that may fail: boards.
"""

import logging
import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any

from einthoven.errors import UsageError
from einthoven.paths import extra

Work = Callable[[Any], Any]
RunJobs = Callable[[Work, Mapping[str, Any]], Iterator[tuple[str, Any]]]
"""Of a function and jobs by name: each job's name with what the function makes of it, as they get
done."""


@dataclass(frozen=True)
class Lane:
    """One of what jobs need, and the machine that it is at: "" for this one."""

    value: Any
    host: str = ""


@dataclass(frozen=True)
class Done:
    """A job that a lane has done."""

    lane: str
    job: str
    result: Any


@dataclass(frozen=True)
class Fell:
    """A lane that failed at a job: it gets no other, and the job goes to another lane."""

    lane: str
    job: str
    why: Exception


MOST_FALLS = 3
"""Lanes that a job may cost before it counts as bad itself."""


def share(
    work: Callable[[Any, Any], Any],
    lanes: Mapping[str, Lane],
    jobs: Mapping[str, Any],
    falls: type[Exception],
    cluster: str | None = None,
) -> Iterator[Done | Fell]:
    """Share jobs out over lanes, one at a time each, the next to whichever is free.

    `work(lane's value, job)` is called in a thread here, or by a Dask worker on the lane's host,
    which is a worker's name or address. An exception of the kind `falls` ends the lane, any other
    all of it. Ends when all jobs are done or no lane is left; a job at which MOST_FALLS lanes fell
    is given up. Raises UsageError as `workers`, and if a host has no worker.
    """
    waiting, falling = list(jobs), dict.fromkeys(jobs, 0)
    free, ended, busy = list(lanes), SimpleQueue[tuple[str, str, Any]](), 0
    with ExitStack() as stack:
        submit = _submitter(stack, lanes, cluster)
        while True:
            while free and waiting:
                lane, job = free.pop(0), waiting.pop(0)
                future = submit(lanes[lane], work, jobs[job])
                future.add_done_callback(partial(_ended, ended, lane, job))
                busy += 1
            if busy == 0:
                return
            lane, job, future = ended.get()
            busy -= 1
            try:
                result = future.result()
            except falls as error:
                falling[job] += 1
                if falling[job] < MOST_FALLS:
                    waiting.insert(0, job)
                yield Fell(lane, job, error)
                continue
            free.append(lane)
            yield Done(lane, job, result)


def _ended(ended: "SimpleQueue[tuple[str, str, Any]]", lane: str, job: str, future: Any) -> None:
    ended.put((lane, job, future))


def _submitter(
    stack: ExitStack, lanes: Mapping[str, Lane], cluster: str | None
) -> Callable[[Lane, Callable[[Any, Any], Any], Any], Any]:
    """Starts a job on a lane, and gives its future."""
    here = [lane for lane in lanes.values() if not lane.host]
    pool = stack.enter_context(ThreadPoolExecutor(max(1, len(here))))
    away = sorted({lane.host for lane in lanes.values() if lane.host})
    places: dict[str, list[str]] = {}
    client: Any = None
    if away:
        if cluster is None:
            raise UsageError(f"boards at {', '.join(away)}: name the Dask scheduler with --cluster")
        client = stack.enter_context(_client(cluster))
        known = client.scheduler_info(n_workers=-1)["workers"]
        for host in away:
            places[host] = [a for a, w in known.items() if host in (str(w["name"]), w["host"])]
            if not places[host]:
                names = ", ".join(sorted(str(w["name"]) for w in known.values())) or "none"
                raise UsageError(
                    f"no Dask worker at {host}: start one there with --name {host} "
                    f"(there are: {names})"
                )

    def submit(lane: Lane, work: Callable[[Any, Any], Any], job: Any) -> Any:
        if not lane.host:
            return pool.submit(work, lane.value, job)
        return client.submit(work, lane.value, job, workers=places[lane.host], pure=False)

    return submit


@contextmanager
def workers(cluster: str | None = None, processes: int = 1) -> Iterator[RunJobs]:
    """Who does the jobs, for as many sets of jobs as one likes.

    `cluster`: address of a Dask scheduler (`tcp://host:8786`) whose workers have Einthoven with the
    extras that the jobs need; or `local:N` for N processes on this machine, a thread each. None:
    `processes` of this machine without Dask; of one, this one, in order. Raises UsageError without
    `distributed` or without a scheduler there.
    """
    if cluster is None and processes > 1:
        # A fresh interpreter each: threads and compiled libraries do not survive a fork.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            yield partial(_beside, pool)
        return
    if cluster is None:
        yield _here
        return
    with _client(cluster) as client:
        yield partial(_there, client)


def _here(work: Work, jobs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, job in jobs.items():
        yield name, work(job)


def _beside(
    pool: ProcessPoolExecutor, work: Work, jobs: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    waiting = {pool.submit(work, job): name for name, job in jobs.items()}
    try:
        for future in as_completed(waiting):
            yield waiting.pop(future), future.result()
    finally:
        for future in waiting:
            future.cancel()


def _there(client: Any, work: Work, jobs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    from distributed import as_completed as as_done

    waiting = {client.submit(work, job, pure=False): name for name, job in jobs.items()}
    for future in as_done(waiting):
        yield waiting[future], future.result()


def _client(cluster: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise UsageError(
            f"--cluster needs Dask, which is not installed: pip install {extra('cluster')}"
        ) from None
    kind, _, count = cluster.partition(":")
    if kind == "local":
        if not count.isdigit() or int(count) < 1:
            raise UsageError(f"--cluster {cluster}: write local:2 for two processes")
        made = Client(
            n_workers=int(count), threads_per_worker=1, dashboard_address=None,
            silence_logs=logging.ERROR,
        )  # fmt: skip
        made.run(_quiet)
        return made
    try:
        return Client(cluster, timeout="10s")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no Dask scheduler at {cluster} ({error}): start one with `dask scheduler`, and "
            "`dask worker ADDRESS --nthreads 1` on each machine"
        ) from error


def _quiet() -> None:
    """In a worker: at the end it tells that the scheduler is gone. Jobs' errors come back."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
