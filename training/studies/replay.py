"""A study's int8 network in a board's firmware, on the examples that its recipe scores.

What `einthoven replay --model` does with a study's run: the board's firmware is built with the
network beside its own model, the examples go over the wire, every output is held to TFLite
Micro's, and the classes are scored as `einthoven evaluate` does.
"""

import json
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from einthoven.boards.board import Board
from einthoven.boards.resources import measure, memory
from einthoven.codegen.network import graph_of
from einthoven.errors import UsageError
from einthoven.hil_tests.harness.network import GOALS, Answers, Carried, answers, build_in
from einthoven.report.run import RunDir
from einthoven.training.studies import workflow
from einthoven.training.studies.cardiacnet import int8
from einthoven.training.studies.registry import float_only
from einthoven.training.studies.runs import FACTS, MODEL, Sources, is_study_run, open_run, recipe_of
from einthoven.training.studies.shared.examples import Labelled
from einthoven.training.studies.shared.fit import decide
from einthoven.training.studies.shared.int8 import Int8, quantize_input
from einthoven.training.studies.shared.recipe import PATIENT_SPECIFIC, StudyRecipe
from einthoven.training.studies.shared.scores import score

BEATS = 1000
"""Of the examples, where nobody says how many: one to three minutes on the emulated board."""
SCHEMA = 1


@dataclass(frozen=True)
class Case:
    """A study's int8 network, and the examples that it is scored on, in a random order."""

    name: str
    tflite: bytes
    recipe: StudyRecipe
    examples: Labelled
    seen: bool = False
    """Whether it was trained on them: the network of all patients, under cross-validation."""

    def inputs(self, beats: int) -> Int8:
        """The first `beats` examples as the board takes them."""
        return quantize_input(self.examples.x[:beats], graph_of(self.tflite))

    def classes(self, found: Answers) -> Any:
        """[n] class indices of a board's answers."""
        zero_point = graph_of(self.tflite).outputs[0].zero_point
        return decide(found.outputs.astype(np.int32) - zero_point)


def run_of(folder: Path) -> Path | None:
    """The study's run that `folder` is, or is a model's folder in; None if there is none."""
    for candidate in (folder, *folder.resolve().parents[:3]):
        if (candidate / FACTS).exists() and is_study_run(candidate):
            return candidate
    return None


def is_study(folder: Path) -> bool:
    """Whether `folder` is a study's run or a model of one."""
    return run_of(folder) is not None or is_study_run(folder)


def case_of(model: Path, sources: Sources, record: str | None = None) -> Case:
    """What is replayed of `model`, a study's run or the folder of one of its int8 models.

    `record`: whose network, of a run that has one per record. Raises UsageError where there is
    nothing to replay, RecordError, ModelError.
    """
    run = run_of(model)
    if run is None:
        raise UsageError(
            f"{model} is a study's model without its training, which says what it is tested on: "
            "give the folder of the training"
        )
    recipe = recipe_of(run)
    reason = float_only(recipe)
    if reason is not None:
        raise UsageError(f"{run} is not replayed: {reason}")
    if recipe.protocol == PATIENT_SPECIFIC:
        return _patient(model, run, recipe, sources, record)
    if record is not None:
        raise UsageError(
            f"{run} is replayed on the examples that its recipe tests: leave --records out"
        )
    if not (run / MODEL).exists():
        raise UsageError(f"{run} is not quantized: einthoven quantize {run}")
    recipe, examples = open_run(run, sources)
    for part in workflow.all_parts(run, recipe, examples):
        if model.resolve() in (part.folder.resolve(), (part.folder / MODEL).parent.resolve()):
            tested = examples.where(part.fold.test)
            seen = bool((part.fold.test & part.fold.train).any())
            name = recipe.name if part.folder == run else f"{recipe.name}-{part.folder.name}"
            content = workflow.int8_model(part.folder)
            return Case(name, content, recipe, _shuffled(tested, recipe), seen)
    raise UsageError(f"{model} is no model of {run}: give that, or {run / MODEL.parent}")


def _patient(
    model: Path, run: Path, recipe: StudyRecipe, sources: Sources, record: str | None
) -> Case:
    if model.resolve() == run.resolve():
        if record is None:
            raise UsageError(
                f"{run} has a network for each record: say whose with --records, such as "
                f"--records {int8.board_record(recipe)}"
            )
        model = int8.model_folder(run, "individual", record)
    elif record not in (None, model.name):
        raise UsageError(f"{model} is the network of record {model.name}: leave --records out")
    if not (model / "model.json").exists():
        raise UsageError(
            f"{model} holds no int8 model: name a record of the recipe, or einthoven quantize {run}"
        )
    about = json.loads((model / "model.json").read_text())
    tested = int8.tested_windows(recipe, sources.data, about["record"])
    content = (model / "model.tflite").read_bytes()
    return Case(about["name"], content, recipe, _shuffled(tested, recipe))


