"""What a run says: summary.json, text tables for the terminal, and the HTML page.

Everything here is computed from the run folder alone (`einthoven report RUN` rebuilds it).
`summary.json` is described in docs/replay.md.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from einthoven.report.adaptation import NOTICE as ADAPTED
from einthoven.report.adaptation import adaptation_summary, adaptation_table
from einthoven.report.findings import confidence_summary, findings_lines, rhythm_summary
from einthoven.report.run import SCHEMA, RunDir, write_json, write_text
from einthoven.scoring.comparison import Scores, gross
from einthoven.scoring.score import PROTOCOLS
from einthoven.scoring.text import beat_table

NOT_A_MEDICAL_DEVICE = "Not a medical device: for engineering and research only."
KINDS = ("qrs", "veb", "sveb")
STATISTICS = ("se", "ppv", "f1")


def stored(scores: Scores) -> dict[str, Any]:
    """What the run folder keeps of one record's scores: enough to print any table again."""
    return {
        **scores.to_dict(),
        "counts": scores.counts.tolist(),
        "literature_counts": scores.literature.tolist(),
        "rr_error_sum": scores.rr_error_sum,
        "rr_errors": scores.rr_errors,
        "rate_hz": scores.rate_hz,
    }


def restored(entry: Mapping[str, Any]) -> Scores:
    """The scores that `stored` made `entry` from."""
    return Scores(
        counts=np.array(entry["counts"], dtype=np.int64),
        literature=np.array(entry["literature_counts"], dtype=np.int64),
        rr_error_sum=entry["rr_error_sum"],
        rr_errors=entry["rr_errors"],
        rate_hz=entry["rate_hz"],
        shutdown_s=entry["shutdown_s"],
    )


