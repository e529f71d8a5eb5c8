"""Replay, whole: records in, a run folder out; interrupted, killed, starved and cut off."""

import fcntl
import json
import os
import pty
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wfdb

from einthoven import core
from einthoven.annotations import read_annotations
from einthoven.boards import build, load_board
from einthoven.engine import HostModel
from einthoven.paths import GENERATED, ROOT
from einthoven.records import read_record, to_board
from einthoven.rundir import RunDir
from einthoven.scoring import score_folders
from einthoven.synth import Episode, make_record
from hil_tests.faults import TO_HOST, FaultyLink, Noise
from hil_tests.layers import compare_layers

pytestmark = pytest.mark.board

NAMES = tuple(f"s{i}" for i in range(6))
HANG_S = 600
"""What takes so long will never end, on any machine."""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six records at rates that boards do not have; EC57 scores the last one from 5 min on."""
    folder = tmp_path_factory.mktemp("database")
    for i, name in enumerate(NAMES):
        rate_hz = (360.0, 250.0, 128.0, 257.0)[i % 4]
        episodes = (Episode("lead_off", 20, 22),) if i == 1 else ()
        seconds = 600.0 if name == NAMES[-1] else 45.0
        make_record(i, seconds, rate_hz, episodes=episodes).write(folder, name)
    return folder


@pytest.fixture(scope="module")
def board_options(request: pytest.FixtureRequest) -> list[str]:
    """`--board` and `--port` of the test run, for the command line."""
    name, port = request.config.getoption("--board"), request.config.getoption("--port")
    if not port:
        build(load_board(name))
    return ["--board", name, *(["--port", port] if port else [])]


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-c", "from einthoven.cli import main; main()", *map(str, words)]


def run(*words: str | Path, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), capture_output=True, text=True, check=False, timeout=HANG_S, **kwargs
    )


def complains(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 2 and one line that says what to do."""
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2 and len(lines) == 1, (done.returncode, done.stderr, done.stdout)
    assert lines[0].startswith("error: ")
    for word in words:
        assert word in lines[0]


