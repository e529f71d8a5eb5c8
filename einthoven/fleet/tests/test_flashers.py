"""Flashers: the real tools on models of the chips' boot loaders, and what each failure comes to.

The models speak ST's AN3155 and AN3156 and Espressif's ROM protocol (`einthoven.fleet.testing`).
Debug probes are in hil_tests/test_debug_port.py. What no model says, a tool's words, is held to the
tool's own program.
"""

import dataclasses
import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from einthoven.boards.board import list_boards, load_board
from einthoven.errors import BoardError
from einthoven.fleet.flashers import copy, dfu_util, esp, openocd, run, stm32_serial, uf2
from einthoven.fleet.flashers.job import Job, Step, Tool
from einthoven.fleet.flashers.registry import TOOLS, choose, names
from einthoven.fleet.flashers.trouble import FlashError, Trouble
from einthoven.fleet.testing.esp_rom import EspRom
from einthoven.fleet.testing.stm32_dfu import Stm32Dfu
from einthoven.fleet.testing.stm32_rom import FLASH, Stm32Rom
from einthoven.fleet.usb import UsbDevice

UID = "002f00213137510538333233"
MAC = "7cdfa1000001"
IMAGE = bytes(range(1, 256)) * 5
LOADER = dataclasses.replace(
    stm32_serial.LOADER,
    command=(sys.executable, "-m", "einthoven.fleet.testing.stm32loader_on_pty"),
)
STM32 = {"address": FLASH, "family": "F4", "parity": "none"}
ESP = {"address": 0, "chip": "esp32c3", "stub": False, "baud": 115200}


def _job(tmp_path: Path, settings: dict[str, Any], **more: Any) -> Job:
    image = tmp_path / "firmware.bin"
    image.write_bytes(IMAGE)
    return Job("clinic-01", "some_board", image, image, settings, scratch=tmp_path, **more)


def _flash(tool: Tool, job: Job) -> tuple[str, list[float]]:
    seen: list[float] = []
    return run.flash(tool, job, seen.append, threading.Event()), seen


def _fails(tool: Tool, job: Job) -> FlashError:
    with pytest.raises(FlashError) as caught:
        _flash(tool, job)
    assert "\n" not in str(caught.value) and str(caught.value).startswith("clinic-01: ")
    return caught.value


def _require_installed(tool: str) -> None:
    assert shutil.which(tool), f"{tool} is not installed: ./setup.sh dev"


@pytest.mark.parametrize("tool", [LOADER, stm32_serial.FLASH], ids=lambda tool: tool.name)
def test_an_stm32_over_its_uart(tool: Tool, tmp_path: Path) -> None:
    with Stm32Rom(unique_id=UID) as chip:
        verified, seen = _flash(tool, _job(tmp_path, STM32, port=chip.port))
    assert bytes(chip.flash[: len(IMAGE)]) == IMAGE and chip.started == FLASH
    assert verified == f"read back by {tool.name}"
    assert seen == sorted(seen) and seen[-1] == 1.0 and len(seen) > 2


def test_an_stm32_that_is_the_one(tmp_path: Path) -> None:
    """Asked who it is before anything is erased; the tool begins twice, and the ROM stays."""
    with Stm32Rom(unique_id=UID) as chip:
        settings = {**STM32, "device_id": 0x431}
        _flash(LOADER, _job(tmp_path, settings, port=chip.port, id=UID))
        assert bytes(chip.flash[: len(IMAGE)]) == IMAGE


@pytest.mark.parametrize(
    ("tool", "chip", "settings", "device", "says"),
    [
        (LOADER, {"device_id": 0x413}, {"device_id": 0x431}, "", "kind 0x413 .* has 0x431"),
        (LOADER, {"unique_id": UID}, {}, "0" * 23 + "1", f"there is {UID}, and the fleet file"),
        (stm32_serial.FLASH, {"device_id": 0x413}, {"device_id": 0x431}, "", "kind 0x413"),
    ],
    ids=["kind", "id", "kind by stm32flash"],
)
def test_another_stm32_is_left_as_it_is(
    tool: Tool,
    chip: dict[str, Any],
    settings: dict[str, Any],
    device: str,
    says: str,
    tmp_path: Path,
) -> None:
    with Stm32Rom(**chip) as there:
        job = _job(tmp_path, {**STM32, **settings}, port=there.port, id=device)
        failure = _fails(tool, job)
        assert there.written == 0 and set(there.flash) == {0xA5}
    assert failure.trouble is Trouble.WRONG_CHIP
    with pytest.raises(FlashError, match=says):
        raise failure


