"""Commands about records: data list, fetch, verify, mix; score."""

from pathlib import Path
from typing import Annotated

import typer

Database = Annotated[str, typer.Argument(help="Database, such as mitdb (see: data list).")]


def list_() -> None:
    """The databases that can be fetched, and where their records are."""
    from rich.table import Table

    from einthoven.components.words import number
    from einthoven.records.database import locate_database, record_names
    from einthoven.records.download import list_databases
    from einthoven.report.text import console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Name", "Title", "Records", "Rate", "DOI", "Where"):
        table.add_column(heading, overflow="fold")
    for database in list_databases():
        folder = locate_database(None, database.name)
        where = "not here: einthoven data fetch " + database.name
        if folder is not None:
            where = f"{folder} ({number(len(record_names(folder, 'all')), 'record')})"
        table.add_row(
            database.name,
            database.title,
            str(database.records),
            f"{database.rate_hz} Hz",
            database.doi,
            where,
        )
    console().print(table)


def fetch(
    db: Database = "mitdb",
    records: Annotated[str, typer.Option(help="100,119 or ds1, ds2, all.")] = "all",
    dest: Annotated[
        Path | None,
        typer.Option(help="Folder for it (default: the user's cache).", show_default=False),
    ] = None,
) -> None:
    """Download a database from PhysioNet, or the rest of it, and verify every file."""
    from einthoven.records.database import cached_database
    from einthoven.records.download import fetch as download
    from einthoven.report.text import console

    folder = download(db, dest or cached_database(db), records)
    console().print(f"{db} is complete in {folder}", soft_wrap=True)


def verify(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Database by name or folder of records (default: mitdb).", show_default=False
        ),
    ] = None,
) -> None:
    """Check SHA-256 and WFDB checksums of a folder of records."""
    from einthoven.components.words import number
    from einthoven.errors import RecordError
    from einthoven.records.database import locate_database
    from einthoven.records.download import verify as check
    from einthoven.report.text import console

    if folder is None or (not folder.exists() and len(folder.parts) == 1):
        name = str(folder or "mitdb")
        folder = locate_database(None, name)
        if folder is None:
            raise RecordError(f"no folder {name}, nor a database: einthoven data fetch {name}")
    found = check(folder)
    screen = console()
    for problem in found.problems:
        screen.print(problem, soft_wrap=True)
    screen.print(
        f"{found.folder}: {number(found.files, 'file')} and {number(found.records, 'record')} "
        f"compared, {number(len(found.problems), 'problem')}",
        soft_wrap=True,
    )
    if found.problems:
        raise RecordError(f"{folder} is damaged: fetch the files named above again")


def mix(
    record: Annotated[str, typer.Argument(help="Record, such as 100.")],
    noise: Annotated[str, typer.Argument(help="Noise: bw, em or ma of nstdb.")],
    snr: Annotated[float, typer.Option(help="Signal-to-noise ratio in dB, by nst's definition.")],
    out: Annotated[Path, typer.Option(help="Folder for the noisy record.")],
    db: Annotated[str, typer.Option(help="Database of the record.")] = "mitdb",
    all_along: Annotated[
        bool, typer.Option("--all-along", help="Noise from start to end (default: as nstdb).")
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(help="Draws where the noise starts (default: its start).", show_default=False),
    ] = None,
) -> None:
    """Add noise to a record as PhysioNet's nst does: from minute 6 on, every other 2 minutes."""
    from einthoven.errors import RecordError
    from einthoven.records.annotations import at_rate, read_annotations
    from einthoven.records.download import find_database
    from einthoven.records.noise import clipped
    from einthoven.records.noise import mix as mixed
    from einthoven.records.record import read_record
    from einthoven.records.writing import write_record
    from einthoven.report.text import console

    # As nstdb names its records, with _ for a minus, which WFDB does not allow.
    name = f"{record}{noise}{snr:02g}".replace("-", "_").replace(".", "_").replace("+", "")
    if (there := out / f"{name}.hea").exists():
        raise RecordError(f"{there} is there already: name another --out")
    folder = find_database(None, db, record)
    clean = read_record(folder, record)
    reference = at_rate(read_annotations(folder, record), clean.rate_hz)
    noisy = mixed(
        clean,
        reference,
        read_record(find_database(None, "nstdb", noise), noise, uncalibrated_gain=1.0),
        snr,
        all_along=all_along,
        seed=seed,
    )
    write_record(noisy, reference, out, name)
    console().print(f"{name}: {snr:g} dB, written to {out}", soft_wrap=True)
    if lost := clipped(noisy):
        console().print(
            f"{lost} of {noisy.n_samples} samples are clipped to 16 bits: the ratio is not what it "
            "says there",
            soft_wrap=True,
        )


def score(
    reference: Annotated[
        Path, typer.Argument(help="Annotation file, folder, or database (mitdb/100.atr, mitdb).")
    ],
    test: Annotated[Path, typer.Argument(help="Annotation file (run/100.ein) or folder.")],
    annotator: Annotated[str, typer.Option(help="Annotator of a test folder.")] = "ein",
    reference_annotator: Annotated[
        str, typer.Option(help="Annotator of a reference folder.")
    ] = "atr",
    records: Annotated[
        str | None,
        typer.Option(help="100,119 or ds1, ds2, all (default: those in TEST).", show_default=False),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Score annotation files from anywhere by EC57, in the line format of PhysioNet's bxb."""
    from json import dumps

    from einthoven.errors import UsageError
    from einthoven.records.database import below_database
    from einthoven.scoring.score import score_files, score_folders, text_report, to_dict

    if not reference.exists():
        reference = below_database(reference) or reference
    for path in (reference, test):
        if not path.exists():
            raise UsageError(
                f"there is no annotation file, folder or database {path}: name one, such as "
                "mitdb/100.atr, runs/first or mitdb"
            )
    if reference.is_dir() != test.is_dir():
        raise UsageError("give two annotation files or two folders, not one of each")
    if reference.is_dir():
        scores = score_folders(reference, test, annotator, reference_annotator, records)
    else:
        scores = score_files(reference, test)
    print(dumps(to_dict(scores), indent=1) if json else text_report(scores))
