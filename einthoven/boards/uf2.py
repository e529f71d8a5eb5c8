"""An image as UF2, and onto the drive as which a boot loader of the RP2040 or RP2350 shows itself.

    python -m einthoven.boards.uf2 firmware.bin rp2040 [--out firmware.uf2]

The format: https://github.com/microsoft/uf2. Blocks of 512 bytes, 256 of them the image's, each
with the address that it belongs to, so that it does not matter in which order the drive gets them.
"""

import argparse
import os
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from einthoven.errors import BoardError, EinthovenError

_MAGIC = 0x0A324655, 0x9E5D5157
_MAGIC_END = 0x0AB16F30
_FAMILY_PRESENT = 0x2000
_PAYLOAD, _BLOCK = 256, 512
_HEADER = struct.Struct("<8I")
INFO = "INFO_UF2.TXT"
"""What such a drive holds, with the line `Board-ID: …`."""
MOUNTS = Path("/proc/mounts")


@dataclass(frozen=True)
class Family:
    """A chip: its number in the format, where its flash begins, how its drive calls itself."""

    number: int
    start: int
    board_id: str


FAMILIES = {
    "rp2040": Family(0xE48BFF56, 0x10000000, "RPI-RP2"),
    "rp2350": Family(0xE48BFF59, 0x10000000, "RP2350"),  # its Arm cores, Secure
    "rp2350-riscv": Family(0xE48BFF5A, 0x10000000, "RP2350"),
}


def encode(image: bytes, family: Family) -> bytes:
    """`image` for the start of the chip's flash, as UF2. Raises ValueError for an empty one."""
    if not image:
        raise ValueError("an image without a byte")
    pieces = [image[at : at + _PAYLOAD] for at in range(0, len(image), _PAYLOAD)]
    blocks = []
    for number, piece in enumerate(pieces):
        head = _HEADER.pack(
            *_MAGIC, _FAMILY_PRESENT, family.start + number * _PAYLOAD, _PAYLOAD,
            number, len(pieces), family.number,
        )  # fmt: skip
        # What the last piece lacks is what erased flash holds.
        data = piece.ljust(_PAYLOAD, b"\xff").ljust(476, b"\0")
        blocks.append(head + data + struct.pack("<I", _MAGIC_END))
    return b"".join(blocks)


def drives() -> list[Path]:
    """Where file systems are mounted, as Linux and macOS say it."""
    found: Iterable[Path] = Path("/Volumes").glob("*")
    if MOUNTS.exists():
        words = (line.split(" ") for line in MOUNTS.read_text().splitlines())
        found = (Path(w[1].replace("\\040", " ")) for w in words if len(w) > 1)
    return sorted(set(found))


def find_drive(family: Family, among: Iterable[Path]) -> Path:
    """The one drive of a boot loader of that family. Raises BoardError."""
    there = []
    for drive in among:
        try:
            text = (drive / INFO).read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        if f"Board-ID: {family.board_id}" in text:
            there.append(drive)
    if not there:
        raise BoardError(
            f"no drive {family.board_id} is mounted: hold BOOTSEL while plugging the board in, and "
            "let the drive be mounted"
        )
    if len(there) > 1:
        names = ", ".join(map(str, there))
        raise BoardError(f"several boards wait for an image ({names}): leave one plugged in")
    return there[0]


def write(data: bytes, path: Path) -> None:
    """All of `data` on the drive before it returns. Raises BoardError.

    The chip restarts when it has every block, and its drive is gone before the system has heard
    that the last one arrived. So that one goes alone: before it, a drive that goes away was pulled.
    """
    try:
        with path.open("wb", buffering=0) as file:
            _send(file, data[:-_BLOCK])
            try:
                _send(file, data[-_BLOCK:])
            except OSError:
                if path.parent.is_dir() and (path.parent / INFO).exists():
                    raise
    except OSError as error:
        raise BoardError(f"cannot write {path}: {error.strerror or error}") from error


def _send(file: FileIO, data: bytes) -> None:
    """All of it, to the device itself. Raises OSError."""
    while data:
        data = data[file.write(data) :]
    os.fsync(file.fileno())


def main(argv: list[str] | None = None) -> int:
    """Write the image to the drive, or to `--out`."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.boards.uf2", description="An image as UF2 onto a board's drive."
    )
    parser.add_argument("image", type=Path)
    parser.add_argument("family", choices=sorted(FAMILIES))
    parser.add_argument("--out", type=Path, help="file to write instead of the drive")
    args = parser.parse_args(argv)
    family = FAMILIES[args.family]
    try:
        image = args.image.read_bytes()
        where = args.out or find_drive(family, drives()) / "einthoven.uf2"
        write(encode(image, family), where)
    except (EinthovenError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"written to {where}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
