"""Recordings of every kind through a board: gaps, assumptions, bad ones among good ones."""

import json
import shutil
from pathlib import Path
from typing import Any

import edfio
import numpy as np
import pytest
from numpy.typing import NDArray

from einthoven.hil_tests import cases
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.replay_runs import complains, run
from einthoven.native import core
from einthoven.native.gate import Gate
from einthoven.records.record import read_record
from einthoven.records.synth import make_record

pytestmark = pytest.mark.board

RATE_HZ = 250
SECONDS = 40.0


@pytest.mark.parametrize(
    "gaps",
    [
        ((0, 500),),
        ((3000, 1),),
        ((2000, 20), (2100, 700), (2801, 1)),
        ((4000, 200_000),),
        ((10_000, 800),),
    ],
)
def test_a_board_steps_over_gaps_as_the_host_does(
    device: Device, signal: NDArray[np.int16], gaps: tuple[tuple[int, int], ...]
) -> None:
    """At the start and the end, a single sample, close together, longer than the board's memory."""
    for first, number in gaps:
        signal = np.insert(signal, min(first, len(signal)), np.zeros(number, np.int16))
    beats = core.analyze(signal, gaps=gaps)
    replayed = device.replay(signal, gaps=gaps)
    found = [e for e in replayed.events if e.name == "beat"]
    assert [e["t_samples"] for e in found] == beats.t_samples.tolist()
    passed = np.where(Gate().passes(beats), core.FLAG_PASSED, 0)
    assert [e["flags"] for e in found] == (beats.flags | passed).tolist()
    states = [(e["t_samples"], e["flags"]) for e in replayed.events if e.name == "signal"]
    assert states == [tuple(state) for state in beats.signal_events.tolist()]
    assert any(flags & core.FLAG_GAP for _, flags in states) == any(n > 0 for _, n in gaps)
    assert replayed.info["samples"] == len(signal) - sum(n for _, n in gaps)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same 40 s as one record of each kind, with a bad one and a flat one among them."""
    folder = tmp_path_factory.mktemp("kinds")
    make_record(3, SECONDS, float(RATE_HZ)).write(folder, "plain")
    record = read_record(folder, "plain")
    counts = record.samples.astype(np.int64) - record.baseline_lsb
    mv = counts / record.gain_lsb_per_mv
    n = len(counts)

    def header(name: str, line: str, data: NDArray[np.int64], fmt: str = "<i2") -> None:
        data.astype(fmt).tofile(folder / f"{name}.dat")
        (folder / f"{name}.hea").write_text(f"{name} 1 {RATE_HZ} {n}\n{line}\n", encoding="utf-8")
        shutil.copy(folder / "plain.atr", folder / f"{name}.atr")

    uv = np.rint(mv * 1000).astype(np.int64)
    header("micro", "micro.dat 16 1(0)/µV 16 0 0 0 0 ECG", uv * (uv != -32768))
    header("swapped", "swapped.dat 61 1(0)/uV 16 0 0 0 0 II", uv, ">i2")
    header("offset", "offset.dat 32 1000(0)/mV 24 0 0 0 0 V1", uv + 80_000, "<i4")
    header("flat", "flat.dat 16 1000/mV 16 0 0 0 0 II", np.full(n, 5))
    header("bad", "bad.dat 16 1000/mV 16 0 7 99 0 II", uv)
    half = n // 2
    for part, data in (("left", uv[:half]), ("right", uv[half:])):
        data.astype("<i2").tofile(folder / f"{part}.dat")
        text = f"{part} 1 {RATE_HZ} {half}\n{part}.dat 16 1000/mV 16 0 0 0 0 MLII\n"
        (folder / f"{part}.hea").write_text(text)
    pause = 4 * RATE_HZ
    (folder / "parts.hea").write_text(
        f"parts/3 1 {RATE_HZ} {n + pause}\nleft {half}\n~ {pause}\nright {half}\n"
    )
    microvolts = uv.astype(float)
    about: dict[str, Any] = {"physical_dimension": "uV", "physical_range": (-20_000, 20_000)}
    edfio.Edf([edfio.EdfSignal(microvolts, RATE_HZ, label="ECG", **about)]).write(folder / "e.edf")
    edfio.Bdf([edfio.BdfSignal(microvolts, RATE_HZ, label="EKG", **about)]).write(folder / "b.bdf")
    rows = [f"{i / RATE_HZ:.4f},{v:.4f}" for i, v in enumerate(mv) if not 3000 <= i < 3100]
    shutil.copy(folder / "plain.atr", folder / "c.atr")
    (folder / "c.csv").write_text("\n".join(["time,lead II", *rows]) + "\n")
    return folder


def test_a_folder_with_a_record_of_each_kind_is_one_command(
    board_options: list[str], kinds: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = run("replay", *board_options, "--records", "all", "--data", kinds, "--out", out)
    assert done.returncode == 1, done.stderr
    assert "1 of 10 records were not replayed" in done.stderr
    assert "bad: record bad: checksum of lead II is wrong" in " ".join(done.stderr.split())
    summary = json.loads((out / "summary.json").read_text())
    assert summary["agreement"]["device_vs_host_int8"] == 0
    assert summary["agreement"]["host_int8_vs_tflm"] == 0
    assert summary["agreement"]["signal_states_differ"] == 0
    signal = summary["signal"]
    assert list(signal["not_replayed"]) == ["bad"] and signal["unreadable"] == ["flat"]
    assert signal["gain_assumed"] == ["c"] and list(signal["offset_taken_off"]) == ["offset"]
    assert signal["gaps"] == {
        "c": {"number": 1, "samples": 100},
        "parts": {"number": 1, "samples": 4 * RATE_HZ},
    }
    assert signal["records"]["parts"]["lost"] == pytest.approx(4 / 44, abs=0.02)
    assert signal["records"]["flat"]["flat"] > 0.9
    whole = {e["record"]: e["qrs"] for e in summary["protocols"]["whole"]["records"]}
    assert set(whole) == {"plain", "micro", "swapped", "offset", "c"}
    assert whole.pop("c")["fn"] <= 2  # one or two beats are in its gap
    for name, qrs in whole.items():
        assert (qrs["fn"], qrs["fp"]) == (0, 0) and qrs["tp"] > 35, name
    beats = {
        r: json.loads((out / "records" / f"{r}.json").read_text())["beats"]
        for r in summary["data"]["records"]
    }
    plain = beats["plain"]
    assert {beats[r] for r in ("micro", "swapped", "offset", "e", "b")} == {plain}
    assert plain - 3 <= beats["c"] <= plain and abs(beats["parts"] - plain) <= 1
    for word in ("Leads: ", "c†", "Unreadable", "Gaps: c (1: 100 samples)", "offset (+80."):
        assert word in done.stdout.replace("\n  ", " "), word


def test_a_file_that_a_header_names_is_noticed_when_it_changes(
    board_options: list[str], kinds: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for file in ("left.hea", "left.dat", "right.hea", "right.dat", "parts.hea", "e.edf"):
        shutil.copy(kinds / file, folder)
    out = tmp_path / "out"
    words = ("--records", "e,parts", "--data", folder, "--out", out, "--tflm", "none")
    done = run("replay", *board_options, *words)
    assert done.returncode == 0, done.stderr
    for file in ("right.dat", "e.edf"):
        before = (folder / file).read_bytes()
        (folder / file).write_bytes(before[:-2] + b"\1\1")
        again = run("replay", "--resume", "--out", out)
        assert again.returncode == 2 and f"differs in {file}" in again.stderr, again.stderr
        (folder / file).write_bytes(before)


def test_nothing_but_bad_records_is_an_error(
    board_options: list[str], kinds: Path, tmp_path: Path
) -> None:
    words = ("--data", kinds, "--out", tmp_path / "out")
    done = run("replay", *board_options, "--records", "bad", *words)
    complains(done, "checksum of lead II", "--no-checksum")
    assert not (tmp_path / "out").exists()
    done = run("replay", *board_options, "--records", "bad", "--no-checksum", *words)
    assert done.returncode == 0, done.stderr


def test_lists_and_patterns_of_records(
    board_options: list[str], kinds: Path, tmp_path: Path
) -> None:
    (tmp_path / "list.txt").write_text("# mine\nmicro, e\npl*\n")
    words = ("--data", kinds, "--out", tmp_path / "out", "--tflm", "none")
    done = run("replay", *board_options, "--records", f"@{tmp_path}/list.txt", *words)
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["data"]["records"] == ["micro", "e", "plain"]


def test_a_case_that_nobody_knows_is_not_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "99-new").mkdir()
    assert cases.run(tmp_path) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 cases, 1 wrong"
    (tmp_path / "99-new").rmdir()
    assert cases.run(tmp_path) == 1  # and nothing at all is no proof
