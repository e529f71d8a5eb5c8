#!/bin/sh
# pyserial 3.5: with `socket://`, `in_waiting` says whether something is there, not how much: 1,
# while 100 bytes wait. `read(port.in_waiting)`, the idiom for real ports, then takes a byte a
# turn; there is no out_waiting and no cancel_read either, and exclusive=True excludes nobody.
#
# Seen: "100 bytes sent, in_waiting 1, read(in_waiting) 1, read(100) 99; out_waiting False,
# cancel_read False".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyserial==3.5
cat > "$folder/try.py" <<'PYTHON'
import select
import socket

import serial

listener = socket.create_server(("127.0.0.1", 0))
port = serial.serial_for_url(f"socket://127.0.0.1:{listener.getsockname()[1]}", timeout=1)
board, _ = listener.accept()
board.sendall(b"x" * 100)
select.select([port.fileno()], [], [], 5)
waiting = port.in_waiting
first, rest = len(port.read(waiting)), len(port.read(99))
has = [hasattr(port, name) for name in ("out_waiting", "cancel_read")]
print(
    f"100 bytes sent, in_waiting {waiting}, read(in_waiting) {first}, read(100) {rest}; "
    f"out_waiting {has[0]}, cancel_read {has[1]}"
)
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "100 bytes sent, in_waiting 1, read(in_waiting) 1, read(100) 99; out_waiting False, cancel_read False"
