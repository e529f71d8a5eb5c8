"""The tables of docs/peers.md from docs/results/peers.json: pure, same JSON, same text."""

import json
from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Any

from einthoven.paths import ROOT
from einthoven.scoring.comparison import Rate
from einthoven.scoring.score import bootstrap_f1
from einthoven.training.evidence.peers import adapters
from einthoven.training.evidence.peers.measure import FIELDS, OURS, OWN_PACKAGE, TIMES
from einthoven.training.markdown import NONE, f1_cell, percent, replace_regions, table
from einthoven.training.model.scorecard import difference

PAGE = ROOT / "docs" / "peers.md"
RESULTS = ROOT / "docs" / "results" / "peers.json"
DATABASES = {"mitdb": "MIT-BIH", "nstdb": "in noise", "svdb_train": "the supraventricular records"}
NSTDB_SNRS = ("24", "18", "12", "06", "00", "_6")
LITTLE_FOUND = 0.9
"""Records on which F1 is below this are listed."""
AGREES = 0.1
"""Percentage points of F1 to what `bxb` gave, above which the page must say why."""

BXB = {
    "wfdb gqrs": 99.69,
    "wfdb xqrs": 99.55,
    "neurokit2": 99.50,
    "neurokit2 cleaned": 98.59,
    "sleepecg": 99.26,
    "pyvital": 99.23,
    "biosppy": 99.22,
    "ecgdetectors pan_tompkins": 99.03,
    "ecgdetectors hamilton": 98.66,
    "ecgdetectors swt": 98.51,
    "ecgdetectors two_average": 97.88,
    "ecgdetectors wqrs": 93.28,
    "ecgdetectors engzee": 93.19,
    "ecgdetectors christov": 71.27,
    "heartpy": 86.8,
    "heartpy notch": 93.1,
}
"""Gross F1 in percent over the 48 records by PhysioNet's `bxb`, measured once, elsewhere."""

NOT_LIKE_BXB = {
    "pyvital": "of which version `bxb`'s figure is was not kept: 0.5.0 drops what is below a "
    "threshold in mV (102, 222, 104, 111), 0.6.0 calls openecg's detector"
}
"""Why a figure differs from `bxb`'s by more than a tenth of a point."""

Entry = Mapping[str, Any]


def read() -> dict[str, Any]:
    """The committed measurements."""
    kept: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return kept


def regions(found: Entry) -> dict[str, str]:
    """Name to text of what is generated in docs/peers.md."""
    return {
        "peers-time": time_line(found),
        "peers-mitdb": main_table(found, "mitdb"),
        "peers-mitdb-ahead": ahead_line(found, "mitdb"),
        "peers-nstdb-ahead": ahead_in_noise(found),
        "peers-svdb-ahead": ahead_line(found, "svdb_train"),
        "peers-bxb": bxb_table(found),
        "peers-missing": missing_line(found),
        "peers-failures": failure_table(found),
        "peers-poor": poor_table(found),
        "peers-nstdb": noise_table(found),
        "peers-svdb": main_table(found, "svdb_train"),
        "peers-calls": calls_table(found),
    }


def page(found: Entry) -> str:
    """What docs/peers.md should say."""
    return replace_regions(PAGE.read_text(encoding="utf-8"), regions(found))


def time_line(found: Entry) -> str:
    """What the times of ours are made of, and where all were measured."""
    ours = next(e for e in found["detectors"] if e["detector"] == OURS)
    whole, core = (_column(ours, "mitdb", len(FIELDS) + i) for i in range(len(TIMES)))
    return (
        f"Ours takes {median(whole):.3f} s, of which {median(core):.3f} s are the C core and the "
        f"rest resampling from 360 Hz. Measured on: {found['processor']}, "
        f"Python {found['python']}."
    )


def _rows(entry: Entry, database: str) -> Mapping[str, Sequence[Any]]:
    rows: Mapping[str, Sequence[Any]] = entry["databases"].get(database, {}).get("rows", {})
    return rows


def rates(entry: Entry, database: str, prefix: str = "") -> dict[str, Rate]:
    """A detector's counts by record; `prefix`: "" for EC57's 25 minutes, "whole_" for all."""
    at = [FIELDS.index(prefix + kind) for kind in ("tp", "fn", "fp")]
    return {name: Rate(*(row[i] for i in at)) for name, row in _rows(entry, database).items()}


