"""Records that are made of segments: fixed and variable layout, with gaps between them.

Format: header(5), "multi-segment records". In a record of variable layout (MIMIC's) the first
segment has length 0 and describes all signals that there are; each other segment has some of
them, in any order. A segment named `~`, and one that lacks the lead, is a gap.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.errors import RecordError
from einthoven.records.header import Header, Signal, is_null, read_header
from einthoven.records.leads import choose_lead
from einthoven.records.recording import INVALID, Known, Read
from einthoven.records.signal_file import Opened, open_signal

Gaps = tuple[tuple[int, int], ...]


def open_segments(
    root: Path, here: Path, name: str, master: Header, lead: str | None, known: Known
) -> tuple[Header, int, Opened, Gaps]:
    """One lead of a record whose segments lie in `here`: how its samples are read, and its gaps.

    Returns the header that describes the lead (the layout's, else the first segment's), the
    lead's index in it, the lead in that signal's counts, and (first, number) of the samples
    that no segment has. Raises RecordError.
    """
    layout = master.layout
    first = layout or next((s for s, n in master.segments if n and not is_null(s)), None)
    if first is None:
        raise RecordError(f"record {name} has no segment with a signal")
    described = _segment_header(here, first, name)
    units = [known.units or s.units for s in described.signals]
    index = choose_lead(described.sig_name, units, name, lead)
    signal = described.signals[index]
    per_frame = signal.samples_per_frame
    parts: list[_Part] = []
    gaps: list[tuple[int, int]] = []
    unchecked = False
    at = 0
    for segment, frames in master.segments:
        length = frames * per_frame
        if not length:
            continue
        found = None
        if not is_null(segment):
            header = _segment_header(here, segment, name)
            found = _find(header, signal, index, by_name=layout is not None)
        if found is None:
            held = parts[-1].last() if parts else signal.baseline
            parts.append(_Part(at, at + length, _constant(held)))
            gaps.append((at, length))
        else:
            opened = open_signal(root, here, header, found, segment, known.checksum)
            own = header.signals[found]
            if opened.n_samples != length or own.samples_per_frame != per_frame:
                raise RecordError(
                    f"record {name}: segment {segment} has {opened.n_samples} samples where "
                    f"{name}.hea says {length}: fetch it again (einthoven data fetch)"
                )
            parts.append(_Part(at, at + length, _as(signal, own, opened)))
            if opened.absent:
                gaps.append((at + length - opened.absent, opened.absent))
            unchecked |= opened.unchecked
        at += length
    return described, index, Opened(at, _joint(parts), INVALID, 0, unchecked), _joined(gaps)


@dataclass(frozen=True)
class _Part:
    """What a segment is in the record."""

    begin: int
    end: int
    read: Read
    """Of the part's own samples, in the record's counts."""

    def last(self) -> int:
        """The last sample."""
        return int(self.read(self.end - self.begin - 1, self.end - self.begin)[0])


def _constant(value: int) -> Read:
    return lambda begin, end: np.full(end - begin, value, dtype=np.int32)


def _joint(parts: list[_Part]) -> Read:
    """All parts as one signal."""

    def read(begin: int, end: int) -> NDArray[np.int32]:
        found = [
            part.read(max(begin - part.begin, 0), min(end, part.end) - part.begin)
            for part in parts
            if part.begin < end and part.end > begin
        ]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int32)

    return read


def _segment_header(here: Path, segment: str, name: str) -> Header:
    if not (here / f"{segment}.hea").is_file():
        raise RecordError(
            f"record {name}: segment {segment} is missing: fetch it again (einthoven data fetch)"
        )
    header = read_header(here, segment)
    if header.segments:
        raise RecordError(f"record {name}: segment {segment} is itself made of segments")
    return header


def _find(header: Header, signal: Signal, index: int, by_name: bool) -> int | None:
    """Which signal of a segment is the lead: by name in a variable layout, else by place."""
    if by_name:
        names = header.sig_name
        return names.index(signal.name) if signal.name in names else None
    present = index < len(header.signals) and not is_null(header.signals[index].file_name)
    return index if present else None


def _as(signal: Signal, own: Signal, opened: Opened) -> Read:
    """A segment's counts as those of `signal`, which may have another gain and baseline."""
    ratio = None
    if own.gain and signal.gain and (own.gain, own.baseline) != (signal.gain, signal.baseline):
        ratio = signal.gain / own.gain

    def read(begin: int, end: int) -> NDArray[np.int32]:
        stored = opened.read(begin, end)
        moved = stored
        if ratio is not None:
            scaled = (stored.astype(np.float64) - own.baseline) * ratio + signal.baseline
            moved = np.rint(scaled).astype(np.int32)
        if opened.invalid_lsb is not None:
            moved = np.where(stored == opened.invalid_lsb, np.int32(INVALID), moved)
        return moved

    return read


def _joined(gaps: list[tuple[int, int]]) -> Gaps:
    """Gaps that touch, as one."""
    joined: list[tuple[int, int]] = []
    for first, number in gaps:
        if joined and sum(joined[-1]) == first:
            joined[-1] = (joined[-1][0], joined[-1][1] + number)
        else:
            joined.append((first, number))
    return tuple(joined)
