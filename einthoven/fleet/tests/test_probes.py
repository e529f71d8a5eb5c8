"""Debug probes by pyOCD's list: its own words for probes that are told to be there, said by a
program in its place."""

import json
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from pyocd.board.board_ids import BOARD_ID_TO_INFO
from pyocd.core.helpers import ConnectHelper
from pyocd.tools.lists import ListGenerator

from einthoven.errors import BoardError
from einthoven.fleet import probes, usb
from einthoven.fleet.inventory import Entry, Fleet
from einthoven.fleet.scan import Found, Who, scan, toml
from einthoven.fleet.testing.machine import Machine

ST_LINK_V2, ST_LINK_V21, J_LINK = "0483:3748", "0483:374b", "1366:0105"
Say = Callable[..., None]


def _probe(number: str, vendor: str, product: str, board: str = "") -> SimpleNamespace:
    """As pyOCD describes a probe to its list; `board`: the code of ST's or mbed's."""
    return SimpleNamespace(
        unique_id=number,
        vendor_name=vendor,
        product_name=product,
        associated_board_info=BOARD_ID_TO_INFO[board] if board else None,
    )


@pytest.fixture
def pyocd_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    """`python -m pyocd` prints this instead; what it was asked for lands beside."""
    package = tmp_path / "stand_in" / "pyocd"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(package.parent))

    def say(text: str, code: int = 0) -> None:
        (package / "__main__.py").write_text(
            "import pathlib, sys\n"
            f"pathlib.Path({str(tmp_path / 'asked')!r}).write_text(' '.join(sys.argv[1:]))\n"
            f"print({text!r})\nsys.exit({code})\n"
        )

    return say


def _list_of(*there: SimpleNamespace) -> str:
    """What pyOCD's own generator makes of these probes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ConnectHelper, "get_all_connected_probes", lambda blocking: list(there))
        return json.dumps(ListGenerator.list_probes(), indent=4)


def _scan(ask: Callable[[str, int], Who | None] = lambda port, baud: None) -> list[Found]:
    return scan(Fleet(Path("fleet.toml"), ()), usb.plugged_in(), ask, probes.plugged_in())


def test_pyocd_itself_answers_in_the_format() -> None:
    """Without a probe here; one that is plugged in would be listed."""
    assert all(one.number and one.what for one in probes.plugged_in())


def test_probes_come_with_their_tool_and_number(
    pyocd_says: Say, machine: Machine, tmp_path: Path
) -> None:
    pyocd_says(
        _list_of(
            _probe("066CFF31", "STMicroelectronics", "STM32 STLink", "0777"),
            _probe("000050123456", "SEGGER", "J-Link"),
        )
    )
    assert probes.plugged_in() == [
        probes.Probe("066CFF31", "NUCLEO-F446RE", "stm32f446retx"),
        probes.Probe("000050123456", "SEGGER J-Link", ""),
    ]
    assert (tmp_path / "asked").read_text() == "json --probes --no-config"
    machine.plug("1-1", ST_LINK_V21, "066CFF31", "ST-LINK/V2.1", "ttyACM")
    machine.plug("1-2", J_LINK, "000050123456", "J-Link")
    machine.plug("1-3", ST_LINK_V2, "\x12?q", "STM32 STLink")  # a clone, whose number is no text
    nucleo, j_link, clone = _scan()
    assert nucleo.entry == Entry(
        "nucleo_f446re-01",
        board="nucleo_f446re",
        port="serial:066CFF31",
        probe="serial:066CFF31",
        flasher="openocd",  # the board's usual one
    )
    assert j_link.entry == Entry("device-01", probe="serial:000050123456", flasher="pyocd")
    assert {"nucleo_f446re", "pico"} <= set(j_link.boards)
    assert "esp32dev" not in j_link.boards
    # Which tool is the board's affair, and they differ.
    assert clone.entry == Entry("device-02", probe="usb:1-3")
    tables = tomllib.loads(toml([nucleo, j_link, clone]))["device"]
    assert [table.get("flasher") for table in tables] == ["openocd", "pyocd", None]


def test_another_board_with_the_same_probe_is_not_taken_for_ours(
    pyocd_says: Say, machine: Machine
) -> None:
    """A Nucleo with an F411 has the F446's probe, to the USB number."""
    pyocd_says(_list_of(_probe("0670FF", "STMicroelectronics", "STM32 STLink", "0740")))
    machine.plug("1-1", ST_LINK_V21, "0670FF", "ST-LINK/V2.1", "ttyACM")
    (found,) = _scan()
    assert found.entry.board == "" and "nucleo_f446re" not in found.boards
    assert found.entry.port == found.entry.probe == "serial:0670FF"


def test_a_board_that_answers_behind_a_probe_has_the_probes_tool(
    pyocd_says: Say, machine: Machine
) -> None:
    pyocd_says(_list_of(_probe("E6614C311B", "Raspberry Pi", "Debug Probe (CMSIS-DAP)")))
    machine.plug("1-1", "2e8a:000c", "E6614C311B", "Debug Probe (CMSIS-DAP)", "ttyACM")
    machine.plug("1-2", J_LINK, "000050123456", "J-Link")  # unseen by pyOCD, and of no kind of ours
    (found,) = _scan(lambda port, baud: Who("pico", "e6605481"))
    assert found.entry.board == "pico" and found.entry.id == "e6605481"
    assert (found.entry.probe, found.entry.flasher) == ("serial:E6614C311B", "openocd")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Traceback (most recent call last):", "install pyocd 0.46"),
        ('{"status": 0, "boards": [{"id": 1}]}', "install pyocd 0.46"),
        ('{"status": 0}', "install pyocd 0.46"),
        ('{"status": 1, "error": "No backend\\navailable", "boards": []}', "No backend available"),
    ],
)
def test_what_it_says_in_trouble_is_told_in_a_line(pyocd_says: Say, text: str, words: str) -> None:
    pyocd_says(text, 1)
    with pytest.raises(BoardError, match=words) as told:
        probes.plugged_in()
    assert "\n" not in str(told.value)


def test_a_pyocd_that_hangs_is_left(pyocd_says: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "TOOL", SimpleNamespace(command=(sys.executable, "-c", _HANGS)))
    monkeypatch.setattr(probes, "_LIMIT_S", 0.2)
    with pytest.raises(BoardError, match="named no probes within"):
        probes.plugged_in()


_HANGS = "import time; time.sleep(600)"


def test_without_pyocd_nothing_is_asked(
    pyocd_says: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pyocd_says("not asked")
    monkeypatch.setattr(probes, "find_spec", lambda name: None)
    assert probes.plugged_in() == []
    assert not (tmp_path / "asked").exists()