@pytest.mark.parametrize(
    ("tool", "fault", "trouble", "says"),
    [
        (LOADER, {"locked": True}, Trouble.LOCKED, "unlocking erases all of it"),
        (stm32_serial.FLASH, {"locked": True}, Trouble.LOCKED, "unlocking erases all of it"),
        (LOADER, {"cable": 700}, Trouble.LINK_LOST, "is the cable loose"),
        (stm32_serial.FLASH, {"cable": 700}, Trouble.LINK_LOST, "is the cable loose"),
        (LOADER, {"worn": {FLASH + 300}}, Trouble.NOT_VERIFIED, "differs from what was written"),
        (stm32_serial.FLASH, {"worn": {FLASH + 300}}, Trouble.NOT_VERIFIED, "differs from what"),
    ],
    ids=lambda value: value.name if isinstance(value, Tool) else str(value)[:20],
)
def test_an_stm32_that_cannot_be_written(
    tool: Tool, fault: dict[str, Any], trouble: Trouble, says: str, tmp_path: Path
) -> None:
    with Stm32Rom(**fault) as chip:
        failure = _fails(tool, _job(tmp_path, STM32, port=chip.port))
    assert failure.trouble is trouble and says in str(failure)


@pytest.mark.parametrize("stub", [False, True])
def test_an_esp32_over_its_uart(stub: bool, tmp_path: Path) -> None:
    with EspRom(unique_id=MAC) as chip:
        job = _job(tmp_path, {**ESP, "stub": stub}, port=chip.port, id=MAC)
        verified, seen = _flash(esp.TOOL, job)
        assert bytes(chip.flash[: len(IMAGE)]) == IMAGE and chip.stub == stub
    assert verified == "MD5 by the chip" and seen == sorted(seen) and seen[-1] == 1.0


@pytest.mark.parametrize(
    ("fault", "device", "trouble", "says"),
    [
        ({"chip": "esp32s3"}, "", Trouble.WRONG_CHIP, "This chip is ESP32-S3, not ESP32-C3"),
        ({}, "7cdfa1000002", Trouble.WRONG_CHIP, f"the chip there is {MAC}"),
        # It is written, and the tool ends with 0: nobody knows what is in the chip.
        ({"locked": True}, "", Trouble.LOCKED, "Secure Download Mode"),
        ({"worn": {77}}, "", Trouble.NOT_VERIFIED, "differs from what was written"),
        ({"cable": 700}, "", Trouble.LINK_LOST, "Lost connection"),
    ],
    ids=["kind", "id", "locked", "worn", "cable"],
)
def test_an_esp32_that_cannot_be_written(
    fault: dict[str, Any], device: str, trouble: Trouble, says: str, tmp_path: Path
) -> None:
    with EspRom(**fault) as chip:
        failure = _fails(esp.TOOL, _job(tmp_path, ESP, port=chip.port, id=device))
        assert (chip.written == 0) == (trouble is Trouble.WRONG_CHIP)
    assert failure.trouble is trouble and says in str(failure)


