#!/bin/sh
# pyedflib 0.1.42: `writeSamples` ends the data record that it is in, each time it is called. Who
# writes a stream in the pieces in which it arrives, half a second here, gets a file in which each
# piece is followed by zeros up to the next second: twice as long, and half of it nobody's. No
# warning: write whole records, the last one apart.
#
# Seen: "1000 samples of 1 mV; in pieces of 1000: 1000 read, 0 of them 0; in pieces of 50: 2000 read,
# 1000 of them 0".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyedflib==0.1.42 numpy==2.4.6
cat > "$folder/try.py" <<'PYTHON'
import numpy as np
import pyedflib

signal = dict(label="ECG", dimension="mV", sample_frequency=100, transducer="", prefilter="")
signal |= dict(physical_min=-5, physical_max=5, digital_min=-32768, digital_max=32767)
said = []
for piece in (1000, 50):
    writer = pyedflib.EdfWriter("rec.edf", 1, file_type=pyedflib.FILETYPE_EDFPLUS)
    writer.setSignalHeaders([signal])
    for _ in range(1000 // piece):
        writer.writeSamples([np.ones(piece)])
    writer.close()
    reader = pyedflib.EdfReader("rec.edf")
    read = reader.readSignal(0)
    reader.close()
    said.append(f"in pieces of {piece}: {len(read)} read, {int((abs(read) < 0.01).sum())} of them 0")
print("; ".join(["1000 samples of 1 mV", *said]))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "1000 samples of 1 mV; in pieces of 1000: 1000 read, 0 of them 0; in pieces of 50: 2000 read, 1000 of them 0"
