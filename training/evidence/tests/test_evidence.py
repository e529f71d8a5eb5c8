"""Results, tables and figures, on made-up detections."""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from einthoven.aami import DS2
from einthoven.errors import EinthovenError, ModelError
from einthoven.paths import SHIPPED_MODEL
from einthoven.records.annotations import Annotations, read_annotations, write_annotations
from einthoven.report.summary import restored
from einthoven.scoring.comparison import Rate, Scores, compare, gross
from einthoven.scoring.reliability import judge, summary
from einthoven.scoring.rhythm import BeatSequence, of_reference, to_dict
from einthoven.scoring.rhythm import compare as compare_rhythm
from einthoven.scoring.runs import compare_runs
from einthoven.training import markdown
from einthoven.training.data.dataset import CHANNELS, FEATURES, WINDOW
from einthoven.training.evidence.measured import collect, rivals
from einthoven.training.evidence.pages import accuracy as evidence_page
from einthoven.training.evidence.pages import figures, goals
from einthoven.training.evidence.pages.model_card import card
from einthoven.training.model import scorecard
from einthoven.training.model.evaluate import Evaluation, Findings, Variant

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
    monkeypatch.setattr(collect, "read_annotations", lambda _, name: reference(NAMES.index(name)))
    for seed, method in enumerate(("ptq", "qat")):
        about = {
            "recipe": "ds1_svdb",
            "seed": 1,
            "sha256": f"{seed}" * 64,
            "pipeline_sha256": "p" * 64,
        }
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
    return collect.describe(tmp_path, evaluation, "ptq", tmp_path)


def test_a_result_survives_its_file(
    result: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "shipped_sha256", lambda: "0" * 64)
    path = collect.write(result, tmp_path / "results")
    assert path.name == "ds1_svdb-seed1.json"
    (back,) = collect.load_all(tmp_path / "results")
    assert back == json.loads(json.dumps(result))
    scores = restored(back["detail"][1]["whole"])
    assert np.array_equal(scores.counts, filled("ptq", 0.05).whole["202"].counts)
    other = collect.write({**result, "seed": 2, "sha256": {"ptq": "9"}}, tmp_path / "results")
    assert "detail" not in json.loads(other.read_text())
    path.write_text('{"schema": "other"}')
    with pytest.raises(ModelError, match="schema"):
        collect.load_all(tmp_path / "results")


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
    ranked = [sum(e["errors"]["kinds"].values()) for e in collect.worst(result)]
    assert ranked == sorted(ranked, reverse=True)