PROBE = UsbDevice("9-9", "0483:374b", "NOSUCH066C", "ST-LINK/V2.1", Path("/nowhere"))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("openocd", {"config": ["board/st_nucleo_f4.cfg"], "device_id": 0x421, "address": FLASH}),
        ("dfu-util", {"usb": "0483:df11", "address": FLASH}),
        ("pyocd", {"target": "cortex_m", "address": FLASH}),
    ],
)
def test_a_tool_without_its_device_ends_and_says_so(
    name: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    """The real tools, asked for a probe that is not there: none waits, none takes another."""
    _require_installed(TOOLS[name].command[0])
    failure = _fails(TOOLS[name], _job(tmp_path, settings, probe=PROBE))
    assert failure.trouble is Trouble.NOT_THERE, failure


def test_openocd_is_told_which_probe_and_asks_who_is_there(tmp_path: Path) -> None:
    """Its own Tcl runs the script; what a probe would answer is put in place of its commands."""
    settings = {"device_id": 0x421, "unique_id_address": 0x1FFF7A10, "address": FLASH}
    job = _job(tmp_path, settings, probe=PROBE, id=UID)
    lines = openocd.script(job)
    assert lines[:4] == [
        *("gdb_port disabled", "tcl_port disabled", "telnet_port disabled"),
        "adapter serial {NOSUCH066C}",
    ]
    numberless = dataclasses.replace(PROBE, serial="", path="1-2.3")
    of_place = openocd.script(_job(tmp_path, {"address": 0}, probe=numberless))
    assert of_place[3] == "adapter usb location 1-2.3"
    stand_ins = (
        "proc init {} {}",
        "proc reset {how} {}",
        "proc read_memory {address width count} { if {$address == 0xE0042000} "
        "{return 0x10006421} else {return {0x2f0021 0x31375105 0x38333233}} }",
        "proc program {args} {echo {** Verified OK **}; shutdown}",
    )
    words = [word for line in [*stand_ins, *lines] for word in ("-c", line)]
    other = [
        word
        for line in [
            *stand_ins,
            *openocd.script(_job(tmp_path, {**settings, "device_id": 0x413}, id=UID)),
        ]
        for word in ("-c", line)
    ]
    wrong = [word for line in [*stand_ins, *openocd.script(
        _job(tmp_path, settings, id=UID[:-1] + "4"))] for word in ("-c", line)]  # fmt: skip
    _require_installed("openocd")
    for command, settings_now, device, trouble in (
        (words, settings, UID, None),
        (other, {**settings, "device_id": 0x413}, UID, Trouble.WRONG_CHIP),
        (wrong, settings, UID[:-1] + "4", Trouble.WRONG_CHIP),
    ):
        done = subprocess.run(["openocd", *command], capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        found = run.understand(
            openocd.TOOL,
            _job(tmp_path, settings_now, id=device),
            Step((), 1.0, 1.0, r"\*\* Verified OK \*\*"),
            said,
            done.returncode,
        )
        assert ("Verified OK" in said) == (trouble is None), said
        assert (found.trouble if found else None) is trouble


IN_ITS_LOADER = UsbDevice("1-2.3", dfu_util.ROM, "386232543137", "STM32 BOOTLOADER", Path("/no"))


def _dfu_job(chip: Stm32Dfu, tmp_path: Path) -> Job:
    settings = {"usb": dfu_util.ROM, "address": FLASH}
    return _job(tmp_path, settings, probe=IN_ITS_LOADER, environment=chip.environment)


def test_an_stm32_over_usb(tmp_path: Path) -> None:
    """Written, read back, and only then told to start."""
    with Stm32Dfu() as chip:
        verified, seen = _flash(dfu_util.TOOL, _dfu_job(chip, tmp_path))
        assert bytes(chip.flash[: len(IMAGE)]) == IMAGE and chip.left
    assert verified == "read back by dfu-util" and seen == sorted(seen) and seen[-1] == 1.0


@pytest.mark.parametrize(
    ("fault", "trouble", "says"),
    [
        ({"locked": True}, Trouble.LOCKED, "(ERASE_PAGE not correctly executed)"),
        ({"worn": {FLASH + 700}}, Trouble.NOT_VERIFIED, "first at byte 700"),
        ({"cable": 0}, Trouble.NOT_THERE, "No DFU capable USB device"),
        ({"cable": 1}, Trouble.LINK_LOST, "is the cable loose"),
        ({"denied": True}, Trouble.NO_PERMISSION, "/etc/udev/rules.d/60-einthoven.rules"),
        # Others in their loaders: at another socket, or another chip at this one.
        ({"path": "1-2.4"}, Trouble.NOT_THERE, "No DFU capable USB device"),
        ({"serial": "386232543138"}, Trouble.NOT_THERE, "No DFU capable USB device"),
    ],
    ids=["locked", "worn", "gone", "pulled", "denied", "socket", "number"],
)
def test_an_stm32_over_usb_that_cannot_be_written(
    fault: dict[str, Any], trouble: Trouble, says: str, tmp_path: Path
) -> None:
    with Stm32Dfu(**fault) as chip:
        failure = _fails(dfu_util.TOOL, _dfu_job(chip, tmp_path))
        assert failure.trouble is trouble and says in str(failure)
        assert not chip.left
        if trouble in (Trouble.LOCKED, Trouble.NOT_THERE, Trouble.NO_PERMISSION):
            assert chip.written == 0 and set(chip.flash) == {0xA5}


SAYINGS = [
    ("openocd", "Error: libusb_open() failed with LIBUSB_ERROR_ACCESS", Trouble.NO_PERMISSION),
    ("openocd", "Error: stm32x device protected", Trouble.LOCKED),
    ("openocd", "** Verify Failed **", Trouble.NOT_VERIFIED),
    ("openocd", "Error: open failed", Trouble.NOT_THERE),
    ("dfu-util", "Cannot open DFU device 0483:df11 found on devnum 7 (LIBUSB_ERROR_ACCESS)",
     Trouble.NO_PERMISSION),
    ("dfu-util", "dfu-util: ERASE_PAGE not correctly executed", Trouble.LOCKED),
    ("dfu-util", "Error during download (LIBUSB_ERROR_NO_DEVICE)", Trouble.LINK_LOST),
    ("dfu-util", "dfu-util: No DFU capable USB device available", Trouble.NOT_THERE),
    ("pyocd", "No connected debug probe matches unique ID 'ABC'", Trouble.NOT_THERE),
    ("pyocd", "Target type stm32f446retx not recognized. Use 'pyocd list --targets' to see",
     Trouble.CHIP_UNKNOWN),
    ("pyocd", "Mismatched byte at 0x08000010 (offset 0x10): 0xff (memory) != 0x21 (file)",
     Trouble.NOT_VERIFIED),
    ("stm32flash", "Failed to verify at address 0x08000100, expected 0x01 and found 0x00",
     Trouble.NOT_VERIFIED),
    ("esptool", "A fatal error occurred: Failed to connect to ESP32-C3: No serial data received.",
     Trouble.NOT_THERE),
]  # fmt: skip


@pytest.mark.parametrize(("name", "line", "trouble"), SAYINGS)
def test_what_a_tool_says_is_understood(
    name: str, line: str, trouble: Trouble, tmp_path: Path
) -> None:
    job = _job(tmp_path, {}, probe=PROBE)
    for code in (0, 1, 74):
        found = run.understand(TOOLS[name], job, Step((), 1, 1, "never said"), line, code)
        assert found is not None and found.trouble is trouble
    if trouble is Trouble.NO_PERMISSION:
        assert 'ATTR{idVendor}=="0483", ATTR{idProduct}=="374b"' in str(found)


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("openocd", ["stm32x device protected", "** Verify Failed **", "** Verified OK **"]),
        ("dfu-util", ["No DFU capable USB device available", "%s not correctly executed",
                      "File downloaded successfully", "Lost device after RESET"]),
        ("stm32flash", ["Failed to verify at address", "Failed to open port: %s",
                        "target write-protected"]),
    ],
)  # fmt: skip
def test_a_tool_s_words_are_in_the_tool(tool: str, words: list[str]) -> None:
    """What an adapter looks for, the installed program can say."""
    _require_installed(tool)
    program = Path(shutil.which(tool) or "").read_bytes()
    for said in words:
        assert said.encode() in program, said


