"""Commands about boards: boards, new, build, info, bench, size. Flashing is in `fleet`."""

from pathlib import Path
from typing import Annotated

import typer

from einthoven.commands.options import Boards, Json, Port
from einthoven.commands.reaching import reached

BoardName = Annotated[str, typer.Argument(help="Board (see: einthoven boards).")]
DeviceName = Annotated[
    str, typer.Argument(metavar="BOARD", help="Board, or a device of fleet.toml by its name.")
]


def boards(boards: Boards = None, as_json: Json = False) -> None:
    """The boards there are, what each was tested on, and the serial ports of this machine."""
    from rich.table import Table
    from serial.tools import list_ports

    from einthoven.boards.board import list_boards, load_board
    from einthoven.fleet import usb
    from einthoven.fleet.flashers.registry import names
    from einthoven.report import answers
    from einthoven.report.schema import dump
    from einthoven.report.text import console

    known = [load_board(name) for name in list_boards()]
    plugged = usb.plugged_in()
    addresses = {
        str(node): usb.port_address(device, interface, plugged)
        for device in plugged
        for interface, node in device.ports
    }
    ports = [p for p in list_ports.comports() if p.vid is not None]
    if as_json:
        facts = [
            answers.BoardFacts(
                name=board.name,
                title=board.title,
                mcu=board.mcu,
                tested=board.tested,
                count_unit=board.count_unit,
                is_process=board.command is not None,
                is_device=board.is_device,
                usb=list(board.usb),
                flashers=names(board),
            )
            for board in known
        ]
        there = [
            answers.PortFacts(
                port=p.device,
                address=addresses.get(p.device, ""),
                usb=f"{p.vid:04x}:{p.pid:04x}",
                product=p.product or "",
            )
            for p in ports
        ]
        print(dump(answers.Boards(boards=facts, ports=there)))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Board", "MCU", "What", "Tested"):
        table.add_column(heading, overflow="fold")
    for board in known:
        table.add_row(board.name, board.mcu, board.title, board.tested)
    screen = console()
    screen.print(table)
    for port in ports:
        where = f", {addresses[port.device]}" if port.device in addresses else ""
        screen.print(
            f"port {port.device}: {port.description} ({port.vid:04x}:{port.pid:04x}{where})",
            soft_wrap=True,
        )
    if not ports:
        screen.print("no USB serial port is plugged in", style="dim")


def new(
    folder: Annotated[Path, typer.Argument(help="Folder to lay out, new or empty.")],
    board: Annotated[str, typer.Option(help="Name of its board.")] = "my_board",
    like: Annotated[
        str, typer.Option(help="Einthoven's board to start from, which is copied.")
    ] = "qemu_stm32f405",
) -> None:
    """Lay out a project of your own: a board, a recipe, and what builds them with PlatformIO."""
    from shlex import quote

    from einthoven.boards.project import lay_out
    from einthoven.report.text import console

    for path in lay_out(folder, board, like):
        console().print(f"wrote {path}", soft_wrap=True)
    console().print(f"next: cd {quote(str(folder))} && einthoven build {board}", soft_wrap=True)


OwnModel = Annotated[
    Path | None,
    typer.Option(
        "--model",
        help="Folder of an int8 model of your own, instead of the shipped one.",
        show_default=False,
    ),
]


def use_own(model: Path | None) -> None:
    """Build with the user's own model from now on, if there is one."""
    if model is not None:
        from einthoven.errors import ModelError
        from einthoven.hil_tests.harness.own_model import use_model

        folder = use_model(model)
        if not (folder / "model.tflite").is_file():
            raise ModelError(f"no {folder / 'model.tflite'}: name the folder of an int8 model")


def build(board: BoardName, boards: Boards = None, model: OwnModel = None) -> None:
    """Build the firmware for a board."""
    from einthoven.boards.board import build as build_board
    from einthoven.boards.board import load_board
    from einthoven.report.text import console

    use_own(model)
    program = build_board(load_board(board))
    console().print(f"built {program}", soft_wrap=True)


