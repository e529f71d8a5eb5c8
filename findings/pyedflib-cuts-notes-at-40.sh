#!/bin/sh
# pyedflib 0.1.42: `writeAnnotation` cuts a text after 40 bytes without a word, and a duration
# below 0.1 ms to 0. EDF+ itself has no such limit. Reasons in words ("irregular, no P wave, 3
# extra beats, 112 a minute") lose their end; edfio writes and reads them whole.
#
# Seen: "55 characters written, 40 read: irregular, no P wave, 3 extra beats, 112".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyedflib==0.1.42
cat > "$folder/try.py" <<'PYTHON'
import numpy as np
import pyedflib

text = "irregular, no P wave, 3 extra beats, 112 beats a minute"
signal = dict(label="ECG", dimension="mV", sample_frequency=100, transducer="", prefilter="")
signal |= dict(physical_min=-5, physical_max=5, digital_min=-32768, digital_max=32767)
writer = pyedflib.EdfWriter("rec.edf", 1, file_type=pyedflib.FILETYPE_EDFPLUS)
writer.setSignalHeaders([signal])
writer.writeSamples([np.zeros(1000)])
writer.writeAnnotation(1.5, -1, text)
writer.close()
reader = pyedflib.EdfReader("rec.edf")
(read,) = reader.readAnnotations()[2]
print(f"{len(text)} characters written, {len(read)} read: {read}")
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "55 characters written, 40 read: irregular, no P wave, 3 extra beats, 112"
