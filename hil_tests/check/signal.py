"""What its front end gives: its own test, the signal, and the clock of the samples."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.boards.board import Board
from einthoven.boards.patience import Patience
from einthoven.errors import BoardError
from einthoven.fleet.checked import Item
from einthoven.hil_tests.check.limits import limit
from einthoven.hil_tests.harness.device import SILENT_S, Device
from einthoven.hil_tests.harness.watching import Missing, Samples, Watcher
from einthoven.native import disturbance
from einthoven.wire.schema import schema

_TEST_S = 30.0
"""Patience with the front end's own test, which takes 4 s of its time."""
_POLL_S = 0.2
_HUM_SHARE = 0.5


def front_end(device: Device) -> Item:
    """The part's test of itself at the last start: noise with its inputs shorted, its gain."""
    states = {code: name for name, code in schema().enums["front_end_state"].items()}
    try:
        reply = device.ask("front_end", "front_end_reply").fields
    except BoardError as error:
        if "unknown message" not in str(error):
            raise
        return Item(
            name="front end", passed=None, measured="n/a: this board has no front end that it knows"
        )
    patience = Patience(device.url, _TEST_S)
    while states.get(reply["state"]) == "testing" and not patience.over:
        time.sleep(_POLL_S)
        patience.look(_POLL_S)
        reply = device.ask("front_end", "front_end_reply").fields
    return _judged(states.get(reply["state"], ""), reply["verdict"], reply)


def _judged(state: str, code: int, reply: Mapping[str, Any]) -> Item:
    verdicts = {code: name for name, code in schema().enums["self_test"].items()}
    verdict, part = verdicts.get(code, "unknown"), reply["part"]
    if state == "none":
        return Item(name="front end", passed=None, measured="n/a: this board has no front end")
    words = {
        "good": "good",
        "untested": "starts; it cannot test itself",
        "silent": "does not start, or gives nothing",
        "noisy": "too noisy",
        "gain": "gain off",
    }
    figures = (
        f": noise {reply['noise_uv']} µV peak to peak, gain {reply['gain_permille'] / 10:.1f} %"
        if verdict in ("good", "noisy", "gain")
        else ""
    )
    told = words.get(verdict, verdict) if state == "done" else "its test does not end"
    return Item(
        name="front end",
        passed=state == "done" and verdict in ("good", "untested"),
        measured=f"{part} {told}{figures}",
        limit="30 µV; 94 to 106 % of the nominal gain (docs/front_ends.md)",
    )


@dataclass
class Taken:
    """A stretch of a board's own signal."""

    values: list[NDArray[np.int16]] = field(default_factory=list)
    indices: list[int] = field(default_factory=list)
    """Of the sample behind each block."""
    arrived_s: list[float] = field(default_factory=list)
    """When that block was here, by this machine's clock."""
    lost: int = 0

    @property
    def samples(self) -> NDArray[np.int16]:
        """All of them, one after another."""
        return np.concatenate(self.values) if self.values else np.zeros(0, dtype=np.int16)


def take(device: Device, seconds: float) -> Taken:
    """So much of its own signal; less if none comes. Raises BoardError where it is locked."""
    taken = Taken()
    wanted = round(seconds * device.hello.rate_hz)
    patience = Patience(device.url, SILENT_S)
    watcher = Watcher(device)
    n = 0
    while n < wanted and not patience.over:
        items = watcher.take(_POLL_S)
        now = time.monotonic()
        patience.look(_POLL_S)
        for item in items:
            if isinstance(item, Samples):
                taken.values.append(item.values)
                taken.indices.append(item.start + len(item.values))
                taken.arrived_s.append(now)
                n += len(item.values)
                patience.renew()
            elif isinstance(item, Missing) and item.by == "board":
                taken.lost += item.count
    watcher.stop()
    return taken


