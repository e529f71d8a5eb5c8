"""A watched board's signal as a record that is readable at any moment, and whole at its end.

`NAME.dat` (format 16) grows as samples come; `NAME.hea` says no length until the end, so that a
reader takes what the file holds, even if this program is killed. Samples that are missing have
WFDB's value for it (-32768), and a note (`"`) says why. At the end, `NAME.ein` gets beats, rhythm
and marks as a device's exported log has them (`einthoven.device_log`), and `NAME.edf` the same as
EDF+, where it is wanted. Room for these is kept in a hidden file from the start: a disk that fills
up ends the recording while the end can still be written.
"""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from einthoven.device_log.description import BEAT, Device, Moment, Span, Strip, TimeSet
from einthoven.device_log.edf_export import edf_of
from einthoven.device_log.times import Clock
from einthoven.device_log.wfdb_export import write_marks
from einthoven.errors import DISK_FULL, BoardError, RecordError
from einthoven.hil_tests.harness.device import Hello
from einthoven.hil_tests.harness.watching import Began, Item, Missing, Samples
from einthoven.native.rhythm import END, kinds
from einthoven.wire.codec import Message

INVALID = -32768
_NOTICE = "Not a medical device."
_STEP = 16384
"""Bytes by which the kept room grows."""
_BYTES_A_MARK = 12
_EDF_BYTES_A_SAMPLE = 5
_EDF_BYTES_A_MARK = 32


def check_name(path: Path) -> None:
    """Raises RecordError for a record's name that is taken, or that WFDB does not allow."""
    if not path.name.replace("_", "").replace("-", "").isalnum() or not path.name.isascii():
        raise RecordError(f"{path.name} cannot be a record's name: letters, digits, - and _")
    for suffix in ("hea", "dat"):
        if path.with_name(f"{path.name}.{suffix}").exists():
            raise RecordError(f"{path}.{suffix} is there already: choose another name")


