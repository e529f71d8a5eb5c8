"""What a run says of episodes: AF burden, and EC57's comparison as epicmp prints it."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, UnsetType, structs

from einthoven.report.description import EpisodeCounts, Result
from einthoven.report.overview import EpisodesSummary
from einthoven.report.schema import of_builtins
from einthoven.scoring.episode_text import episode_table
from einthoven.scoring.episodes import KINDS, NOTHING, EpisodeScores
from einthoven.scoring.score import PROTOCOLS

_TITLES = {"ec57": "EC57 (first 5 minutes not scored)", "whole": "Whole records"}


def _scores(entry: EpisodeCounts) -> EpisodeScores:
    return EpisodeScores.of_dict(structs.asdict(entry))


def episodes_summary(results: Sequence[Result]) -> EpisodesSummary | UnsetType:
    """`episodes` of summary.json, over the finished records; unset if no board told any."""
    told = [(r.record, r.seconds, r.episodes) for r in results if r.episodes is not UNSET]
    if not told:
        return UNSET
    scored = [(name, e.scored) for name, _, e in told if e.scored is not None]
    protocols: dict[str, Any] = {}
    for protocol in PROTOCOLS if scored else ():
        protocols[protocol] = {}
        for kind in KINDS:
            rows = [(name, _scores(getattr(getattr(e, protocol), kind))) for name, e in scored]
            protocols[protocol][kind] = {
                "gross": sum((row for _, row in rows), NOTHING).to_dict(),
                "records": [{"record": name, **row.to_dict()} for name, row in rows],
            }
    seconds = sum(s for _, s, _ in told)
    burden = sum(s * e.af_burden for _, s, e in told)
    summary = {
        "af_burden": burden / seconds if seconds else None,
        "records": [{"record": name, "af_burden": e.af_burden} for name, _, e in told],
        "protocols": protocols or None,
    }
    return of_builtins(summary, EpisodesSummary)


def episodes_text(summary: EpisodesSummary) -> str:
    """episodes.txt: the tables as `epicmp -L` and `sumstats` print them, by protocol."""
    parts = []
    for protocol, title in _TITLES.items() if summary.protocols else ():
        for kind in KINDS:
            table = getattr(getattr(summary.protocols, protocol), kind)
            rows = [(str(r.record), _scores(r)) for r in table.records]
            parts.append(f"{title}\n\n{episode_table(rows, kind)}")
    return "\n".join(parts)


def episodes_lines(summary: EpisodesSummary | UnsetType) -> list[str]:
    """The same for the terminal: AF burden, and a line for each kind that there is."""
    if summary is UNSET or summary.af_burden is None:
        return []
    lines = [f"  AF burden          {100 * summary.af_burden:.2f} % of the signal"]
    for kind, name in KINDS.items() if summary.protocols else ():
        assert summary.protocols is not None
        gross = _scores(getattr(summary.protocols.ec57, kind).gross)
        if gross.reference_s or gross.test_s:
            quotients = (
                *(gross.duration_se, gross.duration_ppv),
                *(gross.episode_se, gross.episode_ppv),
            )
            a, b, c, d = ("-" if q is None else f"{100 * q:.1f}" for q in quotients)
            lines.append(f"  {name:<19}duration Se/+P {a}/{b} %, episodes {c}/{d} %")
    return lines
