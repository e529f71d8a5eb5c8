"""Verdicts on strips in a run's files, and their score against a table counted by hand."""

import json
from pathlib import Path

import pytest
from msgspec import UNSET, structs

from einthoven.errors import RecordError
from einthoven.report.description import Result, Verdict
from einthoven.report.files import write_report
from einthoven.report.run import RunDir
from einthoven.report.verdicts import verdicts_csv, verdicts_lines, verdicts_summary
from einthoven.scoring.strips import confusion, read_labels, score

OLD = Path(__file__).parent / "runs_of_0_1" / "plain"


def _result(verdict: Verdict | None, name: str) -> Result:
    run = RunDir.open(OLD)
    first = run.read_result(run.finished()[0])
    return structs.replace(first, record=name, verdict=UNSET if verdict is None else verdict)


def _told(verdict: str, label: str | None, *reasons: str, differs: bool = False) -> Verdict:
    return Verdict(
        verdict=verdict,  # type: ignore[arg-type]
        probability=0.75,
        reasons=list(reasons),
        label=label,  # type: ignore[arg-type]
        differs=differs,
    )


def test_csv_has_a_row_for_each_strip() -> None:
    results = [
        _result(_told("A", "A", "irregular", "fast, 120 a minute"), "s1"),
        _result(None, "half an hour"),
        _result(_told("~", None), "s2"),
    ]
    assert verdicts_csv(results).splitlines() == [
        "record,verdict,probability,reasons",
        's1,A,0.75,"irregular; fast, 120 a minute"',
        "s2,~,0.75,",
    ]


def test_summary_counts_and_scores() -> None:
    assert verdicts_summary([_result(None, "long")]) is UNSET
    assert verdicts_lines(UNSET) == []
    results = [
        _result(_told("N", "N"), "1"),
        _result(_told("N", "O", differs=True), "2"),
        _result(_told("O", "O"), "3"),
        _result(_told("A", "A"), "4"),
        _result(_told("~", None), "5"),
    ]
    summary = verdicts_summary(results)
    assert summary is not UNSET and summary.score is not None
    assert (summary.strips, summary.differ, summary.score.strips) == (5, 1, 4)
    assert summary.told == {"N": 2, "A": 1, "O": 1, "~": 1}
    assert summary.score.f1["N"] == pytest.approx(2 / 3)
    assert summary.score.mean_f1_nao == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)
    assert summary.score.f1["~"] is None
    lines = verdicts_lines(summary)
    assert "5 strips: 2 regular, 1 atrial fibrillation" in lines[0]
    assert "1 are not the host's" in lines[1] and "0.778" in lines[-1]


def test_score_of_a_confusion_by_hand() -> None:
    pairs = [("N", "N")] * 8 + [("N", "A")] * 2 + [("A", "A")] * 3 + [("O", "N"), ("~", "~")]
    scored = score(confusion(pairs))
    assert scored["confusion"][0] == [8, 2, 0, 0]
    assert scored["f1"] == {"N": 16 / 19, "A": 6 / 8, "O": 0.0, "~": 1.0}
    assert scored["mean_f1_nao"] == pytest.approx((16 / 19 + 0.75) / 3)


def test_labels_are_read_and_checked(tmp_path: Path) -> None:
    assert read_labels(tmp_path / "none") == {}
    good, bad = tmp_path / "good", tmp_path / "bad"
    for folder, text in ((good, "A1,N\nA2,~\n\n"), (bad, "A1,N\nA2,X\n")):
        folder.mkdir()
        (folder / "REFERENCE-v3.csv").write_text(text)
    assert read_labels(good) == {"A1": "N", "A2": "~"}
    with pytest.raises(RecordError, match="line 2"):
        read_labels(bad)


def test_the_run_folder_gets_them(tmp_path: Path) -> None:
    import shutil

    run = RunDir.open(Path(shutil.copytree(OLD, tmp_path / "run")))
    name = run.finished()[0]
    told = _told("O", "O", "pause of 2.1 s")
    run.write_result(name, structs.replace(run.read_result(name), verdict=told))
    write_report(run)
    assert f"{name},O,0.75,pause of 2.1 s" in (run.path / "verdicts.csv").read_text()
    summary = json.loads((run.path / "summary.json").read_text())
    assert summary["verdicts"]["score"]["confusion"][2][2] == 1
