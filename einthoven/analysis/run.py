"""Many records: here, in processes beside, or on other machines; lines in the order of records."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from einthoven.analysis.record import Analysis, Task, analyze_or_say
from einthoven.errors import UsageError
from einthoven.jobs import workers
from einthoven.records.database import find_recording, locate_database, record_names
from einthoven.records.record import Known
from einthoven.report.run import whole_file
from einthoven.report.schema import to_builtins

LINES = "analysis.jsonl"


def tasks(
    what: Path,
    records: str,
    lead: str | None,
    known: Known,
    out: Path | None,
    score: bool = False,
) -> list[Task]:
    """The records that `what` means: a recording, a folder, or a database by name.

    `records`: of a folder, as `record_names` takes it. Raises UsageError, RecordError.
    """
    if (named := find_recording(what)) is not None:
        folder, names = named[0].resolve(), [named[1]]
    else:
        if what.is_file():
            raise UsageError(
                f"{what} is no recording: name a header (.hea), an EDF, BDF or CSV file, or a "
                "record without its ending"
            )
        found = what if what.is_dir() else _database(what)
        if found is None:
            raise UsageError(
                f"there is no record, folder or database {what}: name one, or see "
                "`einthoven data list`"
            )
        folder = found.resolve()
        names = record_names(folder, records)
    place = None if out is None else out.resolve()
    return [Task(folder, name, lead, known, place, score) for name in names]


def _database(what: Path) -> Path | None:
    return locate_database(None, str(what)) if len(what.parts) == 1 else None


def analyze_all(
    todo: Sequence[Task],
    processes: int,
    cluster: str | None,
    out: Path | None,
    say: Callable[[str], None],
) -> dict[str, str]:
    """Analyze all of `todo`; `say` gets a JSON line for each record, in order.

    `out`: folder for the same lines as `analysis.jsonl`, beside the annotation files. Returns the
    records that cannot be read with the reason, which is told on stderr at once if there are
    others, which go on.
    Raises UsageError for a folder that holds lines already, EinthovenError.
    """
    if out is not None and (out / LINES).exists():
        raise UsageError(f"{out / LINES} is there already: name another --out, or remove it")
    order = [task.name for task in todo]
    waiting: dict[str, Analysis | str] = {}
    bad: dict[str, str] = {}
    lines: list[str] = []
    done = 0
    with workers(cluster, min(processes, len(todo))) as run:
        for name, found in run(analyze_or_say, {task.name: task for task in todo}):
            waiting[name] = found
            while done < len(order) and order[done] in waiting:
                line = waiting.pop(order[done])
                if isinstance(line, str):
                    bad[order[done]] = line
                    if len(todo) > 1:  # the only one is what the command ends with
                        print(f"not analyzed: {line}", file=sys.stderr)
                else:
                    lines.append(json.dumps(to_builtins(line)))
                    say(lines[-1])
                done += 1
    if out is not None:
        with whole_file(out / LINES) as scratch:
            scratch.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return bad
