"""What a run says in the terminal: text tables of its summary."""

from collections.abc import Sequence
from functools import partial

from msgspec import UNSET
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from einthoven.components.words import count, percent
from einthoven.report.adaptation import NOTICE as ADAPTED
from einthoven.report.adaptation import adaptation_table
from einthoven.report.arithmetics import arithmetics_section, arithmetics_table
from einthoven.report.description import Rates, RecordScores, Scores
from einthoven.report.episodes import episodes_lines
from einthoven.report.findings import findings_lines, without_beats_lines
from einthoven.report.overview import (
    AgreementSummary,
    Average,
    AverageRates,
    Protocol,
    Summary,
)
from einthoven.report.signal import ASSUMED_MARK, ASSUMED_NOTE, signal_lines
from einthoven.report.summary import KINDS, STATISTICS
from einthoven.report.verdicts import verdicts_lines
from einthoven.report.words import (
    SEEN_MARK,
    SEEN_NOTE,
    difference_line,
    ec57_note,
    names_of,
    resource_rows,
    tflm_beats,
)


def score_table(
    protocol: Protocol,
    title: str,
    in_training: Sequence[str] = (),
    assumed: Sequence[str] = (),
) -> Table:
    """Number of beats and EC57's statistics of every record, with Gross and Average.

    Records of `in_training` are marked, and the gross of the others stands apart; so are those
    whose gain is `assumed`.
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

    def row(name: str, entry: RecordScores | Scores | Average) -> list[str]:
        cells = [name]
        for kind in KINDS:
            part: Rates | AverageRates = getattr(entry, kind)
            cells.append(str(part.tp + part.fn) if isinstance(part, Rates) else "")
            shown = STATISTICS[:2] if kind == "qrs" else STATISTICS
            cells += [percent(getattr(part, s)) for s in shown]
        return cells

    entries = protocol.records
    for entry in entries:
        mark = SEEN_MARK if entry.record in in_training else ""
        mark += ASSUMED_MARK if entry.record in assumed else ""
        table.add_row(*row(f"{entry.record}{mark}", entry), end_section=entry is entries[-1])
    table.add_row(*row("Gross", protocol.gross), style="bold")
    table.add_row(*row("Average", protocol.average), style="bold")
    if in_training and protocol.gross_unseen:
        table.add_row(*row("Unseen", protocol.gross_unseen), style="bold")
    return table


def agreement_text(agreement: AgreementSummary) -> Text:
    """Two lines: board against host, host against TFLite Micro; and what was not compared."""
    text = Text()
    for label, differing, beats in (
        ("device = host int8", agreement.device_vs_host_int8, f"{count(agreement.beats)} beats"),
        ("host int8 = TFLM  ", agreement.host_int8_vs_tflm, tflm_beats(agreement)),
    ):
        if differing is None or not (agreement.beats or differing):
            text.append(f"  {label}  not compared\n")
            continue
        style = "green" if differing == 0 else "bold red"
        text.append(f"  {label}  {beats}, ")
        text.append(f"{count(differing)} differ\n", style=style)
    if agreement.signal_states_differ:
        differing = agreement.signal_states_differ
        text.append(f"  changes of the signal's state: {count(differing)} differ\n", "bold red")
    for line in without_beats_lines(agreement):
        text.append(f"  {line}\n", style="bold yellow")
    first = agreement.first_difference
    if first:
        text.append("  first difference: " + difference_line(first) + "\n", style="red")
    return text


def summary_text(summary: Summary) -> RenderableType:
    """What demo and replay print at the end; fits into 80 columns."""
    in_training = summary.data.in_training
    signal = None if summary.signal is UNSET else summary.signal
    assumed = signal.gain_assumed if signal else []
    parts: list[RenderableType] = []
    if summary.data.synthetic:
        notice = "A synthetic record: its figures say nothing about accuracy on patients."
        parts += ["", Text(notice, style="bold yellow")]
    if summary.adaptation:
        parts += ["", Text(ADAPTED, style="bold yellow")]
    for protocol, title in (
        (summary.protocols.ec57, f"EC57, {ec57_note(summary.protocols.ec57)}, %"),
        (summary.protocols.whole, "Whole records, %"),
    ):
        if protocol.records:
            parts += ["", score_table(protocol, title, in_training, assumed)]
    if in_training:
        parts += ["", SEEN_NOTE]
    if assumed:
        parts += ["", ASSUMED_NOTE]
    if summary.adaptation:
        parts += ["", adaptation_table(summary.adaptation)]
    section = arithmetics_section(summary.arithmetics)
    if section is not None:
        parts += ["", arithmetics_table(section)]
    unreadable = set(signal.unreadable if signal else ())
    without = [name for name in summary.not_scored if name not in unreadable]
    if without:
        parts += ["", f"Not scored, since there is no reference (.atr): {names_of(without)}"]
    lines = signal_lines(summary.signal)
    if lines:
        parts += ["", Text("Recordings", style="bold"), *(Text("  " + line) for line in lines)]
    parts += ["", Text("Agreement, beat by beat", style="bold")]
    parts.append(agreement_text(summary.agreement))
    verdicts = verdicts_lines(summary.verdicts)
    if verdicts:
        parts += [Text("Verdicts on strips", style="bold"), *verdicts, ""]
    findings = findings_lines(summary.confidence, summary.model.calibrated)
    if findings:
        parts += [Text("Confidence, whole records", style="bold"), *findings, ""]
    episodes = episodes_lines(summary.episodes)
    if episodes:
        parts += [Text("Episodes, EC57", style="bold"), *episodes, ""]
    title = f"Resources on {summary.board} with model {summary.model.name}"
    parts.append(Text(title, style="bold"))
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
    # Brackets and colons are what they are: [dap] is no style, and serial:b:1 has no emoji.
    plain = partial(Console, stderr=stderr, highlight=False, markup=False, emoji=False)
    made = plain()
    if not made.is_terminal:
        made = plain(width=120)
    elif made.width < least:
        made = plain(width=least)
    return made
