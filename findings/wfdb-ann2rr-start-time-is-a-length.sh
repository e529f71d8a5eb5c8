#!/bin/sh
# wfdb 4.3.1: `processing.ann2rr(..., start_time=)` says that it is the time to start the
# intervals, in seconds. It keeps intervals that are *longer* than that, wherever they lie
# (stop_time: shorter). It also begins with the distance from the record's start to the first
# annotation, and takes rhythm marks for beats, as no ann2rr -c does.
#
# Seen: "all: [0.5, 1.0, 1.0, 2.0]; from 3 s on: []; from 1.5 s on: [2.0]".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check wfdb==4.3.1
cat > "$folder/try.py" <<'PYTHON'
import numpy as np
import wfdb
from wfdb.processing import ann2rr

wfdb.wrann("rec", "atr", np.array([50, 150, 250, 450]), symbol=list("NNNN"), fs=100)
got = {s: ann2rr("rec", "atr", format="s", start_time=s).tolist() for s in (None, 3, 1.5)}
print(f"all: {got[None]}; from 3 s on: {got[3]}; from 1.5 s on: {got[1.5]}")
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "all: [0.5, 1.0, 1.0, 2.0]; from 3 s on: []; from 1.5 s on: [2.0]"
