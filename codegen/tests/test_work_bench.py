"""Work per hour: the emulated chip runs the network for the beats that the host runs it for."""

from pathlib import Path

import pytest

from einthoven.codegen.testing import work_bench
from einthoven.errors import UsageError
from einthoven.native import core
from einthoven.native.gate import Gate
from einthoven.paths import FIRMWARE
from einthoven.records.synth import make_record


def test_it_counts_what_the_host_says_is_run(tmp_path: Path) -> None:
    samples = make_record(5, 75.0, core.rate_hz(), heart_rate_bpm=120.0).samples
    found, once = (
        work_bench.measure(work_bench.build(FIRMWARE, tmp_path, once), samples, "synthetic")
        for once in (False, True)
    )
    # What is still pending at the end is not told, for the record may go on.
    running = core.Core()
    beats = running.push(samples)
    assert found.beats == len(beats) > 128
    assert found.inferences == int((~Gate().passes(beats)).sum()) < found.beats
    assert found.seconds == len(samples) / core.rate_hz()
    assert 250 < found.path / len(samples) < 600
    assert found.classifying / found.inferences > 100_000
    assert (once.beats, once.inferences) == (found.beats, found.inferences)
    assert once.per_hour == pytest.approx(found.per_hour, rel=1e-3)
    assert 0 < found.judging / found.beats < 1000


def test_records_add_up() -> None:
    work = work_bench.Work(1800.0, 100, 200, 50, 4, 2)
    both = work_bench.Work.sum([work, work])
    assert both == work_bench.Work(3600.0, 200, 400, 100, 8, 4)
    assert both.per_hour == work.per_hour == 700.0


def test_a_commit_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no commit nowhere"):
        work_bench.older("nowhere", tmp_path)
