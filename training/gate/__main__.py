"""Fit, choose and measure the gate before the network (docs/gate.md).

    python -m einthoven.training.gate RUN                    of `einthoven train --deploy`
    python -m einthoven.training.gate MODEL --held-out FILE  any model's folder

Cross-validates gates over the patients of the model's recipe, with several seeds; takes the highest
limit at which no seed's gate loses an S or V beat that the network alone tells right; fits the
gate of the first seed on all patients, and writes gate.tflite and `gate` of model.json into the
model's folder. With `--json` the figures are kept in docs/results/gate.json and docs/gate.md's
table is written. DS2 is refused. Takes some minutes.
"""

import argparse
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from einthoven.aami import DS2
from einthoven.codegen import gate as generator
from einthoven.codegen.engine import reader
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.model import int8_folder
from einthoven.codegen.model import load as load_model
from einthoven.errors import UsageError
from einthoven.native.gate import Gate
from einthoven.native.vote import Vote
from einthoven.paths import ROOT, SHIPPED_MODEL
from einthoven.report.run import write_json, write_text
from einthoven.training.command_line import one_line_errors, seed_numbers
from einthoven.training.data import dataset
from einthoven.training.gate import measure
from einthoven.training.gate.network import Recipe, convert, fit
from einthoven.training.gate.page import region
from einthoven.training.markdown import replace_regions
from einthoven.training.model.calibrate import generated, read_predictions
from einthoven.training.recipe import load as load_recipe
from einthoven.training.results import dump

RESULTS = ROOT / "docs" / "results" / "gate.json"
PAGE = ROOT / "docs" / "gate.md"
FOLDS = 3


def make(
    folder: Path, held_out: Path, data: Path | None = None, seeds: tuple[int, ...] = (1, 2, 3)
) -> dict[str, Any]:
    """Put a gate into the model's `folder`; returns what was measured. Raises UsageError,
    ModelError, RecordError.
    """
    recipe, own = load_recipe(folder / "recipe.toml"), Recipe()
    about = json.loads((folder / "model.json").read_text())
    output = load_model(folder).graph.outputs[0]
    scale = float(output.scale)
    found = read_predictions(held_out, recipe.logit_bias, scale, output.zero_point)
    examples = dataset.load(recipe.data, data, recipe.views)
    main = examples.where(examples.main)
    if np.isin(main.record, [f"mitdb/{name}" for name in DS2]).any():
        raise UsageError("a gate must not see DS2: change the recipe's [[data]]")
    if main.record.tolist() != found.record.tolist() or (main.label != found.label).any():
        raise UsageError(f"{held_out} is of other beats than the recipe's: cross-validate again")

    network = fit(examples, own, recipe.sampling, recipe.augmentation, seeds[0])
    tflite = convert(network, examples, seeds[0])
    graph, sha256 = lower(reader.parse(tflite)), hashlib.sha256(tflite).hexdigest()
    records = list(dict.fromkeys(main.record.tolist()))
    with tempfile.TemporaryDirectory() as scratch:
        first = generator.Gate(tflite, graph, sha256, 0, (0,) * 5)
        for name, text in generator.files(first, "to be measured").items():
            (Path(scratch) / name).write_text(text)
        gate = Gate(Path(scratch))
        opened = measure.opened(records, data, gate)
        int8 = gate.score(main.features)

    judged = measure.Judged(found.logits, found.label, found.record, found.kinds, opened)
    scores = {
        seed: measure.held_out_scores(
            examples, own, recipe.sampling, recipe.augmentation, FOLDS, seed
        )
        for seed in seeds
    }
    with generated(scale) as table:
        limit, rows = measure.choose(judged, Vote(table), scores)
    step, zero = float(graph.outputs[0].scale), graph.outputs[0].zero_point
    most = int(np.clip(np.floor(limit / step) + zero, -128, 127))
    passed = opened & (scores[seeds[0]] <= limit)
    exact = network.scores(main.features) <= limit
    (folder / generator.TFLITE).write_bytes(tflite)
    entry = {
        "sha256": sha256,
        "most": most,
        "logits": measure.typical(judged, passed).tolist(),
        "chosen_on": f"{len(found.label):,} beats of {len(np.unique(found.patient))} held-out "
        f"patients of the training data, {len(seeds)} seeds: no S or V beat lost",
        "seed": seeds[0],
    }
    write_json(folder / "model.json", {**about, "gate": entry})
    return {
        "model": about["name"],
        "limit": limit,
        "open": round(float(opened.mean()), 4),
        "macs": graph.macs,
        "params": graph.params,
        "int8_decides_otherwise": int(np.sum(opened & (exact != (int8 <= most)))),
        "beats": len(found.label),
        "by_seed": {str(seed): table for seed, table in rows.items()},
    }


@one_line_errors()
def main() -> None:
    """Command line: see the module's text."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.gate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--held-out", type=Path, help="held_out.npz of a cross-validation")
    parser.add_argument("--data", type=Path, help="folder of databases")
    parser.add_argument("--seeds", default="1,2,3", help="of the gates; the first one is kept")
    parser.add_argument("--json", action="store_true", help="keep the figures, write the page")
    args = parser.parse_args()
    held_out = args.held_out or args.model / "folds" / "held_out.npz"
    folder = int8_folder(args.model)
    found = make(folder, held_out, args.data, tuple(seed_numbers(args.seeds)))
    print(region(found))
    if args.json:
        write_text(RESULTS, dump(found))
        write_text(PAGE, replace_regions(PAGE.read_text(), {"gate": region(found)}))
    if folder.resolve() == SHIPPED_MODEL:
        print("now `python -m einthoven.codegen`")


if __name__ == "__main__":
    main()
