"""The generated tables of docs/detector.md, from committed JSON.

`python -m einthoven.training.evidence.pages.detector` makes them anew from
`docs/results/detector.json` (`python -m einthoven.training.evidence.detector score --json`) and
`docs/results/noise.json` (`python -m einthoven.training.evidence.measured.noise`).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from einthoven.no_arguments import no_arguments
from einthoven.paths import ROOT
from einthoven.report.run import write_text
from einthoven.scoring.comparison import gross
from einthoven.training.evidence.measured import noise as noise_table
from einthoven.training.evidence.measured.rivals import PROTOCOLS
from einthoven.training.evidence.measured.rivals import read as read_osea
from einthoven.training.markdown import f1_cell, percent, replace_regions, table

PAGE = ROOT / "docs" / "detector.md"
RESULTS = ROOT / "docs" / "results" / "detector.json"
FLAGGED_AT_DB = (12, 6, 0, -6)

Entry = Mapping[str, Any]


def read() -> dict[str, Any]:
    """The committed measurements."""
    kept: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return kept


def regions(found: Entry) -> dict[str, str]:
    """Name to text of what detector.json alone says."""
    return {
        "groups": group_table(found),
        "records": record_table(found),
        "far": far_line(found),
        "mixed": mixed_table(found["noise"]),
        "flag": flag_table(found["noise"]),
        "flag-clean": flag_line(found),
        "disturbances": disturbance_table(found["disturbances"]),
    }


def page() -> str:
    """What docs/detector.md should say."""
    texts = regions(read()) | {"nstdb": noise_table.qrs_table(noise_table.read())}
    return replace_regions(PAGE.read_text(encoding="utf-8"), texts)


def write() -> None:
    """Write the page."""
    write_text(PAGE, page())


def group_table(found: Entry) -> str:
    """Groups of records, gross; then the average of the records, and OSEA."""
    rows = []
    first = found["groups"][0]
    for group in found["groups"]:
        error = group["error_ms"]
        cells = [f"{error['median']:.1f}", f"{error['p99']:.1f}", f"{group['delay_p99_ms']:.0f}"]
        cells.append(percent(group["noisy_share"], 2))
        rows.append([group["label"], *_counts(group["ec57"]), *cells])
        if group is first:
            rates = [percent(group["average"][k], 3) for k in ("se", "ppv")]
            rows.append(["the same, average of the records", "", "", "", *rates, "", "", "", ""])
            rows.append(["the same, whole records", *_counts(found["whole"]), "", "", "", ""])
    for protocol, scores in read_osea().items():
        total = gross(scores.values()).qrs.to_dict()
        rows.append([f"OSEA, {PROTOCOLS[protocol]}", *_counts(total), "", "", "", ""])
    head = (
        *("records", "TP", "FN", "FP", "Se %", "+P %", "R error ms: median", "99 %"),
        *("delay ms, 99 %", "noisy, % of the time"),
    )
    return table(head, rows)


def _counts(rate: Entry) -> list[str]:
    cells = [f"{rate[k]:,}" for k in ("tp", "fn", "fp")]
    return [*cells, percent(rate["se"], 3), percent(rate["ppv"], 3)]


def record_table(found: Entry) -> str:
    """All records, by both protocols, beside OSEA's errors."""
    osea = read_osea()
    rows = []
    for entry in found["records"]:
        name = entry["label"]
        cells = []
        for protocol in ("ec57", "whole"):
            ours, rival = entry[protocol], osea[protocol][name].qrs
            cells += [f"{ours['fn']}/{ours['fp']}", f"{rival.fn}/{rival.fp}"]
        rates = [percent(entry["ec57"][k], 2) for k in ("se", "ppv")]
        error = [f"{entry['error_ms'][k]:.1f}" for k in ("median", "p99")]
        rows.append([name, *rates, *cells, *error, percent(entry["noisy_share"], 2)])
    head = (
        *("record", "Se %", "+P %", "FN/FP", "OSEA", "whole: FN/FP", "OSEA"),
        *("R error ms: median", "99 %", "noisy %"),
    )
    return table(head, rows)


def far_line(found: Entry, shown: int = 6) -> str:
    """Which records have R far off, and which have most errors."""
    records = found["records"]
    far = sorted(records, key=lambda e: -e["error_ms"]["far"])[:shown]
    wrong = sorted(records, key=lambda e: -(e["ec57"]["fn"] + e["ec57"]["fp"]))[:shown]
    places = ", ".join(f"{e['label']} ({e['error_ms']['far']})" for e in far)
    failing = ", ".join(f"{e['label']} ({e['ec57']['fn']}/{e['ec57']['fp']})" for e in wrong)
    return (
        f"Most false negatives/positives: {failing}. Most beats whose R lies more than "
        f"{found['far_ms']:g} ms off: {places}."
    )


def _by_noise(noise: Sequence[Entry], snrs_db: Sequence[int] | None = None) -> dict[str, list[Any]]:
    by: dict[str, list[Any]] = {}
    for entry in noise:
        if snrs_db is None or entry["snr_db"] in snrs_db:
            by.setdefault(entry["label"], []).append(entry)
    return by


def mixed_table(noise: Sequence[Entry]) -> str:
    """F1 with noises added."""
    by = _by_noise(noise)
    head = ["SNR dB", *(str(e["snr_db"]) for e in by["nstdb"])]
    rows = [
        [f"nine records and `{name}`", *(f1_cell(e["ec57"]["f1"], 4) for e in entries)]
        for name, entries in by.items()
        if name != "nstdb"
    ]
    return table(head, rows)


def flag_table(noise: Sequence[Entry]) -> str:
    """Share flagged: Se/+P of all → of those not flagged."""
    rows = []
    for name, entries in _by_noise(noise, FLAGGED_AT_DB).items():
        title = "`nstdb`" if name == "nstdb" else f"nine and `{name}`"
        rows.append([title, *(_flag(e) for e in entries)])
    return table(["SNR dB", *map(str, FLAGGED_AT_DB)], rows)


def _flag(entry: Entry, digits: int = 1) -> str:
    before, after = (
        "/".join(percent(entry[key][k], digits) for k in ("se", "ppv"))
        for key in ("ec57", "unflagged")
    )
    return f"{percent(entry['noisy_share'], 0 if digits == 1 else 2)}: {before} → {after}"


def flag_line(found: Entry) -> str:
    """The flag where no noise was added."""
    records = sorted(found["records"], key=lambda e: -e["noisy_share"])[:5]
    most = ", ".join(f"{e['label']} {percent(e['noisy_share'])} %" for e in records)
    first, last = found["groups"][0], found["groups"][-1]
    return (
        f"The same without added noise: MIT-BIH {_flag(first, 2)} (most flagged: {most}); "
        f"svdb_train {_flag(last, 2)}."
    )


def disturbance_table(disturbances: Sequence[Entry]) -> str:
    """Errors after each, beside the same seconds undisturbed, and which records do worse."""
    rows = []
    for entry in disturbances:
        plain, rate = entry.get("undisturbed"), entry["ec57"]
        records = ", ".join(
            f"{name} {w[0]}/{w[1]}" + (f" (else {w[2]}/{w[3]})" if any(w[2:]) else "")
            for name, w in entry["records"].items()
        )
        usual = f"{plain['fn']}/{plain['fp']}" if plain else ""
        rows.append([entry["label"], f"{rate['fn']}/{rate['fp']}", usual, records or "none"])
    head = ("disturbance", "FN/FP", "the same seconds undisturbed", "records with more errors")
    return table(head, rows)


if __name__ == "__main__":
    no_arguments(__doc__)
    write()
