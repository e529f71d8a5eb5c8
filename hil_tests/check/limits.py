"""The limits: `codegen/spec/check.toml`."""

import tomllib
from functools import cache

from einthoven.paths import SPEC


@cache
def limit(section: str, key: str) -> int:
    """A number of the table."""
    table = tomllib.loads((SPEC / "check.toml").read_text(encoding="utf-8"))
    return int(table[section][key])
