"""stm32loader as it is, on a line without RTS and DTR: a pseudo-terminal refuses to set them.

python -m einthoven.fleet.testing.stm32loader_on_pty ARGUMENTS
"""

import errno
import runpy
from collections.abc import Callable

from serial import Serial


def _without_lines(update: Callable[[Serial], None]) -> Callable[[Serial], None]:
    def lenient(port: Serial) -> None:
        try:
            update(port)
        except OSError as error:
            if error.errno not in (errno.ENOTTY, errno.EINVAL):
                raise

    return lenient


if __name__ == "__main__":
    for name in ("_update_rts_state", "_update_dtr_state"):
        setattr(Serial, name, _without_lines(getattr(Serial, name)))
    runpy.run_module("stm32loader", run_name="__main__", alter_sys=True)
