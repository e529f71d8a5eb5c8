"""Replay that is interrupted, killed, starved, cut off or given what does not fit."""

import fcntl
import json
import os
import pty
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

import pytest

from einthoven.hil_tests.faults import TO_HOST, FaultyLink, Noise
from einthoven.hil_tests.peers import answering, peer
from einthoven.hil_tests.replay_runs import HANG_S, NAMES, command, complains, results, run
from einthoven.paths import ROOT
from einthoven.records.synth import make_record
from einthoven.report.run import RunDir

pytestmark = pytest.mark.board

UNENDING = f"""
import time
from pathlib import Path
from einthoven.hil_tests.harness import record

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
    words = ("--records", "all", "--data", database, "--out", out, "--tflm", "all")
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
    """Gone, busy, silent, nothing but noise, closing, another firmware's; side by side, since
    silence takes a while."""
    busy_master, busy_slave = pty.openpty()
    fcntl.flock(busy_slave, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with (
        silent_peer() as silent,
        FaultyLink(board_url, [Noise(TO_HOST, 0.5, 3)]) as noisy,
        peer(lambda client: None) as closing,
        peer(answering(b"Temperature 21.5\r\n")) as foreign,
    ):
        cases = {
            "gone": ("/dev/ttyEIN9", ["/dev/ttyEIN9", "no such port"]),
            "busy": (os.ttyname(busy_slave), ["busy", "close the program"]),
            "silent": (silent, ["does not answer", "cable"]),
            "noisy": (noisy.url, ["does not answer", "cable"]),
            "closing": (closing, ["lost again", "the peer closed the connection"]),
            "foreign": (foreign, ["it printed: Temperature 21.5", "another program"]),
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
            complains(done, *cases[name][1])
            # The corrected command must not be told that its folder is there already.
            assert not (tmp_path / name).exists()
    os.close(busy_master)
    os.close(busy_slave)


def test_a_model_for_another_pipeline(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from einthoven.errors import ModelError
    from einthoven.hil_tests.harness import replay
    from einthoven.paths import SHIPPED_MODEL

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
