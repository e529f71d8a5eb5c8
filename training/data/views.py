"""More views of the training records' hearts: sums of two leads, and leads with noise mixed in.

A sum of two leads with any weights is about what electrodes elsewhere would have recorded: the
same beats in another shape. Noise (nstdb's `bw` and `ma`; never `em`, which nstdb's own test
records are made with) shows the network what beats, and the detector's inventions, look like in it.
All of it is made at the board's rate and goes through the core like a record. Levels are those of
`einthoven.records.noise`, but with the noise's power over the whole minute and not over single
seconds: of slow noise that would leave nothing but clipping.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.records.header import read_header
from einthoven.records.noise import qrs_amplitude
from einthoven.records.rates import rational_ratio
from einthoven.records.record import read_record

Counts = NDArray[np.float64]

NOISES = ("bw", "ma")
SEGMENT_S = 60
"""Every minute draws another noise and another level."""
SLOWER = (1, 2, 4)
"""Noise is also played more slowly, which moves muscle noise into the QRS's band."""


def combined(main: Counts, other: Counts, rng: np.random.Generator) -> Counts:
    """A weighted sum of two leads [n], either of them upside down or not."""
    weights = rng.uniform(0.3, 1.0, 2) * rng.choice([-1.0, 1.0], 2)
    total: Counts = weights[0] * (main - np.median(main)) + weights[1] * (other - np.median(other))
    return total


class NoiseMixer:
    """Mixes nstdb's noise into leads that are sampled at one rate."""

    def __init__(self, nstdb: Path, snrs_db: Sequence[float], rate_hz: int) -> None:
        """`nstdb`: folder of the noise records; `snrs_db`: levels to draw from, besides none.

        Raises RecordError.
        """
        from scipy.signal import resample_poly  # takes a second, which replays need not spend

        self._rate_hz = rate_hz
        self._levels: tuple[float | None, ...] = (None, *snrs_db)
        self._noises = []
        for name in NOISES:
            for lead in read_header(nstdb, name).sig_name:
                noise = read_record(nstdb, name, lead, uncalibrated_gain=1.0)
                ratio = rational_ratio(rate_hz, noise.rate_hz)
                samples = noise.samples - float(noise.samples[0])
                self._noises.append(resample_poly(samples, ratio.numerator, ratio.denominator))

    def noisy(
        self, lead: Counts, qrs_samples: NDArray[np.int64], rng: np.random.Generator
    ) -> Counts:
        """`lead` [n], with beats at `qrs_samples`, in noise that changes every minute."""
        mixed = lead.copy()
        length = SEGMENT_S * self._rate_hz
        power = qrs_amplitude(lead, qrs_samples, self._rate_hz) ** 2 / 8
        for start in range(0, len(lead), length):
            level = self._levels[rng.integers(len(self._levels))]
            part = mixed[start : start + length]
            noise = self._draw(len(part), rng)
            if level is not None:
                part += noise * np.sqrt(
                    power / max(float(np.var(noise)), 1e-9) / 10 ** (level / 10)
                )
        return mixed

    def _draw(self, n: int, rng: np.random.Generator) -> Counts:
        from scipy.signal import resample_poly

        noise = self._noises[rng.integers(len(self._noises))]
        slower = int(rng.choice(SLOWER))
        taken = n // slower + 1
        first = int(rng.integers(len(noise) - taken))
        part = noise[first : first + taken]
        stretched: Counts = resample_poly(part - part[0], slower, 1)[:n]
        stretched -= stretched.mean()
        return stretched
