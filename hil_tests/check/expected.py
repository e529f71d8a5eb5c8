"""What a good board says, computed once for all of a kind: golden tensors and golden strips."""

import threading
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.golden import VECTORS, vector
from einthoven.hil_tests.harness.host import Host
from einthoven.native import strip
from einthoven.native.engine import TflmModel
from einthoven.native.events import Events
from einthoven.paths import SHIPPED_MODEL
from einthoven.records import synth

_RATE_HZ = 180.0
_SYNTH_GAIN = 200
_SECONDS = 30.0
_one_at_a_time = threading.Lock()
"""Core and engine on the host keep their state in one place."""


@dataclass(frozen=True)
class Tensors:
    """Inputs made by a formula, and what TFLite Micro makes of them."""

    signal: NDArray[np.int8]
    features: NDArray[np.int8]
    logits: NDArray[np.int8]


@dataclass(frozen=True)
class GoldenStrip:
    """Half a minute of ECG in a board's counts, with the events and the verdict on it."""

    name: str
    verdict: str
    """What the rhythm in it is: one of N, A."""
    samples: NDArray[np.int16]
    events: Events
    raw: strip.Raw


@cache
def _tensors(window: int, channels: int, features: int) -> Tensors:
    split = window * channels
    whole = np.stack([vector(n, split + features) for n in range(VECTORS)])
    signal = whole[:, :split].reshape(VECTORS, window, channels)
    oracle = TflmModel(SHIPPED_MODEL / "model.tflite")
    return Tensors(signal, whole[:, split:], oracle.infer(signal, whole[:, split:]))


def tensors(window: int, channels: int, features: int) -> Tensors:
    """The golden tensors of the shipped model, as `ein_golden.h` has them."""
    with _one_at_a_time:
        return _tensors(window, channels, features)


@cache
def _strips(gain_lsb_per_mv: int, rails: tuple[int, int]) -> tuple[GoldenStrip, ...]:
    calm = synth.Ectopy(0.0, 0.0, 0.0, 0.0, 0.0)
    fibrillation = (synth.Episode("af", 0, _SECONDS),)
    records = {
        ("regular", "N"): synth.make_record(1, _SECONDS, _RATE_HZ, ectopy=calm),
        ("fibrillation", "A"): synth.make_record(1, _SECONDS, _RATE_HZ, episodes=fibrillation),
    }
    host = Host(None)
    made = []
    for (name, verdict), record in records.items():
        scaled = record.samples.astype(np.int64) * gain_lsb_per_mv // _SYNTH_GAIN
        samples = scaled.clip(*rails).astype(np.int16)
        events, raw, _ = host.check(samples, gain_lsb_per_mv, rails)
        made.append(GoldenStrip(name, verdict, samples, events, raw))
    return tuple(made)


def strips(gain_lsb_per_mv: int, rails: tuple[int, int]) -> tuple[GoldenStrip, ...]:
    """The golden strips for a board with that ADC."""
    with _one_at_a_time:
        return _strips(gain_lsb_per_mv, rails)
