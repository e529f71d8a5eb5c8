"""Replay, whole: records in, a run folder out. What goes wrong has a file of its own."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wfdb
from jsonschema import Draft202012Validator
from msgspec import UNSET
from numpy.typing import NDArray
from rich.console import Console

from einthoven.codegen.model import load
from einthoven.hil_tests.harness.arithmetics import FloatNetwork
from einthoven.hil_tests.harness.layers import compare_layers
from einthoven.hil_tests.harness.replay import Options, replay_run, synthetic_strips
from einthoven.hil_tests.replay_runs import HANG_S, NAMES, complains, run
from einthoven.native import core
from einthoven.native.engine import HostModel
from einthoven.paths import GENERATED, ROOT, SHIPPED_MODEL
from einthoven.records.adc import to_board
from einthoven.records.annotations import read_annotations
from einthoven.records.record import read_record
from einthoven.report.run import RunDir
from einthoven.report.summary import summarize
from einthoven.report.text import summary_text
from einthoven.scoring.score import score_folders

pytestmark = pytest.mark.board


def test_every_beat_agrees_with_the_host_and_with_tflm(whole_run: Path, database: Path) -> None:
    agreement = json.loads((whole_run / "summary.json").read_text())["agreement"]
    assert agreement["beats"] > 200
    assert agreement["device_vs_host_int8"] == 0 and agreement["host_int8_vs_tflm"] == 0
    assert agreement["signal_states_differ"] == 0
    assert agreement["rhythm_events_differ"] == 0
    opened = RunDir.open(whole_run)
    for name in NAMES:
        samples = to_board(read_record(database, name), core.rate_hz(), 200, 12)
        expected = core.analyze(samples)
        assert opened.read_events(name).beats["t_samples"].tolist() == expected.t_samples.tolist()


def test_for_plainly_normal_beats_only_the_gate_is_run(whole_run: Path) -> None:
    """In the one record that is longer than a strip; that the board is right is tested above."""
    opened = RunDir.open(whole_run)
    for name in NAMES:
        beats = opened.read_events(name).beats
        passed = beats["flags"] & core.FLAG_PASSED != 0
        young = np.arange(len(beats)) < 128
        assert not passed[young & (beats["t_emitted"] <= 120 * core.rate_hz())].any()
        assert (passed.mean() > 0.3) == (name == NAMES[-1])
        counts = beats["count"].astype(np.int64)
        if passed.any() and counts.any():
            assert np.median(counts[passed]) < 0.1 * np.median(counts[~passed])


def test_the_run_folder_is_complete(whole_run: Path) -> None:
    files = {p.relative_to(whole_run).as_posix() for p in whole_run.rglob("*") if p.is_file()}
    expected = {
        "run.json",
        "summary.json",
        "report.html",
        "events.csv",
        "ec57.txt",
        "whole.txt",
        "episodes.txt",
        "verdicts.csv",  # some are short enough to be strips
    }
    for name in NAMES:
        expected |= {f"{name}.ein", f"records/{name}.json", f"records/{name}.csv"}
    assert files == expected


def test_every_strip_gets_the_verdict_that_the_host_gives(whole_run: Path) -> None:
    summary = json.loads((whole_run / "summary.json").read_text())["verdicts"]
    run = RunDir.open(whole_run)
    short = [name for name in NAMES if run.read_result(name).seconds <= 120.0]
    assert 0 < len(short) < len(NAMES), "some are strips, and one is too long"
    assert summary["strips"] == len(short) and summary["differ"] == 0
    assert summary["score"] is None, "nothing is labelled"
    rows = (whole_run / "verdicts.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == short
    assert all(row.split(",")[1] in "NAO~" for row in rows[1:])


def test_other_programs_read_the_annotations(whole_run: Path, database: Path) -> None:
    """`wfdb` is what PhysioNet offers in Python; times are at the record's own rate."""
    for name in NAMES:
        found = wfdb.rdann(str(whole_run / name), "ein")
        record = read_record(database, name)
        assert found.fs == record.rate_hz
        assert set(found.symbol) <= set("NSVFQ" + "+[]")  # beats, and where episodes change
        beats = found.sample[np.isin(found.symbol, list("NSVFQ"))]
        reference = read_annotations(database, name)
        assert abs(len(beats) - sum(s in "NAVF/" for s in reference.symbols)) < 8
        assert np.all(np.diff(beats) > 0) and found.sample[-1] <= record.n_samples


