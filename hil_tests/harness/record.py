"""One record: through the board, through the same code on the host, scored, kept."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from einthoven.aami import CLASSES, literature_class
from einthoven.codegen.head import describe
from einthoven.errors import RecordError
from einthoven.hil_tests.harness.agreement import (
    differing_beats,
    listed,
)
from einthoven.hil_tests.harness.device import Device, LinkStatistics
from einthoven.hil_tests.harness.heads import Adapted, Adapter, on_board
from einthoven.hil_tests.harness.host import Host
from einthoven.hil_tests.harness.strips import choose_strips
from einthoven.native.events import BEAT, RHYTHM, SIGNAL_STATE, Events
from einthoven.records.adc import board_signal, board_to_record_time
from einthoven.records.annotations import Annotations
from einthoven.records.record import Known, Record, read_record
from einthoven.report import judgement
from einthoven.report.description import (
    Adaptation,
    Agreement,
    Counter,
    Counters,
    Firmware,
    LargestCount,
    Link,
    Protocols,
    Result,
    RunOptions,
)
from einthoven.report.run import RunDir
from einthoven.report.schema import of_builtins
from einthoven.scoring import quality
from einthoven.scoring.strips import read_labels
from einthoven.wire.codec import Message

_LINK_COUNTS = ("bytes_sent", "bytes_received", "bytes_lost", "retries", "resets", "seconds")


class BadRecordError(RecordError):
    """A record that cannot be replayed, whatever the board; the others can."""


def replay_record(
    run: RunDir,
    device: Device,
    host: Host,
    folder: Path,
    name: str,
    progress: Callable[[int], None],
    adapter: Adapter | None = None,
    by: str | None = None,
) -> Result:
    """Replay record `name` of `folder` on `device` and write it into `run`; returns its result.

    `adapter`: fits a head on the record's first minutes, with which the board then computes.
    `by`: the board's name in its fleet, which the result then keeps.
    `progress` is told how many samples the board has acknowledged. Raises BadRecordError,
    LinkError, or EinthovenError when the disk is full.
    """
    who = device.hello
    lead = run.plan.data.lead
    adapted = None
    try:
        record = read_record(folder, name, lead, known=known_of(run.plan.options))
        reference = judgement.read_reference(folder, name)
        if adapter is not None:
            adapted = adapter.adapt(folder, name, lead)
    except RecordError as error:
        raise BadRecordError(str(error)) from error
    signal = board_signal(record, who.rate_hz, who.gain_lsb_per_mv, who.adc_bits)
    samples = signal.samples
    before = replace(device.link)
    with on_board(device, adapted):
        replayed = device.replay(samples, progress=progress, gaps=signal.gaps)
    events = board_events(replayed.events)
    expected, expected_verdict, against_tflm = host.check(
        samples, who.gain_lsb_per_mv, (who.rail_lo, who.rail_hi), adapted, signal.gaps
    )
    differing = differing_beats(events.beats, expected.beats)
    t_record = board_to_record_time(events.beats["t_samples"], record, who.rate_hz)
    labels = [CLASSES[i] for i in events.beats["label"]]
    share = quality.shares(events.states, len(samples))
    unreadable = quality.is_unreadable(share)
    if unreadable:
        reference = None
    spans = judgement.spans(events.rhythm, record, who.rate_hz)
    test = judgement.annotations(events.beats, t_record, spans, record)
    scores = judgement.compare(reference, t_record, labels, record)
    seconds = len(samples) / who.rate_hz
    label = read_labels(folder).get(name)
    result = Result(
        record=name,
        lead=record.lead,
        record_rate_hz=record.rate_hz,
        gain_assumed=record.gain_assumed,
        signal=judgement.signal_read(record, signal, share),
        samples=len(samples),
        samples_crc32=f"{zlib.crc32(samples.tobytes()):08x}",
        seconds=seconds,
        beats=len(labels),
        protocols=judgement.stored_protocols(scores),
        adaptation=_adaptation(adapted, events.beats, reference, t_record, record),
        confidence=judgement.confidence(events.beats, labels, reference, scores),
        verdict=judgement.verdict(replayed.verdict, expected_verdict, label),
        rhythm=judgement.rhythm_events(events.beats, t_record, labels, reference, record),
        episodes=judgement.episodes(test, spans, reference, record),
        agreement=Agreement(
            beats=len(labels),
            device_vs_host_int8=len(differing),
            host_int8_vs_tflm=None if against_tflm is None else len(against_tflm.differences),
            tflm_beats=UNSET if against_tflm is None else against_tflm.beats,
            signal_states_differ=_states_differ(events, expected),
            rhythm_events_differ=_only_one_side(events.rhythm, expected.rhythm),
            differences=listed(differing, name, "device | host int8", who.rate_hz)
            + listed(
                against_tflm.differences if against_tflm else [],
                name,
                "host int8 | TFLM",
                who.rate_hz,
            ),
        ),
        link=_link(before, device.link, seconds),
        counters=_counters(replayed.info),
        device=Firmware(
            build=who.build,
            serial=who.serial,
            arena_bytes=who.arena_bytes,
            name=UNSET if by is None else by,
        ),
        strips=choose_strips(
            name,
            samples / who.gain_lsb_per_mv,
            who.rate_hz,
            (events.beats["t_samples"] / who.rate_hz, labels),
            _labelled(reference, record.rate_hz),
            [d.t_samples / who.rate_hz for d in differing],
        ),
        host_int8=_host_scores(expected.beats, reference, record, who.rate_hz)
        if differing
        else UNSET,
    )
    judgement.write(run.path, name, test, record)
    run.write_events(name, events, t_record)
    if adapted is not None:
        adapted.head.write(run.path / "records" / f"{name}.head.json")
    run.write_result(name, result)
    return result


def board_events(messages: Sequence[Message]) -> Events:
    """A board's event messages as tables; a message's `number` has done its work by then."""
    beats = [m for m in messages if m.name == "beat"]
    rows = np.zeros(len(beats), dtype=BEAT)
    for field in ("t_samples", "t_emitted", "flags", "label", "confidence", "unsure", "tensor_crc"):
        rows[field] = [m[field] for m in beats]
    rows["count"] = [m["count"] for m in beats]
    rows["rr_prev"] = [m["rr_prev_samples"] for m in beats]
    rows["rr_next"] = [m["rr_next_samples"] for m in beats]
    if beats:
        rows["logits"] = [m["logits"] for m in beats]
        rows["unadapted"] = [m["unadapted"] for m in beats]
    states = [(m["t_samples"], m["flags"]) for m in messages if m.name == "signal"]
    rhythms = [tuple(m[n] for n in RHYTHM.names or ()) for m in messages if m.name == "rhythm"]
    return Events(rows, np.array(states, dtype=SIGNAL_STATE), np.array(rhythms, dtype=RHYTHM))


def _link(before: LinkStatistics, after: LinkStatistics, seconds: float) -> Link:
    """What this record took, of a device's statistics, which go on counting."""
    took = {name: getattr(after, name) - getattr(before, name) for name in _LINK_COUNTS}
    speed = seconds / took["seconds"] if took["seconds"] else 0.0
    return Link(**took, times_real_time=speed)


