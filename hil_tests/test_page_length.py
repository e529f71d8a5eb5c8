"""The page over long stretches: a log of two hundred strips, and memory while a stream goes on.

Eight hours of stream: `python -m einthoven.hil_tests.page_load memory`.
"""

import dataclasses
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import edfio
import numpy as np
import pyedflib
import pytest
import wfdb
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, expect

from einthoven.boards.board import build, load_board, running
from einthoven.device_log.testing import device_written_log
from einthoven.hil_tests.browser import PATIENCE_MS, Cable, chromium, opened
from einthoven.hil_tests.page_load import HISTORY_S, RATE_HZ, memory
from einthoven.native.log import Log
from einthoven.records.synth import make_record

STRIPS = 200
LENGTH = 30 * RATE_HZ
EVERY_S = 600


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def full_log() -> tuple[bytes, NDArray[np.int16]]:
    """The flash of a device that has kept two hundred strips, by its own C; the strips' samples.

    Of small beats, which take fewer bits: a log of full size takes minutes on a busy machine.
    """
    record = make_record(11, STRIPS * LENGTH / RATE_HZ / 10, float(RATE_HZ)).samples // 16
    some = record.astype(np.int16).reshape(-1, LENGTH)
    strips = np.stack([np.roll(some[i % len(some)], 7 * i) for i in range(STRIPS)])
    told = asdict(device_written_log()[2])
    log = Log(sectors=6, sector_bytes=0x20000)  # boards/host_device/log_port.c
    log.time_set(1_790_000_000_000, 1000)
    for i, samples in enumerate(strips):
        begin_s = EVERY_S * (i + 1)
        log.ecg(i + 1, samples, 1000 * (begin_s + 30))
        fields = {"number": i + 1, "begin_s": begin_s, "gain_lsb_per_mv": 200, "samples": LENGTH}
        log.append("strip", 1000 * (begin_s + 30), **fields, **told)
    return bytes(log.image), strips


def saved(page: Page, name: str, folder: Path) -> list[Path]:
    """The files in the zip file that a button gives."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / path.stem)
    return sorted((folder / path.stem).iterdir())


def test_a_log_of_two_hundred_strips(browser: Browser, tmp_path: Path) -> None:
    """Fetched over the wire; every strip is what the device wrote, by wfdb and EDF readers."""
    image, strips = full_log()
    (tmp_path / "flash").write_bytes(image)
    board = load_board("host_device")
    build(board)
    command = (*(board.command or ()), "--log", str(tmp_path / "flash"))
    with (
        running(dataclasses.replace(board, command=command)) as url,
        Cable(url) as cable,
        opened(browser, cable) as watch,
    ):
        page = watch.page
        page.get_by_role("button", name="Connect a board").click()
        page.get_by_role("tab", name="Log").click()
        page.get_by_role("button", name="Fetch the log").click()
        expect(page.get_by_text(f"Strips: {STRIPS}")).to_be_visible(timeout=5 * PATIENCE_MS)
        records = [p for p in saved(page, "WFDB", tmp_path) if p.suffix == ".hea"]
        edf = [p for p in saved(page, "EDF+", tmp_path) if p.suffix == ".edf"]
    assert len(records) == len(edf) == STRIPS
    assert [p.stem for p in records] == [p.stem for p in edf]
    for record, plus in zip(records, edf, strict=True):
        signal = wfdb.rdrecord(str(record.with_suffix("")), physical=False).d_signal[:, 0]
        at = _which(signal, strips)
        strips[at] = 0x7FFF  # each is there once
        np.testing.assert_array_equal(edfio.read_edf(plus).signals[0].digital, signal)
    with pyedflib.EdfReader(str(edf[-1])) as other:
        assert other.samples_in_file(0) == LENGTH


def _which(signal: NDArray[np.int64], strips: NDArray[np.int16]) -> int:
    found = np.flatnonzero((strips == signal).all(axis=1))
    assert len(found) == 1, "not a strip of this log, or one that came twice"
    return int(found[0])


def test_memory_stays_when_the_history_is_full(browser: Browser, tmp_path: Path) -> None:
    """A stream of an hour at a hundred times its speed, of which a tenth comes: what is old is let
    go. All samples that come behind the first look, kept as numbers, would be half a megabyte.
    """
    full, later = memory(browser, tmp_path, 100, [HISTORY_S + 30, HISTORY_S + 3000])
    assert later.came_s > full.came_s + 60
    assert later.heap_bytes < full.heap_bytes * 1.05 + 100_000
    assert later.listeners < full.listeners + 20