def info(
    board: DeviceName, port: Port = None, boards: Boards = None, as_json: Json = False
) -> None:
    """Ask a board who it is: firmware, model, pipeline, resources."""
    from dataclasses import asdict

    from rich.table import Table

    from einthoven.hil_tests.harness.device import Device
    from einthoven.report import answers
    from einthoven.report.schema import dump
    from einthoven.report.text import console

    grid = Table.grid(padding=(0, 2))
    with reached(board, port) as (kind, url), Device(url, baud=kind.baud) as device:
        network = device.network()
        who, counters = asdict(device.hello), dict(device.info())
        if as_json:
            second = answers.NetworkFacts(**asdict(network)) if network else None
            who["classes"] = list(device.hello.classes)
            print(dump(answers.Info(**who, counters=counters, network=second)))
            return
        facts = {**who, **counters}
        facts |= {f"network {k}": v for k, v in asdict(network).items()} if network else {}
    for name, value in facts.items():
        text = ", ".join(value) if isinstance(value, tuple) else str(value)
        grid.add_row(name.replace("_", " "), text)
    console().print(grid, soft_wrap=True)


def bench(
    board: DeviceName = "qemu_stm32f405",
    port: Port = None,
    beats: Annotated[int, typer.Option(min=1, help="Inferences to run.")] = 40,
    boards: Boards = None,
    as_json: Json = False,
) -> None:
    """Run the model on a board, beat by beat: cost of an inference, every logit checked."""
    from einthoven.boards.board import build as build_board
    from einthoven.boards.board import list_boards, load_board
    from einthoven.hil_tests.harness.bench import bench_board
    from einthoven.report import answers
    from einthoven.report.schema import dump
    from einthoven.report.text import console

    if port is None and board in list_boards():
        build_board(load_board(board))
    with reached(board, port) as (kind, url):
        found = bench_board(kind, url, beats, cycles=True)
    if as_json:
        facts = answers.Bench(
            board=found.board,
            model=found.model,
            count_unit=found.unit,
            multiply_adds=found.multiply_adds,
            inferences=[int(count) for count in found.inferences],
            per_sample_mean=found.per_sample_mean,
            per_sample_max=found.per_sample_max,
            stack_used_bytes=found.stack_used_bytes,
            differing=found.differing,
            modelled_cycles=found.cycles,
        )
        print(dump(facts))
    else:
        console().print(found.text())
    if found.differing:
        raise typer.Exit(1)


def size(
    keep: Annotated[
        bool,
        typer.Option("--record", help="Add a row to docs/history/resources.csv and its chart."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Flash, RAM, stack and instructions of the firmware, checked against firmware/budget.toml."""
    from rich.table import Table

    from einthoven.boards import resources
    from einthoven.boards.board import build as build_board
    from einthoven.boards.board import load_board
    from einthoven.boards.history_chart import draw
    from einthoven.hil_tests.harness.bench import bench_board
    from einthoven.report import answers
    from einthoven.report.schema import dump
    from einthoven.report.text import console

    sizes: list[answers.BoardSize] = []
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Board", "Figure", "Measured", "Budget"):
        table.add_column(heading, justify="left" if heading in ("Board", "Figure") else "right")
    problems: list[str] = []
    for name in resources.run_boards():
        board = load_board(name)
        row = resources.row_of(board)
        budget = resources.budgets().get(row, {})
        build_board(board)
        image = resources.measure(board)
        bench = bench_board(board, None, beats=10)
        figures = {
            **(image.figures() if image else {}),
            "stack_used_bytes": bench.stack_used_bytes,
            "instructions_per_sample": round(bench.per_sample_mean),
            # The others were met by an interrupt on the way.
            "instructions_per_inference": int(bench.inferences.min()),
        }
        sizes.append(
            answers.BoardSize(
                board=name,
                measured={figure: int(value) for figure, value in figures.items()},
                budget={f: int(b) for f, b in budget.items() if isinstance(b, int)},
            )
        )
        for figure, value in figures.items():
            expected = f"{budget[figure]:,}" if figure in budget else ""
            table.add_row(name, figure.replace("_", " "), f"{value:,}", expected)
        problems += resources.check(row, figures, kind=resources.kind_of(board))
        if keep:
            resources.record(name, figures)
    if keep:
        draw()
    if as_json:
        print(dump(answers.Size(boards=sizes, problems=problems)))
    else:
        console().print(table)
        for problem in problems:
            console().print(problem, style="red", soft_wrap=True)
    if problems:
        raise typer.Exit(1)
