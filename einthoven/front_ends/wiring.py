"""Draw how a front end is wired to a board, from `[front_end.PART]` of its `board.toml`.

    python -m einthoven.front_ends.wiring [--check]

A picture a board and part in `docs/wiring/`, and one of good and bad traces (`traces`).
Pure: same pins, same bytes.
"""

import argparse
import sys
import tomllib
from html import escape
from pathlib import Path

from einthoven.errors import EinthovenError
from einthoven.front_ends import traces
from einthoven.paths import BOARDS, ROOT, require_checkout

FOLDER = ROOT / "docs" / "wiring"
_ROW = 34
_COLORS = {"GND": "#444444", "3.3V": "#c0392b"}
_SIGNAL = "#1f6fb2"


def pictures(boards: Path = BOARDS) -> dict[str, str]:
    """File name to SVG, for every front end that a board names."""
    made: dict[str, str] = {}
    for path in sorted(boards.glob("*/board.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for part, pins in table.get("front_end", {}).items():
            made[f"{path.parent.name}-{part}.svg"] = draw(part.upper(), path.parent.name, pins)
    return made


def all_pictures() -> dict[str, str]:
    """File name to SVG: the wiring, and what traces look like."""
    return pictures() | {"traces.svg": traces.draw()}


def draw(part: str, board: str, pins: dict[str, str]) -> str:
    """Two boxes and a line for each of `pins`: the module's to the board's."""
    height = 70 + _ROW * len(pins)
    title = escape(f"{part} to {board}")
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 520 {height + 20}" role="img">',
        f"<title>{title}</title>",
        '<rect width="100%" height="100%" fill="white"/>',
        "<style>text{font:15px sans-serif} .name{font-weight:bold}</style>",
        *_box(20, height, part, "start", 34),
        *_box(350, height, board, "end", 486),
    ]
    for i, (from_pin, to_pin) in enumerate(pins.items()):
        y = 80 + _ROW * i
        color = _COLORS.get(from_pin, _SIGNAL)
        lines += [
            f'<text x="160" y="{y + 5}" text-anchor="end">{escape(from_pin)}</text>',
            f'<line x1="170" y1="{y}" x2="350" y2="{y}" stroke="{color}" stroke-width="3"/>',
            f'<circle cx="170" cy="{y}" r="5" fill="{color}"/>',
            f'<circle cx="350" cy="{y}" r="5" fill="{color}"/>',
            f'<text x="362" y="{y + 5}">{escape(to_pin)}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


def _box(x: int, height: int, name: str, anchor: str, text_x: int) -> list[str]:
    return [
        f'<rect x="{x}" y="10" width="150" height="{height}" rx="8" fill="#f4f6f8" '
        'stroke="#444444"/>',
        f'<text class="name" x="{text_x}" y="38" text-anchor="{anchor}">{escape(name)}</text>',
    ]


def main(argv: list[str] | None = None) -> int:
    """Write the pictures, or with `--check` report those that differ (exit code 1)."""
    parser = argparse.ArgumentParser(description="Draw the wiring of front ends.")
    parser.add_argument("--check", action="store_true", help="write nothing")
    args = parser.parse_args(argv)
    try:
        require_checkout("docs/wiring/")
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    made = all_pictures()
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.svg")}
    stale = sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))
    for name in stale:
        if args.check:
            print(f"differs: docs/wiring/{name} (run `python -m einthoven.front_ends.wiring`)")
        elif name in made:
            (FOLDER / name).write_text(made[name], encoding="utf-8")
        else:
            (FOLDER / name).unlink()
    return 1 if args.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
