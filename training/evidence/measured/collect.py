"""Results of trainings as small JSON files, and the pages and figures made from them.

`python -m einthoven.training.evidence RUN …` scores finished, quantized trainings on DS2 (each is a
look at DS2: docs/accuracy.md counts them), writes `docs/results/ds2/<recipe>-seed<n>.json`, and,
for the shipped model's training, the figures. `python -m einthoven.training.evidence` alone makes
the tables of docs/accuracy.md and the model card anew from the committed JSON, and nothing else.
"""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from einthoven.aami import literature_class
from einthoven.errors import ModelError
from einthoven.paths import ROOT, SHIPPED_MODEL
from einthoven.records.annotations import Annotations, at_rate, read_annotations
from einthoven.records.download import find_database
from einthoven.report.run import write_text
from einthoven.scoring.comparison import Scores
from einthoven.scoring.reliability import rows
from einthoven.training.model import scorecard
from einthoven.training.model.evaluate import Evaluation, Variant, evaluate
from einthoven.training.recipe import load as load_recipe
from einthoven.training.results import dump

SCHEMA = "einthoven-evidence/1"
RESULTS = ROOT / "docs" / "results" / "ds2"
WORST = 5
STRIP_S = 10.0


def score(run: Path, data: Path | None = None) -> tuple[dict[str, Any], Evaluation]:
    """Score a training's folder on DS2: what its JSON holds, and the evaluation itself."""
    recipe = load_recipe(run / "recipe.toml")
    result = evaluate(run, "mitdb", "ds2", data)
    return describe(run, result, recipe.quantization.method, find_database(data, "mitdb")), result


def describe(run: Path, result: Evaluation, method: str, database: Path) -> dict[str, Any]:
    """The content of a run's JSON: all variants' figures, and `method`'s in detail."""
    chosen = next((v for v in result.variants if v.name == method), None)
    if chosen is None:
        raise ModelError(f"{run} has no {method} model: einthoven quantize {run} --method {method}")
    models = {
        v.name: json.loads((run / v.name / "model.json").read_text())
        for v in result.variants
        if v.findings
    }
    about = models[method]
    return {
        "schema": SCHEMA,
        "recipe": about["recipe"],
        "seed": about["seed"],
        "method": method,
        "sha256": {name: model["sha256"] for name, model in models.items()},
        "pipeline_sha256": about["pipeline_sha256"],
        "params": about["params"],
        "macs": about["macs"],
        "training_data": about["training_data"],
        "confidence": about.get("confidence"),
        "records": list(result.records),
        "agreement": result.agreement(),
        "variants": {
            v.name: {
                **scorecard.ways(v.whole, v.ec57),
                "intervals_95": scorecard.intervals(list(v.whole.values())),
            }
            for v in result.variants
        },
        "detail": [_record(chosen, name, database) for name in result.records],
    }


def _record(variant: Variant, name: str, database: Path) -> dict[str, Any]:
    found, rate_hz = variant.findings[name], variant.whole[name].rate_hz
    reference = at_rate(read_annotations(database, name), rate_hz)
    return {
        "record": name,
        "whole": counts(variant.whole[name]),
        "ec57": counts(variant.ec57[name]),
        "runs": {
            "V": [list(c) for c in found.ventricular_runs.categories],
            "S": [list(c) for c in found.supraventricular_runs.categories],
        },
        "confidence": rows(found.reliability),
        "rhythm": found.rhythm,
        "errors": errors(variant, name, reference),
    }


def counts(scores: Scores) -> dict[str, Any]:
    """As `report.restored` takes them, without what follows from them."""
    return {
        "counts": scores.counts.tolist(),
        "literature_counts": scores.literature.tolist(),
        "rr_error_sum": scores.rr_error_sum,
        "rr_errors": scores.rr_errors,
        "rate_hz": scores.rate_hz,
        "shutdown_s": scores.shutdown_s,
    }


def errors(variant: Variant, name: str, reference: Annotations) -> dict[str, Any]:
    """What is wrong in a record: `kinds` ("N>S", "V>missed", "none>V") and `rhythms`.

    `rhythms`: by the reference's rhythm annotation, [wrong, beats] of the pairs within it.
    `strip_s`: where ten seconds hold most errors, the earliest such place.
    """
    whole, labels = variant.whole[name], variant.findings[name].labels
    test_samples = variant.findings[name].times_s * whole.rate_hz
    kinds: Counter[str] = Counter()
    rhythms: dict[str, list[int]] = {}
    times: list[float] = []
    changes = np.flatnonzero(np.array([aux.startswith("(") for aux in reference.aux]))
    begins = reference.samples[changes]
    for ref, test in whole.pairs.tolist():
        at = reference.samples[ref] if ref >= 0 else test_samples[test]
        wanted = literature_class(str(reference.symbols[ref])) if ref >= 0 else "none"
        if wanted is None:
            continue  # a flutter wave: no class, and not scored
        given = labels[test] if test >= 0 else "missed"
        current = int(np.searchsorted(begins, at, side="right")) - 1
        rhythm = reference.aux[changes[current]][1:] if current >= 0 else "?"
        entry = rhythms.setdefault(rhythm, [0, 0])
        entry[1] += 1
        if wanted != given:
            kinds[f"{wanted}>{given}"] += 1
            entry[0] += 1
            times.append(float(at) / whole.rate_hz)
    return {
        "kinds": dict(kinds.most_common()),
        "rhythms": rhythms,
        "strip_s": _crowded(np.sort(np.array(times))),
    }


def _crowded(times_s: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    if not times_s.size:
        return 0.0
    inside = np.searchsorted(times_s, times_s + 0.9 * STRIP_S) - np.arange(times_s.size)
    first = int(np.argmax(inside))
    middle = (times_s[first] + times_s[first + int(inside[first]) - 1]) / 2
    return round(max(float(middle) - STRIP_S / 2, 0.0), 1)


def worst(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The records with most wrong beats, worst first: whole records, the literature's classes."""
    ranked = sorted(result["detail"], key=lambda r: -sum(r["errors"]["kinds"].values()))
    return ranked[:WORST]


def load_all(folder: Path = RESULTS) -> list[dict[str, Any]]:
    """All results of the current schema, by name of their files. Raises ModelError."""
    found = []
    for path in sorted(folder.glob("*.json")):
        entry = json.loads(path.read_text(encoding="utf-8"))
        if entry.get("schema") != SCHEMA:
            raise ModelError(
                f"{path} is not of schema {SCHEMA}: python -m einthoven.training.evidence RUN"
            )
        found.append(entry)
    return found


def write(result: Mapping[str, Any], folder: Path = RESULTS) -> Path:
    """Write one run's JSON; returns its path. Only the shipped model's is kept record by record."""
    path = folder / f"{result['recipe']}-seed{result['seed']}.json"
    shipped = shipped_sha256() in result["sha256"].values()
    write_text(path, dump({k: v for k, v in result.items() if shipped or k != "detail"}))
    return path


def shipped_sha256() -> str:
    """SHA-256 of the model that the firmware is generated from."""
    return str(json.loads((SHIPPED_MODEL / "model.json").read_text())["sha256"])
