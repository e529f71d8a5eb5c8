"""The run folder: what a replay leaves behind, written so that an interrupted run loses nothing.

    run.json             what is replayed: board, model, pipeline, data with checksums, command
    records/<name>.json  one finished record: scores, agreement, link, strips; written last
    records/<name>.csv   its events
    not_replayed.json    records that are bad, with their faults; missing if there are none
    <name>.ein           the same beats as a WFDB annotation file, at the record's own rate
    verdicts.csv         of the records that are strips
    events.csv, ec57.txt, whole.txt, episodes.txt, summary.json, report.html   made in the end

A record is finished when its JSON is there. Every file appears whole or not at all.
"""

import csv
import fcntl
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import asdict
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.errors import DISK_FULL, EinthovenError, UsageError
from einthoven.native.events import BEAT, RHYTHM, SIGNAL_STATE, Events
from einthoven.native.rhythm import kinds
from einthoven.report.description import SCHEMA, Plan, Result
from einthoven.report.schema import of_json, to_builtins, version_of

CSV_COLUMNS = (
    "record",
    "kind",
    "t_samples",
    "t_emitted",
    "record_sample",
    "time_s",
    "label",
    "confidence",
    "unsure",
    "flags",
    "rr_prev",
    "rr_next",
    *(f"logit_{c.lower()}" for c in CLASSES),
    *(f"unadapted_{c.lower()}" for c in CLASSES),
    "tensor_crc32",
    "count",
)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a scratch path beside `path`; it becomes `path` only if the block succeeds.

    Raises EinthovenError when the disk is full or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _write_error(path, error) from error
    os.close(handle)
    scratch = Path(name)
    try:
        yield scratch
        scratch.chmod(0o644)
        with scratch.open("rb") as file:
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as error:
        raise _write_error(path, error) from error
    finally:
        scratch.unlink(missing_ok=True)


def _write_error(path: Path, error: OSError) -> EinthovenError:
    if error.errno in DISK_FULL:
        return EinthovenError(
            f"disk full while writing {path}: make room and go on with --resume; "
            "finished records are kept"
        )
    return EinthovenError(f"cannot write {path}: {error.strerror or error}")


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with whole_file(path) as scratch:
        # A path need not be valid Unicode: its bytes are kept as they are.
        scratch.write_text(text, encoding="utf-8", errors="surrogateescape")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, whole or not at all."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


