"""EC57 scores: against what PhysioNet's own programs printed, and by hand.

The reference scores are output of `bxb`, `rxr` and `sumstats` of the WFDB software 10.7 for two
sets of annotations of all 48 MIT-BIH records. They lie beside the records, not in the project.
"""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from einthoven.errors import RecordError
from einthoven.records.annotations import Annotations, read_annotations
from einthoven.records.database import record_names
from einthoven.scoring.comparison import Rate, Scores, compare, gross, macro_f1
from einthoven.scoring.runs import Kind, RunScores, compare_runs
from einthoven.scoring.text import (
    BEAT_HEADER,
    beat_line,
    beat_table,
    literature_table,
    run_line,
    run_table,
    shutdown_line,
)

HZ = 360
MINUTE = 60 * HZ
START = 5 * MINUTE
END = 10 * MINUTE


def ann(*marks: tuple[int, str], rate_hz: float | None = None) -> Annotations:
    """Annotations at these times; "~1" and "~0" start and end a shutdown, "+AF" names a rhythm."""
    times = [t for t, _ in marks]
    symbols = [s[0] for _, s in marks]
    subtype = np.array([0x30 if s == "~1" else 0 for _, s in marks], dtype=np.int16)
    zero = np.zeros(len(marks), dtype=np.int16)
    aux = tuple(f"({s[1:]}" if s[0] == "+" else "" for _, s in marks)
    return Annotations(
        np.array(times, dtype=np.int64), np.array(symbols), subtype, zero, zero, aux, rate_hz
    )


def beats(start: int, symbols: str, rr: int = 300) -> list[tuple[int, str]]:
    """Beats at equal intervals; a space is a beat that is not marked."""
    return [(start + i * rr, s) for i, s in enumerate(symbols) if s != " "]


def score(reference: Annotations, test: Annotations, start_s: float = 0.0) -> Scores:
    return compare(reference, test, HZ, END, start_s)


# Against PhysioNet's programs


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()


@pytest.mark.records
@pytest.mark.parametrize(("folder", "annotator"), [("osea", "osea"), ("perturbed", "per")])
def test_every_line_is_physionets(
    mitdb: Path, reference_scores: Path, folder: str, annotator: str
) -> None:
    oracle = reference_scores / folder
    names = record_names(mitdb, "all")
    pairs = {n: (read_annotations(mitdb, n), read_annotations(oracle, n, annotator)) for n in names}
    for protocol, start_s in (("ec57", 300.0), ("whole", 0.0)):
        scores = [(n, compare(*pairs[n], HZ, 650_000, start_s)) for n in names]
        table = beat_table(scores)
        assert table.splitlines() == lines_of(oracle / f"bxb_{protocol}_sumstats.txt")
        lines = [BEAT_HEADER, *(beat_line(n, s) for n, s in scores)]
        assert lines == lines_of(oracle / f"bxb_{protocol}.out")
    kinds: tuple[tuple[Kind, str], ...] = (("V", "v"), ("S", "s"))
    for kind, prefix in kinds:
        runs = [(n, compare_runs(*pairs[n], HZ, 650_000, kind)) for n in names]
        table = run_table(runs, supraventricular=kind == "S")
        printed = lines_of(oracle / f"{prefix}runs_ec57.out")
        assert table.splitlines()[: len(printed)] == printed
        summary = oracle / f"{prefix}runs_ec57_sumstats.txt"
        if summary.is_file():
            assert table.splitlines() == lines_of(summary)


# Pairing, by hand


def test_the_window_is_150_ms_to_either_side() -> None:
    reference = ann(*beats(1000, "NNNN", rr=1000))
    test = ann((946, "N"), (1945, "N"), (3054, "N"), (4055, "N"))
    scores = score(reference, test)
    assert scores.qrs == Rate(tp=2, fn=2, fp=2)
    assert compare(reference, test, HZ, END, 0.0).matched.tolist() == [[0, 0], [2, 2]]


def test_of_two_detections_the_nearer_is_the_beat() -> None:
    result = compare(ann((1000, "N")), ann((960, "V"), (1010, "N")), HZ, END, 0.0)
    assert result.matched.tolist() == [[0, 1]]
    assert (result["Nn"], result["Ov"]) == (1, 1)


