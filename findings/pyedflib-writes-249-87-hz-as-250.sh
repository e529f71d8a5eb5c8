#!/bin/sh
# pyedflib 0.1.42: EDF has no rate, but samples a record and a record's duration, and pyedflib chooses
# a duration for the rate it is given. Where it finds no exact one it takes a near one, without a
# word: 249.87 Hz, a chip's own oscillator measured, becomes 250 Hz and 62.4725 Hz 62.5, so that marks
# drift by 1.9 and 1.6 s an hour, while 511.98 and 250.3 Hz are kept. Ask the file that was written.
#
# Seen: "249.87 Hz: 250, 1.9 s an hour; 62.4725 Hz: 62.5, 1.6 s an hour; 511.98 Hz: 511.98, 0.0 s an
# hour; 250.3 Hz: 250.3, 0.0 s an hour".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyedflib==0.1.42 numpy==2.4.6
cat > "$folder/try.py" <<'PYTHON'
import numpy as np
import pyedflib

said = []
for rate in (249.87, 62.4725, 511.98, 250.3):
    signal = dict(label="ECG", dimension="mV", sample_frequency=rate, transducer="", prefilter="")
    signal |= dict(physical_min=-5, physical_max=5, digital_min=-32768, digital_max=32767)
    writer = pyedflib.EdfWriter("rec.edf", 1, file_type=pyedflib.FILETYPE_EDFPLUS)
    writer.setSignalHeaders([signal])
    writer.writeSamples([np.zeros(round(rate * 100))])
    writer.close()
    reader = pyedflib.EdfReader("rec.edf")
    read = reader.getSampleFrequency(0)
    reader.close()
    said.append(f"{rate} Hz: {read:g}, {abs(3600 * (rate / read - 1)):.1f} s an hour")
print("; ".join(said))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "249.87 Hz: 250, 1.9 s an hour; 62.4725 Hz: 62.5, 1.6 s an hour; 511.98 Hz: 511.98, 0.0 s an hour; 250.3 Hz: 250.3, 0.0 s an hour"
