"""CardiacNet's own protocol: its trainer, what is trained when, what is reported; Dask."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from einthoven import jobs
from einthoven.errors import UsageError
from einthoven.training.studies.cardiacnet import figures, runs
from einthoven.training.studies.cardiacnet import plan as cardiacnet
from einthoven.training.studies.cardiacnet import result as cardiacnet_result
from einthoven.training.studies.cardiacnet.fit import Limits, Setting, Trainer, batches
from einthoven.training.studies.cardiacnet.net import PARAMETERS, build
from einthoven.training.studies.cardiacnet.patients import (
    Job,
    Plan,
    best_trial,
    confusion,
    groups,
    setting_of,
    train,
)
from einthoven.training.studies.cardiacnet.windows import SAMPLES, TEST, Windows, split_random
from einthoven.training.studies.shared.recipe import load as load_recipe

RECIPE = Path("training/recipes/studies/cardiacnet_patients.toml")
LIMITS = Limits(epochs=3)


def made_up(records: tuple[str, ...] = ("119", "201", "202"), n: int = 120) -> Windows:
    """Windows whose abnormal ones have a bump."""
    rng = np.random.default_rng(2)
    label = (np.arange(n * len(records)) % 4 == 0).astype(np.int8)
    signal = rng.normal(0, 0.05, (len(label), SAMPLES)).astype(np.float32)
    signal[:, 40:60] += 0.5 * label[:, np.newaxis]
    second = np.tile(np.arange(n) * 15, len(records))  # thirty minutes
    return Windows(signal, label, second, np.repeat(records, n))


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    """Compiled once for the module."""
    return Trainer()


def test_parameters_are_the_study_s() -> None:
    assert build({}, SAMPLES, 1, 1).count_params() == PARAMETERS == 67_169


def test_a_training_learns_and_does_not_depend_on_those_before_it(trainer: Trainer) -> None:
    some = made_up()
    role = split_random(some, 1)
    own, test = some.where(role != TEST), some.where(role == TEST)
    setting = Setting(1e-2, 16)
    first = trainer.fit(own, test, setting, LIMITS, trainer.fresh(1), 1)
    trainer.fit(own, test, Setting(1e-1, 16, True), LIMITS, trainer.fresh(2), 2)
    again = trainer.fit(own, test, setting, LIMITS, trainer.fresh(1), 1)
    assert first.log == again.log
    assert all(np.array_equal(a, b) for a, b in zip(first.weights, again.weights, strict=True))
    assert first.log[-1]["loss"] < first.log[0]["loss"] / 2
    assert first.log[first.best]["val_balanced_accuracy"] > 0.9
    assert first.log[first.best]["val_loss"] == min(e["val_loss"] for e in first.log)


def test_a_diverging_training_keeps_its_start(trainer: Trainer) -> None:
    some = made_up()
    start = trainer.fresh(1)
    fitted = trainer.fit(some, some, Setting(float("nan")), LIMITS, start, 1)
    assert fitted.best == -1
    assert all(np.array_equal(a, b) for a, b in zip(start, fitted.weights, strict=True))


def test_weighted_sampling_draws_labels_alike_and_every_window_comes_without() -> None:
    label = (np.arange(1000) % 10 == 0).astype(np.int8)
    rows, weight = batches(label, Setting(batch=32), np.random.default_rng(1))
    assert rows.shape == (32, 32) and weight.sum() == 1000
    assert np.array_equal(np.sort(rows[weight == 1]), np.arange(1000))
    rows, weight = batches(
        label, Setting(batch=32, weighted_sampling=True), np.random.default_rng(1)
    )
    assert 0.45 < label[rows[weight == 1]].mean() < 0.55


def test_a_patient_is_in_one_group() -> None:
    found = groups(made_up(("100", "119", "201", "202")), 3, seed=1)
    assert sorted(name for some in found for name in some) == ["100", "119", "201", "202"]
    assert any({"201", "202"} <= set(some) for some in found)


def test_the_best_trial_is_chosen_on_validation_windows() -> None:
    def trial(accuracy: float | None, loss: float | None, rate: float) -> dict[str, object]:
        return {
            "learning_rate": rate, "batch": 4, "weighted_sampling": False,
            "val_balanced_accuracy": accuracy, "val_loss": loss,
        }  # fmt: skip

    trials = [trial(0.9, 0.3, 1), trial(0.95, 0.4, 2), trial(0.95, 0.2, 3), trial(None, None, 4)]
    assert setting_of(best_trial(trials)) == Setting(3, 4, False)


@pytest.fixture(scope="module")
def small() -> Iterator[Plan]:
    """Made-up windows in the records' place."""
    plan = Plan(
        records=("119", "201", "202"), learning_rate=(1e-2,), batch=(32,), epochs=2,
        pretrain_epochs=1, folds=2,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for module in (cardiacnet, cardiacnet_result):
            patch.setattr(module, "find_database", lambda data, name: Path())
            patch.setattr(module, "load", lambda folder, names: made_up(names))
        yield plan


@dataclass(frozen=True)
class Finished:
    """A whole run, not to be changed, and what it said."""

    folder: Path
    lines: tuple[str, ...]


@pytest.fixture(scope="module")
def finished(small: Plan, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder, lines = tmp_path_factory.mktemp("finished"), list[str]()
    cardiacnet.run(small, folder, 1, report=lines.append)
    return Finished(folder, tuple(lines))


@pytest.fixture
def own(finished: Finished, tmp_path: Path) -> Path:
    """A copy of the whole run, to be changed."""
    shutil.copytree(finished.folder, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_a_run_goes_on_where_it_was_and_adds_what_a_larger_grid_asks_for(
    small: Plan, finished: Finished, own: Path
) -> None:
    lines = list(finished.lines)
    assert len([s for s in lines if s.startswith("pre-training")]) == 3
    stages = (
        runs.SEARCH,
        runs.TUNED_ALL,
        runs.LATE,
        runs.TUNED_OTHERS,
    )
    for stage in (*stages, runs.LATE_TUNED):
        assert len([s for s in lines if s.startswith(f"{stage} ")]) == 3, stage
    before = (own / runs.SEARCH / "201.json").read_text()
    lines.clear()
    cardiacnet.run(small, own, 1, report=lines.append)
    assert lines == []
    cardiacnet.run(replace(small, batch=(32, 64)), own, 1, report=lines.append)
    trials = runs.read_trials(own / runs.SEARCH, "201")
    assert [setting_of(t) for t in trials[:2]] == [setting_of(t) for t in json.loads(before)]
    assert {t["batch"] for t in trials} == {32, 64}
    # Whatever the search has chosen now, there is a fine-tuning with it.
    assert set(cardiacnet_result.confusions(own, "201")) == set(cardiacnet_result.COLUMNS)


def test_weights_of_the_best_are_kept_and_give_the_trial_s_confusion(
    small: Plan, trainer: Trainer, tmp_path: Path
) -> None:
    plan = replace(small, learning_rate=(1e-2, 1e-4))
    cardiacnet.run(plan, tmp_path, 1, report=lambda line: None)
    some = made_up(plan.records)
    test = some.where((split_random(some, 1) == TEST) & (some.record == "201"))
    for stage in (runs.SEARCH, runs.TUNED_ALL):
        assert len(list((tmp_path / stage).glob("201_*.npz"))) == 1, "of no other training"
        weights = runs.read_weights(runs.chosen_weights(tmp_path, stage, "201"))
        best = best_trial(runs.read_trials(tmp_path / stage, "201"))
        assert confusion(test.label, trainer.logits(weights, test)) == best["test"]


def test_a_run_without_weights_trains_the_chosen_setting_again(small: Plan, own: Path) -> None:
    """As a run is that was begun before weights were kept."""
    stage = own / runs.SEARCH
    before = (stage / "201.json").read_text()
    path = runs.chosen_weights(own, runs.SEARCH, "201")
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(UsageError, match=r"no weights of record 201.*--resume"):
        runs.chosen_weights(own, runs.SEARCH, "201")
    lines: list[str] = []
    cardiacnet.run(small, own, 1, report=lines.append)
    assert lines == ["search 201, 1 of 2 trainings (1/1)"]
    assert path.read_bytes() == content and (stage / "201.json").read_text() == before


def test_others_never_saw_the_patient(small: Plan, finished: Finished) -> None:
    for record in small.records:
        without = [
            json.loads(p.read_text())["without"]
            for p in (finished.folder / runs.PRETRAINED).glob("others*.json")
        ]
        assert sum(record in some for some in without) == 1
    assert sorted(map(sorted, without)) == [["119"], ["201", "202"]]


def with_every_value(extra: dict[str, Any]) -> dict[str, Any]:
    """Balanced accuracies at both ends, where a histogram may lose them."""
    values = dict(zip(extra["records"], (0.0, 1.0, 0.95), strict=True))
    return {**extra, "records": {name: {"individual": v} for name, v in values.items()}}


def test_the_result_has_the_study_s_figures(small: Plan, own: Path) -> None:
    recipe = replace(
        load_recipe(RECIPE),
        own={
            "records": list(small.records), "learning_rate": [1e-2], "batch": [32, 16],
            "epochs": 2, "pretrain_epochs": 1, "folds": 2,
        },
    )  # fmt: skip
    result = cardiacnet_result.evaluate(own, recipe, 1.0, ("command",), None)
    assert result.extra["grid"] == {"tried": 2, "of": 4}
    assert result.float32["n"] == 3 * 24 and result.float32["patients"] == 2
    mean = result.extra["mean"]
    each = [r["individual"] for r in result.extra["records"].values()]
    assert mean["individual"] == pytest.approx(np.mean(each))
    assert mean["best_on_test"] >= mean["individual"]
    assert list(mean) == list(cardiacnet_result.COLUMNS)
    drawn = figures.histograms(replace(result, extra=with_every_value(result.extra)))
    assert sum(bar.get_height() for bar in drawn.axes[0].patches) == 3
    assert len(figures.bars(result).axes[0].patches) == 3 * 4
    assert len(figures.curves(result).axes) == 6
    (own / runs.SEARCH / "119.json").unlink()
    with pytest.raises(UsageError, match="record 119 is not trained yet"):
        cardiacnet_result.evaluate(own, recipe, 1.0, (), None)


def test_what_does_not_fit_is_named() -> None:
    recipe = load_recipe(RECIPE)
    with pytest.raises(UsageError, match="key 'rate' does not exist"):
        cardiacnet.plan_of(replace(recipe, own={"rate": 1}))
    with pytest.raises(UsageError, match="999 is none of the study's 29"):
        cardiacnet.plan_of(replace(recipe, own={"records": ["999"]}))
    for cluster, message in (("local:x", "local:2"), ("tcp://127.0.0.1:1", "no Dask scheduler")):
        with pytest.raises(UsageError, match=message), jobs.workers(cluster):
            pass


def test_jobs_come_back_from_a_dask_scheduler() -> None:
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        jobs.workers(cluster.scheduler_address) as there,
    ):
        done = dict(there(abs, {"a": -1, "b": 2}))
        assert dict(there(abs, {"c": -3})) == {"c": 3}, "the same workers, once more"
    with jobs.workers() as here:
        assert done == {"a": 1, "b": 2} == dict(here(abs, {"a": -1, "b": 2}))


def test_a_job_gives_the_same_weights_wherever_it_runs() -> None:
    some = made_up(("119",))
    job = Job(some, split_random(some, 1), (Setting(1e-2),), LIMITS, 1)
    [(trial, weights)], [(again, same)] = train(job), train(job)
    assert trial == again
    assert all(np.array_equal(a, b) for a, b in zip(weights, same, strict=True))
