"""The application on each emulated core, beside whatever board is under test.

A small sample; `make boards` runs more.
"""

from dataclasses import asdict

import numpy as np
import pytest

from einthoven.boards import resources
from einthoven.boards.board import build, load_board, running
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.host import Host
from einthoven.hil_tests.harness.record import board_events
from einthoven.paths import SHIPPED_MODEL
from einthoven.records.synth import make_record

CORES = (
    *("qemu_cortex_m3", "qemu_cortex_m33", "qemu_cortex_m55"),
    *("qemu_hazard3", "qemu_lx106", "rp2040js_pico"),
)

INTERRUPTS = 40 * 1024
"""Instructions that an inference is interrupted for, at most: those of a byte received, and the
bytes that a board has room for, which no more than its credit lets be under way."""


@pytest.fixture(scope="module", params=CORES)
def core(request: pytest.FixtureRequest) -> str:
    build(load_board(request.param))
    return str(request.param)


def test_it_says_of_half_a_minute_what_the_host_says(core: str) -> None:
    samples = make_record(3, 20.0, 180.0).samples
    expected, verdict, wrong = Host(SHIPPED_MODEL / "model.tflite", every=1).check(
        samples, 200, (-2048, 2047)
    )
    board = load_board(core)
    with running(board) as url, Device(url) as device:
        assert device.hello.count_unit == board.count_unit
        replayed = device.replay(samples)
        told = board_events(replayed.events)
        info = device.info()
        device.reset()
        assert device.hello.reset_reason == "software"
    assert wrong is not None and wrong.differences == []
    rows = told.beats.copy()
    assert (rows["count"] > 100_000).all()
    rows["count"] = 0
    assert len(rows) > 15
    assert rows.tobytes() == expected.beats.tobytes()
    assert told.rhythm.tobytes() == expected.rhythm.tobytes()
    assert replayed.verdict == verdict
    assert info["rx_overruns"] == 0
    assert info["stack_used_bytes"] < info["stack_bytes"]
    counts = told.beats["count"].astype(np.int64)
    # Clamps are branches on some cores; interrupts by what comes meanwhile are counted, too.
    assert np.ptp(counts) < 0.01 * counts.max() + INTERRUPTS


def test_it_stays_within_the_limits_of_every_image(core: str) -> None:
    image = resources.measure(load_board(core))
    assert image is not None
    assert resources.check(core, asdict(image)) == []
    assert image.stack_bound_bytes < image.stack_bytes
