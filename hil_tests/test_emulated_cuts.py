"""Power cuts of the log on the emulated chip; `make cuts BOARD=…` makes more."""

import subprocess
from pathlib import Path

import pytest

from einthoven.errors import UsageError
from einthoven.hil_tests.harness import cuts
from einthoven.hil_tests.harness.beside import compile_flash
from einthoven.native.log import Log

pytestmark = pytest.mark.board


def test_eight_cuts_lose_nothing() -> None:
    found = cuts.cut_power(8)
    assert found.cuts == 8 and found.lost == [] and found.operations["erase"] == 1
    assert found.records > 25, "each life writes a boot at least, most a part of a strip"


def test_a_record_that_is_gone_is_missed_and_one_that_was_given_up_is_not() -> None:
    log = Log(sectors=3, sector_bytes=2048)
    log.append("minute", 1000, normal=70)
    before = cuts.records_of(bytes(log.image))
    assert len(before) >= 2 and cuts.missing(before, before) == []
    (last, *_), kept = sorted(before, reverse=True), dict(before)
    del kept[last]
    assert len(cuts.missing(before, kept)) == 1
    after, minute = before, 1
    while before.keys() <= after.keys():  # until the oldest sector goes
        minute += 1
        log.append("minute", 60_000 * minute, normal=70 + minute % 9)
        after = cuts.records_of(bytes(log.image))
    assert 1 in cuts.given_up(after) and cuts.missing(before, after) == []


def test_a_board_without_a_flash_beside_it() -> None:
    with pytest.raises(UsageError, match="no flash beside it: choose qemu_stm32f405_device"):
        cuts.cut_power(1, "host")


def test_the_flash_says_what_it_cannot_be(tmp_path: Path) -> None:
    words = [compile_flash(tmp_path), tmp_path / "log", tmp_path / "pipes", "1", "4096"]
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "no flash of sectors and bytes" in done.stderr
