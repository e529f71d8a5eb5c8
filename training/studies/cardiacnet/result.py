"""What comes out of CardiacNet's own protocol: balanced accuracies per record and their means."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from einthoven.errors import UsageError
from einthoven.provenance import patient
from einthoven.records.download import find_database
from einthoven.training.studies.cardiacnet import int8
from einthoven.training.studies.cardiacnet import runs as run_of
from einthoven.training.studies.cardiacnet.net import build
from einthoven.training.studies.cardiacnet.patients import (
    Trial,
    balanced,
    best_trial,
    setting_of,
)
from einthoven.training.studies.cardiacnet.plan import ALL, plan_of
from einthoven.training.studies.cardiacnet.windows import (
    CLASSES,
    SAMPLES,
    TRAIN,
    load,
    split_random,
)
from einthoven.training.studies.shared.recipe import StudyRecipe
from einthoven.training.studies.shared.results import Result
from einthoven.training.studies.shared.scores import score

GOOD = 0.95
"""The study counts the records above."""
INDIVIDUAL = "individual"
COLUMNS = {
    INDIVIDUAL: "the patient's own windows only",
    "best_on_test": "the same, setting chosen on the test windows",
    "generic_all": "pre-trained on all patients, not fine-tuned",
    "tuned_all": "pre-trained on all patients, fine-tuned",
    "generic_others": "pre-trained on other patients, not fine-tuned",
    "tuned_others": "pre-trained on other patients, fine-tuned",
    "late": "first 24 min → last 6: own windows only",
    "late_generic_others": "first 24 min → last 6: pre-trained on other patients, not fine-tuned",
    "late_tuned_others": "first 24 min → last 6: pre-trained on other patients, fine-tuned",
}
"""What a record's classifier is trained on, by its key in `extra["records"]`."""

Confusion = list[list[int]]


def evaluate(
    run: Path, recipe: StudyRecipe, seconds: float, commands: tuple[str, ...], data: Path | None
) -> Result:
    """The result of what a run has trained so far, with int8 if it is quantized.

    `float32` and `int8` pool the individual classifiers. Raises UsageError while a record has no
    search yet, ModelError when the int8 models are of earlier weights, RecordError.
    """
    from einthoven.training.model.network import multiply_adds, parameters

    plan = plan_of(recipe)
    searches = {name: run_of.read_trials(run / run_of.SEARCH, name) for name in plan.records}
    waiting = [name for name, trials in searches.items() if not trials]
    if waiting:
        raise UsageError(
            f"{run}: record {waiting[0]} is not trained yet: einthoven train RECIPE --out {run} "
            "--resume"
        )
    found = {name: confusions(run, name) for name in plan.records}
    windows = load(find_database(data, "mitdb"), plan.records)
    own = windows.where(split_random(windows, recipe.seed) == TRAIN)
    model = build(recipe.arch, SAMPLES, 1, 1)
    pooled = {name: tables[INDIVIDUAL] for name, tables in found.items()}
    result = Result(
        study=recipe.study,
        name=recipe.name,
        network=recipe.network,
        dataset=recipe.dataset,
        protocol=recipe.protocol,
        split="intra-patient",
        seed=recipe.seed,
        classes=CLASSES,
        train_examples={name: int(np.sum(own.label == i)) for i, name in enumerate(CLASSES)},
        epochs=plan.epochs,
        epochs_full=plan.epochs,
        train_seconds=seconds,
        params=parameters(model),
        macs=multiply_adds(model),
        float32=_pooled(pooled),
        commands=commands,
        extra={
            "windows": len(windows),
            "grid": {
                "tried": min(len(trials) for trials in searches.values()),
                "of": sum(map(len, plan.rounds())),
            },
            "pretrain_epochs": plan.pretrain_epochs,
            "folds": plan.folds,
            **summary(found),
            "records": {name: _accuracies(tables) for name, tables in found.items()},
            "settings": {n: asdict(setting_of(best_trial(t))) for n, t in searches.items()},
            "curves": _curves(run, recipe),
        },
    )
    if not int8.is_quantized(run, recipe):
        return result
    quantized, agreement = int8.confusions(run, recipe, windows)
    scores = _pooled({name: tables[INDIVIDUAL] for name, tables in quantized.items()})
    result.extra["int8"] = {
        **summary(quantized),
        "agreement": agreement,
        "records": {name: _accuracies(tables) for name, tables in quantized.items()},
    }
    result.extra["board_record"] = int8.board_record(recipe)
    return replace(
        result,
        int8={**scores, "agreement": agreement[INDIVIDUAL]},
        tflite_bytes=int8.tflite_bytes(run, recipe),
    )


