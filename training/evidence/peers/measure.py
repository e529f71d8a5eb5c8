"""Calls every detector on every record, and scores what it says as ours is scored.

Each answer is kept in a file (`Store`), so that an interrupted run goes on where it was: under the
package's and the detector's name, with a digest of the signal, the environment and the way of
calling it. What no longer fits is measured anew.
"""

import hashlib
import inspect
import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen import pipeline
from einthoven.native.core import analyze
from einthoven.records.adc import to_board
from einthoven.records.annotations import Annotations, read_annotations
from einthoven.records.database import record_names
from einthoven.records.download import find_database
from einthoven.records.record import Record, read_record
from einthoven.report.run import write_json
from einthoven.scoring import comparison
from einthoven.training.data.dataset import ADC_BITS, GAIN_LSB_PER_MV, RATE_HZ
from einthoven.training.evidence.peers import adapters
from einthoven.training.evidence.peers.environments import Package, prepare, versions
from einthoven.training.evidence.peers.process import Worker

DATABASES = ("mitdb", "nstdb", "svdb_train")
EVERY = {"svdb_train": 3}
"""Of these databases every so many records are taken, so that all of it stays within an hour."""
OURS = "ours"
OWN_PACKAGE = "einthoven"
NOISY_BITS = 16
"""nstdb drifts beyond a 12-bit ADC's rails (training/detector/score.py); peers get it whole."""
OWN_REPEATS = 3
LIMIT_S = 600.0
HALF_HOUR_S = 1800.0
FIELDS = ("tp", "fn", "fp", "whole_tp", "whole_fn", "whole_fp", "offset_ms")
"""Of a record: beats by EC57's 25 minutes and of the whole record, and how much later than its
annotation the median matched beat is marked. TIMES follow, in processor seconds per half hour."""
TIMES = ("seconds", "core_seconds")
"""`core_seconds`: ours without resampling to the core's rate."""
ODD = ("outside", "repeated", "disordered", "overwrote_input")
"""Sample numbers beyond the record, said twice, or out of order; and whether the input was."""


@dataclass(frozen=True)
class Case:
    """A record that all detectors are called on."""

    database: str
    record: Record
    reference: Annotations

    @property
    def half_hours(self) -> float:
        """Its length in half hours."""
        return self.record.n_samples / self.record.rate_hz / HALF_HOUR_S


def cases(data: Path | None, databases: Sequence[str], records: str = "all") -> list[Case]:
    """The records of the databases, by EVERY; nstdb's noise records have no beats and are none."""
    found = []
    for database in databases:
        folder = find_database(data, database)
        for name in record_names(folder, records)[:: EVERY.get(database, 1)]:
            if (folder / f"{name}.atr").is_file():
                found.append(
                    Case(database, read_record(folder, name), read_annotations(folder, name))
                )
    return found


def write_signal(case: Case, work: Path) -> Path:
    """The lead that ours reads, as `worker.read` takes it."""
    path = work / "signals" / case.database / f"{case.record.name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    record = case.record
    np.savez(
        path,
        counts=record.samples,
        gain=record.gain_lsb_per_mv,
        baseline=record.baseline_lsb,
        fs=record.rate_hz,
    )
    return path


@cache
def _source(detector: str) -> str:
    call = adapters.DETECTORS[detector]
    return f"{detector}\n{call.__doc__}\n{inspect.getsource(call)}"


class Store:
    """Answers that were given before, a file each."""

    def __init__(self, work: Path, package: Package, detector: str) -> None:
        self._folder = work / "answers" / f"{package.name}-{package.version}" / detector
        self._about = _source(detector) + package.digest

    def _place(self, case: Case) -> tuple[Path, str]:
        digest = hashlib.sha256(self._about.encode())
        digest.update(case.record.samples.tobytes())
        return self._folder / case.database / f"{case.record.name}.json", digest.hexdigest()

    def read(self, case: Case) -> dict[str, Any] | None:
        """The kept answer; None if there is none, or if something has changed since."""
        path, now = self._place(case)
        kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return kept if kept.get("digest") == now else None

    def write(self, case: Case, reply: dict[str, Any]) -> None:
        """Keep an answer."""
        path, now = self._place(case)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {**reply, "digest": now})


def detect(
    package: Package,
    detector: str,
    python: Path,
    listed: Sequence[Case],
    work: Path,
    *,
    only_kept: bool = False,
) -> list[tuple[Case, dict[str, Any]]]:
    """A detector's answers, in the order of the cases; with `only_kept`, those that there are."""
    store, replies = Store(work, package, detector), []
    started = time.monotonic()
    with Worker(python, detector, LIMIT_S) as worker:
        for case in listed:
            reply = store.read(case)
            if reply is None and only_kept:
                continue
            if reply is None:
                reply = worker.ask(write_signal(case, work))
                store.write(case, reply)
            replies.append((case, reply))
    took = time.monotonic() - started
    print(f"{detector}: {len(replies)} records, {took:.0f} s", file=sys.stderr, flush=True)
    return replies


def own_answer(case: Case, bits: int) -> dict[str, Any]:
    """What ours says of a record, in the form of a worker's answer; times are medians."""
    rails = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    whole, core = [], []
    for _ in range(OWN_REPEATS):
        start = time.process_time()
        samples = to_board(case.record, RATE_HZ, GAIN_LSB_PER_MV, bits)
        resampled = time.process_time()
        beats = analyze(samples, GAIN_LSB_PER_MV, rails)
        end = time.process_time()
        whole.append(end - start)
        core.append(end - resampled)
    return {
        "samples": beats.t_samples.tolist(),
        "rate_hz": float(RATE_HZ),
        "seconds": median(whole),
        "core_seconds": median(core),
    }


