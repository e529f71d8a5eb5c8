"""Other people's detectors: how they are run, that they are scored as ours is, and the page."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from einthoven.codegen import pipeline
from einthoven.errors import UsageError
from einthoven.records.annotations import Annotations
from einthoven.records.record import Record
from einthoven.scoring import comparison
from einthoven.training.evidence.peers import adapters, environments, measure, page
from einthoven.training.evidence.peers.process import PROCESS_ENDED, TIME_LIMIT, Worker

RATE_HZ = 100.0
BEATS = np.arange(100, 60_000, 80)
"""Ten minutes of made-up beats, so that EC57 scores the second five."""

DETECTORS = """
import os, time
from pathlib import Path
import numpy as np

def late(signal):
    print("not an answer")
    Path(CALLS).open("a").write("late\\n")
    return np.flatnonzero(signal.mv > 0.5) + 3

def fails(signal):
    raise ZeroDivisionError("nothing to\\ndivide by")

def endless(signal):
    time.sleep(3600)

def dies(signal):
    os._exit(7)

def careless(signal):
    signal.mv[:] = 0
    return [30, 20, 20, -1, 10**9]

def unsaid(signal):
    return [float("nan")]

DETECTORS = {f.__name__: f for f in (late, fails, endless, dies, careless, unsaid)}
"""


@pytest.fixture
def case() -> measure.Case:
    counts = np.zeros(60_000, dtype=np.int32)
    counts[BEATS] = 200
    record = Record("made", "MLII", RATE_HZ, 200.0, 0, counts, None)
    return measure.Case("mitdb", record, Annotations.of(BEATS, ["N"] * len(BEATS), RATE_HZ))


@pytest.fixture
def search_path(tmp_path: Path) -> Path:
    folder = tmp_path / "detectors"
    folder.mkdir()
    text = f"CALLS = {str(tmp_path / 'calls')!r}\n{DETECTORS}"
    (folder / "made_up.py").write_text(text)
    return folder


@pytest.fixture
def signal(case: measure.Case, tmp_path: Path) -> Iterator[Path]:
    yield measure.write_signal(case, tmp_path)


def _ask(search_path: Path, detector: str, signal: Path, limit_s: float = 60) -> dict[str, object]:
    with Worker(Path(sys.executable), detector, limit_s, "made_up", search_path) as worker:
        first = worker.ask(signal)
        # Whatever it did, the next record gets its answer.
        second = worker.ask(signal)
    first.pop("seconds", None), second.pop("seconds", None)
    assert first == second
    return first


def test_what_a_package_prints_is_no_answer(search_path: Path, signal: Path) -> None:
    reply = _ask(search_path, "late", signal)
    assert reply["samples"] == (BEATS + 3).tolist()
    assert not any(reply[k] for k in measure.ODD)


def test_failures_are_told_and_survived(search_path: Path, signal: Path) -> None:
    reply = _ask(search_path, "fails", signal)
    assert (reply["exception"], reply["message"]) == ("ZeroDivisionError", "nothing to divide by")
    assert reply["where"] == "made_up.py:fails"
    assert _ask(search_path, "unsaid", signal)["exception"] == "ValueError"
    ended = _ask(search_path, "dies", signal)
    assert (ended["exception"], ended["message"]) == (PROCESS_ENDED, "exit code 7")
    assert _ask(search_path, "endless", signal, limit_s=0.5)["exception"] == TIME_LIMIT


def test_odd_answers_are_counted(search_path: Path, signal: Path) -> None:
    reply = _ask(search_path, "careless", signal)
    assert reply["samples"] == [20, 30]
    assert [reply[k] for k in measure.ODD] == [2, 1, 2, True]


def test_scores_are_the_projects_own(case: measure.Case) -> None:
    """Two beats missed, one invented, all 30 ms late."""
    said = np.delete(BEATS + 3, [400, 500])
    samples = sorted([*said.tolist(), 50_060])
    reply = {"samples": samples, "seconds": 1.0}
    row = dict(
        zip((*measure.FIELDS, *measure.TIMES), measure.scored(case, reply)["row"], strict=False)
    )
    test = Annotations.of(samples, ["N"] * len(said) + ["N"], RATE_HZ)
    ours = comparison.compare(case.reference, test, RATE_HZ, case.record.n_samples).qrs
    assert (row["tp"], row["fn"], row["fp"]) == (ours.tp, ours.fn, ours.fp)
    assert (ours.fn, ours.fp, ours.tp + ours.fn) == (2, 1, int((BEATS >= 30_000).sum()))
    assert (row["whole_tp"], row["whole_fn"], row["whole_fp"]) == (len(BEATS) - 2, 2, 1)
    assert row["offset_ms"] == 30.0
    assert row["seconds"] == 3.0  # ten minutes took one second


def test_a_failure_counts_as_all_missed(case: measure.Case) -> None:
    failed = {"exception": "ValueError", "message": "no", "where": "x.py:f", "seconds": 1.0}
    found = measure.entry("x", "x", "", [(case, measure.scored(case, failed))])
    rate = page.gross(page.rates(found, "mitdb"))
    assert (rate.tp, rate.fn, rate.fp) == (0, int((BEATS >= 30_000).sum()), 0)
    table = page.failure_table({"detectors": [found]})
    assert "| x | mitdb: every record | ValueError | `no` (x.py:f) |" in table


def test_a_run_goes_on_where_it_was(
    case: measure.Case, tmp_path: Path, search_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = environments.load()["sleepecg"]
    monkeypatch.setitem(adapters.DETECTORS, "late", adapters.DETECTORS["sleepecg"])
    monkeypatch.setattr(
        measure,
        "Worker",
        lambda python, detector, limit: Worker(python, detector, limit, "made_up", search_path),
    )

    def run(of: measure.Case) -> int:
        """How many times the detector was called."""
        calls = tmp_path / "calls"
        calls.write_text("")
        measure.detect(package, "late", Path(sys.executable), [of], tmp_path)
        return len(calls.read_text().split())

    assert run(case) == 2  # the first 30 s, for the warm-up, and the record
    assert run(case) == 0
    case.record.samples[0] = 1
    assert run(case) == 2


def test_all_versions_are_exact(tmp_path: Path) -> None:
    packages = environments.load()
    assert {measure.package_of(d) for d in adapters.DETECTORS} == packages.keys()
    for package in packages.values():
        own = {c.partition("==")[0] for c in package.constraints}
        assert own.isdisjoint(r.partition("==")[0] for r in package.requires)
        assert {name.partition("=")[0] for name in package.also} <= own
    loose = tmp_path / "packages.toml"
    loose.write_text('constraints = []\n[packages.x]\nrequires = ["x>=1"]\n')
    with pytest.raises(UsageError, match="give x>=1 an exact version"):
        environments.load(loose)


def test_the_page_is_what_the_results_say() -> None:
    found = page.read()
    assert page.PAGE.read_text(encoding="utf-8") == page.page(found), (
        "run `python -m einthoven.training.evidence.peers --page`"
    )
    again = "run `python -m einthoven.training.evidence.peers --ours`"
    assert found["pipeline_sha256"] == pipeline.sha256(pipeline.load()), again
    for detector in (e for e in found["detectors"] if e["package"] != measure.OWN_PACKAGE):
        version = environments.load()[detector["package"]].version
        assert found["packages"][detector["package"]]["version"] == version


def test_who_differs_from_bxb_is_explained() -> None:
    for row in page.bxb_table(page.read()).splitlines()[2:]:
        *_, difference, why = (cell.strip() for cell in row.strip("|").split("|"))
        assert why or abs(float(difference)) <= page.AGREES, row


@pytest.mark.records
def test_ours_is_as_the_results_say(mitdb: Path) -> None:
    (found,) = (e for e in page.read()["detectors"] if e["detector"] == measure.OURS)
    (case,) = measure.cases(mitdb.parent, ["mitdb"], "108")
    row = measure.scored(case, measure.own_answer(case, 12))["row"]
    until = len(measure.FIELDS)
    assert row[:until] == found["databases"]["mitdb"]["rows"]["108"][:until]