class RunDir:
    """A run folder. `plan` is the content of run.json: what is replayed, on what, with what."""

    def __init__(self, path: Path, plan: Plan) -> None:
        self.path = path
        self.plan = plan

    @staticmethod
    def require_new(path: Path) -> None:
        """Raise UsageError when `path` holds a run already, or something else."""
        if (path / "run.json").exists():
            raise UsageError(f"{path} already holds a run: add --resume, or choose another --out")
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise UsageError(f"{path} is not an empty folder: choose another --out")

    @classmethod
    def create(cls, path: Path, plan: Plan) -> "RunDir":
        """Start a run in a new or empty folder; UsageError when a run is there already."""
        cls.require_new(path)
        write_json(path / "run.json", to_builtins(plan))
        return cls(path, plan)

    @classmethod
    def open(cls, path: Path) -> "RunDir":
        """Open an existing run; UsageError when there is none, it is damaged, or of a version
        that this one cannot read.
        """
        try:
            text = (path / "run.json").read_text(encoding="utf-8", errors="surrogateescape")
            found = json.loads(text)
        except (OSError, ValueError, RecursionError):
            raise UsageError(
                f"{path} holds no run (no readable run.json): give the --out folder of a replay"
            ) from None
        _require_version(path, found)
        try:
            return cls(path, of_json(text, Plan))
        except ValueError as error:
            raise UsageError(f"{path}/run.json is damaged ({error}): replay it again") from None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep a second replay out of the folder; UsageError when one is at work."""
        with (self.path / "run.json").open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise UsageError(f"another replay is writing to {self.path}: wait for it") from None
            yield

    @property
    def records(self) -> list[str]:
        """Names of all records of the run, in order."""
        return list(self.plan.data.records)

    def finished(self) -> list[str]:
        """Names of the records that are done."""
        return [name for name in self.records if self._result_path(name).exists()]

    def require_same(self, plan: Plan) -> None:
        """Raise UsageError, naming what changed, when `plan` would not continue this run."""
        for key, what in (
            ("board", "board"),
            ("pipeline_sha256", "pipeline"),
            ("model", "model"),
            ("data", "records"),
            ("adapt_minutes", "minutes to adapt on"),
        ):
            ours, theirs = getattr(self.plan, key), getattr(plan, key)
            if ours != theirs:
                raise UsageError(
                    f"cannot resume {self.path}: the {what} {_change(ours, theirs)}; "
                    "restore it, or start anew with another --out"
                )

    def write_events(self, name: str, events: Events, record_samples: NDArray[np.int64]) -> None:
        """Write `records/<name>.csv`; `record_samples[i]` is beat i's sample in the record."""
        rate_hz = float(self.plan.rate_hz)
        rows: list[tuple[int, int, list[str]]] = []
        for beat, sample in zip(events.beats, record_samples, strict=True):
            head = [name, "beat", beat["t_samples"], beat["t_emitted"], int(sample)]
            tail = [
                f"{beat['t_samples'] / rate_hz:.4f}",
                CLASSES[beat["label"]],
                beat["confidence"],
                beat["unsure"],
                beat["flags"],
                beat["rr_prev"],
                beat["rr_next"],
                *beat["logits"],
                *beat["unadapted"],
                f"{beat['tensor_crc']:08x}",
                beat["count"],
            ]
            rows.append((int(beat["t_emitted"]), 0, [str(v) for v in head + tail]))
        for state in events.states:
            cells = [name, "signal", state["t_samples"], "", ""]
            cells += [f"{state['t_samples'] / rate_hz:.4f}", "", "", "", state["flags"]]
            cells += [""] * (len(CSV_COLUMNS) - len(cells))
            rows.append((int(state["t_samples"]), 1, [str(v) for v in cells]))
        for told in events.rhythm:
            cells = [name, "rhythm", told["begin_samples"], told["t_emitted"], ""]
            cells += [f"{told['begin_samples'] / rate_hz:.4f}", kinds()[told["kind"]], "", ""]
            cells += [told["phase"], "", told["end_samples"]]
            cells += [""] * (len(CSV_COLUMNS) - len(cells))
            rows.append((int(told["t_emitted"]), 2, [str(v) for v in cells]))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(CSV_COLUMNS)
        writer.writerows(cells for _, _, cells in sorted(rows, key=lambda r: r[:2]))
        write_text(self.path / "records" / f"{name}.csv", text.getvalue())

    def read_events(self, name: str) -> Events:
        """Read `records/<name>.csv`; UsageError when it is missing or damaged."""
        path = self.path / "records" / f"{name}.csv"
        beats, states, rhythm = [], [], []
        try:
            with path.open(encoding="utf-8", newline="") as file:
                reader = csv.DictReader(file)
                if tuple(reader.fieldnames or ()) != CSV_COLUMNS:
                    raise ValueError("not the columns that a replay writes")
                for row in reader:
                    if row["kind"] == "beat":
                        beats.append(_beat_row(row))
                    elif row["kind"] == "rhythm":
                        rhythm.append(_rhythm_row(row))
                    else:
                        states.append((int(row["t_samples"]), int(row["flags"])))
            return Events(
                np.array(beats, dtype=BEAT),
                np.array(states, dtype=SIGNAL_STATE),
                np.array(rhythm, dtype=RHYTHM),
            )
        except OSError as error:
            raise self._damaged(path, name, error.strerror or str(error)) from None
        except (csv.Error, KeyError, ValueError, TypeError, OverflowError) as error:
            raise self._damaged(path, name, str(error)) from None

    def write_result(self, name: str, result: Result) -> None:
        """Write `records/<name>.json`: from here on the record counts as finished."""
        write_json(self._result_path(name), to_builtins(result))

    def read_result(self, name: str) -> Result:
        """Read `records/<name>.json`; UsageError when it is missing or damaged."""
        path = self._result_path(name)
        try:
            result = of_json(path.read_text(encoding="utf-8"), Result)
            if result.record != name:
                raise ValueError(f"it is of record {result.record}")
        except OSError as error:
            raise self._damaged(path, name, error.strerror or str(error)) from None
        except ValueError as error:
            raise self._damaged(path, name, str(error)) from None
        return result

    def write_bad(self, bad: Mapping[str, str]) -> None:
        """Write which records could not be replayed, and why; nothing if there are none."""
        path = self.path / "not_replayed.json"
        if bad:
            write_json(path, dict(bad))
        else:
            path.unlink(missing_ok=True)

    def read_bad(self) -> dict[str, str]:
        """The records that could not be replayed, with their faults."""
        path = self.path / "not_replayed.json"
        try:
            return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
        except (OSError, ValueError, TypeError):
            raise UsageError(f"{path} is damaged: remove it, then replay with --resume") from None

    def write_all_events(self, names: Sequence[str]) -> None:
        """Write `events.csv`, all records' events one after another under one header."""
        with whole_file(self.path / "events.csv") as scratch, scratch.open("w") as out:
            for i, name in enumerate(names):
                lines = (self.path / "records" / f"{name}.csv").read_text(encoding="utf-8")
                out.write(lines if i == 0 else lines.partition("\n")[2])

    def _damaged(self, path: Path, name: str, why: str) -> UsageError:
        return UsageError(
            f"{path} is missing or damaged: remove {self._result_path(name)}, then replay that "
            f"record again with --resume ({why})"
        )

    def _result_path(self, name: str) -> Path:
        return self.path / "records" / f"{name}.json"


