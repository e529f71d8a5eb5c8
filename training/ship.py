"""Put a finished, quantized training into `training/shipped/`, with its figures and its card.

`python -m training.ship RUN`: scores the training on DS2 (float, ptq, qat: what is there), takes
the method that the recipe names, and writes what the firmware is generated from.
"""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from einthoven.paths import SHIPPED_MODEL
from training.evaluate import Evaluation, evaluate
from training.recipe import load as load_recipe

CARD = """# Model card: {name}

An int8 residual CNN that gives each heartbeat one of the five AAMI classes N, S, V, F, Q.
**Not a medical device**, and not to be used for diagnosis.

| | |
|---|---|
| input | the core's tensors: int8 signal [1,1,216,2], int8 features [1,{features}] |
| pipeline | SHA-256 `{pipeline}` |
| output | five int8 logits; the class is the largest, the first on a tie |
| size | {params:,} parameters, {macs:,} multiply-adds a beat |
| file | `model.tflite`, SHA-256 `{sha256}` |
| trained on | {training} |
| beats | {beats} (own detections with a reference beat within 150 ms, both signals of a record) |
| recipe | `recipe.toml`, seed {seed}, log `training_log.jsonl` |

## Figures

De Chazal's DS2 (22 records, other patients than DS1 except that 202 is the patient of DS1's 201),
lead MLII, the core's own detections; scored by `einthoven evaluate`. All-N accuracy is 89 % there:
accuracy alone says nothing.

```
{text}
```

## Limits

- Trained on adults' ambulatory recordings of the 1970s to 90s from one laboratory: not on
  children, not on other lead positions, not on motion as in sport.
- S beats are found by their timing and P waves: S precision is low in atrial fibrillation, and in
  patients whose premature beats are the majority (record 232) the rhythm itself misleads.
- F (fusion) and Q beats are too few to learn; their outputs carry no evidence.
- Paced beats are in no training record.
- The first beats of a patient are judged against a template of few beats.
"""


def ship(run: Path, out: Path = SHIPPED_MODEL, data: Path | None = None) -> Evaluation:
    """Fill `out` from the training `run`; returns the evaluation on DS2 that its card quotes."""
    recipe = load_recipe(run / "recipe.toml")
    result = evaluate(run, "mitdb", "ds2", data)
    chosen = run / recipe.quantization.method
    out.mkdir(parents=True, exist_ok=True)
    for name in ("model.tflite", "recipe.toml", "training_log.jsonl"):
        shutil.copyfile(chosen / name, out / name)
    about = json.loads((chosen / "model.json").read_text())
    about["figures"] = {"ds2": _figures(result)}
    (out / "model.json").write_text(json.dumps(about, indent=1) + "\n")
    (out / "MODEL_CARD.md").write_text(_card(about, result.text(recipe.quantization.method)))
    return result


def _figures(result: Evaluation) -> dict[str, Any]:
    table = result.to_dict()
    return {
        "literature": {v: table["variants"][v]["literature"] for v in table["variants"]},
        "agreement": table["agreement"],
    }


def _card(about: dict[str, Any], text: str) -> str:
    training = "; ".join(
        f"{s['db']} {s['records']} ({s['leads']} leads)" for s in about["training_data"]
    )
    return CARD.format(
        name=about["name"],
        pipeline=about["pipeline_sha256"],
        features=about["features"],
        params=about["params"],
        macs=about["macs"],
        sha256=about["sha256"],
        training=training,
        beats=", ".join(f"{k} {v:,}" for k, v in about["training_beats"].items()),
        seed=about["seed"],
        text=text,
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.ship", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path)
    args = parser.parse_args()
    print(ship(args.run, data=args.data).text())


if __name__ == "__main__":
    main()
