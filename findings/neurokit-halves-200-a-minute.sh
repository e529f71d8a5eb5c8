#!/bin/sh
# neurokit2 0.3.0: `ecg_peaks`, default method, finds every second beat of a regular rhythm of 200
# a minute and more (its smallest distance is 0.3 s), and reports a calm 100: the rates at which a
# tachycardia is dangerous look normal. A clean, synthetic signal; 180 a minute is found whole.
#
# Seen: "180 a minute: 179 of 179; 200 a minute: 100 of 199".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check neurokit2==0.3.0
cat > "$folder/try.py" <<'PYTHON'
import neurokit2
import numpy as np

RATE_HZ = 500
times_s = np.arange(60 * RATE_HZ) / RATE_HZ
said = []
for rate in (180, 200):
    beats_s = np.arange(0.5, 60, 60 / rate)
    signal = sum(np.exp(-0.5 * ((times_s - b) / 0.012) ** 2) for b in beats_s)
    _, found = neurokit2.ecg_peaks(neurokit2.ecg_clean(signal, RATE_HZ), RATE_HZ)
    said.append(f"{rate} a minute: {len(found['ECG_R_Peaks'])} of {len(beats_s)}")
print("; ".join(said))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "180 a minute: 179 of 179; 200 a minute: 100 of 199"
