"""One record: through the board, through the same code on the host, scored, kept."""

import collections
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import UNSET, UnsetType
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
from einthoven.native import core, strip
from einthoven.native import rhythm as stage
from einthoven.native.confidence import ONE
from einthoven.native.events import BEAT, RHYTHM, SIGNAL_STATE, Events
from einthoven.records.adc import board_signal, board_to_record_time
from einthoven.records.annotations import Annotations, read_annotations, write_annotations
from einthoven.records.record import Known, Record, read_record
from einthoven.report.description import (
    Adaptation,
    Agreement,
    Counter,
    Counters,
    Episodes,
    Firmware,
    Gaps,
    LargestCount,
    Link,
    Protocols,
    Result,
    Rhythm,
    RunOptions,
    SignalRead,
    SignalShare,
    Verdict,
)
from einthoven.report.description import Confidence as ConfidenceEntry
from einthoven.report.run import RunDir
from einthoven.report.schema import of_builtins
from einthoven.report.summary import stored
from einthoven.scoring import quality, reliability, rhythm
from einthoven.scoring.comparison import Comparison
from einthoven.scoring.episodes import KINDS as EPISODES
from einthoven.scoring.episodes import compare_episodes, marks
from einthoven.scoring.score import score, start_times
from einthoven.scoring.strips import read_labels
from einthoven.wire.codec import Message

