"""Records without a board: analyze."""

from pathlib import Path
from typing import Annotated

import typer


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
    lead: Annotated[
        str | None, typer.Option(help="Lead by name (default: II or its like).", show_default=False)
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Dask scheduler (tcp://host:8786) whose workers see the same folders.",
            show_default=False,
        ),
    ] = None,
    gain: Annotated[
        float | None,
        typer.Option(help="Counts per unit, instead of the file's.", show_default=False),
    ] = None,
    units: Annotated[
        str | None,
        typer.Option(help="Unit of the signal, instead of the file's.", show_default=False),
    ] = None,
    csv_rate: Annotated[
        float | None, typer.Option(help="CSV: rows a second.", show_default=False)
    ] = None,
    csv_gain: Annotated[
        float | None, typer.Option(help="CSV: its numbers per mV (or --units).", show_default=False)
    ] = None,
    checksum: Annotated[
        bool,
        typer.Option(
            "--checksum/--no-checksum",
            help="Hold a header's checksum that does not fit against a record.",
        ),
    ] = True,
) -> None:
    """What the firmware says of records, computed on this machine: a JSON line each."""
    from einthoven.analysis.run import analyze_all, tasks
    from einthoven.errors import RecordError
    from einthoven.records.record import Known

    known = Known(gain, units, checksum, csv_rate, csv_gain)
    bad = analyze_all(tasks(what, records, lead, known, out), jobs, cluster, out, print)
    if bad:
        first = next(iter(bad.values()))
        others = f" (and {len(bad) - 1} more: see above)" if len(bad) > 1 else ""
        raise RecordError(f"{first}{others}")