def signal(device: Device, board: Board, taken: Taken, electrodes: str | None) -> Item:
    """Whether samples come, live, without hum, and with contact where there should be some.

    `electrodes`: "on", "off", or None: nobody knows, and contact is told, not judged.
    """
    samples, who = taken.samples, device.hello
    is_emulated = board.command is not None and board.mcu != "host"
    judged = board.is_device or board.command is None
    if is_emulated and not board.is_device:
        return Item(name="signal", passed=None, measured="n/a: the emulator has no converter")
    if len(samples) == 0:
        return Item(
            name="signal",
            passed=False if judged else None,
            measured="no sample comes" if judged else "n/a: no sample comes: it has no ADC",
            limit="samples come",
        )
    n, rails = len(samples), (who.rail_lo, who.rail_hi)
    off = float(np.mean((samples <= rails[0]) | (samples >= rails[1])))
    lost, most = taken.lost * 1000 / (n + taken.lost), limit("signal", "lost_permille")
    hum = _share(disturbance.states(samples, who.gain_lsb_per_mv, rails), n)
    flat = samples.min() == samples.max() and off == 0
    mains_uv = hum_amplitude(samples, who.rate_hz) * 1000 / who.gain_lsb_per_mv
    contact = {"on": off <= 0.01, "off": off >= 0.99, None: True}[electrodes]
    wanted = {"on": "contact", "off": "no contact", None: "contact is not judged"}[electrodes]
    return Item(
        name="signal",
        passed=not flat and lost <= most and hum < _HUM_SHARE and contact,
        measured=f"{n} samples, {taken.lost} lost, no contact {off:.0%} of the time, mains "
        f"{mains_uv:.0f} µV, called hum {hum:.0%} of the time"
        + (f", all {samples[0]}: it is stuck" if flat else ""),
        limit=f"it moves, {most / 10:.0f} % lost, hum half of the time, {wanted}",
    )


def hum_amplitude(samples: NDArray[np.int16], rate_hz: int) -> float:
    """Amplitude at 50 or 60 Hz, whichever is more, in counts: the median of its seconds'."""
    seconds = len(samples) // rate_hz
    if seconds == 0:
        return 0.0
    parts = samples[: seconds * rate_hz].reshape(seconds, rate_hz).astype(np.float64)
    turns = np.arange(rate_hz) / rate_hz
    waves = np.exp(-2j * np.pi * np.outer(turns, (50, 60)))
    amplitudes = 2 / rate_hz * np.abs((parts - parts.mean(axis=1, keepdims=True)) @ waves)
    return float(np.median(amplitudes, axis=0).max())


def _share(states: NDArray[np.void], n: int) -> float:
    """Of the time in which there is hum."""
    hum = since = 0
    on = False
    for at, flags in states.tolist():
        hum += (at - since) if on else 0
        since, on = at, bool(flags & disturbance.HUM)
    return (hum + (n - since if on else 0)) / n


def clock_error(
    indices: Sequence[int], arrived_s: Sequence[float], rate_hz: float
) -> tuple[float, float]:
    """By how many ppm a board's samples come too fast, and how far that may be wrong.

    `indices[i]` samples were here at `arrived_s[i]`, later than they were taken by a delay that is
    never negative. The line below all arrivals joins the least delays of the first and of the last
    third; how much the next ones lie above each is how well it is known.
    """
    at = np.asarray(indices, dtype=np.float64) / rate_hz
    delay = np.asarray(arrived_s, dtype=np.float64) - at
    third = len(at) // 3
    if third < 3:
        return 0.0, float("inf")
    ends = []
    for part in (slice(0, third), slice(len(at) - third, len(at))):
        order = np.argsort(delay[part])
        least = order[0]
        # A slope within the third moves the least delay to its end: the later ones tell less.
        spread = float(delay[part][order[min(2, third - 1)]] - delay[part][least])
        ends.append((float(at[part][least]), float(delay[part][least]), spread))
    (t0, d0, s0), (t1, d1, s1) = ends
    slope = (d1 - d0) / (t1 - t0)
    return -slope * 1e6, (s0 + s1) / (t1 - t0) * 1e6


def clock(device: Device, board: Board, taken: Taken) -> Iterator[Item]:
    """The clock of the samples against this machine's, with the error of the measurement."""
    most = limit("clock", "limit_ppm")
    words = f"within {most} ppm"
    if board.command is not None and board.mcu != "host":
        yield Item(name="sample clock", passed=None, measured="n/a: an emulator makes up its time")
        return
    if not taken.indices:
        yield Item(name="sample clock", passed=None, measured="n/a: no samples to time")
        return
    ppm, error = clock_error(taken.indices, taken.arrived_s, device.hello.rate_hz)
    if not np.isfinite(error):
        yield Item(name="sample clock", passed=None, measured="n/a: too short to tell (--seconds)")
        return
    over_s = (taken.indices[-1] - taken.indices[0]) / device.hello.rate_hz
    measured = f"{ppm:+.0f} ppm, known to {error:.0f} ppm over {over_s:.0f} s"
    if abs(ppm) - error > most:
        yield Item(name="sample clock", passed=False, measured=measured, limit=words)
    elif abs(ppm) + error <= most:
        yield Item(name="sample clock", passed=True, measured=measured, limit=words)
    else:
        yield Item(
            name="sample clock",
            passed=None,
            measured=f"n/a: the link is too unsteady to tell: {measured}",
            limit=words,
        )