@pytest.fixture(scope="module")
def whole_run(
    database: Path, board_options: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """An undisturbed run of all records, on two boards where there can be two."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    words = ("--records", "all", "--data", database, "--out", out, "--jobs", "2")
    done = run("replay", *board_options, *words)
    assert done.returncode == 0, done.stderr + done.stdout
    assert f"Report: {out}/report.html" in done.stdout.replace("\n", "")
    return out


def results(out: Path) -> dict[str, Any]:
    """What a run found, without what it cost."""
    summary = json.loads((out / "summary.json").read_text())
    found = {key: summary[key] for key in ("protocols", "agreement", "pipeline_sha256", "model")}
    found["annotations"] = {n: (out / f"{n}.ein").read_bytes() for n in NAMES}
    opened = RunDir.open(out)
    beats = {n: opened.read_events(n).beats for n in NAMES}
    for rows in beats.values():
        rows["count"] = 0
    found["beats"] = {n: rows.tobytes() for n, rows in beats.items()}
    found["states"] = {n: opened.read_events(n).states.tobytes() for n in NAMES}
    return found


def test_every_beat_agrees_with_the_host_and_with_tflm(whole_run: Path, database: Path) -> None:
    agreement = json.loads((whole_run / "summary.json").read_text())["agreement"]
    assert agreement["beats"] > 200
    assert agreement["device_vs_host_int8"] == 0 and agreement["host_int8_vs_tflm"] == 0
    assert agreement["signal_states_differ"] == 0
    opened = RunDir.open(whole_run)
    for name in NAMES:
        samples = to_board(read_record(database, name), core.rate_hz(), 200, 12)
        expected = core.analyze(samples)
        assert opened.read_events(name).beats["t_samples"].tolist() == expected.t_samples.tolist()


def test_the_run_folder_is_complete(whole_run: Path) -> None:
    files = {p.relative_to(whole_run).as_posix() for p in whole_run.rglob("*") if p.is_file()}
    expected = {"run.json", "summary.json", "report.html", "events.csv", "ec57.txt", "whole.txt"}
    for name in NAMES:
        expected |= {f"{name}.ein", f"records/{name}.json", f"records/{name}.csv"}
    assert files == expected


def test_other_programs_read_the_annotations(whole_run: Path, database: Path) -> None:
    """`wfdb` is what PhysioNet offers in Python; times are at the record's own rate."""
    for name in NAMES:
        found = wfdb.rdann(str(whole_run / name), "ein")
        record = read_record(database, name)
        assert found.fs == record.rate_hz
        assert set(found.symbol) <= set("NSVFQ")
        reference = read_annotations(database, name)
        assert abs(len(found.sample) - sum(s in "NAVF/" for s in reference.symbols)) < 8
        assert np.all(np.diff(found.sample) > 0) and found.sample[-1] < record.n_samples


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
    bias = re.search(r"op7_scales\[\d+\] = \{\n    \{(-?\d+),", source)
    assert bias, "op 7 of the shipped model is no convolution"
    for name, text in generated.items():
        (tmp_path / name).write_text(text)
    broken = source[: bias.start(1)] + str(int(bias[1]) + 40_000) + source[bias.end(1) :]
    (tmp_path / "ein_model.c").write_text(broken)
    found = compare_layers(RunDir.open(whole_run), HostModel(tmp_path, trace=True), per_record=2)
    assert found.beats == 2 * len(NAMES) and len(found.differences) == found.beats
    assert {d.op for d in found.differences} == {"op 7 CONV_2D"}
    assert "op 7 CONV_2D" in found.differences[0].text()


UNENDING = f"""
import time
from pathlib import Path
from hil_tests import record

replay_record = record.replay_record

def unending(run, device, host, folder, name, progress, *rest):
    def held(acked):
        progress(acked)
        while name == "{NAMES[-1]}" and acked > 0:
            (run.path / "held").touch()
            time.sleep(0.01)
            progress(acked)
    return replay_record(run, device, host, folder, name, held, *rest)

record.replay_record = unending
if __name__ == "__main__":
    from einthoven.cli import main
    main()
"""
"""The command line, but the last record never ends; a worker, which imports it, does so, too."""


@contextmanager
def unending(folder: Path, *words: str | Path) -> Iterator[subprocess.Popen[str]]:
    """An unending command in a process group of its own, as a terminal starts it.

    That is with Ctrl-C in force: what a shell puts into the background would inherit none.
    """
    script = folder / "unending.py"
    script.write_text(UNENDING)
    process = subprocess.Popen(
        [sys.executable, str(script), *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def await_last_record(process: subprocess.Popen[str], out: Path) -> None:
    """Until the run is in the middle of it."""
    while not (out / "held").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed]


def is_worker(pid: int) -> bool:
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended
        return False


@pytest.mark.parametrize("how", ["Ctrl-C", "kill -9", "worker killed"])
def test_a_broken_off_run_goes_on_to_the_same_end(
    how: str, whole_run: Path, database: Path, board_options: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ("--records", "all", "--data", database, "--out", out)
    with unending(tmp_path, "replay", *board_options, *words) as process:
        await_last_record(process, out)
        if how == "Ctrl-C":
            os.killpg(process.pid, signal.SIGINT)
        elif how == "kill -9":
            process.kill()
        else:
            for child in children(process.pid):
                if is_worker(child):
                    os.kill(child, signal.SIGKILL)
        _, err = process.communicate(timeout=HANG_S)
    if how == "Ctrl-C":
        assert process.returncode == 130
        assert err.strip().startswith("interrupted: ") and err.strip().count("\n") == 0
        assert f"einthoven replay --resume --out {out}" in err
    elif how == "worker killed":
        assert process.returncode == 2 and "--resume" in err and err.strip().count("\n") == 0
    done_before = RunDir.open(out).finished()
    assert done_before == list(NAMES[:-1])
    stamps = {name: (out / "records" / f"{name}.json").stat().st_mtime_ns for name in done_before}
    resumed = run("replay", "--resume", "--out", out)
    assert resumed.returncode == 0, resumed.stderr
    assert f"{len(done_before)} of {len(NAMES)} records were done before" in resumed.stdout
    for name, stamp in stamps.items():  # what was done is not done again
        assert (out / "records" / f"{name}.json").stat().st_mtime_ns == stamp
    assert results(out) == results(whole_run)


def test_an_interrupt_while_the_workers_boot(
    database: Path, board_options: list[str], tmp_path: Path
) -> None:
    """It reaches every process of the terminal: none but the parent may say a word."""
    out = tmp_path / "out"
    words = ("--records", "all", "--data", database, "--out", out, "--jobs", "2")
    with unending(tmp_path, "replay", *board_options, *words) as process:
        while not any(is_worker(child) for child in children(process.pid)):
            assert process.poll() is None, process.communicate()
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=HANG_S)
    assert process.returncode == 130
    assert err.strip().startswith("interrupted: ") and err.strip().count("\n") == 0


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


def test_resuming_needs_the_same_records(whole_run: Path, database: Path, tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    shutil.copytree(whole_run, out)
    shutil.copytree(database, other)
    (out / "records" / "s5.json").unlink()
    make_record(99, 45.0, 250.0).write(other, "s5")
    complains(
        run("replay", "--resume", "--out", out, "--data", other), "cannot resume", "the records"
    )
    complains(run("replay", "--resume", "--out", out, "--records", "s1"), "--records")


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_a_full_disk_loses_nothing_that_was_done(
    whole_run: Path, board_url: str, tmp_path: Path
) -> None:
    """The kernel's file size limit stands in for a full disk: strips make a result too large."""
    out = tmp_path / "out"
    shutil.copytree(whole_run, out)
    for name in NAMES[3:]:
        for path in (f"records/{name}.json", f"records/{name}.csv", f"{name}.ein"):
            (out / path).unlink()
    resume = ("replay", "--resume", "--out", out, "--port", board_url)
    complains(run(*resume, preexec_fn=limit_files), "disk full", "--resume", "3 of 6 records")
    assert RunDir.open(out).finished() == list(NAMES[:3])
    assert not list(out.rglob(".*"))  # no scratch file is left behind
    assert run(*resume).returncode == 0
    assert results(out) == results(whole_run)


@contextmanager
def silent_peer() -> Iterator[str]:
    """Takes a connection and whatever is sent, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connections: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    connections.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield f"socket://127.0.0.1:{listener.getsockname()[1]}"
        for connection in connections:
            connection.close()


def replay_on(port: str, database: Path, out: Path) -> list[str]:
    words = ("--records", "s0", "--data", database, "--out", out, "--port", port)
    return command("replay", "--board", "host", *words)


def test_ports_that_are_no_good(board_url: str, database: Path, tmp_path: Path) -> None:
    """Gone, busy, silent, nothing but noise; side by side, since silence takes a while."""
    busy_master, busy_slave = pty.openpty()
    fcntl.flock(busy_slave, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with silent_peer() as silent, FaultyLink(board_url, [Noise(TO_HOST, 0.5, 3)]) as noisy:
        cases = {
            "gone": ("/dev/ttyEIN9", ["/dev/ttyEIN9", "no such port"]),
            "busy": (os.ttyname(busy_slave), ["busy", "close the program"]),
            "silent": (silent, ["does not answer", "cable"]),
            "noisy": (noisy.url, ["does not answer", "cable"]),
        }
        processes = {
            name: subprocess.Popen(
                replay_on(port, database, tmp_path / name),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for name, (port, _) in cases.items()
        }
        for name, process in processes.items():
            out, err = process.communicate(timeout=HANG_S)
            done = subprocess.CompletedProcess((), process.returncode or 0, out, err)
            complains(done, *cases[name][1], "0 of 1 records are done")
    os.close(busy_master)
    os.close(busy_slave)


def test_a_model_for_another_pipeline(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from einthoven.errors import ModelError
    from einthoven.paths import SHIPPED_MODEL
    from hil_tests import replay

    shipped = json.loads((SHIPPED_MODEL / "model.json").read_text())
    shutil.copy(SHIPPED_MODEL / "model.tflite", tmp_path)
    cases: Sequence[tuple[dict[str, Any], str]] = (
        ({"pipeline_sha256": "12" * 32}, "made for another pipeline"),
        ({"sha256": "12" * 32}, "not the file that model.json describes"),
    )
    for changed, complaint in cases:
        (tmp_path / "model.json").write_text(json.dumps(shipped | changed))
        with pytest.raises(ModelError, match=complaint):
            replay.model_facts(tmp_path)
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(ModelError, match="cannot be read"):
        replay.model_facts(tmp_path)


def test_a_board_with_another_model_is_refused(
    board_url: str, database: Path, tmp_path: Path, whole_run: Path
) -> None:
    """The hello names the board's model; a run that was planned with another is not continued."""
    out = tmp_path / "out"
    shutil.copytree(whole_run, out)
    (out / "records" / "s5.json").unlink()
    plan = json.loads((out / "run.json").read_text())
    plan["model"]["sha256"] = "12" * 32
    (out / "run.json").write_text(json.dumps(plan))
    done = run("replay", "--resume", "--out", out, "--port", board_url)
    complains(done, "cannot resume", "the model differs in sha256")


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
    elsewhere = {"EINTHOVEN_PHYSIONET": "http://127.0.0.1:9", "XDG_CACHE_HOME": str(tmp_path)}
    environment = {k: v for k, v in os.environ.items() if k != "EINTHOVEN_DATA"} | elsewhere
    code = (
        "import einthoven.records as r, pathlib; r.ROOT = pathlib.Path('/nonexistent/x')\n"
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
