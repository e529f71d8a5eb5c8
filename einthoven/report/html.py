"""The HTML page of a run: one self-contained file, no network, held by its policy.

Readable on a phone, in light and dark, and on paper.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import UNSET, structs

from einthoven.aami import CLASSES
from einthoven.components import millimetre
from einthoven.components.documents import document, tile
from einthoven.components.words import clock, count, number, percent
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
    ec57_note,
    names_of,
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
    scored = summary.confidence.scored
    differences = [d for r in results for d in r.agreement.differences][:MAX_DIFFERENCES]
    listed = _listed(results)
    return document(
        "einthoven.report",
        "report.html.j2",
        measured=bool(strips),
        filters={"names": names_of, "tflm_beats": tflm_beats},
        s=summary,
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
    tiles: list[dict[str, str]] = []
    if summary.protocols.whole.records:
        more = f"+P {percent(ec57.qrs.ppv)} · whole records "
        more += f"{percent(whole.qrs.se)} / {percent(whole.qrs.ppv)}"
        tiles.append(tile("QRS detection (EC57)", percent(ec57.qrs.se), "% Se", more))
        for part, wholly, what in ((ec57.veb, whole.veb, "V"), (ec57.sveb, whole.sveb, "S")):
            more = f"Se {percent(part.se, 1)}, +P {percent(part.ppv, 1)} · "
            more += f"whole records F1 {percent(wholly.f1, 1)}"
            tiles.append(tile(f"{what} beats (EC57)", percent(part.f1, 1), "% F1", more))
    differing = agreement.device_vs_host_int8 + (agreement.host_int8_vs_tflm or 0)
    what = "Device = host " + ("= TFLM" if agreement.host_int8_vs_tflm is not None else "")
    if agreement.beats or differing:
        unit, tone = "differ" if differing != 1 else "differs", "bad" if differing else "good"
        more = f"of {count(agreement.beats)} beats, every bit compared"
        tiles.append(tile(what, count(differing), unit, more, tone))
    else:
        tiles.append(tile(what, "–", "not compared", "no record has a beat"))
    speed = f"{link.times_real_time:.0f}×" if link.times_real_time else "–"
    more = f"{count(link.bytes_lost)} bytes lost on the link, {count(link.retries)} retries"
    tiles.append(tile("Replay", speed, "real time", more))
    arena = f"arena {(resources.arena_bytes or 0) / 1024:.1f} KB"
    if resources.flash_bytes is not None:
        more = f"{(resources.ram_bytes or 0) / 1024:.1f} KB RAM, stack included · {arena}"
        tiles.append(tile("Firmware", f"{resources.flash_bytes / 1024:.1f}", "KB flash", more))
    else:
        more = f"{summary.model.macs / 1e6:.2f} M multiply-adds a beat · {arena}"
        tiles.append(tile("Model", f"{summary.model.params / 1000:.1f}k", "parameters", more))
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
    totals = {"Sum": sums, "Gross": grosses, "Average": to_builtins(protocol.average)}
    if in_training and protocol.gross_unseen:
        totals["Unseen"] = to_builtins(protocol.gross_unseen)
    rows += [{"record": n, "total": True, "seen": False, **t} for n, t in totals.items()]
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
        trace = figures.strip_trace(strip)
        end_s = strip.start_s + len(strip.mv) / strip.rate_hz
        drawn.append(
            {
                "record": strip.record,
                "reason": strip.reason,
                "lead": results[i].lead,
                "clock": f"{clock(strip.start_s)[:-4]} to {clock(end_s)[:-4]}",
                "cut": millimetre.is_cut(trace),
                "rows": millimetre.rows(trace),
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
