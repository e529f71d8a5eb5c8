#!/bin/sh
# biosppy 2.2.4: `ecg.compare_segmentation` counts a false detection only if it comes before the first
# match, or minRR seconds after the last one; minRR is infinite where none is given. By default nearly
# all false beats vanish: a detector that reports five beats for each real one has an accuracy of 1
# and no false one. Missed beats show in "performance" alone.
#
# Seen: "300 detections, 60 beats; minRR None: TP 60, FP 0, acc 1.0; minRR 0.0: TP 60, FP 240, acc
# 0.2".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check biosppy==2.2.4 peakutils==1.3.5
cat > "$folder/try.py" <<'PYTHON'
import numpy as np
from biosppy.signals.ecg import compare_segmentation

reference = np.arange(1000, 61000, 1000)
test = np.arange(1000, 61000, 200)
said = []
for least in (None, 0.0):
    got = compare_segmentation(reference, test, sampling_rate=1000.0, minRR=least, tol=0.05)
    said.append(f"minRR {least}: TP {got['TP']}, FP {got['FP']}, acc {got['acc']:.1f}")
print("; ".join([f"{len(test)} detections, {len(reference)} beats", *said]))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "300 detections, 60 beats; minRR None: TP 60, FP 0, acc 1.0; minRR 0.0: TP 60, FP 240, acc 0.2"
