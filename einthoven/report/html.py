"""The HTML page of a run: one self-contained file, no network, held by its policy.

Readable on a phone, in light and dark, and on paper.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

import jinja2
import numpy as np
from msgspec import UNSET, structs

from einthoven.aami import CLASSES
from einthoven.native.core import FLAG_PASSED
from einthoven.report import figures
from einthoven.report.adaptation import NOTICE as ADAPTED
from einthoven.report.adaptation import adaptation_section
from einthoven.report.arithmetics import arithmetics_section
from einthoven.report.description import Confusion, Result, Strip
from einthoven.report.findings import (
    NOT_CALIBRATED,
    record_rows,
    shown_kinds,
    without_beats_lines,
)
from einthoven.report.overview import Protocol, Summary
from einthoven.report.run import RunDir, write_text
from einthoven.report.schema import to_builtins
from einthoven.report.sections import episodes_section, signal_section, trend, verdict_section
from einthoven.report.signal import ASSUMED_MARK, ASSUMED_NOTE, signal_lines
from einthoven.report.summary import KINDS, STATISTICS, latency_ms
from einthoven.report.words import (
    SEEN_MARK,
    SEEN_NOTE,
    clock,
    count,
    ec57_note,
    names_of,
    number,
    percent,
    resource_rows,
    tflm_beats,
)

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
        "ANSI/AAMI EC57 as PhysioNet's bxb implements it: beats match within 150 ms; {note}. "
        "Figures in percent.",
        "EC57",
    ),
    "whole": (
        "Scores of whole records",
        "The same rules, every beat from the first sample on. This is what most papers report, "
        "and harder, since start-up counts. Figures in percent.",
        "Whole records",
    ),
}
COUNTS = ("tp", "fn", "fp")
MAX_STRIPS = 12
MAX_TRENDS = 12
MAX_DIFFERENCES = 50
MAX_LISTED = 1000
"""Records with rows of their own: about 4 KB each."""
MAX_MATRICES = 100


def write_html(run: RunDir, summary: Summary) -> None:
    """Write `report.html` into the run folder."""
    names = summary.data.records
    # Strips are most of a record: they are read again for the few records that show them.
    results = [structs.replace(run.read_result(name), strips=[]) for name in names]
    strips = _strips(run, results)
    histograms = _histograms(run, names, summary.resources.count_unit)
    trends = _trends(run, results)
    text = page(summary, results, strips, histograms, run.path.name, trends)
    write_text(run.path / "report.html", text)


def page(
    summary: Summary,
    results: Sequence[Result],
    strips: Sequence[dict[str, Any]],
    histograms: Sequence[str],
    run_name: str,
    trends: Sequence[str] = (),
) -> str:
    """The page, below 20 MB for any number of records: it says which of them it lists."""
    environment = templates()
    script = environment.get_template("measure.js.j2").render() if strips else ""
    scored = summary.confidence.scored
    differences = [d for r in results for d in r.agreement.differences][:MAX_DIFFERENCES]
    listed = _listed(results)
    return environment.get_template("report.html.j2").render(
        s=summary,
        policy=policy(script),
        script=script,
        paper_share=figures.PAPER_SHARE,
        classes=CLASSES,
        class_names=CLASS_NAMES,
        missing=summary.unfinished,
        tiles=_tiles(summary),
        scored=next((r.record for r in results if r.protocols), None),
        left_out=_left_out(summary, listed),
        protocols=[
            _protocol(getattr(summary.protocols, p), summary, listed, *words)
            for p, words in TITLES.items()
        ],
        recordings=signal_lines(summary.signal),
        signal=None if summary.signal is UNSET else summary.signal,
        assumed_mark=ASSUMED_MARK,
        assumed_note=ASSUMED_NOTE,
        seen_mark=SEEN_MARK,
        seen_note=SEEN_NOTE,
        strips=strips,
        without_beats=without_beats_lines(summary.agreement),
        differences=[{**to_builtins(d), "clock": clock(d.time_s)} for d in differences],
        not_calibrated=NOT_CALIBRATED,
        reliability=figures.reliability_svg(scored.bins) if scored and scored.bins else None,
        adaptation=_adaptation(summary, listed),
        adapted=ADAPTED,
        arithmetics=arithmetics_section(summary.arithmetics),
        rhythm_kinds=shown_kinds(summary.rhythm),
        rhythm_rows=[r for r in record_rows(summary.rhythm) if r["record"] in listed],
        trends=trends,
        episodes=episodes_section(summary.episodes, listed),
        signal_shares=signal_section(summary.signal, listed),
        verdicts=verdict_section(results, listed),
        histograms=histograms,
        timing_note=_timing_note(summary),
        resources=resource_rows(summary),
        links=[r for r in results if r.record in listed],
        provenance=_provenance(summary),
        checksums=[
            (file, digest)
            for name in summary.data.records
            if name in listed
            for file, digest in summary.data.files[name].items()
        ],
        run_name=run_name,
    )


def templates() -> jinja2.Environment:
    """The templates of this room's pages, with the words for figures as filters."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("einthoven.report"), autoescape=True, trim_blocks=True
    )
    environment.filters["percent"] = lambda value: percent(value).replace("-", "–")
    environment.filters["number"] = number
    environment.filters["names"] = names_of
    environment.filters["tflm_beats"] = tflm_beats
    environment.filters["count"] = lambda value: count(value).replace("-", "–")
    return environment


