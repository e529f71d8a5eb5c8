"""Whatever the link does, the events are those of a good link, or there is a clear LinkError."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from einthoven.errors import LinkError
from einthoven.hil_tests.faults import TO_BOARD, TO_HOST, Direction, Fault, FaultyLink, Noise
from einthoven.hil_tests.harness.device import Device, Replayed

pytestmark = pytest.mark.board

BOTH: tuple[Direction, ...] = (TO_BOARD, TO_HOST)
# The minute takes about 7,500 bytes to the board and 5,000 back.
OFFSETS = (700, 2500)

CURABLE: dict[str, list[Fault | Noise]] = {
    **{
        f"{kind} {size} {way} at {at}": [Fault(kind, way, at, size)]
        for kind in ("drop", "double", "flip")
        for way in BOTH
        for at, size in ((OFFSETS[0], 1), (OFFSETS[1], 300))
    },
    **{f"stall {way}": [Fault("stall", way, 2500, seconds=1.4)] for way in BOTH},
    **{f"cut {way}": [Fault("cut", way, 2500)] for way in BOTH},
    "reset": [Fault("reset", TO_BOARD, 4000)],
    "reset twice": [Fault("reset", TO_BOARD, 2000), Fault("reset", TO_BOARD, 6000)],
    "noise both ways": [Noise(TO_BOARD, 4e-4, 1), Noise(TO_HOST, 4e-4, 2)],
    "everything": [
        Fault("flip", TO_BOARD, 1500, 3),
        Fault("drop", TO_HOST, 1800, 40),
        Fault("reset", TO_BOARD, 3000),
        Fault("double", TO_HOST, 4000, 100),
        Fault("cut", TO_BOARD, 7000),
    ],
}


def comparable(replayed: Replayed) -> list[tuple[str, dict[str, Any]]]:
    return [
        (event.name, {k: v for k, v in event.fields.items() if k != "count"})
        for event in replayed.events
    ]


@pytest.fixture(scope="module")
def clean(board_url: str, patient: tuple[float, ...], signal: NDArray[np.int16]) -> Replayed:
    with Device(board_url, timeouts_s=patient) as device:
        replayed = device.replay(signal)
        assert device.link.retries == device.link.bytes_lost == device.link.resets == 0
    assert sum(event.name == "beat" for event in replayed.events) > 40
    return replayed


@pytest.mark.parametrize("name", CURABLE)
def test_events_survive(
    name: str, board_url: str, signal: NDArray[np.int16], clean: Replayed
) -> None:
    faults = CURABLE[name]
    with FaultyLink(board_url, faults) as link, Device(link.url) as device:
        replayed = device.replay(signal)
        assert comparable(replayed) == comparable(clean)
        assert link.faults_left == 0
        assert device.link.resets == sum(isinstance(f, Fault) and f.kind == "reset" for f in faults)
        if not name.startswith(("stall", "reset")):
            assert device.link.retries > 0 or device.link.bytes_lost > 0


HOPELESS: dict[str, list[Fault | Noise]] = {
    "silence to the board": [Fault("silence", TO_BOARD, 2500)],
    "silence to the host": [Fault("silence", TO_HOST, 1500)],
    "noise": [Noise(TO_BOARD, 0.05, 1), Noise(TO_HOST, 0.05, 2)],
    "resets without end": [Fault("reset", TO_BOARD, 1000 * n) for n in range(1, 40)],
}


@pytest.mark.parametrize("name", HOPELESS)
def test_hopeless_is_said(
    name: str, board_url: str, signal: NDArray[np.int16], clean: Replayed
) -> None:
    with (
        FaultyLink(board_url, HOPELESS[name]) as link,
        pytest.raises(LinkError, match=r"does not answer|loses too much|was reset") as caught,
        Device(link.url, timeouts_s=(0.3, 0.3, 0.3)) as device,
    ):
        device.replay(signal)
    assert "\n" not in str(caught.value)
    # The board itself is none the worse.
    with Device(board_url) as device:
        assert comparable(device.replay(signal)) == comparable(clean)