def gross(parts: Mapping[str, Rate]) -> Rate:
    """Sum over the records."""
    values = parts.values()
    return Rate(sum(r.tp for r in values), sum(r.fn for r in values), sum(r.fp for r in values))


def average(parts: Mapping[str, Rate], kind: str) -> float | None:
    """EC57's average statistic: the mean of the records' `se`, `ppv` or `f1`."""
    values = [v for r in parts.values() if (v := getattr(r, kind)) is not None]
    return fmean(values) if values else None


def _column(entry: Entry, database: str, index: int) -> list[float]:
    rows = _rows(entry, database).values()
    return [row[index] for row in rows if len(row) > index and row[index] is not None]


def _failed_throughout(entry: Entry, database: str) -> bool:
    failed = entry["databases"].get(database, {}).get("failed", {})
    return bool(failed) and len(failed) == len(_rows(entry, database))


def _by_f1(found: Entry, database: str) -> list[Entry]:
    measured = [e for e in found["detectors"] if _complete(found, e, database)]
    return sorted(measured, key=lambda e: -(gross(rates(e, database)).f1 or 0.0))


def _name(entry: Entry) -> str:
    name = str(entry["detector"])
    return f"**{name}**" if name.startswith(OURS) else name


def _complete(found: Entry, entry: Entry, database: str) -> bool:
    """Whether a detector was called on every record: part of them is no fair comparison."""
    ours = next(e for e in found["detectors"] if e["detector"] == OURS)
    return _rows(entry, database).keys() == _rows(ours, database).keys()


def missing_line(found: Entry) -> str:
    """Which figures there are not yet, by database."""
    lines = []
    for database, title in DATABASES.items():
        names = {
            e["detector"]
            for e in found["detectors"]
            if not _complete(found, e, database) and e["package"] != OWN_PACKAGE
        }
        names |= adapters.DETECTORS.keys() - {e["detector"] for e in found["detectors"]}
        if names:
            lines.append(f"- {title}: {', '.join(n for n in adapters.DETECTORS if n in names)}.")
    if not lines:
        return "Every detector of `adapters.py` was called on every record."
    return "\n".join(["Not measured yet, for which the command has to be run again:", "", *lines])


def main_table(found: Entry, database: str) -> str:
    """Gross and average by EC57, whole records, offset and cost, the best first."""
    lines = []
    for entry in _by_f1(found, database):
        if _failed_throughout(entry, database):
            lines.append([_name(entry), *["fails", *[NONE] * 7]])
            continue
        ec57, whole = rates(entry, database), gross(rates(entry, database, "whole_"))
        total = gross(ec57)
        low, high = bootstrap_f1(list(ec57.values()))
        mean = "/".join(percent(average(ec57, k), 2) for k in ("se", "ppv", "f1"))
        offsets = _column(entry, database, FIELDS.index("offset_ms"))
        seconds = _column(entry, database, len(FIELDS))
        lines.append(
            [
                _name(entry),
                percent(total.se, 2),
                percent(total.ppv, 2),
                f"**{percent(total.f1, 2)}**",
                f"{percent(low, 2)}–{percent(high, 2)}",
                mean,
                "/".join(percent(v, 2) for v in (whole.se, whole.ppv, whole.f1)),
                f"{median(offsets):+.0f}".replace("-", "−") if offsets else NONE,
                f"{median(seconds):.2f}" if seconds else NONE,
            ]
        )
    head = (
        *("detector", "Se", "+P", "F1", "95 %", "average Se/+P/F1", "whole records Se/+P/F1"),
        *("offset ms", "s per half hour"),
    )
    return table(head, lines)


def ahead_line(found: Entry, database: str) -> str:
    """Who has a higher gross F1 than ours over the same records, and by how much."""
    ours = rates(next(e for e in found["detectors"] if e["detector"] == OURS), database)
    lines = []
    for entry in _by_f1(found, database):
        theirs = rates(entry, database)
        if entry["package"] == OWN_PACKAGE:
            break
        gain, (low, high) = difference([theirs[n] for n in ours], list(ours.values()))
        span = f"{_points(low)} to {_points(high)}"
        lines.append(f"{entry['detector']} ({_points(gain)} points, 95 % {span})")
    if not lines:
        return "None of them is ahead of ours in F1."
    return f"Ahead of ours in F1, records resampled in pairs: {'; '.join(lines)}."


def _points(share: float) -> str:
    return f"{100 * share:+.2f}".replace("-", "−")


