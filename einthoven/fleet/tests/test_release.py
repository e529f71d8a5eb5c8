"""A release: the operator's key goes into the boot stage, the free slot gets its own image."""

from dataclasses import replace
from pathlib import Path

import pytest

from einthoven.boards.board import load_board
from einthoven.errors import BoardError, KeysError
from einthoven.fleet import operator, release
from einthoven.fleet.image import sign

BOOT = b"before" + release.BOOT_WORDS + bytes(32) + b"after"


def test_the_operator_s_key_goes_into_the_boot_stage() -> None:
    key = bytes(range(32))
    assert release.with_key(BOOT, key) == b"before" + release.BOOT_WORDS + key + b"after"
    for other in (b"", BOOT + BOOT, release.BOOT_WORDS + bytes(31)):
        with pytest.raises(KeysError, match="no place for the operator's key"):
            release.with_key(other, key)


def test_the_image_for_the_free_slot_is_found(tmp_path: Path) -> None:
    paths = []
    for slot, load in enumerate((0x08020000, 0x08040000)):
        paths.append(tmp_path / f"{slot}.img")
        paths[-1].write_bytes(sign(b"program", "board", 1, load, None).file)
    assert release.free(paths, 0x08040000).load == 0x08040000
    with pytest.raises(KeysError, match="name all of the release's images"):
        release.free(paths[:1], 0x08040000)
    paths[0].write_bytes(b"something else")
    with pytest.raises(KeysError, match="no firmware image"):
        release.free(paths, 0x08040000)


def test_what_a_cable_writes() -> None:
    images = tuple(sign(b"program", "board", 1, load, None) for load in (0x08020000, 0x08040000))
    made = release.Release(BOOT, 0x08000000, images)
    whole = release.whole(made)
    assert whole.startswith(BOOT) and set(whole[len(BOOT) : 0x20000]) == {0xFF}
    assert whole[0x20000:] == images[0].file


def test_a_board_without_slots_is_refused(tmp_path: Path) -> None:
    operator.make(tmp_path)
    board = replace(load_board("qemu_stm32f405_device"), slots=None)
    with pytest.raises(BoardError, match="has no slots for signed images"):
        release.make(board, 1, operator.signing_key(tmp_path / "operator-sign.key"))
