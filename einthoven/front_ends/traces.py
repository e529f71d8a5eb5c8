"""Draw what a good trace looks like, and the usual bad ones: synthetic, at 25 mm/s and 10 mm/mV.

Pure: same rows, same bytes. `einthoven.front_ends.wiring` writes it beside the wiring.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from einthoven.records.synth import Ectopy, Noise, make_record

RATE_HZ = 180
SECONDS = 5
_MM, _ROW_MM, _LEFT_MM = 4, 26, 62
_MM_PER_S, _MM_PER_MV = 25, 10

Trace = NDArray[np.float64]


def _clean() -> Trace:
    """(n,) in mV."""
    none = Noise(0.0, 0.004, 0.0, 50.0, 0.0)
    made = make_record(7, 30.0, float(RATE_HZ), ectopy=Ectopy(0, 0, 0, 0, 0), noise=none)
    from_s = 10 * RATE_HZ
    return made.samples[from_s : from_s + SECONDS * RATE_HZ].astype(np.float64) / 200


def _seconds() -> Trace:
    return np.arange(SECONDS * RATE_HZ) / RATE_HZ


def _mains(ecg: Trace) -> Trace:
    return ecg + 0.25 * np.sin(2 * np.pi * 50 * _seconds())


def _muscle(ecg: Trace) -> Trace:
    return ecg + 0.12 * np.random.default_rng(1).standard_normal(len(ecg))


def _wander(ecg: Trace) -> Trace:
    t = _seconds()
    return ecg + 0.5 * np.sin(2 * np.pi * 0.3 * t) + 0.25 * np.sin(2 * np.pi * 0.71 * t)


def _pops(ecg: Trace) -> Trace:
    t = _seconds()
    steps = sum(h * np.where(t > at, np.exp(-(t - at) / 0.35), 0.0) for at, h in _POPS)
    return np.clip(ecg + steps, -1.2, 1.2)


_POPS = ((1.1, 1.6), (2.6, -1.9), (3.4, 1.2))


def _off(ecg: Trace) -> Trace:
    t = _seconds()
    return np.where((t > 1.5) & (t < 3.8), 1.2, ecg)


ROWS: tuple[tuple[str, str, Callable[[Trace], Trace]], ...] = (
    ("Good", "flat between beats; P and T are seen", lambda ecg: ecg),
    ("Mains hum", "run from a battery; keep cables together", _mains),
    ("Muscles", "sit, arms on a table; hold still", _muscle),
    ("Wander", "breathing or a loose cable: fix it with tape", _wander),
    ("Pops", "dry or old electrodes: new ones, clean skin", _pops),
    ("Electrode off", "at the rail: press it on; see LO+ and LO-", _off),
)
"""Name, what it is told by or what helps, and what becomes of a clean trace."""


def draw() -> str:
    """The picture as SVG."""
    width = _LEFT_MM + SECONDS * _MM_PER_S + 4
    height = _ROW_MM * len(ROWS)
    clean = _clean() - float(np.median(_clean()))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width * _MM} {height * _MM}" '
        'role="img">',
        "<title>A good trace and bad ones, synthetic, 25 mm/s and 10 mm/mV</title>",
        '<rect width="100%" height="100%" fill="white"/>',
        "<style>text{font:15px sans-serif} .name{font-weight:bold} "
        ".grid{stroke:#f2c6c6;stroke-width:1} path{fill:none;stroke:#222;stroke-width:1.6}</style>",
    ]
    for mm in range(0, SECONDS * _MM_PER_S + 1, 5):
        x = (_LEFT_MM + mm) * _MM
        lines.append(f'<line class="grid" x1="{x}" y1="0" x2="{x}" y2="{height * _MM}"/>')
    for i, (name, help_, spoil) in enumerate(ROWS):
        lines += _row(i, name, help_, spoil(clean))
    return "\n".join([*lines, "</svg>", ""])


def _row(i: int, name: str, help_: str, trace: Trace) -> list[str]:
    middle = (_ROW_MM * i + 0.58 * _ROW_MM) * _MM
    right = (_LEFT_MM + SECONDS * _MM_PER_S) * _MM
    words = help_.split(": ", 1) if ": " in help_ else help_.split("; ", 1)
    told = [
        f'<text x="8" y="{middle + 2 + 20 * k:.0f}">{word}</text>' for k, word in enumerate(words)
    ]
    grid = [
        f'<line class="grid" x1="{_LEFT_MM * _MM}" y1="{y}" x2="{right}" y2="{y}"/>'
        for y in range(_ROW_MM * _MM * i, _ROW_MM * _MM * (i + 1), 5 * _MM)
    ]
    at = " L".join(
        f"{(_LEFT_MM + k * _MM_PER_S / RATE_HZ) * _MM:.1f},{middle - mv * _MM_PER_MV * _MM:.1f}"
        for k, mv in enumerate(trace)
    )
    title = f'<text class="name" x="8" y="{middle - 20:.0f}">{name}</text>'
    return [title, *told, *grid, f'<path d="M{at}"/>']
