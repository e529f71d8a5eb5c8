"""A release: the boot stage with the operator's key in it, and a signed image for each slot."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from einthoven.boards.board import Board, build
from einthoven.errors import BoardError, KeysError
from einthoven.fleet.image import Image, layout, parse, sign

BOOT_WORDS = b"EINTHOVEN BOOT 1"
"""What stands before the operator's public key in the boot stage (boards/stm32f4_boot/boot.c)."""
_KEY_BYTES = 32


@dataclass(frozen=True)
class Release:
    """What is flashed by cable, and what is sent over the wire later."""

    boot: bytes
    boot_address: int
    images: tuple[Image, ...]


def make(board: Board, version: int, key: Ed25519PrivateKey) -> Release:
    """Build boot stage and images of a board with slots (`[slots]` of its board.toml), and sign.

    Raises BoardError for a board without, BuildError, KeysError if an image is too large.
    """
    if board.slots is None:
        raise BoardError(
            f"{board.name} has no slots for signed images (docs/security.md): choose a board that "
            "has, such as qemu_stm32f405_device"
        )
    boot = with_key(_binary(board, board.slots.boot), key.public_key().public_bytes_raw())
    images = []
    for environment, address in board.slots.images:
        images.append(sign(_binary(board, environment), board.name, version, address, key))
    return Release(boot, board.slots.boot_address, tuple(images))


def with_key(boot: bytes, public_key: bytes) -> bytes:
    """The boot stage with the operator's public key. Raises KeysError if it is no boot stage."""
    at = boot.find(BOOT_WORDS) + len(BOOT_WORDS)
    if boot.count(BOOT_WORDS) != 1 or len(boot) < at + _KEY_BYTES:
        raise KeysError("the boot stage that was built has no place for the operator's key")
    return boot[:at] + public_key + boot[at + _KEY_BYTES :]


def whole(release: Release, slot: int = 0) -> bytes:
    """What a cable writes from the boot stage's address on: it, a gap of 0xFF, and one image."""
    image = release.images[slot]
    gap = image.load - release.boot_address
    return release.boot.ljust(gap, b"\xff") + image.file


def free(images: Sequence[Path], load: int) -> Image:
    """Of a release's image files the one that is linked for address `load`.

    Raises KeysError if none is, or if a file is no image.
    """
    found = [parse(path.read_bytes()) for path in images]
    for image in found:
        if image.load == load:
            return image
    theirs = ", ".join(f"0x{image.load:08x}" for image in found)
    raise KeysError(
        f"the free slot is at 0x{load:08x}, and the images are linked for {theirs}: name all of "
        "the release's images"
    )


def _binary(board: Board, environment: str) -> bytes:
    other = board.program.parent.parent / environment / board.program.name
    program = build(replace(board, environment=environment, program=other))
    content = program.with_suffix(".bin").read_bytes()
    if environment != board.environment and len(content) > layout().max_bytes:
        raise KeysError(f"{environment} has {len(content):,} bytes: more than an image takes")
    return content
