#!/bin/sh
# wfdb 4.3.1 (the Python package; numpy 2.4.6, pandas 3.1.1) drops every character of a header that is
# not ASCII, without a word. `0.2(0)/µV` becomes `0.2(0)/V`: the samples are the same numbers, and their unit
# is a million times too large. The same header with a gain of 0, which header(5) calls "not calibrated", is
# read as 200 per mV, which nobody can tell from a header that says 200. Format 61 (16 bits, high
# byte first) is read, but not with `smooth_frames=False` and `return_res=32`: a ValueError about int().
#
# Seen: "unit V, gain of 0 read as 200.0, format 61: ValueError".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check wfdb==4.3.1 numpy==2.4.6 pandas==3.1.1
cat > "$folder/try.py" <<'PYTHON'
import sys
from pathlib import Path

import numpy as np
import wfdb

here = Path(sys.argv[1])
np.arange(100, dtype="<i2").tofile(here / "a.dat")


def header(line):
    (here / "a.hea").write_text(f"a 1 360 100\n{line}\n", encoding="utf-8")


header("a.dat 16 0.2(0)/µV 16 0 0 4950 0 II")
unit = wfdb.rdrecord(str(here / "a")).units[0]
header("a.dat 16 0 16 0 0 4950 0 II")
gain = wfdb.rdrecord(str(here / "a")).adc_gain[0]
header("a.dat 61 200 16 0 0 4950 0 II")
try:
    wfdb.rdrecord(str(here / "a"), physical=False, smooth_frames=False, return_res=32)
    said = "read"
except Exception as error:
    said = type(error).__name__
print(f"unit {unit}, gain of 0 read as {gain}, format 61: {said}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/try.py" "$folder")
echo "$seen"
test "$seen" = "unit V, gain of 0 read as 200.0, format 61: ValueError"