def test_the_number_of_a_chip_s_usb_loader_is_made_of_its_id() -> None:
    """Values of `desig_get_unique_id_as_dfu`, computed byte by byte as libopencm3 does."""
    uid = b"".join(int(UID[i : i + 8], 16).to_bytes(4, "little") for i in (0, 8, 16))
    total = int.from_bytes(uid[0:4], "little") + int.from_bytes(uid[8:12], "little")
    expected = f"{total & 0xFFFFFFFF:08X}{uid[7]:02X}{uid[6]:02X}"
    assert dfu_util.rom_serial(UID) == expected == "386232543137"
    assert dfu_util.rom_serial("7cdfa1000001") == dfu_util.rom_serial("x" * 24) == ""


def _tool(script: str, **more: Any) -> Tool:
    step = Step(("-c", script), 1.0, more.pop("limit_s", 60.0), more.pop("says", ""))
    return Tool("thing", ("sh",), "apt-get install thing", lambda job: [step], (), "by it", **more)


def test_a_tool_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    script = f"sleep 3600 & echo $! > {tmp_path}/child; echo waiting for a probe; wait"
    failure = _fails(_tool(script, limit_s=0.5), _job(tmp_path, {}))
    assert failure.trouble is Trouble.TIME_OUT and "waiting for a probe" in str(failure)
    child = (tmp_path / "child").read_text().strip()
    state = Path(f"/proc/{child}/stat")
    for _ in range(200):  # its new parent may take a while to bury it
        if not state.exists() or state.read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    pytest.fail(f"process {child} outlived the tool")


