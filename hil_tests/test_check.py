"""`einthoven check`: good boards are good, and each way of being bad has its item."""

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from einthoven.boards.board import build, load_board, running
from einthoven.fleet.checked import MOST_FAILED, BoardCheck, CheckReport, Item
from einthoven.hil_tests.check import run as check_run
from einthoven.hil_tests.check.run import Bench, Subject, check_one, one
from einthoven.hil_tests.check.signal import clock_error, hum_amplitude
from einthoven.hil_tests.replay_runs import run
from einthoven.hil_tests.simulated.faults import with_corrupt_weights
from einthoven.paths import ROOT
from einthoven.records.synth import make_record
from einthoven.report.labels import content, labels_page


def by_name(found: BoardCheck) -> dict[str, Item]:
    return {item.name: item for item in found.items}


@pytest.mark.board
def test_the_board_under_test_is_good(request: pytest.FixtureRequest) -> None:
    name, port = request.config.getoption("--board"), request.config.getoption("--port")
    subject = one(name, port)
    build(subject.board)
    found = check_one(subject, Bench(2.0))
    items = by_name(found)
    assert found.passed, found.failures
    for judged in ("board", "model", "pipeline", "engine", "rhythm"):
        assert items[judged].passed, items[judged]
    assert items["watchdog"].passed == (True if subject.board.has_watchdog else None)
    for judged in ("flash", "RAM"):
        assert items[judged].passed or items[judged].measured.startswith("n/a"), items[judged]


def device_with(folder: Path, *words: str) -> Subject:
    """A device as a process, with a signal."""
    board = load_board("host_device")
    build(board)
    (make_record(11, 40.0, 180.0).samples // 2).astype("<i2").tofile(folder / "ecg.bin")
    assert board.command is not None
    command = (*board.command, "--adc", str(folder / "ecg.bin"), *words)
    started = replace(board, command=command)
    return Subject("device", board, lambda: running(started))


def test_a_device_is_good(tmp_path: Path) -> None:
    found = check_one(device_with(tmp_path, "--battery", "4000"), Bench(4.0))
    items = by_name(found)
    assert found.passed, found.failures
    for judged in ("own check", "battery", "signal", "watchdog", "log"):
        assert items[judged].passed, items[judged]
    assert "4000 mV" in items["battery"].measured
    # The measurement stands, whatever the machine makes of the process's time.
    assert "ppm" in items["sample clock"].measured


def test_a_front_end_has_tested_itself(tmp_path: Path) -> None:
    items = by_name(check_one(device_with(tmp_path, "--front-end", "ads1292r"), Bench(2.0)))
    assert items["front end"].passed, items["front end"]
    assert re.search(r"ADS1292R good: noise \d+ µV .*, gain \d+\.\d %", items["front end"].measured)
    faults = tmp_path / "faults"
    faults.write_text("0 spi 10000000\n")
    dumb = device_with(tmp_path, "--front-end", "ads1292r", "--faults", str(faults))
    failed = {item.name: item.measured for item in check_one(dumb, Bench(2.0)).failures}
    assert "front_end" in failed["own check"] and "gives nothing" in failed["front end"]


def test_what_is_bad_is_said(tmp_path: Path) -> None:
    board = load_board("host")
    build(board)
    program = with_corrupt_weights(board.program, tmp_path / "program")
    bad = replace(board, program=program)
    found = check_one(Subject("bad", board, lambda: running(bad), program=program), Bench(1.0))
    assert {item.name for item in found.failures} == {"flash", "engine", "rhythm"}
    assert CheckReport.of([found]).exit_code == 1
    gone = check_one(Subject("gone", board, lambda: running(board, "/nowhere")), Bench(1.0))
    assert [item.name for item in gone.failures] == ["answers"]


def test_an_interrupted_check_begins_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    board = load_board("host")
    build(board)
    begun: list[str] = []

    def check_none(subject: Subject, bench: Bench) -> BoardCheck:
        begun.append(subject.name)
        if len(begun) > 1:
            time.sleep(1.0)  # whoever is at work comes to its end
        raise KeyboardInterrupt

    monkeypatch.setattr(check_run, "check_one", check_none)
    subjects = [Subject(str(i), board, lambda: running(board)) for i in range(50)]
    with pytest.raises(KeyboardInterrupt):
        check_run.check(subjects, 1)
    assert len(begun) < 50


def test_clock_error_knows_its_error() -> None:
    rng = np.random.default_rng(1)
    for ppm in (-2000, 0, 40, 900):
        indices = np.arange(60, 60 * 61, 60)
        taken_s = indices / 180.0 / (1 + ppm / 1e6)
        arrived_s = 7.0 + taken_s + rng.exponential(0.004, len(indices))
        found, error = clock_error(indices.tolist(), arrived_s.tolist(), 180.0)
        assert abs(found - ppm) < 3 * error + 20 and error < 600, (ppm, found, error)
    assert clock_error([60, 120], [0.3, 0.6], 180.0)[1] == float("inf")


def test_hum_is_measured() -> None:
    t = np.arange(1800) / 180.0
    samples = (1000 * np.sin(2 * np.pi * t) + 40 * np.sin(2 * np.pi * 60 * t)).astype(np.int16)
    assert hum_amplitude(samples, 180) == pytest.approx(40, abs=1)


def test_command_tells_boards_that_failed_from_bad_usage() -> None:
    for seconds in ("nan", "inf", "0"):
        bad = run("check", "--board", "host", "--seconds", seconds)
        assert bad.returncode == 2 and bad.stdout == "", bad.stderr
    good = run("check", "--board", "host", "--json", "--seconds", "1")
    assert good.returncode == 0, good.stderr
    report = json.loads(good.stdout)
    schema = json.loads((ROOT / "docs" / "schema" / "check.schema.json").read_text())
    jsonschema.validate(report, schema)
    assert report["failed"] == []
    bad = run("check", "--board", "host", "--all")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.startswith("error: say what to check")


def test_exit_code_and_labels() -> None:
    item = Item(name="engine", passed=False, measured="<wrong>", limit="right")
    about = {"board": "host", "id": "", "time": "2026-01-01T00:00:00+00:00"}
    bad = [BoardCheck(name=f"b{i}", items=[item], **about) for i in range(200)]
    assert CheckReport.of(bad).exit_code == MOST_FAILED
    good = BoardCheck(
        name="good", items=[replace_passed(item)], key="aa-bb", **{**about, "id": "0123"}
    )
    page = labels_page(CheckReport.of([good, bad[0]]), "batch")
    assert content(good) == "einthoven:0123#aa-bb"
    assert page.count("<svg") == 1 and page.count("NOT<br>GOOD") == 1
    assert "&lt;wrong&gt;" in page and "Not a medical device" in page


def replace_passed(item: Item) -> Item:
    return Item(name=item.name, passed=True, measured="right")
