"""The monitor in a pseudo-terminal, driven by keys; its screen is read from a terminal emulator."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import wfdb

from einthoven.boards.board import build, load_board, running
from einthoven.monitor.source import playing
from einthoven.monitor.testing import TerminalProgram


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    board = load_board("host")
    build(board)
    with playing(board, "synthetic", 4) as played, running(played) as url:
        yield url


def terminal(
    url: str, folder: Path, columns: int = 60, rows: int = 18, encoding: str = "UTF-8"
) -> TerminalProgram:
    command = (sys.executable, "-m", "einthoven", "monitor", "host", "--port", url)
    return TerminalProgram(command, columns, rows, folder, encoding)


def test_watch_mark_record_freeze_and_quit(url: str, tmp_path: Path) -> None:
    with terminal(url, tmp_path) as program:
        shown = program.until(lambda text: "N 3" in text)
        lines = shown.splitlines()
        assert lines[0].startswith("host  own ADC") and "/min" in lines[1]
        assert "signal  " in shown and "nothing lost" in shown and "not a medical device" in shown
        assert any("\u2801" <= c <= "\u28ff" for c in shown)

        program.press("r")
        program.until(lambda text: "REC host-" in text)
        program.press("m")
        program.until(lambda text: "mark at" in text)
        program.press(" ")
        still = program.until(lambda text: "FROZEN" in text or "REC" in text).splitlines()
        program.until(lambda text: text.splitlines()[0] != still[0])  # time goes on
        still = program.text.splitlines()
        program.until(lambda text: text.splitlines()[0] != still[0])
        assert program.text.splitlines()[3:13] == still[3:13]
        program.press(" r")
        program.until(lambda text: "holds" in text)
        program.press("q")
        assert program.ended() == 0
        assert program.mode() == program.before
    (header,) = tmp_path.glob("*.hea")
    record = str(header.with_suffix(""))
    assert len(wfdb.rdrecord(record).p_signal) > 0
    assert "mark" in wfdb.rdann(record, "ein").aux_note


def test_end_by_signal_leaves_terminal_and_record_whole(url: str, tmp_path: Path) -> None:
    with terminal(url, tmp_path) as program:
        program.until(lambda text: "N 1" in text)
        program.press("r")
        program.until(lambda text: "REC host-" in text)
        program.process.send_signal(signal.SIGHUP)  # an ssh session that is gone
        assert program.ended() == 130
        assert program.mode() == program.before
    (header,) = tmp_path.glob("*.hea")
    assert wfdb.rdheader(str(header.with_suffix(""))).sig_len > 0
    assert not list(tmp_path.glob(".*"))


def test_a_terminal_without_braille(url: str, tmp_path: Path) -> None:
    with terminal(url, tmp_path, 80, 16, "ascii") as program:
        shown = program.until(lambda text: "N 2" in text)
        assert shown.isascii() and "|" in shown
        program.press("q")
        assert program.ended() == 0


def test_a_window_that_is_too_small(url: str, tmp_path: Path) -> None:
    with terminal(url, tmp_path, 50, 10) as program:
        program.until(lambda text: "needs 60 x 14 characters, has 50 x 10" in text)
        program.press("q")
        assert program.ended() == 0
