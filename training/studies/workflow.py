"""What `einthoven train`, `quantize`, `evaluate` and `export` do with a study's recipe.

A run's folder holds the recipe, `training.json`, and a float and an int8 model: of its only fold
or, under cross-validation, of all examples, with a folder per fold in `folds/`.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from einthoven.codegen import network
from einthoven.codegen.engine.emit import emit_tflite
from einthoven.codegen.engine.lower import Goal
from einthoven.errors import ModelError, UsageError
from einthoven.records.download import find_database
from einthoven.training.model.loop import OnEpoch, progress_bar
from einthoven.training.model.train import FLOAT_MODEL
from einthoven.training.studies.images import examples as images
from einthoven.training.studies.registry import (
    FROZEN,
    build_network,
    check_names,
    float_only,
    load_examples,
)
from einthoven.training.studies.runs import (
    HERE,
    MODEL,
    Sources,
    base_facts,
    begin,
    check_begun,
    check_same_data,
    clock,
    epochs_of,
    facts_of,
    is_study_run,
    load_float,
    open_run,
    recipe_of,
    seconds_of,
)
from einthoven.training.studies.shared import int8
from einthoven.training.studies.shared.examples import Fold, Labelled, folds_of
from einthoven.training.studies.shared.fit import decide, fit_network, predict
from einthoven.training.studies.shared.recipe import PATIENT_SPECIFIC, StudyRecipe
from einthoven.training.studies.shared.recipe import load as load_recipe
from einthoven.training.studies.shared.results import Result
from einthoven.training.studies.shared.scores import patients_right, score


@dataclass(frozen=True)
class Part:
    """One network of a run: what it is trained on, what it is scored on, where it is kept."""

    folder: Path
    fold: Fold


def parts_of(run: Path, recipe: StudyRecipe, examples: Labelled) -> list[Part]:
    """The networks that a protocol scores with: the run's own, or one per fold."""
    folds = folds_of(examples, recipe.protocol, recipe.seed, recipe.data.get("folds", 0))
    if recipe.protocol != "patient_folds":
        return [Part(run, folds[0])]
    return [Part(run / "folds" / f"{i:03}", fold) for i, fold in enumerate(folds)]


def all_parts(run: Path, recipe: StudyRecipe, examples: Labelled) -> list[Part]:
    """Those, and the one in the run's own folder, which under cross-validation knows everything."""
    parts = parts_of(run, recipe, examples)
    if parts[0].folder != run:
        everything = np.ones(len(examples), dtype=bool)
        parts.append(Part(run, Fold(everything, everything)))
    return parts


def train(
    recipe: Path,
    out: Path,
    resume: bool = False,
    sources: Sources = HERE,
    quick: bool = False,
    epochs: int | None = None,
    cluster: str | None = None,
) -> Path:
    """Train a study's recipe into `out`; returns it. `epochs`: stop after so many in all.

    What is there is gone on with if `resume`. `cluster`: where the trainings of a recipe that has
    many run, as of `jobs.workers`. Raises UsageError, RecordError, DownloadError.
    """
    settings = load_recipe(recipe)
    settings = settings.quickly() if quick else settings
    _check_options(recipe.name, settings, sources, epochs, cluster)
    check_names(settings)
    check_begun(recipe, out, resume, quick)
    if settings.protocol == PATIENT_SPECIFIC:
        return _train_patients(recipe, settings, out, sources, quick, cluster)
    base = {}
    if "base" in settings.arch:
        base = {"base": base_facts(out.parent / settings.arch["base"], quick)}
    examples = load_examples(settings, sources.data, sources.kaggle)
    facts = {**facts_of(settings, examples, sources, quick), **base}
    check_same_data(out, facts)
    parts = all_parts(out, settings, examples)
    check_both(examples, [part.fold for part in parts], recipe.name)
    begin(recipe, out, facts)
    until = min(epochs or settings.fit.epochs, settings.fit.epochs)
    with progress_bar(settings.name, until * len(parts)) as show, clock(out) as tick:
        for i, part in enumerate(parts):
            # A fold's bar goes on where the last one's stopped.
            def report(entry: dict[str, Any], before: int = i * until) -> None:
                tick()
                show({**entry, "epoch": before + entry["epoch"]})

            _train_part(part, settings, examples, until, out, report)
    return out


def _check_options(
    name: str, recipe: StudyRecipe, sources: Sources, epochs: int | None, cluster: str | None
) -> None:
    many = recipe.protocol == PATIENT_SPECIFIC
    for option, given in (("--epochs", epochs), ("--kaggle", sources.kaggle)):
        if many and given is not None:
            raise UsageError(
                f"{name} is many trainings on records, each of which ends by itself: leave "
                f"{option} out (it may be broken off, --resume goes on)"
            )
    if cluster is not None and not many:
        raise UsageError(
            f"{name} is one training, which does not spread over machines: leave --cluster "
            f"out, give --seeds, or take a recipe of protocol {PATIENT_SPECIFIC}"
        )


