"""The synthetic record: labelled as it is made, and good enough for the chain to work on it."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.errors import RecordError, UsageError
from einthoven.native.core import Beats, analyze
from einthoven.native.engine import TflmModel
from einthoven.records.adc import board_to_record_time, to_board
from einthoven.records.annotations import Annotations, read_annotations
from einthoven.records.record import read_record, verify_record
from einthoven.records.synth import (
    Ectopy,
    Episode,
    EpisodeKind,
    Noise,
    SynthRecord,
    demo_record,
    make_record,
)
from einthoven.scoring.comparison import compare
from einthoven.scoring.runs import compare_runs

SILENT = Noise(wander_mv=0.0, muscle_mv=0.0, mains_mv=0.0, electrode_pops_per_minute=0.0)
MANY = Ectopy(0.1, 0.1, 0.05, 0.03, 0.08)


@pytest.fixture(scope="module")
def demo() -> SynthRecord:
    return demo_record()


def times(record: SynthRecord, symbol: str) -> NDArray[np.int64]:
    found: NDArray[np.int64] = record.annotations.samples[record.annotations.symbols == symbol]
    return found


def episode(kind: EpisodeKind) -> SynthRecord:
    return make_record(3, 60.0, episodes=[Episode(kind, 20.0, 40.0)], noise=SILENT)


def test_same_arguments_same_record(demo: SynthRecord) -> None:
    again, other = demo_record(), demo_record(2)
    assert (again.samples == demo.samples).all()
    assert (again.annotations.samples == demo.annotations.samples).all()
    assert not (other.samples == demo.samples).all()


def test_it_has_every_kind_of_beat(demo: SynthRecord) -> None:
    found = Counter(demo.annotations.symbols.tolist())
    assert len(demo.samples) == 1800 * 360
    for symbol, at_least in {"N": 1000, "A": 20, "V": 50, "F": 5, "/": 100}.items():
        assert found[symbol] >= at_least
    assert (np.diff(demo.annotations.samples) >= 0).all()
    runs = compare_runs(demo.annotations, demo.annotations, 360.0, len(demo.samples), "V", 0.0)
    couplets, short, _ = runs.categories
    assert couplets[0] > 0
    assert short[0] > 0


def test_it_comes_back_from_its_files(demo: SynthRecord, tmp_path: Path) -> None:
    demo.write(tmp_path, "synthetic")
    verify_record(tmp_path, "synthetic")
    record = read_record(tmp_path, "synthetic")
    assert (record.samples == demo.samples).all()
    assert (record.lead, record.rate_hz, record.gain_lsb_per_mv) == ("MLII", 360.0, 200.0)
    assert "Synthetic" in record.comments[0]
    marks = read_annotations(tmp_path, "synthetic")
    for name in ("samples", "symbols", "subtype"):
        assert (getattr(marks, name) == getattr(demo.annotations, name)).all()
    assert marks.aux == demo.annotations.aux


def test_it_cannot_be_written_onto_a_file(demo: SynthRecord, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="cannot write"):
        demo.write(tmp_path / "file", "a")


def test_beats_are_marked_at_their_peak() -> None:
    record = make_record(5, 120.0, ectopy=MANY, noise=SILENT)
    signal = record.samples.astype(np.int64)
    for symbol in "NAV":
        for t in times(record, symbol).tolist():
            near = np.abs(signal[t - 36 : t + 36])
            assert abs(int(near.argmax()) - 36) <= 4


def test_ventricular_beats_are_wide_and_early_and_atrial_ones_early() -> None:
    record = make_record(5, 300.0, ectopy=MANY, noise=SILENT)
    marks = record.annotations
    rr = dict(zip(marks.samples[1:].tolist(), np.diff(marks.samples).tolist(), strict=True))
    median = np.median(list(rr.values()))
    assert all(rr[t] < 0.85 * median for s in "AV" for t in times(record, s).tolist())

    def width(symbol: str) -> float:
        beats = times(record, symbol)[1:]
        windows = np.abs(record.samples[beats[:, None] + np.arange(-40, 40)].astype(np.int64))
        return float((windows > windows.max(axis=1, keepdims=True) / 2).sum(axis=1).mean())

    assert width("V") > 2 * width("N")
    assert width("A") == pytest.approx(width("N"), rel=0.2)


def test_bigeminy_alternates() -> None:
    record = episode("bigeminy")
    inside = (record.annotations.samples > 22 * 360) & (record.annotations.samples < 39 * 360)
    symbols = "".join(record.annotations.symbols[inside])
    assert symbols in ("NV" * 40, "VN" * 40) or symbols in "NV" * 40
    assert "(B" in record.annotations.aux


def test_atrial_fibrillation_is_irregular() -> None:
    record = episode("af")
    beats = times(record, "N")
    inside = np.diff(beats[(beats > 21 * 360) & (beats < 39 * 360)])
    before = np.diff(beats[beats < 19 * 360])
    assert inside.std() / inside.mean() > 0.12 > before.std() / before.mean()
    assert "(AFIB" in record.annotations.aux


def test_paced_beats_follow_a_spike() -> None:
    record = episode("paced")
    paced = times(record, "/")
    assert 20 <= len(paced) <= 25
    assert np.ptp(np.diff(paced)) <= 1
    steep = np.abs(np.diff(record.samples.astype(np.int64)))
    assert all(steep[t - 30 : t - 10].max() > 80 for t in paced.tolist())


@pytest.mark.parametrize(("kind", "rail"), [("lead_off", -2048), ("saturated", 2047)])
def test_unreadable_stretches_are_at_the_rail_and_marked(
    kind: EpisodeKind, rail: int, tmp_path: Path
) -> None:
    record = episode(kind)
    inside = slice(20 * 360, 40 * 360)
    assert (record.samples[inside] == rail).all()
    beats = record.annotations.samples[np.char.isalpha(record.annotations.symbols)]
    assert not ((beats >= 20 * 360) & (beats <= 40 * 360)).any()
    record.write(tmp_path, "r")
    board = to_board(read_record(tmp_path, "r"), 180.0, 200.0, 12)
    # A step to the rail rings for the length of the anti-aliasing filter.
    assert (board[20 * 180 + 20 : 40 * 180 - 20] == rail).all()
    # A detection in there is one during shutdown.
    test = Annotations.of([30 * 360], ["N"], 360.0)
    assert compare(record.annotations, test, 360.0, len(record.samples), 0.0)["Xn"] == 1


@pytest.mark.parametrize("rate_hz", [128.0, 250.0, 257.0, 1000.0])
def test_other_rates(rate_hz: float) -> None:
    record = make_record(1, 20.0, rate_hz)
    assert len(record.samples) == 20 * rate_hz
    assert len(times(record, "N")) > 15


@pytest.mark.parametrize(
    "arguments",
    [{"rate_hz": 50.0}, {"heart_rate_bpm": 300.0}, {"seconds": 1.0}],
)
def test_what_cannot_be_made_is_refused(arguments: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        make_record(1, **arguments)  # type: ignore[arg-type]


def analyzed(made: SynthRecord, folder: Path) -> tuple[Beats, NDArray[np.int64]]:
    """What the core makes of the record's files, and the beats' times at the record's rate."""
    made.write(folder, "r")
    record = read_record(folder, "r")
    found = analyze(to_board(record, 180.0, 200.0, 12))
    return found, board_to_record_time(found.t_samples, record, 180.0)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_detector_finds_its_beats(seed: int, tmp_path: Path) -> None:
    made = demo_record(seed)
    _, at = analyzed(made, tmp_path)
    test = Annotations.of(at, ["N"] * len(at), 360.0)
    qrs = compare(made.annotations, test, 360.0, len(made.samples), 0.0).qrs
    assert qrs.tp > 2000
    assert qrs.fn <= 0.01 * qrs.tp
    assert qrs.fp <= 0.02 * qrs.tp


def test_the_shipped_model_tells_its_beats(tmp_path: Path) -> None:
    """Trained on patients only, it knows a synthetic ventricular beat when it sees one."""
    made = make_record(7, 600.0)
    found, at = analyzed(made, tmp_path)
    classes = TflmModel().infer(found.signal, found.features).argmax(axis=1)
    symbols = [CLASSES[c] for c in classes.tolist()]  # each is a WFDB symbol of itself
    scores = compare(
        made.annotations, Annotations.of(at, symbols, 360.0), 360.0, len(made.samples), 0.0
    )
    assert scores.veb.f1 is not None
    assert scores.veb.f1 > 0.85
    assert scores["Nn"] > 0.9 * scores.counts[0].sum()
