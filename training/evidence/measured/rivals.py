"""The rival for ventricular beats: OSEA, EP Limited's open-source detector and classifier.

`python -m einthoven.training.evidence.measured.rivals FOLDER` scores what OSEA says of MIT-BIH
(FOLDER's annotation files `<record>.osea`) by the project's own scorer and writes
`docs/results/rivals/osea.json`; the tables of docs/accuracy.md are made from that and from the
results of DS2.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from einthoven.aami import DS2
from einthoven.errors import EinthovenError
from einthoven.paths import ROOT
from einthoven.records.annotations import read_annotations
from einthoven.records.download import find_database
from einthoven.records.record import rate_and_length
from einthoven.report.run import write_text
from einthoven.report.summary import restored
from einthoven.scoring import comparison
from einthoven.scoring.comparison import Rate, Scores, gross
from einthoven.training.command_line import one_line_errors
from einthoven.training.evidence.measured.collect import counts
from einthoven.training.markdown import f1_cell, rate_cell, signed, table
from einthoven.training.model import scorecard
from einthoven.training.results import dump

OSEA = ROOT / "docs" / "results" / "rivals" / "osea.json"
SOURCE = (
    "EP Limited's open-source beat detector and classifier (rules; classes N, V, Q) on lead MLII, "
    "else the first, resampled to 200 Hz: its annotation files, scored by einthoven.scoring, "
    "which gives PhysioNet's bxb's lines for them"
)
PROTOCOLS = {"whole": "whole records", "ec57": "EC57's 25 minutes"}
WAYS: Mapping[str, tuple[str, str, Callable[[Scores], Rate]]] = {
    "VEB": ("V by the standard's count", "Se/+P/F1", lambda s: s.veb),
    "V": ("V as the literature counts", "Se/+P/F1", lambda s: s.literature_rate("V")),
}
"""Key of `scorecard.literature`: heading, unit, and the same from scores."""


def score(folder: Path, data: Path | None = None, annotator: str = "osea") -> dict[str, Any]:
    """The content of osea.json. Raises RecordError."""
    database = find_database(data, "mitdb")
    records = []
    for path in sorted(folder.glob(f"*.{annotator}")):
        name = path.stem
        reference = read_annotations(database, name)
        test = read_annotations(folder, name, annotator)
        rate_hz, n_samples = rate_and_length(database, name)
        both = (reference, test, rate_hz, n_samples)
        scores = {
            "whole": comparison.compare(*both, start_s=0.0),
            "ec57": comparison.compare(*both),
        }
        records.append({"record": name, **{p: counts(s) for p, s in scores.items()}})
    if not records:
        raise EinthovenError(f"no *.{annotator} in {folder}: give the folder of OSEA's annotations")
    return {"name": "OSEA", "source": SOURCE, "records": records}


def read() -> dict[str, dict[str, Scores]]:
    """OSEA's scores: protocol, then record."""
    entries = json.loads(OSEA.read_text(encoding="utf-8"))["records"]
    return {p: {e["record"]: restored(e[p]) for e in entries} for p in PROTOCOLS}


def rival_tables(results: Sequence[Mapping[str, Any]], shipped: Mapping[str, Any]) -> str:
    """OSEA beside every training's V on DS2, by both protocols and counts, and the differences."""
    osea = read()
    runs = sorted(results, key=lambda r: (r["recipe"] != shipped["recipe"], r["recipe"], r["seed"]))
    rows = []
    for protocol, title in PROTOCOLS.items():
        total = gross(osea[protocol][r] for r in DS2)
        cells = [rate_cell(rate(total).to_dict()) for _, _, rate in WAYS.values()]
        rows.append([title, "OSEA", *(f"**{cell}**" for cell in cells)])
        for run in runs:
            found = _rates(run, protocol)
            mark = ", shipped" if run is shipped else ""
            name = f"{run['recipe']}, seed {run['seed']}{mark}"
            rows.append([title, name, *(rate_cell(found.get(way)) for way in WAYS)])
    head = ("protocol", "by", *(f"{title}, {unit}" for title, unit, _ in WAYS.values()))
    ahead = [
        where
        for run in runs
        for where in _ahead(osea, run, "the shipped model" if run is shipped else None)
    ]
    said = f"OSEA is ahead of {'; '.join(ahead)}." if ahead else "OSEA is ahead in none of these."
    return "\n".join([table(head, rows), "", said, "", _differences(osea, shipped)])


def _ahead(
    osea: Mapping[str, Mapping[str, Scores]], run: Mapping[str, Any], name: str | None
) -> list[str]:
    """Where OSEA's F1 is above a training's; for one with a name Se and +P, too."""
    found = []
    for protocol, title in PROTOCOLS.items():
        total, rates = gross(osea[protocol][r] for r in DS2), _rates(run, protocol)
        for way, (heading, _, rate) in WAYS.items():
            theirs, ours = rate(total).to_dict(), rates.get(way)
            for kind, said in {"f1": "F1", "se": "Se", "ppv": "+P"}.items():
                if ours is None or (name is None and kind != "f1"):
                    continue
                if (theirs[kind] or 0.0) > (ours[kind] or 0.0):
                    both = f"{f1_cell(theirs[kind])} against {f1_cell(ours[kind])}"
                    who = name or f"{run['recipe']}, seed {run['seed']}"
                    found.append(f"{who} in {said} of {heading}, {title} ({both})")
    return found


def _rates(run: Mapping[str, Any], protocol: str) -> Mapping[str, Any]:
    """A training's rates by WAYS; only the shipped one's are kept record by record."""
    if "detail" not in run:
        rates: Mapping[str, Any] = run["variants"][run["method"]][protocol]
        return rates
    total = gross(restored(e[protocol]) for e in run["detail"])
    return {way: rate(total).to_dict() for way, (_, _, rate) in WAYS.items()}


def _differences(osea: Mapping[str, Mapping[str, Scores]], shipped: Mapping[str, Any]) -> str:
    """The shipped model's F1 minus OSEA's, with intervals."""
    rows = []
    for protocol, title in PROTOCOLS.items():
        ours = {e["record"]: restored(e[protocol]) for e in shipped["detail"]}
        for way, _, rate in WAYS.values():
            pairs = [(rate(s), rate(osea[protocol][r])) for r, s in ours.items()]
            gain, span = scorecard.difference([a for a, _ in pairs], [b for _, b in pairs])
            better = sum((a.f1 or 0) > (b.f1 or 0) for a, b in pairs if a.tp + a.fn)
            worse = sum((a.f1 or 0) < (b.f1 or 0) for a, b in pairs if a.tp + a.fn)
            interval = f"{signed(span[0])} to {signed(span[1])}"
            rows.append([title, way, signed(gain), interval, f"{better}", f"{worse}"])
    head = (
        *("protocol", "count", "F1 of the shipped model minus OSEA's"),
        *("95 %, records resampled in pairs", "records better", "worse"),
    )
    return table(head, rows)


@one_line_errors("docs/")
def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.evidence.measured.rivals", description=__doc__
    )
    parser.add_argument("folder", type=Path, help="folder of OSEA's annotation files")
    parser.add_argument("--data", type=Path)
    args = parser.parse_args()
    write_text(OSEA, dump(score(args.folder, args.data)))
    print(f"wrote {OSEA}")


if __name__ == "__main__":
    main()
