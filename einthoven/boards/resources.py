"""What an image costs: flash, RAM and stack, checked against `firmware/budget.toml` and recorded.

Sizes come from the ELF file, and where RAM lies from the linker's map beside it, so they hold
whatever the linker script does.
"""

import csv
import re
import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import ARMAttributesSection, SymbolTableSection

from einthoven.boards.board import WEIGHTS, Board
from einthoven.boards.stack import EXCEPTION_FRAME_BYTES, VECTOR_FRAME_BYTES, stack_bound
from einthoven.errors import BuildError
from einthoven.paths import FIRMWARE, ROOT, require_checkout

BUDGET = FIRMWARE / "budget.toml"
HISTORY = ROOT / "docs" / "history" / "resources.csv"
GROWTH = 0.02
"""A figure may exceed the budget's by so much."""

_NO_BOARDS = frozenset({"limits", "device_limits", "ram_limits", "stack", "size"})
"""Tables of the budget that are no board's."""

INTERRUPTS = (
    "SysTick_Handler",
    "USART1_IRQHandler",
    "USART2_IRQHandler",
    "USART3_IRQHandler",
    "Uart_Handler",
    "Stream_Handler",
    "Wake_Handler",
    "ein_on_timer",
    "ein_on_external",
    "ein_on_uart",
    "ein_on_stream",
    "ein_on_wake",
)
INTERRUPTIBLE = ("EXTI9_5_IRQHandler",)
"""Interrupts of a lower priority: a front end's data-ready line."""
FIGURES = (
    "flash_bytes",
    "ram_bytes",
    "stack_bytes",
    "stack_bound_bytes",
    "stack_used_bytes",
    "arena_bytes",
    "ccm_bytes",
    "instructions_per_sample",
    "instructions_per_inference",
)
"""Columns of the history, keys of a board's table in the budget."""


@dataclass(frozen=True)
class Image:
    """Sizes of a linked image in bytes."""

    flash_bytes: int
    """Everything that is programmed: code, constants, initial values."""
    ram_bytes: int
    """Variables, arena, code and constants that were copied there, and the reserved stack."""
    stack_bytes: int
    """Of it, reserved for the stack."""
    stack_bound_bytes: int
    """What the stack needs at most, by the call graph."""
    arena_bytes: int
    """Of it, the model's activations and scratch."""
    ccm_bytes: int
    """Constants that were copied to core-coupled memory, which is no part of RAM."""

    def figures(self) -> dict[str, int]:
        """By their names in the budget; of core-coupled memory where some is used."""
        found = asdict(self)
        if not self.ccm_bytes:
            del found["ccm_bytes"]
        return found


def measure(board: Board) -> Image | None:
    """Sizes of the board's image; None for a process on the host, which has no flash.

    Raises BuildError if it was not built, or if its stack has no bound.
    """
    if not board.program.exists():
        raise BuildError(f"{board.name} is not built: run `einthoven build {board.name}`")
    with board.program.open("rb") as file:
        elf = ELFFile(file)
        stack = elf.get_section_by_name(".stack")
        if stack is None:
            return None
        segments = [s.header for s in elf.iter_segments("PT_LOAD")]
        # As linked: which of the engine's forms an image carries is the build's affair.
        symbols = elf.get_section_by_name(".symtab")
        found = isinstance(symbols, SymbolTableSection) and symbols.get_symbol_by_name("arena")
        if not found:
            raise BuildError(f"{board.program.name} has no symbols: it was stripped, build it anew")
        (arena,) = found
        frame = VECTOR_FRAME_BYTES if has_vectors(elf) else EXCEPTION_FRAME_BYTES
    limits = _budget()["stack"]
    indirect = limits["indirect"] + (limits["device_indirect"] if board.is_device else [])
    bound, _ = stack_bound(
        board.program.parent, INTERRUPTS, indirect, limits["library_bytes"], INTERRUPTIBLE, frame
    )
    memories = memory(board)
    ram = next((r for r in memories.values() if stack["sh_addr"] in r), None)
    if ram is None:
        raise BuildError(f"no memory in the linker script of {board.name} holds its .stack: add it")
    return Image(
        flash_bytes=sum(s.p_filesz for s in segments),
        # By address: initial values that are all code or constants make no writable segment.
        ram_bytes=_bytes_in(ram, segments),
        stack_bytes=stack["sh_size"],
        stack_bound_bytes=bound,
        arena_bytes=arena["st_size"],
        ccm_bytes=_bytes_in(memories.get("CCM", range(0)), segments),
    )


def _bytes_in(part: range, segments: Iterable[Any]) -> int:
    return sum(s.p_memsz for s in segments if s.p_vaddr in part)


def has_vectors(elf: ELFFile) -> bool:
    """Whether a program may use Helium, by its build attributes (Arm IHI 0045, Tag_MVE_arch)."""
    section = elf.get_section_by_name(".ARM.attributes")
    return isinstance(section, ARMAttributesSection) and any(
        attribute.tag == "TAG_MVE_ARCH" and attribute.value > 0
        for part in section.iter_subsections()
        for attributes in part.iter_subsubsections()
        for attribute in attributes.iter_attributes()
    )


