"""Put a finished, quantized training into `training/shipped/`, with its figures and its card.

`python -m einthoven.training.evidence.ship RUN`: scores the training on DS2 (float, ptq, qat: what
is there; a look at DS2), takes the method that the recipe names, and writes what the firmware is
generated from, the result in `docs/results/ds2/`, the figures, docs/accuracy.md's tables, the model
card, and the memory that patients' heads are fitted with.
Calibrate before (`python -m einthoven.training.model.calibrate`) and fit the gate
(`python -m einthoven.training.gate`), generate after (`python -m einthoven.codegen`).
"""

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from einthoven.codegen import gate
from einthoven.codegen.confidence import Calibration
from einthoven.errors import EinthovenError, UsageError
from einthoven.paths import SHIPPED_MODEL, require_checkout
from einthoven.training.adaptation import memory
from einthoven.training.evidence.measured import collect
from einthoven.training.evidence.pages import accuracy, figures
from einthoven.training.model.evaluate import Evaluation
from einthoven.training.recipe import load as load_recipe


def ship(run: Path, out: Path = SHIPPED_MODEL, data: Path | None = None) -> Evaluation:
    """Fill `out` from the training `run`, and the pages if `out` is the shipped model's place.

    Returns the evaluation on DS2.
    """
    recipe = load_recipe(run / "recipe.toml")
    chosen = run / recipe.quantization.method
    if not Calibration.of(json.loads((chosen / "model.json").read_text())).unsure_below:
        raise UsageError(
            f"{chosen} is not calibrated: "
            f"python -m einthoven.training.model.calibrate {chosen} HELD_OUT"
        )
    result, evaluation = collect.score(run, data)
    out.mkdir(parents=True, exist_ok=True)
    for name in ("model.tflite", "recipe.toml", "training_log.jsonl"):
        shutil.copyfile(chosen / name, out / name)
    if (chosen / gate.TFLITE).exists():
        shutil.copyfile(chosen / gate.TFLITE, out / gate.TFLITE)
    about = json.loads((chosen / "model.json").read_text())
    about["figures"] = {"ds2": _figures(result)}
    (out / "model.json").write_text(json.dumps(about, indent=1) + "\n")
    memory.write(out, data)
    if out == SHIPPED_MODEL:
        collect.write(result)
        figures.draw_records(result, evaluation, data)
        accuracy.write_pages()
    return evaluation


def _figures(result: dict[str, Any]) -> dict[str, Any]:
    """What `training/evidence/tests/test_shipped.py` holds the model to."""
    return {"literature": result["variants"], "agreement": result["agreement"]}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.evidence.ship", description=__doc__
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path)
    args = parser.parse_args()
    try:
        require_checkout("the shipped model")
        print(ship(args.run, data=args.data).text())
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