def test_a_tool_is_ended_when_the_user_stops(tmp_path: Path) -> None:
    stop = threading.Event()
    tool = dataclasses.replace(_tool("echo begun; sleep 3600"), stages={"begun": 0.5})
    with pytest.raises(FlashError) as caught:
        run.flash(tool, _job(tmp_path, {}), lambda done: stop.set(), stop)
    assert caught.value.trouble is Trouble.STOPPED


def test_a_tool_that_ends_well_and_says_nothing_has_done_nothing(tmp_path: Path) -> None:
    failure = _fails(_tool("echo no device; exit 0", says="Verified"), _job(tmp_path, {}))
    assert failure.trouble is Trouble.FAILED
    assert "thing did not say that it had succeeded: no device" in str(failure)


def test_a_missing_tool_names_its_package(tmp_path: Path) -> None:
    for tool in TOOLS.values():
        missing = dataclasses.replace(tool, command=("nonsense-tool",))
        failure = _fails(missing, _job(tmp_path, {}))
        assert failure.trouble is Trouble.TOOL_MISSING and tool.install in str(failure)


def test_a_port_that_may_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = tmp_path / "ttyUSB0"
    port.touch()
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != port)
    failure = _fails(esp.TOOL, _job(tmp_path, ESP, port=str(port)))
    assert failure.trouble is Trouble.NO_PERMISSION and "adduser $USER dialout" in str(failure)
    probe = dataclasses.replace(PROBE, node=port)
    failure = _fails(TOOLS["openocd"], _job(tmp_path, {"config": ["x"]}, probe=probe))
    assert "/etc/udev/rules.d/60-einthoven.rules" in str(failure)


def _drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> Path:
    drive = tmp_path / name
    drive.mkdir()
    (drive / "INFO_UF2.TXT").write_text("UF2 Bootloader v3.0\nBoard-ID: RPI-RP2\n")
    mounts = tmp_path / "mounts"
    with mounts.open("a") as file:
        file.write(f"/dev/{name}1 {drive} vfat rw 0 0\n")
    monkeypatch.setattr("einthoven.boards.uf2.MOUNTS", mounts)
    return drive


def test_of_two_drives_the_one_of_its_own_socket_gets_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, mine = (_drive(tmp_path, monkeypatch, name) for name in ("sdb", "sdc"))
    probe = UsbDevice("1-2", "2e8a:0003", "E0C9125B0D9B", "RP2 Boot", Path(), (), ("sdc", "sdc1"))

    def restart(done: float) -> None:
        if done >= 0.8:  # all of it has come
            (mine / "INFO_UF2.TXT").unlink(missing_ok=True)

    job = _job(tmp_path, {"family": "rp2040"}, probe=probe)
    assert "restarted" in uf2.write(job, restart, threading.Event())
    assert (mine / "einthoven.uf2").is_file() and not (other / "einthoven.uf2").exists()


def test_a_drive_that_does_not_restart_or_is_not_mounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _drive(tmp_path, monkeypatch, "sdb")
    monkeypatch.setattr(uf2, "LOOKS", 1)
    for drives, trouble in ((("sdb", "sdb1"), Trouble.TIME_OUT), (("sdx",), Trouble.NOT_THERE)):
        probe = UsbDevice("1-2", "2e8a:0003", "", "RP2 Boot", Path(), (), drives)
        with pytest.raises(FlashError) as caught:
            uf2.write(
                _job(tmp_path, {"family": "rp2040"}, probe=probe), lambda d: None, threading.Event()
            )
        assert caught.value.trouble is trouble
    assert "udisksctl mount -b /dev/sdx" in str(caught.value)