def test_the_scores_are_those_of_the_annotation_files(whole_run: Path, database: Path) -> None:
    summary = json.loads((whole_run / "summary.json").read_text())
    for scored in score_folders(database, whole_run):
        for name, comparison in scored.protocols.items():
            (entry,) = [
                r for r in summary["protocols"][name]["records"] if r["record"] == scored.record
            ]
            assert {k: entry[k] for k in ("qrs", "veb", "sveb", "confusion")} == {
                k: comparison.to_dict()[k] for k in ("qrs", "veb", "sveb", "confusion")
            }


def test_its_files_are_as_published(whole_run: Path) -> None:
    """Held against docs/schema by another library than the one that wrote them."""
    kinds = {"run": ["run.json"], "summary": ["summary.json"]}
    kinds["record"] = [f"records/{name}.json" for name in NAMES]
    for kind, names in kinds.items():
        schema = json.loads((ROOT / "docs" / "schema" / f"{kind}.schema.json").read_text())
        for name in names:
            Draft202012Validator(schema).validate(json.loads((whole_run / name).read_text()))


def test_host_and_board_stand_side_by_side_and_what_lacks_is_said(whole_run: Path) -> None:
    """The shipped model comes without its float network."""
    found = json.loads((whole_run / "summary.json").read_text())["arithmetics"]
    assert found["records"] == len(NAMES) and found["host_int8"] == found["device_int8"]
    assert found["float_network"] is None and "float.weights.h5" in found["float_missing"]
    page = (whole_run / "report.html").read_text()
    for word in ("int8, host", "int8, board", "No float network: there is no float.weights.h5"):
        assert word in page


