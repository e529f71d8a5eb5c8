"""Commands about models: train, quantize, evaluate, export. All but export need TensorFlow."""

from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from einthoven.commands.runs import Data

Folder = Annotated[Path, typer.Argument(help="Folder of a training or of a model.")]


class Goal(StrEnum):
    """What export optimizes for."""

    speed = "speed"
    size = "size"


def _need_tensorflow() -> None:
    from einthoven.errors import UsageError

    for module in ("tensorflow", "tf_keras", "tensorflow_model_optimization"):
        if find_spec(module) is None:
            raise UsageError(
                f"{module} is not installed, which training needs: pip install -e '.[train]' "
                "(replaying and flashing work without)"
            )


def train(
    recipe: Annotated[Path, typer.Argument(help="Recipe, such as training/recipes/ds1.toml.")],
    out: Annotated[Path, typer.Option(help="Folder for weights and log.")],
    data: Data = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the training in --out.")
    ] = False,
) -> None:
    """Train the recipe's network on the core's own beats."""
    _need_tensorflow()
    from einthoven.report import console
    from training.train import train as train_recipe

    folder = train_recipe(recipe, out, resume, data)
    console().print(f"trained {folder}; next: einthoven quantize {folder}", soft_wrap=True)


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
) -> None:
    """Make the full-int8 .tflite of a training."""
    _need_tensorflow()
    from einthoven.report import console
    from training.quantize import quantize as quantize_run

    folder = quantize_run(run, method, data)
    console().print(f"quantized {folder}; next: einthoven evaluate {folder}", soft_wrap=True)


def evaluate(
    folder: Folder,
    db: Annotated[str, typer.Option(help="Database.")] = "mitdb",
    records: Annotated[str, typer.Option(help="100,119 or ds1, ds2, all.")] = "ds2",
    data: Data = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Score a model over whole records on the host, float and int8 side by side."""
    from json import dumps

    from training.evaluate import evaluate as evaluate_model
    from training.train import FLOAT_MODEL

    if (folder / FLOAT_MODEL).exists():
        _need_tensorflow()
    found = evaluate_model(folder, db, records, data)
    print(dumps(found.to_dict(), indent=1) if json else found.text())


def export(
    model: Folder,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the C sources (default: firmware/generated).", show_default=False
        ),
    ] = None,
    optimize: Annotated[
        Goal, typer.Option(help="speed: convolutions' weights take two bytes (DSP builds); size.")
    ] = Goal.speed,
) -> None:
    """Generate the C inference engine from a model's .tflite."""
    from codegen.model import export as export_model
    from einthoven.paths import GENERATED
    from einthoven.report import console

    for path in export_model(model, out or GENERATED, optimize.value):
        console().print(f"wrote {path}", soft_wrap=True)
