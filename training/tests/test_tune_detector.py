"""The detector's scoring script measures the core that it was given."""

import copy
from pathlib import Path

import pytest

from codegen import pipeline
from training.tune_detector import evaluate, generated_for


@pytest.mark.records
def test_other_constants_are_another_detector(mitdb: Path, tmp_path: Path) -> None:
    spec = pipeline.load()
    deaf = copy.deepcopy(spec)
    deaf["qrs"]["threshold_q8"] = 512
    as_it_is = evaluate(mitdb, "mitdb", ["100"], generated_for(spec, tmp_path))["100"]
    changed = evaluate(mitdb, "mitdb", ["100"], generated_for(deaf, tmp_path))["100"]
    assert as_it_is.scores.qrs.fn == 0
    assert changed.scores.qrs.fn > as_it_is.scores.qrs.tp // 2
    assert as_it_is.delay_ms.max() <= 300
    assert len(as_it_is.error_ms) == as_it_is.scores.qrs.tp
