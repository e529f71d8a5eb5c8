"""Records shared out over a fleet: one board's bits, whoever computes them and whoever dies."""

import json
from pathlib import Path

import pytest

from einthoven.errors import LinkError
from einthoven.hil_tests.replay_runs import complains, run
from einthoven.jobs import Done, Fell, Lane, share
from einthoven.records.synth import make_record
from einthoven.report.run import RunDir

RECORDS = ("r0", "r1", "r2", "r3", "r4")


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records")
    for i, name in enumerate(RECORDS):
        make_record(i, 60.0, 360.0).write(folder, name)
    return folder


def fleet_file(folder: Path, devices: dict[str, list[str]], host: str = "") -> Path:
    path = folder / "fleet.toml"
    path.write_text(
        "".join(
            f'[[device]]\nname = "{name}"\nboard = "host"\nwords = {json.dumps(words)}\n'
            + (f'host = "{host}"\n' if host else "")
            for name, words in devices.items()
        )
    )
    return path


def found(out: Path) -> dict[str, bytes]:
    """All that the boards computed, without what it cost."""
    opened = RunDir.open(out)
    assert opened.finished() == list(RECORDS)
    kept = {}
    for name in RECORDS:
        events = opened.read_events(name)
        events.beats["count"] = 0
        parts = (events.beats, events.states, events.rhythm)
        kept[name] = b"".join(part.tobytes() for part in parts)
        kept[f"{name}.ein"] = (out / f"{name}.ein").read_bytes()
    return kept


@pytest.fixture(scope="module")
def one_board(records: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("one") / "run"
    done = run("replay", "--board", "host", "--records", "all", "--data", records, "--out", out)
    assert done.returncode == 0, done.stderr
    return found(out)


def test_a_fleet_with_a_board_that_dies_gives_one_boards_bits(
    records: Path, one_board: dict[str, bytes], tmp_path: Path
) -> None:
    devices: dict[str, list[str]] = {"a": [], "b": [], "c": []}
    devices["dies"] = ["--end-after", "3000"]
    fleet = fleet_file(tmp_path, devices)
    out = tmp_path / "run"
    words = ("--records", "all", "--data", records, "--out", out, "--tflm", "none")
    done = run("replay", "--fleet", fleet, *words)
    assert done.returncode == 0, done.stderr + done.stdout
    assert found(out) == one_board
    made = json.loads((out / "fleet.json").read_text())
    assert sorted(made["records"]) == list(RECORDS)
    assert set(made["records"].values()) <= {"a", "b", "c"}
    (lost,) = made["lost"]
    assert lost["board"] == "dies" and "is gone" in lost["why"]
    assert f"dies was given up at record {lost['record']}" in done.stdout.replace("\n", " ")
    for name, board in made["records"].items():
        result = RunDir.open(out).read_result(name)
        assert (result.device.name, result.device.serial) == (board, board)


def test_no_board_left_is_said_and_resumed(
    records: Path, one_board: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    words = ("--data", records, "--out", out)
    fleet = fleet_file(tmp_path, {"dies": ["--end-after", "3000"]})
    done = run("replay", "--fleet", fleet, "--records", "all", *words)
    complains(done, "no board is left for 5 records", "dies")
    fleet = fleet_file(tmp_path, {"a": [], "b": []})
    again = run("replay", "--fleet", fleet, "--resume", *words)
    assert again.returncode == 0, again.stderr
    assert found(out) == one_board


def test_across_hosts_through_dask(
    records: Path, one_board: dict[str, bytes], tmp_path: Path
) -> None:
    pytest.importorskip("distributed")
    out = tmp_path / "run"
    fleet = fleet_file(tmp_path, {"a": []}, host="0")
    words = ("--records", "all", "--data", records, "--out", out, "--cluster", "local:1")
    done = run("replay", "--fleet", fleet, *words)
    assert done.returncode == 0, done.stderr
    assert found(out) == one_board
    complains(
        run("replay", "--fleet", fleet_file(tmp_path, {"a": []}), *words[:4], *words[6:]),
        "gives a 'host', and none has one",
    )
    fleet = fleet_file(tmp_path, {"a": []}, host="nowhere")
    complains(
        run("replay", "--fleet", fleet, *words[:4], "--out", tmp_path / "n", *words[6:]),
        "no Dask worker at nowhere",
    )


def test_a_job_that_every_lane_falls_at_is_given_up() -> None:
    def work(lane: str, job: str) -> str:
        if job == "poison" or lane == "weak":
            raise LinkError(f"{lane} at {job}")
        return f"{lane} {job}"

    lanes = {name: Lane(name) for name in ("weak", "a", "b", "c", "d", "e")}
    jobs = {name: name for name in ("poison", "x", "y", "z")}
    news = list(share(work, lanes, jobs, LinkError))
    assert {d.job for d in news if isinstance(d, Done)} == {"x", "y", "z"}
    falls = [f.job for f in news if isinstance(f, Fell)]
    assert falls.count("poison") == 3 and len(falls) <= 4