def test_pages_say_what_the_results_say(
    result: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(collect, "shipped_sha256", lambda: "0" * 64)
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
    ds1 = {**other, "recipe": "ds1"}
    texts = evidence_page.regions([result, other, ds1], shipped, shipped["confidence"])
    f1 = result["variants"]["ptq"]["whole"]["V"]["f1"]
    assert f"{f1:.3f}"[1:] in texts["ds2"] and "int8 qat" in texts["ds2"]
    assert "1 (shipped)" in texts["seeds"] and "| ds1_svdb | mean |" in texts["seeds"]
    assert texts["ec57"].count("\n 2") == 2 and "Gross" in texts["ec57"]
    assert "unsure below 90/255: held-out beats" in texts["confidence"]
    assert "| held-out patients | all | 1,024 | 512 | 50.00 |" in texts["confidence"]
    assert "| couplet |" in texts["rhythm"] and "AFIB" in texts["worst"]
    assert "| all | 2 | .885 (.880–.890) |" in texts["ablations"]
    assert "| no RR | 1 | .890 | .500 |" in texts["ablations"]
    assert texts["runs"].count("\n") == 4
    assert texts["osea"].count(", seed 1, shipped |") == 2
    # made-up detections lose to it in everything
    assert texts["osea"].count("the shipped model in F1 of V") == 4
    assert "| DS1 only | V F1, as the literature counts | ≥ .940 |" in texts["goals"]
    assert "this project, shipped" in texts["published"] and "with it" in texts["svdb"]
    assert "in the records with AF" in texts["shortfalls"]
    about = {"name": "r-ptq", "pipeline_sha256": "p", "features": 3, "params": 9, "macs": 99}
    about |= {"sha256": "s", "training_data": [{"db": "d", "records": "r", "leads": "main"}]}
    about |= {"training_records": ["d/1"], "training_beats": {"N": 5}, "data_sha256": "d"}
    text = card({**about, "seed": 1, "method": "ptq"}, texts)
    assert texts["ds2"] in text and "Not a medical device" in text and "not calibrated" in text
    with pytest.raises(ModelError, match="no result of the shipped model"):
        evidence_page.shipped_result([other])


def test_regions_are_replaced_and_unknown_ones_refused() -> None:
    page = "a\n<!-- begin ds2 -->\nold\n<!-- end ds2 -->\nb <!-- begin x -->1<!-- end x -->"
    found = markdown.replace_regions(page, {"ds2": "new", "x": "2"})
    assert found.startswith("a\n<!-- begin ds2 -->\nnew\n<!-- end ds2 -->\nb ")
    assert markdown.replace_regions(found, {"ds2": "new", "x": "2"}) == found
    with pytest.raises(EinthovenError, match="no generated region 'x'"):
        markdown.replace_regions(page, {"ds2": "new"})


def test_the_committed_pages_are_what_the_committed_results_make() -> None:
    for path, text in evidence_page.pages().items():
        assert path.read_text(encoding="utf-8") == text, (
            "run `python -m einthoven.training.evidence`"
        )


def test_figures_are_the_same_twice(result: dict[str, Any], tmp_path: Path) -> None:
    for draw in (figures.records, figures.confidence):
        with mpl.rc_context(figures.STYLE):
            one = draw(result, tmp_path / "one.svg").read_bytes()
            two = draw(result, tmp_path / "two.svg").read_bytes()
        assert one == two and len(one) > 5000


def test_the_sample_takes_all_of_a_rare_class() -> None:
    label = np.array([0] * 2000 + [1] * 30 + [-1] * 50 + [2] * 900, dtype=np.int8)
    chosen = figures.sample(label)
    assert [int((label[chosen] == i).sum()) for i in (-1, 0, 1, 2)] == [0, 400, 30, 400]
    assert np.array_equal(chosen, figures.sample(label))


def test_activations_are_those_of_the_last_block() -> None:

    n = 20
    rng = np.random.default_rng(1)
    signal = rng.integers(-90, 90, (n, WINDOW, CHANNELS)).astype(np.int8)
    features = rng.integers(-60, 60, (n, FEATURES)).astype(np.int8)
    found = figures.activations(signal, features, SHIPPED_MODEL)
    assert found.shape[0] == n and found.shape[1] > 32
    assert np.unique(found, axis=0).shape[0] == n


def test_the_standards_count_forgives_fusion_beats_and_the_literatures_does_not() -> None:
    counts = np.zeros((7, 7), np.int64)
    counts[3, 2], counts[2, 2], counts[0, 2] = 5, 20, 1  # F and V called V, and an N
    found = scorecard.literature([Scores(counts, counts[:6, :6], 0.0, 0, 360.0, 0)])
    assert found["VEB"]["fp"] == 1 and found["V"]["fp"] == 6
    assert found["VEB"]["tp"] == found["V"]["tp"] == 20


def test_a_difference_is_nothing_against_itself_and_sure_where_every_record_agrees() -> None:
    ours = [Rate(90 + i, 10, 5) for i in range(12)]
    theirs = [Rate(70 + i, 30, 5) for i in range(12)]
    assert scorecard.difference(ours, ours) == (0.0, (0.0, 0.0))
    gain, (low, high) = scorecard.difference(ours, theirs)
    assert 0 < low < gain < high
    mixed = [*ours[:6], *theirs[6:]], [*theirs[:6], *ours[6:]]
    low, high = scorecard.difference(*mixed)[1]
    assert low < 0 < high


def test_goals_are_judged_by_the_mean_over_the_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(seed: int, v: float) -> dict[str, Any]:
        rates = {"V": {"f1": v}, "S": {"f1": 0.6}, "macro_f1": 0.8}
        variants = {"ptq": {"whole": rates}}
        return {"recipe": "ds1", "seed": seed, "method": "ptq", "variants": variants}

    goal = goals.Goal("g", "ds1", "whole", {"V": 0.9, "S": 0.5})
    monkeypatch.setattr(goals, "GOALS", (goal,))
    results = [run(2, 0.95), run(1, 0.84)]
    text = goals.goal_table(results)
    assert (
        "| g | V F1, as the literature counts | ≥ .900 | .840 | .895 (.840–.950) | 2 | **missed** |"
        in text
    )
    assert "| g | S F1 | ≥ .500 | .600 | .600 (.600–.600) | 2 | met |" in text
    (line,) = goals.missed_goals(results)
    assert line == "g: V F1, as the literature counts .895 (.840–.950) against .900, short by .005"


def test_osea_has_the_counts_that_physionets_bxb_prints() -> None:
    total = gross(rivals.read()["ec57"][record] for record in DS2)
    assert total.veb == Rate(2578, 108, 84)
    assert len(rivals.read()["whole"]) == 48


@pytest.mark.records
def test_a_rival_is_scored_from_its_annotations(mitdb: Path, tmp_path: Path) -> None:
    reference = read_annotations(mitdb, "100")
    beats = [i for i, s in enumerate(reference.symbols) if s in "NAV"][:-1]
    symbols = ["V" if reference.symbols[i] == "A" else "N" for i in beats]
    write_annotations(tmp_path, "100", "osea", reference.samples[beats], symbols, 360.0)
    (entry,) = rivals.score(tmp_path, mitdb.parent)["records"]
    whole = restored(entry["whole"])
    assert whole.qrs.fn == 1 and whole["Sv"] == 33 and whole.veb.tp == 0
    with pytest.raises(EinthovenError, match=r"no \*\.none in"):
        rivals.score(tmp_path, mitdb.parent, "none")
