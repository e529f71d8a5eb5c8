"""A watched board's signal as a WFDB record that is readable at any moment.

`NAME.dat` (format 16) grows as samples come; `NAME.hea` says no length until the end, so that a
reader takes what the file holds, after a lost cable or a full disk, too. Missing samples have
WFDB's value for it (-32768). `NAME.ein` holds the beats as Einthoven's runs do (`num` the
confidence in percent, `subtype` 1 where unsure); it is written at the end.
"""

from pathlib import Path
from types import TracebackType

import numpy as np

from einthoven.errors import RecordError
from einthoven.hil_tests.harness.device import Hello
from einthoven.hil_tests.harness.watching import Began, Item, Missing, Samples
from einthoven.records.annotations import ANNOTATOR, write_annotations

INVALID = -32768
_NOTICE = "Not a medical device."


class Recorder:
    """Writes the record `path` (without suffix). Use as a context manager; RecordError, OSError.

    A second session (the board was reset) follows the first one after one missing sample.
    """

    def __init__(self, path: Path, hello: Hello) -> None:
        if path.with_name(f"{path.name}.hea").exists():
            raise RecordError(f"{path}.hea is there already: choose another --out")
        if not path.name.replace("_", "").replace("-", "").isalnum() or not path.name.isascii():
            raise RecordError(f"{path.name} cannot be a record's name: letters, digits, - and _")
        self._path, self._hello = path, hello
        self.samples = 0
        """Written so far, missing ones included."""
        self.missing = 0
        self._shift: int | None = None  # from the board's index to the record's
        self._beats: list[tuple[int, str, int, int]] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.with_name(f"{path.name}.dat").open("xb", buffering=0)
        self._header(None)

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        whole = self._file.tell() // 2  # a full disk may have cut a sample
        self._file.truncate(2 * whole)
        self._file.close()
        self.samples = whole
        rows = sorted(b for b in self._beats if b[0] < whole)
        columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
        write_annotations(
            self._path.parent,
            self._path.name,
            ANNOTATOR,
            list(columns[0]),
            list(columns[1]),
            self._hello.rate_hz,
            subtype=list(columns[2]),
            num=list(columns[3]),
        )
        self._header(whole)

    def take(self, items: list[Item]) -> None:
        """Append what has come."""
        for item in items:
            if isinstance(item, Began):
                if self.samples:
                    self._write(np.full(1, INVALID, np.int16))
                    self.missing += 1
                self._shift = self.samples - item.at
            elif isinstance(item, Samples):
                self._write(np.maximum(item.values, INVALID + 1))
            elif isinstance(item, Missing):
                self._write(np.full(item.count, INVALID, np.int16))
                self.missing += item.count
            elif item.name == "beat" and self._shift is not None:
                at = item["t_samples"] + self._shift
                label = self._hello.classes[item["label"]]
                percent = round(100 * item["confidence"] / 255)
                if at >= 0:
                    self._beats.append((at, label, int(item["unsure"]), percent))

    def _write(self, values: np.ndarray[tuple[int], np.dtype[np.int16]]) -> None:
        self._file.write(values.astype("<i2").tobytes())
        self.samples += len(values)

    def _header(self, length: int | None) -> None:
        who, name = self._hello, self._path.name
        said = "" if length is None else f" {length}"
        text = (
            f"{name} 1 {who.rate_hz}{said}\n"
            f"{name}.dat 16 {who.gain_lsb_per_mv}(0)/mV {who.adc_bits} 0 0 0 0 ECG\n"
            f"# {who.board}, model {who.model}. {_NOTICE}\n"
        )
        if length is not None:  # without initial value and checksum, which are not known before
            text = text.replace(f" {who.adc_bits} 0 0 0 0 ECG", f" {who.adc_bits} 0 {self._sums()}")
        half = self._path.with_name(f".{name}.hea")
        half.write_text(text, encoding="ascii")
        half.replace(self._path.with_name(f"{name}.hea"))

    def _sums(self) -> str:
        data = np.fromfile(self._path.with_name(f"{self._path.name}.dat"), "<i2")
        first = int(data[0]) if len(data) else 0
        checksum = (int(data.astype(np.int64).sum()) + 0x8000) % 0x10000 - 0x8000
        return f"{first} {checksum} 0 ECG"
