"""Ventricular beats in noise, by EC57's rules."""

import json
from pathlib import Path

import pytest

from einthoven.errors import UsageError
from einthoven.paths import SHIPPED_MODEL
from einthoven.training.evidence.measured import noise


@pytest.mark.records
def test_more_noise_costs_more_and_the_best_of_it_is_nearly_clean(mitdb: Path) -> None:
    judges = noise.models(SHIPPED_MODEL, None)
    scores = {snr: noise.score(judges, snr, 16, mitdb.parent) for snr in ("24", "06", "_6")}
    # 377 V of 118 and 119 from the sixth minute on
    assert all(s.veb.tp + s.veb.fn == 377 for s in scores.values())
    f1 = [s.veb.f1 or 0.0 for s in scores.values()]
    assert f1[0] > 0.98
    assert f1[0] > f1[1] > f1[2]


def test_folds_must_hold_out_both_patients(tmp_path: Path) -> None:
    (tmp_path / "fold0").mkdir()
    (tmp_path / "fold0" / "held_out.json").write_text(json.dumps(["mitdb/101"]))
    with pytest.raises(UsageError, match="no fold that holds out each of 118, 119"):
        noise.models(SHIPPED_MODEL, tmp_path)


def test_the_table_sets_bits_and_judges_apart() -> None:
    found = noise.read()
    f1 = {bits: noise.f1(found, noise.UNSEEN, bits, "veb") for bits in (16, 12)}
    assert [len(values) for values in f1.values()] == [len(noise.SNRS_DB)] * 2
    assert f1[12][-1] < f1[16][-1]  # at the rail for a fifth of the time
    text = noise.table_of(found)
    for judge in (noise.UNSEEN, noise.SHIPPED):
        for bits in (16, 12):
            assert text.count(f"| V F1, {judge}, {bits} bits |") == 1
