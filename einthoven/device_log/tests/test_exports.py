"""What is exported is read back by programs that are not ours."""

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import edfio
import numpy as np
import pytest
import wfdb

from einthoven.aami import CLASSES
from einthoven.device_log.beats import with_beats
from einthoven.device_log.csv_export import write_csv
from einthoven.device_log.description import DeviceLog, Episode, Moment
from einthoven.device_log.edf_export import write_edf
from einthoven.device_log.testing import RATE_HZ, made_up_log
from einthoven.device_log.times import Clock
from einthoven.device_log.wfdb_export import write_wfdb
from einthoven.records.annotations import read_annotations
from einthoven.records.record import read_record
from einthoven.scoring.episodes import episodes


@pytest.fixture(scope="module")
def log() -> DeviceLog:
    return with_beats(made_up_log(days=1.2))


@pytest.fixture(scope="module")
def clock(log: DeviceLog) -> Clock:
    return Clock.of(log, timezone(timedelta(hours=5, minutes=30)))


@pytest.fixture(scope="module")
def wfdb_folder(log: DeviceLog, clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("log") / "wfdb"
    assert write_wfdb(log, folder, clock) == len(log.strips)
    return folder


def test_a_verdict_computed_again_is_the_devices(log: DeviceLog) -> None:
    assert [s.confirmed for s in log.strips] == [True, True, True]
    assert all(len(s.beats) > 20 for s in log.strips)
    other = replace(log.strips[0], verdict=replace(log.strips[0].verdict, rate_bpm=1))  # type: ignore[type-var]
    assert with_beats(replace(log, strips=[other])).strips[0].confirmed is False


def test_wfdb_has_the_samples_to_the_bit(log: DeviceLog, wfdb_folder: Path) -> None:
    assert (wfdb_folder / "RECORDS").read_text().split() == [s.name for s in log.strips]
    for strip in log.strips:
        theirs = wfdb.rdrecord(str(wfdb_folder / strip.name), physical=False)
        assert theirs.fs == RATE_HZ
        assert theirs.units == ["mV"]
        assert theirs.adc_gain == [strip.lsb_per_mv]
        np.testing.assert_array_equal(theirs.d_signal[:, 0], strip.samples)
        ours = read_record(wfdb_folder, strip.name)  # checks the checksum
        np.testing.assert_array_equal(ours.samples, strip.samples)


def test_wfdb_has_beats_rhythm_verdict_and_time(log: DeviceLog, wfdb_folder: Path) -> None:
    strip = log.strips[1]
    marks = wfdb.rdann(str(wfdb_folder / strip.name), "ein")
    beats = [i for i, s in enumerate(marks.symbol) if s in CLASSES]
    assert [marks.sample[i] for i in beats] == strip.beats["sample"].tolist()
    assert [marks.symbol[i] for i in beats] == [CLASSES[b["label"]] for b in strip.beats]
    assert [marks.num[i] for i in beats] == [round(b["confidence"] / 2.55) for b in strip.beats]
    assert [marks.subtype[i] for i in beats] == strip.beats["unsure"].tolist()
    assert marks.symbol[0] == "+"
    assert marks.aux_note[0].rstrip("\0") == "(AFIB"  # from the log's own episode
    header = wfdb.rdheader(str(wfdb_folder / strip.name))
    assert header.base_datetime == datetime(2026, 9, 22, 4, 1, 59, 311856)  # 23 ppm are off
    assert any("as in atrial fibrillation" in line for line in header.comments)
    assert any("Not a medical device" in line for line in header.comments)
    unknown = wfdb.rdheader(str(wfdb_folder / log.strips[0].name))
    assert unknown.base_datetime is None
    assert any("start 1, 0:00:40" in line for line in unknown.comments)


def test_rhythm_of_a_strip_ends_where_the_episode_ends(tmp_path: Path, log: DeviceLog) -> None:
    strip = log.strips[1]
    inside = [
        Episode("atrial fibrillation", strip.at, Moment(2, strip.at.seconds + 20.0)),
        Episode("ventricular tachycardia", Moment(2, 30_005.0), Moment(2, 30_008.0)),
        Episode("ventricular flutter or fibrillation", Moment(2, 30_022.0), None),
    ]
    write_wfdb(replace(log, strips=[strip], episodes=inside), tmp_path, Clock.of(log))
    marks = wfdb.rdann(str(tmp_path / strip.name), "ein")
    told = [
        (int(t), s + a.rstrip("\0"))
        for t, s, a in zip(marks.sample, marks.symbol, marks.aux_note, strict=True)
        if s in "+[]"
    ]
    seconds = [(round(t / RATE_HZ, 1), text) for t, text in told]
    assert seconds == [
        *((0.0, "+(AFIB"), (5.0, "+(VT"), (8.0, "+(AFIB"), (20.0, "+(N")),
        *((22.0, "["), (30.0, "]")),
    ]
    found = episodes(read_annotations(tmp_path, strip.name, "ein"), "vf", len(strip.samples))
    assert [(e.begin, e.end) for e in found] == [(22 * RATE_HZ, 30 * RATE_HZ - 1)]


def test_lost_samples_are_wfdbs_invalid_and_empty_in_csv(tmp_path: Path, log: DeviceLog) -> None:
    strip = replace(log.strips[0], lost=((100, 50),))
    lossy = replace(log, strips=[strip])
    write_wfdb(lossy, tmp_path, Clock.of(log))
    values = wfdb.rdrecord(str(tmp_path / strip.name)).p_signal[:, 0]
    assert np.flatnonzero(np.isnan(values)).tolist() == list(range(100, 150))
    write_csv(lossy, tmp_path, Clock.of(log))
    table = list(csv.DictReader((tmp_path / f"{strip.name}.csv").open()))
    assert [i for i, row in enumerate(table) if row["mv"] == ""] == list(range(100, 150))


def test_edf_is_read_by_mne_edfio_and_pyedflib(
    tmp_path: Path, log: DeviceLog, clock: Clock
) -> None:
    mne, pyedflib = pytest.importorskip("mne"), pytest.importorskip("pyedflib")
    assert write_edf(log, tmp_path, clock, "P 017") == len(log.strips)
    for strip in log.strips:
        path = tmp_path / f"{strip.name}.edf"
        uv = 1000.0 * strip.samples / strip.lsb_per_mv
        beats = [(round(b["sample"] / RATE_HZ, 6), CLASSES[b["label"]]) for b in strip.beats]

        by_edfio = edfio.read_edf(path)
        np.testing.assert_array_equal(by_edfio.signals[0].digital, strip.samples)
        np.testing.assert_allclose(by_edfio.signals[0].data, uv, atol=1e-6)
        assert by_edfio.patient.code == "P_017"
        assert _beats((a.onset, a.text) for a in by_edfio.annotations) == beats

        with pyedflib.EdfReader(str(path)) as reader:
            np.testing.assert_array_equal(reader.readSignal(0, digital=True), strip.samples)
            np.testing.assert_allclose(reader.readSignal(0), uv, atol=1e-6)
            onsets, _, texts = reader.readAnnotations()
        assert _beats(zip(onsets.tolist(), texts.tolist(), strict=True)) == beats

        raw = mne.io.read_raw_edf(path, preload=True, verbose="error")
        assert raw.info["sfreq"] == RATE_HZ
        np.testing.assert_allclose(raw.get_data()[0] * 1e6, uv, atol=1e-6)
        told = zip(raw.annotations.onset, raw.annotations.description, strict=True)
        assert _beats((float(t), str(text)) for t, text in told) == beats
        when = clock.at(strip.at)
        if when is not None:
            assert abs(by_edfio.startdatetime - when.replace(tzinfo=None)) < timedelta(
                seconds=0.001
            )
            # An EDF's clock has no zone: MNE takes it for UTC, and whole seconds of it.
            assert raw.info["meas_date"] == when.replace(tzinfo=UTC, microsecond=0)


def _beats(told: Any) -> list[tuple[float, str]]:
    found = [(round(t, 6), text.removesuffix(" unsure")) for t, text in told]
    return [(t, text) for t, text in found if text in CLASSES]


@pytest.mark.parametrize("n", [5400, 5391, 5000, 1801, 7, 1])
def test_edf_of_any_length(tmp_path: Path, log: DeviceLog, n: int) -> None:
    strip = replace(log.strips[0], samples=log.strips[0].samples[:n], verdict=None)
    write_edf(replace(log, strips=[strip]), tmp_path, Clock.of(log))
    back = edfio.read_edf(tmp_path / f"{strip.name}.edf")
    digital = back.signals[0].digital
    np.testing.assert_array_equal(digital[:n], strip.samples)
    assert len(digital) - n <= 8  # less than 50 ms
    ends = [a.onset for a in back.annotations if a.text == "End of the signal"]
    assert ends == ([round(n / RATE_HZ, 6)] if len(digital) > n else [])


def test_edf_without_a_time_says_so(tmp_path: Path, log: DeviceLog, clock: Clock) -> None:
    write_edf(log, tmp_path, clock)
    back = edfio.read_edf(tmp_path / f"{log.strips[0].name}.edf")
    with pytest.raises(edfio.AnonymizedDateError):
        _ = back.recording.startdate
    assert any(a.text == "Time not known: start 1, 0:00:40" for a in back.annotations)


def test_csv_has_all_tables(tmp_path: Path, log: DeviceLog, clock: Clock) -> None:
    write_csv(log, tmp_path, clock)
    tables = {
        name: list(csv.DictReader((tmp_path / f"{name}.csv").open(encoding="utf-8")))
        for name in ("minutes", "episodes", "strips", "device")
    }
    assert len(tables["minutes"]) == len(log.minutes)
    assert tables["minutes"][0]["time"] == "2026-09-21T19:42:00+05:30"
    assert tables["minutes"][-1]["time"] == ""  # start 3: nobody set the time
    assert [row["verdict"] for row in tables["strips"]] == ["N", "A", "~"]
    assert tables["episodes"][-1]["duration_s"] == ""
    assert tables["device"][-1]["text"] == "battery low, 3.54 V"
    strip = log.strips[1]
    rows = list(csv.DictReader((tmp_path / f"{strip.name}.csv").open()))
    mv = np.array([float(row["mv"]) for row in rows])
    np.testing.assert_allclose(mv, strip.samples / strip.lsb_per_mv, atol=1e-4)
    assert sum(row["beat"] != "" for row in rows) == len(strip.beats)


def test_a_full_disk_leaves_what_was_there(
    tmp_path: Path, log: DeviceLog, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_edf(log, tmp_path, clock)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    calls = 0

    def full(self: Any, target: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError(28, "No space left on device")
        Path(target).write_bytes(b"half")

    monkeypatch.setattr(edfio.Edf, "write", full)
    with pytest.raises(OSError, match="No space left"):
        write_edf(log, tmp_path, clock)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