def check_both(examples: Labelled, folds: list[Fold], name: str) -> None:
    """Raise UsageError unless both of two classes are trained on in every fold, and tested on."""
    if len(examples.classes) != 2:
        return
    tested = np.any([fold.test for fold in folds], axis=0)
    for rows in (*(fold.train for fold in folds), tested):
        for i, missing in enumerate(examples.classes):
            if not np.any(examples.y[rows] == i):
                raise UsageError(
                    f"{name} needs examples of {' and '.join(examples.classes)} to train and to "
                    f"test on, and of these records none is {missing}: give it more with --data"
                )


def _train_patients(
    path: Path,
    recipe: StudyRecipe,
    out: Path,
    sources: Sources,
    quick: bool,
    cluster: str | None,
) -> Path:
    from einthoven.training.studies.cardiacnet import plan as cardiacnet

    plan = cardiacnet.plan_of(recipe)
    find_database(sources.data)
    begin(path, out, {"study": recipe.study, "recipe": recipe.name, "quick": quick})
    with clock(out) as tick:

        def report(line: str) -> None:
            tick()
            print(line, flush=True)

        cardiacnet.run(plan, out, recipe.seed, sources.data, cluster, report)
    return out


def _train_part(
    part: Part, recipe: StudyRecipe, examples: Labelled, until: int, run: Path, report: OnEpoch
) -> None:
    from einthoven.training.studies.beats.networks import start_from

    model = build_network(recipe, examples)
    if base := recipe.arch.get("base"):
        start_from(model, run.parent / base / FLOAT_MODEL)
    rows = examples.where(part.fold.train)
    done = fit_network(model, rows, recipe.fit, recipe.seed, part.folder, report, until)
    model.save_weights(part.folder / FLOAT_MODEL)
    (part.folder / "epochs").write_text(f"{done}\n")


def quantize(run: Path, sources: Sources = HERE) -> Path:
    """Make the int8 model of a training, and of each of its folds or records; returns `run`.

    Raises UsageError where there is none to make.
    """
    reason = float_only(recipe_of(run))
    if reason is not None:
        raise UsageError(f"{run} is scored in float only: {reason}")
    if recipe_of(run).protocol == PATIENT_SPECIFIC:
        from einthoven.training.studies.cardiacnet import int8 as cardiacnet_int8

        cardiacnet_int8.quantize(run, recipe_of(run), sources.data)
        return run
    recipe, examples = open_run(run, sources)
    for part in all_parts(run, recipe, examples):
        rng = np.random.default_rng([recipe.seed, 0xCA1])
        rows = np.flatnonzero(part.fold.train)
        rows = rng.permutation(rows)[: recipe.calibration]
        content = int8.convert(load_float(part.folder, recipe, examples), examples.x[rows])
        _write_model(part.folder, content, recipe, examples)
    return run


def _write_model(folder: Path, content: bytes, recipe: StudyRecipe, examples: Labelled) -> None:
    about = {
        "name": f"{recipe.name}-ptq",
        "study": recipe.study,
        "classes": list(examples.classes),
        "recipe": recipe.name,
        "seed": recipe.seed,
        "epochs": epochs_of(folder),
    }
    int8.save((folder / MODEL).parent, content, about)


