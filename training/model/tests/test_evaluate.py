"""`evaluate` on records of one's own: short ones, other classes, other names than MIT-BIH's."""

from pathlib import Path

import numpy as np

from einthoven.paths import SHIPPED_MODEL
from einthoven.records.annotations import Annotations
from einthoven.records.synth import make_record
from einthoven.scoring.comparison import compare
from einthoven.training.model import scorecard
from einthoven.training.model.evaluate import Evaluation, Variant, evaluate


def perfect(*records: str, symbols: str) -> Evaluation:
    """A model that says what the reference says: the beats `symbols`, again and again."""
    variant = Variant("int8")
    for name in records:
        times = 300 * np.arange(1, 1001)
        beats = Annotations.of(times, (symbols * 1000)[:1000], 360.0)
        variant.whole[name] = compare(beats, beats, 360.0, 301_000, start_s=0.0)
        variant.ec57[name] = compare(beats, beats, 360.0, 301_000)
        variant.classes[name] = np.zeros(1000, dtype=np.int64)
    return Evaluation(records, (variant,))


def test_a_perfect_result_is_one_whatever_classes_there_are() -> None:
    found = perfect("own", symbols="N")
    table = found.to_dict()["variants"]["int8"]
    assert table["literature"]["whole"]["macro_f1"] == 1.0
    assert set(table["intervals_95"]) == {"N", "macro-F1"}
    text = found.text()
    assert "left out of macro-F1, since the reference has none: S, V" in text
    assert " 1.000" in text and ".333" not in text
    assert "left out of macro-F1" not in perfect("own", symbols="NSV").text()


def test_rows_of_mitdbs_records_are_printed_where_they_are() -> None:
    own = perfect("own", "p2", symbols="NSV")
    assert "232" not in own.text() and set(own.to_dict()["variants"]["int8"]["literature"]) == {
        "whole",
        "ec57",
    }
    ds2 = perfect("100", "202", "232", symbols="NSV").text()
    assert "int8 whole_without_232 " in ds2 and "int8 whole_without_232_and_af" in ds2


def test_a_reference_without_a_class_has_no_macro_f1() -> None:
    nothing = perfect("own", symbols="/")
    assert scorecard.literature(list(nothing.variants[0].whole.values()))["macro_f1"] is None
    assert "–" in nothing.text()


def test_a_short_record_is_scored_whole_and_said_so(tmp_path: Path) -> None:
    make_record(1, 60.0).write(tmp_path, "short")
    found = evaluate(SHIPPED_MODEL, "own", "all", tmp_path)
    (variant,) = found.variants
    assert variant.ec57["short"].start_s == 0.0
    assert variant.findings["short"].ventricular_runs.sensitivity.sum() > 0
    assert "EC57 (scored whole: no record is longer" in found.text()
