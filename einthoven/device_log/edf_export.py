"""A log's strips as EDF+ files, each continuous, with beats, rhythm and verdict as annotations.

Written by `edfio`, which takes the samples as the integers that they are and any number of
annotations. pyedflib 0.1.42 was tried, too: it wants physical values, which it cuts off instead of
rounding, fills the last data record with zeros, and keeps one annotation a data record unless told
otherwise. What edfio refuses, a length that its data records do not divide, is ours to choose: see
`_data_record`. Format: https://www.edfplus.info/specs/edfplus.html.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import edfio
import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.device_log.description import Device, DeviceLog, Span, Strip
from einthoven.device_log.files import whole_files
from einthoven.device_log.spans import spans
from einthoven.device_log.times import Clock
from einthoven.device_log.words import NOTICE, verdict_reasons, verdict_words

YEARS = (1985, 2084)
"""What a header's two digits mean; another year is as good as unknown."""
_DURATIONS_S = (1.0, 0.5, 0.25, 0.2, 0.1, 0.05, 0.04, 0.02, 0.01)


def write_edf(log: DeviceLog, folder: Path, clock: Clock, patient: str = "") -> int:
    """Write every strip to `strip_00002_00007.edf`; returns how many. Raises OSError.

    `patient`: the code by which the operator knows the patient; its blanks become underscores.
    """
    strips = [s for s in log.strips if len(s.samples)]
    with whole_files(folder) as scratch:
        for strip in strips:
            edf = edf_of(strip, spans(strip, log.episodes), log.device, clock, patient)
            edf.write(scratch / f"{strip.name}.edf")
    return len(strips)


def edf_of(
    strip: Strip,
    found: Sequence[Span],
    device: Device,
    clock: Clock,
    patient: str = "",
    notes: Sequence[tuple[int, str]] = (),
) -> edfio.Edf:
    """The strip as an EDF+ file that is not written yet; `notes`: (sample, text)."""
    samples, duration_s = _data_record(strip.samples, strip.rate_hz)
    per_lsb = 1000.0 / strip.lsb_per_mv
    signal = edfio.EdfSignal.from_digital(
        samples,
        strip.rate_hz,
        label="ECG",
        transducer_type=_ascii(device.front_end, 80),
        physical_dimension="uV",
        physical_range=(-32768 * per_lsb, 32767 * per_lsb),
        digital_range=(-32768, 32767),
    )
    when = clock.at(strip.at)
    if when is not None:
        when = _whole_ms(when)
        when = when if YEARS[0] <= when.year <= YEARS[1] else None
    return edfio.Edf(
        [signal],
        patient=edfio.Patient(code=_code(patient)),
        recording=edfio.Recording(
            startdate=None if when is None else when.date(),
            equipment_code=_code(device.name),
        ),
        starttime=None if when is None else when.time(),
        data_record_duration=duration_s,
        annotations=_annotations(strip, found, clock, notes),
    )


def _annotations(
    strip: Strip, found: Sequence[Span], clock: Clock, notes: Sequence[tuple[int, str]]
) -> list[edfio.EdfAnnotation]:
    rate = strip.rate_hz
    told = [edfio.EdfAnnotation(0, None, NOTICE)]
    if clock.at(strip.at) is None:
        told.append(edfio.EdfAnnotation(0, None, f"Time not known: {clock.text(strip.at)}"))
    if verdict_words(strip):
        why = "; ".join([verdict_words(strip), *verdict_reasons(strip)])
        told.append(edfio.EdfAnnotation(0, _s(len(strip.samples), rate), f"Verdict: {why}"))
    told += [
        edfio.EdfAnnotation(_s(s.begin, rate), _s(s.end - s.begin, rate), s.kind) for s in found
    ]
    told += [
        edfio.EdfAnnotation(_s(first, rate), _s(number, rate), "Signal lost")
        for first, number in strip.lost
    ]
    told += [edfio.EdfAnnotation(_s(at, rate), None, text) for at, text in notes]
    told += [
        edfio.EdfAnnotation(
            _s(b["sample"], rate), None, CLASSES[b["label"]] + (" unsure" if b["unsure"] else "")
        )
        for b in strip.beats
    ]
    if len(strip.samples) % _per_record(len(strip.samples), strip.rate_hz):
        end = _s(len(strip.samples), rate)
        told.append(edfio.EdfAnnotation(end, None, "End of the signal"))
    return told


def _s(samples: int, rate_hz: float) -> float:
    """Seconds to the microsecond: nearer than any sample is, and short in the file."""
    return round(int(samples) / rate_hz, 6)


def _per_record(n: int, rate_hz: float) -> int:
    """Samples in a data record: the longest that divides the strip, else the shortest there is."""
    whole = [
        round(d * rate_hz)
        for d in _DURATIONS_S
        if abs(d * rate_hz - round(d * rate_hz)) < 1e-9 and round(d * rate_hz) > 0
    ]
    fitting = [k for k in whole if n % k == 0]
    return fitting[0] if fitting else (whole[-1] if whole else 1)


def _data_record(samples: NDArray[np.int16], rate_hz: float) -> tuple[NDArray[np.int16], float]:
    """The samples to write, and the length of a data record in seconds.

    A strip that was cut off at an odd sample ends with its last value repeated, for a fraction of
    the shortest data record; an annotation says where the signal ends.
    """
    k = _per_record(len(samples), rate_hz)
    missing = -len(samples) % k
    return np.concatenate([samples, np.repeat(samples[-1:], missing)]), k / rate_hz


def _whole_ms(when: datetime) -> datetime:
    return (when + timedelta(microseconds=500)).replace(
        microsecond=(when + timedelta(microseconds=500)).microsecond // 1000 * 1000
    )


def _ascii(text: str, most: int) -> str:
    return "".join(c if " " <= c <= "~" else "_" for c in text)[:most]


def _code(text: str) -> str:
    """A subfield of the header: ASCII without blanks; X where there is nothing to say."""
    return "_".join(_ascii(text, 30).split()) or "X"