def evaluate(run: Path, sources: Sources = HERE) -> Result:
    """Score a training under its recipe's protocol, float and (if it is quantized) int8.

    Raises ModelError when the training went on after it was quantized.
    """
    from einthoven.training.model.network import multiply_adds, parameters

    if recipe_of(run).protocol == PATIENT_SPECIFIC:
        from einthoven.training.studies.cardiacnet import result as cardiacnet_result

        recipe = recipe_of(run)
        told = commands(run, recipe, sources)
        return cardiacnet_result.evaluate(run, recipe, seconds_of(run), told, sources.data)
    recipe, examples = open_run(run, sources)
    frozen = FROZEN.get(recipe.data.get("view", ""), (0, 0))
    parts = parts_of(run, recipe, examples)
    rows = np.concatenate([np.flatnonzero(p.fold.test) for p in parts])
    y, patient = examples.y[rows], examples.patient[rows]
    real = np.concatenate(
        [
            decide(predict(load_float(p.folder, recipe, examples), examples.x[p.fold.test]))
            for p in parts
        ]
    )
    model = load_float(run, recipe, examples)
    result = Result(
        study=recipe.study,
        name=result_name(recipe, sources),
        network=recipe.network,
        dataset=recipe.dataset + (" (Kaggle)" if sources.kaggle else ""),
        protocol=recipe.protocol,
        split="intra-patient" if recipe.protocol == "random_beats" else "inter-patient",
        seed=recipe.seed,
        classes=examples.classes,
        train_examples=examples.where(parts[0].fold.train).counts(),
        epochs=min(epochs_of(p.folder) for p in parts),
        epochs_full=recipe.fit.epochs,
        train_seconds=seconds_of(run),
        params=parameters(model) + frozen[0],
        macs=multiply_adds(model) + frozen[1],
        float32=score(y, real, examples.classes, patient),
        commands=commands(run, recipe, sources),
    )
    if "view" in recipe.data:
        result.extra.update(images.context(model, examples, parts[0].fold, recipe.data))
    if not all((p.folder / MODEL).exists() for p in parts):
        return result
    found = np.concatenate([_int8_classes(p, examples) for p in parts])
    quantized = score(y, found, examples.classes, patient)
    quantized["agreement"] = float(np.mean(found == real))
    result = replace(result, int8=quantized, tflite_bytes=(run / MODEL).stat().st_size)
    if recipe.protocol == "patient_folds":
        result.extra["patients_right"] = {
            name: patients_right(y, classes, patient)
            for name, classes in (("float", real), ("int8", found))
        }
    return result


def int8_model(folder: Path) -> bytes:
    """The int8 model of a training or fold. Raises ModelError if that went on since."""
    about = json.loads((folder / MODEL).with_name("model.json").read_text())
    if about["epochs"] != epochs_of(folder):
        raise ModelError(
            f"the int8 model in {folder} is of {about['epochs']} epochs, the training went on "
            "since: quantize it again"
        )
    return (folder / MODEL).read_bytes()


def _int8_classes(part: Part, examples: Labelled) -> Any:
    engine = int8.HostEngine(int8_model(part.folder), part.folder / "engine")
    return decide(engine.logits(examples.x[part.fold.test]))


def result_name(recipe: StudyRecipe, sources: Sources) -> str:
    """What a run's result is kept as: the recipe's name, and whether its beats are Kaggle's."""
    return recipe.name + ("_kaggle" if sources.kaggle else "")


def commands(run: Path, recipe: StudyRecipe, sources: Sources) -> tuple[str, ...]:
    """What reproduces a run, with neutral paths.

    `measure` prints what `evaluate` does: on DS2, that would be one more look.
    """
    folder = f"runs/studies/{run.name}"
    of = " --kaggle DIR" if sources.kaggle else ""
    return (
        f"einthoven train training/recipes/studies/{recipe.name}.toml --out {folder}{of}",
        *([] if float_only(recipe) else [f"einthoven quantize {folder}{of}"]),
        f"python -m einthoven.training.studies.measure {folder}{of}",
    )


def export(model: Path, out: Path | None, optimize: Goal = "speed") -> list[Path]:
    """Write the engine of a study's model folder to `out`; returns the files.

    They are what a firmware carries beside its model (docs/boards.md). Raises ModelError, and
    UsageError where no folder is given: that of the firmware's own model is another's.
    """
    if out is None:
        raise UsageError(
            "a study's network takes another input than the core's tensor, so it goes into the "
            "firmware beside its model: einthoven replay --model does that, or give --out"
        )
    try:
        about = json.loads((model / "model.json").read_text())
        content = (model / "model.tflite").read_bytes()
    except (OSError, ValueError) as error:
        what = f"its int8 model is {model / MODEL.parent}: export that"
        if not (model / MODEL).exists():
            what = "einthoven quantize the training first"
        raise ModelError(f"no model in {model}: {what}") from error
    if hashlib.sha256(content).hexdigest() != about.get("sha256"):
        raise ModelError(
            f"{model}/model.tflite is not the file that its model.json describes (SHA-256 "
            "differs): quantize the training again"
        )
    written = []
    files = network.files(content, about["name"], about["sha256"], optimize)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in (files | emit_tflite(content, about["name"])).items():
        (out / name).write_text(text)
        written.append(out / name)
    return written


def is_quantized(run: Path, recipe: StudyRecipe) -> bool:
    """Whether a run has its int8 models."""
    if recipe.protocol == PATIENT_SPECIFIC:
        from einthoven.training.studies.cardiacnet import int8 as cardiacnet_int8

        return cardiacnet_int8.is_quantized(run, recipe)
    return (run / MODEL).exists()


def is_quantizable(run: Path) -> bool:
    """Whether an int8 model can be made of a training, a study's or any other."""
    return not is_study_run(run) or float_only(recipe_of(run)) is None
