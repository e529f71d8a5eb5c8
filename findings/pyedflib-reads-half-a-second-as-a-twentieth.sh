#!/bin/sh
# pyedflib 0.1.42: EDF+ states the fraction of the start's second in the first record's annotation
# (+0.5). `getStartdatetime` returns a tenth of it, 50 ms for 500 ms; `setStartdatetime` writes none
# at all, without a word. Two recorders are aligned by such a time: half a second is most of a beat.
# (edfio 0.4.18 writes and reads it right; MNE 1.13.2 leaves it out of meas_date.)
#
# Seen: "edfio wrote 500 ms: edfio reads 500, pyedflib 50; pyedflib wrote 500 ms: edfio reads 0,
# pyedflib 0".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pyedflib==0.1.42 edfio==0.4.18 numpy==2.4.6
cat > "$folder/try.py" <<'PYTHON'
import datetime

import edfio
import numpy as np
import pyedflib

start = datetime.datetime(2020, 1, 2, 3, 4, 5, 500_000)
ecg = edfio.EdfSignal(np.zeros(1000), 100, label="ECG", physical_range=(-5, 5))
edfio.Edf([ecg], starttime=start.time()).write("edfio.edf")
signal = dict(label="ECG", dimension="mV", sample_frequency=100, transducer="", prefilter="")
signal |= dict(physical_min=-5, physical_max=5, digital_min=-32768, digital_max=32767)
writer = pyedflib.EdfWriter("pyedflib.edf", 1, file_type=pyedflib.FILETYPE_EDFPLUS)
writer.setStartdatetime(start)
writer.setSignalHeaders([signal])
writer.writeSamples([np.zeros(1000)])
writer.close()
said = []
for wrote in ("edfio", "pyedflib"):
    by_edfio = edfio.read_edf(f"{wrote}.edf").starttime.microsecond // 1000
    by_pyedflib = pyedflib.EdfReader(f"{wrote}.edf").getStartdatetime().microsecond // 1000
    said.append(f"{wrote} wrote 500 ms: edfio reads {by_edfio}, pyedflib {by_pyedflib}")
print("; ".join(said))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "edfio wrote 500 ms: edfio reads 500, pyedflib 50; pyedflib wrote 500 ms: edfio reads 0, pyedflib 0"