def test_of_two_beats_the_nearer_is_the_one_detected() -> None:
    result = compare(ann((1000, "V"), (1050, "N")), ann((1040, "N")), HZ, END, 0.0)
    assert result.matched.tolist() == [[1, 0]]
    assert (result["Nn"], result["Vo"]) == (1, 1)


def test_a_rival_with_a_better_partner_is_no_rival() -> None:
    # The example in bxb's own description of its rule, with a window of 37 samples.
    reference, test = ann((96, "N"), (160, "N")), ann((128, "N"), (185, "N"))
    result = compare(reference, test, HZ, END, 0.0, match_s=37 / HZ)
    assert result.matched.tolist() == [[0, 0], [1, 1]]


def test_the_first_five_minutes_are_not_scored() -> None:
    early, late = beats(START - 900, "NVN"), beats(START + 100, "NVV")
    result = compare(ann(*early, *late), ann(*early, *late), HZ, END)
    assert (result["Nn"], result["Vv"]) == (1, 2)
    assert result.qrs == Rate(3, 0, 0)
    assert result.start_s == 300.0


def test_a_detection_just_before_the_start_may_be_the_first_beat() -> None:
    result = compare(ann((START + 10, "V")), ann((START - 10, "V")), HZ, END)
    assert result.veb == Rate(1, 0, 0)


def test_a_detection_just_after_the_start_may_belong_to_a_beat_before_it() -> None:
    reference = ann((START - 10, "N"), (START + 400, "N"))
    test = ann((START + 10, "N"), (START + 400, "N"))
    result = compare(reference, test, HZ, END)
    assert result.qrs == Rate(1, 0, 0)


def test_the_last_beat_counts() -> None:
    reference = ann(*beats(END - 900, "NNNN"))
    assert score(reference, reference).qrs == Rate(4, 0, 0)
    assert score(reference, ann(*beats(END - 900, "NN"))).qrs == Rate(2, 2, 0)
    assert score(ann(*beats(END - 900, "NN")), reference).qrs == Rate(2, 0, 2)


def test_without_a_length_the_last_reference_beat_ends_the_record() -> None:
    reference, test = ann(*beats(1000, "NN")), ann(*beats(1000, "NN NN"))
    assert compare(reference, test, HZ, None, 0.0).qrs == Rate(2, 0, 0)


def test_a_record_shorter_than_the_learning_period_is_an_error() -> None:
    with pytest.raises(RecordError, match="score the whole record"):
        compare(ann((1, "N")), ann((1, "N")), HZ, START - 1)


def test_nothing_detected_and_nothing_there() -> None:
    some, none = ann(*beats(1000, "NSV".replace("S", "A"))), ann()
    assert score(some, none).qrs == Rate(0, 3, 0)
    assert score(none, some).qrs == Rate(0, 0, 3)
    empty = score(none, none)
    assert (empty.qrs.se, empty.qrs.ppv, empty.qrs.f1, empty.rr_error_ms) == (None,) * 4
    assert "      -" in beat_line("100", empty)


# Classes


def test_the_two_mappings() -> None:
    reference = ann(*beats(1000, "NLRBejnAaJSVErF/fQ?"))
    result = score(reference, ann(*beats(1000, "N" * 19)))
    assert [result[p] for p in ("Nn", "Sn", "Vn", "Fn", "Qn")] == [4, 7, 3, 1, 4]
    assert result.confusion[:, 0].tolist() == [7, 4, 3, 1, 4]


def test_fusion_and_paced_beats_are_no_false_ventricular_beats() -> None:
    result = score(ann(*beats(1000, "NAF/QV")), ann(*beats(1000, "VVVVVVV")))
    assert result.veb == Rate(tp=1, fn=0, fp=3)  # N, A, and the extra one
    # The literature counts one class against all the others.
    assert result.literature_rate("V") == Rate(tp=1, fn=0, fp=6)


