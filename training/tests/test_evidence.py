"""Results, tables and figures, on made-up detections."""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from einthoven.annotations import Annotations
from einthoven.ec57 import compare
from einthoven.ec57_runs import compare_runs
from einthoven.errors import EinthovenError, ModelError
from einthoven.paths import SHIPPED_MODEL
from einthoven.reliability import judge, summary
from einthoven.report import restored
from einthoven.rhythm import BeatSequence, of_reference, to_dict
from einthoven.rhythm import compare as compare_rhythm
from training import evidence, evidence_figures, evidence_page
from training.dataset import CHANNELS, FEATURES, WINDOW
from training.evaluate import Evaluation, Findings, Variant
from training.model_card import card

N = 900
NAMES = ("100", "202", "232")


def reference(seed: int) -> Annotations:
    rng = np.random.default_rng(seed)
    times = 400 + np.cumsum(rng.integers(220, 340, N))
    made = Annotations.of(times, rng.choice(list("NNNNNNNNVVSF"), N).tolist(), 360.0)
    symbols, aux = made.symbols.copy(), list(made.aux)
    for i, rhythm in ((0, "(N"), (500, "(AFIB")):
        symbols[i], aux[i] = "+", rhythm
    return Annotations(made.samples, symbols, made.subtype, made.chan, made.num, tuple(aux), 360.0)


def filled(name: str, wrong: float) -> Variant:
    """A variant that misses, invents and confuses some beats of three records."""
    variant = Variant(name)
    for seed, record in enumerate(NAMES):
        ref = reference(seed)
        rng = np.random.default_rng(10 + seed)
        beats = np.flatnonzero(ref.symbols != "+")
        kept = beats[rng.random(len(beats)) > 0.01]
        labels = ref.symbols[kept].copy()
        labels[rng.random(len(kept)) < wrong] = "V"
        test = Annotations.of(ref.samples[kept] + 3, labels.tolist(), 360.0)
        both = (ref, test, 360.0, int(ref.samples[-1]) + 400)
        variant.whole[record] = compare(*both, 0.0)
        variant.ec57[record] = compare(*both)
        variant.classes[record] = np.array(["NSVFQ".index(c) for c in labels])
        confidence = rng.integers(51, 256, len(kept)).astype(np.uint8)
        sequence = BeatSequence(test.samples / 360.0, labels.tolist(), np.zeros(len(kept), bool))
        judged, mistaken = judge(variant.whole[record], ref, labels.tolist())
        variant.findings[record] = Findings(
            times_s=test.samples / 360.0,
            labels=tuple(labels.tolist()),
            confidence=confidence,
            unsure=confidence < 90,
            judged=judged,
            wrong=mistaken,
            ventricular_runs=compare_runs(*both, "V"),
            supraventricular_runs=compare_runs(*both, "S"),
            rhythm=to_dict(compare_rhythm(of_reference(ref, 360.0), sequence)),
        )
    return variant