def _shuffled(examples: Labelled, recipe: StudyRecipe) -> Labelled:
    order = np.random.default_rng([recipe.seed, 0xB0A2D]).permutation(len(examples))
    return examples.where(order)


def replay(
    case: Case,
    board: Board,
    out: Path,
    beats: int = BEATS,
    port: str | None = None,
    tell: Callable[[int], None] = lambda done: None,
) -> dict[str, Any]:
    """Replay `beats` of a case's examples; returns what `out`/summary.json then holds.

    `out`, new or empty, gets the firmware, too. `port`: a board that runs already, with the network
    in its firmware. Raises UsageError, ModelError, BuildError (TooLargeError), BoardError.
    """
    RunDir.require_new(out)
    try:
        if port is None:
            carried = build_in(board, case.name, case.tflite, out / "firmware")
        else:
            carried = Carried(board, case.name, case.tflite, GOALS[0])
        found = answers(carried, case.inputs(beats), port, tell)
    except BaseException:  # the same command, put right, can be given again
        shutil.rmtree(out, ignore_errors=True)
        raise
    summary = _summary(case, carried, found)
    out.mkdir(parents=True, exist_ok=True)
    content = json.dumps(summary, indent=1, ensure_ascii=False)
    (out / "summary.json").write_text(content + "\n", encoding="utf-8")
    return summary


def _summary(case: Case, carried: Carried, found: Answers) -> dict[str, Any]:
    tested = case.examples.where(np.arange(len(found.outputs)))
    return {
        "schema": SCHEMA,
        "board": carried.board.name,
        "board_title": carried.board.title,
        "network": case.name,
        "network_sha256": carried.sha256,
        "study": case.recipe.study,
        "recipe": case.recipe.name,
        "protocol": case.recipe.protocol,
        "trained_on_these": case.seen,
        "beats": len(tested),
        "beats_of_test_set": len(case.examples),
        "weights": carried.goal if carried.board.network else None,
        **costs(carried, found),
        "link_retries": found.retries,
        "int8": score(tested.y, case.classes(found), tested.classes, tested.patient),
        "command": shlex.join(["einthoven", *sys.argv[1:]]),
    }


def costs(carried: Carried, found: Answers) -> dict[str, Any]:
    """What the board said and what its image takes, for JSON; sizes if it was built here."""
    image = measure(carried.board) if carried.board.network else None
    room = memory(carried.board) if image else {}
    return {
        "differing": int(found.differing.sum()),
        "count_unit": carried.board.count_unit,
        "count_per_inference": int(np.median(found.counts)),
        "arena_bytes": found.arena_bytes,
        "stack_used_bytes": found.stack_used_bytes,
        "flash_bytes": image.flash_bytes if image else None,
        "flash_room_bytes": len(room.get("FLASH", ())) or None,
        "ram_bytes": image.ram_bytes if image else None,
        "ram_room_bytes": len(room.get("RAM", ())) or None,
    }


def text(summary: dict[str, Any]) -> str:
    """The summary to read."""
    scores, unit = summary["int8"], summary["count_unit"]
    of_these = (
        " (it was trained on them: give a fold's folder)" if summary["trained_on_these"] else ""
    )
    lines = [
        f"{summary['network']} in the firmware of {summary['board']}, beside its model",
        f"{summary['beats']:,} of {summary['beats_of_test_set']:,} examples, "
        f"{summary['differing']} differ from TensorFlow Lite Micro",
        f"accuracy {scores['accuracy']:.4f}, macro-F1 {scores['macro_f1']:.4f} on these{of_these}",
        f"{summary['count_per_inference']:,} {unit} per inference, arena "
        f"{summary['arena_bytes']:,} bytes",
    ]
    if summary["flash_bytes"] is not None:
        lines.append(
            f"flash {summary['flash_bytes']:,} of {summary['flash_room_bytes']:,} bytes (weights "
            f"stored for {summary['weights']}), RAM {summary['ram_bytes']:,} of "
            f"{summary['ram_room_bytes']:,}"
        )
    return "\n".join(lines)
