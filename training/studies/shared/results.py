"""What is kept of a study's run: `docs/results/studies/<recipe>.json`; the page is made of them."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from einthoven.errors import UsageError
from einthoven.paths import ROOT

FOLDER = ROOT / "docs" / "results" / "studies"
SCHEMA = 2


@dataclass(frozen=True)
class Result:
    """One recipe's run, measured."""

    study: str
    name: str
    """The recipe's; also the file's."""
    network: str
    dataset: str
    protocol: str
    split: str
    """"intra-patient" or "inter-patient"."""
    seed: int
    classes: tuple[str, ...]
    train_examples: dict[str, int]
    """Per class."""
    epochs: int
    """That were trained."""
    epochs_full: int
    """That the recipe asks for."""
    train_seconds: float
    """Of wall time, over all pieces, on a machine that others may have used."""
    params: int
    macs: int
    float32: dict[str, Any]
    """As of `scores.score`."""
    int8: dict[str, Any] | None = None
    """The same of the int8 engine; with "agreement": the share of equal classes."""
    tflite_bytes: int | None = None
    board: dict[str, Any] | None = None
    """By goal, as of `board.measure`."""
    looks: int = 0
    """How often `measure` has scored this recipe on DS2."""
    commands: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    """What one study has and the others have not."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON, rounded to six places: more is noise in a diff."""
        rounded: dict[str, Any] = _rounded({"schema": SCHEMA, **asdict(self)})
        return rounded

    def text(self) -> str:
        """A table to read: float and int8 side by side."""
        lines = [
            f"{self.name}: {self.protocol} ({self.split}), {self.epochs} of {self.epochs_full} "
            f"epochs, {self.params:,} parameters, {self.macs:,} multiply-adds",
            f"{'':9}{'n':>7}{'accuracy':>10}{'macro-F1':>10}{'balanced':>10}   F1 by class",
        ]
        for name, scores in (("float", self.float32), ("int8", self.int8)):
            if scores is None:
                continue
            f1 = {c: r["f1"] for c, r in scores["per_class"].items()}
            by_class = "  ".join(f"{c} {v:.3f}" for c, v in f1.items() if v is not None)
            lines.append(
                f"{name:9}{scores['n']:7}{scores['accuracy']:10.4f}{scores['macro_f1']:10.4f}"
                f"{scores['balanced_accuracy']:10.4f}   {by_class}"
            )
        if self.int8 is not None:
            lines.append(f"int8 gives float's class on {100 * self.int8['agreement']:.2f} %")
        if self.looks:
            lines.append(f"look {self.looks} at DS2")
        return "\n".join(lines)


def write(result: Result, folder: Path = FOLDER) -> Path:
    """Keep `result`; returns its file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.name}.json"
    path.write_text(_text(result.to_dict()) + "\n", encoding="utf-8")
    return path


def read(path: Path) -> Result:
    """A kept result. Raises UsageError if it is none of this version."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        if table.pop("schema") != SCHEMA:
            raise ValueError("another version")
        known = {f.name for f in fields(Result)}
        lists = {k: tuple(v) for k, v in table.items() if isinstance(v, list)}
        return Result(**{k: v for k, v in {**table, **lists}.items() if k in known})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path} is no study's result ({error}): remove and measure it again"
        ) from error


def read_all(folder: Path = FOLDER) -> dict[str, Result]:
    """Name to result of all that are kept, sorted by name."""
    return {path.stem: read(path) for path in sorted(folder.glob("*.json"))}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(v) for v in value]
    return value


def _text(table: dict[str, Any]) -> str:
    """JSON with a line a key, and nested values of more than a line's length broken up."""
    rows = []
    for key, value in table.items():
        flat = json.dumps(value, ensure_ascii=False)
        if len(flat) > 120:
            flat = json.dumps(value, ensure_ascii=False, indent=1).replace("\n", "\n ")
        rows.append(f" {json.dumps(key)}: {flat}")
    return "{\n" + ",\n".join(rows) + "\n}"
