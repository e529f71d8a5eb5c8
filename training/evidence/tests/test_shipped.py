"""The shipped model: its files fit each other and the checkout, and its figures hold."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest
from msgspec import to_builtins

from einthoven.aami import CLASSES, DS2
from einthoven.analysis.record import Task, analyze
from einthoven.codegen.confidence import Calibration
from einthoven.paths import ROOT, SHIPPED_MODEL
from einthoven.training.data.dataset import FEATURES, PIPELINE_SHA256
from einthoven.training.model.evaluate import evaluate
from einthoven.training.model.scorecard import literature
from einthoven.training.model.train import taught
from einthoven.training.recipe import load


def test_files_fit_each_other_and_the_pipeline() -> None:
    about = json.loads((SHIPPED_MODEL / "model.json").read_text())
    content = (SHIPPED_MODEL / "model.tflite").read_bytes()
    assert hashlib.sha256(content).hexdigest() == about["sha256"]
    assert about["pipeline_sha256"] == PIPELINE_SHA256, "train and ship the model anew"
    assert about["classes"] == list(CLASSES)
    assert about["features"] == FEATURES
    assert about["params"] <= 60_000
    assert about["macs"] <= 600_000
    recipe = load(SHIPPED_MODEL / "recipe.toml")
    assert about["name"] == f"{recipe.name}-{recipe.quantization.method}"
    log = (SHIPPED_MODEL / "training_log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in log] == list(
        range(1, taught(recipe).fit.epochs + 1)
    )
    card = (SHIPPED_MODEL / "MODEL_CARD.md").read_text()
    assert about["sha256"] in card
    assert "Not a medical device" in card
    calibration = Calibration.of(about)
    assert 0.5 < calibration.temperature < 2.0
    assert 128 <= calibration.unsure_below < 255


@pytest.mark.records
def test_the_run_on_the_emulated_board_was_of_this_model_and_scores_as_the_host(
    mitdb: Path,
) -> None:
    """docs/results/emulated_ds2.json, which the README points to; several minutes to make."""
    about = json.loads((SHIPPED_MODEL / "model.json").read_text())
    run = json.loads((ROOT / "docs" / "results" / "emulated_ds2.json").read_text())
    assert run["model"]["sha256"] == about["sha256"], "replay DS2 on qemu_stm32f405 anew"
    assert run["pipeline_sha256"] == PIPELINE_SHA256 and run["records"] == list(DS2)
    counts = run["agreement"]
    assert counts["beats"] > 49_000
    assert counts["device_vs_host_int8"] == counts["host_int8_vs_tflm"] == 0
    expected: Counter[tuple[str, str, str]] = Counter()
    for name in DS2:
        protocols = analyze(Task(mitdb, name, score=True)).protocols
        for protocol, scores in to_builtins(protocols).items():
            for kind in ("qrs", "veb", "sveb"):
                for count in ("tp", "fn", "fp"):
                    expected[protocol, kind, count] += scores[kind][count]
    found = {key: run["gross"][key[0]][key[1]][key[2]] for key in expected}
    assert len(expected) == 18 and found == dict(expected)


@pytest.mark.records
def test_ds2_figures_hold(mitdb: Path) -> None:
    """The whole chain on the host, int8, DS2: floors, and what model.json says to the beat."""
    (variant,) = evaluate(SHIPPED_MODEL, "mitdb", "ds2", mitdb).variants
    for protocol, scores in (("whole", variant.whole), ("ec57", variant.ec57)):
        found = literature(list(scores.values()))
        assert found["V"]["f1"] >= 0.88, protocol
        assert found["S"]["f1"] >= 0.30, protocol
        about = json.loads((SHIPPED_MODEL / "model.json").read_text())
        recorded = about["figures"]["ds2"]["literature"][about["method"]][protocol]
        for name in ("N", "S", "V"):
            for count in ("tp", "fn", "fp"):
                assert found[name][count] == recorded[name][count], (protocol, name, count)
