"""The bench of the signal path: its two ways of counting agree, and every stage is in the table."""

from pathlib import Path

import pytest

from einthoven.codegen.testing import core_bench
from einthoven.errors import UsageError
from einthoven.native import core
from einthoven.records import synth

SAMPLES = synth.make_record(seed=3, seconds=10, rate_hz=core.rate_hz()).samples[:1000]


@pytest.mark.parametrize("target", ["m4", "rv32"])
def test_trace_and_counter_agree(target: str, tmp_path: Path) -> None:
    """Independent of each other: QEMU's trace of executed addresses, and a counter on the chip."""
    elf = core_bench.build(target, tmp_path)
    counted = core_bench.measure(elf, target, SAMPLES)
    stages, traced = core_bench.trace(elf, target, SAMPLES)
    assert counted.samples == traced.samples == len(SAMPLES)
    assert counted.longest_at == traced.longest_at
    assert counted.beats_at_once is not None and counted.beats_at_once >= 1
    # the counter's own reading and the harness around the core, the same for every sample
    around = (counted.instructions - traced.instructions) / len(SAMPLES)
    assert 5 < around < 40
    assert abs(counted.longest - traced.longest - around) < 2 * around
    assert sum(s.total for s in stages.values()) == traced.instructions
    assert sum(s.longest for s in stages.values()) == traced.longest
    assert all(sum(s.functions.values()) == s.total for s in stages.values())
    modules = {name.split(":")[0] for name in stages}
    assert {"ein_input", "ein_qrs", "ein_beat", "ein_core"} <= modules
    assert all((core_bench.CORE / f"{m}.h").exists() for m in modules)
    assert any(name.endswith(core_bench.SPLIT_OFF) for name in stages)
    assert "ein_core" in core_bench.table(stages, traced)


def test_a_record_that_is_too_long_is_refused(tmp_path: Path) -> None:
    long = SAMPLES.repeat(core_bench.MAX_SAMPLES // len(SAMPLES) + 1)
    with pytest.raises(UsageError, match="fit"):
        core_bench.measure(tmp_path / "any.elf", "m4", long)