def policy(script: str) -> str:
    """The Content-Security-Policy of a page: no request, and no script but this one, if any."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    scripts = f"script-src 'sha256-{digest}'; " if script else ""
    return f"default-src 'none'; {scripts}style-src 'unsafe-inline'; form-action 'none'"


def _listed(results: Sequence[Result], limit: int | None = None) -> set[str]:
    """The records that have a row of their own: all, or of very many those with most mistakes."""
    worst_first = sorted(results, key=_mistakes, reverse=True)
    return {r.record for r in worst_first[: MAX_LISTED if limit is None else limit]}


def _left_out(summary: Summary, listed: set[str]) -> str | None:
    total = len(summary.data.records)
    if len(listed) == total:
        return None
    return (
        f"Of {number(total, 'record')} the {len(listed):,} with most mistakes stand in the tables, "
        f"the other {total - len(listed):,} are left out. All sums and means are over all records; "
        "every record is in summary.json, ec57.txt, whole.txt and records/."
    )


def _adaptation(summary: Summary, listed: set[str]) -> dict[str, Any] | None:
    if summary.adaptation is None:
        return None
    shown = [r for r in summary.adaptation.records if r.record in listed]
    return adaptation_section(structs.replace(summary.adaptation, records=shown))


def _tiles(summary: Summary) -> list[dict[str, str]]:
    ec57, whole = summary.protocols.ec57.gross, summary.protocols.whole.gross
    agreement, link, resources = summary.agreement, summary.link, summary.resources
    differing = agreement.device_vs_host_int8 + (agreement.host_int8_vs_tflm or 0)
    tiles: list[dict[str, str]] = []
    if summary.protocols.whole.records:
        tiles.append(
            {
                "what": "QRS detection (EC57)",
                "value": percent(ec57.qrs.se),
                "unit": "% Se",
                "more": f"+P {percent(ec57.qrs.ppv)} · whole records "
                f"{percent(whole.qrs.se)} / {percent(whole.qrs.ppv)}",
            }
        )
    kinds = ((ec57.veb, whole.veb, "V beats (EC57)"), (ec57.sveb, whole.sveb, "S beats (EC57)"))
    for part, wholly, what in kinds if tiles else ():
        tiles.append(
            {
                "what": what,
                "value": percent(part.f1, 1),
                "unit": "% F1",
                "more": f"Se {percent(part.se, 1)}, +P {percent(part.ppv, 1)} · "
                f"whole records F1 {percent(wholly.f1, 1)}",
            }
        )
    tflm = "= TFLM" if agreement.host_int8_vs_tflm is not None else ""
    compared = agreement.beats or differing
    tiles.append(
        {
            "what": "Device = host " + tflm,
            "value": count(differing) if compared else "–",
            "unit": ("differ" if differing != 1 else "differs") if compared else "not compared",
            "more": f"of {count(agreement.beats)} beats, every bit compared"
            if compared
            else "no record has a beat",
            "tone": ("good" if differing == 0 else "bad") if compared else "",
        }
    )
    speed = link.times_real_time
    tiles.append(
        {
            "what": "Replay",
            "value": f"{speed:.0f}×" if speed else "–",
            "unit": "real time",
            "more": f"{count(link.bytes_lost)} bytes lost on the link, "
            f"{count(link.retries)} retries",
        }
    )
    if resources.flash_bytes is not None:
        tiles.append(
            {
                "what": "Firmware",
                "value": f"{resources.flash_bytes / 1024:.1f}",
                "unit": "KB flash",
                "more": f"{(resources.ram_bytes or 0) / 1024:.1f} KB RAM, stack included · "
                f"arena {(resources.arena_bytes or 0) / 1024:.1f} KB",
            }
        )
    else:
        model = summary.model
        tiles.append(
            {
                "what": "Model",
                "value": f"{model.params / 1000:.1f}k",
                "unit": "parameters",
                "more": f"{model.macs / 1e6:.2f} M multiply-adds a beat · "
                f"arena {(resources.arena_bytes or 0) / 1024:.1f} KB",
            }
        )
    return tiles


def _protocol(
    protocol: Protocol, summary: Summary, listed: set[str], title: str, explain: str, short: str
) -> dict[str, Any]:
    in_training = summary.data.in_training
    rows = [
        {**to_builtins(entry), "total": False, "seen": entry.record in in_training}
        for entry in protocol.records
        if entry.record in listed
    ]
    total = protocol.gross
    sums = {kind: {c: getattr(getattr(total, kind), c) for c in COUNTS} for kind in KINDS}
    grosses = {kind: {c: getattr(getattr(total, kind), c) for c in STATISTICS} for kind in KINDS}
    rows.append({"record": "Sum", "total": True, "first": True, **sums})
    rows.append({"record": "Gross", "total": True, **grosses})
    rows.append({"record": "Average", "total": True, **to_builtins(protocol.average)})
    if in_training and protocol.gross_unseen:
        rows.append({"record": "Unseen", "total": True, **to_builtins(protocol.gross_unseen)})
    return {
        "title": title,
        "explain": explain.format(note=ec57_note(summary.protocols.ec57)),
        "short": short,
        "rows": rows,
        "matrix": _matrix(total.confusion),
        "matrices": [
            (e.record, _matrix(e.confusion)) for e in protocol.records if e.record in listed
        ][:MAX_MATRICES],
        "more_matrices": max(len(protocol.records) - MAX_MATRICES, 0),
    }


def _matrix(confusion: Confusion) -> dict[str, Any]:
    rows = []
    for i, label in enumerate(CLASSES):
        values = [*confusion.matrix[i], confusion.missed[i]]
        whole = max(sum(values), 1)
        cells = [
            {"n": n, "share": f"{n / whole:.3f}", "diagonal": i == j} for j, n in enumerate(values)
        ]
        rows.append({"label": label, "cells": cells})
    extra = [{"n": n, "share": "0", "diagonal": False} for n in [*confusion.extra, None]]
    rows.append({"label": "extra", "cells": extra})
    return {"columns": [*CLASSES, "missed"], "rows": rows}


def _strips(run: RunDir, results: Sequence[Result]) -> list[dict[str, Any]]:
    """The most telling strips: worst records first, one a record in turn, in order of records."""
    candidates: list[tuple[int, list[Strip]]] = []  # with the record's place
    for i in sorted(range(len(results)), key=lambda i: _mistakes(results[i]), reverse=True):
        strips = run.read_result(results[i].record).strips
        if strips and len(candidates) < MAX_STRIPS:
            candidates.append((i, strips))
        if len(candidates) == MAX_STRIPS:
            break
    chosen: list[tuple[int, Strip]] = []
    for rank in range(max((len(strips) for _, strips in candidates), default=0)):
        for i, strips in candidates:
            if rank < len(strips) and len(chosen) < MAX_STRIPS:
                chosen.append((i, strips[rank]))
    drawn = []
    for i, strip in sorted(chosen, key=lambda c: (c[0], c[1].start_s)):
        end_s = strip.start_s + len(strip.mv) / strip.rate_hz
        drawn.append(
            {
                "record": strip.record,
                "reason": strip.reason,
                "lead": results[i].lead,
                "clock": f"{clock(strip.start_s)[:-4]} to {clock(end_s)[:-4]}",
                "svg": figures.strip_svg(strip),
                "frame": figures.strip_frame(strip),
                "rate_hz": strip.rate_hz,
            }
        )
    return drawn


def _trends(run: RunDir, results: Sequence[Result]) -> list[str]:
    """Of the records with most mistakes, or all if there are few, in order of records."""
    worst = sorted(results, key=_mistakes, reverse=True)[:MAX_TRENDS]
    chosen = [r for r in results if r in worst]
    drawn = (trend(r, run.read_events(r.record), run.plan.rate_hz) for r in chosen)
    return [svg for svg in drawn if svg is not None]


def _mistakes(result: Result) -> int:
    if result.protocols is None:
        return 0
    whole = result.protocols.whole
    return sum(r.fn + r.fp for r in (whole.qrs, whole.veb, whole.sveb))


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
    tables = [run.read_events(name).beats for name in names]
    ran = [beats["count"][beats["flags"] & FLAG_PASSED == 0] for beats in tables]
    counts = np.concatenate([none, *ran])
    if unit != "none" and counts.size and counts.max() > 0:
        values = counts.astype(np.float64)
        marks = [(float(np.mean(values)), f"mean {np.mean(values):,.0f}")]
        drawn.append(
            figures.histogram_svg(
                values, f"{unit} per inference", f"{unit.capitalize()} per inference", marks
            )
        )
    return drawn


def _timing_note(summary: Summary) -> str:
    unit = summary.resources.count_unit
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


def _records(names: Sequence[str]) -> str:
    return (
        f"record{'' if len(names) == 1 else 's'} {names_of(names, 100)}" if names else "no record"
    )


def _provenance(summary: Summary) -> list[tuple[str, str]]:
    model, data = summary.model, summary.data
    firmware = to_builtins(summary.firmware) if summary.firmware else {}
    return [
        ("Command", summary.command),
        ("Board", f"{summary.board} ({summary.board_title})"),
        ("Firmware", ", ".join(f"{k} {v}" for k, v in firmware.items() if v)),
        (
            "Model",
            f"{model.name}, {count(model.params)} parameters, {count(model.macs)} multiply-adds",
        ),
        ("Model SHA-256", model.sha256),
        ("Pipeline SHA-256", summary.pipeline_sha256),
        ("Database", f"{data.db}, {_records(data.records)}"),
        ("Versions", ", ".join(f"{k} {v}" for k, v in summary.versions.items())),
    ]
