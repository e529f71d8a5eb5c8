"""What an adapter is given, and what it says of its tool."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from einthoven.errors import BoardError
from einthoven.fleet.flashers.trouble import Trouble
from einthoven.fleet.usb import UsbDevice


@dataclass(frozen=True)
class Job:
    """One device to be flashed by one tool."""

    name: str
    """The device's, in messages."""
    board: str
    program: Path
    """ELF file, with addresses."""
    image: Path
    """The same as it lies in flash, from `address` on."""
    settings: Mapping[str, Any]
    """`[flash.TOOL]` of the board's board.toml, over what `[flash]` says of the chip."""
    id: str = ""
    """The unique id that the chip must have; "": any."""
    probe: UsbDevice | None = None
    port: str | None = None
    scratch: Path = Path()
    """A folder of the job's own."""
    environment: Mapping[str, str] | None = None
    """For its tool; None: this program's."""

    def text(self, key: str) -> str:
        """A setting. Raises BoardError if board.toml lacks it."""
        value = self.settings.get(key)
        if not isinstance(value, str) or not value:
            raise BoardError(f"boards/{self.board}/board.toml: its flasher needs a text '{key}'")
        return value

    def number(self, key: str) -> int | None:
        """A number that need not be there. Raises BoardError if it is none."""
        value = self.settings.get(key)
        if value is not None and not isinstance(value, int):
            raise BoardError(f"boards/{self.board}/board.toml: '{key}' is no number")
        return value

    @property
    def address(self) -> int:
        """Of the image in the chip. Raises BoardError."""
        value = self.number("address")
        if value is None:
            raise BoardError(f"boards/{self.board}/board.toml: its flasher needs an 'address'")
        return value

    @property
    def serial_port(self) -> str:
        """The port. Raises BoardError if there is none."""
        if self.port is None:
            raise BoardError(f"{self.name}: name the port that it is flashed through")
        return self.port


@dataclass(frozen=True)
class Chip:
    """Whom a tool found."""

    device_id: int | None = None
    """Of the kind of chip, as ST's DBGMCU_IDCODE has it."""
    unique_id: str = ""
    """As the firmware says it."""


@dataclass(frozen=True)
class Step:
    """One call of the tool."""

    command: tuple[str, ...]
    share: float
    """Of the whole job, 0 to 1: for progress."""
    limit_s: float
    """It is ended after so long."""
    says: str = ""
    """What a call that went well prints; its exit code alone tells nothing. "": it tells."""
    after: Callable[[], None] | None = None
    """What is checked when it has ended well; raises FlashError."""


Troubles = tuple[tuple[str, Trouble], ...]
"""What a tool prints (regular expressions, the first that is found counts), and what it means."""

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?) ?%")


@dataclass(frozen=True)
class Tool:
    """A program that flashes."""

    name: str
    command: tuple[str, ...]
    """How it is started."""
    install: str
    """What to run if it is missing."""
    steps: Callable[[Job], list[Step]]
    """Its calls for a job: identify, write, verify, start."""
    troubles: Troubles
    verified: str
    """How it knows that the chip holds the image."""
    stages: Mapping[str, float] = field(default_factory=dict)
    """Lines that it prints, and how much of the step is done then; else its percentages count."""
    phases: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """What its percentages are of, by how the line begins: where that lies in the step, 0 to 1, and
    its share; of other lines the whole step."""
    probes: frozenset[str] = frozenset()
    """`vendor:product` of what it flashes through, if that is a USB device and not a port."""
    chip: Callable[[str], Chip] | None = None
    """Who is in its output; None: it does not tell."""
    needs_port: bool = False
    """It speaks to a serial port."""
    wake: str = ""
    """How a board is made to wait for it, if that is done by hand."""

    def done(self, line: str) -> float | None:
        """How much of a step is done after this line; None: it does not say."""
        for words, share in self.stages.items():
            if words in line:
                return share
        found = None if self.stages else _PERCENT.search(line)
        if found is None:
            return None
        begin, share = next(
            (part for words, part in self.phases.items() if line.startswith(words)), (0.0, 1.0)
        )
        return begin + share * min(float(found[1]), 100.0) / 100