def test_fusion_but_not_paced_beats_are_false_supraventricular_beats() -> None:
    result = score(ann(*beats(1000, "NVF/QA")), ann(*beats(1000, "AAAAAAA")))
    assert result.sveb == Rate(tp=1, fn=0, fp=4)
    # sumstats cannot tell them apart in the printed columns, and leaves both out.
    gross_line = beat_table([("1", result)]).splitlines()[4]
    assert gross_line.split()[-1] == f"{100 / 4:.2f}"
    assert beat_line("1", result).split()[-2] == f"{100 / 5:.2f}"


def test_literature_counts_missed_and_extra_beats() -> None:
    result = score(ann(*beats(1000, "NVVN")), ann(*beats(1000, "N VNS".replace("S", "A"))))
    assert result.to_dict()["confusion"] == {
        "classes": ["N", "S", "V", "F", "Q"],
        "matrix": [[2, 0, 0, 0, 0], [0] * 5, [0, 0, 1, 0, 0], [0] * 5, [0] * 5],
        "missed": [0, 0, 1, 0, 0],
        "extra": [0, 1, 0, 0, 0],
    }
    assert "V" in literature_table(result)


def test_flutter_waves_match_but_have_no_class() -> None:
    result = score(ann((1000, "!"), (2000, "!")), ann((1000, "V"), (3000, "!")))
    assert (result["Ov"], result.qrs) == (1, Rate(0, 0, 1))


# Episodes


def test_beats_in_ventricular_flutter_are_not_counted() -> None:
    reference = ann((500, "N"), (1000, "["), (1300, "!"), (1600, "V"), (3000, "]"), (4000, "N"))
    test = ann((500, "N"), (1500, "V"), (2000, "N"), (3500, "N"), (4000, "N"))
    result = score(reference, test)
    assert result.qrs == Rate(tp=2, fn=0, fp=1)
    # Nothing is forgiven because the test says so.
    assert score(test, reference).qrs == Rate(tp=2, fn=3, fp=0)


def test_flutter_that_does_not_end_lasts_to_the_end() -> None:
    result = score(ann((500, "N"), (1000, "[")), ann((500, "N"), (1500, "V"), (90_000, "V")))
    assert result.qrs == Rate(1, 0, 0)


def test_beats_during_shutdown_are_counted_apart() -> None:
    marked = ann((500, "N"), (1000, "~1"), (4600, "~0"), (5000, "N"))
    whole = ann((500, "N"), (1500, "V"), (2500, "A"), (5000, "N"))
    missed = score(whole, marked)
    assert (missed["Vx"], missed["Sx"], missed["Vo"], missed.shutdown_s) == (1, 1, 0, 10)
    assert missed.qrs == Rate(tp=2, fn=2, fp=0)
    extra = score(marked, whole)
    assert (extra["Xv"], extra["Xs"], extra["Ov"], extra.shutdown_s) == (1, 1, 0, 0)
    assert extra.veb.fp == 1
    assert shutdown_line("100", missed) == (
        " 100    0    1    1    0    0    25.00   0.00 100.00 100.00      -   10 seconds"
    )


def test_a_shutdown_without_end_lasts_to_the_end_of_the_record() -> None:
    result = score(ann((500, "N"), (1500, "N")), ann((500, "N"), (1000, "~1")))
    assert result["Nx"] == 1
    assert result.shutdown_s == round((END - 1000) / HZ)


def test_a_single_shutdown_mark_stands_for_the_gap_around_it() -> None:
    # As in the AHA database: from 150 ms after the last beat to 150 ms before the next mark.
    marked = ann((500, "N"), (2000, "~1"), (5000, "N"))
    result = score(ann((500, "N"), (540, "V"), (555, "V"), (4946, "V"), (5000, "N")), marked)
    assert (result["Vx"], result["Vo"]) == (2, 1)
    assert result.shutdown_s == round((5000 - 54 - 554) / HZ)


def test_other_noise_marks_change_nothing() -> None:
    reference = ann(*beats(1000, "NNN"))
    noisy = ann((900, "~0"), *beats(1000, "NNN"), (1700, "~0"))
    assert score(reference, noisy).qrs == Rate(3, 0, 0)


# Intervals and rates