ANNOTATOR = "ein"
_TOLD = {"af": "atrial fibrillation", "vf": "ventricular flutter or fibrillation"}
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
) -> Result:
    """Replay record `name` of `folder` on `device` and write it into `run`; returns its result.

    `adapter`: fits a head on the record's first minutes, with which the board then computes.
    `progress` is told how many samples the board has acknowledged. Raises BadRecordError,
    LinkError, or EinthovenError when the disk is full.
    """
    who = device.hello
    lead = run.plan.data.lead
    adapted = None
    try:
        record = read_record(folder, name, lead, known=known_of(run.plan.options))
        reference = read_reference(folder, name)
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
    spans = _spans(events.rhythm, record, who.rate_hz)
    test = marks(
        Annotations.of(t_record, labels, record.rate_hz),
        spans,
        subtype=events.beats["unsure"],
        num=np.rint(events.beats["confidence"] * (100 / ONE)),
    )
    scores = _protocols(reference, t_record, labels, record)
    seconds = len(samples) / who.rate_hz
    result = Result(
        record=name,
        lead=record.lead,
        record_rate_hz=record.rate_hz,
        gain_assumed=record.gain_assumed,
        signal=SignalRead(
            share=SignalShare(**share),
            unreadable=unreadable,
            coupled=signal.coupled,
            offset_mv=signal.offset_mv,
            unchecked=record.unchecked,
            gaps=_gaps(record),
        ),
        samples=len(samples),
        samples_crc32=f"{zlib.crc32(samples.tobytes()):08x}",
        seconds=seconds,
        beats=len(labels),
        protocols=_stored(scores),
        adaptation=_adaptation(adapted, events.beats, reference, t_record, record),
        confidence=_confidence(events.beats, labels, reference, scores),
        verdict=_verdict(replayed.verdict, expected_verdict, read_labels(folder).get(name)),
        rhythm=_rhythm(events.beats, t_record, labels, reference, record),
        episodes=_episodes(test, spans, reference, record),
        agreement=Agreement(
            beats=len(labels),
            device_vs_host_int8=len(differing),
            host_int8_vs_tflm=None if against_tflm is None else len(against_tflm),
            signal_states_differ=_states_differ(events, expected),
            rhythm_events_differ=_only_one_side(events.rhythm, expected.rhythm),
            differences=listed(differing, name, "device | host int8", who.rate_hz)
            + listed(against_tflm or [], name, "host int8 | TFLM", who.rate_hz),
        ),
        link=_link(before, device.link, seconds),
        counters=_counters(replayed.info),
        device=Firmware(build=who.build, serial=who.serial, arena_bytes=who.arena_bytes),
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
    write_annotations(
        run.path,
        name,
        ANNOTATOR,
        test.samples,
        test.symbols.tolist(),
        record.rate_hz,
        subtype=test.subtype,
        num=test.num,
        aux=test.aux,
    )
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


def _gaps(record: Record) -> Gaps | None:
    """How many gaps a record has, and their samples at its own rate; None without any."""
    if not record.gaps:
        return None
    return Gaps(number=len(record.gaps), samples=sum(n for _, n in record.gaps))


def read_reference(folder: Path, name: str) -> Annotations | None:
    """The reference beats; None for a record that has none, which is replayed all the same."""
    if not (folder / f"{name}.atr").is_file():
        return None
    return read_annotations(folder, name)


def _labelled(
    reference: Annotations | None, rate_hz: float
) -> tuple[NDArray[np.float64], list[str]]:
    """Times in s and classes of the reference's beats."""
    if reference is None:
        return np.zeros(0), []
    classes = [literature_class(symbol) for symbol in reference.symbols.tolist()]
    beats = [i for i, label in enumerate(classes) if label is not None]
    return reference.times_s(rate_hz)[beats], [str(classes[i]) for i in beats]


def _protocols(
    reference: Annotations | None, t_record: NDArray[np.int64], labels: list[str], record: Record
) -> dict[str, Comparison] | None:
    if reference is None:
        return None
    test = Annotations.of(t_record, labels, record.rate_hz)
    return score(record.name, reference, test, record.rate_hz, record.n_samples).protocols


def _stored(scores: Mapping[str, Comparison] | None) -> Protocols | None:
    return None if scores is None else Protocols(**{p: stored(s) for p, s in scores.items()})


def protocols_of(
    reference: Annotations | None, t_record: NDArray[np.int64], labels: list[str], record: Record
) -> Protocols | None:
    """Scores of detections at these times of the record, as the run folder keeps them."""
    return _stored(_protocols(reference, t_record, labels, record))


def _host_scores(
    beats: NDArray[np.void], reference: Annotations | None, record: Record, rate_hz: int
) -> Protocols | None:
    t_record = board_to_record_time(beats["t_samples"], record, rate_hz)
    return protocols_of(reference, t_record, [CLASSES[i] for i in beats["label"]], record)


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
    without = _stored(_protocols(reference, t_record, usual, record))
    return of_builtins({**describe(adapted.head), "unadapted": without}, Adaptation)


def _confidence(
    beats: NDArray[np.void],
    labels: list[str],
    reference: Annotations | None,
    scores: Mapping[str, Comparison] | None,
) -> ConfidenceEntry:
    """How many beats are unsure; over the whole record, how many are wrong by their confidence."""
    rows = None
    if reference is not None and scores is not None:
        found, wrong = reliability.judge(scores["whole"], reference, labels)
        judged = beats[found]
        rows = reliability.rows(reliability.count(judged["confidence"], judged["unsure"], wrong))
    return of_builtins({"unsure": int(beats["unsure"].sum()), "rows": rows}, ConfidenceEntry)


def _verdict(raw: strip.Raw, expected: strip.Raw, label: str | None) -> Verdict | UnsetType:
    """The verdict in words, with the record's label; UNSET where the record is no strip."""
    symbol = strip.symbol(raw)
    if symbol is None:
        return UNSET
    told = {
        "verdict": symbol,
        "probability": round(raw.probability / ONE, 3),
        "reasons": strip.reasons(raw),
        "label": label,
        "differs": raw != expected,
    }
    return of_builtins(told, Verdict)


def _rhythm(
    beats: NDArray[np.void],
    t_record: NDArray[np.int64],
    labels: list[str],
    reference: Annotations | None,
    record: Record,
) -> Rhythm:
    """The board's rhythm events by kind, and how they compare with the reference's."""
    broken = (beats["flags"] & core.FLAG_BREAK) != 0
    sequence = rhythm.BeatSequence(t_record / record.rate_hz, labels, broken)
    scored = None
    if reference is not None:
        theirs = rhythm.of_reference(reference, record.rate_hz)
        scored = rhythm.to_dict(rhythm.compare(theirs, sequence))
    events = collections.Counter(e.kind for e in rhythm.find(sequence))
    return of_builtins({"events": dict(events), "scored": scored}, Rhythm)


def _spans(
    rhythms: NDArray[np.void], record: Record, rate_hz: float
) -> dict[str, list[tuple[int, int]]]:
    """The episodes ("af", "vf") that the board told, in samples of the record, in order."""
    spans = {}
    for kind, title in _TOLD.items():
        over = (rhythms["kind"] == stage.kinds().index(title)) & (rhythms["phase"] == stage.END)
        ends = (rhythms[over][name] for name in ("begin_samples", "end_samples"))
        begin, end = (board_to_record_time(t, record, rate_hz).tolist() for t in ends)
        spans[kind] = list(zip(begin, end, strict=True))
    return spans


def _episodes(
    test: Annotations,
    spans: Mapping[str, Sequence[tuple[int, int]]],
    reference: Annotations | None,
    record: Record,
) -> Episodes:
    """Share of the record in fibrillation, and EC57's comparison of episodes by protocol."""
    scored = None
    if reference is not None:
        scored = {
            protocol: {
                kind: compare_episodes(
                    reference, test, record.rate_hz, record.n_samples, kind, start_s
                ).to_dict()
                for kind in EPISODES
            }
            for protocol, start_s in start_times(record.rate_hz, record.n_samples).items()
        }
    share = sum(end - begin for begin, end in spans["af"]) / max(record.n_samples, 1)
    return of_builtins({"af_burden": min(share, 1.0), "scored": scored}, Episodes)


def _states_differ(device: Events, host: Events) -> int:
    """Changes of the signal's state that only one side has."""
    return _only_one_side(device.states, host.states)


def _only_one_side(ours: NDArray[np.void], theirs: NDArray[np.void]) -> int:
    return len(set(ours.tolist()) ^ set(theirs.tolist()))