class Recorder:
    """Writes the record `path` (without suffix). Use as a context manager, or `close` it.

    `source`: what the board samples, in words, for the header; `edf`: EDF+, too. Raises RecordError
    for a name that is taken or cannot be one, OSError. A second session (the board was reset)
    follows the first one after one missing sample.
    """

    def __init__(self, path: Path, hello: Hello, source: str, edf: bool = False) -> None:
        check_name(path)
        self._path, self._hello, self._source, self._edf = path, hello, source, edf
        self._began_at = datetime.now(UTC)
        self.samples = 0
        """Written so far, missing ones included."""
        self.missing = 0
        self._shift = 0  # from the board's index to the record's
        self._beats: list[tuple[int, int, int, bool]] = []
        self._spans: list[Span] = []
        self._lasting: dict[str, int] = {}
        self._lost: list[tuple[int, int]] = []
        self._notes: list[tuple[int, str]] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._named("dat").open("xb", buffering=0)
        self._room = path.with_name(f".{path.name}.room")
        self._kept = 0
        try:
            self._keep_room()
            self._header(None)
        except OSError:
            self._file.close()
            for made in (self._named("dat"), self._room):
                made.unlink(missing_ok=True)
            raise

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(error)

    @property
    def name(self) -> str:
        """The record's."""
        return self._path.name

    def take(self, items: Sequence[Item]) -> None:
        """Append what has come. Raises OSError: then `close`."""
        for item in items:
            if isinstance(item, Began):
                self._begin(item)
            elif isinstance(item, Samples):
                self._write(np.maximum(item.values, INVALID + 1))
            elif isinstance(item, Missing):
                self._lose(item.count, f"{item.count} samples missing: {_WHY[item.by]}")
            elif item.name == "beat":
                at = item["t_samples"] + self._shift
                if at >= 0:
                    sure = (item["label"], item["confidence"], bool(item["unsure"]))
                    self._beats.append((at, *sure))
            elif item.name == "rhythm":
                self._rhythm(item)
        self._keep_room()

    def mark(self, at: int, text: str) -> None:
        """A note at the board's sample `at`."""
        self._notes.append((max(0, at + self._shift), text))

    def close(self, error: BaseException | None = None) -> None:
        """Write what stands at the end; harmless when closed already.

        `error`: what ended the recording. A full disk and a lost board are told again with what the
        record holds: RecordError, BoardError. What cannot be written is told, too, if nothing else
        has gone wrong.
        """
        if self._file.closed:
            return
        trouble = self._finish()
        if isinstance(error, BoardError):
            raise BoardError(f"{error}; {self.summary()}") from error
        found = error if isinstance(error, OSError) else trouble
        if found is None or (error is not None and found is not error):
            return
        if _is_full(found):
            raise RecordError(f"disk full: {self.summary()}; make room and record anew") from found
        raise RecordError(f"{self.summary()}, but: {found}") from found

    def summary(self) -> str:
        """`REC holds 12.3 s, 4 samples of them missing`, after the end."""
        lost = f", {self.missing:,} samples of them missing" if self.missing else ""
        return f"{self._path} holds {self.samples / self._hello.rate_hz:.1f} s{lost}"

    def _begin(self, item: Began) -> None:
        if self.samples:
            self._end_rhythm()
            self._lose(1, "a new session: the board was reset")
        self._shift = self.samples - item.at

    def _rhythm(self, event: Message) -> None:
        kind, begin = kinds()[event["kind"]], event["begin_samples"] + self._shift
        if event["phase"] == END:
            self._lasting.pop(kind, None)
            self._add_span(kind, begin, event["end_samples"] + self._shift)
        else:
            self._lasting[kind] = begin

    def _end_rhythm(self) -> None:
        for kind, begin in self._lasting.items():
            self._add_span(kind, begin, self.samples)
        self._lasting.clear()

    def _add_span(self, kind: str, begin: int, end: int) -> None:
        if end > max(begin, 0):
            self._spans.append(Span(kind, max(begin, 0), end))

    def _lose(self, count: int, why: str) -> None:
        self._lost.append((self.samples, count))
        self._notes.append((self.samples, why))
        self.missing += count
        self._write(np.full(count, INVALID, np.int16))

    def _write(self, values: NDArray[np.int16]) -> None:
        data = memoryview(values.astype("<i2").tobytes())
        while data:  # a disk that is nearly full takes a part
            data = data[self._file.write(data) :]
        self.samples += len(values)

    def _keep_room(self) -> None:
        marks = len(self._beats) + len(self._notes) + 2 * len(self._spans)
        wanted = marks * _BYTES_A_MARK + _STEP
        if self._edf:
            wanted += self.samples * _EDF_BYTES_A_SAMPLE + marks * _EDF_BYTES_A_MARK
        if wanted > self._kept:
            self._kept = -(-wanted // _STEP) * _STEP
            with self._room.open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, self._kept)

    def _finish(self) -> Exception | None:
        """Each step whatever became of those before; the first failure."""
        whole = self._file.tell() // 2  # a full disk may have cut a sample
        self.samples = whole
        self._end_rhythm()
        steps: list[Callable[[], object]] = [
            lambda: self._room.unlink(missing_ok=True),
            lambda: self._file.truncate(2 * whole),
            self._file.close,
            self._write_marks,
            lambda: self._header(whole),
        ]
        if self._edf and whole:
            steps.append(self._write_edf)
        failed = []
        for step in steps:
            try:
                step()
            except (OSError, RecordError) as error:
                failed.append(error)
        return failed[0] if failed else None

    def _write_marks(self) -> None:
        strip, notes = self._strip(np.zeros(self.samples, np.int16)), self._all_notes()
        write_marks(strip, self._path.parent, strip.rhythm, notes, name=self.name)

    def _write_edf(self) -> None:
        values = np.fromfile(self._named("dat"), "<i2").astype(np.int16)
        values[values == INVALID] = 0
        who, notes = self._hello, self._all_notes()
        # Whole seconds: data records of less cost more for their annotations than for the signal.
        if spare := -len(values) % who.rate_hz:
            notes.append((len(values), "End of the signal"))
            values = np.pad(values, (0, spare), mode="edge")
        strip = self._strip(values)
        device = Device(
            board=who.board,
            serial=who.serial,
            firmware=who.build,
            model=who.model,
            front_end=self._source,
            rails=(who.rail_lo, who.rail_hi),
            lsb_per_mv=who.gain_lsb_per_mv,
        )
        clock = Clock([TimeSet(strip.at, self._began_at.timestamp())])
        half = self._path.with_name(f".{self.name}.edf")
        try:
            edf_of(strip, strip.rhythm, device, clock, notes=notes).write(half)
            half.replace(self._named("edf"))
        finally:
            half.unlink(missing_ok=True)

    def _strip(self, values: NDArray[np.int16]) -> Strip:
        """The record as the exports of a log know it."""
        n = self.samples
        beats = np.array(sorted(b for b in self._beats if b[0] < n), dtype=BEAT)
        spans = [Span(s.kind, s.begin, min(s.end, n)) for s in self._spans if s.begin < n]
        return Strip(
            number=1,
            at=Moment(1, 0.0),
            rate_hz=self._hello.rate_hz,
            lsb_per_mv=self._hello.gain_lsb_per_mv,
            samples=values,
            beats=beats,
            rhythm=tuple(sorted(spans, key=lambda s: (s.begin, s.kind))),
            lost=tuple((first, min(count, n - first)) for first, count in self._lost if first < n),
        )

    def _all_notes(self) -> list[tuple[int, str]]:
        return [(at, text) for at, text in self._notes if at < self.samples]

    def _header(self, length: int | None) -> None:
        who, name = self._hello, self.name
        said, first_and_sum = "", "0 0"
        if length is not None:  # what is not known before
            said = f" {length} {self._began_at:%H:%M:%S %d/%m/%Y}"
            first_and_sum = self._first_and_sum()
        text = (
            f"{name} 1 {who.rate_hz}{said}\n"
            f"{name}.dat 16 {who.gain_lsb_per_mv}(0)/mV {who.adc_bits} 0 {first_and_sum} 0 ECG\n"
            f"# {who.board}, {self._source}, model {who.model}. Times are UTC. {_NOTICE}\n"
        )
        half = self._path.with_name(f".{name}.hea")
        try:
            half.write_text(text.encode("ascii", "replace").decode(), encoding="ascii")
            half.replace(self._named("hea"))
        finally:
            half.unlink(missing_ok=True)

    def _first_and_sum(self) -> str:
        data = np.fromfile(self._named("dat"), "<i2")
        checksum = (int(data.astype(np.int64).sum()) + 0x8000) % 0x10000 - 0x8000
        return f"{int(data[0]) if len(data) else 0} {checksum}"

    def _named(self, suffix: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{suffix}")


_WHY = {"board": "the ADC had no room", "link": "the link lost them"}


def _is_full(error: BaseException | None) -> bool:
    cause = error if isinstance(error, OSError) else getattr(error, "__cause__", None)
    return isinstance(cause, OSError) and cause.errno in DISK_FULL
