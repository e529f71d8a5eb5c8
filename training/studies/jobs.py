"""Many independent jobs: one after the other here, or on other machines through Dask."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from einthoven.errors import UsageError

Job = TypeVar("Job")
Done = TypeVar("Done")


def run_jobs(
    work: Callable[[Job], Done], jobs: Mapping[str, Job], cluster: str | None = None
) -> Iterator[tuple[str, Done]]:
    """Each job's name with what `work` makes of it, as they get done.

    `cluster`: address of a Dask scheduler (`tcp://host:8786`) whose workers have Einthoven with its
    `train` extra; or `local:N` for N processes on this machine, a thread each. None: in this
    process, in order. Raises UsageError without `distributed` or without a scheduler there.
    """
    if cluster is None:
        for name, job in jobs.items():
            yield name, work(job)
        return
    with _client(cluster) as client:
        from distributed import as_completed

        waiting = {client.submit(work, job, pure=False): name for name, job in jobs.items()}
        for future in as_completed(waiting):
            yield waiting[future], future.result()


def _client(cluster: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise UsageError(
            "--cluster needs Dask, which is not installed: pip install -e '.[cluster]'"
        ) from None
    kind, _, count = cluster.partition(":")
    if kind == "local":
        if not count.isdigit() or int(count) < 1:
            raise UsageError(f"--cluster {cluster}: write local:2 for two processes")
        return Client(n_workers=int(count), threads_per_worker=1, dashboard_address=None)
    try:
        return Client(cluster, timeout="10s")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no Dask scheduler at {cluster} ({error}): start one with `dask scheduler`, and "
            "`dask worker ADDRESS --nthreads 1` on each machine"
        ) from error