def memory(board: Board) -> dict[str, range]:
    """Addresses of each memory that the board's linker script names, such as "FLASH" and "RAM".

    From the map beside the board's program; empty for a process on the host.
    """
    text = board.program.with_suffix(".map").read_text(errors="replace")
    found = re.findall(r"^(\w+) +0x([0-9a-f]{8,16}) +0x([0-9a-f]{8,16}) +\w+$", text, re.MULTILINE)
    return {
        name: range(int(begin, 16), int(begin, 16) + int(length, 16))
        for name, begin, length in found
    }


def _budget(path: Path | None = None) -> dict[str, Any]:
    return tomllib.loads((path or BUDGET).read_text())


def budgets() -> dict[str, dict[str, int]]:
    """Figures that the budget expects, by board; those of a board that is built of another's
    sources (`like`) are that one's.
    """
    rows = {name: row for name, row in _budget().items() if name not in _NO_BOARDS}
    return {name: dict(rows[row["like"]] if "like" in row else row) for name, row in rows.items()}


def run_boards() -> list[str]:
    """The boards that `einthoven size` builds and runs; tests hold those that they build."""
    return list(_budget()["size"]["boards"])


def row_of(board: Board) -> str:
    """The board's table in the budget: of one whose weights do not stay in flash a table of its
    own, `<name>_ram` or `<name>_ccm`.
    """
    return board.name if board.weights == WEIGHTS[0] else f"{board.name}_{board.weights}"


def kind_of(board: Board) -> str:
    """The budget's table of limits for the board's image."""
    if board.is_device:
        return "device_limits"
    return "ram_limits" if board.weights == "ram" else "limits"


def limits(kind: str = "limits") -> dict[str, int]:
    """What no image of a kind, as `kind_of` names it, may exceed, by figure."""
    return dict(_budget()[kind])


def check(
    board: str,
    figures: Mapping[str, int],
    budget: Path | None = None,
    kind: str = "limits",
) -> list[str]:
    """What does not fit, one line each; empty if all is well.

    Those of `figures` that the board's table in the budget names may exceed it by 2 %; the limits
    of a kind hold for all its images, and the stack must hold its bound.
    """
    table = _budget(budget)
    problems = [
        f"{name} is {figures[name]:,}, the limit is {limit:,}"
        for name, limit in table[kind].items()
        if figures.get(name, 0) > limit
    ]
    if figures.get("stack_bound_bytes", 0) > figures.get("stack_bytes", 0):
        problems.append(
            f"the stack may need {figures['stack_bound_bytes']:,} bytes, and has "
            f"{figures['stack_bytes']:,}: enlarge _stack_size in the linker script"
        )
    row = table.get(board, {})
    for name, expected in table.get(row.get("like", board), {}).items():
        if figures.get(name, 0) > expected * (1 + GROWTH):
            growth = figures[name] / expected - 1
            problems.append(
                f"{name} of {board} grew by {growth:.1%}, from {expected:,} to {figures[name]:,}: "
                "make it smaller, or change firmware/budget.toml and say why in the commit"
            )
    return problems


def image_problems(board: Board, **counts: int) -> list[str]:
    """What of a built board does not fit, one line each: its image, and `counts` of a run such as
    `cycles_per_inference`. One without a row is told which.

    Raises BuildError as `measure` does, and for a process on the host, which has no image.
    """
    image = measure(board)
    if image is None:
        raise BuildError(f"{board.name} has no flash to measure: name another board")
    figures = {**image.figures(), **counts}
    row = row_of(board)
    missing: list[str] = []
    if row not in budgets():
        own = ", ".join(f"{k} = {v}" for k, v in figures.items() if k != "stack_bytes")
        missing = [f"no row [{row}] in firmware/budget.toml: add it, with {own}"]
    return missing + check(row, figures, kind=kind_of(board))


def record(board: str, figures: Mapping[str, int], history: Path = HISTORY) -> None:
    """Append a row for the current commit to the history; a row it has already is replaced."""
    if history == HISTORY:
        require_checkout("docs/history")
    rows: list[dict[str, Any]] = []
    if history.exists():
        with history.open(newline="") as file:
            rows = list(csv.DictReader(file))
    commit = _commit()
    rows = [r for r in rows if (r["commit"], r["board"]) != (commit, board)]
    rows.append({"commit": commit, "board": board, **figures})
    history.parent.mkdir(parents=True, exist_ok=True)
    with history.open("w", newline="") as file:
        writer = csv.DictWriter(file, ("commit", "board", *FIGURES), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _commit() -> str:
    """The last commit that touched what is measured, with `+` if there are changes since."""
    parts = ["--", "firmware", "boards"]
    commit = _git("log", "-1", "--abbrev=10", "--format=%h", *parts)
    return (commit or "unknown") + ("+" if _git("status", "--porcelain", *parts) else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