def scored(case: Case, reply: dict[str, Any]) -> dict[str, Any]:
    """An answer as the page needs it: FIELDS as `row`, and what went wrong.

    A detector that failed has found nothing: all is missed.
    """
    rate = case.record.rate_hz
    samples = np.asarray(reply.get("samples", []), dtype=np.int64)
    test = Annotations.of(samples, ["N"] * len(samples), reply.get("rate_hz", rate))
    both = (case.reference, test, rate, case.record.n_samples)
    ec57 = comparison.compare(*both)
    whole = comparison.compare(*both, start_s=0.0)
    offsets = _offsets_ms(case, samples / float(test.rate_hz or rate), ec57)
    times = [round(reply[k] / case.half_hours, 4) for k in TIMES if k in reply]
    kept: dict[str, Any] = {
        "row": [
            *_counts(ec57.qrs),
            *_counts(whole.qrs),
            round(float(np.median(offsets)), 1) if len(offsets) else None,
            *times,
        ]
    }
    if "exception" in reply:
        kept["failed"] = {k: reply[k] for k in ("exception", "message", "where")}
    odd = {k: reply[k] for k in ODD if reply.get(k)}
    return kept | ({"odd": odd} if odd else {})


def _counts(rate: comparison.Rate) -> list[int]:
    return [rate.tp, rate.fn, rate.fp]


def _offsets_ms(
    case: Case, times_s: NDArray[np.float64], scores: comparison.Comparison
) -> NDArray[np.float64]:
    """[m] how much later than its annotation each matched beat is marked."""
    i, j = scores.matched.T
    offsets: NDArray[np.float64] = (
        times_s[j] - case.reference.samples[i] / case.record.rate_hz
    ) * 1000
    return offsets


def entry(
    name: str, package: str, call: str, scores: Iterable[tuple[Case, dict[str, Any]]]
) -> dict[str, Any]:
    """A detector's part of the results: by database, what `scored` gave of each record."""
    databases: dict[str, dict[str, dict[str, Any]]] = {}
    for case, found in scores:
        for key, value in found.items():
            of_key = {"row": "rows"}.get(key, key)
            database = databases.setdefault(case.database, {"rows": {}, "failed": {}, "odd": {}})
            database[of_key][case.record.name] = value
    return {"detector": name, "package": package, "call": call, "databases": databases}


def own_entries(listed: Sequence[Case]) -> list[dict[str, Any]]:
    """Ours, with a board's 12 bits and, in nstdb, with 16."""
    found = []
    for name, bits, own in (
        (OURS, ADC_BITS, list(listed)),
        (f"{OURS}, {NOISY_BITS} bits", NOISY_BITS, [c for c in listed if c.database == "nstdb"]),
    ):
        call = f"`core.analyze(to_board(record, {RATE_HZ}, {GAIN_LSB_PER_MV}, {bits}), …)`"
        scores = [(c, scored(c, own_answer(c, bits))) for c in own]
        found.append(entry(name, OWN_PACKAGE, call, scores))
    return found


def measure(
    packages: dict[str, Package],
    listed: Sequence[Case],
    work: Path,
    detectors: Sequence[str],
    *,
    only_kept: bool = False,
) -> dict[str, Any]:
    """The content of peers.json; with `only_kept`, of what was measured before."""
    found = own_entries(listed)
    about: dict[str, Any] = {}
    for detector in detectors:
        package = packages[package_of(detector)]
        python = prepare(package, work)
        about[package.name] = {
            "project": package.project,
            "version": package.version,
            "note": package.note,
            "with": _relevant(versions(python)),
        }
        replies = detect(package, detector, python, listed, work, only_kept=only_kept)
        scores = [(case, scored(case, reply)) for case, reply in replies]
        call = (adapters.DETECTORS[detector].__doc__ or "").strip().splitlines()[0]
        found.append(entry(detector, package.name, call, scores))
    return {
        "schema": "einthoven-peers/1",
        "pipeline_sha256": pipeline.sha256(pipeline.load()),
        "python": sys.version.split()[0],
        "processor": processor(),
        "fields": [*FIELDS, *TIMES],
        "packages": about,
        "detectors": found,
    }


def with_ours(found: dict[str, Any], listed: Sequence[Case]) -> dict[str, Any]:
    """peers.json with ours measured anew and the others' figures as they are."""
    others = [e for e in found["detectors"] if e["package"] != OWN_PACKAGE]
    return {
        **found,
        "pipeline_sha256": pipeline.sha256(pipeline.load()),
        "detectors": [*own_entries(listed), *others],
    }


def package_of(detector: str) -> str:
    """Key in packages.toml: the first word of a detector's name."""
    return detector.split()[0]


def _relevant(frozen: dict[str, str]) -> dict[str, str]:
    lower = {name.lower(): version for name, version in frozen.items()}
    names = (
        "numpy",
        "scipy",
        "pywavelets",
        "pandas",
        "scikit-learn",
        "numba",
        "sleepecg",
        "opendsp",
    )
    return {name: lower[name] for name in names if name in lower}


def processor() -> str:
    """What the processor calls itself; empty where the system does not say."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    return next((s.partition(":")[2].strip() for s in lines if s.startswith("model name")), "")
