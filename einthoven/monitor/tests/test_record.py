"""A record of a board's own signal, read back by wfdb."""

import json
from pathlib import Path

import numpy as np
import pytest
import wfdb
from typer.testing import CliRunner

from einthoven.cli import app
from einthoven.records.synth import make_record


def test_record_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "live"
    words = ["record", "host", "--out", str(out), "--seconds", "20", "--play", "synthetic"]
    done = CliRunner().invoke(app, [*words, "--speed", "5"])
    assert done.exit_code == 0, done.output
    found = wfdb.rdrecord(str(out), physical=False)
    played = make_record(11, 120.0, 180.0).samples
    signal = found.d_signal[:, 0]
    assert len(signal) >= 20 * 180
    there = signal != -32768
    np.testing.assert_array_equal(signal[there], played[: len(signal)][there])
    beats = wfdb.rdann(str(out), "ein")
    assert len(beats.sample) > 10 and set(beats.symbol) <= set("NSVFQ")
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 2


def test_monitor_tells_beats() -> None:
    words = ["monitor", "host", "--play", "synthetic", "--speed", "5", "--seconds", "15"]
    done = CliRunner().invoke(app, words)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0]["type"] == "session"
    assert sum(line["type"] == "beat" for line in lines) > 5
