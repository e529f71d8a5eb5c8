"""Which boards' images a model of their chip runs; and one of them on a TCP port:

    python -m einthoven.hil_tests.chips.models blue_pill [--port 7103] [--flash FILE]

for any command that takes `--port socket://127.0.0.1:7103`.
"""

import argparse
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from einthoven.boards.board import build, load_board
from einthoven.errors import EinthovenError
from einthoven.hil_tests.chips.esp32c3.chip import Chip as Esp32c3
from einthoven.hil_tests.chips.rp2350.chip import Chip as Rp2350
from einthoven.hil_tests.chips.served import Chip, serve
from einthoven.hil_tests.chips.stm32f4 import kinds
from einthoven.hil_tests.chips.stm32f4.chip import Chip as Stm32f4
from einthoven.hil_tests.chips.stm32f103.chip import Chip as Stm32f103

MODELS: dict[str, Callable[[Path], Chip]] = {
    "blue_pill": Stm32f103,
    "esp32c3": Esp32c3,
    "blackpill_f411ce": partial(Stm32f4, kinds.BLACKPILL_F411CE),
    "nucleo_f446re": partial(Stm32f4, kinds.NUCLEO_F446RE),
    "feather_f405": partial(Stm32f4, kinds.FEATHER_F405),
    "pico2": Rp2350,
    "pico2_riscv": Rp2350,
}
"""Board to the chip with a program (ELF)."""


def main(argv: list[str] | None = None) -> int:
    """Serve a chip until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m einthoven.hil_tests.chips.models")
    parser.add_argument("board", choices=sorted(MODELS))
    parser.add_argument("--port", type=int, default=7103)
    parser.add_argument("--flash", type=Path, help="file that its flash is kept in, image included")
    args = parser.parse_args(argv)
    try:
        chip = MODELS[args.board](build(load_board(args.board)))
        if args.flash and args.flash.exists():
            chip.flash_anew(args.flash.read_bytes())
        with socket.create_server(("127.0.0.1", args.port)) as listener:
            print(f"{args.board} on socket://127.0.0.1:{args.port}", flush=True)
            serve(chip, listener)
    except KeyboardInterrupt:
        if args.flash:
            args.flash.write_bytes(chip.flashed())
    except (EinthovenError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
