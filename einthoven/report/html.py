"""The HTML page of a run: one self-contained file, no script, no network.

Readable on a phone, in light and dark, and on paper.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
import numpy as np

from einthoven.aami import CLASSES
from einthoven.report import figures
from einthoven.report.adaptation import NOTICE as ADAPTED
from einthoven.report.adaptation import adaptation_section
from einthoven.report.findings import record_rows, shown_kinds
from einthoven.report.run import RunDir, write_text
from einthoven.report.text import (
    KINDS,
    SEEN_MARK,
    SEEN_NOTE,
    STATISTICS,
    clock,
    count,
    latency_ms,
    percent,
    resource_rows,
)
from einthoven.scoring.score import PROTOCOLS

CLASS_NAMES = {
    "N": "normal",
    "S": "supraventricular ectopic",
    "V": "ventricular ectopic",
    "F": "fusion",
    "Q": "unclassifiable or paced",
}
TITLES = {
    "ec57": (
        "Scores by EC57",
        "ANSI/AAMI EC57 as PhysioNet's bxb implements it: beats match within 150 ms, the first "
        "five minutes of a record are for learning and not scored. Figures in percent.",
        "EC57",
    ),
    "whole": (
        "Scores of whole records",
        "The same rules without the learning period: every beat from the first sample on. This is "
        "what most papers report, and harder, since start-up counts. Figures in percent.",
        "Whole records",
    ),
}
COUNTS = ("tp", "fn", "fp")
MAX_STRIPS = 12
MAX_DIFFERENCES = 50


def write_html(run: RunDir, summary: Mapping[str, Any]) -> None:
    """Write `report.html` into the run folder."""
    names = summary["data"]["records"]
    results = [run.read_result(name) for name in names]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("einthoven.report"), autoescape=True, trim_blocks=True
    )
    environment.filters["percent"] = lambda value: percent(value).replace("-", "–")
    environment.filters["count"] = lambda value: count(value).replace("-", "–")
    scored = summary["confidence"]["scored"]
    differences = [d for r in results for d in r["agreement"]["differences"]][:MAX_DIFFERENCES]
    page = environment.get_template("report.html.j2").render(
        s=summary,
        classes=CLASSES,
        class_names=CLASS_NAMES,
        missing=summary["unfinished"],
        tiles=_tiles(summary),
        protocols=[
            _protocol(summary["protocols"][p], summary["data"]["in_training"], *TITLES[p])
            for p in PROTOCOLS
        ],
        seen_mark=SEEN_MARK,
        seen_note=SEEN_NOTE,
        strips=_strips(results),
        differences=[{**d, "clock": clock(d["time_s"])} for d in differences],
        reliability=figures.reliability_svg(scored["bins"]) if scored and scored["bins"] else None,
        adaptation=adaptation_section(summary["adaptation"]),
        adapted=ADAPTED,
        rhythm_kinds=shown_kinds(summary),
        rhythm_rows=record_rows(summary),
        histograms=_histograms(run, names, summary["resources"]["count_unit"]),
        timing_note=_timing_note(summary),
        resources=resource_rows(summary),
        links=results,
        provenance=_provenance(summary),
        checksums=[
            (file, digest)
            for name in names
            for file, digest in summary["data"]["files"][name].items()
        ],
        run_name=run.path.name,
    )
    write_text(run.path / "report.html", page)


def _tiles(summary: Mapping[str, Any]) -> list[dict[str, str]]:
    ec57, whole = (summary["protocols"][p]["gross"] for p in PROTOCOLS)
    agreement, link = summary["agreement"], summary["link"]
    differing = agreement["device_vs_host_int8"] + (agreement["host_int8_vs_tflm"] or 0)
    qrs = ec57["qrs"]
    tiles = [
        {
            "what": "QRS detection (EC57)",
            "value": percent(qrs["se"]),
            "unit": "% Se",
            "more": f"+P {percent(qrs['ppv'])} · whole records "
            f"{percent(whole['qrs']['se'])} / {percent(whole['qrs']['ppv'])}",
        }
    ]
    for kind, what in (("veb", "V beats (EC57)"), ("sveb", "S beats (EC57)")):
        part = ec57[kind]
        tiles.append(
            {
                "what": what,
                "value": percent(part["f1"], 1),
                "unit": "% F1",
                "more": f"Se {percent(part['se'], 1)}, +P {percent(part['ppv'], 1)} · "
                f"whole records F1 {percent(whole[kind]['f1'], 1)}",
            }
        )
    tflm = "= TFLM" if agreement["host_int8_vs_tflm"] is not None else ""
    tiles.append(
        {
            "what": "Device = host " + tflm,
            "value": count(differing),
            "unit": "differ" if differing != 1 else "differs",
            "more": f"of {count(agreement['beats'])} beats, every bit compared",
            "tone": "good" if differing == 0 else "bad",
        }
    )
    speed = link["times_real_time"]
    tiles.append(
        {
            "what": "Replay",
            "value": f"{speed:.0f}×" if speed else "–",
            "unit": "real time",
            "more": f"{count(link['bytes_lost'])} bytes lost on the link, "
            f"{count(link['retries'])} retries",
        }
    )
    resources = summary["resources"]
    if resources["flash_bytes"] is not None:
        tiles.append(
            {
                "what": "Firmware",
                "value": f"{resources['flash_bytes'] / 1024:.1f}",
                "unit": "KB flash",
                "more": f"{(resources['ram_bytes'] or 0) / 1024:.1f} KB RAM, stack included · "
                f"arena {(resources['arena_bytes'] or 0) / 1024:.1f} KB",
            }
        )
    else:
        model = summary["model"]
        tiles.append(
            {
                "what": "Model",
                "value": f"{model['params'] / 1000:.1f}k",
                "unit": "parameters",
                "more": f"{model['macs'] / 1e6:.2f} M multiply-adds a beat · "
                f"arena {(resources['arena_bytes'] or 0) / 1024:.1f} KB",
            }
        )
    return tiles


def _protocol(
    protocol: Mapping[str, Any], in_training: Sequence[str], title: str, explain: str, short: str
) -> dict[str, Any]:
    rows = [
        {**entry, "total": False, "seen": entry["record"] in in_training}
        for entry in protocol["records"]
    ]
    total = protocol["gross"]
    sums = {kind: {c: total[kind][c] for c in COUNTS} for kind in KINDS}
    grosses = {kind: {c: total[kind][c] for c in STATISTICS} for kind in KINDS}
    rows.append({"record": "Sum", "total": True, "first": True, **sums})
    rows.append({"record": "Gross", "total": True, **grosses})
    rows.append({"record": "Average", "total": True, **protocol["average"]})
    if in_training and protocol["gross_unseen"]:
        rows.append({"record": "Unseen", "total": True, **protocol["gross_unseen"]})
    return {
        "title": title,
        "explain": explain,
        "short": short,
        "rows": rows,
        "matrix": _matrix(total["confusion"]),
        "matrices": [(e["record"], _matrix(e["confusion"])) for e in protocol["records"]],
    }


def _matrix(confusion: Mapping[str, Any]) -> dict[str, Any]:
    rows = []
    for i, label in enumerate(CLASSES):
        values = [*confusion["matrix"][i], confusion["missed"][i]]
        whole = max(sum(values), 1)
        cells = [
            {"n": n, "share": f"{n / whole:.3f}", "diagonal": i == j} for j, n in enumerate(values)
        ]
        rows.append({"label": label, "cells": cells})
    extra = [{"n": n, "share": "0", "diagonal": False} for n in [*confusion["extra"], None]]
    rows.append({"label": "extra", "cells": extra})
    return {"columns": [*CLASSES, "missed"], "rows": rows}


def _strips(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The most telling strips: worst records first, one a record in turn, in order of records."""
    chosen: list[dict[str, Any]] = []
    worst_first = sorted(results, key=_mistakes, reverse=True)
    for rank in range(max((len(r["strips"]) for r in results), default=0)):
        for result in worst_first:
            if rank < len(result["strips"]) and len(chosen) < MAX_STRIPS:
                strip = result["strips"][rank]
                begin, end = (
                    strip["start_s"],
                    strip["start_s"] + len(strip["mv"]) / strip["rate_hz"],
                )
                chosen.append(
                    {
                        **strip,
                        "lead": result["lead"],
                        "clock": f"{clock(begin)[:-4]} to {clock(end)[:-4]}",
                        "svg": figures.strip_svg(strip),
                    }
                )
    order = [r["record"] for r in results]
    return sorted(chosen, key=lambda s: (order.index(s["record"]), s["start_s"]))


