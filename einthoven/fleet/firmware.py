"""What is going to be flashed: built here, or the operator's signed release."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from einthoven.boards.board import Board, build
from einthoven.errors import BoardError, KeysError
from einthoven.fleet import operator
from einthoven.fleet.image import Image, layout, parse, version_number, version_text
from einthoven.fleet.inventory import Fleet


@dataclass(frozen=True)
class Firmware:
    """An image for boards of one kind."""

    board: str
    program: Path
    """With addresses (ELF), or the same as `image`."""
    image: Path
    """As it lies in flash."""
    version: str = ""
    """Of a release; "" if it was built here."""
    address: int | None = None
    """Where it belongs; None: where the board's board.toml says."""

    @property
    def sha256(self) -> str:
        """Of the image, in hex."""
        return hashlib.sha256(self.image.read_bytes()).hexdigest()


def built(board: Board) -> Firmware:
    """Build the board's firmware. Raises BuildError."""
    build(board)
    return as_built(board)


def as_built(board: Board) -> Firmware:
    """What the board's last build made. Raises BoardError if there was none."""
    program = board.program
    if not program.exists():
        raise BoardError(f"{board.name} is not built: run `einthoven build {board.name}`")
    plain = program.with_suffix(".bin")
    image = plain if board.command is None and plain.exists() else program
    return Firmware(board.name, program, image)


def released(folder: Path, board: Board, trusted: Ed25519PublicKey | None) -> Firmware:
    """A release's firmware for the board, from what `einthoven sign-image` wrote into `folder`.

    `trusted`: who must have signed it; None: nobody need. Raises KeysError if it is not there,
    damaged, for another board, or signed by somebody else.
    """
    if board.slots is None:
        raise KeysError(
            f"{board.name} has no slots for signed firmware (docs/security.md): it cannot have a "
            "release"
        )
    path = folder / f"{board.name}.bin"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise KeysError(f"no {path}: make the release with `einthoven sign-image`") from None
    image = _within(content, board, path)
    if image.board != board.name:
        raise KeysError(f"{path} is for {image.board}, not for {board.name}")
    if trusted is not None:
        image.require_signature(trusted)
    version = version_text(image.version)
    return Firmware(board.name, path, path, version, board.slots.boot_address)


def _within(content: bytes, board: Board, path: Path) -> Image:
    """The signed image behind the boot stage."""
    assert board.slots is not None
    for _, address in board.slots.images:
        at = address - board.slots.boot_address
        if content[at:].startswith(layout().magic):
            return parse(content[at:])
    raise KeysError(f"{path} holds no signed image: make the release with `einthoven sign-image`")


def trusted_key(fleet: Fleet, unsigned: bool) -> Ed25519PublicKey | None:
    """Whose firmware may be flashed in this fleet; None: anybody's. Raises KeysError."""
    if fleet.signed_by is None or unsigned:
        return None
    return operator.verifying_key(fleet.signed_by)


def require_signed(fleet: Fleet, board: Board, release: Path | None, unsigned: bool) -> None:
    """Raise KeysError for firmware that this fleet's operator has not signed.

    Boards without slots cannot have signed firmware: in a fleet whose operator signs they are
    flashed on his word (`--unsigned`) alone.
    """
    if fleet.signed_by is None or unsigned or (release is not None and board.slots is not None):
        return
    what = (
        f"{board.name} takes signed firmware: name the release with --release DIR"
        if board.slots
        else f"{board.name} cannot have signed firmware (docs/security.md)"
    )
    raise KeysError(
        f"{fleet.path} says that {fleet.signed_by.name} signs its firmware, and {what}; or flash "
        "with --unsigned what nobody has signed"
    )


def require_newer(name: str, version: str, before: str) -> None:
    """Raise KeysError if `before`, the version that a device has, is newer than `version`."""
    if version and before and version_number(version) < version_number(before):
        raise KeysError(
            f"{name} has {before}, and {version} is older: flash it with --allow-downgrade if you "
            "mean it"
        )