def _beat_row(row: dict[str, str]) -> tuple[Any, ...]:
    return (
        int(row["t_samples"]),
        int(row["t_emitted"]),
        CLASSES.index(row["label"]),
        int(row["confidence"]),
        int(row["unsure"]),
        tuple(int(row[f"logit_{c.lower()}"]) for c in CLASSES),
        tuple(int(row[f"unadapted_{c.lower()}"]) for c in CLASSES),
        int(row["flags"]),
        int(row["rr_prev"]),
        int(row["rr_next"]),
        int(row["tensor_crc32"], 16),
        int(row["count"]),
    )


def _require_version(path: Path, plan: object) -> None:
    """Raise UsageError when run.json is of a version that this one cannot read."""
    schema = plan.get("schema") if isinstance(plan, dict) else None
    theirs, ours = version_of(schema), version_of(SCHEMA)
    assert ours is not None
    if theirs is None or theirs < ours:
        raise UsageError(f"{path}/run.json is not of schema {SCHEMA}: replay it again")
    if theirs > ours:
        raise UsageError(
            f"{path}/run.json is of schema {schema}, and this version reads {SCHEMA}: "
            "update Einthoven"
        )


def _rhythm_row(row: dict[str, str]) -> tuple[int, ...]:
    return (
        kinds().index(row["label"]),
        int(row["flags"]),
        int(row["t_samples"]),
        int(row["rr_next"]),
        int(row["t_emitted"]),
    )


def _change(ours: Any, theirs: Any) -> str:
    """A few words on how two plan entries differ, hashes shortened."""
    if isinstance(ours, Struct) and isinstance(theirs, Struct):
        ours, theirs = asdict(ours), asdict(theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        key = next(k for k in [*ours, *theirs] if ours.get(k) != theirs.get(k))
        return f"differs in {key} ({_change(ours.get(key), theirs.get(key))})"
    return f"was {_short(ours)} and is {_short(theirs)}"


def _short(value: Any) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 40 else text[:12] + "…"