@pytest.mark.parametrize(
    ("at", "trouble"), [(1, Trouble.LINK_LOST), (2, None)], ids=["in the middle", "at the end"]
)
def test_a_drive_that_goes_away(
    at: int, trouble: Trouble | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel's answer to a synchronisation with a device that is gone. A chip that has the last
    block restarts at once; one that lacks it was pulled.
    """
    drive = _drive(tmp_path, monkeypatch, "sdb")
    calls: list[int] = []

    def sync(descriptor: int) -> None:
        calls.append(os.fstat(descriptor).st_size)
        if len(calls) == at:
            shutil.rmtree(drive)
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", sync)
    job = _job(tmp_path, {"family": "rp2040"})
    if trouble is None:
        assert "restarted" in uf2.write(job, lambda done: None, threading.Event())
        assert calls[1] - calls[0] == 512
        return
    with pytest.raises(FlashError, match=r"einthoven\.uf2: Input/output error") as caught:
        uf2.write(job, lambda done: None, threading.Event())
    assert caught.value.trouble is trouble


def test_a_drive_that_does_not_take_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drive = _drive(tmp_path, monkeypatch, "sdb")
    (drive / "einthoven.uf2").mkdir()
    with pytest.raises(FlashError, match=r"clinic-01: cannot write .*einthoven.uf2") as caught:
        uf2.write(_job(tmp_path, {"family": "rp2040"}), lambda done: None, threading.Event())
    assert caught.value.trouble is Trouble.LINK_LOST
    monkeypatch.setattr("einthoven.boards.uf2.MOUNTS", tmp_path / "none")
    (tmp_path / "none").touch()
    with pytest.raises(FlashError, match="hold BOOTSEL") as caught:
        uf2.write(_job(tmp_path, {"family": "rp2040"}), lambda done: None, threading.Event())
    assert caught.value.trouble is Trouble.NOT_THERE


def test_a_process_gets_its_program_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "simulated"
    job = _job(tmp_path, {"folder": str(folder)})
    assert copy.write(job, lambda done: None, threading.Event()) == "read back"
    assert (folder / "firmware.bin").read_bytes() == IMAGE
    (tmp_path / "file").touch()
    job = _job(tmp_path, {"folder": str(tmp_path / "file")})
    with pytest.raises(FlashError, match=r"clinic-01: .*(File exists|Not a directory)"):
        copy.write(job, lambda done: None, threading.Event())


def test_every_board_is_flashed_by_something_that_has_all_it_needs(tmp_path: Path) -> None:
    for name in list_boards():
        board = load_board(name)
        if board.command is None:
            assert names(board), name
        for flasher in board.flash_tools:
            found, settings = choose(board, flasher)
            assert found.name == flasher
            job = _job(tmp_path, settings, port="/dev/x", probe=PROBE)
            if flasher in TOOLS:
                assert all(step.command for step in TOOLS[flasher].steps(job)), (name, flasher)
    with pytest.raises(BoardError, match=r"not flashed by 'esptool': its board.toml has uf2, "):
        choose(load_board("pico"), "esptool")
    with pytest.raises(BoardError, match="is a process on this machine"):
        choose(load_board("host"), "openocd")


def test_a_command_of_board_toml_is_run_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chip = tmp_path / "chip"
    image = tmp_path / "firmware.bin"
    image.touch()
    board = dataclasses.replace(
        load_board("pico"),
        project=None,
        program=image,
        flash_command=("sh", "-c", f"cp {{program}} {chip}; echo {{port}} {{probe}} >> {chip}"),
        packages=(("sh", "dash"),),
    )
    flasher, settings = choose(board)
    assert flasher.name == "command" and flasher.needs_port
    flasher.write(
        _job(tmp_path, settings, port="/dev/x", probe=PROBE), lambda d: None, threading.Event()
    )
    assert chip.read_bytes() == IMAGE + b"/dev/x NOSUCH066C\n"
    bad = dataclasses.replace(
        board, flash_command=("sh", "-c", "echo Error: no device >&2; exit 1")
    )
    with pytest.raises(FlashError, match="clinic-01: sh ended with code 1: Error: no device"):
        choose(bad)[0].write(_job(tmp_path, {}), lambda d: None, threading.Event())