def test_a_float_network_is_scored_on_the_same_records(
    database: Path, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """One that calls every beat N finds the beats that the board finds, and no V among them."""
    board, port = request.config.getoption("--board"), request.config.getoption("--port")

    def network(signal: NDArray[np.int8], features: NDArray[np.int8]) -> NDArray[Any]:
        return np.tile(np.array([20.0, 0, 0, 0, 0]), (len(signal), 1))

    options = Options(board, "s0,s2", database, port=port, tflm="none")
    told = Console(file=io.StringIO())
    out = tmp_path / "out"
    network_of = FloatNetwork(lambda: network)
    opened = replay_run(options, out, 1, told, network=network_of)
    found = summarize(opened).arithmetics
    assert found is not UNSET and found.float_missing is None and found.float_network is not None
    board_v, float_v = found.device_int8.whole.V, found.float_network.whole.V
    assert board_v.tp > 0 and float_v.tp == 0 and float_v.fn == board_v.tp + board_v.fn
    n = found.float_network.whole.N
    assert n.tp == found.device_int8.whole.N.tp + found.device_int8.whole.N.fn
    screen = Console(width=80, file=io.StringIO(), record=True)
    screen.print(summary_text(summarize(opened)))
    rows = [r.split() for r in screen.export_text().splitlines() if r.startswith(("float", "int8"))]
    assert [r[:2] for r in rows[:3]] == [["float", "EC57"], ["int8,", "host"], ["int8,", "board"]]
    assert opened.read_result("s0").host_int8 is UNSET  # the board's own


def test_compare_finds_the_first_difference(whole_run: Path, tmp_path: Path) -> None:
    assert run("compare", whole_run).returncode == 0
    other = tmp_path / "other"
    shutil.copytree(whole_run, other)
    opened = RunDir.open(other)
    events = opened.read_events("s3")
    events.beats["logits"][7, 2] ^= 1
    opened.write_events("s3", events, events.beats["t_samples"].astype(np.int64))
    found = run("compare", whole_run, other)
    assert found.returncode == 1 and ", 1 differ" in found.stdout
    assert "record s3" in found.stdout and "logits" in found.stdout


def test_layers_are_compared_and_the_first_differing_one_is_named(
    whole_run: Path, tmp_path: Path
) -> None:
    same = run("compare", whole_run, "--layers")
    assert same.returncode == 0 and " 0 beats differ" in same.stdout, same.stdout + same.stderr
    complains(run("compare", whole_run, whole_run, "--layers"), "--layers")
    generated = {p.name: p.read_text() for p in GENERATED.glob("ein_model.[ch]")}
    source = generated["ein_model.c"]
    ops = load(SHIPPED_MODEL).graph.ops
    number = [op.number for op in ops if op.kind == "CONV_2D"][2]
    bias = re.search(rf"op{number}_scales\[\d+\] = \{{\n    \{{(-?\d+),", source)
    assert bias, f"op {number} of the shipped model has no table of scales"
    for name, text in generated.items():
        (tmp_path / name).write_text(text)
    broken = source[: bias.start(1)] + str(int(bias[1]) + 40_000) + source[bias.end(1) :]
    (tmp_path / "ein_model.c").write_text(broken)
    found = compare_layers(RunDir.open(whole_run), HostModel(tmp_path, trace=True), per_record=2)
    assert found.beats == 2 * len(NAMES) and len(found.differences) == found.beats
    assert {d.op for d in found.differences} == {f"op {number} CONV_2D"}
    assert f"op {number} CONV_2D" in found.differences[0].text()


def test_records_without_a_beat(board_options: list[str], tmp_path: Path) -> None:
    """One sample, three, and a flat line: a right result and a report, though there is no beat."""
    for name, n in (("one", 1), ("short", 3), ("flat", 3600)):
        wfdb.wrsamp(
            name,
            fs=360,
            units=["mV"],
            sig_name=["MLII"],
            d_signal=np.full((n, 1), 60),
            fmt=["16"],
            adc_gain=[200.0],
            baseline=[0],
            write_dir=str(tmp_path),
        )
    out = tmp_path / "out"
    words = ("--records", "all", "--data", tmp_path, "--out", out)
    done = run("replay", *board_options, *words)
    assert done.returncode == 0, done.stderr
    summary = json.loads((out / "summary.json").read_text())
    assert summary["agreement"]["beats"] == 0
    assert not done.stderr
    assert summary["not_scored"] == ["flat", "one", "short"]
    assert len(read_annotations(out, "flat", "ein")) == 0
    assert (out / "report.html").is_file()


def test_a_board_says_who_it_is_and_what_it_costs(board_options: list[str], board_url: str) -> None:
    name = board_options[1]
    told = run("info", name, "--port", board_url)
    assert told.returncode == 0, told.stderr
    for word in ("model sha256", "pipeline sha256", "stack used bytes", "N, S, V, F, Q"):
        assert word in told.stdout
    cost = run("bench", name, "--port", board_url, "--beats", "5")
    assert cost.returncode == 0, cost.stderr
    assert "5 inferences, 0 differ from the host" in cost.stdout
    assert "per multiply-add" in cost.stdout


@pytest.mark.records
def test_the_demonstration(mitdb: Path, board_options: list[str], tmp_path: Path) -> None:
    """What `make demo` runs, here on the board under test."""
    out = tmp_path / "demo"
    done = run("demo", "--board", board_options[1], "--data", mitdb, "--out", out)
    assert done.returncode == 0, done.stderr
    summary = json.loads((out / "summary.json").read_text())
    names = [r["record"] for r in summary["protocols"]["ec57"]["records"]]
    assert names == ["100", "119", "208", "213", "232"]
    assert summary["agreement"]["device_vs_host_int8"] == 0
    assert summary["agreement"]["host_int8_vs_tflm"] == 0
    assert not summary["data"]["synthetic"]
    for word in ("Gross", "Average", "Whole records", "device = host int8", "Arena", "Link"):
        assert word in done.stdout


def test_the_demonstration_without_records_and_network(
    board_options: list[str], tmp_path: Path
) -> None:
    """A port that nobody listens on stands in for a machine without a network."""
    elsewhere = {"EINTHOVEN_PHYSIONET": "http://127.0.0.1:9"}
    environment = {k: v for k, v in os.environ.items() if k != "EINTHOVEN_DATA"} | elsewhere
    # The user's cache has what was compiled, too: only its records are not there.
    code = (
        "import einthoven.records.database as d, pathlib; d.ROOT = pathlib.Path('/nonexistent/x')\n"
        f"d.cached_database = lambda db: pathlib.Path({str(tmp_path / 'records')!r}) / db\n"
        "from einthoven.cli import main; main()"
    )
    words = ("demo", "--board", board_options[1], "--out", str(tmp_path / "out"))
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG_S,
        env=environment,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "SYNTHETIC" in done.stdout
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["data"]["synthetic"] and summary["agreement"]["beats"] > 1000
    assert "Synthetic data." in (tmp_path / "out" / "report.html").read_text()


def test_the_demonstrations_strips_are_told_for_what_they_are(
    board_options: list[str], tmp_path: Path
) -> None:
    """Sinus rhythm, atrial fibrillation, and noise that hides what it is."""
    out = tmp_path / "strips"
    words = ("--records", "all", "--data", synthetic_strips(), "--tflm", "none", "--out", out)
    assert run("replay", *board_options, *words).returncode == 0
    rows = [line.split(",")[:2] for line in (out / "verdicts.csv").read_text().splitlines()[1:]]
    assert dict(rows) == {"fibrillation": "A", "noisy": "~", "normal": "N"}
