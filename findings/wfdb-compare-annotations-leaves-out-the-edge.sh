#!/bin/sh
# wfdb 4.3.1: `processing.compare_annotations(ref, test, window_width)` calls the window the
# maximum difference that is permitted, and does not permit it: beats that lie exactly that far
# apart are a false and a missed one. `bxb` counts them as one beat (150 ms inclusive), so the two
# disagree where a detector's errors have mass at the edge (54 samples at 360 Hz).
#
# Seen: "20 samples apart, window 20: 0 found; window 21: 1 found".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check wfdb==4.3.1
cat > "$folder/try.py" <<'PYTHON'
import numpy as np
from wfdb.processing import compare_annotations

found = [compare_annotations(np.array([100]), np.array([120]), w).tp for w in (20, 21)]
print(f"20 samples apart, window 20: {found[0]} found; window 21: {found[1]} found")
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "20 samples apart, window 20: 0 found; window 21: 1 found"
