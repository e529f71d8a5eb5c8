"""EDF, BDF and CSV: what a recorder wrote is what is read, and what is missing is a gap."""

import re
from pathlib import Path
from typing import Any

import edfio
import numpy as np
import pytest
from numpy.typing import NDArray

from einthoven.errors import RecordError
from einthoven.records.database import record_names
from einthoven.records.record import Known, Record, read_record

RATE_HZ = 250
TIMES = np.arange(1000) / RATE_HZ
MV = np.round(np.sin(2 * np.pi * 1.3 * TIMES) + 0.25, 4)


def mv_of(record: Record) -> NDArray[np.float64]:
    found: NDArray[np.float64] = (record.samples - record.baseline_lsb) / record.gain_lsb_per_mv
    return found


def table(folder: Path, head: str, rows: list[str], name: str = "t") -> None:
    (folder / f"{name}.csv").write_text("\n".join([*head.splitlines(), *rows]) + "\n")


PAIRS = list(zip(TIMES, MV, strict=True))
CSV = {
    "seconds": ("time,resp,MLII (mV)", [f"{t:.4f},9,{v}" for t, v in PAIRS]),
    "ms, uV": ("time_ms,ECG [uV]", [f"{t * 1e3:.0f},{v * 1e3:.1f}" for t, v in PAIRS]),
    "epoch in ms": ("timestamp;EKG_mV", [f"{1.7e12 + t * 1e3:.0f};{v}" for t, v in PAIRS]),
    "decimal comma": ("Zeit;EKG", [f"{t:.3f};{v}".replace(".", ",") for t, v in PAIRS]),
    "clock, units": (
        "'Elapsed time','MLII'\n'hh:mm:ss.mmm','mV'",
        [f"'{int(t // 60)}:{t % 60:06.3f}',{v}" for t, v in PAIRS],
    ),
    "dates": (
        "date\tecg lead II (V)",
        [f"2026-05-05T10:00:{t:09.6f}Z\t{v / 1e3:.8f}" for t, v in PAIRS],
    ),
    "bundles": ("t,ecg_mv", [f"{(t + 1e-9) // 0.1 * 0.1:.3f},{v}" for t, v in PAIRS]),
}  # fmt: skip


@pytest.mark.parametrize("kind", CSV)
def test_tables_with_times(tmp_path: Path, kind: str) -> None:
    table(tmp_path, *CSV[kind])
    assert record_names(tmp_path, "all") == ["t"]
    record = read_record(tmp_path, "t")
    assert (record.rate_hz, record.n_samples, record.gaps) == (RATE_HZ, 1000, ())
    assert np.abs(mv_of(record) - MV).max() < 2e-4
    assert record.gain_assumed == (kind == "decimal comma")


def test_rows_that_were_dropped_are_gaps(tmp_path: Path) -> None:
    kept = np.ones(1000, dtype=bool)
    kept[200] = kept[500:540] = False
    jitter = np.random.default_rng(1).uniform(-0.3, 0.3, 1000) / RATE_HZ
    rows = [f"{t:.5f},{v}" for t, v in zip((TIMES + jitter)[kept], MV[kept], strict=True)]
    table(tmp_path, "time,ECG (mV)", rows)
    record = read_record(tmp_path, "t")
    assert record.gaps == ((200, 1), (500, 40))
    there = np.flatnonzero(kept)
    assert np.abs(mv_of(record)[there] - MV[there]).max() < 2e-4
    # The same by a column that counts the rows.
    rows = [f"{i},{v}" for i, v in zip(there.tolist(), MV[kept].tolist(), strict=True)]
    table(tmp_path, "sample #,ECG (mV)", rows)
    assert read_record(tmp_path, "t", known=Known(csv_rate_hz=250)).gaps == ((200, 1), (500, 40))


def test_tables_at_a_rate_that_the_user_knows(tmp_path: Path) -> None:
    table(tmp_path, "ECG", [str(round(v * 200) + 512) for v in MV])
    with pytest.raises(RecordError, match="--csv-rate"):
        read_record(tmp_path, "t")
    with pytest.raises(RecordError, match="--csv-gain"):
        read_record(tmp_path, "t", known=Known(csv_rate_hz=250))
    record = read_record(tmp_path, "t", known=Known(csv_rate_hz=250, csv_gain=200))
    assert (record.rate_hz, record.gain_lsb_per_mv, record.gain_assumed) == (250, 200, False)
    assert record.samples.tolist() == [round(v * 200) + 512 for v in MV.tolist()]
    turned = read_record(tmp_path, "t", known=Known(csv_rate_hz=250, csv_gain=-200))
    assert turned.samples.tolist() == (-record.samples).tolist()
    with pytest.raises(RecordError, match="no lead V5"):
        read_record(tmp_path, "t", "V5")


