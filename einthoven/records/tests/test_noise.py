"""The noise mixer: the ratio that was asked for, and nstdb's own records from their parts."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from einthoven.cli import app
from einthoven.errors import RecordError, UsageError
from einthoven.records import noise
from einthoven.records.annotations import Annotations, read_annotations
from einthoven.records.record import Record, read_record
from einthoven.records.writing import write_record

RATE_HZ = 360.0
SECONDS = 600


def clean() -> tuple[Record, Annotations]:
    """A flat line with a spike of 400 counts every second, one of them twice as large and V."""
    beats = np.arange(180, SECONDS * 360, 360)
    samples = np.zeros(SECONDS * 360, np.int32)
    samples[beats] = 400
    samples[beats[7]] = 800
    record = Record("a", "MLII", RATE_HZ, 200.0, 0, samples, -2048)
    symbols = ["V" if i == 7 else "N" for i in range(len(beats))]
    return record, Annotations.of(beats, symbols, RATE_HZ)


def source(rate_hz: float = RATE_HZ, seconds: int = 400) -> Record:
    """Noise of two tones, which resampling keeps as they are."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    counts = 300 * np.sin(2 * np.pi * 11 * t) + 200 * np.sin(2 * np.pi * 3 * t)
    return Record("hum", "noise1", rate_hz, 1.0, 0, np.rint(counts).astype(np.int32), None)


def added(noisy: Record, record: Record) -> NDArray[np.float64]:
    """What was added, in counts."""
    return noisy.samples.astype(np.float64) - record.samples


@pytest.mark.parametrize("snr_db", [24.0, 6.0, -6.0])
@pytest.mark.parametrize("noise_hz", [360.0, 128.0, 1000.0])
def test_ratio_is_what_was_asked_for(snr_db: float, noise_hz: float) -> None:
    record, reference = clean()
    noisy = noise.mix(record, reference, source(noise_hz), snr_db, all_along=True)
    power = np.var(added(noisy, record).reshape(SECONDS, 360), axis=1).mean()
    assert 10 * np.log10(400**2 / 8 / power) == pytest.approx(snr_db, abs=0.05)


def test_noise_comes_and_goes_by_the_protocol_and_without_a_jump() -> None:
    record, reference = clean()
    what = added(noise.mix(record, reference, source(), 0.0), record)
    rms = np.std(what.reshape(-1, 360 * 60), axis=1)
    assert np.array_equal(rms > 100, [False] * 5 + [True, True, False, False, True])
    assert not what[: 300 * 360].any()
    largest_step = np.abs(np.diff(source().samples)).max() * 0.6
    assert np.abs(np.diff(what)).max() < largest_step


def test_same_seed_same_record_and_another_seed_another() -> None:
    record, reference = clean()
    one, same, other = (
        noise.mix(record, reference, source(), 6.0, seed=s).samples for s in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_what_has_no_value_stays_without_and_its_mark_means_nothing_else() -> None:
    record, reference = clean()
    record.samples[1000:1100] = -2048
    noisy = noise.mix(record, reference, source(), -24.0, all_along=True)
    assert noisy.samples.min() == noisy.invalid_lsb
    assert np.array_equal(np.flatnonzero(noisy.samples == noisy.invalid_lsb), range(1000, 1100))


def test_useless_parts_are_named() -> None:
    record, reference = clean()
    silence = Record("s", "noise1", RATE_HZ, 1.0, 0, np.zeros(7200, np.int32), None)
    with pytest.raises(RecordError, match="constant"):
        noise.mix(record, reference, silence, 6.0)
    with pytest.raises(RecordError, match="must last 1 s"):
        noise.noise_rms(np.zeros(100), RATE_HZ)
    with pytest.raises(RecordError, match="no beat"):
        noise.mix(record, Annotations.of([500], ["V"], RATE_HZ), source(), 6.0)


@pytest.mark.records
@pytest.mark.parametrize("snr", ["24", "06", "_6"])
@pytest.mark.parametrize("name", ["118", "119"])
def test_nstdb_comes_out_of_its_parts(mitdb: Path, nstdb: Path, name: str, snr: str) -> None:
    record, reference = read_record(mitdb, name), read_annotations(mitdb, name)
    em = read_record(nstdb, "em", uncalibrated_gain=1.0)
    ours = noise.mix(record, reference, em, float(snr.replace("_", "-")))
    theirs = read_record(nstdb, f"{name}e{snr}")
    for start_s in (300, 1740):  # the first and the last noisy stretch
        part = slice(start_s * 360, (start_s + 60) * 360)
        a, b = added(ours, record)[part], (theirs.samples - record.samples)[part]
        gain, _ = np.polyfit(a, b, 1)
        assert 20 * np.log10(gain) == pytest.approx(0, abs=0.09)
        # nst cuts each sample to a whole count and lets that add up: nothing else differs.
        assert np.std(b - gain * a) < 1


@pytest.mark.records
def test_command_writes_a_record_that_reads_back(mitdb: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["data", "mix", "100", "ma", "--snr=-6", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    written, record = read_record(tmp_path, "100ma_6"), read_record(mitdb, "100")
    assert written.n_samples == record.n_samples
    assert np.std(added(written, record)[301 * 360 : 419 * 360]) > 100
    assert len(read_annotations(tmp_path, "100ma_6")) == len(read_annotations(mitdb, "100"))
    words = ["data", "mix", "100", "ma", "--snr=-6", "--seed=3", "--out", str(tmp_path)]
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 2 and "there already" in again.output
    assert np.array_equal(read_record(tmp_path, "100ma_6").samples, written.samples)


@pytest.mark.parametrize("snr_db", [float("nan"), float("inf"), -500.0, 1e6])
def test_a_ratio_that_means_nothing_is_refused(snr_db: float) -> None:
    record, reference = clean()
    with pytest.raises(UsageError, match=r"out of range: give -40 to 80 dB"):
        noise.mix(record, reference, source(), snr_db)


def test_clipped_samples_are_counted() -> None:
    record, reference = clean()
    assert noise.clipped(noise.mix(record, reference, source(), 0.0)) == 0
    loud = dataclasses.replace(record, samples=record.samples * 60)
    mixed = noise.mix(loud, reference, source(), -12.0)
    at_the_ends = int(np.count_nonzero(np.abs(mixed.samples) == 32767))
    assert noise.clipped(mixed) == at_the_ends > 0


def test_a_record_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    record, reference = clean()
    write_record(record, reference, tmp_path, "good")
    assert {p.name for p in tmp_path.iterdir()} == {"good.hea", "good.dat", "good.atr"}
    out_of_range = Annotations.of(np.array([-5]), ["N"], RATE_HZ)
    with pytest.raises(RecordError):
        write_record(record, out_of_range, tmp_path, "bad")
    assert not list(tmp_path.glob("bad*"))
