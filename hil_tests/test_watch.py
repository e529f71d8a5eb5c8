"""A board's own signal, watched: every sample and event, and what is missing is said."""

import dataclasses
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from einthoven.boards.board import build, load_board, running
from einthoven.errors import LinkError
from einthoven.hil_tests.faults import TO_BOARD, TO_HOST, Fault, FaultyLink
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.watching import Began, Item, Missing, Samples, Watcher
from einthoven.native import core
from einthoven.records.synth import make_record
from einthoven.wire.codec import Message

CHUNK = 600
"""Samples at a time, less than the board keeps: however busy the machine, nothing need be lost."""
PARTIAL = 60


@pytest.fixture(scope="module")
def ecg() -> NDArray[np.int16]:
    return make_record(11, 20.0, 180.0).samples


@contextmanager
def playing(samples: NDArray[np.int16], folder: Path) -> Iterator[str]:
    """The host board, whose ADC gives `samples` in real time, over and over."""
    path = folder / "ecg.bin"
    samples.astype("<i2").tofile(path)
    with with_adc(path) as url:
        yield url


@contextmanager
def with_adc(path: Path) -> Iterator[str]:
    board = load_board("host")
    build(board)
    assert board.command is not None
    command = (*board.command, "--adc", str(path))
    with running(dataclasses.replace(board, command=command)) as url:
        yield url


@contextmanager
def giving(folder: Path) -> Iterator[tuple[str, Callable[[bytes], int]]]:
    """The host board, whose ADC gives what the test writes, when it writes it."""
    path = folder / "adc"
    os.mkfifo(path)
    fifo = os.open(path, os.O_RDWR)  # so that opening it waits for nobody
    try:
        with with_adc(path) as url:
            yield url, lambda data: os.write(fifo, data)
    finally:
        os.close(fifo)


def watch_all(device: Device, write: Callable[[bytes], int], ecg: NDArray[np.int16]) -> list[Item]:
    watcher = Watcher(device)
    items: list[Item] = []
    for first in range(0, len(ecg), CHUNK):
        chunk = ecg[first : first + CHUNK]
        write(chunk.astype("<i2").tobytes())
        while taken(items) < first + len(chunk) - PARTIAL:
            items += watcher.take()
    while device.info()["samples"] < len(ecg):
        pass
    return items + watcher.stop()


def taken(items: list[Item]) -> int:
    return sum(len(i.values) for i in items if isinstance(i, Samples))


def assert_whole(items: list[Item], ecg: NDArray[np.int16]) -> None:
    """Samples and what is missing follow each other, and each sample is the file's."""
    assert isinstance(items[0], Began)
    at = items[0].at
    for item in items:
        if isinstance(item, Samples):
            assert item.start == at
            expected = ecg[np.arange(at, at + len(item.values)) % len(ecg)]
            np.testing.assert_array_equal(item.values, expected)
            at += len(item.values)
        elif isinstance(item, Missing):
            assert item.start == at
            at += item.count


def beats(items: list[Item]) -> list[int]:
    return [i["t_samples"] for i in items if isinstance(i, Message) and i.name == "beat"]


def assert_complete(items: list[Item], ecg: NDArray[np.int16]) -> None:
    assert_whole(items, ecg)
    assert [i for i in items if isinstance(i, Missing)] == []
    assert taken(items) == len(ecg)
    assert beats(items) == core.analyze(ecg, 200, (-2048, 2047)).t_samples.tolist()
    numbers = [i["number"] for i in items if isinstance(i, Message)]
    assert numbers == list(range(len(numbers)))


def test_every_sample_and_event(ecg: NDArray[np.int16], tmp_path: Path) -> None:
    with giving(tmp_path) as (url, write), Device(url) as device:
        assert_complete(watch_all(device, write, ecg), ecg)
        assert device.link.events_lost == 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop", TO_HOST, 900, 60),
        Fault("double", TO_HOST, 1200, 2),
        Fault("flip", TO_HOST, 1500),
        Fault("drop", TO_BOARD, 150, 12),
        Fault("cut", TO_HOST, 1300),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.direction}",
)
def test_a_bad_cable_loses_nothing(ecg: NDArray[np.int16], tmp_path: Path, fault: Fault) -> None:
    with (
        giving(tmp_path) as (url, write),
        FaultyLink(url, [fault]) as link,
        Device(link.url) as device,
    ):
        assert_complete(watch_all(device, write, ecg), ecg)


def test_what_nobody_fetched_is_said(ecg: NDArray[np.int16], tmp_path: Path) -> None:
    with giving(tmp_path) as (url, write), Device(url) as device:
        watcher = Watcher(device)
        items = watcher.take()
        write(ecg.astype("<i2").tobytes())
        while device.info()["samples"] < len(ecg):
            pass  # what comes before the reply is thrown away
        items += watcher.take() + watcher.stop()
    assert_whole(items, ecg)
    missing = [i for i in items if isinstance(i, Missing)]
    assert missing and all(i.by == "link" for i in missing)
    assert taken(items) + sum(i.count for i in missing) == len(ecg)


def test_who_comes_back_goes_on_in_the_same_session(ecg: NDArray[np.int16], tmp_path: Path) -> None:
    with playing(ecg, tmp_path) as url:
        with Device(url) as device:
            watcher = Watcher(device)
            while not watcher.session:
                watcher.take()
            session = watcher.session
        with Device(url) as device:
            again = Watcher(device)
            items = [*again.take(), *again.take()]
    began = [i for i in items if isinstance(i, Began)]
    assert [b.session for b in began] == [session]
    assert_whole(items, ecg)


def test_a_board_that_was_reset_begins_anew(ecg: NDArray[np.int16], tmp_path: Path) -> None:
    with playing(ecg, tmp_path) as url, Device(url) as device:
        watcher = Watcher(device)
        while not watcher.session:
            watcher.take()
        device.reset()
        items: list[Item] = []
        while not any(isinstance(i, Samples) for i in items):
            items += watcher.take()
    began = [i for i in items if isinstance(i, Began)]
    assert began and began[-1].at == 0


def test_a_board_that_is_gone(ecg: NDArray[np.int16], tmp_path: Path) -> None:
    with playing(ecg, tmp_path) as url:
        device = Device(url)
        watcher = Watcher(device)
    with pytest.raises(LinkError, match="is gone"):
        for one, _ in pairwise(range(100)):
            watcher.take(one * 0.01)
    device.close()
