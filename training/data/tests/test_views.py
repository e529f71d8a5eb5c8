"""Further views of a record: sums of its leads, and noise mixed into one."""

from pathlib import Path

import numpy as np
import pytest

from einthoven.training.data import dataset
from einthoven.training.data.views import NoiseMixer, combined
from einthoven.training.recipe import Views

ONE = [{"db": "mitdb", "records": "119", "leads": "both"}]


def test_a_combined_lead_is_a_sum_of_both_without_their_offsets() -> None:
    rng = np.random.default_rng(3)
    leads = rng.normal([[700.0], [-30.0]], 50, (2, 4000))
    total = combined(leads[0], leads[1], np.random.default_rng(1))
    weights, rest, *_ = np.linalg.lstsq(np.vstack([leads, np.ones(4000)]).T, total, rcond=None)
    assert rest[0] == pytest.approx(0, abs=1e-12)
    assert (np.abs(weights[:2]) >= 0.3).all()
    assert (np.abs(weights[:2]) <= 1.0).all()
    assert abs(np.median(total)) < 2


@pytest.mark.records
def test_noise_lies_below_the_qrs_by_the_level_that_was_asked_for(mitdb: Path) -> None:
    mixer = NoiseMixer(mitdb.parent / "nstdb", [6.0], 180)
    qrs = np.arange(90, 180 * 60 * 4 - 90, 180)
    clean = np.zeros(180 * 60 * 4)
    clean[qrs] = 100.0  # peak to peak, so the signal's power is 100 x 100 / 8
    noise = mixer.noisy(clean, qrs, np.random.default_rng(2)) - clean
    levels = np.array([np.std(part) for part in noise.reshape(4, -1)])
    mixed = levels > 0
    assert mixed.any()  # with this seed some minutes are left clean and some are not
    assert not mixed.all()
    assert levels[mixed] == pytest.approx(100 / np.sqrt(8) / 10 ** (6 / 20), rel=1e-6)


@pytest.mark.records
def test_views_add_beats_of_the_same_patient_and_are_the_same_again(mitdb: Path) -> None:
    views = Views(combined=2, noisy=1)
    beats = dataset.load(ONE, mitdb.parent, views)
    assert set(beats.patient) == {"mitdb/119"}
    names = np.array(dataset.VIEWS)[beats.view]
    counts = {name: int(np.sum((names == name) & (beats.label >= 0))) for name in dataset.VIEWS}
    # 1987 beats are annotated; noise costs some, a view has nearly all of them
    assert counts["main"] >= 1980
    assert counts["combined"] >= 2 * 1900
    assert 1500 <= counts["noisy"] <= 2 * 1987
    assert beats.digest() == dataset.load(ONE, mitdb.parent, views).digest()
    alone = dataset.load(ONE, mitdb.parent)
    assert np.array_equal(beats.where(beats.main).signal, alone.where(alone.main).signal)
