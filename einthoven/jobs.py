"""Many independent jobs: here, in processes beside, or on other machines through Dask."""

import logging
import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from typing import Any

from einthoven.errors import UsageError
from einthoven.paths import extra

Work = Callable[[Any], Any]
RunJobs = Callable[[Work, Mapping[str, Any]], Iterator[tuple[str, Any]]]
"""Of a function and jobs by name: each job's name with what the function makes of it, as they get
done."""


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
