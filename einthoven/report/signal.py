"""What a run says about its recordings: leads, assumptions, and how much there was to read.

For summary.json, the terminal and the page alike: `signal_summary` makes it of the records'
results, `signal_lines` puts it in words.
"""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, UnsetType, structs

from einthoven.report.description import Result, SignalShare
from einthoven.report.overview import SignalSummary
from einthoven.report.words import names_of
from einthoven.scoring.quality import KINDS, UNREADABLE, without_signal

TOLD = 0.01
"""Shares from here on are worth a line."""
NAMES = {
    "lost": "lost",
    "lead_off": "lead off",
    "clipped": "clipped",
    "flat": "flat",
    "hum": "mains hum",
    "motion": "motion",
    "noisy": "too noisy",
}
ASSUMED_MARK = "†"
ASSUMED_NOTE = "† not calibrated: its gain or unit is assumed (--gain, --units)."
_MOST = 12


def signal_summary(results: Sequence[Result], bad: Mapping[str, str]) -> SignalSummary | UnsetType:
    """The part `signal` of summary.json. `bad`: records that could not be replayed, with reasons.

    Runs from before it was recorded have none.
    """
    told = [(r.record, r.seconds, r.signal) for r in results if r.signal is not UNSET]
    if not told and not bad:
        return UNSET
    seconds = sum(s for _, s, _ in told)
    share = {
        kind: sum(getattr(signal.share, kind) * s for _, s, signal in told) / seconds
        if seconds
        else 0.0
        for kind in KINDS
    }
    return SignalSummary(
        unreadable_above=UNREADABLE,
        unreadable=[name for name, _, signal in told if signal.unreadable],
        share=SignalShare(**{kind: min(value, 1.0) for kind, value in share.items()}),
        records={name: signal.share for name, _, signal in told},
        leads={r.record: r.lead for r in results},
        gain_assumed=[r.record for r in results if r.gain_assumed],
        offset_taken_off={name: signal.offset_mv for name, _, signal in told if signal.coupled},
        gaps={name: signal.gaps for name, _, signal in told if signal.gaps is not None},
        unchecked=[name for name, _, signal in told if signal.unchecked],
        not_replayed=dict(bad),
    )


def signal_lines(signal: SignalSummary | UnsetType) -> list[str]:
    """One line a fact, each of which stands for itself; none about what is as it should be."""
    if signal is UNSET:
        return []
    lines = [leads_line(signal.leads)] if signal.leads else []
    shares = {name: structs.asdict(share) for name, share in signal.records.items()}
    worst = {n: s for n, s in shares.items() if any(v >= TOLD for v in s.values())}
    if worst:
        lines.append(f"Signal: of all time {share_text(structs.asdict(signal.share))}")
        ordered = sorted(worst, key=lambda n: (-without_signal(worst[n]), -worst[n]["noisy"]))
        lines += [f"  {name}: {share_text(worst[name])}" for name in ordered[:_MOST]]
        if len(ordered) > _MOST:
            lines.append(f"  and {len(ordered) - _MOST} more, in summary.json")
    if signal.unreadable:
        lines.append(
            f"Unreadable, so not scored (no signal in more than {signal.unreadable_above:.0%} "
            f"of the time): {names_of(signal.unreadable)}"
        )
    if signal.gain_assumed:
        lines.append(
            f"Not calibrated, so gain or unit are assumed (†): {names_of(signal.gain_assumed)}"
        )
    if signal.offset_taken_off:
        offsets = [f"{n} ({mv:+.1f} mV)" for n, mv in signal.offset_taken_off.items()]
        lines.append(
            "Beyond the ADC's reach, so the front end's high-pass of 0.05 Hz took the offset off: "
            + names_of(offsets)
        )
    if signal.gaps:
        gaps = [f"{n} ({g.number}: {g.samples:,} samples)" for n, g in signal.gaps.items()]
        lines.append(f"Gaps: {names_of(gaps)}")
    return lines


def leads_line(leads: Mapping[str, str]) -> str:
    """Which leads were taken, and by which records."""
    by_lead: dict[str, list[str]] = {}
    for name, lead in leads.items():
        by_lead.setdefault(lead, []).append(name)
    ordered = sorted(by_lead.items(), key=lambda item: -len(item[1]))
    first, *others = ordered
    parts = [f"{first[0]} ({len(first[1])})" if others else first[0]]
    parts += [f"{lead} ({names_of(names)})" for lead, names in others]
    return f"Leads: {names_of(parts)}"


def share_text(share: Mapping[str, float]) -> str:
    """`clipped 3.1 %, lost 20.0 %`; what is nothing is left out."""
    parts = [f"{NAMES[k]} {100 * v:.1f} %" for k, v in share.items() if v >= 0.0005]
    return ", ".join(parts) or "nothing amiss"