def _mistakes(result: Mapping[str, Any]) -> int:
    if not result["protocols"]:
        return 0
    whole = result["protocols"]["whole"]
    return sum(int(whole[kind][c]) for kind in KINDS for c in ("fn", "fp"))


def _histograms(run: RunDir, names: Sequence[str], unit: str) -> list[str]:
    drawn = []
    latency = latency_ms(run, names)
    if latency.size:
        median, p99 = float(np.median(latency)), float(np.percentile(latency, 99))
        drawn.append(
            figures.histogram_svg(
                np.minimum(latency, 1.6 * p99),
                "ms from R to event",
                "How long after R a beat's event comes",
                [(median, f"median {median:.0f} ms"), (p99, f"99th percentile {p99:.0f} ms")],
            )
        )
    none = np.zeros(0, dtype=np.uint32)
    counts = np.concatenate([none, *(run.read_events(name).beats["count"] for name in names)])
    if unit != "none" and counts.size and counts.max() > 0:
        values = counts.astype(np.float64)
        marks = [(float(np.mean(values)), f"mean {np.mean(values):,.0f}")]
        drawn.append(
            figures.histogram_svg(
                values, f"{unit} per inference", f"{unit.capitalize()} per inference", marks
            )
        )
    return drawn


def _timing_note(summary: Mapping[str, Any]) -> str:
    unit = summary["resources"]["count_unit"]
    note = (
        "A beat's event waits for the following R, since the interval to it is one of the model's "
        "features; after that it comes at once, and after two seconds in any case. The last bar "
        "holds all that took longer."
    )
    if unit == "instructions":
        note += " Instructions are counted by the emulator; they are not cycles."
    elif unit == "none":
        note += " This board has no counter of instructions or cycles."
    return note


def _provenance(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    model, data, firmware = summary["model"], summary["data"], summary["firmware"]
    return [
        ("Command", summary["command"]),
        ("Board", f"{summary['board']} ({summary['board_title']})"),
        ("Firmware", ", ".join(f"{k} {v}" for k, v in (firmware or {}).items() if v)),
        (
            "Model",
            f"{model['name']}, {count(model['params'])} parameters, "
            f"{count(model['macs'])} multiply-adds",
        ),
        ("Model SHA-256", model["sha256"]),
        ("Pipeline SHA-256", summary["pipeline_sha256"]),
        ("Database", f"{data['db']}, records {', '.join(data['records'])}"),
        ("Versions", ", ".join(f"{k} {v}" for k, v in summary["versions"].items())),
    ]
