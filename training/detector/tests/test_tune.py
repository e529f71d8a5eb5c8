"""The detector's scoring measures the core that it was given, and what it says of noise is so."""

import copy
from pathlib import Path

import pytest

from einthoven.codegen import pipeline
from einthoven.training.detector.score import evaluate, generated_for, read_mixed, read_signal
from einthoven.training.evidence.pages import detector


@pytest.mark.records
@pytest.mark.usefixtures("mitdb")
def test_other_constants_are_another_detector(tmp_path: Path) -> None:
    spec = pipeline.load()
    deaf = copy.deepcopy(spec)
    deaf["qrs"]["threshold_q8"] = 512
    signal = read_signal(None, "mitdb", "100")
    as_it_is = evaluate(signal, generated_for(spec, tmp_path))
    changed = evaluate(signal, generated_for(deaf, tmp_path))
    assert as_it_is.scores.qrs.fn == 0
    assert changed.scores.qrs.fn > as_it_is.scores.qrs.tp // 2
    assert as_it_is.delay_ms.max() <= 300
    assert len(as_it_is.error_ms) == as_it_is.scores.qrs.tp


@pytest.mark.records
@pytest.mark.usefixtures("mitdb", "nstdb")
def test_flag_tells_noise_from_none(tmp_path: Path) -> None:
    generated = generated_for(pipeline.load(), tmp_path)
    clean = evaluate(read_signal(None, "mitdb", "103"), generated)
    noisy = evaluate(read_mixed(None, "103", "em", 0.0), generated)
    assert clean.noisy_share < 0.001
    assert clean.unflagged == clean.scores.qrs
    # By the protocol noise is there for 13 of the 25 minutes that are scored.
    assert 0.35 < noisy.noisy_share < 0.55
    assert noisy.scores.qrs.ppv is not None and noisy.unflagged.ppv is not None
    assert noisy.unflagged.ppv > noisy.scores.qrs.ppv + 0.1


def test_the_page_is_what_the_results_say() -> None:
    text = detector.PAGE.read_text(encoding="utf-8")
    assert text == detector.page(), "run `python -m einthoven.training.evidence.pages.detector`"
    found = detector.read()
    assert found["pipeline_sha256"] == pipeline.sha256(pipeline.load()), "measure it anew"
    for kind in ("tp", "fn", "fp"):
        gross = sum(entry["ec57"][kind] for entry in found["records"])
        assert gross == found["groups"][0]["ec57"][kind]


@pytest.mark.records
def test_a_record_is_as_detector_json_says(mitdb: Path, tmp_path: Path) -> None:
    (entry,) = (e for e in detector.read()["records"] if e["label"] == "108")
    signal = read_signal(mitdb.parent, "mitdb", "108")
    generated = generated_for(pipeline.load(), tmp_path)
    assert evaluate(signal, generated).scores.qrs.to_dict() == entry["ec57"]
    assert evaluate(signal, generated, start_s=0.0).scores.qrs.to_dict() == entry["whole"]
