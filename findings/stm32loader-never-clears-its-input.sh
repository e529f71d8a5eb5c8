#!/bin/sh
# stm32loader 0.7.1 (the newest on 2026-11-29): before it greets a chip's boot loader it means to drop
# what is left in the input ("It's known that the CP2102N at high baudrate fails to flush"), if its
# connection has `flush_input_buffer`. Its own connection has `flush_imput_buffer` instead, so nothing
# is ever dropped: firmware that speaks while it is being reset is taken for the boot loader's reply.
# The two greetings then read the firmware's bytes, and a chip that does answer counts as absent.
# Shown on a pseudo-terminal, whose other end speaks two bytes at a reset and acknowledges after that.
#
# Seen: "as it is: Bad reply from bootloader; with the method under the other name: it answers".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check stm32loader==0.7.1
cat > "$folder/try.py" <<'PYTHON'
import os
import sys
import threading
import tty

from stm32loader.bootloader import CommandError, Stm32Bootloader
from stm32loader.uart import SerialConnection

chip, line = os.openpty()
tty.setraw(line)


class Line(SerialConnection):
    """A pseudo-terminal has no RTS and DTR: the reset is told to the chip as it is."""

    def enable_boot0(self, enable=True):
        pass

    def enable_reset(self, enable=True):
        if enable:
            os.write(chip, b"OK")  # the firmware's last words


def acknowledge():
    while os.read(chip, 1) == b"\x7f":
        os.write(chip, b"\x79")


if sys.argv[1] == "renamed":
    Line.flush_input_buffer = Line.flush_imput_buffer
connection = Line(os.ttyname(line), 115200, "N")
connection.connect()
threading.Thread(target=acknowledge, daemon=True).start()
try:
    Stm32Bootloader(connection).reset_from_system_memory()
    print("it answers")
except CommandError as error:
    print(error)
PYTHON
plain=$("$folder/venv/bin/python" "$folder/try.py" plain 2>/dev/null | tail -n 1)
renamed=$("$folder/venv/bin/python" "$folder/try.py" renamed 2>/dev/null | tail -n 1)
echo "as it is: $plain; with the method under the other name: $renamed"
test "$plain" = "Bad reply from bootloader"
test "$renamed" = "it answers"