def confusions(run: Path, record: str) -> dict[str, Confusion]:
    """Test confusion of a record by column of COLUMNS; absent where it is not trained yet."""
    search = run_of.read_trials(run / run_of.SEARCH, record)
    late = run_of.read_trials(run / run_of.LATE, record)
    found: dict[str, Confusion] = {}
    if search:
        found[INDIVIDUAL] = best_trial(search)["test"]
        found["best_on_test"] = max(
            (trial["test"] for trial in search), key=lambda table: balanced(table) or 0.0
        )
    if late:
        found["late"] = best_trial(late)["test"]
    for stage, before, after, chosen_from in (
        (run_of.TUNED_ALL, "generic_all", "tuned_all", search),
        (run_of.TUNED_OTHERS, "generic_others", "tuned_others", search),
        (run_of.LATE_TUNED, "late_generic_others", "late_tuned_others", late),
    ):
        trial = _tuned(run_of.read_trials(run / stage, record), chosen_from)
        if trial is not None:
            found[before], found[after] = trial["before"], trial["test"]
    return {key: found[key] for key in COLUMNS if key in found}


def _tuned(tuned: list[Trial], chosen_from: list[Trial]) -> Trial | None:
    """The fine-tuning with the setting that the search has chosen."""
    if not chosen_from:
        return None
    setting = setting_of(best_trial(chosen_from))
    return next((trial for trial in tuned if setting_of(trial) == setting), None)


def summary(found: dict[str, dict[str, Confusion]]) -> dict[str, Any]:
    """Per column: mean balanced accuracy, records above 0.95, records that have one.

    A record whose test windows are all of one label has none (`chronological` leaves a few so).
    """
    table: dict[str, Any] = {"mean": {}, "above_095": {}, "counted": {}}
    for column in COLUMNS:
        tables = [t[column] for t in found.values() if column in t]
        values = [v for v in map(balanced, tables) if v is not None]
        if not values:
            continue
        table["mean"][column] = float(np.mean(values))
        table["above_095"][column] = sum(v > GOOD for v in values)
        table["counted"][column] = len(values)
    return table


def _accuracies(tables: dict[str, Confusion]) -> dict[str, float | None]:
    return {column: balanced(table) for column, table in tables.items()}


def _pooled(tables: dict[str, Confusion]) -> dict[str, Any]:
    """Scores over all windows of all records."""
    cells = [
        (label, as_found, f"mitdb/{name}", count)
        for name, table in tables.items()
        for label, row in enumerate(table)
        for as_found, count in enumerate(row)
    ]
    counts = [count for *_, count in cells]
    label, as_found = (np.repeat([cell[i] for cell in cells], counts) for i in (0, 1))
    who = np.repeat([patient(record) for _, _, record, _ in cells], counts)
    return score(label.astype(np.int64), as_found.astype(np.int64), CLASSES, who)


def _curves(run: Path, recipe: StudyRecipe) -> dict[str, Any]:
    """Loss and balanced accuracy by epoch: of pre-training, and of the record the study shows."""
    curves: dict[str, Any] = {}
    pretrained = run_of.read_pretraining(run, ALL)
    if pretrained is not None:
        curves["pre-training"] = _curve(pretrained)
    record = int8.board_record(recipe)
    search = run_of.read_trials(run / run_of.SEARCH, record)
    curves[f"{record}, individual"] = _curve(best_trial(search))
    tuned = _tuned(run_of.read_trials(run / run_of.TUNED_ALL, record), search)
    if tuned is not None:
        curves[f"{record}, fine-tuned"] = _curve(tuned)
    return curves


def _curve(trial: Trial) -> dict[str, Any]:
    return {"best_epoch": trial["best_epoch"], **trial["log"]}
