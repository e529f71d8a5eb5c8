"""The files that a run folder's finished records are made into, again and again the same."""

from msgspec import UNSET

from einthoven.report.episodes import episodes_text
from einthoven.report.html import write_html
from einthoven.report.overview import Summary
from einthoven.report.run import RunDir, write_json, write_text
from einthoven.report.schema import to_builtins
from einthoven.report.summary import restored, summarize
from einthoven.scoring.text import beat_table


def write_report(run: RunDir) -> Summary:
    """Write events.csv, the tables, summary.json and report.html; returns the summary."""
    summary = summarize(run)
    run.write_all_events(summary.data.records)
    for name, protocol in (("ec57", summary.protocols.ec57), ("whole", summary.protocols.whole)):
        table = beat_table([(str(e.record), restored(e)) for e in protocol.records])
        write_text(run.path / f"{name}.txt", table)
    if summary.episodes is not UNSET and summary.episodes.protocols is not None:
        write_text(run.path / "episodes.txt", episodes_text(summary.episodes))
    write_json(run.path / "summary.json", to_builtins(summary))
    write_html(run, summary)
    return summary
