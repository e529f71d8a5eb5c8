"""Records without a board: analyze."""

from pathlib import Path
from typing import Annotated

import typer

from einthoven.commands.options import Checksum, CsvGain, CsvRate, Gain, Lead, Units


def analyze(
    what: Annotated[
        Path,
        typer.Argument(help="A record (folder/100, .edf, .csv), a folder, or a database."),
    ],
    records: Annotated[
        str,
        typer.Option(help="Of a folder: 100,119 or ds1, ds2, all, patterns (1*), @FILE."),
    ] = "all",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for annotation files (.ein) and analysis.jsonl.", show_default=False
        ),
    ] = None,
    lead: Lead = None,
    score: Annotated[
        bool,
        typer.Option("--score", help="EC57's scores, too, where there are reference annotations."),
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Dask scheduler (tcp://host:8786) whose workers see the same folders.",
            show_default=False,
        ),
    ] = None,
    gain: Gain = None,
    units: Units = None,
    csv_rate: CsvRate = None,
    csv_gain: CsvGain = None,
    checksum: Checksum = True,
) -> None:
    """What the firmware says of records, computed on this machine: a JSON line each."""
    from einthoven.analysis.run import analyze_all, tasks
    from einthoven.errors import RecordError
    from einthoven.records.record import Known

    known = Known(gain, units, checksum, csv_rate, csv_gain)
    todo = tasks(what, records, lead, known, out, score)
    bad = analyze_all(todo, jobs, cluster, out, print)
    if bad and len(todo) > 1:
        were = "was" if len(bad) == 1 else "were"
        raise RecordError(f"{len(bad)} of {len(todo)} records {were} not analyzed: see above")
    if bad:
        raise RecordError(*bad.values())
