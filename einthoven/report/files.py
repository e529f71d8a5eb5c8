"""The files that a run folder's finished records are made into, again and again the same."""

from msgspec import UNSET

from einthoven.report.episodes import episodes_text
from einthoven.report.html import write_html
from einthoven.report.overview import Summary
from einthoven.report.run import RunDir, write_json, write_text
from einthoven.report.schema import to_builtins
from einthoven.report.summary import restored, summarize
from einthoven.report.verdicts import verdicts_csv
from einthoven.scoring.text import beat_table


def write_report(run: RunDir) -> Summary:
    """Write events.csv, verdicts.csv, ec57.txt, whole.txt, summary.json and report.html.

    Returns the summary. There is no verdicts.csv where no record is a strip.
    """
    summary = summarize(run)
    run.write_all_events(summary.data.records)
    if summary.verdicts is not UNSET:
        results = (run.read_result(name) for name in summary.data.records)
        write_text(run.path / "verdicts.csv", verdicts_csv(results))
    for name, protocol in (("ec57", summary.protocols.ec57), ("whole", summary.protocols.whole)):
        table = beat_table([(str(e.record), restored(e)) for e in protocol.records])
        write_text(run.path / f"{name}.txt", table)
    if summary.episodes is not UNSET and summary.episodes.protocols is not None:
        write_text(run.path / "episodes.txt", episodes_text(summary.episodes))
    write_json(run.path / "summary.json", to_builtins(summary))
    write_html(run, summary)
    return summary
