"""Reading and writing of a run's JSON by its description, and the description as JSON Schema.

`python -m einthoven.report.schema` writes `docs/schema/`.
"""

import json
import re
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec

from einthoven.errors import EinthovenError
from einthoven.no_arguments import no_arguments
from einthoven.paths import ROOT
from einthoven.report.answers import ANSWERS
from einthoven.report.description import SCHEMA, Plan, Result
from einthoven.report.overview import Summary

PUBLISHED: dict[str, type[msgspec.Struct]] = {
    "run": Plan,
    "record": Result,
    "summary": Summary,
    **ANSWERS,
}
"""Name in `docs/schema/` to the type that is published there."""

T = TypeVar("T")


def of_json(text: str, kind: type[T]) -> T:
    """The `kind` that `text` holds; keys that this version does not know are ignored.

    Raises ValueError with one line on what is wrong and where.
    """
    try:
        # Not msgspec's own reader: a path need not be valid Unicode, and keeps its bytes here.
        return of_builtins(json.loads(text, parse_constant=_no_number), kind)
    except RecursionError:
        raise ValueError("nested too deep") from None


def of_builtins(value: Any, kind: type[T]) -> T:
    """The `kind` that JSON's dictionaries and lists hold. Raises ValueError as `of_json`."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def to_builtins(value: Any) -> Any:
    """Dictionaries and lists for JSON, held against the value's own type.

    Raises EinthovenError: what no version could read is not written.
    """
    built = msgspec.to_builtins(value)
    try:
        msgspec.convert(built, type(value))
    except msgspec.ValidationError as error:
        name = type(value).__name__.lower()
        raise EinthovenError(f"a {name} that cannot be written: {error}") from None
    return built


def dump(value: Any) -> str:
    """JSON of a command's answer, for programs. Raises EinthovenError as `to_builtins`."""
    return json.dumps(to_builtins(value), indent=1, ensure_ascii=False)


def version_of(schema: object) -> int | None:
    """N of `einthoven-run/N`; None for anything else."""
    name = SCHEMA.partition("/")[0]
    found = re.fullmatch(rf"{name}/(\d{{1,9}})", schema) if isinstance(schema, str) else None
    return int(found[1]) if found else None


def json_schema(name: str) -> str:
    """The JSON Schema of `PUBLISHED[name]`, as `docs/schema/<name>.schema.json` holds it."""
    named = [f.default for f in msgspec.structs.fields(PUBLISHED[name]) if f.name == "schema"]
    title = f"{SCHEMA}: {name}" if name not in ANSWERS else str(named[0])
    (root,), parts = msgspec.json.schema_components(
        [PUBLISHED[name]], ref_template="#/$defs/{name}"
    )
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **root,
        "$defs": dict(sorted(parts.items())),
    }
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write `docs/schema/`."""
    folder = ROOT / "docs" / "schema"
    folder.mkdir(parents=True, exist_ok=True)
    for name in PUBLISHED:
        Path(folder / f"{name}.schema.json").write_text(json_schema(name), encoding="utf-8")


if __name__ == "__main__":
    no_arguments(__doc__)
    main()