@pytest.fixture
def result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is kept of a run with ptq and qat."""
    monkeypatch.setattr(evidence, "read_annotations", lambda _, name: reference(NAMES.index(name)))
    for seed, method in enumerate(("ptq", "qat")):
        about = {"recipe": "r", "seed": 1, "sha256": f"{seed}" * 64, "pipeline_sha256": "p" * 64}
        about |= {"params": 9, "macs": 99, "training_data": [{"db": "mitdb", "records": "ds1"}]}
        about["confidence"] = {
            "temperature": 1.2,
            "unsure_below": 90,
            "chosen_on": "held-out beats",
            "held_out": summary(np.ones((256, 2, 2), np.int64)),
        }
        (tmp_path / method).mkdir()
        (tmp_path / method / "model.json").write_text(json.dumps(about))
    evaluation = Evaluation(NAMES, (filled("ptq", 0.05), filled("qat", 0.06)))
    text = evaluation.text("ptq")
    for part in ("qat_vs_ptq", "ventricular runs", "confidence: wrong", "couplet", "missed"):
        assert part in text
    return evidence.describe(tmp_path, evaluation, "ptq", tmp_path)


def test_a_result_survives_its_file(
    result: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "shipped_sha256", lambda: "0" * 64)
    path = evidence.write(result, tmp_path / "results")
    assert path.name == "r-seed1.json"
    (back,) = evidence.load_all(tmp_path / "results")
    assert back == json.loads(json.dumps(result))
    scores = restored(back["detail"][1]["whole"])
    assert np.array_equal(scores.counts, filled("ptq", 0.05).whole["202"].counts)
    other = evidence.write({**result, "seed": 2, "sha256": {"ptq": "9"}}, tmp_path / "results")
    assert "detail" not in json.loads(other.read_text())
    path.write_text('{"schema": "other"}')
    with pytest.raises(ModelError, match="schema"):
        evidence.load_all(tmp_path / "results")


def test_errors_are_named_and_laid_to_the_marked_rhythm(result: dict[str, Any]) -> None:
    for entry in result["detail"]:
        kinds, rhythms = entry["errors"]["kinds"], entry["errors"]["rhythms"]
        literature = np.array(entry["whole"]["literature_counts"])
        assert sum(kinds.values()) == literature.sum() - np.trace(literature)
        assert kinds["N>V"] == literature[0, 2]
        assert kinds.get("N>missed", 0) == literature[0, 5]
        assert set(rhythms) == {"N", "AFIB"}
        assert sum(wrong for wrong, _ in rhythms.values()) == sum(kinds.values())
        assert 0 <= entry["errors"]["strip_s"] < 900
    ranked = [sum(e["errors"]["kinds"].values()) for e in evidence.worst(result)]
    assert ranked == sorted(ranked, reverse=True)


def test_pages_say_what_the_results_say(
    result: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(evidence, "shipped_sha256", lambda: "0" * 64)
    runs = [
        {"variant": "all", "seed": i, "scores": {"mitdb": {"V": 0.9 - i / 100, "S": 0.5}}}
        for i in (1, 2)
    ]
    kept = tmp_path / "ablations.json"
    kept.write_text(json.dumps({"runs": [*runs, {**runs[0], "variant": "no RR"}]}))
    monkeypatch.setattr(evidence_page, "ABLATIONS", kept)
    other = {**result, "seed": 2, "sha256": {"ptq": "5" * 64}}
    shipped = evidence_page.shipped_result([other, result])
    assert shipped is result
    texts = evidence_page.regions([result, other], shipped, shipped["confidence"])
    f1 = result["variants"]["ptq"]["whole"]["V"]["f1"]
    assert f"{f1:.3f}"[1:] in texts["ds2"] and "int8 qat" in texts["ds2"]
    assert "1 (shipped)" in texts["seeds"] and "| r | mean |" in texts["seeds"]
    assert texts["ec57"].count("\n 2") == 2 and "Gross" in texts["ec57"]
    assert "unsure below 90/255: held-out beats" in texts["confidence"]
    assert "| held-out patients | all | 1,024 | 512 | 50.00 |" in texts["confidence"]
    assert "| couplet |" in texts["rhythm"] and "AFIB" in texts["worst"]
    assert "| all | 2 | .885 (.880–.890) |" in texts["ablations"]
    assert "| no RR | 1 | .890 | .500 |" in texts["ablations"]
    assert texts["runs"].count("\n") == 4
    about = {"name": "r-ptq", "pipeline_sha256": "p", "features": 3, "params": 9, "macs": 99}
    about |= {"sha256": "s", "training_data": [{"db": "d", "records": "r", "leads": "main"}]}
    about |= {"training_records": ["d/1"], "training_beats": {"N": 5}, "data_sha256": "d"}
    text = card({**about, "seed": 1, "method": "ptq"}, texts)
    assert texts["ds2"] in text and "Not a medical device" in text and "not calibrated" in text
    with pytest.raises(ModelError, match="no result of the shipped model"):
        evidence_page.shipped_result([other])


def test_regions_are_replaced_and_unknown_ones_refused() -> None:
    page = "a\n<!-- begin ds2 -->\nold\n<!-- end ds2 -->\nb <!-- begin x -->1<!-- end x -->"
    found = evidence_page.replace_regions(page, {"ds2": "new", "x": "2"})
    assert found.startswith("a\n<!-- begin ds2 -->\nnew\n<!-- end ds2 -->\nb ")
    assert evidence_page.replace_regions(found, {"ds2": "new", "x": "2"}) == found
    with pytest.raises(EinthovenError, match="no generated region 'x'"):
        evidence_page.replace_regions(page, {"ds2": "new"})


def test_the_committed_pages_are_what_the_committed_results_make() -> None:
    for path, text in evidence_page.pages().items():
        assert path.read_text(encoding="utf-8") == text, "run `python -m training.evidence`"


def test_figures_are_the_same_twice(result: dict[str, Any], tmp_path: Path) -> None:
    for draw in (evidence_figures.records, evidence_figures.confidence):
        with mpl.rc_context(evidence_figures.STYLE):
            one = draw(result, tmp_path / "one.svg").read_bytes()
            two = draw(result, tmp_path / "two.svg").read_bytes()
        assert one == two and len(one) > 5000


def test_the_sample_takes_all_of_a_rare_class() -> None:
    label = np.array([0] * 2000 + [1] * 30 + [-1] * 50 + [2] * 900, dtype=np.int8)
    chosen = evidence_figures.sample(label)
    assert [int((label[chosen] == i).sum()) for i in (-1, 0, 1, 2)] == [0, 400, 30, 400]
    assert np.array_equal(chosen, evidence_figures.sample(label))


def test_activations_are_those_of_the_last_block() -> None:

    n = 20
    rng = np.random.default_rng(1)
    signal = rng.integers(-90, 90, (n, WINDOW, CHANNELS)).astype(np.int8)
    features = rng.integers(-60, 60, (n, FEATURES)).astype(np.int8)
    found = evidence_figures.activations(signal, features, SHIPPED_MODEL)
    assert found.shape[0] == n and found.shape[1] > 32
    assert np.unique(found, axis=0).shape[0] == n
