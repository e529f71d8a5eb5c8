#!/bin/sh
# biobabel 1.1.0: a CSV file is read as counts of a 10-bit converter at 3.3 V, whatever it holds: an
# ECG of 1 mV in mV becomes 0.0032 V. A column that rises evenly is taken for time in ms: the same
# file with times in seconds is sampled at 250,000 Hz, and one without times at 1 Hz. What it guessed
# of the times is printed, the factor of 3.3/1023 is not.
#
# Seen: "times in ms: 250 Hz, 1 mV is 0.0032 V; times in s: 250000 Hz, 1 mV is 0.0032 V; times in
# none: 1 Hz, 1 mV is 0.0032 V".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check biobabel==1.1.0
cat > "$folder/try.py" <<'PYTHON'
import biobabel
import numpy as np

ecg_mv = np.sin(np.arange(1000) / 10) / np.sin(np.arange(1000) / 10).max()
times_s = np.arange(1000) / 250
said = []
for name, columns in (("ms", [1000 * times_s]), ("s", [times_s]), ("none", [])):
    names = ["time"] * len(columns) + ["ecg", "resp"]
    rows = np.column_stack([*columns, ecg_mv, np.cos(np.arange(1000) / 50)])
    np.savetxt("rec.csv", rows, delimiter=",", header=",".join(names), comments="", fmt="%.6f")
    recording = biobabel.load("rec.csv")
    header, data = recording.get("ecg")
    rate = header["sampling_frequency"]
    said.append(f"times in {name}: {rate:.0f} Hz, 1 mV is {data.max():.4f} {header['units']}")
print("; ".join(said))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "times in ms: 250 Hz, 1 mV is 0.0032 V; times in s: 250000 Hz, 1 mV is 0.0032 V; times in none: 1 Hz, 1 mV is 0.0032 V"