def test_rr_error_by_hand() -> None:
    reference = ann((1000, "N"), (1360, "N"), (1720, "N"))
    test = ann((1000, "N"), (1369, "N"), (1717, "N"))
    # Intervals 360, 360 against 369, 348: errors -9 and 12 samples.
    expected = ((9**2 + 12**2) / 2) ** 0.5 / HZ * 1000
    assert score(reference, test).rr_error_ms == pytest.approx(expected)


def test_no_rr_interval_spans_an_episode() -> None:
    reference = ann((1000, "N"), (1200, "["), (1300, "]"), (1720, "N"))
    assert score(reference, ann((1000, "N"), (1800, "N"))).rr_error_ms is None


def test_test_annotations_are_rescaled_to_the_references_rate() -> None:
    reference = ann(*beats(1000, "NVN"))
    at_180 = ann(*((t // 2, s) for t, s in beats(1000, "NVN")), rate_hz=180.0)
    assert score(reference, at_180).qrs == Rate(3, 0, 0)
    assert score(reference, at_180).rr_error_ms == 0.0


def test_scores_add_up() -> None:
    one = score(ann(*beats(1000, "NVN")), ann(*beats(1000, "NVV")))
    two = score(ann(*beats(1000, "AVN")), ann(*beats(1000, "AN ")))
    total = gross([one, two])
    assert total.qrs == Rate(5, 1, 0)
    assert total.veb == Rate(1, 1, 1)
    assert total.confusion.sum() == 5
    assert gross([]).qrs == Rate(0, 0, 0)


def test_a_class_that_does_not_occur_costs_nothing() -> None:
    perfect, none = Rate(9, 0, 0), Rate(0, 0, 0)
    assert macro_f1([perfect, none, none]) == 1.0
    assert macro_f1([perfect, Rate(0, 0, 3)]) == 1.0  # invented: the other class's loss
    assert macro_f1([perfect, Rate(0, 3, 0)]) == 0.5
    assert macro_f1([none]) is None


def test_rate() -> None:
    rate = Rate(tp=8, fn=2, fp=0)
    assert (rate.se, rate.ppv) == (0.8, 1.0)
    assert rate.f1 == pytest.approx(2 * 0.8 / 1.8)
    assert Rate(0, 3, 0).to_dict() == {
        **{"tp": 0, "fn": 3, "fp": 0, "se": 0.0},
        **{"ppv": None, "f1": 0.0},
    }


# Properties


@settings(max_examples=60)
@given(data=st.data())
def test_well_separated_beats_are_counted_exactly(data: st.DataObject) -> None:
    """Beats ≥ 0.5 s apart, detections within the window or far from any beat: no ambiguity."""
    n = data.draw(st.integers(0, 40))
    times = np.cumsum(data.draw(st.lists(st.integers(400, 900), min_size=n, max_size=n)))
    reference, test, found, extra = [], [], 0, 0
    for t in times.tolist():
        reference.append((t, data.draw(st.sampled_from("NAVF"))))
        if data.draw(st.booleans()):
            test.append((t + data.draw(st.integers(-54, 54)), data.draw(st.sampled_from("NAV"))))
            found += 1
        if data.draw(st.integers(0, 4)) == 0:
            test.append((t + 170, "N"))
            extra += 1
    result = compare(ann(*reference), ann(*test), HZ, END, 0.0)
    assert result.qrs == Rate(tp=found, fn=n - found, fp=extra)
    assert int(result.literature.sum()) == len(result.pairs) == n + extra


# One mark a sample, as WFDB has them.
_MARKS = st.dictionaries(st.integers(1, END), st.sampled_from("NAVF/Q![]~+"), max_size=60).map(
    lambda marks: ann(*sorted(marks.items()))
)


@settings(max_examples=100)
@given(reference=_MARKS, test=_MARKS, start_s=st.sampled_from([0.0, 300.0]))
def test_whatever_is_marked_no_beat_is_used_twice(
    reference: Annotations, test: Annotations, start_s: float
) -> None:
    result = compare(reference, test, HZ, END, start_s)
    for column, annotations in ((0, reference), (1, test)):
        used = result.pairs[result.pairs[:, column] >= 0, column]
        assert (np.diff(used) > 0).all()
        assert set(annotations.symbols[used]) <= set("NAVF/Q!")
    times = [reference.samples[result.matched[:, 0]], test.samples[result.matched[:, 1]]]
    assert (np.abs(times[0] - times[1]) <= 54).all()
    kinds: tuple[Kind, ...] = ("V", "S")
    for kind in kinds:
        compare_runs(reference, test, HZ, END, kind, start_s)


@settings(max_examples=50)
@given(reference=_MARKS)
def test_an_annotator_agrees_with_itself(reference: Annotations) -> None:
    result = compare(reference, reference, HZ, END, 0.0)
    assert (result.qrs.fn, result.veb.fp, result.sveb.fp) == (0, 0, 0)
    assert result.rr_error_ms in (None, 0.0)


# Runs


def runs(reference: str, test: str, kind: Kind = "V") -> RunScores:
    pair = ann(*beats(1000, reference)), ann(*beats(1000, test))
    return compare_runs(*pair, HZ, END, kind, 0.0)


@pytest.mark.parametrize(
    ("reference", "test", "couplets", "short", "long"),
    [
        ("NVVN", "NVVN", (1, 0, 1, 0), (0, 0, 0, 0), (0, 0, 0, 0)),
        ("NVVN", "NVNN", (0, 1, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)),
        ("NVNN", "NVVN", (0, 0, 0, 1), (0, 0, 0, 0), (0, 0, 0, 0)),
        # A longer run in the test finds the couplet; the couplet does not make it true.
        ("NVVNN", "NVVVN", (1, 0, 0, 0), (0, 0, 0, 1), (0, 0, 0, 0)),
        ("NVFVVN", "NVVVVN", (0, 0, 0, 0), (1, 0, 1, 0), (0, 0, 0, 0)),
        # A run with a hole is two shorter ones, and none of them is the run.
        ("NVVVVVN", "NVVNVVN", (0, 0, 2, 0), (0, 1, 0, 0), (0, 0, 0, 0)),
        ("NVVVVVVVVN", "NVVVVVVN ", (0, 0, 0, 0), (0, 0, 0, 0), (1, 0, 1, 0)),
        # The record may end in a run.
        ("NVV", "NVV", (1, 0, 1, 0), (0, 0, 0, 0), (0, 0, 0, 0)),
        ("N", "N", (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)),
    ],
)
def test_runs_by_hand(
    reference: str,
    test: str,
    couplets: tuple[int, ...],
    short: tuple[int, ...],
    long: tuple[int, ...],
) -> None:
    assert runs(reference, test).categories == (couplets, short, long)
    as_s = [s.replace("F", "V").replace("V", "A") for s in (reference, test)]
    assert runs(as_s[0], as_s[1], "S").categories == (couplets, short, long)
    assert run_line("1", runs(reference, test)).startswith("   1 ")


def test_an_episode_of_flutter_is_a_long_run() -> None:
    reference = ann((500, "N"), (1000, "["), (5000, "]"), (6000, "N"))
    scores = compare_runs(reference, ann(*beats(500, "NVVVVVVVN", 550)), HZ, END, "V", 0.0)
    assert scores.categories[2] == (1, 0, 1, 0)
    nothing = compare_runs(reference, ann((500, "N"), (6000, "N")), HZ, END, "V", 0.0)
    assert nothing.categories[2] == (0, 1, 0, 0)


def test_beats_in_atrial_fibrillation_count_as_supraventricular() -> None:
    reference = ann((900, "+AFIB"), *beats(1000, "NNN"), (1800, "+N"), (2000, "N"))
    scores = compare_runs(reference, ann(*beats(1000, "AAA"), (2000, "N")), HZ, END, "S", 0.0)
    assert scores.sensitivity[6, 3] == 1
    # Within fibrillation any run of the test is part of the reference's long one.
    assert scores.categories[1] == (0, 0, 1, 0)


def test_runs_before_the_start_are_not_scored() -> None:
    both = ann(*beats(1000, "NVVN"), *beats(START + 500, "NVVVN"))
    scores = compare_runs(both, both, HZ, END)
    assert scores.categories == ((0, 0, 0, 0), (1, 0, 1, 0), (0, 0, 0, 0))
