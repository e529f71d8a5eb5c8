"""A run's summary (`overview.Summary`), computed from the run folder alone.

`summary.json` is described in docs/replay.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import UNSET, structs
from numpy.typing import NDArray

from einthoven.report.adaptation import adaptation_summary
from einthoven.report.arithmetics import arithmetics_summary
from einthoven.report.description import SCHEMA, Plan, Protocols, RecordScores, Result
from einthoven.report.description import Scores as ScoreEntry
from einthoven.report.episodes import episodes_summary
from einthoven.report.findings import confidence_summary, rhythm_summary, without_beats
from einthoven.report.overview import (
    AgreementSummary,
    Average,
    AverageRates,
    Latency,
    LinkSummary,
    Protocol,
    ProtocolSummaries,
    Resources,
    Summary,
)
from einthoven.report.run import RunDir
from einthoven.report.schema import of_builtins
from einthoven.report.signal import signal_summary
from einthoven.report.verdicts import verdicts_summary
from einthoven.scoring.comparison import Comparison, Scores, gross

NOT_A_MEDICAL_DEVICE = "Not a medical device: for engineering and research only."
KINDS = ("qrs", "veb", "sveb")
STATISTICS = ("se", "ppv", "f1")


def stored(scores: Comparison) -> RecordScores:
    """What the run folder keeps of one record's scores: enough to print any table again."""
    return of_builtins(
        {
            **scores.to_dict(),
            "counts": scores.counts.tolist(),
            "literature_counts": scores.literature.tolist(),
            "rr_error_sum": scores.rr_error_sum,
            "rr_errors": scores.rr_errors,
            "rate_hz": scores.rate_hz,
        },
        RecordScores,
    )


def restored(entry: RecordScores | Mapping[str, Any]) -> Scores:
    """The scores that `stored` made `entry` from; of a mapping those keys are enough."""
    kept = structs.asdict(entry) if isinstance(entry, RecordScores) else entry
    return Scores(
        counts=np.array(kept["counts"], dtype=np.int64),
        literature=np.array(kept["literature_counts"], dtype=np.int64),
        rr_error_sum=kept["rr_error_sum"],
        rr_errors=kept["rr_errors"],
        rate_hz=kept["rate_hz"],
        shutdown_s=kept["shutdown_s"],
    )


def average(entries: Sequence[RecordScores]) -> Average:
    """Mean of the records' statistics, over the records where they are defined."""
    means: dict[str, AverageRates] = {}
    for kind in KINDS:
        defined: dict[str, float | None] = {}
        for name in STATISTICS:
            listed = [getattr(getattr(e, kind), name) for e in entries]
            values = [value for value in listed if value is not None]
            defined[name] = float(np.mean(values)) if values else None
        means[kind] = AverageRates(**defined)
    return Average(**means)


def summarize(run: RunDir) -> Summary:
    """The content of summary.json, from the records that are finished."""
    names = run.finished()
    # Their strips are the page's, and large: ten thousand records do without.
    results = [structs.replace(run.read_result(name), strips=[]) for name in names]
    plan, in_training = run.plan, run.plan.data.in_training
    scored = [(r.record, r.protocols) for r in results if r.protocols]
    return Summary(
        schema=SCHEMA,
        notice=NOT_A_MEDICAL_DEVICE,
        board=plan.board,
        board_title=plan.board_title,
        firmware=results[0].device if results else None,
        model=plan.model,
        pipeline_sha256=plan.pipeline_sha256,
        data=structs.replace(plan.data, records=names),
        unfinished=[name for name in run.records if name not in set(names)],
        not_scored=[r.record for r in results if r.protocols is None],
        signal=signal_summary(results, run.read_bad()),
        protocols=ProtocolSummaries(
            ec57=_protocol([(name, p.ec57) for name, p in scored], in_training),
            whole=_protocol([(name, p.whole) for name, p in scored], in_training),
        ),
        agreement=_agreement(run, results),
        confidence=confidence_summary(results),
        rhythm=rhythm_summary(results),
        verdicts=verdicts_summary(results),
        episodes=episodes_summary(results),
        adaptation=adaptation_summary(
            [
                (r.adaptation.head(), (_ec57(r.adaptation.unadapted), _ec57(r.protocols)))
                for r in results
                if r.adaptation and r.adaptation.unadapted and r.protocols
            ]
        ),
        resources=_resources(plan, results),
        link=_link(results),
        latency_ms=_latency(run, names),
        command=plan.command,
        created=plan.created,
        versions=plan.versions,
        arithmetics=arithmetics_summary(plan, results, restored),
    )


