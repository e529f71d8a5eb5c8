"""The session on emulated cores is the host's, to the bit, and the check sees when it is not."""

from pathlib import Path

import numpy as np
import pytest

from einthoven.codegen.testing import session_check
from einthoven.codegen.testing.session_check import build, on_core, on_host, portions
from einthoven.records.synth import Episode, make_record


@pytest.mark.parametrize("target", ["m4", "rv32"])
def test_strips_are_judged_on_the_core_as_on_the_host(target: str, tmp_path: Path) -> None:
    strips = [
        make_record(1, 20.0, 180.0).samples,
        make_record(2, 15.1, 180.0, episodes=(Episode("af", 1, 15),)).samples,
    ]
    told = on_core(build(target, tmp_path), target, strips, tmp_path / "records")
    assert [said for said, _ in told] == [on_host(samples) for samples in strips]
    assert all(said.events > 15 for said, _ in told)
    # 100 instructions a sample is less than the filters alone
    assert all(n > 100 * len(samples) for (_, n), samples in zip(told, strips, strict=True))
    other = strips[0].copy()
    other[1000] += 40
    assert on_host(other) != told[0][0]


def test_records_are_portioned(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(session_check, "_ROOM", 1000)
    lengths = {"a": 200, "b": 200, "c": 600, "d": 100}
    records = [(name, np.zeros(n, dtype=np.int16)) for name, n in lengths.items()]
    assert [[name for name, _ in some] for some in portions(records)] == [["a", "b"], ["d"]]
    assert "c: 600 samples are too many" in capsys.readouterr().err
