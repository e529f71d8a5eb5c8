"""Adaptation from the command line: a head made, given to a board, replayed, removed."""

import json
from pathlib import Path
from typing import Any

import pytest

from einthoven.aami import CLASSES
from einthoven.boards.board import load_board, running
from einthoven.codegen.head import Head
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.replay_runs import complains, run
from einthoven.records.synth import Episode, make_record
from einthoven.report.run import RunDir

pytestmark = pytest.mark.board


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic record of seven minutes with bigeminy in the learnt and in the scored part."""
    folder = tmp_path_factory.mktemp("database")
    episodes = (Episode("bigeminy", 60, 100), Episode("bigeminy", 330, 380))
    make_record(3, 420.0, 360.0, episodes=episodes).write(folder, "s1")
    return folder


def test_a_replay_with_heads_shows_both_sides(
    database: Path, board_options: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    words = ("--records", "s1", "--data", database, "--out", out)
    done = run("replay", *board_options, *words, "--adapt", "5")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "Patient heads from the first 5 minutes" in done.stdout
    for text in (done.stdout, (out / "report.html").read_text()):
        assert "Adapted: all scores" in text, "scores with a head must say so"
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text())
    agreement = summary["agreement"]
    assert agreement["device_vs_host_int8"] == agreement["host_int8_vs_tflm"] == 0
    adaptation = summary["adaptation"]
    (entry,) = adaptation["records"]
    assert entry["record"] == "s1" and entry["head"]["beats"]["V"] > 10
    beats = RunDir.open(out).read_events("s1").beats
    assert (beats["logits"] != beats["unadapted"]).any()
    gated = beats["label"] == CLASSES.index("Q")  # by the gate before an ectopic beat
    assert (gated | (beats["label"] == beats["logits"].argmax(axis=1))).all()
    assert gated.mean() < 0.05
    # The sides are scores of the same beats by the two sets of logits.
    late = summary["protocols"]["ec57"]["records"][0]["literature"]
    assert {k: late["V"][k] for k in ("tp", "fn", "fp")} == {
        k: entry["adapted"]["V"][k] for k in ("tp", "fn", "fp")
    }
    counted = {s: sum(entry[s][c]["tp"] for c in "NSV") for s in ("unadapted", "adapted")}
    assert counted["adapted"] >= counted["unadapted"] - 5
    head = Head.read(out / "records" / "s1.head.json")
    assert head.about["record"].endswith("/s1")
    complains(run("replay", "--resume", "--out", out, "--records", "s2"), "leave --records out")
    assert "Patient heads" in (out / "report.html").read_text()


def test_a_head_from_the_command_line_to_a_board_and_back(
    database: Path, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    name, port = request.config.getoption("--board"), request.config.getoption("--port")
    file = tmp_path / "head.json"
    done = run("adapt", "--record", "s1", "--data", database, "--out", file)
    assert done.returncode == 0 and "of s1's first 5 minutes" in done.stdout, done.stderr
    with running(load_board(name), port) as url:
        given = ("--board", name, "--port", url)
        done = run("adapt", "--head", file, *given)
        assert (done.returncode, done.stdout) == (0, f"{name} computes with a patient's head\n")
        info = run("info", name, "--port", url).stdout
        assert any(line.split() == ["head", "active"] for line in info.splitlines())
        complains(
            run("replay", *given, "--records", "s1", "--data", database, "--out", tmp_path / "run"),
            "holds a patient's head",
        )
        done = run("adapt", "--remove", *given)
        assert (done.returncode, done.stdout) == (
            0,
            f"{name} computes with the model's own last layers\n",
        )
        with Device(url) as device:
            assert device.hello.head == "none"


def test_what_cannot_be_done_is_said(database: Path, tmp_path: Path) -> None:
    complains(run("adapt"), "say which head")
    complains(run("adapt", "--record", "s1"), "say where the head is to go")
    complains(run("adapt", "--remove"), "--remove needs --board")
    out = ("--out", tmp_path / "h.json")
    complains(run("adapt", "--record", "s1", "--minutes", "6", *out), "at most 5 minutes")
    complains(run("adapt", "--record", "s9", "--data", database, *out), "s9")
    complains(run("adapt", "--head", tmp_path / "none.json", *out), "cannot be read")
    complains(run("replay", "--board", "host", "--records", "s1", "--adapt", "0"), "at most 5")
    other = json.loads(json.dumps({"schema": "einthoven-head/1", "model_sha256": "0" * 64}))
    (tmp_path / "other.json").write_text(json.dumps({**other, "about": {}, "layers": []}))
    complains(
        run("adapt", "--head", tmp_path / "other.json", "--board", "host"), "made for model 0000"
    )