def ahead_in_noise(found: Entry) -> str:
    """At which levels of noise who is ahead of ours, with the bits of a board and with 16."""
    lines = []
    for own in (e for e in found["detectors"] if e["package"] == OWN_PACKAGE):
        for snr in NSTDB_SNRS:
            bar = _at_snr(own, snr) or 0.0
            ahead = [
                f"{e['detector']} {f1_cell(value, 4)}"
                for e in _by_f1(found, "nstdb")
                if e["package"] != OWN_PACKAGE and (value := _at_snr(e, snr) or 0.0) > bar
            ]
            if ahead:
                level = int(snr.replace("_", "-"))
                lines.append(
                    f"- {own['detector']} ({f1_cell(bar, 4)} at {level} dB): "
                    + ", ".join(ahead)
                    + "."
                )
    return "\n".join(["Ahead of ours:", "", *lines]) if lines else "None is ahead of ours."


def _at_snr(entry: Entry, snr: str) -> float | None:
    by_record = rates(entry, "nstdb")
    return gross({n: r for n, r in by_record.items() if n.endswith(f"e{snr}")}).f1


def bxb_table(found: Entry) -> str:
    """Gross F1 beside what `bxb` gave for the same packages, and why one differs."""
    lines = []
    for entry in _by_f1(found, "mitdb"):
        before = BXB.get(entry["detector"])
        if before is None:
            continue
        now = 100 * (gross(rates(entry, "mitdb")).f1 or 0.0)
        apart = round(round(now, 2) - before, 2) + 0.0  # no negative zero
        why = NOT_LIKE_BXB.get(entry["detector"], "") if abs(apart) > AGREES else ""
        lines.append([_name(entry), f"{now:.2f}", f"{before:.2f}", f"{apart:+.2f}", why])
    return table(("detector", "here", "`bxb`", "difference", "why"), lines)


def failure_table(found: Entry) -> str:
    """Records on which a detector raised or did not answer: all of its beats count as missed."""
    lines = []
    for entry in found["detectors"]:
        for database, about in entry["databases"].items():
            kinds: dict[tuple[str, str, str], list[str]] = {}
            for record, failed in about["failed"].items():
                key = (failed["exception"], failed["message"], failed["where"])
                kinds.setdefault(key, []).append(record)
            for (exception, message, where), records in kinds.items():
                everywhere = len(records) == len(about["rows"])
                which = "every record" if everywhere else ", ".join(records)
                said = f"`{message}` ({where})" if where else message
                lines.append([entry["detector"], f"{database}: {which}", exception, said])
    if not lines:
        return "None raised an exception or exceeded its time."
    return table(("detector", "on", "exception", "says"), lines)


def poor_table(found: Entry) -> str:
    """Records of MIT-BIH on which a detector's F1 is below LITTLE_FOUND."""
    lines = []
    for entry in _by_f1(found, "mitdb"):
        low = {n: r for n, r in rates(entry, "mitdb").items() if (r.f1 or 0.0) < LITTLE_FOUND}
        worst = sorted(low, key=lambda n: low[n].f1 or 0.0)
        shown = ", ".join(f"{n} ({percent(low[n].f1, 0)})" for n in worst[:8])
        more = f", and {len(worst) - 8} more" if len(worst) > 8 else ""
        if worst:
            lines.append([_name(entry), str(len(worst)), shown + more])
    return table(("detector", "records", "the worst (F1 %)"), lines)


def noise_table(found: Entry) -> str:
    """F1 over nstdb's two records by SNR."""
    lines = []
    for entry in _by_f1(found, "nstdb"):
        cells = [f1_cell(_at_snr(entry, snr), 4) for snr in NSTDB_SNRS]
        lines.append([_name(entry), *cells])
    heads = [str(int(snr.replace("_", "-"))) for snr in NSTDB_SNRS]
    return table(("SNR dB", *heads), lines)


def calls_table(found: Entry) -> str:
    """What was called, of which version, with which libraries beside it."""
    lines = []
    for entry in found["detectors"]:
        about = found["packages"].get(entry["package"])
        if about is None:
            lines.append([_name(entry), "this project", entry["call"], ""])
            continue
        beside = ", ".join(f"{n} {v}" for n, v in about["with"].items() if n != about["project"])
        version = f"{about['project']} {about['version']}"
        lines.append([entry["detector"], version, entry["call"], beside])
    notes = [
        f"- {about['project']}: {about['note']}."
        for about in found["packages"].values()
        if about["note"]
    ]
    return table(("detector", "package", "call", "with"), lines) + "\n\n" + "\n".join(notes)
