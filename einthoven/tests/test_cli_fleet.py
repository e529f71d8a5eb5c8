"""The fleet's commands: a fleet of processes flashed, given keys and noted; what is refused."""

import json
import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import einthoven.cli
from einthoven.boards.board import build, load_board
from einthoven.fleet import doctor, inventory, usb
from einthoven.fleet.flashing import Introduced
from einthoven.fleet.ledger import Ledger
from einthoven.fleet.proof import fingerprint
from einthoven.fleet.testing.machine import Machine
from einthoven.report.schema import json_schema


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def einthoven_(capfd: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as left:
        patch.setattr(sys, "argv", ["einthoven", *map(str, words)])
        einthoven.cli.main()
    out, err = capfd.readouterr()
    return int(left.value.code or 0), out, err


def valid(name: str, text: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(text)
    Draft202012Validator(json.loads(json_schema(name))).validate(content)
    return content


FLEET = """[fleet]
name = "spring"

[[device]]
name = "sim-01"
id = "00a1"
board = "host"

[[device]]
name = "sim-02"
id = "00a2"
board = "host_device"
key = "file:keys/sim-02.key"
"""


def test_a_fleet_of_processes_is_flashed_and_gets_its_keys(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("host", "host_device"):
        build(load_board(name))
    path = tmp_path / "fleet.toml"
    inventory.add(path, "sim-02")
    path.write_text(FLEET)
    fleet = inventory.read(path)
    key = fingerprint(fleet.key(fleet.device("sim-02")))
    code, out, err = einthoven_(capfd, "flash", "--all")
    assert code == 0, out + err
    assert f"sim-02: flashed by copy in 0 s, read back, is 00a2, key {key}" in out
    assert "2 devices: 2 flashed, 0 not" in out
    code, out, _ = einthoven_(capfd, "flash", "sim-02", "--json")
    report = valid("flash", out)
    (device,) = report["devices"]
    assert (code, device["key"], device["outcome"]) == (0, key, "flashed")
    # It is reached by its name, wherever it is plugged in.
    code, out, _ = einthoven_(capfd, "info", "sim-02", "--json")
    assert code == 0 and valid("info", out)["serial"] == "00a2"
    code, out, _ = einthoven_(capfd, "log", "status", "sim-02", "--json")
    assert code == 0 and valid("log-status", out)["serial"] == "00a2"
    code, out, _ = einthoven_(capfd, "bench", "sim-01", "--beats", "2")
    assert code == 0 and "2 inferences, 0 differ from the host" in out
    code, out, err = einthoven_(capfd, "device", "sim-02")
    assert code == 0, out + err
    code, _, err = einthoven_(capfd, "info", "sim-02", "--port", "/dev/x")
    assert code == 2 and "fleet.toml says where sim-02 is" in err
    code, _, err = einthoven_(capfd, "info", "sim-09")
    assert code == 2 and "has no device 'sim-09': it has sim-01, sim-02" in err
    # Another key than the device has: it was written, and is not this fleet's.
    (tmp_path / "keys" / "sim-02.key").unlink()
    (tmp_path / "fleet2.toml").write_text("")
    inventory.add(tmp_path / "fleet2.toml", "sim-02")
    code, out, _ = einthoven_(capfd, "flash", "sim-02")
    assert code == 1 and "wrong key" in out
    outcomes = [e.outcome for e in Ledger(path).entries() if e.name == "sim-02"]
    assert outcomes == ["begun", "flashed"] * 2 + ["begun", "written, has another key"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "name devices or a board, or say --all"),
        (("--all", "host"), "name devices or a board, or say --all"),
        (("--all",), "no fleet.toml: `einthoven fleet scan`"),
        (("nobody",), "'nobody' is no board, and there is no fleet.toml"),
        (("host",), "nothing to flash"),
        (("pico", "--fleet", "other.toml"), "no other.toml"),
        (("pico", "--model", "nowhere"), "no nowhere/model.tflite"),
    ],
)
def test_what_cannot_be_meant(
    words: tuple[str, ...], says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = einthoven_(capfd, "flash", *words)
    assert code == 2 and says in err and err.count("\n") == 1, err


def test_what_a_fleet_refuses(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text(
        '[fleet]\nsigned_by = "operator-sign.pub"\n[[device]]\nname = "a"\nboard = "host"\n'
        '[[device]]\nname = "b"\n'
    )
    for words, says in (
        (("a", "--port", "/dev/ttyS0"), "--port, --probe and --flasher are for a board"),
        (("b", "--unsigned"), "say which board b is"),
        (("a", "z"), "'z' is no device of fleet.toml"),
        (("a",), "no operator-sign.pub"),
    ):
        code, _, err = einthoven_(capfd, "flash", *words)
        assert code == 2 and says in err and err.count("\n") == 1, err
    assert einthoven_(capfd, "keys", "operator", ".")[0] == 0
    code, _, err = einthoven_(capfd, "flash", "a")
    assert code == 2 and "host cannot have signed firmware" in err and "--unsigned" in err


def test_a_flash_that_is_ended_leaves_no_tool_at_work(tmp_path: Path) -> None:
    """SIGTERM, as `kill` and a shut-down send it: told, noted, and the chip's tool is gone."""
    build(load_board("blue_pill"))
    (tmp_path / "bin").mkdir()
    tool = tmp_path / "bin" / "stm32flash"
    tool.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/at-work\nexec sleep 600\n")
    tool.chmod(0o755)
    line = 'board = "blue_pill"\nflasher = "stm32flash"\nport = "/dev/null"\n'
    path = tmp_path / "fleet.toml"
    path.write_text(f'[[device]]\nname = "a"\n{line}')
    search = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    words = [sys.executable, "-c", "from einthoven.cli import main; main()", "flash", "a", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=os.environ | search) as flash:
        at_work = tmp_path / "at-work"
        while not (at_work.exists() and at_work.read_text()):
            assert flash.poll() is None
            time.sleep(0.05)
        flash.terminate()
        out, _ = flash.communicate(timeout=60)
    assert flash.returncode == 130
    (device,) = valid("flash", out.decode())["devices"]
    assert device["outcome"] == "stopped"
    assert [e.outcome for e in Ledger(path).entries()] == ["begun", "stopped"]
    assert not Path(f"/proc/{at_work.read_text().strip()}").exists()


def test_a_report_outlives_what_comes_after_it(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id that cannot be noted, a page that cannot be written: what was done is told."""
    build(load_board("host"))
    (tmp_path / "fleet.toml").write_text('device = [{name = "a", board = "host"}]\n')
    monkeypatch.setattr(
        "einthoven.hil_tests.harness.introduce.introduce",
        lambda *about: Introduced("00aa", "build", "model", "00" * 32, "11" * 32),
    )
    code, out, err = einthoven_(capfd, "flash", "a", "--json")
    assert code == 0 and valid("flash", out)["devices"][0]["id"] == "00aa"
    assert err == 'warning: fleet.toml: write id = "00aa" into the table of a\n'
    code, out, err = einthoven_(capfd, "check", "a", "--page", "nowhere/labels.html")
    assert (code, out) == (2, "") and "nowhere/labels.html cannot be written" in err


def test_what_a_tool_or_a_device_says_is_printed_as_it_is(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brackets are no markup: [dap] was left out, and [/x] ended with a traceback."""
    machine = Machine(tmp_path / "machine")
    monkeypatch.setattr(usb, "SYSFS", machine.sys)
    monkeypatch.setattr(usb, "DEV", machine.dev)
    machine.plug("1-1", "0483:374b", "066C", "[/x] [dap] :b:", "ttyACM")
    for words in (("fleet", "scan", "--write", "--no-ask"), ("doctor",)):
        _, out, err = einthoven_(capfd, *words)
        assert "[/x] [dap] :b:" in out, out + err


def test_keys_for_all_that_take_one(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text(
        "".join(
            f'[[device]]\nname = "{name}"\nboard = "{board}"\n'
            for name, board in (("a", "host"), ("b", "host_device"), ("c", "host_device"))
        )
    )
    code, out, _ = einthoven_(capfd, "keys", "new", "--all")
    assert code == 0 and sorted(p.name for p in (tmp_path / "keys").iterdir()) == ["b.key", "c.key"]
    assert out.count("wrote keys/") == 2
    code, out, _ = einthoven_(capfd, "keys", "show")
    assert [line.split()[-1] == "none" for line in out.splitlines()[1:]] == [True, False, False]
    code, out, _ = einthoven_(capfd, "keys", "new", "--all")
    assert code == 0 and "that takes a key has one" in out
    for words in ((), ("a", "--all"), ("--all", "--id", "00aa")):
        code, _, err = einthoven_(capfd, "keys", "new", *words)
        assert code == 2 and err.count("\n") == 1


def test_a_device_whose_key_is_missing_is_not_written(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    build(load_board("host_device"))
    (tmp_path / "fleet.toml").write_text(
        '[[device]]\nname = "a"\nboard = "host_device"\nkey = "file:keys/a.key"\n'
    )
    code, out, _ = einthoven_(capfd, "flash", "--all", "--json")
    (device,) = valid("flash", out)["devices"]
    assert (code, device["outcome"]) == (1, "no key") and "restore it" in device["message"]
    assert not (tmp_path / "simulated").exists()


def test_answers_for_programs_are_as_published(capfd: pytest.CaptureFixture[str]) -> None:
    build(load_board("host"))
    for name, words in (
        ("boards", ("boards",)),
        ("info", ("info", "host")),
        ("bench", ("bench", "host", "--beats", "2")),
        ("log-status", ("log", "status", "host_device")),
    ):
        code, out, err = einthoven_(capfd, *words, "--json")
        assert code == 0, err
        content = valid(name, out)
        assert content["schema"] == f"einthoven-{name}/1"


def test_a_fleet_file_is_proposed_and_kept(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(tmp_path / "machine")
    monkeypatch.setattr(usb, "SYSFS", machine.sys)
    monkeypatch.setattr(usb, "DEV", machine.dev)
    code, out, _ = einthoven_(capfd, "fleet", "scan")
    assert code == 0 and "nothing that looks like a board is plugged in" in out
    machine.plug("1-1", "0483:374b", "066C", "ST-LINK/V2.1", "ttyACM")
    code, out, _ = einthoven_(capfd, "fleet", "scan", "--no-ask")
    assert tomllib.loads(out)["device"][0]["port"] == "serial:066C"
    code, out, _ = einthoven_(capfd, "fleet", "scan", "--no-ask", "--write")
    assert code == 0 and "nucleo_f446re-01: added to fleet.toml" in out
    (device,) = inventory.read(tmp_path / "fleet.toml").devices
    assert (device.name, device.port) == ("nucleo_f446re-01", "serial:066C")
    code, out, _ = einthoven_(capfd, "fleet", "scan", "--json")
    content = valid("scan", out)
    assert [d["state"] for d in content["devices"]] == ["known"] and content["written"] is None
    # What is there is no port that anybody can speak through.
    code, _, err = einthoven_(capfd, "fleet", "scan", "--fleet", "other.toml")
    assert code == 2 and "ttyACM0: it is no serial port" in err


def test_the_doctor_s_word_is_its_exit_code(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "PROC", tmp_path / "proc")
    monkeypatch.setattr(usb, "SYSFS", tmp_path / "sys")
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [])
    code, out, _ = einthoven_(capfd, "doctor")
    assert code == 0 and out.rstrip().endswith("no problems")
    (tmp_path / "fleet.toml").write_text('[[device]]\nname = "a"\nboard = "nonsense"\n')
    code, out, _ = einthoven_(capfd, "doctor", "--json")
    content = valid("doctor", out)
    assert code == 1 and content["problems"] == 1
    (problem,) = [f for f in content["findings"] if f["state"] == "problem"]
    assert problem["about"] == "a" and problem["mend"]
