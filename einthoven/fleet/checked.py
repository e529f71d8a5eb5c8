"""What `einthoven check` finds, as types; published in `docs/schema/check.schema.json`.

What a later version adds has a default here; a change that breaks a reader raises the number.
"""

from msgspec import Struct

SCHEMA = "einthoven-check/1"
MOST_FAILED = 125
"""What an exit code can count to: 126 and more are a shell's own."""


class Item(Struct, frozen=True, kw_only=True):
    """One thing that was looked at, in words that stand on their own."""

    name: str
    passed: bool | None
    """None: not judged, because this board has no such part, or `measured` says why."""
    measured: str
    limit: str = ""


class BoardCheck(Struct, frozen=True, kw_only=True):
    """A board, and all that was looked at."""

    name: str
    board: str
    id: str
    """The chip's unique id, as it says itself; "" if it has none or did not answer."""
    build: str = ""
    model: str = ""
    model_sha256: str = ""
    key: str = ""
    """Fingerprint of the key that it has proved to have; "" if it has none."""
    time: str
    """UTC, ISO 8601."""
    items: list[Item]

    @property
    def passed(self) -> bool:
        """Nothing failed, and something was judged."""
        judged = [item.passed for item in self.items if item.passed is not None]
        return bool(judged) and all(judged)

    @property
    def failures(self) -> list[Item]:
        """What failed."""
        return [item for item in self.items if item.passed is False]


class CheckReport(Struct, frozen=True, kw_only=True):
    """`einthoven check --json`. `failed`: names of the boards that did."""

    schema: str = SCHEMA
    boards: list[BoardCheck]
    failed: list[str]

    @staticmethod
    def of(boards: list[BoardCheck]) -> "CheckReport":
        """A report of these boards."""
        return CheckReport(boards=boards, failed=[b.name for b in boards if not b.passed])

    @property
    def exit_code(self) -> int:
        """How many failed, at most MOST_FAILED."""
        return min(len(self.failed), MOST_FAILED)
