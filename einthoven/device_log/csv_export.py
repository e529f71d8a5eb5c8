"""A log as CSV: tables of minutes, episodes, strips and device events, and each strip's samples."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from einthoven.aami import CLASSES
from einthoven.device_log.description import DeviceLog, Moment, Strip
from einthoven.device_log.files import whole_files
from einthoven.device_log.times import Clock
from einthoven.device_log.wfdb_export import percent
from einthoven.device_log.words import verdict_reasons, verdict_symbol

TIME = ("time", "start", "seconds")
"""First columns of each table: wall time (ISO 8601, empty if not known), boot, seconds since."""
MINUTES = (
    *(*TIME, "duration_s", *CLASSES, "rr_mean_ms", "rr_spread_ms"),
    *("readable", "lead_off", "af", "alarm"),
)
STRIPS = (
    *(*TIME, "name", "duration_s", "rate_hz", "lsb_per_mv", "verdict", "probability", "reasons"),
    *(*CLASSES, "lost_samples", "complete", "confirmed"),
)
SAMPLES = ("time_s", "mv", "beat", "confidence")
"""Of a strip's own file; `mv` is empty where a sample was lost."""


def write_csv(log: DeviceLog, folder: Path, clock: Clock) -> int:
    """Write minutes.csv, episodes.csv, strips.csv, device.csv, and a file a strip; returns how
    many strips. Raises OSError.
    """

    def at(moment: Moment) -> list[Any]:
        known = clock.at(moment)
        text = "" if known is None else known.isoformat(timespec="seconds")
        return [text, moment.boot, f"{moment.seconds:.3f}"]

    with whole_files(folder) as scratch:
        _table(
            scratch / "minutes.csv",
            MINUTES,
            (
                (
                    *(*at(m.at), _n(m.seconds), *m.beats, _n(m.rr_mean_ms), _n(m.rr_spread_ms)),
                    *(f"{share:.3f}" for share in (m.readable, m.lead_off, m.fibrillation)),
                    m.alarm or "",
                )
                for m in log.minutes
            ),
        )
        _table(
            scratch / "episodes.csv",
            (*TIME, "kind", "duration_s"),
            ([*at(e.begin), e.kind, _n(e.seconds)] for e in log.episodes),
        )
        _table(scratch / "strips.csv", STRIPS, ([*at(s.at), *_strip(s)] for s in log.strips))
        _table(
            scratch / "device.csv",
            (*TIME, "event", "text"),
            ([*at(h.at), h.kind, h.text] for h in log.happenings),
        )
        for strip in log.strips:
            _table(scratch / f"{strip.name}.csv", SAMPLES, _rows(strip))
    return len(log.strips)


def _strip(strip: Strip) -> list[Any]:
    counted = strip.counted()
    raw = strip.verdict if verdict_symbol(strip) else None
    return [
        *(strip.name, _n(strip.seconds), _n(strip.rate_hz), _n(strip.lsb_per_mv)),
        *(verdict_symbol(strip), "" if raw is None else f"{raw.probability / 255:.3f}"),
        "; ".join(verdict_reasons(strip)),
        *(counted.get(c, 0) for c in CLASSES),
        *(sum(n for _, n in strip.lost), int(strip.complete)),
        "" if strip.confirmed is None else int(strip.confirmed),
    ]


def _rows(strip: Strip) -> Iterable[Sequence[Any]]:
    beats = {int(b["sample"]): b for b in strip.beats}
    gone = {i for first, number in strip.lost for i in range(first, first + number)}
    for i, value in enumerate(strip.samples.tolist()):
        beat = beats.get(i)
        yield (
            f"{i / strip.rate_hz:.4f}",
            "" if i in gone else f"{value / strip.lsb_per_mv:.4f}",
            "" if beat is None else CLASSES[beat["label"]],
            "" if beat is None else percent(beat["confidence"]),
        )


def _table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)


def _n(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"
