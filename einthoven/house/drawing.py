"""The house as a picture, drawn from what is checked and from nothing else.

    python -m einthoven.house.drawing

writes `docs/house.svg`: the floors of `pyproject.toml`'s contract with their rooms, and below them
the floors of the C side (`floors.py`). Pure: the same contract, the same bytes.
"""

import ast
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from einthoven.house.floors import FLOORS
from einthoven.no_arguments import no_arguments
from einthoven.paths import ROOT

PICTURE = ROOT / "docs" / "house.svg"

WIDTH, LEFT, ROW, GAP = 960, 150, 62, 14
_STYLE = (
    "text{font-family:system-ui,sans-serif;fill:#1a1a1a}"
    ".room{fill:#eef4fb;stroke:#4a76a8}.c{fill:#f6f1e7;stroke:#a08444}"
    ".name{font-size:15px;font-weight:600}.note{font-size:11px;fill:#444}"
    ".floor{font-size:12px;fill:#444}.ground{fill:#fff}"
)


@dataclass(frozen=True)
class Room:
    """A box: its name and what stands in it, in a few words."""

    name: str
    note: str


@dataclass(frozen=True)
class Storey:
    """Rooms side by side that know only what is below."""

    title: str
    rooms: tuple[Room, ...]
    kind: str = "room"


def storeys() -> list[Storey]:
    """From the top: the layers of the contract, then C."""
    text = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers: list[str] = text["tool"]["importlinter"]["contracts"][0]["layers"]
    found = []
    for layer in layers:
        names = [n.strip() for n in layer.replace("|", ":").split(":")]
        rooms = [_room(n) for n in names if n != "conftest"]
        found.append(Storey("Python", tuple(rooms)))
    return [*found, *_c_storeys()]


def _room(name: str) -> Room:
    place = ROOT / "einthoven" / name
    package = place.is_dir()
    source = place / "__init__.py" if package else place.with_suffix(".py")
    said = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return Room(f"{name}/" if package else name, said.split("\n")[0].rstrip("."))


def _c_storeys() -> list[Storey]:
    """A C floor stands above all that it may include."""
    depth: dict[str, int] = {}
    by_name = {f.folder: f for f in FLOORS}
    for floor in FLOORS:
        below = [d for d in floor.below if d in by_name]
        # A board stands on the application, of which it sees the two headers only.
        if any(d.startswith("firmware/app/") for d in floor.below):
            below.append("firmware/app")
        depth[floor.folder] = 1 + max((depth[d] for d in below), default=-1)
    rows: dict[int, list[Room]] = {}
    for folder, level in depth.items():
        rows.setdefault(level, []).append(Room(folder, by_name[folder].holds))
    made = Storey("C", (Room("firmware/generated", "made by codegen from codegen/spec"),), "c")
    return [Storey("C", tuple(rows[level]), "c") for level in sorted(rows, reverse=True)] + [made]


def draw(house: Sequence[Storey]) -> str:
    """The picture as SVG."""
    height = len(house) * (ROW + GAP) + 2 * GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-label="Floors and rooms: each imports only from floors below it">',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
    ]
    for row, storey in enumerate(house):
        top = GAP + row * (ROW + GAP)
        number = f"{storey.title} {len([s for s in house[row + 1 :] if s.title == storey.title])}"
        parts.append(f'<text class="floor" x="{GAP}" y="{top + ROW // 2 + 4}">{number}</text>')
        width = (WIDTH - LEFT - GAP * len(storey.rooms)) // len(storey.rooms)
        for i, room in enumerate(storey.rooms):
            x = LEFT + i * (width + GAP)
            parts.append(
                f'<rect class="{storey.kind}" x="{x}" y="{top}" width="{width}" height="{ROW}" '
                'rx="6"/>'
            )
            parts.append(
                f'<text class="name" x="{x + 10}" y="{top + 20}">{escape(room.name)}</text>'
            )
            for line, words in enumerate(_wrapped(room.note, (width - 20) // 6)):
                at = top + 37 + 14 * line
                parts.append(f'<text class="note" x="{x + 10}" y="{at}">{escape(words)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _wrapped(text: str, columns: int) -> list[str]:
    """At most two lines."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > columns:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    if len(lines) > 2:
        return [lines[0], f"{lines[1]} …"]
    return lines


def main() -> int:
    """Write the picture."""
    PICTURE.write_text(draw(storeys()), encoding="utf-8")
    print(f"wrote {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    no_arguments(__doc__)
    sys.exit(main())
