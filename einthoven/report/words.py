"""How a run's findings are put into words, the same in the terminal and on the page."""

from collections.abc import Sequence

from msgspec import UNSET

from einthoven.components.words import clock, count, number
from einthoven.report.description import Difference
from einthoven.report.overview import AgreementSummary, Protocol, Resources, Summary
from einthoven.scoring.score import NAMED, learning_note


def names_of(names: Sequence[str], most: int = NAMED) -> str:
    """Names of records with commas between, of very many the first ones."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


SEEN_MARK = "*"
SEEN_NOTE = (
    "* a patient of the model's training data: no test of how it generalises. "
    "Unseen: gross of the other records."
)


def tflm_beats(agreement: AgreementSummary) -> str:
    """How many beats TFLite Micro has checked: `109,965 beats`, or `8,482 of 109,965 beats`."""
    checked = agreement.tflm_beats
    of = "" if checked in (UNSET, agreement.beats) else f"{checked:,} of "
    return of + number(agreement.beats, "beat")


def ec57_note(protocol: Protocol) -> str:
    """What EC57's scores leave out of the run's records, in words."""
    return learning_note({str(e.record): e.start_s for e in protocol.records})


def difference_line(difference: Difference) -> str:
    """One differing beat in one line."""
    d = difference
    return (
        f"record {d.record} at {clock(d.time_s)} (sample {d.t_samples}), "
        f"{d.between}: {d.what}: {d.left} | {d.right}"
    )


def resource_rows(summary: Summary) -> list[tuple[str, str]]:
    """Resources and link as (name, value with unit)."""
    r, link, latency = summary.resources, summary.link, summary.latency_ms
    rows = [
        ("Flash", _bytes(r.flash_bytes)),
        ("RAM, stack included", _bytes(r.ram_bytes)),
        ("Stack", _stack(r)),
        ("Arena", _bytes(r.arena_bytes)),
    ]
    for part in ("sample", "inference"):
        mean = r.counted(f"per_{part}")
        if mean is not None:
            value = count(mean)
            # On the host the worst is the machine's, which does other things too.
            if r.count_unit != "nanoseconds":
                value += f" (most {count(r.counted(f'per_{part}_max'))})"
            rows.append((f"{r.count_unit.capitalize()} per {part}", value))
    if latency.median is not None and latency.p99 is not None:
        value = f"{latency.median:.0f} ms median, {latency.p99:.0f} ms 99th percentile"
        rows.append(("R to event", value))
    speed = link.times_real_time
    rows.append(
        (
            "Link",
            f"{count(link.bytes_lost)} bytes lost, {count(link.retries)} retries, "
            f"{link.seconds:.1f} s" + (f" ({speed:.0f}× real time)" if speed else ""),
        )
    )
    return rows


def _stack(resources: Resources) -> str:
    parts = [
        f"{value:,} B {what}"
        for value, what in (
            (resources.stack_used_bytes, "used"),
            (resources.stack_bound_bytes, "at most by the call graph"),
            (resources.stack_bytes, "reserved"),
        )
        if value is not None
    ]
    return ", ".join(parts) or "not measured"


def _bytes(value: int | None) -> str:
    return "not measured" if value is None else f"{value:,} B ({value / 1024:.1f} KB)"
