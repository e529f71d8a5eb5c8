"""The generated tables of docs/adaptation.md, from committed JSON.

`python -m einthoven.training.evidence.pages.adaptation RUN` keeps what a replay of DS2 with
`--adapt` found (a look at DS2) in `docs/results/adaptation/`, a file a seed; `--crossval FILE` what
`python -m einthoven.training.adaptation.crossval --json` wrote. Either way the page is written
anew, and those of `python -m einthoven.training.evidence`, whose goals have it, too.
"""

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from einthoven.errors import ModelError, UsageError
from einthoven.paths import ROOT
from einthoven.report.adaptation import SIDES, adaptation_section
from einthoven.report.overview import AdaptationSummary
from einthoven.report.run import write_json, write_text
from einthoven.report.schema import of_builtins
from einthoven.training.adaptation.crossval import CONFIDENCE
from einthoven.training.command_line import one_line_errors
from einthoven.training.evidence.measured.adapted import FOLDER as RESULTS
from einthoven.training.evidence.measured.adapted import WAYS, adapted_results, file_name, total
from einthoven.training.evidence.pages import accuracy as evidence_page
from einthoven.training.markdown import f1_cell, percent, rate_cell, replace_regions, table
from einthoven.training.model.scorecard import INTERVAL_CLASSES, f1_intervals

PAGE = ROOT / "docs" / "adaptation.md"


def page() -> str:
    """What docs/adaptation.md should say."""
    crossval = json.loads((RESULTS / "crossval.json").read_text())
    texts = {
        "crossval": crossval_table(crossval),
        "confidence": confidence_table(crossval),
        "ds2": ds2_tables(adapted_results()),
    }
    return replace_regions(PAGE.read_text(encoding="utf-8"), texts)


def crossval_table(results: Sequence[Mapping[str, Any]]) -> str:
    """A row a setting: accuracy and F1 per database."""
    databases = [key for key in results[0] if key not in ("settings", CONFIDENCE)]
    measures = ("accuracy", "S", "V", "macro")
    cells = ["settings", *(f"{db}: {m}" for db in databases for m in measures)]
    rows = []
    for entry in results:
        values = [f1_cell(entry[db][m]) for db in databases for m in measures]
        rows.append([entry["settings"], *values])
    return table(cells, rows)


def confidence_table(results: Sequence[Mapping[str, Any]]) -> str:
    """A row a setting: what the confidence is worth with its heads."""
    head = ("settings", "unsure, %", "wrong of the sure, %", "wrong of the unsure, %",
            "calibration error, %")  # fmt: skip
    keys = ("unsure", "error_sure", "error_unsure", "calibration_error")
    rows = [[e["settings"], *(percent(e[CONFIDENCE][k]) for k in keys)] for e in results]
    return table(head, rows)


def ds2_tables(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The shipped model three ways and other seeds, intervals, the records, those that lose."""
    if "shipped" not in results:
        raise ModelError(
            "docs/results/adaptation/ds2.json is of another model than the shipped one: replay DS2 "
            "with --adapt 5, then python -m einthoven.training.evidence.pages.adaptation RUN"
        )
    shipped = results["shipped"]
    found, agreement = shipped["adaptation"], shipped["agreement"]
    rows = []
    for name, kept in results.items():
        for way, skipped in WAYS.items():
            records = [r for r in kept["adaptation"]["records"] if r["record"] not in skipped]
            for side in SIDES:
                rows.append([name, way, side, *_cells(total(records, side))])
    head = ("model", "records", "", "accuracy", *(f"{c} Se/+P/F1" for c in "NSV"), "macro-F1")
    section = adaptation_section(of_builtins(found, AdaptationSummary))
    assert section is not None
    return "\n".join(
        [
            f"Model `{shipped['model']['name']}` ({shipped['model']['sha256'][:12]}…), board "
            f"{shipped['board']}, {agreement['beats']:,} beats: "
            f"{agreement['device_vs_host_int8']} differ between board and host, "
            f"{agreement['host_int8_vs_tflm']} between host and TFLite Micro.",
            "",
            table(head, rows),
            "",
            intervals_line(found["records"]),
            "",
            worse_line(found["records"]),
            "",
            table(section["headings"], section["rows"]),
        ]
    )


def _cells(rates: Mapping[str, Any]) -> list[str]:
    classes = [rate_cell(rates[name]) for name in INTERVAL_CLASSES]
    return [f"{percent(rates['accuracy'], 2)} %", *classes, f1_cell(rates["macro_f1"])]


def intervals_line(records: Sequence[Mapping[str, Any]]) -> str:
    """95 % intervals of the shipped model's F1 without and with heads."""
    lines = []
    for side in SIDES:
        counts = np.array([[list(_ends(r[side][c])) for c in INTERVAL_CLASSES] for r in records])
        spans = f1_intervals(counts[:, :, 0], counts[:, :, 1])
        cells = ", ".join(f"{n} {f1_cell(low)}–{f1_cell(high)}" for n, (low, high) in spans.items())
        lines.append(f"{side} {cells}")
    return f"95 % intervals of F1 over all records, by resampling records: {'; '.join(lines)}."


def _ends(rate: Mapping[str, Any]) -> tuple[int, int]:
    return rate["tp"], 2 * rate["tp"] + rate["fn"] + rate["fp"]


def worse_line(records: Sequence[Mapping[str, Any]]) -> str:
    """Which records lose by their head: more wrong beats, or a lower F1 of S or V."""
    found = []
    for record in records:
        before, after = (record[side] for side in SIDES)
        lost = [
            f"{name} {percent(before[name]['f1'])} > {percent(after[name]['f1'])}"
            for name in ("S", "V")
            if before[name]["f1"] is not None and (after[name]["f1"] or 0.0) < before[name]["f1"]
            and before[name]["tp"]
        ]  # fmt: skip
        if after["accuracy"] < before["accuracy"]:
            shares = (percent(side["accuracy"], 2) for side in (before, after))
            lost.insert(0, "accuracy " + " > ".join(shares))
        if lost:
            found.append(f"{record['record']} ({', '.join(lost)})")
    return f"Worse with a head than without: {'; '.join(found) or 'no record'}."


def keep(run: Path) -> Path:
    """Take what the page needs from a replay's summary. Raises UsageError if it has no heads."""
    try:
        summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{run} holds no finished replay: {error}") from error
    if not summary.get("adaptation"):
        raise UsageError(f"{run} was replayed without heads: add --adapt 5")
    path = RESULTS / file_name(summary["model"]["sha256"])
    kept = {key: summary[key] for key in ("board", "model", "agreement", "adaptation")}
    kept["veb"] = summary["protocols"]["ec57"]["gross"]["veb"]  # with heads, as the standard counts
    write_json(path, kept)
    return path


def keep_crossval(path: Path) -> None:
    """Keep what `adaptation.crossval --json` wrote, if it makes the page's table.

    Raises UsageError.
    """
    try:
        crossval_table(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} is none of `python -m einthoven.training.adaptation.crossval`: {error!r}"
        ) from None
    shutil.copyfile(path, RESULTS / "crossval.json")


@one_line_errors("docs/")
def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.evidence.pages.adaptation", description=__doc__
    )
    parser.add_argument("run", type=Path, nargs="?")
    parser.add_argument("--crossval", type=Path)
    args = parser.parse_args()
    if args.crossval is not None:
        keep_crossval(args.crossval)
    if args.run is not None:
        keep(args.run)
    write_text(PAGE, page())
    evidence_page.write_pages()


if __name__ == "__main__":
    main()
