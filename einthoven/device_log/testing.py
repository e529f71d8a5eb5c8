"""A made-up log for tests and for looking at the page: three weeks, three strips, three boots."""

from dataclasses import asdict
from functools import cache

import numpy as np
from numpy.typing import NDArray

from einthoven.device_log.description import (
    Device,
    DeviceLog,
    Episode,
    Happening,
    Minute,
    Moment,
    Skipped,
    Strip,
    TimeSet,
)
from einthoven.native.log import Log
from einthoven.native.rhythm import kinds
from einthoven.native.session import run
from einthoven.native.strip import Raw
from einthoven.records.synth import SynthRecord, demo_strips

RATE_HZ = 180
RAILS = (-2048, 2047)
SET_S = 1_790_000_000.0
"""When the host set the time: 2026-09-21 14:13:20 UTC."""


def made_up_log(days: float = 3.0) -> DeviceLog:
    """A device that was carried for some days, switched on three times, and told the time once."""
    rng = np.random.default_rng(7)
    minutes = [_minute(rng, 2, 60.0 * i) for i in range(round(days * 1440))]
    minutes = [m for m in minutes if not 900 < (m.at.seconds / 60) % 1440 < 1100]  # taken off
    minutes += [_minute(rng, 3, 60.0 * i) for i in range(90)]
    strips = [
        _strip(number, at, record)
        for number, at, record in zip(
            (3, 7, 12),
            (Moment(1, 40.0), Moment(2, 30_000.0), Moment(2, 91_234.5)),
            demo_strips().values(),
            strict=True,
        )
    ]
    return DeviceLog(
        device=Device("qemu_stm32f405", "E-0007", "0.9.0-3f2a", "residual", "ADS1292R", RAILS),
        minutes=minutes,
        episodes=[
            Episode("atrial fibrillation", Moment(2, 29_990.0), Moment(2, 33_000.0)),
            Episode("pause", Moment(2, 52_000.0), Moment(2, 52_002.3)),
            Episode("alarm: extreme tachycardia", Moment(2, 91_240.0), Moment(2, 91_252.0)),
            Episode("tachycardia", Moment(3, 1_000.0), None),
        ],
        strips=strips,
        happenings=[
            Happening(Moment(1, 0.0), "boot", "switched on"),
            Happening(Moment(2, 0.0), "boot", "started again after the power went"),
            Happening(Moment(2, 80.0), "time_set", "told the time"),
            Happening(Moment(3, 0.0), "boot", "switched on"),
            Happening(Moment(3, 5_000.0), "battery", "battery low, 3.54 V"),
        ],
        times=[TimeSet(Moment(2, 80.0), SET_S, drift_ppm=23.0)],
        skipped=[Skipped(131_000, 96, "torn: the power went while it was written")],
        given_up=17,
    )


def _minute(rng: np.random.Generator, boot: int, seconds: float) -> Minute:
    hour = seconds / 3600
    rate = 68 + 14 * np.sin(hour / 24 * 2 * np.pi) + rng.normal(0, 3)
    fibrillates = boot == 2 and 30_000 <= seconds < 33_000
    rate += 30 * fibrillates
    readable = float(np.clip(1 - rng.exponential(0.02), 0, 1))
    beats = rate * readable
    v, s = rng.poisson(0.4), rng.poisson(0.2)
    return Minute(
        at=Moment(boot, seconds),
        seconds=60.0,
        beats=(round(beats) - v - s, s, v, 0, 0),
        rr_mean_ms=60_000 / rate,
        rr_spread_ms=220.0 if fibrillates else 35.0,
        readable=readable,
        fibrillation=float(fibrillates),
    )


def _strip(number: int, at: Moment, record: SynthRecord) -> Strip:
    ratio = RATE_HZ / record.rate_hz
    n = round(len(record.samples) * ratio)
    counts = np.interp(np.arange(n) / ratio, np.arange(len(record.samples)), record.samples)
    samples = np.rint(counts).astype(np.int16)
    return Strip(
        number=number,
        at=at,
        rate_hz=float(RATE_HZ),
        lsb_per_mv=200.0,
        samples=samples,
        verdict=run(samples, 200, RAILS)[1],
    )


@cache
def _fibrillating() -> Strip:
    return _strip(5, Moment(0, 70.25), demo_strips()["fibrillation"])


def device_written_log() -> tuple[Log, NDArray[np.int16], Raw]:
    """A log that the device's own C wrote, in two boots; its strip's samples, and their verdict."""
    strip = _fibrillating()
    assert strip.verdict is not None
    codes = {name: code for code, name in enumerate(kinds())}
    log = Log()
    log.append("event", 10, event=1, detail=1)
    log.time_set(1_790_000_000_000, 61_000)
    log.ecg(5, strip.samples, 100_000)
    told = asdict(strip.verdict)
    log.append(
        *("strip", 100_300),
        **{"number": 5, "begin_s": 70, "begin_ms": 250, "gain_lsb_per_mv": 200, **told},
        samples=len(strip.samples),
    )
    af = {"kind": codes["atrial fibrillation"], "begin_s": 130, "begin_ms": 500}
    log.append("episode", 131_000, phase=1, **af)
    log.append("episode", 146_000, phase=2, end_s=145, end_ms=250, **af)
    quiet = {"normal": 70, "supraventricular": 1, "ventricular": 2, "good_s": 60}
    log.append("minute", 180_000, rr_mean_4ms=214, rr_spread_4ms=9, **quiet)
    alarm = codes["alarm: extreme bradycardia"] + 1
    log.append("minute", 240_000, normal=64, unknown=1, good_s=30, lead_off_s=20, alarm=alarm)
    log.append("episode", 250_000, kind=codes["tachycardia"], phase=1, begin_s=249)
    log.restart()
    log.append("event", 10, event=1, detail=4)
    return log, strip.samples, strip.verdict
