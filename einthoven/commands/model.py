"""Commands about models. Training, quantizing and float models need TensorFlow."""

from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from einthoven.commands.options import Data, Kaggle

Folder = Annotated[Path, typer.Argument(help="Folder of a training or of a model.")]


class Goal(StrEnum):
    """What export optimizes for."""

    speed = "speed"
    size = "size"


def _need_tensorflow() -> None:
    from einthoven.errors import UsageError
    from einthoven.paths import extra

    for module in ("tensorflow", "tf_keras", "tensorflow_model_optimization"):
        if find_spec(module) is None:
            raise UsageError(
                f"{module} is not installed, which training needs: pip install "
                f"{extra('train')} (replaying and flashing work without)"
            )


def train(
    recipe: Annotated[
        Path,
        typer.Argument(
            help="Recipe: a file, or the name of one of Einthoven's own (quick, ds1, ds1_svdb, "
            "studies/…)."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for weights and log.")],
    data: Data = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the training in --out.")
    ] = False,
    kaggle: Kaggle = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Reference studies: little data, to try it.")
    ] = False,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Reference studies: stop after so many in all (--resume goes on).",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Instead of the recipe's.", show_default=False)
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            help="Several, such as 1,2,3: a run for each, in --out/seed1 and so on.",
            show_default=False,
        ),
    ] = None,
    deploy: Annotated[
        bool,
        typer.Option(
            "--deploy",
            help="Go on to an int8 model with a calibrated confidence, ready to export: quantize, "
            "cross-validate, calibrate.",
        ),
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Dask scheduler for --seeds and for grid searches, or local:2 for processes.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Train the recipe's network: on the core's own beats, or as a reference study does."""
    _need_tensorflow()
    from einthoven.errors import UsageError
    from einthoven.paths import recipe_file
    from einthoven.report.text import console
    from einthoven.training.model.train import train as train_recipe
    from einthoven.training.studies import runs, workflow
    from einthoven.training.studies.shared.recipe import is_study

    recipe = recipe_file(recipe)
    sources, study = runs.Sources(data, kaggle), is_study(recipe)
    if not study and (kaggle is not None or quick or epochs is not None):
        raise UsageError("--kaggle, --quick and --epochs are for recipes of reference studies")
    if seeds is not None:
        from einthoven.training.command_line import seed_numbers
        from einthoven.training.seeds import train_seeds

        if seed is not None or deploy:
            raise UsageError("--seeds trains, and no more: leave --seed and --deploy out")
        chosen = (resume, sources, quick, epochs, cluster)
        for folder in train_seeds(recipe, out, seed_numbers(seeds), *chosen):
            console().print(f"trained {folder}", soft_wrap=True)
        return
    if study:
        if seed is not None or deploy:
            raise UsageError(
                "--seed and --deploy are not for recipes of reference studies: give --seeds; "
                "einthoven quantize comes after"
            )
        folder = workflow.train(recipe, out, resume, sources, quick, epochs, cluster)
    elif cluster is not None:
        raise UsageError(f"{recipe.name} is one training: --cluster needs --seeds")
    elif deploy:
        from einthoven.training.model.build import build

        model = build(recipe, out, resume, data, seed)
        console().print(f"made {model}; next: einthoven export {model}", soft_wrap=True)
        return
    else:
        folder = train_recipe(recipe, out, resume, data, seed)
    after = "quantize" if workflow.is_quantizable(folder) else "evaluate"
    console().print(f"trained {folder}; next: einthoven {after} {folder}", soft_wrap=True)


def quantize(
    run: Annotated[Path, typer.Argument(help="Folder of a finished training.")],
    method: Annotated[
        str | None,
        typer.Option(
            help="ptq (post-training) or qat (quantization-aware) (default: the recipe's).",
            show_default=False,
        ),
    ] = None,
    data: Data = None,
    kaggle: Kaggle = None,
) -> None:
    """Make the full-int8 .tflite of a training."""
    _need_tensorflow()
    from einthoven.errors import UsageError
    from einthoven.report.text import console
    from einthoven.training.model.quantize import quantize as quantize_run
    from einthoven.training.studies import runs, workflow

    if not runs.is_study_run(run):
        folder = quantize_run(run, method, data)
    elif method not in (None, "ptq"):
        raise UsageError("a reference study's network is quantized by ptq only: leave --method out")
    else:
        folder = workflow.quantize(run, runs.Sources(data, kaggle))
    console().print(f"quantized {folder}; next: einthoven evaluate {folder}", soft_wrap=True)


def evaluate(
    folder: Folder,
    db: Annotated[str, typer.Option(help="Database.")] = "mitdb",
    records: Annotated[str, typer.Option(help="100,119 or ds1, ds2, all.")] = "ds2",
    data: Data = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    kaggle: Kaggle = None,
) -> None:
    """Score a model on the host, float and int8 side by side: over whole records.

    A reference study's is scored under its recipe's protocol, whatever --db and --records say.
    """
    from json import dumps

    from einthoven.training.model.evaluate import Evaluation
    from einthoven.training.model.evaluate import evaluate as evaluate_model
    from einthoven.training.model.train import FLOAT_MODEL
    from einthoven.training.studies import runs, workflow
    from einthoven.training.studies.shared.results import Result

    if (folder / FLOAT_MODEL).exists():
        _need_tensorflow()
    found: Evaluation | Result
    if runs.is_study_run(folder):
        found = workflow.evaluate(folder, runs.Sources(data, kaggle))
    else:
        found = evaluate_model(folder, db, records, data)
    print(dumps(found.to_dict(), indent=1) if json else found.text())


def export(
    model: Annotated[
        Path, typer.Argument(help="Folder of a training or of a model, or any int8 .tflite file.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the C sources (default: firmware/generated of a checkout, else "
            "./generated, from where builds and replays take it; a file needs one).",
            show_default=False,
        ),
    ] = None,
    optimize: Annotated[
        Goal, typer.Option(help="speed: convolutions' weights take two bytes (DSP builds); size.")
    ] = Goal.speed,
) -> None:
    """Generate the C inference engine from a model's .tflite.

    From a file: a C library of its own, for CMake, PlatformIO or any C99 compiler.
    """
    from einthoven.codegen.library import export as export_library
    from einthoven.codegen.model import export as export_model
    from einthoven.errors import UsageError
    from einthoven.paths import export_dir
    from einthoven.report.text import console
    from einthoven.training.studies import runs, workflow

    if model.suffix == ".tflite" or model.is_file():
        if out is None:
            raise UsageError(f"{model.name} becomes a library: name its folder with --out")
        written = export_library(model, out, optimize.value)
    elif runs.is_study_run(model):
        written = workflow.export(model, out, optimize.value)
    else:
        written = export_model(model, out or export_dir(), optimize.value)
    for path in written:
        console().print(f"wrote {path}", soft_wrap=True)


def profile(
    model: Annotated[Path, typer.Argument(help="Any int8 .tflite file.", metavar="FILE.tflite")],
    optimize: Annotated[Goal, typer.Option(help="As export's.")] = Goal.speed,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Measure a model op by op: instructions in QEMU, multiply-adds, memory, and what it fits."""
    from json import dumps

    from einthoven.codegen.profile import profile as profile_model

    found = profile_model(model, optimize.value)
    print(dumps(found.to_dict(), indent=1) if json else found.text())
