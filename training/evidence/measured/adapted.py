"""What replays of DS2 with a head per patient found, as committed, a file a seed.

`docs/results/adaptation/ds2.json` is the shipped model's, `ds2-seed<n>.json` are other seeds' of
its recipe (`python -m einthoven.training.evidence.pages.adaptation RUN` writes them).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from einthoven.errors import ModelError
from einthoven.paths import ROOT
from einthoven.scoring.comparison import Rate, macro_f1
from einthoven.training.evidence.measured.collect import load_all, shipped_sha256
from einthoven.training.model.scorecard import AF_RECORDS, INTERVAL_CLASSES, MAJORITY_S

FOLDER = ROOT / "docs" / "results" / "adaptation"


WAYS = {
    "all": (),
    "without 232": (MAJORITY_S,),
    "without 232, AF": (MAJORITY_S, *AF_RECORDS),
}
"""Records that are left out."""


def file_name(sha256: str) -> str:
    """Of the model's result. Raises ModelError for a model that DS2 has not been scored with."""
    if sha256 == shipped_sha256():
        return "ds2.json"
    for result in load_all():
        if sha256 in result["sha256"].values():
            return f"ds2-seed{result['seed']}.json"
    raise ModelError(
        f"docs/results/ds2 has no result of the model {sha256[:12]}… that was replayed: "
        "python -m einthoven.training.evidence RUN, with the folder it was trained in"
    )


def adapted_results() -> dict[str, Any]:
    """Name of the model to what was kept of its replay, the shipped one's first.

    Without those of models that are shipped no longer, and their seeds'.
    """
    found = {}
    for path in sorted(FOLDER.glob("ds2*.json")):
        kept = json.loads(path.read_text(encoding="utf-8"))
        try:
            current = file_name(kept["model"]["sha256"]) == path.name
        except ModelError:
            current = False
        if current:
            name = path.stem.removeprefix("ds2-").replace("seed", "seed ")
            found["shipped" if name == "ds2" else name] = kept
    return dict(sorted(found.items(), key=lambda item: (item[0] != "shipped", item[0])))


def total(records: Sequence[Mapping[str, Any]], side: str) -> dict[str, Any]:
    """Rates of records together: `accuracy`, N, S, V by the literature's classes, `macro_f1`."""
    beats = sum(r[side]["beats"] for r in records)
    right = sum(r[side]["beats"] * (r[side]["accuracy"] or 0.0) for r in records)
    rates = {
        name: Rate(*(sum(r[side][name][k] for r in records) for k in ("tp", "fn", "fp")))
        for name in INTERVAL_CLASSES
    }
    return {
        "accuracy": right / beats if beats else None,
        **{name: rate.to_dict() for name, rate in rates.items()},
        "macro_f1": macro_f1(rates.values()),
    }