def _protocol(scored: Sequence[tuple[str, RecordScores]], in_training: Sequence[str]) -> Protocol:
    unseen = [scores for name, scores in scored if name not in in_training]
    return Protocol(
        gross=_gross(scores for _, scores in scored),
        gross_unseen=_gross(unseen) if unseen else None,
        average=average([scores for _, scores in scored]),
        records=[structs.replace(scores, record=name) for name, scores in scored],
    )


def _ec57(protocols: Protocols) -> Scores:
    return restored(protocols.ec57)


def _gross(entries: Iterable[RecordScores]) -> ScoreEntry:
    return of_builtins(gross(map(restored, entries)).to_dict(), ScoreEntry)


def _agreement(run: RunDir, results: Sequence[Result]) -> AgreementSummary:
    parts = [r.agreement for r in results]
    with_tflm = [p.host_int8_vs_tflm for p in parts if p.host_int8_vs_tflm is not None]
    checked = [p.tflm_beats for p in parts if p.tflm_beats is not UNSET]
    differences = [d for p in parts for d in p.differences]
    told = [p.rhythm_events_differ for p in parts if p.rhythm_events_differ is not UNSET]
    return AgreementSummary(
        beats=sum(p.beats for p in parts),
        device_vs_host_int8=sum(p.device_vs_host_int8 for p in parts),
        host_int8_vs_tflm=sum(with_tflm) if len(with_tflm) == len(parts) else None,
        tflm_beats=sum(checked) if checked else UNSET,
        signal_states_differ=sum(p.signal_states_differ for p in parts),
        first_difference=differences[0] if differences else None,
        without_beats=without_beats(run, results) or UNSET,
        rhythm_events_differ=sum(told) if told else UNSET,
    )


def _resources(plan: Plan, results: Sequence[Result]) -> Resources:
    """Static sizes from the build, dynamic figures from what the board counted."""
    counters = [r.counters for r in results]
    unit = plan.count_unit
    counted: dict[str, Any] = {}
    if unit != "none":
        for part in ("per_sample", "per_inference"):
            counts = [getattr(c, part) for c in counters]
            events = sum(c.n for c in counts)
            counted[f"{unit}_{part}"] = sum(c.sum for c in counts) / events if events else None
        for part in ("per_sample", "per_inference", "to_event"):
            counts = [getattr(c, part) for c in counters]
            counted[f"{unit}_{part}_max"] = max((c.max for c in counts if c.n), default=None)
    return Resources(
        **structs.asdict(plan.sizes),
        arena_bytes=max((r.device.arena_bytes for r in results), default=None),
        # 0 where the board cannot tell
        stack_used_bytes=max((c.stack_used_bytes for c in counters), default=0) or None,
        count_unit=unit,
        **counted,
    )


def _link(results: Sequence[Result]) -> LinkSummary:
    links = [r.link for r in results]
    seconds = sum(link.seconds for link in links)
    ecg_seconds = sum(r.seconds for r in results)
    return LinkSummary(
        bytes_lost=sum(link.bytes_lost for link in links),
        retries=sum(link.retries for link in links),
        bytes_sent=sum(link.bytes_sent for link in links),
        bytes_received=sum(link.bytes_received for link in links),
        seconds=seconds,
        ecg_seconds=ecg_seconds,
        times_real_time=ecg_seconds / seconds if seconds else None,
    )


def latency_ms(run: RunDir, names: Sequence[str]) -> NDArray[np.float64]:
    """Time from R to the moment the beat's event leaves the core, in ms, of all beats."""
    samples = []
    for name in names:  # one record's events at a time
        beats = run.read_events(name).beats
        samples.append(beats["t_emitted"].astype(np.int64) - beats["t_samples"])
    joined = np.concatenate(samples) if samples else np.zeros(0, dtype=np.int64)
    return joined.astype(np.float64) * (1000.0 / run.plan.rate_hz)


def _latency(run: RunDir, names: Sequence[str]) -> Latency:
    values = latency_ms(run, names)
    if not values.size:
        return Latency(median=None, p99=None, max=None)
    return Latency(
        median=float(np.median(values)),
        p99=float(np.percentile(values, 99)),
        max=float(values.max()),
    )
