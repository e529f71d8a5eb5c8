"""`python -m einthoven.codegen`: regenerate `firmware/generated/`; `--check` fails on a difference.

Each generator module offers `generate() -> dict[str, str]`: file name in `firmware/generated/`, or
path of the page's (`web/…`), to its text. Generators are pure: same inputs, same bytes.
"""

import argparse
import importlib
import sys
from pathlib import Path

from einthoven.codegen.model import SMALL
from einthoven.errors import EinthovenError
from einthoven.paths import GENERATED, IN_CHECKOUT, ROOT, WEB, require_checkout

GENERATORS = (
    *("einthoven.codegen.pipeline", "einthoven.codegen.rhythm", "einthoven.codegen.wire"),
    "einthoven.codegen.model",
    "einthoven.codegen.strip",
    "einthoven.codegen.log",
    "einthoven.codegen.device",
    "einthoven.codegen.image",
    "einthoven.codegen.decimator",
    *(("einthoven.codegen.page",) if IN_CHECKOUT else ()),  # in a checkout only
)


def generate_all() -> dict[str, str]:
    """Run every generator; returns file name to text for all of `firmware/generated/`."""
    files: dict[str, str] = {}
    for module in GENERATORS:
        files.update(importlib.import_module(module).generate())
    return files


def _place(name: str) -> Path:
    """Where a generated file goes: beside `generated/` what names a folder of its own."""
    if name.startswith("web/"):
        return ROOT / name
    return GENERATED.parent / name if "/" in name else GENERATED / name


def main(argv: list[str] | None = None) -> int:
    """Write the generated files, or with `--check` report those that differ (exit code 1)."""
    parser = argparse.ArgumentParser(prog="python -m einthoven.codegen", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    args = parser.parse_args(argv)
    try:
        if not args.check:
            require_checkout("firmware/generated/")
        files = generate_all()
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    present = {p.name for p in GENERATED.glob("*.[ch]")}
    present |= {f"{SMALL}/{p.name}" for p in (GENERATED.parent / SMALL).glob("*.[ch]")}
    if IN_CHECKOUT:
        present |= {p.relative_to(ROOT).as_posix() for p in WEB.glob("*/generated/*.ts")}
    stale = [
        name
        for name, text in files.items()
        if name not in present or _place(name).read_text() != text
    ]
    orphans = sorted(present - files.keys())
    if args.check:
        for name in [*stale, *orphans]:
            where = _place(name).relative_to(ROOT)
            print(f"differs: {where} (run `python -m einthoven.codegen` and commit)")
        return 1 if stale or orphans else 0
    for name in stale:
        _place(name).parent.mkdir(parents=True, exist_ok=True)
        _place(name).write_text(files[name])
        print(f"wrote {_place(name).relative_to(ROOT)}")
    for name in orphans:
        _place(name).unlink()
        print(f"removed {_place(name).relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
