import csv
import dataclasses
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from einthoven.boards import board as boards
from einthoven.boards import resources
from einthoven.boards.board import load_board
from einthoven.boards.history_chart import PANELS
from einthoven.boards.resources import check, measure, record
from einthoven.boards.stack import (
    EXCEPTION_FRAME_BYTES,
    VECTOR_FRAME_BYTES,
    read_call_graph,
    stack_bound,
)
from einthoven.errors import BuildError

BOARD = resources.run_boards()[0]


def _write_graph(folder: Path, own: dict[str, str], calls: list[tuple[str, str]]) -> None:
    nodes = [f'node: {{ title: "{n}" label: "{n}\\nx.c:1:1\\n{size}" }}' for n, size in own.items()]
    nodes.append('node: { title: "memcpy" label: "memcpy\\n<built-in>" shape : ellipse }')
    edges = [f'edge: {{ sourcename: "{a}" targetname: "{b}" label: "x.c:2:2" }}' for a, b in calls]
    (folder / "x.ci").write_text("\n".join(['graph: { title: "x.c"', *nodes, *edges, "}"]))


def test_stack_bound_is_the_deepest_way(tmp_path: Path) -> None:
    own = {"main": "8 bytes (static)", "a": "100 bytes (static)", "b": "24 bytes (static)"}
    own |= {"x.c:send": "40 bytes (static)", "tick": "16 bytes (dynamic,bounded)"}
    own.pop("tick")
    own |= {"tick": "16 bytes (static)"}
    calls = [("main", "a"), ("main", "b"), ("b", "__indirect_call"), ("x.c:send", "memcpy")]
    _write_graph(tmp_path, own, calls)
    # Without the pointer main -> a is deepest, with it main -> b -> send -> memcpy.
    assert read_call_graph(tmp_path).depth("main", [], 64) == (108, ["main", "a"])
    size, way = stack_bound(tmp_path, ["tick"], ["send"], 64)
    assert way == ["main", "b", "x.c:send", "memcpy"]
    assert size == 8 + 24 + 40 + 64 + EXCEPTION_FRAME_BYTES + 16
    # One that can be interrupted itself comes in between; one that a board lacks does not.
    nested, _ = stack_bound(tmp_path, ["tick"], ["send"], 64, ["a", "not_there"])
    assert nested == size + EXCEPTION_FRAME_BYTES + 100
    larger, _ = stack_bound(tmp_path, ["tick"], ["send"], 64, ["a"], VECTOR_FRAME_BYTES)
    assert larger == nested + 2 * 72


@pytest.mark.parametrize(
    ("cpu", "vectors"), [("m4", False), ("m55+nomve+nofp", False), ("m55+nofp", True)]
)
def test_vectors_are_seen_in_a_program(cpu: str, vectors: bool, tmp_path: Path) -> None:
    source, program = tmp_path / "a.c", tmp_path / "a.o"
    source.write_text("int main(void) { return 0; }\n")
    flags = [f"-mcpu=cortex-{cpu}", "-mthumb", *(["-mfloat-abi=hard"] if vectors else [])]
    subprocess.run(["arm-none-eabi-gcc", *flags, "-c", source, "-o", program], check=True)
    with program.open("rb") as file:
        assert resources.has_vectors(ELFFile(file)) == vectors


def test_stack_without_a_bound_is_refused(tmp_path: Path) -> None:
    own = {"main": "8 bytes (static)", "a": "8 bytes (static)", "b": "8 bytes (static)"}
    _write_graph(tmp_path, own, [("main", "a"), ("a", "b"), ("b", "a")])
    with pytest.raises(BuildError, match=r"must not recurse.*a -> b -> a"):
        stack_bound(tmp_path, [], [], 64)
    _write_graph(tmp_path, {"main": "8 bytes (dynamic)"}, [])
    with pytest.raises(BuildError, match="main: its stack depends on data"):
        stack_bound(tmp_path, [], [], 64)
    _write_graph(tmp_path, {"main": "8 bytes (static)"}, [])
    with pytest.raises(BuildError, match="no stack information about send"):
        stack_bound(tmp_path, [], ["send"], 64)


@pytest.fixture(scope="module")
def image() -> resources.Image:
    board = load_board(BOARD)
    boards.build(board)
    found = measure(board)
    assert found is not None
    return found