def test_cells_without_a_number_have_no_value(tmp_path: Path) -> None:
    rows = [f"{t:.4f},{'' if i % 100 == 7 else v}" for i, (t, v) in enumerate(PAIRS)]  # fmt: skip
    table(tmp_path, "time,ECG (mV)", rows)
    record = read_record(tmp_path, "t")
    assert np.flatnonzero(record.samples == record.invalid_lsb).tolist() == list(
        range(7, 1000, 100)
    )


def test_other_tables_are_no_records(tmp_path: Path) -> None:
    table(tmp_path, *CSV["seconds"])
    table(tmp_path, "ecg_id,age,report", ["1,50,sinus rhythm", "2,60,none"], "patients")
    table(tmp_path, "name,ECG", ["a,b", "c,d"], "words")
    (tmp_path / "empty.csv").write_text("")
    assert record_names(tmp_path, "all") == ["t"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["9.000,1", "9.004,2", "9.008,3", "5,4"], "runs back at row 4"),
        (["0.000,1", "0.004,1", "0.008,2", "400000.0,1"], "the time jumps"),
        (["0.000,x", "0.004,y", "0.008,1.5"], "holds 1 numbers in 3 rows"),
    ],
)
def test_tables_that_cannot_be_right(tmp_path: Path, rows: list[str], words: str) -> None:
    table(tmp_path, "time,ECG (mV)", rows)
    with pytest.raises(RecordError, match=words):
        read_record(tmp_path, "t", known=Known(csv_rate_hz=250 if "back" in words else None))


# EDF


def signals(kind: Any, scale: float = 1000.0, unit: str = "uV") -> list[Any]:
    range_ = (-5 * scale, 5 * scale)
    about = {"physical_dimension": unit, "physical_range": range_}
    resp = kind(np.zeros(1000), RATE_HZ, label="Resp", **about)
    return [resp, kind(MV * scale, RATE_HZ, label="ECG II", **about)]


def test_edf_and_bdf(tmp_path: Path) -> None:
    edfio.Edf(signals(edfio.EdfSignal), data_record_duration=1).write(tmp_path / "e.edf")
    edfio.Bdf(signals(edfio.BdfSignal, 1.0, "mV"), data_record_duration=1).write(tmp_path / "b.BDF")
    assert record_names(tmp_path, "all") == ["b", "e"]
    for name, fine in (("e", 2e-4), ("b", 2e-6)):
        record = read_record(tmp_path, name)
        assert (record.lead, record.rate_hz, record.gaps) == ("ECG II", RATE_HZ, ())
        assert np.abs(mv_of(record) - MV).max() <= fine
    data = (tmp_path / "e.edf").read_bytes()
    (tmp_path / "e.edf").write_bytes(data[:-700])
    with pytest.raises(RecordError, match="truncated"):
        read_record(tmp_path, "e")
    (tmp_path / "e.edf").write_bytes(data[:100])
    with pytest.raises(RecordError, match="no EDF file"):
        read_record(tmp_path, "e")


def test_edf_in_micro_signs(tmp_path: Path) -> None:
    edfio.Edf(signals(edfio.EdfSignal), data_record_duration=1).write(tmp_path / "e.edf")
    data = (tmp_path / "e.edf").read_bytes()
    (tmp_path / "e.edf").write_bytes(data.replace(b"uV      ", b"\xb5V      "))
    assert np.abs(mv_of(read_record(tmp_path, "e")) - MV).max() < 2e-4


def test_a_discontinuous_edf_has_its_gaps(tmp_path: Path) -> None:
    note = edfio.EdfAnnotation(0.5, None, "x")
    edf = edfio.Edf(signals(edfio.EdfSignal), data_record_duration=1, annotations=[note])
    edf.write(tmp_path / "e.edf")
    data = (tmp_path / "e.edf").read_bytes().replace(b"EDF+C", b"EDF+D")
    # The third and fourth second began 2.5 s late.
    for second in (2, 3):
        onset = re.compile(rb"\+%d\x14\x14\0(?=\0\0\0)\0\0" % second)
        data, changed = onset.subn(b"+%d.5\x14\x14\0" % (second + 2), data, count=1)
        assert changed == 1
    (tmp_path / "e.edf").write_bytes(data)
    record = read_record(tmp_path, "e")
    assert record.gaps == ((500, 625),)
    assert np.abs(np.delete(mv_of(record), np.arange(500, 1125)) - MV).max() < 2e-4