def _counters(info: Mapping[str, Any]) -> Counters:
    """The board's own counters over this record, in the unit of its counter."""
    return Counters(
        stack_used_bytes=info["stack_used_bytes"],
        per_sample=Counter(
            n=info["samples"], sum=info["sample_count_sum"], max=info["sample_count_max"]
        ),
        per_inference=Counter(
            n=info["inferences"], sum=info["inference_count_sum"], max=info["inference_count_max"]
        ),
        to_event=LargestCount(n=info["inferences"], max=info["event_count_max"]),
    )


def known_of(options: RunOptions) -> Known:
    """What the user knew better than the files, from a run's options."""
    return Known(
        gain=options.gain or None,
        units=options.units or None,
        checksum=options.checksum is not False,
        csv_rate_hz=options.csv_rate or None,
        csv_gain=options.csv_gain or None,
    )


def _labelled(
    reference: Annotations | None, rate_hz: float
) -> tuple[NDArray[np.float64], list[str]]:
    """Times in s and classes of the reference's beats."""
    if reference is None:
        return np.zeros(0), []
    classes = [literature_class(symbol) for symbol in reference.symbols.tolist()]
    beats = [i for i, label in enumerate(classes) if label is not None]
    return reference.times_s(rate_hz)[beats], [str(classes[i]) for i in beats]


def _host_scores(
    beats: NDArray[np.void], reference: Annotations | None, record: Record, rate_hz: int
) -> Protocols | None:
    t_record = board_to_record_time(beats["t_samples"], record, rate_hz)
    return judgement.protocols_of(reference, t_record, [CLASSES[i] for i in beats["label"]], record)


def _adaptation(
    adapted: Adapted | None,
    beats: NDArray[np.void],
    reference: Annotations | None,
    t_record: NDArray[np.int64],
    record: Record,
) -> Adaptation | None:
    """The patient's head, and how the beats score without it."""
    if adapted is None:
        return None
    usual = [CLASSES[i] for i in beats["unadapted"].argmax(axis=1)]
    without = judgement.stored_protocols(judgement.compare(reference, t_record, usual, record))
    return of_builtins({**describe(adapted.head), "unadapted": without}, Adaptation)


def _states_differ(device: Events, host: Events) -> int:
    """Changes of the signal's state that only one side has."""
    return _only_one_side(device.states, host.states)


def _only_one_side(ours: NDArray[np.void], theirs: NDArray[np.void]) -> int:
    return len(set(ours.tolist()) ^ set(theirs.tolist()))
