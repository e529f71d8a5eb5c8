"""A record of a board's own signal, read back by wfdb and edfio, whatever ends it."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import edfio
import numpy as np
import pytest
import wfdb
from typer.testing import CliRunner

from einthoven.boards.board import build, load_board, running
from einthoven.boards.patience import watched
from einthoven.cli import app
from einthoven.errors import BoardError, LinkError, RecordError
from einthoven.hil_tests.harness.watching import Began, Item, Missing, Samples
from einthoven.monitor.recorder import INVALID, Recorder
from einthoven.monitor.source import playable, playing
from einthoven.monitor.testing import WAIT_S, hello
from einthoven.native.rhythm import BEGIN, END, kinds
from einthoven.records.synth import make_record
from einthoven.wire.codec import Message


@pytest.fixture
def url() -> Iterator[str]:
    board = load_board("host")
    build(board)
    with playing(board, "synthetic", 50) as played, running(played) as url:
        yield url


def message(name: str, **fields: Any) -> Message:
    return Message(name, 0, fields)


def beat(at: int, label: int = 0) -> Message:
    return message("beat", t_samples=at, label=label, confidence=204, unsure=0)


def rhythm(kind: str, phase: int, begin: int, end: int = 0) -> Message:
    code = kinds().index(kind)
    return message("rhythm", kind=code, phase=phase, begin_samples=begin, end_samples=end)


def samples(start: int, values: Any) -> Samples:
    return Samples(start, np.asarray(values, np.int16))


SAID: list[Item] = [
    Began(7, 100),
    samples(100, np.arange(400)),
    beat(50),  # before the record
    beat(200),
    Missing(500, 20, "link"),
    samples(520, np.arange(380)),
    rhythm("atrial fibrillation", BEGIN, 300),
    rhythm("couplet", END, 610, 700),
    beat(620, 2),
    rhythm("atrial fibrillation", END, 300, 800),
    rhythm("ventricular flutter or fibrillation", BEGIN, 850),
    Began(8, 0),
    samples(0, np.arange(99)),
    beat(40, 1),
]
"""Sample n of the first session is n - 100 of the record; the second begins at 801."""


def test_what_was_said_is_in_the_record(tmp_path: Path) -> None:
    with Recorder(tmp_path / "r", hello(), "own ADC", edf=True) as recorder:
        recorder.take(SAID)
        recorder.mark(10, "here")
    record = wfdb.rdrecord(str(tmp_path / "r"), physical=False)
    signal_ = record.d_signal[:, 0]
    assert len(signal_) == 900 and record.sig_name == ["ECG"] and record.base_date is not None
    lost = [*range(400, 420), 800]
    assert (signal_ == INVALID).nonzero()[0].tolist() == lost and recorder.missing == 21
    assert signal_[:400].tolist() == list(range(400)) and signal_[801:].tolist() == list(range(99))
    notes = wfdb.rdann(str(tmp_path / "r"), "ein")
    assert list(zip(notes.sample.tolist(), notes.symbol, notes.aux_note, strict=True)) == [
        (100, "N", ""),
        (200, "+", "(AFIB"),
        (400, '"', "20 samples missing: the link lost them"),
        (520, "V", ""),
        (700, "+", "(N"),
        (750, "[", ""),
        (800, "]", ""),
        (800, '"', "a new session: the board was reset"),
        (811, '"', "here"),
        (841, "S", ""),
    ]
    edf = edfio.read_edf(tmp_path / "r.edf")
    values = edf.signals[0].digital
    there = np.ones(900, bool)
    there[lost] = False
    np.testing.assert_array_equal(values[:900][there], signal_[there])
    told = [(round(a.onset * 180), a.text) for a in edf.annotations]
    assert {(400, "Signal lost"), (200, "atrial fibrillation"), (510, "couplet")} <= set(told)
    assert {(811, "here"), (520, "V"), (841, "S")} <= set(told)
    assert not list(tmp_path.glob(".*"))


def test_it_is_readable_while_it_grows(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "r", hello(), "own ADC")
    recorder.take(SAID[:2])
    assert wfdb.rdrecord(str(tmp_path / "r"), physical=False).d_signal[:, 0].tolist() == list(
        range(400)
    )
    recorder.close()
    recorder.close()


@pytest.mark.parametrize("name", ["a b", "ä", "x.y", ""])
def test_a_name_that_cannot_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordError):
        Recorder(tmp_path / name if name else tmp_path / "..", hello(), "own ADC")


@pytest.mark.parametrize("edf", [False, True])
@pytest.mark.parametrize("at", range(1, 12))
def test_a_disk_that_is_full_at_any_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, edf: bool
) -> None:
    """Every write of the recorder from the `at`-th on fails; the signal before it is kept."""
    count = 0
    write, replace = os.posix_fallocate, Path.replace

    def fails() -> None:
        nonlocal count
        count += 1
        if count >= at:
            raise OSError(errno.ENOSPC, "No space left on device")

    def fallocate(fd: int, offset: int, length: int) -> None:
        fails()
        write(fd, offset, length)

    def put(self: Path, target: Path) -> Path:
        fails()
        return replace(self, target)

    monkeypatch.setattr(os, "posix_fallocate", fallocate)
    monkeypatch.setattr(Path, "replace", put)
    monkeypatch.setattr("einthoven.monitor.recorder._STEP", 200)
    done = True
    try:
        with Recorder(tmp_path / "r", hello(), "own ADC", edf) as recorder:
            for item in SAID:
                recorder.take([item])
    except OSError as error:  # at its begin: nothing is left
        assert error.errno == errno.ENOSPC and not list(tmp_path.iterdir())
        return
    except RecordError as error:
        done = False
        assert str(error).startswith("disk full: ") and "\n" not in str(error)
    monkeypatch.undo()
    found = wfdb.rdrecord(str(tmp_path / "r"), physical=False).d_signal[:, 0]
    assert found[:300].tolist() == list(range(300)) and len(found) == recorder.samples
    assert done == (count < at)
    assert not [p for p in tmp_path.glob(".*") if p.suffix != ".hea"]


def run(*words: str, limit: int | None = None) -> subprocess.Popen[str]:
    def confine() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [sys.executable, "-m", "einthoven", "record", "host", *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=confine
    )


def until_it_grows(out: Path) -> None:
    end, data = time.monotonic() + WAIT_S, out.with_suffix(".dat")
    while not data.exists() or data.stat().st_size < 4000:
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("edf", [False, True])
def test_a_limit_on_files(url: str, tmp_path: Path, edf: bool) -> None:
    """A quota, as a full disk: one line, exit code 2, and what fitted is whole."""
    out = tmp_path / "r"
    words = ["--port", url, "--out", str(out), *(["--edf"] if edf else [])]
    said, wrong = run(*words, limit=60_000).communicate(timeout=WAIT_S)
    assert said == "" and wrong.count("\n") == 1
    assert wrong.startswith(f"error: disk full: {out} holds ")
    record = wfdb.rdrecord(str(out), physical=False)
    assert record.sig_len > 5000 and 2 * record.sig_len <= 60_000
    assert len(wfdb.rdann(str(out), "ein").sample) > 10
    if edf:
        assert edfio.read_edf(out.with_suffix(".edf")).signals[0].digital.size >= record.sig_len


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_is_how_a_recording_ends(url: str, tmp_path: Path, number: signal.Signals) -> None:
    out = tmp_path / "r"
    process = run("--port", url, "--out", str(out))
    until_it_grows(out)
    process.send_signal(number)
    said, wrong = process.communicate(timeout=WAIT_S)
    assert (process.returncode, wrong) == (0, "")
    assert said.startswith(f"{out} holds ") and said.count("\n") == 1
    assert wfdb.rdrecord(str(out)).sig_len > 1900 and len(wfdb.rdann(str(out), "ein").sample) > 3


def test_ctrl_c_before_the_time_is_up(url: str, tmp_path: Path) -> None:
    out = tmp_path / "r"
    process = run("--port", url, "--out", str(out), "--seconds", "100000")
    until_it_grows(out)
    process.send_signal(signal.SIGINT)
    said, wrong = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130 and wrong.strip() == "interrupted"
    assert said.startswith(f"{out} holds ") and wfdb.rdrecord(str(out)).sig_len > 1900


def test_a_board_that_is_gone(url: str, tmp_path: Path) -> None:
    out = tmp_path / "r"
    process = run("--port", url, "--out", str(out), "--edf")
    until_it_grows(out)
    board = watched(url)
    assert board is not None
    os.kill(board.pid, signal.SIGKILL)
    said, wrong = process.communicate(timeout=WAIT_S)
    assert process.returncode == 2 and said == "" and wrong.count("\n") == 1
    assert "is gone" in wrong and f"{out} holds " in wrong
    assert wfdb.rdrecord(str(out)).sig_len > 1900 and len(wfdb.rdann(str(out), "ein").sample) > 3
    assert edfio.read_edf(out.with_suffix(".edf")).duration > 10


def test_what_ended_it_is_told_first(tmp_path: Path) -> None:
    with (
        pytest.raises(BoardError, match=r"^gone; .*/r holds 2\.2 s$"),
        Recorder(tmp_path / "r", hello(), "own ADC") as recorder,
    ):
        recorder.take(SAID[:2])
        raise LinkError("gone")
    with pytest.raises(KeyboardInterrupt), Recorder(tmp_path / "q", hello(), "own ADC"):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("name", "seconds", "speed", "what"),
    [
        ("host", 20, 5, "synthetic"),
        ("host", 5, 20, "day.1.edf"),
        ("host", 5, 20, "strip.hea"),
        ("qemu_stm32f405", 4, 1, "synthetic"),
    ],
)
def test_record_is_read_back(
    tmp_path: Path, name: str, seconds: int, speed: int, what: str
) -> None:
    """Sample by sample what was played: on this machine and on the emulated chip."""
    board = playable(load_board(name))
    build(board)
    out = tmp_path / "live"
    played_samples = make_record(11, 120.0, 180.0).samples
    if what.endswith(".edf"):
        signal = edfio.EdfSignal.from_digital(
            played_samples,
            180.0,
            label="ECG",
            physical_dimension="mV",
            physical_range=(-10.24, 10.235),
            digital_range=(-2048, 2047),
        )
        edfio.Edf([signal]).write(tmp_path / what)
    elif what.endswith(".hea"):
        make_record(11, 120.0, 180.0).write(tmp_path, what.removesuffix(".hea"))
    what = what if what == "synthetic" else str(tmp_path / what)
    with playing(board, what, speed) as played, running(played) as url:
        words = ["record", name, "--out", str(out), "--seconds", str(seconds), "--port", url]
        done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    found = wfdb.rdrecord(str(out), physical=False)
    values = found.d_signal[:, 0]
    assert len(values) >= seconds * 180
    there = values != INVALID
    np.testing.assert_array_equal(values[there], played_samples[: len(values)][there])
    beats = wfdb.rdann(str(out), "ein")
    assert len(beats.sample) > seconds / 2 and set(beats.symbol) <= set('NSVFQ+"')
    again = CliRunner().invoke(app, ["record", name, "--out", str(out), "--port", "socket://x:1"])
    assert again.exit_code == 2 and f"{out}.hea is there already" in again.stderr


def test_monitor_tells_beats(url: str) -> None:
    words = ["monitor", "host", "--port", url, "--seconds", "15"]
    done = CliRunner().invoke(app, words)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0]["type"] == "session"
    assert sum(line["type"] == "beat" for line in lines) > 5


@pytest.mark.parametrize("what", ["nothing", "folder", "mitdb/9999", "x.edf"])
def test_what_is_not_there_is_not_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    out = CliRunner().invoke(
        app, ["record", "host", "--out", "r", "--seconds", "1", "--play", what]
    )
    assert out.exit_code == 2
    assert out.stderr.startswith(f"error: there is no recording {what} to play: name a record")
    assert out.stderr.count("\n") == 1 and not list(tmp_path.glob("r.*"))
