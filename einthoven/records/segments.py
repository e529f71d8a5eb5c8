"""Records that are made of segments: fixed and variable layout, with gaps between them.

Format: header(5), "multi-segment records". In a record of variable layout (MIMIC's) the first
segment has length 0 and describes all signals that there are; each other segment has some of
them, in any order. A segment named `~`, and one that lacks the lead, is a gap.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.errors import RecordError
from einthoven.records.header import Header, Signal, is_null, read_header
from einthoven.records.leads import choose_lead
from einthoven.records.recording import INVALID, Known
from einthoven.records.signal_file import Decoded, read_signal

Gaps = tuple[tuple[int, int], ...]


def read_segments(
    root: Path, here: Path, name: str, master: Header, lead: str | None, known: Known
) -> tuple[Header, int, Decoded, Gaps]:
    """One lead of a record whose segments lie in `here`: all of its samples, and its gaps.

    Returns the header that describes the lead (the layout's, else the first segment's), the
    lead's index in it, its samples in that signal's counts, and (first, number) of the samples
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
    total = sum(length for _, length in master.segments) * per_frame
    samples = np.zeros(total, dtype=np.int32)
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
            samples[at : at + length] = samples[at - 1] if at else signal.baseline
            gaps.append((at, length))
        else:
            decoded = read_signal(root, here, header, found, segment, known.checksum)
            own = header.signals[found]
            if len(decoded.samples) != length or own.samples_per_frame != per_frame:
                raise RecordError(
                    f"record {name}: segment {segment} has {len(decoded.samples)} samples where "
                    f"{name}.hea says {length}: fetch it again (einthoven data fetch)"
                )
            samples[at : at + length] = _as(signal, own, decoded)
            if decoded.absent:
                gaps.append((at + length - decoded.absent, decoded.absent))
            unchecked |= decoded.unchecked
        at += length
    return described, index, Decoded(samples, INVALID, 0, unchecked), _joined(gaps)


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


def _as(signal: Signal, own: Signal, decoded: Decoded) -> NDArray[np.int32]:
    """A segment's counts as those of `signal`, which may have another gain and baseline."""
    moved = decoded.samples
    missing = moved == decoded.invalid_lsb if decoded.invalid_lsb is not None else None
    if own.gain and signal.gain and (own.gain, own.baseline) != (signal.gain, signal.baseline):
        ratio = signal.gain / own.gain
        scaled = (moved.astype(np.float64) - own.baseline) * ratio + signal.baseline
        moved = np.rint(scaled).astype(np.int32)
    if missing is not None and missing.any():
        moved = np.where(missing, np.int32(INVALID), moved)
    return moved


def _joined(gaps: list[tuple[int, int]]) -> Gaps:
    """Gaps that touch, as one."""
    joined: list[tuple[int, int]] = []
    for first, number in gaps:
        if joined and sum(joined[-1]) == first:
            joined[-1] = (joined[-1][0], joined[-1][1] + number)
        else:
            joined.append((first, number))
    return tuple(joined)