def average(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean of the records' statistics, over the records where they are defined."""
    means: dict[str, Any] = {}
    for kind in KINDS:
        means[kind] = {}
        for name in STATISTICS:
            values = [e[kind][name] for e in entries if e[kind][name] is not None]
            means[kind][name] = float(np.mean(values)) if values else None
    return means


def summarize(run: RunDir) -> dict[str, Any]:
    """The content of summary.json, from the records that are finished."""
    names = run.finished()
    results = [run.read_result(name) for name in names]
    plan = run.plan
    protocols = {}
    for protocol in PROTOCOLS:
        entries = [
            {"record": r["record"], **r["protocols"][protocol]} for r in results if r["protocols"]
        ]
        unseen = [e for e in entries if e["record"] not in plan["data"]["in_training"]]
        protocols[protocol] = {
            "gross": gross(map(restored, entries)).to_dict(),
            "gross_unseen": gross(map(restored, unseen)).to_dict() if unseen else None,
            "average": average(entries),
            "records": entries,
        }
    return {
        "schema": SCHEMA,
        "notice": NOT_A_MEDICAL_DEVICE,
        "board": plan["board"],
        "board_title": plan["board_title"],
        "firmware": results[0]["device"] if results else None,
        "model": plan["model"],
        "pipeline_sha256": plan["pipeline_sha256"],
        "data": {**plan["data"], "records": names},
        "unfinished": [name for name in run.records if name not in set(names)],
        "not_scored": [r["record"] for r in results if not r["protocols"]],
        "protocols": protocols,
        "agreement": _agreement(results),
        "confidence": confidence_summary(results),
        "rhythm": rhythm_summary(results),
        "adaptation": adaptation_summary([_sides(r) for r in results if _is_adapted(r)]),
        "resources": _resources(plan, results),
        "link": _link(results),
        "latency_ms": _latency(run, names),
        "command": plan["command"],
        "created": plan["created"],
        "versions": plan["versions"],
    }


def _is_adapted(result: Mapping[str, Any]) -> bool:
    return bool(result.get("adaptation")) and result["protocols"] is not None


def _sides(result: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[Scores, Scores]]:
    """A record's head, and its scores without and with it."""
    about = {k: v for k, v in result["adaptation"].items() if k != "unadapted"}
    without, adapted = result["adaptation"]["unadapted"], result["protocols"]
    return about, (restored(without["ec57"]), restored(adapted["ec57"]))


def _agreement(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    parts = [r["agreement"] for r in results]
    with_tflm = [p["host_int8_vs_tflm"] for p in parts if p["host_int8_vs_tflm"] is not None]
    differences = [d for p in parts for d in p["differences"]]
    return {
        "beats": sum(p["beats"] for p in parts),
        "device_vs_host_int8": sum(p["device_vs_host_int8"] for p in parts),
        "host_int8_vs_tflm": sum(with_tflm) if len(with_tflm) == len(parts) else None,
        "signal_states_differ": sum(p["signal_states_differ"] for p in parts),
        "first_difference": differences[0] if differences else None,
    }


def _resources(plan: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Static sizes from the build, dynamic figures from what the board counted."""
    counters = [r["counters"] for r in results]
    unit = plan["count_unit"]

    def mean(part: str) -> float | None:
        events = sum(c[part]["n"] for c in counters)
        return sum(c[part]["sum"] for c in counters) / events if events else None

    def most(part: str) -> int | None:
        return max((c[part]["max"] for c in counters if c[part]["n"]), default=None)

    resources: dict[str, Any] = {
        **plan["sizes"],
        "arena_bytes": max((r["device"]["arena_bytes"] for r in results), default=None),
        # 0 where the board cannot tell
        "stack_used_bytes": max((c["stack_used_bytes"] for c in counters), default=0) or None,
        "count_unit": unit,
        # Instructions in an emulator, cycles on silicon: never called by each other's name.
        "instructions_per_sample": None,
        "instructions_per_inference": None,
    }
    if unit != "none":
        resources[f"{unit}_per_sample"] = mean("per_sample")
        resources[f"{unit}_per_inference"] = mean("per_inference")
        resources[f"{unit}_per_sample_max"] = most("per_sample")
        resources[f"{unit}_per_inference_max"] = most("per_inference")
        resources[f"{unit}_to_event_max"] = most("to_event")
    return resources


def _link(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    links = [r["link"] for r in results]
    seconds = sum(link["seconds"] for link in links)
    ecg_seconds = sum(r["seconds"] for r in results)
    return {
        "bytes_lost": sum(link["bytes_lost"] for link in links),
        "retries": sum(link["retries"] for link in links),
        "bytes_sent": sum(link["bytes_sent"] for link in links),
        "bytes_received": sum(link["bytes_received"] for link in links),
        "seconds": seconds,  # of all boards together
        "ecg_seconds": ecg_seconds,
        "times_real_time": ecg_seconds / seconds if seconds else None,
    }


def latency_ms(run: RunDir, names: Sequence[str]) -> NDArray[np.float64]:
    """Time from R to the moment the beat's event leaves the core, in ms, of all beats."""
    beats = [run.read_events(name).beats for name in names]
    samples = [b["t_emitted"].astype(np.int64) - b["t_samples"] for b in beats]
    joined = np.concatenate(samples) if samples else np.zeros(0, dtype=np.int64)
    return joined.astype(np.float64) * (1000.0 / float(run.plan["rate_hz"]))


def _latency(run: RunDir, names: Sequence[str]) -> dict[str, float | None]:
    values = latency_ms(run, names)
    if not values.size:
        return {"median": None, "p99": None, "max": None}
    return {
        "median": float(np.median(values)),
        "p99": float(np.percentile(values, 99)),
        "max": float(values.max()),
    }


def write_report(run: RunDir) -> dict[str, Any]:
    """Write events.csv, ec57.txt, whole.txt, summary.json and report.html; returns the summary."""
    from einthoven.report.html import write_html

    summary = summarize(run)
    run.write_all_events(summary["data"]["records"])
    for protocol in PROTOCOLS:
        entries = summary["protocols"][protocol]["records"]
        table = beat_table([(e["record"], restored(e)) for e in entries])
        write_text(run.path / f"{protocol}.txt", table)
    write_json(run.path / "summary.json", summary)
    write_html(run, summary)
    return summary


# Terminal


def percent(value: float | None, digits: int = 2) -> str:
    """A fraction as percent without the sign, `-` where it is not defined."""
    return "-" if value is None else f"{100 * value:.{digits}f}"


def count(value: float | None) -> str:
    """A whole number with thousands separated, `-` where there is none."""
    return "-" if value is None else f"{value:,.0f}"


SEEN_MARK = "*"
SEEN_NOTE = (
    "* a patient of the model's training data: no test of how it generalises. "
    "Unseen: gross of the other records."
)


def score_table(protocol: Mapping[str, Any], title: str, in_training: Sequence[str] = ()) -> Table:
    """Number of beats and EC57's statistics of every record, with Gross and Average.

    Records of `in_training` are marked, and the gross of the others stands apart.
    """
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=0,  # fits into 80 columns
    )
    table.add_column("Record", no_wrap=True)
    headings = ("QRS", "Q Se", "Q +P", "V", "V Se", "V +P", "V F1", "S", "S Se", "S +P", "S F1")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)

    def row(name: str, entry: Mapping[str, Any], counts: bool = True) -> list[str]:
        cells = [name]
        for kind in KINDS:
            part = entry[kind]
            cells.append(str(part["tp"] + part["fn"]) if counts else "")
            shown = STATISTICS[:2] if kind == "qrs" else STATISTICS
            cells += [percent(part[s]) for s in shown]
        return cells

    entries = protocol["records"]
    for entry in entries:
        mark = SEEN_MARK if entry["record"] in in_training else ""
        table.add_row(*row(entry["record"] + mark, entry), end_section=entry is entries[-1])
    table.add_row(*row("Gross", protocol["gross"]), style="bold")
    table.add_row(*row("Average", protocol["average"], counts=False), style="bold")
    if in_training and protocol["gross_unseen"]:
        table.add_row(*row("Unseen", protocol["gross_unseen"]), style="bold")
    return table


def agreement_text(agreement: Mapping[str, Any]) -> Text:
    """Two lines: board against host, host against TFLite Micro."""
    beats = count(agreement["beats"])
    text = Text()
    for label, differing in (
        ("device = host int8", agreement["device_vs_host_int8"]),
        ("host int8 = TFLM  ", agreement["host_int8_vs_tflm"]),
    ):
        if differing is None:
            text.append(f"  {label}  not compared\n")
            continue
        style = "green" if differing == 0 else "bold red"
        text.append(f"  {label}  {beats} beats, ")
        text.append(f"{count(differing)} differ\n", style=style)
    first = agreement["first_difference"]
    if first:
        text.append("  first difference: " + difference_line(first) + "\n", style="red")
    return text


def difference_line(difference: Mapping[str, Any]) -> str:
    """One differing beat in one line."""
    d = difference
    return (
        f"record {d['record']} at {clock(d['time_s'])} (sample {d['t_samples']}), "
        f"{d['between']}: {d['what']}: {d['left']} | {d['right']}"
    )


def clock(seconds: float) -> str:
    """A time in a record as m:ss.mmm."""
    ms = round(seconds * 1000)
    return f"{ms // 60000}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"


def resource_rows(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Resources and link as (name, value with unit)."""
    r, link = summary["resources"], summary["link"]
    rows = [
        ("Flash", _bytes(r["flash_bytes"])),
        ("RAM, stack included", _bytes(r["ram_bytes"])),
        ("Stack", _stack(r)),
        ("Arena", _bytes(r["arena_bytes"])),
    ]
    unit = r["count_unit"]
    for part, name in (("sample", "sample"), ("inference", "inference")):
        mean = r.get(f"{unit}_per_{part}")
        if mean is not None:
            value = count(mean)
            if (
                unit != "nanoseconds"
            ):  # there the worst is the machine's, which does other things too
                value += f" (most {count(r[f'{unit}_per_{part}_max'])})"
            rows.append((f"{unit.capitalize()} per {name}", value))
    latency = summary["latency_ms"]
    if latency["median"] is not None:
        value = f"{latency['median']:.0f} ms median, {latency['p99']:.0f} ms 99th percentile"
        rows.append(("R to event", value))
    speed = link["times_real_time"]
    rows.append(
        (
            "Link",
            f"{count(link['bytes_lost'])} bytes lost, {count(link['retries'])} retries, "
            f"{link['seconds']:.1f} s" + (f" ({speed:.0f}× real time)" if speed else ""),
        )
    )
    return rows


def _stack(resources: Mapping[str, Any]) -> str:
    parts = [
        f"{resources[key]:,} B {what}"
        for key, what in (
            ("stack_used_bytes", "used"),
            ("stack_bound_bytes", "at most by the call graph"),
            ("stack_bytes", "reserved"),
        )
        if resources[key] is not None
    ]
    return ", ".join(parts) or "not measured"


def _bytes(value: int | None) -> str:
    return "not measured" if value is None else f"{value:,} B ({value / 1024:.1f} KB)"


def summary_text(summary: Mapping[str, Any]) -> RenderableType:
    """What demo and replay print at the end; fits into 80 columns."""
    board, model = summary["board"], summary["model"]
    in_training = summary["data"]["in_training"]
    parts: list[RenderableType] = []
    if summary["data"]["synthetic"]:
        notice = "A synthetic record: its figures say nothing about accuracy on patients."
        parts += ["", Text(notice, style="bold yellow")]
    if summary["adaptation"]:
        parts += ["", Text(ADAPTED, style="bold yellow")]
    for protocol, title in (
        ("ec57", "EC57: first 5 minutes of a record not scored, %"),
        ("whole", "Whole records, %"),
    ):
        if summary["protocols"][protocol]["records"]:
            parts += ["", score_table(summary["protocols"][protocol], title, in_training)]
    if in_training:
        parts += ["", SEEN_NOTE]
    if summary["adaptation"]:
        parts += ["", adaptation_table(summary["adaptation"])]
    if summary["not_scored"]:
        names = ", ".join(summary["not_scored"])
        parts += ["", f"Not scored, since there is no reference (.atr): {names}"]
    parts += ["", Text("Agreement, beat by beat", style="bold")]
    parts.append(agreement_text(summary["agreement"]))
    findings = findings_lines(summary)
    if findings:
        parts += [Text("Confidence, whole records", style="bold"), *findings, ""]
    parts.append(Text(f"Resources on {board} with model {model['name']}", style="bold"))
    grid = Table.grid(padding=(0, 2))
    for name, value in resource_rows(summary):
        grid.add_row("  " + name, value)
    parts.append(grid)
    return Group(*parts)


def console(stderr: bool = False, least: int = 0) -> Console:
    """A console that does not cut tables where the output is no terminal.

    `least`: columns to print, also on a terminal that has fewer and breaks the lines: a score
    table that is cut shows no scores.
    """
    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal:
        made = Console(stderr=stderr, highlight=False, width=120)
    elif made.width < least:
        made = Console(stderr=stderr, highlight=False, width=least)
    return made
