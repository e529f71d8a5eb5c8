"""The generated tables of docs/adaptation.md, from committed JSON.

`python -m training.adaptation_page RUN` keeps what a replay of DS2 with `--adapt` found (a look at
DS2) in `docs/results/adaptation/ds2.json`; `--crossval FILE` what `training.adapt_crossval --json`
wrote. Either way the page is written anew.
"""

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from einthoven.errors import UsageError
from einthoven.paths import ROOT
from einthoven.report_adaptation import SIDES, adaptation_section
from einthoven.rundir import write_json, write_text
from training.command_line import one_line_errors
from training.markdown import replace_regions

PAGE = ROOT / "docs" / "adaptation.md"
RESULTS = ROOT / "docs" / "results" / "adaptation"


def page() -> str:
    """What docs/adaptation.md should say."""
    crossval = json.loads((RESULTS / "crossval.json").read_text())
    kept = RESULTS / "ds2.json"
    texts = {
        "crossval": crossval_table(crossval),
        "ds2": ds2_tables(json.loads(kept.read_text())) if kept.exists() else _UNSCORED,
    }
    return replace_regions(PAGE.read_text(encoding="utf-8"), texts)


_UNSCORED = "Not looked at yet: heads have been judged on held-out patients only."


def crossval_table(results: Sequence[Mapping[str, Any]]) -> str:
    """A row a setting: accuracy and F1 per database."""
    databases = [key for key in results[0] if key != "settings"]
    measures = ("accuracy", "S", "V", "macro")
    cells = ["settings", *(f"{db}: {m}" for db in databases for m in measures)]
    lines = [_row(cells), _row(["---"] * len(cells))]
    for entry in results:
        values = [f"{entry[db][m]:.3f}" for db in databases for m in measures]
        lines.append(_row([entry["settings"], *values]))
    return "\n".join(lines)


def ds2_tables(kept: Mapping[str, Any]) -> str:
    """Gross rates of both sides, then the records."""
    found = kept["adaptation"]
    lines = [
        f"Model `{kept['model']['name']}` ({kept['model']['sha256'][:12]}…), board "
        f"{kept['board']}, {kept['agreement']['beats']:,} beats: "
        f"{kept['agreement']['device_vs_host_int8']} differ between board and host, "
        f"{kept['agreement']['host_int8_vs_tflm']} between host and TFLite Micro.",
        "",
        _row(["", "accuracy", *(f"{c} Se/+P/F1" for c in "NSV"), "macro-F1"]),
        _row(["---"] * 6),
    ]
    for side in SIDES:
        rates = found["gross"][side]
        cells = [
            "/".join("–" if rates[c][k] is None else f"{100 * rates[c][k]:.1f}" for k in _RATES)
            for c in "NSV"
        ]
        lines.append(
            _row([side, f"{100 * rates['accuracy']:.2f} %", *cells, f"{rates['macro_f1']:.3f}"])
        )
    section = adaptation_section(found)
    assert section is not None
    lines += ["", _row(section["headings"]), _row(["---"] * len(section["headings"]))]
    lines += [_row(cells) for cells in section["rows"]]
    return "\n".join(lines)


_RATES = ("se", "ppv", "f1")


def keep(run: Path) -> Path:
    """Take what the page needs from a replay's summary. Raises UsageError if it has no heads."""
    try:
        summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{run} holds no finished replay: {error}") from error
    if not summary.get("adaptation"):
        raise UsageError(f"{run} was replayed without heads: add --adapt 5")
    path = RESULTS / "ds2.json"
    kept = {key: summary[key] for key in ("board", "model", "agreement", "adaptation")}
    write_json(path, kept)
    return path


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


@one_line_errors()
def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.adaptation_page", description=__doc__)
    parser.add_argument("run", type=Path, nargs="?")
    parser.add_argument("--crossval", type=Path)
    args = parser.parse_args()
    if args.crossval is not None:
        shutil.copyfile(args.crossval, RESULTS / "crossval.json")
    if args.run is not None:
        keep(args.run)
    write_text(PAGE, page())


if __name__ == "__main__":
    main()