def test_sizes_are_those_of_the_linker(image: resources.Image) -> None:
    """Independent tool: `size -A` of binutils."""
    board = load_board(BOARD)
    listing = subprocess.run(
        [board.compiler[0].replace("gcc", "size"), "-A", board.program],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = [line.split() for line in listing.splitlines() if line.startswith(".")]
    sections = {row[0]: int(row[1]) for row in rows}
    slack = 32  # alignment between sections
    flash = sections[".text"] + sections.get(".ARM.exidx", 0) + sections.get(".data", 0)
    assert flash <= image.flash_bytes <= flash + slack
    ram = sections[".stack"] + sections.get(".data", 0) + sections[".bss"]
    assert ram <= image.ram_bytes <= ram + slack
    assert image.stack_bytes == sections[".stack"]
    assert 0 < image.arena_bytes < ram


def test_image_is_within_the_budget(image: resources.Image) -> None:
    assert resources.image_problems(load_board(BOARD)) == []
    assert image.stack_bound_bytes <= image.stack_bytes


def test_a_board_without_a_row_is_told_which(image: resources.Image) -> None:
    board = dataclasses.replace(load_board(BOARD), name="mine")
    (problem,) = resources.image_problems(board, instructions_per_sample=7)
    assert problem.startswith("no row [mine] in firmware/budget.toml: add it, with flash_bytes = ")
    assert problem.endswith(f"arena_bytes = {image.arena_bytes}, instructions_per_sample = 7")


def test_a_device_is_within_its_own_limits() -> None:
    board = load_board("qemu_stm32f405_device")
    boards.build(board)
    found = measure(board)
    assert found is not None and board.is_device
    assert resources.image_problems(board) == []
    assert found.flash_bytes <= 96 * 1024 and found.ram_bytes <= 24 * 1024


def test_the_budget_holds_every_figure_of_every_board() -> None:
    """Flash, RAM, stack, arena and instructions; a figure without a budget could grow unseen."""
    budgets = resources.budgets()
    of_images = {"flash_bytes", "ram_bytes", "stack_bound_bytes", "arena_bytes"}
    for board, budget in budgets.items():
        assert of_images <= set(budget), board
    for board in resources.run_boards():
        assert set(budgets[board]) == set(resources.FIGURES) - {"stack_bytes", "ccm_bytes"}, board
        assert set(PANELS) <= set(budgets[board])
    assert resources.limits() == {"flash_bytes": 80 * 1024, "ram_bytes": 24 * 1024}
    assert resources.limits("device_limits") == {"flash_bytes": 96 * 1024, "ram_bytes": 24 * 1024}


def test_a_board_of_anothers_sources_has_its_figures() -> None:
    budgets = resources.budgets()
    assert budgets["pico"] == budgets["rp2040js_pico"]
    grown = budgets["pico"]["flash_bytes"] * 103 // 100
    (problem,) = check("pico", {"flash_bytes": grown})
    assert problem.startswith("flash_bytes of pico grew by 3.0%")


def test_which_limits_hold_for_an_image() -> None:
    usual = load_board("rp2040js_pico")
    assert resources.kind_of(usual) == "limits"
    assert resources.kind_of(boards.with_weights(usual, "ram")) == "ram_limits"
    assert resources.kind_of(load_board("qemu_stm32f405_device")) == "device_limits"


def test_a_process_has_no_image() -> None:
    board = load_board("host")
    boards.build(board)
    assert measure(board) is None
    with pytest.raises(BuildError, match="host has no flash to measure: name another board"):
        resources.image_problems(board)


def test_growth_beyond_the_budget_is_told(tmp_path: Path) -> None:
    budget = tmp_path / "budget.toml"
    budget.write_text("[limits]\nram_bytes = 1000\n[b]\nflash_bytes = 1000\n")
    assert check("b", {"flash_bytes": 1020, "ram_bytes": 1000}, budget) == []
    assert check("other", {"flash_bytes": 9999, "ram_bytes": 1000}, budget) == []
    (problem,) = check("b", {"flash_bytes": 1021, "ram_bytes": 1000}, budget)
    assert "flash_bytes of b grew by 2.1%, from 1,000 to 1,021" in problem
    (problem,) = check("b", {"ram_bytes": 1001}, budget)
    assert problem == "ram_bytes is 1,001, the limit is 1,000"
    (problem,) = check("b", {"stack_bytes": 100, "stack_bound_bytes": 101}, budget)
    assert "enlarge _stack_size" in problem


def test_history_has_one_row_per_commit_and_board(tmp_path: Path) -> None:
    path = tmp_path / "history" / "resources.csv"
    record("a", {"flash_bytes": 1}, path)
    record("b", {"flash_bytes": 2}, path)
    record("a", {"flash_bytes": 3, "ram_bytes": 4}, path)
    rows = list(csv.DictReader(path.open()))
    assert [(r["board"], r["flash_bytes"], r["ram_bytes"]) for r in rows] == [
        ("b", "2", ""),
        ("a", "3", "4"),
    ]
    assert all(r["commit"] for r in rows)
